//! The world as a client meets it: over HTTP, through `kube`, and through bare sockets where `kube` is too polite.

mod alertmanager;
mod faults;
mod github;
mod living;
mod prometheus;
mod reading;
mod schema;
mod stories;
mod tables;
mod watching;
mod writing;

use std::time::Duration;

use http::{Method, Request as HttpRequest};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Error, Options, Request, World};

const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts";
const MERGE: &str = "application/merge-patch+json";
const OPERATIONS: &str = "application/json-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

async fn world(scenario: &str, faults: &[&str]) -> World {
    let options = Options {
        scenario: scenario.to_owned(),
        speed: 1000.0,
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..Options::default()
    };
    World::start(options).await.unwrap()
}

/// One service whose new version fails five times in a hundred, at half of the traffic.
const FAILING: &str = r#"
about = "a version that fails"
environment = "lab"
[[namespace]]
name = "shop"
[[service]]
name = "catalog"
namespace = "shop"
replicas = 4
routed = true
steps = ["weight 50", "pause"]
story = [
  { ago = "2d", release = { version = "v1.0.0" } },
  { ago = "20m", release = { version = "v1.1.0", errors = 5.0, stays = true } },
]
"#;

/// A world of its own kind.
async fn world_of(scenario: &str, speed: f64) -> World {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), scenario).unwrap();
    let options = Options {
        scenario: file.path().to_str().unwrap().to_owned(),
        speed,
        ..Options::default()
    };
    World::start(options).await.unwrap()
}

/// For what is asked again until it holds: after a minute it will not.
struct Patience(std::time::Instant);

impl Patience {
    fn new() -> Self {
        Self(std::time::Instant::now())
    }

    #[track_caller]
    fn once_more(&self) -> impl Future<Output = ()> + use<> {
        let waited = self.0.elapsed();
        assert!(waited < Duration::from_secs(60), "it does not come to hold");
        tokio::task::yield_now()
    }
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// One request on a connection of its own; None where no answer came.
async fn send(world: &World, method: Method, path: &str, kind: &str, body: &str) -> Option<Reply> {
    answered(open(world, method, path, kind, body).await).await
}

/// The same to any address, with headers as `name: value`.
async fn raw(url: &str, method: Method, headers: &[&str], body: &str) -> Option<Reply> {
    let (address, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut line = TcpStream::connect(address).await.unwrap();
    let headers: String = headers
        .iter()
        .flat_map(|header| [*header, "\r\n"])
        .collect();
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(body.as_bytes()).await.unwrap();
    answered(line).await
}

async fn answered(mut line: TcpStream) -> Option<Reply> {
    let mut text = Vec::new();
    line.read_to_end(&mut text).await.ok()?;
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = if head.to_lowercase().contains("chunked") {
        unchunk(body)
    } else {
        body.to_owned()
    };
    Some(Reply {
        status,
        head: head.to_lowercase(),
        body,
    })
}

async fn open(world: &World, method: Method, path: &str, kind: &str, body: &str) -> TcpStream {
    let address = world.server();
    let mut line = TcpStream::connect(address.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(body.as_bytes()).await.unwrap();
    line
}

fn unchunk(mut text: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        let (chunk, rest) = rest.split_at(size);
        body.push_str(chunk);
        text = rest.trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    body
}

async fn get(world: &World, path: &str) -> Reply {
    send(world, Method::GET, path, "application/json", "")
        .await
        .unwrap()
}

async fn patch(world: &World, path: &str, kind: &str, body: &Value) -> Reply {
    send(world, Method::PATCH, path, kind, &body.to_string())
        .await
        .unwrap()
}

/// A watch, line by line.
struct Watch(BufReader<TcpStream>);

impl Watch {
    async fn open(world: &World, path: &str) -> Self {
        let mut lines = BufReader::new(open(world, Method::GET, path, "", "").await);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            lines.read_line(&mut line).await.unwrap();
        }
        Self(lines)
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            let read =
                tokio::time::timeout(Duration::from_secs(20), self.0.read_line(&mut line)).await;
            if read.expect("the watch says nothing").unwrap() == 0 {
                return None;
            }
            // Chunk sizes and ends are no JSON objects.
            if line.starts_with('{') {
                return Some(serde_json::from_str(&line).unwrap());
            }
        }
    }

    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let patience = Patience::new();
        loop {
            patience.once_more().await;
            let event = self.next().await.expect("the watch ended");
            if wanted(&event) {
                return event;
            }
        }
    }
}

fn phase_is(phase: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["object"]["status"]["phase"] == phase
}
