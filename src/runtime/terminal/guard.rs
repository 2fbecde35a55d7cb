//! The terminal's state as we found it, and the way back to it.
//!
//! Owns the modes: raw input, alternate screen, bracketed paste, focus and mouse reports, hidden cursor, and that no link is
//! left open. Must always be able to give them back, from a panic hook, a destructor or an error path, without the runtime, without allocating much, and
//! without waiting for a terminal that takes nothing any more.
//!
//! What is needed for that lies in a static, because a panic hook has nothing else to reach for. There is one terminal,
//! so there is one of it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetpgrp, tcsetattr,
};

use super::links;

/// Alternate screen, cursor hidden, bracketed paste, focus reports.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1004h";

/// Presses and the wheel, in the form that has no limit of columns.
const ENTER_MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";

/// Synchronised update ended first, or a terminal would hold the rest back; then attributes, every input mode that we or
/// a crashed predecessor may have set, and the cursor and the screen last.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?2004l\x1b[?1004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?25h\x1b[?1049l";

/// Ends a sequence of which only a part was sent. Not sent otherwise: some terminals print something for it.
const CANCEL: u8 = 0x18;

/// A terminal that takes nothing for this long is not waited for.
const WRITE_LIMIT: Duration = Duration::from_millis(500);

static HELD: Mutex<Option<Held>> = Mutex::new(None);

/// Whether the last byte sent may lie in the middle of a sequence.
static MID_FRAME: AtomicBool = AtomicBool::new(false);

struct Held {
    input: OwnedFd,
    output: OwnedFd,
    found: Termios,
    entered: bool,
    asks: Asks,
}

/// What is asked of the terminal besides what it always has to do.
#[derive(Clone, Copy)]
pub(super) struct Asks {
    /// Reports of the mouse.
    pub(super) mouse: bool,
    /// Links: one may be open where a frame was cut short.
    pub(super) links: bool,
}

/// Remembers the terminal's modes and takes it. `AlreadyExists` where this process holds a terminal already.
pub(super) fn take(input: BorrowedFd<'_>, output: BorrowedFd<'_>, asks: Asks) -> io::Result<()> {
    let mut held = lock();
    if held.is_some() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut taken = Held {
        found: tcgetattr(input)?,
        input: input.try_clone_to_owned()?,
        output: output.try_clone_to_owned()?,
        entered: false,
        asks,
    };
    if let Err(error) = taken.enter() {
        let _also_failing = taken.leave();
        return Err(error);
    }
    *held = Some(taken);
    Ok(())
}

/// Takes the terminal again after [`restore`] or after somebody else has changed its modes.
pub(super) fn retake() -> io::Result<()> {
    lock().as_mut().map_or(Ok(()), Held::enter)
}

/// Whether the terminal is in our modes. Not so after a panic hook has given it back.
pub(super) fn is_taken() -> bool {
    lock().as_ref().is_some_and(|held| held.entered)
}

/// Lets the terminal go for good: [`restore`], and what was needed for it is dropped.
pub(super) fn release() -> io::Result<()> {
    lock().take().map_or(Ok(()), |mut held| held.leave())
}

pub(super) fn set_mid_frame(mid_frame: bool) {
    MID_FRAME.store(mid_frame, Ordering::Relaxed);
}

/// Gives the terminal back as it was found. Does nothing where it was given back before, or never taken.
///
/// Callable from anywhere, a panic hook included: where the panic came from this module, the state is locked and the
/// destructor of whoever holds it does the work.
pub fn restore() -> io::Result<()> {
    let mut held = match HELD.try_lock() {
        Ok(held) => held,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
    };
    held.as_mut().map_or(Ok(()), Held::leave)
}

/// Makes every panic, in whatever thread or task, give the terminal back before the panic's text is printed.
///
/// To be called after any other hook is set (`color_eyre`), which it calls. A panic in a task does not end the process:
/// [`super::Terminal::draw`] then answers [`super::Drawn::GivenBack`], and never paints over the text.
pub fn restore_on_panic() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // Nothing to do about a failure, and nobody to tell: the panic may have come from the logger, its locks held.
        let _cannot_be_reported = restore();
        previous(panic);
    }));
}

fn lock() -> MutexGuard<'static, Option<Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Held {
    fn enter(&mut self) -> io::Result<()> {
        let mut raw = self.found.clone();
        raw.make_raw();
        tcsetattr(&self.input, OptionalActions::Now, &raw)?;
        self.entered = true;
        write_all(self.output.as_fd(), ENTER)?;
        if self.asks.mouse {
            write_all(self.output.as_fd(), ENTER_MOUSE)?;
        }
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.entered) || self.is_in_background() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(LEAVE.len() + links::END.len() + 1);
        if MID_FRAME.swap(false, Ordering::Relaxed) {
            bytes.push(CANCEL);
        }
        if self.asks.links {
            bytes.extend_from_slice(links::END);
        }
        bytes.extend_from_slice(LEAVE);
        let written = write_all(self.output.as_fd(), &bytes);
        // Keys and pasted lines that nobody read were meant for us; the shell would run them.
        let flushed = tcflush(&self.input, QueueSelector::IFlush);
        // Not after draining: a terminal that takes nothing would keep us here for ever.
        let restored = tcsetattr(&self.input, OptionalActions::Now, &self.found);
        written
            .and(flushed.map_err(io::Error::from))
            .and(restored.map_err(io::Error::from))
    }

    /// In the background the terminal is the shell's, which has set its own modes; touching them would stop us.
    fn is_in_background(&self) -> bool {
        tcgetpgrp(&self.input).is_ok_and(|foreground| foreground != rustix::process::getpgrp())
    }
}

/// Writes to a descriptor that does not block, within [`WRITE_LIMIT`].
fn write_all(fd: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    let deadline = Instant::now() + WRITE_LIMIT;
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let left = deadline.saturating_duration_since(Instant::now());
                let mut polled = [PollFd::new(&fd, PollFlags::OUT)];
                let timeout = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
                match poll(&mut polled, Some(&timeout)) {
                    Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
