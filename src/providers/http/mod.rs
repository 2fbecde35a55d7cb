//! The one HTTP client of every provider that is not Kubernetes: one [`Server`] per base address and credential, with
//! conditional requests, a rate budget, and limits on time, size and depth.
//!
//! Must never: follow a redirect by itself, send a credential to another origin or over plain http (loopback apart),
//! repeat a write, or say "not sent" of a request that may have been.

mod answer;
mod body;
mod budget;
mod connection;
mod kept;
mod login;
mod reply;
mod target;
#[cfg(test)]
mod tests;
mod trouble;

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use reqwest::{Client, Url};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use self::{
    body::{Bounds, Inflow},
    budget::Ledger,
    connection::{Building, Use},
    kept::{Kept, Store},
    login::{Fetched, Login},
};
use crate::model::{
    pipeline::{Budget, percent},
    text::{Safe, sanitise_line},
};

pub use login::{Credential, Variables};
pub use reply::{DEPTH, Reply, json};
pub use trouble::{Fate, Location, Said, Trouble, Why};

/// Where the time comes from: the runtime's clock, or a test's.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub const JSON: &str = "application/json";

/// A longer way there and back says too little about where in between the server looked at its clock.
const CLOCK_WITHIN: Duration = Duration::from_secs(2);

/// What an answer may cost, and how many may be under way.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Name, TCP and TLS together.
    pub connect: Duration,
    /// Until the head of the answer is here, once connected.
    pub header: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    pub total: Duration,
    /// After unpacking.
    pub body: usize,
    /// How much larger an answer of more than a mebibyte may be unpacked than packed.
    pub ratio: u32,
    /// Of an answer that tells an error.
    pub error_body: usize,
    /// Of everything kept for conditional requests.
    pub kept_bytes: usize,
    pub kept_entries: usize,
    /// Reads at the same time.
    pub at_once: usize,
    /// Between two writes.
    pub write_gap: Duration,
    /// So many requests of the host's budget are left to what a human asks for ([`Server::urgent`]).
    pub reserve: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            header: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(60),
            body: 64 << 20,
            ratio: 100,
            error_body: 256 << 10,
            kept_bytes: 32 << 20,
            kept_entries: 1024,
            at_once: 4,
            write_gap: Duration::ZERO,
            reserve: 0,
        }
    }
}

/// Everything that a [`Server`] is made of.
#[derive(Clone)]
pub struct Setup {
    /// With its path prefix; no user, query or fragment.
    pub base: String,
    pub credential: Credential,
    /// Sent with every request to it.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The only authorities to trust, as PEM; `None`: those of the system.
    pub authority: Option<Vec<u8>>,
    pub limits: Limits,
    pub clock: Clock,
    pub variables: Variables,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").finish_non_exhaustive()
    }
}

/// One server as one user. Cheap to clone; clones share the budget, the connections and what is kept.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
    limits: Limits,
}

struct Inner {
    base: Url,
    /// As it is written before a path: without a slash at its end.
    prefix: String,
    name: Safe,
    headers: Vec<(HeaderName, HeaderValue)>,
    authority: Option<Vec<u8>>,
    login: Login,
    reads: Client,
    writes: Client,
    /// For other origins; most servers never send anybody there.
    elsewhere: OnceLock<Client>,
    ledger: Mutex<Ledger>,
    ahead: Mutex<Option<i64>>,
    store: Mutex<Store>,
    at_once: Semaphore,
    last_write: tokio::sync::Mutex<Option<Instant>>,
    clock: Clock,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.inner.name)
            .finish_non_exhaustive()
    }
}

/// One request, before its login.
struct Ask<'a> {
    method: Method,
    url: Url,
    accept: &'a str,
    content: Option<(&'a str, Bytes)>,
    used: Use,
}

enum Answer {
    Whole(Reply),
    NotModified(HeaderMap),
}

impl Server {
    /// With the system's authorities and the variables of the process not at hand: an [`Setup`] says more.
    pub fn new(
        base: &str,
        credential: Credential,
        limits: Limits,
        clock: Clock,
    ) -> Result<Self, Trouble> {
        Self::with(Setup {
            base: base.to_owned(),
            credential,
            headers: Vec::new(),
            authority: None,
            limits,
            clock,
            variables: Arc::new(|name| std::env::var(name).ok()),
        })
    }

