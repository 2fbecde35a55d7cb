//! Roles instead of colours.
//!
//! Owns what a role looks like: the built-in themes, themes from a file, and what becomes of a colour on a terminal that
//! cannot show it. A view names a [`Role`] and must never name a colour. Nothing here reads a file or the environment:
//! both are handed in.

mod colour;
mod depth;
mod palette;

use ratatui::style::{Color, Modifier, Style};

pub use colour::Rgb;
pub use depth::Depth;
pub use palette::{BuiltIn, Palette, ThemeError};

use super::symbols::Symbols;
use palette::{Paint, Tone};

/// What a piece of the screen is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    Background,
    Head,
    Selection,
    /// Facts.
    Text,
    /// Context.
    Dim,
    /// Labels.
    Ghost,
    /// Rules and frames, never text.
    Line,
    /// Focus, keys, the canary's line.
    Accent,
    Ok,
    Moving,
    Waiting,
    Bad,
}

impl Role {
    pub const ALL: [Self; 12] = [
        Self::Background,
        Self::Head,
        Self::Selection,
        Self::Text,
        Self::Dim,
        Self::Ghost,
        Self::Line,
        Self::Accent,
        Self::Ok,
        Self::Moving,
        Self::Waiting,
        Self::Bad,
    ];

    /// Those that are read.
    pub const TEXTS: [Self; 8] = [
        Self::Text,
        Self::Dim,
        Self::Ghost,
        Self::Accent,
        Self::Ok,
        Self::Moving,
        Self::Waiting,
        Self::Bad,
    ];

    /// Those that text stands on.
    pub const GROUNDS: [Self; 3] = [Self::Background, Self::Head, Self::Selection];

    /// The key of this role in a theme's file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Head => "head",
            Self::Selection => "selection",
            Self::Text => "text",
            Self::Dim => "dim",
            Self::Ghost => "ghost",
            Self::Line => "line",
            Self::Accent => "accent",
            Self::Ok => "ok",
            Self::Moving => "moving",
            Self::Waiting => "waiting",
            Self::Bad => "bad",
        }
    }

    const fn is_ground(self) -> bool {
        matches!(self, Self::Background | Self::Head | Self::Selection)
    }
}

/// A palette made ready for one terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    styles: [Style; Role::ALL.len()],
    depth: Depth,
    symbols: Symbols,
}

impl Theme {
    pub fn new(palette: &Palette, depth: Depth) -> Self {
        let mut styles = Role::ALL.map(|role| prepared(palette, role, depth));
        let [ground, head, selection, text, ..] = &mut styles;
        // A ground carries the colour of plain text, so that filling an area with it leaves nothing of another theme.
        for style in [ground, head, selection] {
            style.fg = text.fg;
        }
        Self {
            styles,
            depth,
            symbols: Symbols::default(),
        }
    }

    /// For a terminal that cannot show every symbol.
    #[must_use]
    pub fn with_symbols(mut self, symbols: Symbols) -> Self {
        self.symbols = symbols;
        self
    }

    pub fn symbols(&self) -> Symbols {
        self.symbols
    }

    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// A ground sets the background and plain text on it; every other role sets the foreground only.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The same for what needs a decision.
    pub fn strong(&self, role: Role) -> Style {
        self.style(role)
            .remove_modifier(Modifier::DIM)
            .add_modifier(Modifier::BOLD)
    }

    /// `style` on the selected row: its foreground keeps saying what it says.
    pub fn selected(&self, style: Style) -> Style {
        let selection = self.style(Role::Selection);
        Style {
            bg: selection.bg.or(style.bg),
            ..style
        }
        .add_modifier(selection.add_modifier)
    }
}

fn prepared(palette: &Palette, role: Role, depth: Depth) -> Style {
    let paint = palette.paint(role);
    match depth {
        Depth::True => painted(paint, role, rgb_or_named),
        Depth::Indexed => painted(paint, role, |tone| match tone {
            Tone::Rgb(wanted) => Color::Indexed(indexed(palette, role, wanted)),
            other => rgb_or_named(other),
        }),
        Depth::Ansi => ansi(paint, role),
        Depth::None => plain(paint, role),
    }
}

fn painted(paint: Paint, role: Role, colour: impl Fn(Tone) -> Color) -> Style {
    let colour = colour(paint.tone);
    let style = if role.is_ground() {
        Style::new().bg(colour)
    } else {
        Style::new().fg(colour)
    };
    style.add_modifier(paint.modifier)
}

const fn rgb_or_named(tone: Tone) -> Color {
    match tone {
        Tone::Default => Color::Reset,
        Tone::Named(colour) => colour,
        Tone::Indexed(index) => Color::Indexed(index),
        Tone::Rgb(Rgb(r, g, b)) => Color::Rgb(r, g, b),
    }
}

/// The nearest of the 256; for text the nearest that can be read on the palette's grounds as they come out in 256.
fn indexed(palette: &Palette, role: Role, wanted: Rgb) -> u8 {
    if !Role::TEXTS.contains(&role) {
        return colour::nearest(wanted, |_| true);
    }
    let grounds = Role::GROUNDS.map(|ground| match palette.paint(ground).tone {
        Tone::Rgb(ground) => Some(ground),
        _ => None,
    });
    let readable = |ink: Rgb, grounds: [Option<Rgb>; 3]| {
        grounds
            .into_iter()
            .flatten()
            .all(|ground| ink.contrast(ground) >= colour::READABLE)
    };
    // A theme whose own colour cannot be read is shown as it was meant.
    let was_readable = readable(wanted, grounds);
    let grounds = grounds
        .map(|ground| ground.map(|ground| colour::of_index(colour::nearest(ground, |_| true))));
    colour::nearest(wanted, |ink| !was_readable || readable(ink, grounds))
}

/// On 16 colours the look of each is the user's own, and the nearest is a guess that may be invisible. So whatever is not
/// named by one of the 16 is taken from the `terminal` theme.
fn ansi(paint: Paint, role: Role) -> Style {
    let paint = match paint.tone {
        Tone::Rgb(_) | Tone::Indexed(_) => {
            let own = BuiltIn::Terminal.palette().paint(role);
            Paint {
                modifier: own.modifier | paint.modifier,
                ..own
            }
        }
        Tone::Default | Tone::Named(_) => paint,
    };
    painted(paint, role, rgb_or_named)
}

/// Without colours: reverse for what is selected, bold for what needs a decision and for keys, dim for labels and lines.
fn plain(paint: Paint, role: Role) -> Style {
    let modifier = match role {
        Role::Selection => Modifier::REVERSED,
        Role::Waiting | Role::Bad | Role::Accent => Modifier::BOLD,
        Role::Ghost | Role::Line => Modifier::DIM,
        Role::Background | Role::Head | Role::Text | Role::Dim | Role::Ok | Role::Moving => {
            Modifier::empty()
        }
    };
    let paint = Paint {
        tone: Tone::Default,
        modifier: paint.modifier | modifier,
    };
    painted(paint, role, rgb_or_named)
}

#[cfg(test)]
mod tests;
