//! The server's error body and its Events.

use super::{Meta, Time, wire};

wire! {
    /// `Status`: the body of every error, and the object of an ERROR line in a watch.
    pub struct Status {
        pub status: String,
        pub message: String,
        pub reason: String,
        pub code: i32,
        pub metadata: super::ListMeta,
        pub details: StatusDetails,
    }

    pub struct StatusDetails {
        pub name: String,
        pub group: String,
        pub kind: String,
        pub causes: Vec<StatusCause>,
        pub retry_after_seconds: Option<i64>,
    }

    pub struct StatusCause {
        pub reason: String,
        pub message: String,
        pub field: String,
    }

    /// A core/v1 Event.
    pub struct Event {
        pub metadata: Meta,
        #[serde(rename = "type")]
        pub kind: String,
        pub reason: String,
        pub message: String,
        pub count: i32,
        pub first_timestamp: Time,
        pub last_timestamp: Time,
        pub event_time: Time,
        pub series: Option<EventSeries>,
        pub involved_object: InvolvedObject,
        pub source: EventSource,
        pub reporting_component: String,
    }

    pub struct EventSeries {
        pub count: i32,
        pub last_observed_time: Time,
    }

    pub struct InvolvedObject {
        pub kind: String,
        pub namespace: String,
        pub name: String,
        pub uid: String,
    }

    pub struct EventSource {
        pub component: String,
    }
}
