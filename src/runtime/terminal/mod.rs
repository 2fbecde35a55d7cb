//! The terminal: taken once, drawn on with few bytes, listened to without a thread, and always given back.
//!
//! Owns the device, its modes, what is shown on it and what comes from it. Must never block the loop: reading and
//! writing wait in [`Terminal::next`] alone, and a terminal that takes no bytes makes drawing [`Drawn::Busy`] instead of
//! making anything wait or queue. Nothing here polls, and no thread is started: an idle program wakes up for nothing.
//!
//! ```text
//!            Terminal::next ──> Vec<Input>      keys (parser, csi, paste), signals, frames written out
//! tty ──────┤
//!            Terminal::draw <── &mut Frame      frames: ratatui (canvas) -> encoder (shown, pen, motion) -> bytes
//! guard      modes as found; given back on drop, on a panic, on suspension
//! ```
//!
//! The loop draws when its state has changed and the terminal is not busy; after a [`Drawn::Busy`] it is told by
//! [`Input::Written`] when to draw the newest state, so frames in between are never made.

mod canvas;
mod clipboard;
mod csi;
mod encoder;
mod erase;
mod frames;
mod guard;
mod key;
mod links;
mod motion;
mod notice;
mod parser;
mod passthrough;
mod paste;
mod pen;
mod shown;
mod signals;
mod tty;

use std::io;
use std::os::fd::AsFd;

use ratatui::Frame;
use rustix::process::{Signal as Number, getpgrp, getsid, kill_current_process_group};
use tokio::time::{Instant, sleep_until};

pub use frames::Frames;
pub use guard::{restore, restore_on_panic};
pub use key::{Code, Ended, Focus, FrameNo, Input, Key, Mouse, MouseKind};
pub use links::Links;
pub use notice::Notices;
pub use parser::Parser;
pub use tty::{OpenError, Stream};

use crate::{model::text::Safe, ui::links::Linked};

use passthrough::Within;
use signals::{Caught, Signals};
use tty::{Moved, Tty};

/// Reads in one go before the loop gets its turn: a terminal that never falls silent must not starve it.
const READS_MAX: usize = 64;

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Drawn {
    /// The terminal has taken all of it.
    Written(FrameNo),
    /// It is on its way; [`Input::Written`] follows.
    Begun(FrameNo),
    /// It looks like this one, which the terminal has taken; nothing was sent.
    Unchanged(FrameNo),
    /// Nothing was drawn, because the terminal has not taken the frame before yet.
    Busy,
    /// Nothing was drawn, because a panic has given the terminal back, and its text is there to be read.
    GivenBack,
    /// Nothing was drawn; [`Input::Gone`] says the same.
    Gone,
}

/// See the module's head.
#[derive(Debug)]
pub struct Terminal {
    tty: Tty,
    signals: Signals,
    parser: Parser,
    /// When the parser is to give up waiting for the rest of a sequence.
    patience: Option<Instant>,
    frames: Frames,
    /// Bytes for the terminal; those before `sent` it has taken.
    outgoing: Vec<u8>,
    sent: usize,
    frame: FrameNo,
    written: FrameNo,
    seen: Vec<Input>,
    /// The device has more than was read; its readiness was taken note of and will not come again.
    unread: bool,
    gone: bool,
    within: Within,
    options: Options,
    rang: Option<Instant>,
}

/// What the operator wants of the terminal besides a screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Reports of the mouse are asked for.
    pub mouse: bool,
    pub clipboard: bool,
    /// What has an address is a link.
    pub links: Links,
    pub notices: Notices,
}

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Copied {
    /// Sent; no terminal says whether it took it.
    Sent,
    TooLong,
    SwitchedOff,
}

impl Terminal {
    /// Takes the terminal behind standard input and output. `environment` looks up a variable (`TERM`, `TMUX`).
    ///
    /// Must be called inside a tokio runtime with I/O and time enabled.
    pub fn open(
        environment: impl Fn(&str) -> Option<String>,
        options: Options,
    ) -> Result<Self, OpenError> {
        let tty = Tty::of_process()?;
        if environment("TERM").as_deref() == Some("dumb") {
            return Err(OpenError::Dumb);
        }
        Self::on(tty, environment, options)
    }

