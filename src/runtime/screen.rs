//! The loop of the screen: waits, tells the reducer, does what it asks for, draws. Takes input before action results
//! before source events before time, drains what is queued, then draws once if something changed. There is no frame
//! rate: idle means no wake-up and no byte, apart from the second hand of a clock that is on the screen.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    alarm::Alarm,
    clock::{self, now},
    effects::Effects,
    meddle::Meddle,
    terminal::{Copied, Drawn, Ended, Input, Terminal},
};
use crate::{
    app::{
        key::{Code, Key},
        mouse::{Mouse, MouseKind},
        msg::{Effect, Msg},
        state::{State, Tone},
        update,
    },
    model::text::{sanitise, sanitise_whole},
    ui::{self, theme::Theme},
};

/// Changes that no finger asked for are drawn at most this often: a hundred of them a second cost a few frames.
const SOURCE_FRAME_EVERY: Duration = Duration::from_millis(250);
/// How many queued messages are taken before a frame is drawn all the same.
const DRAIN: usize = 512;
/// Seconds that pass at once where time stands still and somebody wants it to be later.
const LATER: u64 = 10;

/// Why the screen ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    Asked,
    /// The terminal vanished, or somebody ended the process.
    Vanished,
}

pub struct Screen {
    pub state: State,
    pub terminal: Terminal,
    pub theme: Theme,
    pub effects: Effects,
    /// Results of what was asked for.
    pub results: mpsc::Receiver<Msg>,
    /// Facts.
    pub sources: mpsc::Receiver<Msg>,
    /// The demo's only.
    pub meddle: Option<Meddle>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").finish_non_exhaustive()
    }
}

/// How soon a change has to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hurry {
    None,
    /// A fact changed.
    Source,
    /// A finger or an action.
    Now,
}

impl Screen {
    /// Runs until it is left. The terminal is given back when this returns, before actions under way are finished.
    pub async fn run(mut self) -> (Left, Effects) {
        let mut hurry = Hurry::Now;
        let mut last_frame: Option<Instant> = None;
        let mut alarm = Alarm::new();
        let left = loop {
            if self.state.dirty && hurry == Hurry::None {
                hurry = Hurry::Source;
            }
            let due = match hurry {
                Hurry::None => None,
                Hurry::Now => Some(Instant::now()),
                Hurry::Source => {
                    Some(last_frame.map_or_else(Instant::now, |frame| frame + SOURCE_FRAME_EVERY))
                }
            };
            if let Some(due) = due
                && due <= Instant::now()
                && !self.terminal.is_busy()
            {
                last_frame = Some(Instant::now());
                hurry = Hurry::None;
                if self.draw() == Drawing::Over {
                    break Left::Vanished;
                }
                continue;
            }
            let frame_at = due.filter(|_| !self.terminal.is_busy());
            // Where time stands still and the screen has seen its last fraction of a second, nothing comes by itself.
            let rests = clock::rests() && self.state.now >= now();
            alarm.set(self.state.wake_at().filter(|_| !rests), now());
            let event = tokio::select! {
                biased;
                inputs = self.terminal.next() => Event::Inputs(inputs),
                Some(msg) = self.results.recv() => Event::Result(msg),
                Some(msg) = self.sources.recv() => Event::Source(msg),
                () = at(frame_at), if frame_at.is_some() => Event::Frame,
                () = alarm.rings() => Event::Tick,
            };
            match event {
                Event::Inputs(inputs) => match self.inputs(inputs) {
                    Flow::On => {
                        hurry = hurry.max(if self.state.dirty {
                            Hurry::Now
                        } else {
                            Hurry::None
                        });
                    }
                    Flow::End(left) => break left,
                },
                Event::Result(msg) => {
                    let effects = self.tell(msg);
                    if let Flow::End(left) = self.act(effects) {
                        break left;
                    }
                    hurry = if self.state.dirty { Hurry::Now } else { hurry };
                }
                Event::Source(msg) => {
                    let was_empty = self.state.releases.is_empty();
                    if let Flow::End(left) = self.source(msg) {
                        break left;
                    }
                    // The first rows are waited for.
                    if was_empty && !self.state.releases.is_empty() {
                        hurry = Hurry::Now;
                    }
                }
                Event::Frame => {}
                Event::Tick => {
                    self.state.dirty = true;
                    let effects = self.tell(Msg::Tick);
                    if let Flow::End(left) = self.act(effects) {
                        break left;
                    }
                    hurry = Hurry::Now;
                }
            }
        };
        drop(self.terminal);
        (left, self.effects)
    }

