//! The terminal device: opened for ourselves, read and written without blocking and without a thread.
//!
//! Owns the descriptors. Must never set `O_NONBLOCK` on a descriptor that it did not open: the open file description
//! behind standard input is shared with the shell, which would go on with a terminal that answers "try again".

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use rustix::termios::{isatty, tcgetwinsize, ttyname};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Why there is no terminal to work with.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0} is not a terminal")]
    NotATerminal(Stream),
    /// A screen in it would be a heap of sequences: it obeys none.
    #[error("this terminal cannot move its cursor (TERM=dumb)")]
    Dumb,
    #[error("cannot open the terminal behind {stream}: {source}")]
    Open { stream: Stream, source: io::Error },
    #[error("cannot use the terminal: {0}")]
    Use(#[from] io::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Input,
    Output,
}

impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Input => "standard input",
            Self::Output => "standard output",
        })
    }
}

/// What reading or writing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    Bytes(usize),
    /// Nothing can be moved now.
    Wait,
    /// Hung up: no more, ever.
    Gone,
}

#[derive(Debug)]
pub(super) struct Tty {
    pub(super) input: AsyncFd<OwnedFd>,
    pub(super) output: OwnedFd,
    /// Waits for the terminal to take more, while it takes none. Only then: an output that is always watched wakes the
    /// program up once more for every frame, when the terminal has read it.
    drain: Option<AsyncFd<OwnedFd>>,
}

impl Tty {
    /// The terminal behind standard input and output.
    pub(super) fn of_process() -> Result<Self, OpenError> {
        let input = reopen(rustix::stdio::stdin(), Stream::Input)?;
        let output = reopen(rustix::stdio::stdout(), Stream::Output)?;
        Ok(Self::on(input, output)?)
    }

    /// On two descriptors of our own that do not block.
    #[expect(
        deprecated,
        reason = "its replacement is unsafe for the sake of types that may close their descriptor; an OwnedFd does not"
    )]
    pub(super) fn on(input: OwnedFd, output: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            input: AsyncFd::with_interest(input, Interest::READABLE)?,
            output,
            drain: None,
        })
    }

    /// From now on [`Tty::writable`] waits.
    #[expect(deprecated, reason = "as above")]
    pub(super) fn watch_output(&mut self) -> io::Result<()> {
        if self.drain.is_none() {
            let output = self.output.try_clone()?;
            self.drain = Some(AsyncFd::with_interest(output, Interest::WRITABLE)?);
        }
        Ok(())
    }

    pub(super) fn leave_output(&mut self) {
        self.drain = None;
    }

    /// Waits until the terminal takes more; for ever where nobody watches.
    pub(super) async fn writable(&self) -> io::Result<()> {
        match &self.drain {
            Some(drain) => {
                drain.writable().await?.clear_ready();
                Ok(())
            }
            None => std::future::pending().await,
        }
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> Moved {
        moved(|| rustix::io::read(&self.input, &mut *buffer), Moved::Gone)
    }

    pub(super) fn write(&self, bytes: &[u8]) -> Moved {
        moved(|| rustix::io::write(&self.output, bytes), Moved::Wait)
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (u16, u16) {
        /// What every terminal was for decades, for one that does not tell its size.
        const UNKNOWN: (u16, u16) = (80, 24);
        let (columns, rows) =
            tcgetwinsize(&self.output).map_or(UNKNOWN, |size| (size.ws_col, size.ws_row));
        bounded(
            if columns == 0 { UNKNOWN.0 } else { columns },
            if rows == 0 { UNKNOWN.1 } else { rows },
        )
    }
}

/// A size is what the other end of the line claims. The buffers for 65535 x 65535 cells would take all memory.
fn bounded(columns: u16, rows: u16) -> (u16, u16) {
    const CELLS_MAX: u32 = 800_000;
    let rows_max = CELLS_MAX / u32::from(columns.max(1));
    (
        columns,
        rows.min(u16::try_from(rows_max).unwrap_or(u16::MAX)).max(1),
    )
}

/// `nothing` is what zero bytes mean: a hang-up when reading.
fn moved(mut io: impl FnMut() -> Result<usize, Errno>, nothing: Moved) -> Moved {
    loop {
        return match io() {
            Ok(0) => nothing,
            Ok(bytes) => Moved::Bytes(bytes),
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => Moved::Wait,
            // EIO, EPIPE, ENXIO, EBADF: whatever the reason, this terminal moves nothing any more.
            Err(error) => {
                tracing::info!(%error, "the terminal is gone");
                Moved::Gone
            }
        };
    }
}

fn reopen(fd: BorrowedFd<'_>, stream: Stream) -> Result<OwnedFd, OpenError> {
    if !isatty(fd) {
        return Err(OpenError::NotATerminal(stream));
    }
    // By name first: macOS cannot wait for events of /dev/tty. The name may belong to another device inside a
    // container, and after `su` the device is another user's: hence the other two.
    let by_name = ttyname(fd, Vec::new())
        .map_err(io::Error::from)
        .and_then(|name| {
            let opened = open_device(Path::new(std::ffi::OsStr::new(&*name.to_string_lossy())))?;
            if fstat(&opened)?.st_rdev == fstat(fd)?.st_rdev {
                Ok(opened)
            } else {
                Err(io::ErrorKind::NotFound.into())
            }
        });
    let number = match stream {
        Stream::Input => "/proc/self/fd/0",
        Stream::Output => "/proc/self/fd/1",
    };
    by_name
        .or_else(|_| open_device(Path::new(number)))
        .or_else(|_| open_device(Path::new("/dev/tty")))
        .map_err(|source| OpenError::Open { stream, source })
}

pub(super) fn open_device(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = open(path, flags, Mode::empty())?;
    if isatty(fd.as_fd()) {
        Ok(fd)
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_sizes_are_bounded_and_large_ones_are_not() {
        assert_eq!(bounded(200, 60), (200, 60));
        assert_eq!(bounded(1_000, 400), (1_000, 400));
        assert_eq!(bounded(65_535, 1), (65_535, 1));
        assert_eq!(bounded(1, 65_535), (1, 65_535));
        let (columns, rows) = bounded(65_535, 65_535);
        assert!(u32::from(columns) * u32::from(rows) <= 800_000);
    }

    #[test]
    fn a_pipe_is_refused_by_name() {
        let (reader, _writer) = io::pipe().unwrap();
        let error = reopen(reader.as_fd(), Stream::Input).unwrap_err();
        assert_eq!(error.to_string(), "standard input is not a terminal");
    }
}
