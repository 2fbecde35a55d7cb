//! Where a redirect leads, which may be another origin: asked without anything that is ours.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, header};
use reqwest::{Client, Url};
use tokio::time::{Instant, timeout_at};

use super::{
    Reply, Server,
    body::Inflow,
    connection::{self, Building, Use},
    login::Fetched,
    target,
    trouble::{Location, Trouble, Why},
};

impl Server {
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
            return Err(self.refusal(response, &Fetched::NONE).await);
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

    fn stranger(&self, url: &Url) -> Result<Client, Why> {
        // One for plain http knows no authorities, so it must not be kept for https.
        let kept = url.scheme() == "https";
        if let Some(client) = self.inner.elsewhere.get().filter(|_| kept) {
            return Ok(client.clone());
        }
        let building = Building {
            url,
            connect: self.limits.connect,
            // An own authority signs for the server, and for the storage beside it.
            authority: self.inner.authority.as_deref(),
        };
        let client = building.client(Use::Reads)?;
        if kept {
            return Ok(self.inner.elsewhere.get_or_init(|| client).clone());
        }
        Ok(client)
    }
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
        timeout_at(self.until, self.inflow.next())
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
