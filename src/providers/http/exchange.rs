//! One request and its answer, within all limits. What comes by the way is noted: the budget and the server's clock.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use reqwest::{Client, Url};
use tokio::time::{Instant, timeout};

use super::{
    Reply, Server, answer,
    body::{Bounds, Inflow},
    connection::{self, Use},
    kept::Kept,
    lock,
    login::Fetched,
    repeated,
    trouble::{Trouble, Why},
};

/// A longer way there and back says too little about where in between the server looked at its clock.
const CLOCK_WITHIN: Duration = Duration::from_secs(2);

/// One request, before its login.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) accept: &'a str,
    pub(super) content: Option<(&'a str, Bytes)>,
    pub(super) used: Use,
}

pub(super) enum Answer {
    Whole(Reply),
    NotModified(HeaderMap),
}

impl Server {
    /// One request and its whole answer.
    pub(super) async fn once(
        &self,
        ask: &Ask<'_>,
        fetched: &Fetched,
        kept: Option<&Kept>,
    ) -> Result<Answer, Trouble> {
        let client = match ask.used {
            Use::Reads => &self.inner.reads,
            Use::Writes => self.inner.writes.as_ref().ok_or_else(|| self.looks())?,
        };
        if self.only_looks() && ask.method != Method::GET {
            return Err(self.looks());
        }
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
                let trouble = self.refusal(response, fetched).await;
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

    fn looks(&self) -> Trouble {
        self.fail(Why::Request {
            why: "this is only looked at: nothing but GET is sent".into(),
        })
    }

    pub(super) fn request(
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
        } else if ask.method != Method::GET {
            // The library says nothing where there is no body, and some servers answer that with 411.
            request = request.header(header::CONTENT_LENGTH, 0);
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

    pub(super) async fn head(
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
    pub(super) async fn refusal(&self, response: reqwest::Response, sent: &Fetched) -> Trouble {
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
        let body = repeated::without(sent.secret(), body);
        self.fail(answer::refusal(status, &headers, body))
    }

    pub(super) fn complete(&self, answer: Answer) -> Result<Reply, Trouble> {
        match answer {
            Answer::Whole(reply) => Ok(reply),
            Answer::NotModified(_) => Err(Trouble::malformed(
                &self.inner.name,
                "it says that nothing changed (304), and was not asked whether",
            )),
        }
    }

    pub(super) const fn bounds(&self) -> Bounds {
        Bounds {
            body: self.limits.body,
            ratio: self.limits.ratio,
            idle: self.limits.idle,
        }
    }

    pub(super) fn fail(&self, why: Why) -> Trouble {
        Trouble::new(&self.inner.name, why)
    }
}
