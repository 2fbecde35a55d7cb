//! The one HTTP client of every provider that is not Kubernetes: one [`Server`] per base address and credential, with
//! conditional requests, a rate budget, and limits on time, size and depth.
//!
//! Must never: follow a redirect by itself, send a credential to another origin or over plain http (loopback apart),
//! repeat a write, or say "not sent" of a request that may have been.

mod answer;
mod body;
mod budget;
mod connection;
mod elsewhere;
mod exchange;
mod kept;
mod login;
mod repeated;
mod reply;
mod setup;
mod target;
#[cfg(test)]
mod tests;
mod trouble;

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use reqwest::{Client, Url};
use tokio::{sync::Semaphore, time::Instant};

use self::{
    budget::Ledger,
    connection::{Building, Use},
    exchange::{Answer, Ask},
    kept::{Kept, Store},
    login::{Fetched, Login},
};
use crate::model::{
    pipeline::{Budget, percent},
    text::{Safe, sanitise_line},
};

pub use elsewhere::Stream;
pub use login::{Credential, Variables};
pub(crate) use repeated::without;
pub use reply::{DEPTH, Reply, json};
pub use setup::{Limits, Setup};
pub use trouble::{Fate, Location, Said, Trouble, Why};

/// Where the time comes from: the runtime's clock, or a test's.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub const JSON: &str = "application/json";

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
    /// None in a server to look at: then there is nothing that could send a write.
    writes: Option<Client>,
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
        Self::made(setup, Some(Use::Writes))
    }

    /// A server to look at: it is made without what sends a write, and sends nothing but GET.
    pub fn to_look_at(setup: Setup) -> Result<Self, Trouble> {
        Self::made(setup, None)
    }

    /// Whether it was made to look at only.
    pub fn only_looks(&self) -> bool {
        self.inner.writes.is_none()
    }

    fn made(setup: Setup, writes: Option<Use>) -> Result<Self, Trouble> {
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
        let writes = writes
            .map(|writes| building.client(writes))
            .transpose()
            .map_err(request)?;
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

    /// Named without its port, where each run of the same has another one. To be asked before it is shared.
    #[must_use]
    pub fn without_port(mut self) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner)
            && let Some((host, _)) = inner.name.rsplit_once(':')
        {
            inner.name = sanitise_line(host, 120);
        }
        self
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

    /// A write. Sent once, whatever becomes of it: [`Trouble::fate`] tells what is known. One at a time, never held back
    /// by the budget: a human decided it.
    pub async fn send_once(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Reply, Trouble> {
        self.send_once_by(method, path, content_type, body, Timestamp::MAX)
            .await
    }

    /// A write that rests on a read: it leaves by `not_after` or never, however long the login and the writes before it
    /// take.
    pub async fn send_once_by(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
        not_after: Timestamp,
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
        // The last moment at which it is certain that nothing was sent.
        if self.now() > not_after {
            return Err(self.fail(Why::TooLate));
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
}

/// With what a read was asked.
#[derive(Default)]
struct Asked {
    kept: Option<Kept>,
    credential: u64,
}

fn is_unauthorized<T>(answered: &Result<T, Trouble>) -> bool {
    matches!(answered, Err(trouble) if trouble.status() == Some(401))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
