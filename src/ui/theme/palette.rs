//! A theme as it is written down.
//!
//! Owns the file format: a key for each role, a colour and attributes for its value. Must answer every mistake with the
//! file, the line, the key and what would be right. Reading the file is left to whoever knows where it is.

use ratatui::style::{Color, Modifier};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Role;
use super::colour::Rgb;

/// The themes that come with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BuiltIn {
    Dark,
    Light,
    HighContrast,
    ColourBlind,
    Terminal,
}

impl BuiltIn {
    pub const ALL: [Self; 5] = [
        Self::Dark,
        Self::Light,
        Self::HighContrast,
        Self::ColourBlind,
        Self::Terminal,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::ColourBlind => "colour-blind",
            Self::Terminal => "terminal",
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// A test holds every file of a theme that is compiled in to be a whole and valid one.
    pub fn palette(self) -> Palette {
        Palette::parse(self.name(), self.text()).unwrap_or(Palette::BARE)
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Dark => include_str!("../../../assets/themes/dark.toml"),
            Self::Light => include_str!("../../../assets/themes/light.toml"),
            Self::HighContrast => include_str!("../../../assets/themes/high-contrast.toml"),
            Self::ColourBlind => include_str!("../../../assets/themes/colour-blind.toml"),
            Self::Terminal => include_str!("../../../assets/themes/terminal.toml"),
        }
    }
}

/// What is wrong with a theme's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    #[error("{file}:{line}: {message}")]
    Syntax {
        file: String,
        line: usize,
        message: String,
    },
    #[error(
        "{file}:{line}: there is no role {key:?}{}; a theme has base and the roles {}",
        did_you_mean(*nearest),
        roles()
    )]
    UnknownRole {
        file: String,
        line: usize,
        key: String,
        nearest: Option<&'static str>,
    },
    #[error("{file}:{line}: {key} = {value}: {word:?} is no colour; {COLOURS}")]
    NotAColour {
        file: String,
        line: usize,
        key: String,
        value: String,
        word: String,
    },
    #[error("{file}:{line}: {key} = {value}: there is more than one colour")]
    TwoColours {
        file: String,
        line: usize,
        key: String,
        value: String,
    },
    #[error(
        "{file}:{line}: {key} has to be a text in quotes, such as \"bold #e6b45c\", and is {found}"
    )]
    NotAText {
        file: String,
        line: usize,
        key: String,
        found: &'static str,
    },
    #[error(
        "{file}:{line}: there is no theme {base:?} to base this one on; there are {}",
        built_ins()
    )]
    UnknownBase {
        file: String,
        line: usize,
        base: String,
    },
    #[error("{file}: {} missing; give them, or take them from a theme that has them: base = \"dark\"", missing.join(", "))]
    Missing {
        file: String,
        missing: Vec<&'static str>,
    },
}

const COLOURS: &str = "a colour is #rrggbb, a number from 0 to 255, \"default\", or one of black, red, green, yellow, blue, \
     magenta, cyan, white, each also as bright-…; beside it may stand bold, dim, underline and reverse";

/// In the order of their numbers; ratatui's `Gray` is what terminals call white.
const SIXTEEN: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Default,
    Named(Color),
    Indexed(u8),
    Rgb(Rgb),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paint {
    pub(super) tone: Tone,
    pub(super) modifier: Modifier,
}

/// The looks of all roles, as written down, for any terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    paints: [Paint; Role::ALL.len()],
}

impl Palette {
    const BARE: Self = Self {
        paints: [Paint {
            tone: Tone::Default,
            modifier: Modifier::empty(),
        }; Role::ALL.len()],
    };

    pub(super) fn paint(&self, role: Role) -> Paint {
        self.paints.get(role as usize).copied().unwrap_or(Paint {
            tone: Tone::Default,
            modifier: Modifier::empty(),
        })
    }

