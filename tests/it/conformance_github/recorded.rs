//! Really recorded traffic, played back on loopback: links, validators, rate headers, renames and refusals as the HTTP
//! client understands them.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use windlass::providers::http::{Credential, Fate, JSON, Limits, Reply, Server, Trouble, Why};

use super::{Report, files, root};

const HOSTS: [&str; 2] = ["https://api.github.com:443", "https://api.github.com"];

/// Headers that belong to the connection of then.
const OF_THE_CONNECTION: [&str; 4] = [
    "content-length",
    "transfer-encoding",
    "content-encoding",
    "connection",
];

struct Recorded<'a> {
    entry: &'a Value,
    base: String,
}

impl Recorded<'_> {
    fn headers(&self) -> Vec<(String, String)> {
        let raw: Vec<&str> = self.entry["rawHeaders"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap())
            .collect();
        raw.chunks(2)
            .map(|pair| (pair[0].to_lowercase(), self.here(pair[1])))
            .filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()))
            .collect()
    }

    fn header(&self, name: &str) -> Option<String> {
        let headers = self.headers();
        headers
            .into_iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// As if this machine were the host.
    fn here(&self, text: &str) -> String {
        HOSTS
            .iter()
            .fold(text.to_owned(), |text, host| text.replace(host, &self.base))
    }

    fn status(&self) -> u16 {
        u16::try_from(self.entry["status"].as_u64().unwrap()).unwrap()
    }

    fn body(&self) -> String {
        match &self.entry["response"] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            value => value.to_string(),
        }
    }

    fn answer(&self) -> Vec<u8> {
        let body = if self.status() == 204 {
            String::new()
        } else {
            self.body()
        };
        let mut head = format!(
            "HTTP/1.1 {} As recorded\r\nconnection: close\r\n",
            self.status()
        );
        for (name, value) in self.headers() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.status() != 204 {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        format!("{head}\r\n{body}").into_bytes()
    }
}

async fn played(
    server: &Server,
    listener: &TcpListener,
    recorded: &Recorded<'_>,
) -> Result<Reply, Trouble> {
    let entry = recorded.entry;
    let path = entry["path"].as_str().unwrap();
    let method = entry["method"].as_str().unwrap().to_uppercase();
    let answer = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 1 << 16];
        // All of these requests come in one piece.
        let count = socket.read(&mut buffer).await.unwrap();
        assert!(buffer[..count].starts_with(format!("{method} {path} HTTP/1.1").as_bytes()));
        socket.write_all(&recorded.answer()).await.unwrap();
        socket.shutdown().await.unwrap();
    };
    let ask = async {
        if method == "GET" {
            server.get(path, JSON).await
        } else {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let body: Bytes = entry["body"].to_string().into();
            server.send_once(method, path, JSON, body).await
        }
    };
    futures::join!(answer, ask).1
}

#[tokio::test]
async fn recorded_traffic_is_understood() {
    let Some(root) = root() else { return };
    let mut report = Report::default();
    let mut files = files(&root.join("github-http"));
    files.retain(|(name, _)| name.ends_with(".raw.json"));
    for (file, scenario) in &files {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::new(
            &base,
            Credential::None,
            Limits::default(),
            Arc::new(Timestamp::now),
        );
        let server = server.unwrap();
        for entry in scenario.as_array().unwrap() {
            // An upload goes to a host of its own, and an archive comes from one.
            if !HOSTS.contains(&entry["scope"].as_str().unwrap_or_default()) {
                continue;
            }
            let recorded = Recorded {
                entry,
                base: base.clone(),
            };
            let case = format!("{file} {} {}", entry["method"], entry["path"]);
            let got = played(&server, &listener, &recorded).await;
            check(&mut report, &case, &recorded, &got);
            let remaining = recorded.header("x-ratelimit-remaining");
            if let Some(remaining) = remaining {
                let told = server.budget().remaining.map(|left| left.to_string());
                report.check(&case, told.as_ref() == Some(&remaining), || {
                    format!("budget {told:?}, recorded {remaining}")
                });
            }
        }
        report.check(file, server.ahead_ms().is_some(), || "no clock".to_owned());
    }
    report.finish("github-http", 100);
}

fn check(report: &mut Report, case: &str, recorded: &Recorded<'_>, got: &Result<Reply, Trouble>) {
    match (recorded.status(), got) {
        (200..=299, Ok(reply)) => {
            report.check(case, reply.status == recorded.status(), || {
                reply.status.to_string()
            });
            // Byte for byte: a weak validator stays weak.
            let etag = recorded.header("etag");
            report.check(case, reply.header("etag") == etag.as_deref(), || {
                format!("{:?}", reply.header("etag"))
            });
            if recorded.status() != 204 && !recorded.entry["response"].is_string() {
                let json = reply.json::<Value>();
                report.check(
                    case,
                    json.as_ref().ok() == Some(&recorded.entry["response"]),
                    || format!("{:?}", json.err()),
                );
            }
            check_links(report, case, recorded, reply);
        }
        (status @ 300..=399, Err(trouble)) => {
            let location = trouble.location().map(|location| location.url().to_owned());
            report.check(
                case,
                trouble.status() == Some(status) && location == recorded.header("location"),
                || format!("{trouble}"),
            );
        }
        (status @ 400..=499, Err(trouble)) => {
            let message = recorded.entry["response"]["message"]
                .as_str()
                .unwrap_or_default();
            report.check(
                case,
                trouble.status() == Some(status)
                    && trouble.fate() == Fate::Refused
                    && trouble.sentence().contains(message)
                    && (status != 422 || matches!(trouble.why(), Why::Refused(_))),
                || format!("{trouble}"),
            );
        }
        (status, got) => report.check(case, false, || format!("{status}: {got:?}")),
    }
}

fn check_links(report: &mut Report, case: &str, recorded: &Recorded<'_>, reply: &Reply) {
    let Some(links) = recorded.header("link") else {
        return;
    };
    for link in links.split(", ") {
        let (target, relation) = link.split_once(">; rel=").unwrap();
        let target = target.trim_start_matches('<');
        let relation = relation.trim_matches('"');
        report.check(
            case,
            reply.link(relation).as_deref() == Some(target),
            || format!("{relation}: {:?}, recorded {target}", reply.link(relation)),
        );
    }
}
