//! Plays a scenario: keys, the time that they let pass, and what is to be seen at rest.

use std::fmt::Write as _;
use std::time::Duration;

use crate::screen::harness::{Demo, Windlass};

/// The sizes at which it is looked at.
const SIZES: [(u16, u16); 4] = [(160, 48), (120, 36), (80, 24), (40, 12)];

/// What a terminal can show of colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    True,
    Indexed,
    Sixteen,
    None,
}

impl Depth {
    fn word(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::Indexed => "256",
            Self::Sixteen => "16",
            Self::None => "none",
        }
    }

    fn of(self, demo: Demo) -> Demo {
        match self {
            Self::True => demo,
            Self::Indexed => demo.variable("COLORTERM", ""),
            Self::Sixteen => demo.variable("COLORTERM", "").variable("TERM", "xterm"),
            Self::None => demo.variable("NO_COLOR", "1"),
        }
    }
}

/// A scenario that is being played.
pub(super) struct Player {
    pub(super) windlass: Windlass,
    scenario: &'static str,
    depth: Depth,
}

impl Player {
    /// `speed`: how many times faster than the seconds on the screen its pods start and its pauses end.
    pub(super) fn of(scenario: &'static str, speed: f64) -> Self {
        Self::at(scenario, speed, Depth::True)
    }

    pub(super) fn at(scenario: &'static str, speed: f64, depth: Depth) -> Self {
        let speed = speed.to_string();
        Self::with(scenario, depth, &["--still", "--speed", &speed])
    }

    pub(super) fn seeded(scenario: &'static str, seed: &str) -> Self {
        Self::with(scenario, Depth::True, &["--still", "--seed", seed])
    }

    fn with(scenario: &'static str, depth: Depth, arguments: &[&str]) -> Self {
        let (columns, rows) = SIZES[0];
        let demo = Demo::of(scenario).size(columns, rows).with(arguments);
        let mut player = Self {
            windlass: depth.of(demo).live(),
            scenario,
            depth,
        };
        // Which row came first, and so is selected, depends on which source answered first; and rows keep their places
        // for three seconds after a key. So time passes once before anything is done.
        player.later(1);
        player.rest();
        player.windlass.key("g");
        player
    }

    /// Selects the row of a service.
    #[track_caller]
    pub(super) fn select(&mut self, service: &str) {
        self.settle();
        self.windlass.walk_to(&format!("▌  {service} "));
    }

    /// Presses a key once what the one before led to is there, and waits for what this one leads to.
    #[track_caller]
    pub(super) fn press(&mut self, key: &str, then: &str) {
        self.settle();
        self.windlass.key(key);
        self.windlass.until(then);
    }

    /// Confirms a dialog once it takes keys.
    #[track_caller]
    pub(super) fn confirm(&mut self, keys: &str, then: &str) {
        self.windlass.until_listening();
        self.press(keys, then);
    }

    /// Lets ten seconds pass at a time until the screen shows it.
    #[track_caller]
    pub(super) fn later_until(&mut self, text: &str) {
        for _ in 0..60 {
            self.settle();
            if self.windlass.text().contains(text) {
                return;
            }
            self.windlass.key(">");
        }
        panic!("{text:?} does not come\n{}", self.windlass.text());
    }

    /// Lets ten seconds pass so many times.
    #[track_caller]
    pub(super) fn later(&mut self, times: usize) {
        for _ in 0..times {
            self.settle();
            self.windlass.key(">");
        }
        self.settle();
    }

    /// Goes from pane to pane until the screen shows it.
    #[track_caller]
    pub(super) fn tab_until(&mut self, text: &str) {
        for _ in 0..8 {
            self.settle();
            if self.windlass.text().contains(text) {
                return;
            }
            self.windlass.key("\t");
        }
        panic!("{text:?} is in no pane\n{}", self.windlass.text());
    }

    /// Waits until what a key led to has been read and shown.
    #[track_caller]
    fn settle(&self) {
        self.windlass.until_quiet(Duration::from_millis(700));
    }

    /// Keeps the screen as it is painted.
    #[track_caller]
    pub(super) fn look(&self, moment: &str) {
        self.rest();
        let name = format!("{}_{moment}_{}_styles", self.scenario, self.depth.word());
        self.until_stored(&name, painted);
        insta::assert_snapshot!(name, self.windlass.screen(painted));
    }