    /// Reads the text of a theme; `file` is its name for what is said about it.
    pub fn parse(file: &str, text: &str) -> Result<Self, ThemeError> {
        let line_at = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let table = DeTable::parse(text).map_err(|error| ThemeError::Syntax {
            file: file.to_owned(),
            line: line_at(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let mut given: [Option<Paint>; Role::ALL.len()] = [None; Role::ALL.len()];
        let mut base = None;
        for (key, value) in table.get_ref() {
            let entry = Entry {
                file,
                line: line_at(key.span().start),
                key: key.get_ref(),
            };
            let value = entry.text(value)?;
            if entry.key == "base" {
                base = Some(entry.base(value)?);
                continue;
            }
            let role = entry.role()?;
            if let Some(slot) = given.get_mut(role as usize) {
                *slot = Some(entry.paint(value)?);
            }
        }
        let mut paints = Self::BARE.paints;
        let mut missing = Vec::new();
        let inherited = base.map(BuiltIn::palette);
        for ((role, paint), given) in Role::ALL.into_iter().zip(&mut paints).zip(given) {
            match given.or_else(|| inherited.as_ref().map(|palette| palette.paint(role))) {
                Some(known) => *paint = known,
                None => missing.push(role.name()),
            }
        }
        if missing.is_empty() {
            Ok(Self { paints })
        } else {
            Err(ThemeError::Missing {
                file: file.to_owned(),
                missing,
            })
        }
    }
}

/// One line of a file, for what is said about it.
struct Entry<'a> {
    file: &'a str,
    line: usize,
    key: &'a str,
}

impl Entry<'_> {
    fn text<'v>(&self, value: &'v Spanned<DeValue<'_>>) -> Result<&'v str, ThemeError> {
        value
            .get_ref()
            .as_str()
            .ok_or_else(|| ThemeError::NotAText {
                file: self.file.to_owned(),
                line: self.line,
                key: self.key.to_owned(),
                found: value.get_ref().type_str(),
            })
    }

    fn base(&self, name: &str) -> Result<BuiltIn, ThemeError> {
        BuiltIn::by_name(name).ok_or_else(|| ThemeError::UnknownBase {
            file: self.file.to_owned(),
            line: self.line,
            base: name.to_owned(),
        })
    }

    fn role(&self) -> Result<Role, ThemeError> {
        Role::ALL
            .into_iter()
            .find(|role| role.name() == self.key)
            .ok_or_else(|| ThemeError::UnknownRole {
                file: self.file.to_owned(),
                line: self.line,
                key: self.key.to_owned(),
                nearest: nearest(self.key),
            })
    }

    fn paint(&self, value: &str) -> Result<Paint, ThemeError> {
        let mut tone = None;
        let mut modifier = Modifier::empty();
        for word in value.split_whitespace() {
            match word {
                "bold" => modifier |= Modifier::BOLD,
                "dim" => modifier |= Modifier::DIM,
                "underline" => modifier |= Modifier::UNDERLINED,
                "reverse" => modifier |= Modifier::REVERSED,
                _ => {
                    let colour = colour(word).ok_or_else(|| ThemeError::NotAColour {
                        file: self.file.to_owned(),
                        line: self.line,
                        key: self.key.to_owned(),
                        value: format!("{value:?}"),
                        word: word.to_owned(),
                    })?;
                    if tone.replace(colour).is_some() {
                        return Err(ThemeError::TwoColours {
                            file: self.file.to_owned(),
                            line: self.line,
                            key: self.key.to_owned(),
                            value: format!("{value:?}"),
                        });
                    }
                }
            }
        }
        Ok(Paint {
            tone: tone.unwrap_or(Tone::Default),
            modifier,
        })
    }
}

fn colour(word: &str) -> Option<Tone> {
    if word == "default" {
        return Some(Tone::Default);
    }
    if let Some(rgb) = Rgb::parse(word) {
        return Some(Tone::Rgb(rgb));
    }
    if let Ok(index) = word.parse::<u8>() {
        // The first of the 256 are the 16, and have to be called so where there are no more than those.
        return Some(
            SIXTEEN
                .get(usize::from(index))
                .copied()
                .map_or(Tone::Indexed(index), Tone::Named),
        );
    }
    let (name, bright) = word
        .strip_prefix("bright-")
        .map_or((word, false), |name| (name, true));
    let names = [
        "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    ];
    let index = names.iter().position(|known| *known == name)?;
    SIXTEEN
        .get(index + if bright { names.len() } else { 0 })
        .copied()
        .map(Tone::Named)
}

/// The role that was probably meant: at most two slips away.
fn nearest(key: &str) -> Option<&'static str> {
    let names = Role::ALL.into_iter().map(Role::name).chain(["base"]);
    names
        .map(|name| (slips(key, name), name))
        .filter(|(slips, _)| *slips <= 2)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance.
fn slips(one: &str, two: &str) -> usize {
    let mut row: Vec<usize> = (0..=two.chars().count()).collect();
    for (at, ours) in one.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, theirs) in row.iter_mut().skip(1).zip(two.chars()) {
            let above = *cell;
            left = (diagonal + usize::from(ours != theirs))
                .min(above + 1)
                .min(left + 1);
            diagonal = above;
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

fn did_you_mean(nearest: Option<&'static str>) -> String {
    nearest
        .map(|name| format!(", did you mean {name:?}?"))
        .unwrap_or_default()
}

fn roles() -> String {
    Role::ALL.map(Role::name).join(", ")
}

fn built_ins() -> String {
    BuiltIn::ALL.map(BuiltIn::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        Palette::parse("my.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn every_theme_that_comes_with_the_program_is_whole() {
        for theme in BuiltIn::ALL {
            assert!(
                Palette::parse(theme.name(), theme.text()).is_ok(),
                "{}",
                theme.name()
            );
            assert_eq!(BuiltIn::by_name(theme.name()), Some(theme));
        }
    }

    #[test]
    fn a_theme_can_change_a_part_of_another() {
        let mine = Palette::parse(
            "my.toml",
            "base = \"light\"\nbad = \"bold underline 160\"\n",
        )
        .unwrap();
        let modifier = Modifier::BOLD | Modifier::UNDERLINED;
        assert_eq!(
            mine.paint(Role::Bad),
            Paint {
                tone: Tone::Indexed(160),
                modifier
            }
        );
        assert_eq!(
            mine.paint(Role::Ok),
            BuiltIn::Light.palette().paint(Role::Ok)
        );
    }

    #[test]
    fn a_mistake_is_answered_with_file_line_key_and_what_is_right() {
        let unknown = said("base = \"dark\"\n\nwaitng = \"red\"\n");
        assert!(unknown.starts_with("my.toml:3: there is no role \"waitng\", did you mean \"waiting\"?; a theme has base and"), "{unknown}");
        let colour = said("base = \"dark\"\nbad = \"bold rot\"\n");
        assert!(
            colour.starts_with(
                "my.toml:2: bad = \"bold rot\": \"rot\" is no colour; a colour is #rrggbb"
            ),
            "{colour}"
        );
        let two = said("base = \"dark\"\nbad = \"red blue\"\n");
        assert_eq!(
            two,
            "my.toml:2: bad = \"red blue\": there is more than one colour"
        );
        let number = said("base = \"dark\"\nbad = 160\n");
        assert!(
            number.starts_with("my.toml:2: bad has to be a text in quotes"),
            "{number}"
        );
        let base = said("base = \"drak\"\n");
        assert!(
            base.ends_with("there are dark, light, high-contrast, colour-blind, terminal"),
            "{base}"
        );
        assert!(said("bad = \"red\nok = 1").starts_with("my.toml:1: "));
        let missing = said("bad = \"red\"\n");
        assert!(
            missing.starts_with("my.toml: background, head, selection, text"),
            "{missing}"
        );
        assert!(!missing.contains("bad,"), "{missing}");
    }

    #[test]
    fn all_forms_of_a_colour_are_read() {
        for (word, tone) in [
            ("#0a0B0c", Tone::Rgb(Rgb(10, 11, 12))),
            ("208", Tone::Indexed(208)),
            ("9", Tone::Named(Color::LightRed)),
            ("default", Tone::Default),
            ("white", Tone::Named(Color::Gray)),
            ("bright-black", Tone::Named(Color::DarkGray)),
        ] {
            assert_eq!(colour(word), Some(tone), "{word}");
        }
        for word in ["#fff", "256", "#ggggg0", "bright-default", "#12345é"] {
            assert_eq!(colour(word), None, "{word}");
        }
    }
}
