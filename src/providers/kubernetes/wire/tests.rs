use super::*;

fn line(text: &str) -> Watch<Rollout> {
    decode_watch_line(text.as_bytes()).unwrap()
}

#[test]
fn an_expired_watch_is_an_error_line_and_not_an_object() {
    let text = r#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old resource version: 1 (251)","reason":"Expired","code":410}}"#;
    let Watch::Error(status) = line(text) else {
        panic!()
    };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
}

#[test]
fn a_bookmark_is_only_a_version() {
    let text = r#"{"type":"BOOKMARK","object":{"kind":"Rollout","metadata":{"resourceVersion":"12"},"spec":{"replicas":null}}}"#;
    let Watch::Bookmark {
        resource_version,
        initial_events_end,
    } = line(text)
    else {
        panic!()
    };
    assert_eq!(resource_version, "12");
    assert!(!initial_events_end);
}

#[test]
fn an_object_of_the_wrong_shape_is_named_and_the_stream_goes_on() {
    let text = r#"{"type":"DELETED","object":{"metadata":{"name":"a","namespace":"n"},"spec":{"replicas":{}}}}"#;
    let Watch::Malformed { malformed, deleted } = line(text) else {
        panic!()
    };
    assert_eq!(
        (malformed.namespace.as_str(), malformed.name.as_str()),
        ("n", "a")
    );
    assert!(deleted);
}

#[test]
fn a_type_from_the_future_is_kept_by_name() {
    let text = r#"{"type":"RENAMED","object":{}}"#;
    assert!(matches!(line(text), Watch::Unknown(kind) if kind == "RENAMED"));
}

#[test]
fn numbers_may_be_text_and_text_may_be_numbers() {
    let rollout: Rollout = decode(
        br#"{"spec":{"replicas":"3","strategy":{"canary":{"steps":[{"pause":{"duration":10}},{"pause":{"duration":"10s"}}]}}},
            "status":{"observedGeneration":12,"conditions":{}}}"#,
    )
    .unwrap();
    assert_eq!(rollout.spec.replicas, Some(3));
    assert_eq!(rollout.status.observed_generation, "12");
    let steps = rollout.spec.strategy.canary.unwrap().steps.0;
    let durations: Vec<String> = steps
        .into_iter()
        .map(|step| step.pause.unwrap().duration.unwrap().to_string())
        .collect();
    assert_eq!(durations, ["10", "10s"]);
}

#[test]
fn the_continue_token_of_an_expired_list_is_found() {
    let body = br#"{"kind":"Status","metadata":{"continue":"abc"},"status":"Failure","reason":"Expired","code":410}"#;
    let status: Status = decode(body).unwrap();
    assert_eq!(status.metadata.continue_token, "abc");
}