    /// Waits a while for the screen that is kept: a source may answer later than anything was quiet. Whether it came is the
    /// snapshot's to say.
    fn until_stored(&self, name: &str, told: impl Fn(&vt100::Screen) -> String) {
        let path = format!(
            "{}/tests/it/played/snapshots/it__played__player__{name}.snap",
            env!("CARGO_MANIFEST_DIR")
        );
        let Ok(file) = std::fs::read_to_string(path) else {
            return;
        };
        // A head of its own between two rules, then the text.
        let Some(stored) = file.splitn(3, "---\n").nth(2) else {
            return;
        };
        self.windlass.for_a_while(Duration::from_secs(8), |screen| {
            told(screen).trim_end() == stored.trim_end()
        });
    }

    /// Waits until the screen is at rest: the fraction of a second that passes by itself is over, everything has been
    /// read, and what was shown has not changed for longer than anything takes.
    #[track_caller]
    pub(super) fn rest(&self) {
        self.windlass.until_quiet(Duration::from_secs(2));
    }

    /// Keeps the screen as it is painted, and its text at every size: that is the same at every depth, so once.
    #[track_caller]
    pub(super) fn keep(&mut self, moment: &str) {
        self.look(moment);
        if self.depth != Depth::True {
            return;
        }
        for (columns, rows) in SIZES {
            self.resize(columns, rows);
            let name = format!("{}_{moment}_{columns}x{rows}", self.scenario);
            self.until_stored(&name, crate::screen::harness::text_of);
            insta::assert_snapshot!(name, self.windlass.text());
        }
        self.resize(SIZES[0].0, SIZES[0].1);
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        let is = self.windlass.screen(|screen| {
            let (high, wide) = screen.size();
            (wide.get(), high.get())
        });
        if is != (columns, rows) {
            self.windlass.resize(columns, rows);
            self.settle();
        }
    }
}

/// Each row as spans of one style: colours as the terminal was told them, and what is bold, underlined or inverse. Of a
/// blank only the ground is seen; in which colour it would be written depends on what was written before.
pub(super) fn painted(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let mut text = String::new();
    for row in 0..rows.get() {
        let mut line = String::new();
        let mut last = (String::new(), String::new());
        for column in 0..columns.get() {
            let Some(cell) = screen.cell(row, column) else {
                continue;
            };
            let (mut ink, ground) = style_of(cell);
            let is_blank = cell.contents().trim().is_empty();
            if is_blank && !cell.underline() && !cell.inverse() {
                ink = match last.1 == ground && !last.0.contains(['u', 'i']) {
                    true => last.0.clone(),
                    false => "-".to_owned(),
                };
            }
            let style = (ink, ground);
            if style != last {
                let _infallible = write!(line, "[{}/{}]", style.0, style.1);
                last = style;
            }
            line.push_str(match cell.contents() {
                "" if cell.is_wide_continuation() => "",
                "" => " ",
                contents => contents,
            });
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What is written, and the ground below it.
fn style_of(cell: &vt100::Cell) -> (String, String) {
    let colour = |colour| match colour {
        vt100::Color::Default => "-".to_owned(),
        vt100::Color::Idx(index) => index.to_string(),
        vt100::Color::Rgb(red, green, blue) => format!("#{red:02X}{green:02X}{blue:02X}"),
    };
    let mut ink = colour(cell.fgcolor());
    for (is, letter) in [
        (cell.bold(), 'b'),
        (cell.dim(), 'd'),
        (cell.underline(), 'u'),
        (cell.inverse(), 'i'),
    ] {
        if is {
            ink.push(letter);
        }
    }
    (ink, colour(cell.bgcolor()))
}

/// The screen of another run, cell by cell.
#[track_caller]
pub(super) fn assert_same(one: &Windlass, other: &Windlass) {
    assert_eq!(one.text(), other.text());
    let (one, other) = (one.screen(painted), other.screen(painted));
    for (row, (one, other)) in one.lines().zip(other.lines()).enumerate() {
        assert_eq!(one, other, "row {row}");
    }
    assert_eq!(one.lines().count(), other.lines().count());
}

/// What is read of the sources comes over real connections, and on a machine that is busy with something else it can come
/// one key later. So a play that ends otherwise is played once more; one that always does is another one.
pub(super) fn again(play: impl Fn() + std::panic::RefUnwindSafe) {
    if std::panic::catch_unwind(&play).is_err() {
        play();
    }
}
