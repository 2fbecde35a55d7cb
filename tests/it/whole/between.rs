//! Something between the program and one of the world's servers: lets requests through, answers them itself, or changes
//! what the world answered. One request a connection, so that what it does to one is done to exactly one.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use serde_json::Value;

/// A request, as far as anybody here asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
}

/// What becomes of it.
pub(crate) enum Then {
    Forward,
    /// The world has it, and its answer is changed on the way.
    Change(Box<dyn Fn(&mut Value) + Send>),
    /// It never reaches the world: status, content type, body.
    Say(u16, &'static str, String),
    /// The connection closes without a word, as of a server that is down.
    Close,
}

type Rule = Box<dyn FnMut(&Seen) -> Then + Send>;

struct Shared {
    rule: Mutex<Rule>,
    arrived: Mutex<Vec<Seen>>,
    /// Where requests go that are let through.
    upstream: String,
}

/// The listener lives as long as the test process.
pub(crate) struct Between {
    port: u16,
    shared: Arc<Shared>,
}

impl Between {
    /// Everything is let through, until `now` says otherwise.
    pub(crate) fn to(base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            rule: Mutex::new(Box::new(|_| Then::Forward)),
            arrived: Mutex::default(),
            upstream: base.strip_prefix("http://").unwrap().to_owned(),
        });
        let all = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&all);
                // A connection that breaks is what some of these tests are about.
                thread::spawn(move || serve(client, &shared).ok());
            }
        });
        Self { port, shared }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn now(&self, rule: impl FnMut(&Seen) -> Then + Send + 'static) {
        *self
            .shared
            .rule
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Box::new(rule);
    }

    /// Every request that arrived here, whatever became of it.
    pub(crate) fn arrived(&self) -> Vec<Seen> {
        self.shared.arrived.lock().unwrap().clone()
    }

    pub(crate) fn posted(&self) -> Vec<Seen> {
        let mut all = self.arrived();
        all.retain(|seen| seen.method != "GET");
        all
    }
}

fn serve(mut client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(());
    };
    let mut head = first.clone();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
        // What was changed must not be taken from the client's own memory.
        if !lower.starts_with("connection:") && !lower.starts_with("if-none-match:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let seen = Seen { method, path };
    shared.arrived.lock().unwrap().push(seen.clone());
    let then = shared.rule.lock().unwrap_or_else(PoisonError::into_inner)(&seen);
    let answer = match then {
        Then::Close => Vec::new(),
        Then::Say(status, kind, text) => said(status, kind, &text),
        Then::Forward => forwarded(shared, &head, &body)?,
        Then::Change(change) => changed(&forwarded(shared, &head, &body)?, &*change),
    };
    client.write_all(&answer)?;
    client.shutdown(Shutdown::Both)
}

fn forwarded(shared: &Shared, head: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(&shared.upstream)?;
    server.write_all(head.as_bytes())?;
    server.write_all(b"Connection: close\r\n\r\n")?;
    server.write_all(body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}

fn said(status: u16, kind: &str, text: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    [head.as_bytes(), text.as_bytes()].concat()
}

/// The same answer with another body; its own tag would stand for the one before.
fn changed(answer: &[u8], change: &dyn Fn(&mut Value)) -> Vec<u8> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut value: Value = serde_json::from_str(body).unwrap();
    change(&mut value);
    let body = value.to_string();
    let kept: Vec<&str> = head
        .lines()
        .filter(|line| {
            let lower = line.to_ascii_lowercase();
            !lower.starts_with("content-length:") && !lower.starts_with("etag:")
        })
        .collect();
    let head = kept.join("\r\n");
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