    fn on(
        tty: Tty,
        environment: impl Fn(&str) -> Option<String>,
        options: Options,
    ) -> Result<Self, OpenError> {
        let signals = Signals::listen()?;
        let term = environment("TERM").unwrap_or_default();
        let within = Within::of(&environment);
        let asks = guard::Asks {
            mouse: options.mouse,
            links: options.links.are_sent(within, &environment),
        };
        let frames = Frames::new(&term, tty.size(), asks.links);
        guard::take(tty.input.as_fd(), tty.output.as_fd(), asks)?;
        Ok(Self {
            tty,
            signals,
            parser: Parser::default(),
            patience: None,
            frames,
            outgoing: Vec::new(),
            sent: 0,
            frame: FrameNo::default(),
            written: FrameNo::default(),
            seen: Vec::new(),
            unread: false,
            gone: false,
            within,
            options,
            rang: None,
        })
    }

    /// The size of the screen in columns and rows, as it is now.
    pub fn size(&self) -> (u16, u16) {
        self.tty.size()
    }

    /// The newest frame that the terminal has taken in full.
    pub fn written(&self) -> FrameNo {
        self.written
    }

    /// Whether [`Terminal::draw`] would draw nothing because the terminal still takes the frame before.
    pub fn is_busy(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Waits for something to happen and gives everything that has happened, in order.
    ///
    /// Nothing is lost when the wait is given up, so it can stand in a `select!` with other sources. It also sends what
    /// a slow terminal has not taken yet, so it has to be waited for while anything is on its way.
    pub async fn next(&mut self) -> Vec<Input> {
        loop {
            if !self.seen.is_empty() {
                return std::mem::take(&mut self.seen);
            }
            let unfinished = self.patience.is_some();
            let give_up_at = self.patience.unwrap_or_else(Instant::now);
            let (listening, busy) = (!self.gone, !self.gone && self.is_busy());
            tokio::select! {
                // Signals before all, then what frees the loop to draw, then keys.
                biased;
                caught = self.signals.next() => self.caught(caught),
                ready = self.tty.writable(), if busy => match ready {
                    Ok(()) => self.send_and_tell(),
                    Err(error) => self.lose(&error),
                },
                ready = self.tty.input.readable(), if listening && !self.unread => match ready {
                    Ok(mut ready) => {
                        ready.clear_ready();
                        self.read();
                    }
                    Err(error) => self.lose(&error),
                },
                // Whatever fills the device without end must not keep the other tasks from their turn.
                () = tokio::task::yield_now(), if self.unread => {
                    self.read();
                }
                () = sleep_until(give_up_at), if unfinished => self.give_up(),
            }
        }
    }

    /// Draws one frame, unless the terminal is still busy with the one before.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> Drawn {
        self.draw_linked(|frame| {
            render(frame);
            Linked::default()
        })
    }

