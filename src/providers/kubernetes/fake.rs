//! For tests: a server on loopback that answers each request as a function says, and remembers what it was asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{
    client::{Client, Limits},
    kubeconfig::Connection,
};
use crate::model::id::EnvironmentName;

/// What to answer, and how it ends.
pub(super) struct Answer {
    status: u16,
    head: String,
    body: String,
    after: After,
}

enum After {
    /// A whole answer of known length.
    Done,
    /// A stream that stays open.
    Hold,
    /// A stream that ends properly.
    End,
    /// A stream that breaks.
    Break,
}

impl Answer {
    pub(super) fn json(body: &Value) -> Self {
        Self::text(200, &body.to_string())
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            head: String::new(),
            body: body.to_owned(),
            after: After::Done,
        }
    }

    fn stream(lines: &[String], after: After) -> Self {
        Self {
            status: 200,
            head: String::new(),
            body: lines
                .iter()
                .flat_map(|line| [line.as_str(), "\n"])
                .collect(),
            after,
        }
    }

    pub(super) fn hold(lines: &[String]) -> Self {
        Self::stream(lines, After::Hold)
    }

    pub(super) fn end(lines: &[String]) -> Self {
        Self::stream(lines, After::End)
    }

    pub(super) fn cut(lines: &[String], half: &str) -> Self {
        let mut answer = Self::stream(lines, After::Break);
        answer.body.push_str(half);
        answer
    }

    fn bytes(&self) -> Vec<u8> {
        let (length, body) = match self.after {
            After::Done => (
                format!("content-length: {}", self.body.len()),
                self.body.clone(),
            ),
            After::End if self.body.is_empty() => (chunked(), "0\r\n\r\n".to_owned()),
            After::End => (chunked(), format!("{}0\r\n\r\n", chunk(&self.body))),
            After::Hold | After::Break if self.body.is_empty() => (chunked(), String::new()),
            After::Hold | After::Break => (chunked(), chunk(&self.body)),
        };
        let (status, head) = (self.status, &self.head);
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{head}{length}\r\n\r\n{body}")
            .into_bytes()
    }
}

fn chunked() -> String {
    "transfer-encoding: chunked".to_owned()
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// One request as it came: `METHOD path?query`, and its body.
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) body: String,
}

impl Asked {
    /// Whether it asks for the changes since a version.
    pub(super) fn since(&self) -> Option<&str> {
        let at = self.line.split("&resourceVersion=").nth(1)?;
        at.split('&').next()
    }
}

type Handler = dyn Fn(&Asked) -> Answer + Send + Sync;

pub(super) struct Fake {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    pub(super) async fn start(handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        Self::on(listener, handler)
    }

    pub(super) fn on(
        listener: TcpListener,
        handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("address");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        let handler: Arc<Handler> = Arc::new(handler);
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("accept");
                tokio::spawn(serve(socket, Arc::clone(&handler), Arc::clone(&log)));
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.asked.lock().expect("lock").clone()
    }

    pub(super) fn client(&self) -> Client {
        client(self.address)
    }
}

pub(super) fn client(address: SocketAddr) -> Client {
    let limits = Limits {
        connect: Duration::from_millis(500),
        header: Duration::from_secs(2),
        total: Duration::from_secs(3),
        ..Limits::default()
    };
    let connection = Connection::loopback(EnvironmentName::new("test"), address);
    Client::new(connection, limits, Arc::new(Timestamp::now)).expect("client")
}

async fn serve(mut socket: TcpStream, handler: Arc<Handler>, log: Arc<Mutex<Vec<String>>>) {
    let mut text = String::new();
    let mut buffer = [0u8; 8192];
    let (head, body) = loop {
        let count = socket.read(&mut buffer).await.unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        }
        if count == 0 {
            return;
        }
    };
    let line = head.split(" HTTP").next().unwrap_or_default().to_owned();
    log.lock().expect("lock").push(line.clone());
    let answer = handler(&Asked { line, body });
    // The client may be gone already: that is its right.
    let _ = socket.write_all(&answer.bytes()).await;
    if matches!(answer.after, After::Hold) {
        // Until the client hangs up.
        let _ = socket.read(&mut buffer).await;
    }
}

/// A line of a watch.
pub(super) fn line(kind: &str, object: &Value) -> String {
    serde_json::json!({"type": kind, "object": object}).to_string()
}

/// The bookmark that ends a streamed list.
pub(super) fn end_of_list(version: &str) -> String {
    let annotations = serde_json::json!({"k8s.io/initial-events-end": "true"});
    let metadata = serde_json::json!({"resourceVersion": version, "annotations": annotations});
    line("BOOKMARK", &serde_json::json!({"metadata": metadata}))
}
