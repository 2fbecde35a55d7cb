//! The road between the program and one of the world's servers, plain or under TLS: lets requests through as long as they
//! last, answers them itself, or pours out whatever a rule pours. One request a connection. Owns no rule.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Came {
    pub(super) at: Instant,
    pub(super) method: String,
    /// With the query.
    pub(super) path: String,
    /// The lines of the head, the first among them.
    pub(super) head: String,
}

type Pour = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()>>;
type Edit = Box<dyn Fn(&str) -> String>;

/// What becomes of it.
pub(super) enum Then {
    Forward,
    /// Let through, and every line of its answer is changed on the way: of a watch too.
    Edit(Edit),
    /// The whole answer, with its head.
    Say(Vec<u8>),
    /// Whatever this writes, until it or the reader has enough.
    Pour(Pour),
}

type Rule = Box<dyn FnMut(&Came) -> Then + Send>;

/// Who the road says it is; `None` is a plain one.
pub(super) type Identity = Option<Arc<ServerConfig>>;

struct Shared {
    rule: Mutex<Rule>,
    identity: Mutex<Identity>,
    came: Mutex<Vec<Came>>,
    connected: Mutex<u64>,
    /// Every client's connection, to be cut.
    open: Mutex<Vec<TcpStream>>,
    /// Where requests go that are let through.
    upstream: String,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The listener lives as long as the test process.
pub(super) struct Road {
    pub(super) port: u16,
    shared: Arc<Shared>,
}

impl Road {
    /// Everything is let through, until `now` says otherwise.
    pub(super) fn to(base: &str, identity: Identity) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            rule: Mutex::new(Box::new(|_| Then::Forward)),
            identity: Mutex::new(identity),
            came: Mutex::default(),
            connected: Mutex::default(),
            open: Mutex::default(),
            upstream: base.strip_prefix("http://").unwrap().to_owned(),
        });
        let all = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                *lock(&all.connected) += 1;
                lock(&all.open).extend(client.try_clone());
                let shared = Arc::clone(&all);
                // A connection that breaks is what these tests are about.
                thread::spawn(move || serve(client, &shared).ok());
            }
        });
        Self { port, shared }
    }

    pub(super) fn plain(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn now(&self, rule: impl FnMut(&Came) -> Then + Send + 'static) {
        *lock(&self.shared.rule) = Box::new(rule);
    }

    /// From the next connection on.
    pub(super) fn is(&self, identity: Identity) {
        *lock(&self.shared.identity) = identity;
    }

    /// Ends every connection that there is, as a load balancer does that is restarted.
    pub(super) fn cut(&self) {
        for connection in lock(&self.shared.open).drain(..) {
            // It may be over already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Every request that could be read, whatever became of it.
    pub(super) fn came(&self) -> Vec<Came> {
        lock(&self.shared.came).clone()
    }

    /// Every connection, whether or not a request came over it.
    pub(super) fn connected(&self) -> u64 {
        *lock(&self.shared.connected)
    }
}

fn serve(client: TcpStream, shared: &Shared) -> io::Result<()> {
    let identity = lock(&shared.identity).clone();
    let connection = client.try_clone()?;
    let done = match identity {
        None => one(client, shared),
        Some(config) => {
            let tls = ServerConnection::new(config).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(tls, client);
            let done = one(&mut stream, shared);
            stream.conn.send_close_notify();
            stream.flush()?;
            done
        }
    };
    // What is kept to be cut would hold it open.
    connection.shutdown(Shutdown::Both)?;
    done
}

fn one(mut client: impl Read + Write, shared: &Shared) -> io::Result<()> {
    let (came, head, body) = read(&mut client)?;
    lock(&shared.came).push(came.clone());
    let then = lock(&shared.rule)(&came);
    match then {
        Then::Say(answer) => client.write_all(&answer),
        Then::Pour(pour) => pour(&mut client),
        Then::Forward => {
            let mut server = TcpStream::connect(&shared.upstream)?;
            server.write_all(head.as_bytes())?;
            server.write_all(b"Connection: close\r\n\r\n")?;
            server.write_all(&body)?;
            io::copy(&mut server, &mut client).map(|_| ())
        }
        Then::Edit(edit) => {
            let mut server = TcpStream::connect(&shared.upstream)?;
            // A server does not cut an answer to this version into chunks.
            server.write_all(head.replacen("HTTP/1.1", "HTTP/1.0", 1).as_bytes())?;
            server.write_all(b"\r\n")?;
            server.write_all(&body)?;
            edited(server, &mut client, &*edit)
        }
    }?;
    client.flush()
}

fn edited(
    server: TcpStream,
    client: &mut impl Write,
    edit: &dyn Fn(&str) -> String,
) -> io::Result<()> {
    let mut reader = BufReader::new(server);
    let mut is_head = true;
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let lower = text.to_ascii_lowercase();
        match is_head {
            true if text == "\r\n" => {
                is_head = false;
                client.write_all(b"Connection: close\r\n\r\n")?;
            }
            // Its length is another one, and its own tag would stand for the one before.
            true if lower.starts_with("content-length:") || lower.starts_with("etag:") => {}
            true => client.write_all(text.replacen("HTTP/1.0", "HTTP/1.1", 1).as_bytes())?,
            false => client.write_all(edit(&text).as_bytes())?,
        }
        client.flush()?;
    }
}

/// One request: itself, what of its head is passed on, and its body.
fn read(client: &mut impl Read) -> io::Result<(Came, String, Vec<u8>)> {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    let mut passed = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == "\r\n" {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if !lower.starts_with("connection:") {
            passed.push_str(&line);
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = head.split(' ').map(str::to_owned);
    let came = Came {
        at: Instant::now(),
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        head: head.clone(),
    };
    Ok((came, passed, body))
}

/// An answer with its head.
pub(super) fn said(status: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n{more}\r\n{body}",
        body.len()
    )
    .into_bytes()
}