    /// The same with links, where the terminal is sent any.
    pub fn draw_linked(&mut self, render: impl FnOnce(&mut Frame<'_>) -> Linked) -> Drawn {
        if self.gone {
            return Drawn::Gone;
        }
        if !guard::is_taken() {
            return Drawn::GivenBack;
        }
        if self.is_busy() {
            return Drawn::Busy;
        }
        let size = self.tty.size();
        self.outgoing
            .extend_from_slice(self.frames.draw(size, render));
        if self.outgoing.is_empty() {
            return Drawn::Unchanged(self.written);
        }
        self.frame.0 += 1;
        if self.send() {
            self.written = self.frame;
            Drawn::Written(self.frame)
        } else if self.gone {
            Drawn::Gone
        } else {
            Drawn::Begun(self.frame)
        }
    }

    /// Puts `text` on the clipboard of the terminal, where it allows that.
    pub fn copy(&mut self, text: &Safe) -> Copied {
        if !self.options.clipboard {
            return Copied::SwitchedOff;
        }
        let Some(bytes) = clipboard::copy(text, self.within) else {
            return Copied::TooLong;
        };
        self.send_between_frames(bytes);
        Copied::Sent
    }

    /// Tells somebody who looks elsewhere, as the operator wants to be told, and not every moment.
    pub fn ring(&mut self, words: &Safe) {
        let bytes = notice::notice(words, self.options.notices, self.within);
        if !bytes.is_empty() && notice::may_ring(&mut self.rang, Instant::now()) {
            self.send_between_frames(bytes);
        }
    }

    /// What is on its way goes first: a sequence in the middle of a frame would be a torn one.
    fn send_between_frames(&mut self, bytes: Vec<u8>) {
        if guard::is_taken() && !self.gone {
            self.outgoing.extend(bytes);
            self.send_and_tell();
        }
    }

    /// Gives the terminal back, stops the process group as the terminal's own suspend key would, and takes the terminal
    /// again when it goes on ([`Input::Resumed`]). Answers `false`, and does nothing, where there is no shell that could
    /// make it go on: a program that ssh or a container started directly would stop for ever.
    pub fn suspend(&mut self) -> bool {
        let alone = getsid(None).is_ok_and(|session| session == getpgrp());
        if !alone {
            self.stop();
        }
        !alone
    }

    /// Gives the terminal back as it was found. Also done when this is dropped.
    pub fn restore(mut self) -> io::Result<()> {
        self.let_go()
    }

    /// A terminal that is gone has nothing that could be given back.
    fn let_go(&mut self) -> io::Result<()> {
        let released = guard::release();
        if self.gone { Ok(()) } else { released }
    }

    fn stop(&mut self) {
        // What is left of a half-written frame would be text on the shell's screen.
        self.outgoing.clear();
        self.sent = 0;
        if let Err(error) = restore() {
            tracing::warn!(%error, "the terminal could not be given back before stopping");
        }
        // The signal that cannot be caught, because the one that can is caught. The whole group, because a wrapper script
        // that is left running would keep its shell waiting.
        if let Err(error) = kill_current_process_group(Number::STOP) {
            tracing::warn!(%error, "cannot stop");
        }
        self.come_back();
    }

    /// After a stop, by us or by a signal that could not be caught: whoever had the terminal meanwhile has left his own
    /// modes and text.
    fn come_back(&mut self) {
        match guard::retake() {
            Ok(()) => {
                self.frames.forget();
                self.seen.push(Input::Resumed);
            }
            Err(error) => self.lose(&error),
        }
    }

    fn caught(&mut self, caught: Caught) {
        match caught {
            Caught::Ended(ended) => self.seen.push(Input::Ended(ended)),
            Caught::Resized => {
                let (columns, rows) = self.size();
                // Also where it is the size of before: in between it may have been another, and what was cut off then is
                // not on the screen any more.
                self.frames.forget();
                self.seen.push(Input::Resize(columns, rows));
            }
            // Not refused as in `suspend`: whoever sends the signal can also send the one that ends it.
            Caught::StopAsked => self.stop(),
            Caught::Continued => self.come_back(),
        }
    }

    /// Reads what is there, and says whether that was anything.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let mut any = false;
        self.unread = true;
        for _ in 0..READS_MAX {
            match self.tty.read(&mut buffer) {
                Moved::Bytes(count) => {
                    any = true;
                    self.parser
                        .feed(buffer.get(..count).unwrap_or_default(), &mut self.seen);
                }
                Moved::Wait => {
                    self.unread = false;
                    break;
                }
                Moved::Gone => {
                    self.hang_up();
                    break;
                }
            }
        }
        if any {
            self.patience = self
                .parser
                .patience()
                .map(|patience| Instant::now() + patience);
        }
        any
    }

    /// The rest of a sequence may have come while the loop was busy with something else: the clock is only believed
    /// after the device was asked.
    fn give_up(&mut self) {
        self.patience = None;
        if !self.read() {
            self.parser.give_up(&mut self.seen);
            self.patience = self
                .parser
                .patience()
                .map(|patience| Instant::now() + patience);
        }
    }

    fn send_and_tell(&mut self) {
        if self.send() && self.written < self.frame {
            self.written = self.frame;
            self.seen.push(Input::Written(self.frame));
        }
    }

    /// Sends what the terminal takes now, and says whether that was all.
    fn send(&mut self) -> bool {
        while let Some(rest) = self
            .outgoing
            .get(self.sent..)
            .filter(|rest| !rest.is_empty())
        {
            guard::set_mid_frame(true);
            match self.tty.write(rest) {
                Moved::Bytes(count) => self.sent += count,
                Moved::Wait => {
                    if let Err(error) = self.tty.watch_output() {
                        self.lose(&error);
                    }
                    return false;
                }
                Moved::Gone => {
                    self.hang_up();
                    return false;
                }
            }
        }
        guard::set_mid_frame(false);
        self.tty.leave_output();
        self.outgoing.clear();
        self.sent = 0;
        true
    }

    fn lose(&mut self, error: &io::Error) {
        tracing::warn!(%error, "the terminal cannot be used any more");
        self.hang_up();
    }

    fn hang_up(&mut self) {
        self.outgoing.clear();
        self.sent = 0;
        self.unread = false;
        if !std::mem::replace(&mut self.gone, true) {
            self.seen.push(Input::Gone);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Err(error) = self.let_go() {
            tracing::warn!(%error, "the terminal could not be given back in full");
        }
    }
}

#[cfg(test)]
mod link_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod text_tests;
