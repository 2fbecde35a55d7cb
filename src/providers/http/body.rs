//! The body of an answer as it flows in: unpacked here and counted while it does, so that neither a long body, a slow
//! one nor one that unpacks to a thousand times its size costs more than its limit.

use std::{io::Write, time::Duration};

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use http::{HeaderMap, header};
use tokio::time::timeout;

use super::{answer, trouble::Why};
use crate::model::text::sanitise;

/// Below this much, a body may be as repetitive as it likes: a list of zeros is not an attack.
const RATIO_FROM: usize = 1 << 20;

/// How much packed data is unpacked at a time: at gzip's best ratio, a mebibyte.
const SLICE: usize = 1024;

#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) body: usize,
    pub(super) ratio: u32,
    pub(super) idle: Duration,
}

enum Coding {
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

/// The rest of one answer.
pub(super) struct Inflow {
    response: reqwest::Response,
    coding: Coding,
    bounds: Bounds,
    packed: usize,
    unpacked: usize,
    over: bool,
}

impl Inflow {
    pub(super) fn new(response: reqwest::Response, bounds: Bounds) -> Result<Self, Why> {
        let coding = coding(response.headers())?;
        if response
            .content_length()
            .is_some_and(|length| length > bounds.body as u64)
        {
            return Err(Why::TooLarge { limit: bounds.body });
        }
        Ok(Self {
            response,
            coding,
            bounds,
            packed: 0,
            unpacked: 0,
            over: false,
        })
    }

    /// The next piece, unpacked. `None`: it is complete.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Why> {
        if self.over {
            return Ok(None);
        }
        let chunk = timeout(self.bounds.idle, self.response.chunk())
            .await
            .map_err(|_| Why::Timeout {
                after: self.bounds.idle,
            })?
            .map_err(|error| super::connection::lost(&error))?;
        let Some(chunk) = chunk else {
            self.over = true;
            return self.last();
        };
        self.packed += chunk.len();
        match &mut self.coding {
            Coding::Plain => {
                self.unpacked += chunk.len();
                self.check()?;
                Ok(Some(chunk))
            }
            Coding::Gzip(_) => self.unpack(&chunk).map(Some),
        }
    }

    fn unpack(&mut self, chunk: &[u8]) -> Result<Bytes, Why> {
        let mut out = BytesMut::new();
        for slice in chunk.chunks(SLICE) {
            let Coding::Gzip(decoder) = &mut self.coding else {
                break;
            };
            decoder.write_all(slice).map_err(|e| unreadable(&e))?;
            let piece = std::mem::take(decoder.get_mut());
            self.unpacked += piece.len();
            out.extend_from_slice(&piece);
            self.check()?;
        }
        Ok(out.freeze())
    }

    /// What the decoder still held; and whether it has seen the end that a packed body tells of itself.
    fn last(&mut self) -> Result<Option<Bytes>, Why> {
        let Coding::Gzip(decoder) = &mut self.coding else {
            return Ok(None);
        };
        if self.packed == 0 {
            return Ok(None);
        }
        decoder.try_finish().map_err(|_| Why::Lost {
            why: sanitise("it was cut short"),
        })?;
        let rest = std::mem::take(decoder.get_mut());
        self.unpacked += rest.len();
        self.check()?;
        Ok((!rest.is_empty()).then(|| rest.into()))
    }

    fn check(&self) -> Result<(), Why> {
        if self.unpacked > self.bounds.body {
            return Err(Why::TooLarge {
                limit: self.bounds.body,
            });
        }
        let most = self.packed.saturating_mul(self.bounds.ratio as usize);
        if self.unpacked > RATIO_FROM && self.unpacked > most {
            return Err(Why::Bomb {
                ratio: self.bounds.ratio,
            });
        }
        Ok(())
    }

    pub(super) async fn collect(mut self) -> Result<Bytes, Why> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }
}

fn coding(headers: &HeaderMap) -> Result<Coding, Why> {
    match answer::text(headers, header::CONTENT_ENCODING.as_str()) {
        None | Some("" | "identity") => Ok(Coding::Plain),
        Some("gzip" | "x-gzip") => Ok(Coding::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))),
        Some(other) => Err(Why::Malformed {
            why: sanitise(&format!("it is packed in a way not asked for ({other})")),
        }),
    }
}

fn unreadable(error: &std::io::Error) -> Why {
    Why::Malformed {
        why: sanitise(&format!("it cannot be unpacked: {error}")),
    }
}
