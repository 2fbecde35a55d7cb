//! Requests to one API server, within limits of time and size, and what became of them as an [`Error`] that never
//! confuses "certainly not sent" with "perhaps sent". Nothing is repeated here, reads included: whoever asks decides.
//! No redirect is followed. kube gives the connection, TLS and static credentials; its retries are switched off, for
//! they repeat writes.

mod answer;
mod exec;
mod lines;
mod path;
#[cfg(test)]
mod tests;

use std::{
    error::Error as StdError,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::client::Body;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{
    super::http::without,
    error::Error,
    kubeconfig::{Connection, base64},
};
use crate::model::text::{Safe, sanitise};

pub(crate) use answer::status_error;
pub(crate) use exec::Plugin;
pub use lines::Lines;
pub use path::ApiPath;

/// Where the time comes from: the runtime's clock, or a test's.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Under this name the server notes who wrote (`metadata.managedFields`).
pub const FIELD_MANAGER: &str = "windlass";

const JSON: &str = "application/json";
const USER_AGENT: &str = concat!("windlass/", env!("CARGO_PKG_VERSION"));

/// What an answer may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Name, TCP and TLS together.
    pub connect: Duration,
    /// Until the head of the answer is here.
    pub header: Duration,
    /// A whole request that is no stream.
    pub total: Duration,
    pub body: usize,
    pub line: usize,
    /// Of a body that tells an error.
    pub error_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            header: Duration::from_secs(10),
            total: Duration::from_secs(20),
            body: 64 << 20,
            line: 8 << 20,
            error_body: 256 << 10,
        }
    }
}

/// One API server as one user, to look at: it has no way to send anything but a GET, so whoever is given no more than this
/// can change nothing. Cheap to clone.
#[derive(Clone)]
pub struct Reader(Arc<Inner>);

/// A [`Reader`] that may also write, and ask what it may do. Cheap to clone.
#[derive(Clone)]
pub struct Client(Reader);

impl std::ops::Deref for Client {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.0
    }
}

struct Inner {
    transport: Mutex<Transport>,
    config: kube::Config,
    login: Option<exec::Login>,
    user: Option<Safe>,
    limits: Limits,
    clock: Clock,
}

/// A request with its login, not sent yet.
struct Prepared {
    request: Request<Body>,
    client: kube::Client,
    credential: u64,
    /// What a careless server may repeat.
    token: Option<SecretString>,
}

struct Transport {
    client: kube::Client,
    /// Which credential's certificate it was built with.
    credential: u64,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("server", &self.0.config.cluster_url.host())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0).finish()
    }
}

impl Client {
    /// As [`Reader::new`].
    pub fn new(connection: Connection, limits: Limits, clock: Clock) -> Result<Self, Error> {
        Reader::new(connection, limits, clock).map(Self)
    }

    /// The half of it that looks.
    pub fn reader(&self) -> &Reader {
        &self.0
    }

    /// A write. Its query says who wrote. Sent once, whatever becomes of it: [`Error::fate`] tells what is known.
    pub async fn patch(
        &self,
        path: &ApiPath,
        content_type: &'static str,
        body: Bytes,
    ) -> Result<Bytes, Error> {
        let path = path.clone().query("fieldManager", FIELD_MANAGER);
        self.whole(Method::PATCH, &path, Some(content_type), body)
            .await
    }

    /// A write. Its query says who wrote.
    pub async fn post(&self, path: &ApiPath, body: Bytes) -> Result<Bytes, Error> {
        let path = path.clone().query("fieldManager", FIELD_MANAGER);
        self.ask(&path, body).await
    }

    /// A POST that stores nothing (access reviews).
    pub(crate) async fn ask(&self, path: &ApiPath, body: Bytes) -> Result<Bytes, Error> {
        self.whole(Method::POST, path, Some(JSON), body).await
    }
}

impl Reader {
    /// Needs a runtime around it (kube starts its connection task), reads certificate files, and runs no plugin: that
    /// happens with the first request, without blocking.
    pub fn new(connection: Connection, limits: Limits, clock: Clock) -> Result<Self, Error> {
        let Connection {
            mut config,
            plugin,
            user,
            ..
        } = connection;
        // Mutations must never be repeated by a library: its policy looks at the status only, not at the method.
        config.default_retry = false;
        config.connect_timeout = Some(limits.connect);
        config.write_timeout = Some(limits.header);
        config.read_timeout = None;
        // Where nothing is encrypted nobody's certificate is looked at: the machine's hundreds are not read for it, which
        // would be most of the time until the first frame.
        if config.cluster_url.scheme_str() == Some("http") && config.proxy_url.is_none() {
            config.root_cert.get_or_insert_default();
        }
        let client = build(&config)?;
        Ok(Self(Arc::new(Inner {
            transport: Mutex::new(Transport {
                client,
                credential: 0,
            }),
            login: plugin.map(|plugin| exec::Login::new(plugin, Arc::clone(&clock))),
            user,
            config,
            limits,
            clock,
        })))
    }

    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// The namespace of the kubeconfig's context.
    pub fn namespace(&self) -> &str {
        &self.0.config.default_namespace
    }

