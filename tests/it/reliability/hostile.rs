//! T9, T10, T12 and T13: servers that answer with every status, ask for any wait, cut, bend and poison their JSON, drip, or
//! point elsewhere. Owns the server on loopback that the tests share.

mod redirects;
mod slow;
mod waits;
mod wires;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use windlass::{
    config::SecretSource,
    providers::{
        http::{Credential, Limits, Server, Setup},
        kubernetes::{client, kubeconfig},
    },
};

const TOKEN: &str = "canary-token-5f1d";

/// Short, so that whoever is kept waiting is not kept for long.
const SHORT: Limits = Limits {
    connect: Duration::from_millis(500),
    header: Duration::from_millis(500),
    idle: Duration::from_millis(300),
    total: Duration::from_millis(900),
    body: 4 << 20,
    ratio: 100,
    error_body: 1 << 12,
    kept_bytes: 1 << 20,
    kept_entries: 16,
    at_once: 4,
    write_gap: Duration::ZERO,
    reserve: 0,
};

/// A clock that a test sets.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_784_000_000)))
    }

    fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn clock(&self) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
        let this = self.clone();
        Arc::new(move || Timestamp::from_second(this.0.load(Ordering::SeqCst)).unwrap())
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn base(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}

/// The client of GitHub, Prometheus and Alertmanager, with a token and a header of its own.
fn server(base: &str, limits: Limits, hand: &Hand) -> Server {
    Server::with(Setup {
        base: base.to_owned(),
        credential: Credential::Bearer(SecretSource::Env("TOKEN".to_owned())),
        headers: vec![(
            http::HeaderName::from_static("x-scope-orgid"),
            http::HeaderValue::from_static("canary-tenant-77"),
        )],
        authority: None,
        limits,
        clock: hand.clock(),
        variables: Arc::new(|_| Some(TOKEN.to_owned())),
    })
    .unwrap()
}

/// The client of the API server, as a kubeconfig names it, with a token.
fn cluster(base: &str) -> client::Client {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config");
    let text = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": base}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
    });
    std::fs::write(&file, text.to_string()).unwrap();
    let file = file.display().to_string();
    let contexts = kubeconfig::read(&|name| (name == "KUBECONFIG").then(|| file.clone())).unwrap();
    let connection = contexts.connection(contexts.current().unwrap()).unwrap();
    let limits = client::Limits {
        connect: SHORT.connect,
        header: SHORT.header,
        total: SHORT.total,
        body: SHORT.body,
        line: 1 << 12,
        error_body: SHORT.error_body,
    };
    client::Client::new(connection, limits, Hand::new().clock()).unwrap()
}

/// Reads a request to the end of its head and body; empty where there was none.
async fn request(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = socket.read(&mut buffer).await.unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        let done = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .to_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            body.len() >= length.unwrap_or(0)
        });
        if count == 0 || done {
            return text;
        }
    }
}

/// Answers every request with the same bytes and closes; tells each request that came.
async fn answering(listener: &TcpListener, answer: &[u8], mut came: impl FnMut(String)) {
    loop {
        let (mut socket, _) = listener.accept().await.unwrap();
        came(request(&mut socket).await);
        // The client may have had enough before everything was written.
        let _ = socket.write_all(answer).await;
        let _ = socket.shutdown().await;
    }
}

/// What comes of asking while a server does whatever it does, and every request that came meanwhile.
async fn during<T>(
    listener: &TcpListener,
    answer: &[u8],
    asking: impl Future<Output = T>,
) -> (T, Vec<String>) {
    let mut came = Vec::new();
    let got = {
        let serving = answering(listener, answer, |one| came.push(one));
        tokio::select! {
            got = asking => got,
            () = serving => unreachable!("it serves for ever"),
        }
    };
    (got, came)
}

fn whole(status: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{more}\r\n{body}",
        body.len()
    )
    .into_bytes()
}
