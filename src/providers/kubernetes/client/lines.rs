//! A body as lines, for watches and logs. A line is whole or it is not told: what a broken connection cut off is an
//! error, never half an object. Keeps no time: whoever waits for a line knows how long that may take.

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use http_body_util::BodyExt;
use kube::client::Body;

use super::super::error::Error;

/// A buffer larger than this is let go when it is empty.
const KEPT: usize = 64 << 10;

#[derive(Debug)]
pub struct Lines {
    body: Body,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of line: a long line is not searched again from its start.
    searched: usize,
    limit: usize,
    /// Text for people: a long line goes on in the next one, a last line needs no end.
    is_text: bool,
    ended: bool,
}

impl Lines {
    pub(super) fn new(body: Body, limit: usize) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
            searched: 0,
            limit,
            is_text: false,
            ended: false,
        }
    }

    /// For logs: a line that is too long is cut into several, and one without an end is no damage.
    pub(crate) fn of_text(mut self, limit: usize) -> Self {
        self.limit = limit;
        self.is_text = true;
        self
    }

    /// The next line without its end; `None` when the server closed the stream properly after a whole line.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(line) = self.take()? {
                return Ok(Some(line));
            }
            if self.ended {
                return self.rest();
            }
            // What a list of ten thousand needed is not held for the bookmark a minute that follows it.
            if self.buffer.is_empty() && self.buffer.capacity() > KEPT {
                self.buffer = BytesMut::new();
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
                Some(Err(error)) => return Err(super::classify(&error)),
                None => self.ended = true,
            }
        }
    }

    /// The next line if it is here already.
    pub fn ready(&mut self) -> Option<Result<Option<Bytes>, Error>> {
        self.next().now_or_never()
    }

    /// What came after the last end of line.
    pub(crate) fn remainder(&mut self) -> Option<Bytes> {
        self.searched = 0;
        (!self.buffer.is_empty()).then(|| self.buffer.split().freeze())
    }

    fn take(&mut self) -> Result<Option<Bytes>, Error> {
        let fresh = self.buffer.get(self.searched..).unwrap_or_default();
        match fresh.iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                let mut line = self.buffer.split_to(self.searched + at + 1);
                self.searched = 0;
                line.truncate(line.len() - 1);
                if line.last() == Some(&b'\r') {
                    line.truncate(line.len() - 1);
                }
                self.within(line.len())?;
                Ok(Some(line.freeze()))
            }
            None if self.is_text && self.buffer.len() >= self.limit => {
                self.searched = 0;
                Ok(Some(self.buffer.split_to(self.limit).freeze()))
            }
            None => {
                self.searched = self.buffer.len();
                self.within(self.buffer.len())?;
                Ok(None)
            }
        }
    }

    fn within(&self, length: usize) -> Result<(), Error> {
        if length > self.limit && !self.is_text {
            return Err(Error::TooLarge {
                what: "a line of the stream",
                limit: self.limit,
            });
        }
        Ok(())
    }

    fn rest(&mut self) -> Result<Option<Bytes>, Error> {
        if self.is_text {
            Ok(self.remainder())
        } else if self.buffer.iter().all(u8::is_ascii_whitespace) {
            Ok(None)
        } else {
            Err(Error::lost("the stream ended in the middle of a line"))
        }
    }
}