    /// The kubeconfig's name of the user: what somebody called the login, not who it is.
    pub fn user(&self) -> Option<&Safe> {
        self.0.user.as_ref()
    }

    /// The program that is run for a credential, where one is.
    pub fn plugin(&self) -> Option<&str> {
        self.0.login.as_ref().map(exec::Login::command)
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &ApiPath) -> Result<T, Error> {
        decode(&self.get_bytes(path).await?)
    }

    pub async fn get_bytes(&self, path: &ApiPath) -> Result<Bytes, Error> {
        self.whole(Method::GET, path, None, Bytes::new()).await
    }

    /// Only the object's metadata: the server leaves the rest out.
    pub(crate) async fn get_metadata(&self, path: &ApiPath) -> Result<serde_json::Value, Error> {
        let only = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        let prepared = self
            .prepare(Method::GET, path, only, None, Bytes::new())
            .await?;
        let value: serde_json::Value = decode(&self.finish(prepared).await?)?;
        // A server that does not know the form would have sent everything, a Secret's data too.
        match value.get("kind").and_then(serde_json::Value::as_str) {
            Some("PartialObjectMetadata") => Ok(value),
            _ => Err(Error::malformed(
                "it is not the metadata that was asked for",
            )),
        }
    }

    /// The answer as a stream of lines. Only its head has a deadline here.
    pub async fn lines(&self, path: &ApiPath) -> Result<Lines, Error> {
        let prepared = self
            .prepare(Method::GET, path, JSON, None, Bytes::new())
            .await?;
        let token = prepared.token.clone();
        let response = self.transmit(prepared).await?;
        let response = timeout(self.0.limits.total, self.check(response, token.as_ref()))
            .await
            .map_err(|_| self.timed_out())??;
        Ok(Lines::new(response.into_body(), self.0.limits.line))
    }

    async fn whole(
        &self,
        method: Method,
        path: &ApiPath,
        content_type: Option<&'static str>,
        body: Bytes,
    ) -> Result<Bytes, Error> {
        // The login comes first and has its own limit: while a plugin runs, nothing has been sent.
        let prepared = self.prepare(method, path, JSON, content_type, body).await?;
        self.finish(prepared).await
    }

    async fn finish(&self, prepared: Prepared) -> Result<Bytes, Error> {
        let answer = async {
            let token = prepared.token.clone();
            let response = self.transmit(prepared).await?;
            let response = self.check(response, token.as_ref()).await?;
            collect(response.into_body(), self.0.limits.body, "the answer").await
        };
        timeout(self.0.limits.total, answer)
            .await
            .map_err(|_| self.timed_out())?
    }

    async fn prepare(
        &self,
        method: Method,
        path: &ApiPath,
        accept: &'static str,
        content_type: Option<&'static str>,
        body: Bytes,
    ) -> Result<Prepared, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(path.as_str())
            .header(header::ACCEPT, accept)
            .header(header::USER_AGENT, USER_AGENT);
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let mut request = request
            .body(Body::from(body))
            .map_err(|error| Error::Request {
                why: sanitise(&error.to_string()),
            })?;
        let credential = match &self.0.login {
            Some(login) => Some(login.credential().await?),
            None => None,
        };
        if let Some(token) = credential.as_ref().and_then(|c| c.token.as_ref()) {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
                .map_err(|_| Error::login("the credential plugin's token is not a header value"))?;
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let client = self.transport(credential.as_ref())?;
        Ok(Prepared {
            request,
            client,
            credential: credential.as_ref().map_or(0, |c| c.number),
            token: credential
                .and_then(|c| c.token)
                .or_else(|| self.0.config.auth_info.token.clone()),
        })
    }

    /// The connection, built anew where a plugin gave another client certificate.
    fn transport(&self, credential: Option<&exec::Credential>) -> Result<kube::Client, Error> {
        let mut transport = self
            .0
            .transport
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(credential) = credential
            && let Some((certificate, key)) = &credential.certificate
            && transport.credential != credential.number
        {
            let mut config = self.0.config.clone();
            config.auth_info.client_certificate_data = Some(base64::encode(certificate.as_bytes()));
            config.auth_info.client_key_data =
                Some(base64::encode(key.expose_secret().as_bytes()).into());
            transport.client = build(&config)?;
            transport.credential = credential.number;
        }
        Ok(transport.client.clone())
    }

