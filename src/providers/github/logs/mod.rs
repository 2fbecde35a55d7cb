//! The log of one job. GitHub gives none before the job has ended, and then by a signed address elsewhere, which gets no
//! token and is not kept. The end of a long log is what matters, so its beginning is let go.

mod line;

use std::{collections::VecDeque, time::Duration};

use tokio::sync::mpsc;

use super::{read, requests};
use crate::{
    model::{
        job_log::{JobLog, LogLine},
        pipeline::Repository,
        text::sanitise,
    },
    providers::http::{Limits, Server, Trouble, Why},
};

pub use line::parse;

/// Lines that are kept, of however many.
const LINES: usize = 20_000;

/// A longer line is cut. One that never ends must not be collected.
const LINE_BYTES: usize = 16 << 10;

const LOG_BYTES: usize = 256 << 20;
const LOG_WITHIN: Duration = Duration::from_secs(180);

/// Looked at whether the job has ended.
const POLL: Duration = Duration::from_secs(8);

/// The log of an ended job comes a moment after its end.
const SOON: Duration = Duration::from_secs(3);
const SOON_TRIES: u32 = 5;

/// Fetches it until it is there, and tells what there is meanwhile. Ends after the last fact, or when nobody listens.
pub async fn follow(
    server: &Server,
    repository: &Repository,
    job: u64,
    out: mpsc::Sender<Result<JobLog, Trouble>>,
) {
    let mut told_not_yet = false;
    let mut tries = 0;
    loop {
        let ended = match read::job(server, repository, job).await {
            Ok(job) => job.phase.has_ended(),
            Err(trouble) => {
                // Nobody to tell is the same as being told to stop.
                let _ = out.send(Err(trouble)).await;
                return;
            }
        };
        let log = job_log(server, repository, job, ended).await;
        let wait = match &log {
            Ok(JobLog::NotYet) => POLL,
            Ok(JobLog::Gone(_)) if tries < SOON_TRIES => SOON,
            _ => {
                let _ = out.send(log).await;
                return;
            }
        };
        tries += u32::from(ended);
        if !told_not_yet && out.send(Ok(JobLog::NotYet)).await.is_err() {
            return;
        }
        told_not_yet = true;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = out.closed() => return,
        }
    }
}

/// Once. `ended`: whether the job has, which is what a 404 depends on.
pub async fn job_log(
    server: &Server,
    repository: &Repository,
    job: u64,
    ended: bool,
) -> Result<JobLog, Trouble> {
    let path = requests::job_log(repository, job);
    let trouble = match server.get(&path, requests::JSON).await {
        // An older Enterprise Server gives the text itself.
        Ok(reply) => {
            let mut tail = Tail::default();
            tail.take(&reply.body);
            return Ok(tail.finish());
        }
        Err(trouble) => trouble,
    };
    match (trouble.why(), trouble.location()) {
        (Why::Redirected { .. }, Some(location)) => {
            let mut stream = server
                .with_limits(of_a_log(server))
                .stream_elsewhere(location)
                .await?;
            let mut tail = Tail::default();
            while let Some(piece) = stream.next().await? {
                tail.take(&piece);
            }
            Ok(tail.finish())
        }
        (Why::NotFound(_), _) if !ended => Ok(JobLog::NotYet),
        (Why::NotFound(_) | Why::Gone(_), _) => Ok(JobLog::Gone(sanitise(
            "the host has no log of this job: it has expired, was deleted, or you may not see it",
        ))),
        _ => Err(trouble),
    }
}

/// It flows by, and only its end is kept: it may be long, and as repetitive as logs are.
fn of_a_log(server: &Server) -> Limits {
    Limits {
        body: LOG_BYTES,
        ratio: u32::MAX,
        total: LOG_WITHIN,
        ..server.limits()
    }
}

/// The last lines of what flows by.
#[derive(Debug, Default)]
struct Tail {
    lines: VecDeque<LogLine>,
    left_out: usize,
    rest: Vec<u8>,
}

impl Tail {
    fn take(&mut self, bytes: &[u8]) {
        let mut pieces = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            let room = LINE_BYTES.saturating_sub(self.rest.len());
            self.rest
                .extend_from_slice(piece.get(..room).unwrap_or(piece));
            if pieces.peek().is_some() {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.rest);
        let text = String::from_utf8_lossy(&bytes);
        if self.lines.len() == LINES {
            self.lines.pop_front();
            self.left_out += 1;
        }
        self.lines.push_back(parse(&text));
    }

    fn finish(mut self) -> JobLog {
        if !self.rest.is_empty() {
            self.end_line();
        }
        JobLog::Lines {
            lines: self.lines.into(),
            left_out: self.left_out,
        }
    }
}

#[cfg(test)]
mod tests;
