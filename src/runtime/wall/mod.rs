//! The loop of the wallboard: waits, tells the wall what was seen, draws it. It holds nothing that could act (see
//! [`Lookout`]), and of everything that comes from the keyboard it takes the wish to leave.

mod look;

use std::{ops::ControlFlow, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

pub use look::Lookout;

use super::{
    alarm::Alarm,
    clock::now,
    screen::{Left, key_of},
    session::Variables,
    start::{NoScreen, theme},
    terminal::{self, Drawn, Ended, Input, Terminal},
};
use crate::{
    app::{
        msg::Msg,
        wall::{Letters, Wall},
    },
    ui::{self, theme::Theme},
};
use look::Looking;

/// Changes are drawn at most this often: nobody's finger waits for them.
const FRAME_EVERY: Duration = Duration::from_millis(250);
/// How many queued messages are taken before a frame is drawn all the same.
const DRAIN: usize = 512;

/// How a wallboard is started.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub demo: bool,
    /// How long a page stays.
    pub every: jiff::SignedDuration,
    pub letters: Letters,
}

/// Runs the wallboard until it is left. Must be called inside a `LocalSet`.
pub async fn wall(
    lookout: Lookout,
    options: Options,
    variables: Variables<'_>,
) -> Result<Left, NoScreen> {
    let theme = theme(&lookout.config.ui, variables)?;
    for warning in &lookout.warnings {
        tracing::warn!(%warning, "the configuration");
    }
    let (sender, sources) = mpsc::channel(64);
    let terminal = Terminal::open(variables, terminal::Options::default())?;
    let state = lookout.first_state(options.demo, terminal.size());
    let board = Board {
        wall: Wall::new(state, options.every, options.letters),
        terminal,
        theme,
        // After the terminal is taken: what a source says first must find somebody who shows it.
        looking: lookout.look(&sender),
        sources,
    };
    Ok(board.run().await)
}

/// Whether the terminal's locale says that it shows more than ASCII.
pub fn letters_of(variables: Variables<'_>) -> Letters {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variables(name).filter(|value| !value.is_empty()))
        .unwrap_or_default()
        .to_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") {
        Letters::Blocks
    } else {
        Letters::Ascii
    }
}

struct Board {
    wall: Wall,
    terminal: Terminal,
    theme: Theme,
    looking: Looking,
    sources: mpsc::Receiver<Msg>,
}

impl Board {
    async fn run(mut self) -> Left {
        let mut alarm = Alarm::new();
        let mut next_frame = Instant::now();
        loop {
            let draws = self.wall.state.dirty && !self.terminal.is_busy();
            if draws && next_frame <= Instant::now() {
                next_frame = Instant::now() + FRAME_EVERY;
                if let ControlFlow::Break(left) = self.draw() {
                    return left;
                }
                continue;
            }
            alarm.set(self.wall.wake_at(), now());
            tokio::select! {
                biased;
                inputs = self.terminal.next() => {
                    if let ControlFlow::Break(left) = self.inputs(inputs) {
                        return left;
                    }
                }
                Some(msg) = self.sources.recv() => self.facts(msg),
                () = sleep_until(next_frame), if draws => {}
                () = alarm.rings() => {
                    self.wall.state.dirty = true;
                    self.tell(Msg::Tick);
                }
            }
        }
    }

    fn inputs(&mut self, inputs: Vec<Input>) -> ControlFlow<Left> {
        for input in inputs {
            match input {
                Input::Key(key) => {
                    if key_of(key).is_some_and(|key| Wall::key(key).is_break()) {
                        return ControlFlow::Break(Left::Asked);
                    }
                }
                Input::Resize(columns, rows) => self.tell(Msg::Resized { columns, rows }),
                Input::Resumed => self.wall.state.dirty = true,
                Input::Ended(Ended::Interrupt) => return ControlFlow::Break(Left::Asked),
                Input::Ended(Ended::Terminate | Ended::HangUp | Ended::Quit) | Input::Gone => {
                    return ControlFlow::Break(Left::Vanished);
                }
                Input::Paste(_) | Input::Focus(_) | Input::Mouse(_) | Input::Written(_) => {}
            }
        }
        ControlFlow::Continue(())
    }

    /// Facts come in bursts: all that are queued are taken before anything is drawn.
    fn facts(&mut self, first: Msg) {
        self.tell(first);
        for _ in 0..DRAIN {
            let Ok(msg) = self.sources.try_recv() else {
                return;
            };
            self.tell(msg);
        }
    }

    fn tell(&mut self, msg: Msg) {
        for ask in self.wall.update(now(), msg) {
            self.looking.ask(ask);
        }
    }

    fn draw(&mut self) -> ControlFlow<Left> {
        self.wall.settle();
        self.wall.state.dirty = false;
        let (wall, theme) = (&self.wall, &self.theme);
        match self
            .terminal
            .draw(|frame| ui::wall::draw(wall, theme, frame))
        {
            Drawn::Written(_) | Drawn::Unchanged(_) | Drawn::Begun(_) => ControlFlow::Continue(()),
            // Drawn again, and newer, when the terminal has taken what is on its way.
            Drawn::Busy => {
                self.wall.state.dirty = true;
                ControlFlow::Continue(())
            }
            Drawn::GivenBack | Drawn::Gone => ControlFlow::Break(Left::Vanished),
        }
    }
}