    async fn transmit(&self, prepared: Prepared) -> Result<Response<Body>, Error> {
        let sending = prepared.client.send(prepared.request);
        let response = timeout(self.0.limits.header, sending)
            .await
            .map_err(|_| Error::Timeout {
                after: self.0.limits.header,
            })?
            .map_err(|error| classify(&error))?;
        if response.status() == http::StatusCode::UNAUTHORIZED
            && let Some(login) = &self.0.login
        {
            login.refused(prepared.credential).await;
        }
        Ok(response)
    }

    /// Passes a success on, and reads what else was said.
    async fn check(
        &self,
        response: Response<Body>,
        token: Option<&SecretString>,
    ) -> Result<Response<Body>, Error> {
        if response.status().is_success() {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        // The status is known: a body that breaks or is too long does not make it unknown again.
        let said = match collect(body, self.0.limits.error_body, "the error").await {
            Ok(said) => said,
            Err(_) => Bytes::new(),
        };
        let said = without(token, said);
        Err(answer::refusal(head.status, &head.headers, &said))
    }

    fn timed_out(&self) -> Error {
        Error::Timeout {
            after: self.0.limits.total,
        }
    }
}

fn build(config: &kube::Config) -> Result<kube::Client, Error> {
    kube::Client::try_from(config.clone()).map_err(|error| Error::login(&chain(&error).join(": ")))
}

async fn collect(mut body: Body, limit: usize, what: &'static str) -> Result<Bytes, Error> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| classify(&error))?;
        if let Some(data) = frame.data_ref() {
            if bytes.len().saturating_add(data.len()) > limit {
                return Err(Error::TooLarge { what, limit });
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes.freeze())
}

/// Reads JSON of the depth that `serde_json` allows (128).
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| unreadable(bytes, &error))
}

pub(crate) fn unreadable(bytes: &[u8], error: &serde_json::Error) -> Error {
    let start = String::from_utf8_lossy(bytes.get(..64).unwrap_or(bytes));
    if answer::looks_like_markup(&start) {
        return Error::malformed(
            "a web page answered instead of the API server (a proxy or a login page?)",
        );
    }
    Error::malformed(&format!("it is not the JSON expected: {error}"))
}

/// Sorts a failure of the connection. Only what the pool itself calls a failure to connect is certainly before the
/// first byte of the request: a server that refuses our certificate after the handshake (TLS 1.3) is already too late
/// for that, and counts as lost.
fn classify(error: &kube::Error) -> Error {
    let words = chain(error);
    if let kube::Error::Auth(_) = error {
        return Error::login(&words.join(": "));
    }
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<kube::client::AuthError>() {
            return Error::login(&words.join(": "));
        }
        if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>()
            && error.is_connect()
        {
            return Error::unreachable(&connect_words(&words));
        }
        cause = error.source();
    }
    match error {
        kube::Error::HttpError(_) | kube::Error::BuildRequest(_) => Error::Request {
            why: sanitise(&words.join(": ")),
        },
        _ => Error::lost(lost_words(&words)),
    }
}

/// The causes from the outside in, without those that only repeat the next one.
fn chain(error: &dyn StdError) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    let mut kept: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let repeated = words
            .iter()
            .skip(index + 1)
            .any(|later| word.contains(later.as_str()));
        if !repeated && !word.starts_with("client error") && !kept.contains(word) {
            kept.push(word.clone());
        }
    }
    kept
}

fn lost_words(words: &[String]) -> &str {
    let why = words.last().map_or("no reason is known", String::as_str);
    // rustls and hyper explain at length, and with a link, that the other side hung up.
    let hung_up = [
        "close_notify",
        "message completed",
        "end of file",
        "unexpected EOF",
    ];
    if hung_up.iter().any(|words| why.contains(words)) {
        "the server hung up"
    } else {
        why
    }
}

fn connect_words(words: &[String]) -> String {
    let said = words.join(": ");
    let hint = if said.contains("UnknownIssuer") {
        "its certificate is not signed by the authority that the kubeconfig names"
    } else if said.contains("NotValidForName") || said.contains("not valid for name") {
        "its certificate is for another name"
    } else if said.contains("Expired") || said.contains("expired") {
        "its certificate has expired (or the clock here is wrong)"
    } else if said.contains("deadline has elapsed") || said.contains("timed out") {
        return "no connection in time; check the network, the VPN and the server's address"
            .to_owned();
    } else {
        return said;
    };
    format!("{hint} ({said})")
}