    pub fn with(setup: Setup) -> Result<Self, Trouble> {
        let name = sanitise_line(&setup.base, 120);
        let request = |why| Trouble::new(&name, why);
        let (base, name, prefix) =
            target::base(&setup.base, setup.credential.is_some()).map_err(request)?;
        let building = Building {
            url: &base,
            connect: setup.limits.connect,
            authority: setup.authority.as_deref(),
        };
        let request = |why| Trouble::new(&name, why);
        let reads = building.client(Use::Reads).map_err(request)?;
        let writes = building.client(Use::Writes).map_err(request)?;
        Ok(Self {
            limits: setup.limits,
            inner: Arc::new(Inner {
                prefix,
                name,
                headers: setup.headers,
                login: Login::new(setup.credential, setup.variables),
                reads,
                writes,
                elsewhere: OnceLock::new(),
                ledger: Mutex::default(),
                ahead: Mutex::default(),
                store: Mutex::new(Store::new(
                    setup.limits.kept_bytes,
                    setup.limits.kept_entries,
                )),
                at_once: Semaphore::new(setup.limits.at_once.max(1)),
                last_write: tokio::sync::Mutex::default(),
                clock: setup.clock,
                authority: setup.authority,
                base,
            }),
        })
    }

    /// The same server with other limits for some calls.
    #[must_use]
    pub fn with_limits(&self, limits: Limits) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            limits,
        }
    }

    /// For reads that a human waits for: they may use up what is left of the budget.
    #[must_use]
    pub fn urgent(&self) -> Self {
        self.with_limits(Limits {
            reserve: 0,
            ..self.limits
        })
    }

    /// As it is named on the screen, `api.github.com`.
    pub fn name(&self) -> &Safe {
        &self.inner.name
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    pub fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    pub fn budget(&self) -> Budget {
        lock(&self.inner.ledger).budget()
    }

    /// How far its clock is ahead of ours, from the `Date` of an answer that came quickly.
    pub fn ahead_ms(&self) -> Option<i64> {
        *lock(&self.inner.ahead)
    }

    /// A read. Asked conditionally where an earlier answer is kept: then a 304 brings that one, `unchanged`.
    pub async fn get(&self, path_and_query: &str, accept: &str) -> Result<Reply, Trouble> {
        let url =
            target::under(&self.inner.prefix, path_and_query).map_err(|why| self.fail(why))?;
        self.read(url, accept).await
    }

    /// A link of an answer, verbatim (hosts change the path in it), to the same origin only.
    pub async fn follow(&self, link: &str, accept: &str) -> Result<Reply, Trouble> {
        let url = target::same_origin(&self.inner.base, link).map_err(|why| self.fail(why))?;
        self.read(url, accept).await
    }

    /// What a redirect points to, wherever that is: without credential, cookie and the server's own headers. Over
    /// https; over plain http from loopback to loopback only.
    pub async fn get_elsewhere(&self, location: &Location) -> Result<Reply, Trouble> {
        let mut stream = self.stream_elsewhere(location).await?;
        let mut whole = bytes::BytesMut::new();
        while let Some(piece) = stream.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(Reply {
            status: stream.status,
            headers: stream.headers,
            body: whole.freeze(),
            unchanged: false,
            at: self.now(),
            server: self.inner.name.clone(),
        })
    }

    /// The same, piece by piece.
    pub async fn stream_elsewhere(&self, location: &Location) -> Result<Stream, Trouble> {
        let until = Instant::now() + self.limits.total;
        let url = target::elsewhere(&self.inner.base, location.url()).map_err(|w| self.fail(w))?;
        let client = self.stranger(&url).map_err(|why| self.fail(why))?;
        let request = client
            .get(url)
            .header(header::ACCEPT_ENCODING, "gzip")
            .build()
            .map_err(|error| self.fail(connection::failed(error)))?;
        let response = self.head(&client, request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if !status.is_success() {
            return Err(self.refusal(response).await);
        }
        let inflow = Inflow::new(response, self.bounds()).map_err(|why| self.fail(why))?;
        Ok(Stream {
            status: status.as_u16(),
            headers,
            inflow,
            until,
            server: self.clone(),
        })
    }

    /// A write. Sent once, whatever becomes of it: [`Trouble::fate`] tells what is known. One at a time, never held back
    /// by the budget: a human decided it.
    pub async fn send_once(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Reply, Trouble> {
        let url = target::under(&self.inner.prefix, path).map_err(|why| self.fail(why))?;
        let ask = Ask {
            method,
            url,
            accept: JSON,
            content: (!body.is_empty()).then_some((content_type, body)),
            used: Use::Writes,
        };
        // The login comes first and has its own limit: while it is fetched, nothing has been sent.
        let fetched = self.fetch().await?;
        let mut last = self.inner.last_write.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep_until(last + self.limits.write_gap).await;
        }
        *last = Some(Instant::now());
        let answered = self.once(&ask, &fetched, None).await;
        *last = Some(Instant::now());
        drop(last);
        if is_unauthorized(&answered) {
            self.inner.login.refused(fetched.number).await;
        }
        self.complete(answered?)
    }

    /// A read by a form, which stores nothing (a long query).
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Reply, Trouble> {
        let url = target::under(&self.inner.prefix, path).map_err(|why| self.fail(why))?;
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
            .collect();
        let ask = Ask {
            method: Method::POST,
            url,
            accept: JSON,
            content: Some(("application/x-www-form-urlencoded", pairs.join("&").into())),
            used: Use::Reads,
        };
        let (_, answered) = self.ask(&ask, false).await;
        self.complete(answered?)
    }

    async fn read(&self, url: Url, accept: &str) -> Result<Reply, Trouble> {
        let ask = Ask {
            method: Method::GET,
            url,
            accept,
            content: None,
            used: Use::Reads,
        };
        let (asked, answered) = self.ask(&ask, true).await;
        let Asked { kept, credential } = asked;
        match (answered?, kept) {
            (Answer::Whole(reply), _) => {
                let answer = Kept {
                    status: reply.status,
                    headers: reply.headers.clone(),
                    body: reply.body.clone(),
                };
                lock(&self.inner.store).keep(credential, ask.url.as_str(), accept, answer);
                Ok(reply)
            }
            (Answer::NotModified(headers), Some(mut kept)) => {
                lock(&self.inner.ledger).unchanged();
                // A 304 repeats some of the headers with newer values and leaves out others, `Link` among them.
                for (name, value) in &headers {
                    kept.headers.insert(name.clone(), value.clone());
                }
                Ok(Reply {
                    status: kept.status,
                    headers: kept.headers,
                    body: kept.body,
                    unchanged: true,
                    at: self.now(),
                    server: self.inner.name.clone(),
                })
            }
            (answer, None) => self.complete(answer),
        }
    }

    /// A read, once more where the login was refused and another one could be fetched.
    async fn ask(&self, ask: &Ask<'_>, conditionally: bool) -> (Asked, Result<Answer, Trouble>) {
        // Nobody closes it.
        let _permit = self.inner.at_once.acquire().await;
        let first = match self.fetch().await {
            Ok(fetched) => fetched,
            Err(trouble) => return (Asked::default(), Err(trouble)),
        };
        let answered = self.ask_as(&first, ask, conditionally).await;
        if !is_unauthorized(&answered.1) {
            return answered;
        }
        self.inner.login.refused(first.number).await;
        match self.fetch().await {
            Ok(second) if second.number != first.number => {
                self.ask_as(&second, ask, conditionally).await
            }
            _ => answered,
        }
    }

    async fn ask_as(
        &self,
        fetched: &Fetched,
        ask: &Ask<'_>,
        conditionally: bool,
    ) -> (Asked, Result<Answer, Trouble>) {
        let url = ask.url.as_str();
        let find = || lock(&self.inner.store).find(fetched.number, url, ask.accept);
        let asked = Asked {
            kept: conditionally.then(find).flatten(),
            credential: fetched.number,
        };
        let may = lock(&self.inner.ledger).may_ask(self.now(), self.limits.reserve);
        let answered = match may {
            Ok(()) => self.once(ask, fetched, asked.kept.as_ref()).await,
            Err(why) => Err(self.fail(why)),
        };
        (asked, answered)
    }

    async fn fetch(&self) -> Result<Fetched, Trouble> {
        self.inner
            .login
            .fetch(self.now())
            .await
            .map_err(|why| self.fail(why))
    }

    /// One request and its whole answer.
    async fn once(
        &self,
        ask: &Ask<'_>,
        fetched: &Fetched,
        kept: Option<&Kept>,
    ) -> Result<Answer, Trouble> {
        let client = match ask.used {
            Use::Reads => &self.inner.reads,
            Use::Writes => &self.inner.writes,
        };
        let request = self.request(client, ask, fetched, kept)?;
        lock(&self.inner.ledger).asked();
        let answer = async {
            let response = self.head(client, request).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            lock(&self.inner.ledger).note(&headers, self.now());
            if status == StatusCode::NOT_MODIFIED {
                return Ok(Answer::NotModified(headers));
            }
            if !status.is_success() {
                let trouble = self.refusal(response).await;
                if let Why::RateLimited { said, retry_after } = trouble.why() {
                    lock(&self.inner.ledger).slow_down(*retry_after, &said.message, self.now());
                }
                return Err(trouble);
            }
            lock(&self.inner.ledger).succeeded();
            let at = self.now();
            let inflow = Inflow::new(response, self.bounds()).map_err(|why| self.fail(why))?;
            let body = inflow.collect().await.map_err(|why| self.fail(why))?;
            Ok(Answer::Whole(Reply {
                status: status.as_u16(),
                headers,
                body,
                unchanged: false,
                at,
                server: self.inner.name.clone(),
            }))
        };
        timeout(self.limits.total, answer).await.map_err(|_| {
            self.fail(Why::Timeout {
                after: self.limits.total,
            })
        })?
    }

    fn request(
        &self,
        client: &Client,
        ask: &Ask<'_>,
        fetched: &Fetched,
        kept: Option<&Kept>,
    ) -> Result<reqwest::Request, Trouble> {
        let mut request = client
            .request(ask.method.clone(), ask.url.clone())
            .header(header::ACCEPT, ask.accept)
            .header(header::ACCEPT_ENCODING, "gzip");
        for (name, value) in &self.inner.headers {
            request = request.header(name, value);
        }
        if let Some((content_type, body)) = &ask.content {
            request = request
                .header(header::CONTENT_TYPE, *content_type)
                .body(body.clone());
        }
        if let Some(etag) = kept.and_then(Kept::etag) {
            request = request.header(header::IF_NONE_MATCH, etag);
        } else if let Some(modified) = kept.and_then(Kept::modified) {
            request = request.header(header::IF_MODIFIED_SINCE, modified);
        }
        self.inner
            .login
            .sign(request, fetched)
            .map_err(|why| self.fail(why))?
            .build()
            .map_err(|error| self.fail(connection::failed(error)))
    }

    async fn head(
        &self,
        client: &Client,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, Trouble> {
        // Connecting has its own limit inside, which tells "not sent" apart; this one begins with it.
        let within = self.limits.connect + self.limits.header;
        let (began, wall) = (Instant::now(), self.now());
        let response = timeout(within, client.execute(request))
            .await
            .map_err(|_| self.fail(Why::Timeout { after: within }))?
            .map_err(|error| self.fail(connection::failed(error)))?;
        if began.elapsed() < CLOCK_WITHIN
            && response.url().origin() == self.inner.base.origin()
            && let Some(date) = answer::date(response.headers())
        {
            // A `Date` is cut to whole seconds: half a second later is the best guess.
            let middle = wall.as_millisecond().midpoint(self.now().as_millisecond());
            *lock(&self.inner.ahead) = Some(date.as_millisecond() + 500 - middle);
        }
        Ok(response)
    }

    /// The status is known: a body that breaks or is too long does not make it unknown again.
    async fn refusal(&self, response: reqwest::Response) -> Trouble {
        let (status, headers) = (response.status(), response.headers().clone());
        let bounds = Bounds {
            body: self.limits.error_body,
            ..self.bounds()
        };
        let body = match Inflow::new(response, bounds) {
            Ok(inflow) => timeout(self.limits.header, inflow.collect())
                .await
                .map_or_else(|_| Bytes::new(), Result::unwrap_or_default),
            Err(_) => Bytes::new(),
        };
        self.fail(answer::refusal(status, &headers, body))
    }

    fn complete(&self, answer: Answer) -> Result<Reply, Trouble> {
        match answer {
            Answer::Whole(reply) => Ok(reply),
            Answer::NotModified(_) => Err(Trouble::malformed(
                &self.inner.name,
                "it says that nothing changed (304), and was not asked whether",
            )),
        }
    }

    fn stranger(&self, url: &Url) -> Result<Client, Why> {
        if let Some(client) = self.inner.elsewhere.get() {
            return Ok(client.clone());
        }
        let building = Building {
            url,
            connect: self.limits.connect,
            // An own authority signs for the server, and for the storage beside it.
            authority: self.inner.authority.as_deref(),
        };
        let client = building.client(Use::Reads)?;
        Ok(self.inner.elsewhere.get_or_init(|| client).clone())
    }

    const fn bounds(&self) -> Bounds {
        Bounds {
            body: self.limits.body,
            ratio: self.limits.ratio,
            idle: self.limits.idle,
        }
    }

    fn fail(&self, why: Why) -> Trouble {
        Trouble::new(&self.inner.name, why)
    }
}

/// With what a read was asked.
#[derive(Default)]
struct Asked {
    kept: Option<Kept>,
    credential: u64,
}

/// An answer from elsewhere, piece by piece.
pub struct Stream {
    pub status: u16,
    pub headers: HeaderMap,
    inflow: Inflow,
    until: Instant,
    server: Server,
}

impl Stream {
    /// `None`: it is complete.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Trouble> {
        tokio::time::timeout_at(self.until, self.inflow.next())
            .await
            .map_err(|_| {
                self.server.fail(Why::Timeout {
                    after: self.server.limits.total,
                })
            })?
            .map_err(|why| self.server.fail(why))
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

fn is_unauthorized<T>(answered: &Result<T, Trouble>) -> bool {
    matches!(answered, Err(trouble) if trouble.status() == Some(401))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
