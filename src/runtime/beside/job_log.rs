//! The log of a job on its way to the screen.

use tokio::sync::mpsc;

use super::Host;
use crate::{
    app::msg::{LogEvent, Msg},
    model::{
        job_log::{JobLog, LogLine},
        pipeline::RunId,
        text::{Safe, sanitise},
    },
    providers::{github, http::Trouble},
};

/// Reads the log of a job to its end. Its host keeps it back until the job has ended; until then that is said.
pub async fn job_log(host: &Host, run: &RunId, job: u64, name: &Safe, results: mpsc::Sender<Msg>) {
    let told = |event| Msg::Log {
        pod: name.clone(),
        event,
    };
    let server = match host.server().await {
        Ok(server) => server,
        Err(why) => {
            // Only a screen that is gone does not take it.
            let _ = results.send(told(LogEvent::Failed(why))).await;
            return;
        }
    };
    let (sender, mut logs) = mpsc::channel(1);
    let forward = async {
        while let Some(log) = logs.recv().await {
            for event in log_events(log) {
                if results.send(told(event)).await.is_err() {
                    return;
                }
            }
        }
    };
    tokio::join!(
        github::logs::follow(&server, &run.repository, job, sender),
        forward
    );
}

fn log_events(log: Result<JobLog, Trouble>) -> Vec<LogEvent> {
    match log {
        Ok(JobLog::NotYet) => vec![LogEvent::NotYet(sanitise(
            "no log yet: its host keeps it back until the job has ended; its steps are in the pane",
        ))],
        Ok(JobLog::Gone(why)) => vec![LogEvent::Failed(why)],
        Ok(JobLog::Lines { lines, left_out }) => {
            let mut events = Vec::new();
            if left_out > 0 {
                let words = format!("({left_out} earlier lines are left out)");
                events.push(LogEvent::Lines(vec![LogLine::plain(sanitise(&words))]));
            }
            events.push(LogEvent::Lines(lines));
            events.push(LogEvent::Ended);
            events
        }
        Err(trouble) => vec![LogEvent::Failed(trouble.sentence())],
    }
}
