//! The store of logs, on another port: GitHub sends a client there with a signed address, good for a minute.
//!
//! It answers as that store does to a request that brings a token along: not at all well. Must never give a log
//! without a signature.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use http::{Method, header};
use jiff::Timestamp;

use super::{GitHub, log_text};
use crate::demo::fault::{Only, Server, Target};
use crate::demo::front::{self, Asked, Reply};
use crate::demo::pipeline::{Status, number};
use crate::demo::server::Cut;

/// How long a signed address is good for.
const GOOD_FOR: i64 = 60;

/// A word that only the demo's own store knows: the world takes any reader, so it need not be secret.
const KEY: &str = "demo-blob-store";

fn signature(repository: &str, job: u64, until: i64) -> String {
    format!(
        "{:016x}",
        number(&format!("{KEY}/{repository}/{job}/{until}"))
    )
}

impl GitHub {
    pub(super) fn signed(&self, repository: &str, job: u64, now: Timestamp) -> String {
        let until = now.as_second() + GOOD_FOR;
        let signature = signature(repository, job, until);
        format!(
            "{}/logs/{repository}/{job}.txt?se={until}&sp=r&sig={signature}",
            self.blobs
        )
    }

    fn blob(&self, asked: &Asked) -> Reply {
        if asked.headers.contains_key(header::AUTHORIZATION) {
            return refused(
                400,
                "InvalidAuthenticationInfo",
                "Authentication information is not given in the correct format.",
            );
        }
        let segments = asked.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (["logs", repository, file], &Method::GET) = (path.as_slice(), &asked.method) else {
            return refused(404, "BlobNotFound", "The specified blob does not exist.");
        };
        let job = file
            .strip_suffix(".txt")
            .and_then(|job| job.parse::<u64>().ok());
        let until = asked.parameter("se").parse::<i64>().unwrap_or(0);
        let signed =
            job.is_some_and(|job| signature(repository, job, until) == asked.parameter("sig"));
        if !signed || until < self.api.time.now().as_second() {
            return refused(
                403,
                "AuthenticationFailed",
                "Server failed to authenticate the request.",
            );
        }
        let cluster = self.api.cluster();
        let found = cluster.pipelines.repo(repository).and_then(|repo| {
            let attempts = repo
                .runs
                .iter()
                .flat_map(|run| run.attempts.iter().map(move |attempt| (run, attempt)));
            attempts
                .flat_map(|(run, attempt)| attempt.jobs.iter().map(move |known| (run, known)))
                .find(|(_, known)| {
                    Some(known.id) == job && matches!(known.status(), Status::Completed(_))
                })
                .map(|(run, known)| log_text::write(repo, run, known, &cluster.clock))
        });
        match found {
            Some(text) => Reply::text(200, text).with("x-ms-blob-type", "AppendBlob"),
            None => refused(404, "BlobNotFound", "The specified blob does not exist."),
        }
    }
}

fn refused(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    Reply::new(status, "application/xml", body)
}

pub(in crate::demo) async fn handle(
    State(github): State<Arc<GitHub>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: http::Request<Body>,
) -> Response {
    let target = |_: &Asked| Target {
        server: Server::GitHub,
        verb: Only::Get,
        writes: false,
        dry_run: false,
        continues: false,
    };
    front::pass(&github.api, &cut, request, target, |asked, _| {
        github.blob(asked)
    })
    .await
}
