//! Something in the way between the program and the API: sees every request that writes, may do something before it is
//! forwarded, and may lose its answer. One request a connection, so that what is lost is exactly one answer.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use super::api::Api;

/// A request for a release that arrived.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) path: String,
    pub(super) body: String,
}

/// What becomes of a request that writes to a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Forward,
    /// The server has it, and the program never hears so.
    LoseTheAnswer,
    /// It never reaches the server, and the program cannot know.
    LoseTheRequest,
}

type Hook = Arc<dyn Fn(usize, &Written) -> Then + Send + Sync>;

#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) port: u16,
    written: Arc<Mutex<Vec<Written>>>,
}

impl Proxy {
    /// `hook` is asked about each PATCH, with how many came before it.
    pub(super) fn before(
        upstream: Api,
        hook: impl Fn(usize, &Written) -> Then + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let written = Arc::new(Mutex::new(Vec::new()));
        let hook: Hook = Arc::new(hook);
        let all = Arc::clone(&written);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (hook, all) = (Arc::clone(&hook), Arc::clone(&all));
                // A connection that breaks is what some of these tests are about.
                thread::spawn(move || serve(client, upstream, &hook, &all).ok());
            }
        });
        Self { port, written }
    }

    pub(super) fn written(&self) -> Vec<Written> {
        self.written.lock().unwrap().clone()
    }
}

fn serve(
    client: TcpStream,
    upstream: Api,
    hook: &Hook,
    all: &Mutex<Vec<Written>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
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
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let then = if head.starts_with("PATCH ") {
        let written = Written {
            path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        let before = {
            let mut all = all.lock().unwrap();
            all.push(written.clone());
            all.len() - 1
        };
        hook(before, &written)
    } else {
        Then::Forward
    };
    if then == Then::LoseTheRequest {
        return client.shutdown(Shutdown::Both);
    }
    let mut server = TcpStream::connect(("127.0.0.1", upstream.port))?;
    server.write_all(head.as_bytes())?;
    server.write_all(b"Connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    let mut client = client;
    if then == Then::LoseTheAnswer {
        // Only once the server has answered is it certain that it has it.
        std::io::copy(&mut server, &mut std::io::sink())?;
    } else {
        std::io::copy(&mut server, &mut client)?;
    }
    client.shutdown(Shutdown::Both)
}
