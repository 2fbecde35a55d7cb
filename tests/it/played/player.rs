//! Plays a scenario: keys, the time that they let pass, and what is to be seen at rest.

use std::fmt::Write as _;
use std::time::Duration;

use crate::screen::harness::{Demo, Windlass, text_of};

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
    pub(super) fn of(scenario: &'static str) -> Self {
        Self::at(scenario, Depth::True)
    }

    pub(super) fn at(scenario: &'static str, depth: Depth) -> Self {
        let (columns, rows) = SIZES[0];
        let demo = Demo::of(scenario).size(columns, rows).with(&["--still"]);
        let windlass = depth.of(demo).live();
        Self {
            windlass,
            scenario,
            depth,
        }
    }

    /// Presses a key once nothing moves any more, and waits for what it leads to.
    #[track_caller]
    pub(super) fn press(&mut self, key: &str, then: &str) {
        self.rest();
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
            self.rest();
            if self.windlass.text().contains(text) {
                return;
            }
            self.windlass.key(">");
        }
        panic!("{text:?} does not come\n{}", self.windlass.text());
    }

    /// Waits until the screen is at rest: the fraction of a second that passes by itself is over, everything has been
    /// read, and what was shown has not changed for longer than anything takes.
    #[track_caller]
    pub(super) fn rest(&self) {
        self.windlass.until_quiet(Duration::from_millis(2_000));
    }

    /// Keeps the screen at every size, and once as it is painted.
    #[track_caller]
    pub(super) fn keep(&mut self, moment: &str) {
        let name = |what: &str| format!("{}_{moment}_{}_{what}", self.scenario, self.depth.word());
        self.rest();
        insta::assert_snapshot!(name("styles"), self.windlass.screen(painted));
        for (columns, rows) in SIZES {
            if self.windlass.screen(|screen| {
                let (high, wide) = screen.size();
                (wide.get(), high.get()) != (columns, rows)
            }) {
                self.windlass.resize(columns, rows);
                self.rest();
            }
            insta::assert_snapshot!(name(&format!("{columns}x{rows}")), self.windlass.text());
        }
        let (columns, rows) = SIZES[0];
        self.windlass.resize(columns, rows);
        self.rest();
    }
}

/// Each row as spans of one style: colours as the terminal was told them, and what is bold, underlined or inverse.
pub(super) fn painted(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let mut text = String::new();
    for row in 0..rows.get() {
        let mut last = String::new();
        for column in 0..columns.get() {
            let Some(cell) = screen.cell(row, column) else {
                continue;
            };
            let style = style_of(cell);
            if style != last {
                let _infallible = write!(text, "[{style}]");
                last = style;
            }
            text.push_str(match cell.contents() {
                "" if cell.is_wide_continuation() => "",
                "" => " ",
                contents => contents,
            });
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

fn style_of(cell: &vt100::Cell) -> String {
    let colour = |colour| match colour {
        vt100::Color::Default => "-".to_owned(),
        vt100::Color::Idx(index) => index.to_string(),
        vt100::Color::Rgb(red, green, blue) => format!("{red:02x}{green:02x}{blue:02x}"),
    };
    let mut style = format!("{}/{}", colour(cell.fgcolor()), colour(cell.bgcolor()));
    for (is, letter) in [
        (cell.bold(), 'b'),
        (cell.dim(), 'd'),
        (cell.underline(), 'u'),
        (cell.inverse(), 'i'),
    ] {
        if is {
            style.push(letter);
        }
    }
    style
}

/// The screen of another run, cell by cell.
#[track_caller]
pub(super) fn assert_same(one: &Windlass, other: &Windlass) {
    let (one, other) = (one.screen(painted), other.screen(painted));
    for (row, (one, other)) in one.lines().zip(other.lines()).enumerate() {
        assert_eq!(one, other, "row {row}");
    }
    assert_eq!(one.lines().count(), other.lines().count());
}

/// The text of the screen, for those who look for more than one thing.
pub(super) fn shows(windlass: &Windlass, all: &[&str]) -> bool {
    let text = windlass.screen(text_of);
    all.iter().all(|one| text.contains(one))
}