    fn inputs(&mut self, inputs: Vec<Input>) -> Flow {
        for input in inputs {
            let msg = match input {
                Input::Key(key) => match key_of(key) {
                    Some(key) => {
                        clock::pass(1);
                        Msg::Key(key)
                    }
                    None => continue,
                },
                Input::Paste(text) => Msg::Paste(text.to_string()),
                Input::Mouse(mouse) => Msg::Mouse(mouse_of(mouse)),
                Input::Resize(columns, rows) => Msg::Resized { columns, rows },
                Input::Resumed => {
                    self.state.dirty = true;
                    Msg::Tick
                }
                Input::Written(_) if !self.state.dirty => Msg::Shown(now()),
                Input::Written(_) | Input::Focus(_) => continue,
                Input::Ended(Ended::Interrupt) => Msg::Key(Key::ctrl('c')),
                Input::Ended(Ended::Terminate | Ended::HangUp | Ended::Quit) | Input::Gone => {
                    return Flow::End(Left::Vanished);
                }
            };
            let effects = self.tell(msg);
            if let Flow::End(left) = self.act(effects) {
                return Flow::End(left);
            }
        }
        Flow::On
    }

    /// Facts come in bursts: all that are queued are taken before anything is drawn.
    fn source(&mut self, first: Msg) -> Flow {
        let mut next = Some(first);
        for _ in 0..DRAIN {
            let Some(msg) = next else { break };
            let effects = self.tell(msg);
            if let Flow::End(left) = self.act(effects) {
                return Flow::End(left);
            }
            next = self.sources.try_recv().ok();
        }
        if let Some(msg) = next {
            let effects = self.tell(msg);
            return self.act(effects);
        }
        Flow::On
    }

    fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.state, now(), msg)
    }

    fn act(&mut self, effects: Vec<Effect>) -> Flow {
        for effect in effects {
            match effect {
                Effect::Quit => return Flow::End(Left::Asked),
                Effect::Copy(text) => match self.terminal.copy(&sanitise_whole(&text)) {
                    Copied::Sent => {}
                    Copied::TooLong => self.state.say(
                        Tone::Bad,
                        "nothing was copied: it is longer than terminals take",
                    ),
                    Copied::SwitchedOff => self.state.say(
                        Tone::Waiting,
                        format!("[ui] clipboard is off, so this is only shown: {text}"),
                    ),
                },
                // The key itself was a second.
                Effect::Later => clock::pass(LATER - 1),
                Effect::Ring(words) => self.terminal.ring(&sanitise(&words)),
                Effect::Fault(change) => {
                    let Some(meddle) = &self.meddle else { continue };
                    let told = Msg::Faults(meddle.with(change));
                    let effects = self.tell(told);
                    if let Flow::End(left) = self.act(effects) {
                        return Flow::End(left);
                    }
                }
                Effect::Suspend => {
                    if !self.terminal.suspend() {
                        self.state
                            .say(Tone::Plain, "there is no shell to suspend to");
                    }
                }
                other => self.effects.start(other),
            }
        }
        Flow::On
    }

    fn draw(&mut self) -> Drawing {
        self.state.dirty = false;
        self.state.settle();
        let (state, theme) = (&self.state, &self.theme);
        let drawn = self
            .terminal
            .draw_linked(|frame| ui::draw_linked(state, theme, frame));
        match drawn {
            Drawn::Written(_) | Drawn::Unchanged(_) => {
                let effects = self.tell(Msg::Shown(now()));
                match self.act(effects) {
                    Flow::On => Drawing::Going,
                    Flow::End(_) => Drawing::Over,
                }
            }
            // The loop draws the newest state when the terminal has taken what is on its way.
            Drawn::Busy => {
                self.state.dirty = true;
                Drawing::Going
            }
            Drawn::Begun(_) => Drawing::Going,
            Drawn::GivenBack | Drawn::Gone => Drawing::Over,
        }
    }
}

enum Event {
    Inputs(Vec<Input>),
    Result(Msg),
    Source(Msg),
    Frame,
    Tick,
}

enum Flow {
    On,
    End(Left),
}

#[derive(PartialEq, Eq)]
enum Drawing {
    Going,
    Over,
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// The terminal's keys in the reducer's words.
pub fn key_of(key: super::terminal::Key) -> Option<Key> {
    use super::terminal::Code as From;
    let code = match key.code {
        From::Char(c) => Code::Char(c),
        From::Enter => Code::Enter,
        From::Esc => Code::Esc,
        From::Tab => Code::Tab,
        From::BackTab => Code::BackTab,
        From::Backspace => Code::Backspace,
        From::Delete => Code::Delete,
        From::Up => Code::Up,
        From::Down => Code::Down,
        From::Left => Code::Left,
        From::Right => Code::Right,
        From::Home => Code::Home,
        From::End => Code::End,
        From::PageUp => Code::PageUp,
        From::PageDown => Code::PageDown,
        From::F(n) => Code::Function(n),
        From::Insert => return None,
    };
    Some(Key {
        code,
        ctrl: key.ctrl,
        alt: key.alt,
        repeat: key.repeat,
    })
}

/// What the mouse did, in the reducer's words.
fn mouse_of(mouse: super::terminal::Mouse) -> Mouse {
    use super::terminal::MouseKind as From;
    Mouse {
        kind: match mouse.kind {
            From::Press => MouseKind::Press,
            From::WheelUp => MouseKind::WheelUp,
            From::WheelDown => MouseKind::WheelDown,
        },
        column: mouse.column,
        row: mouse.row,
    }
}
