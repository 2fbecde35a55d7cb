//! The configuration: its format, where it lies, what is wrong with it, and where secrets come from.
//!
//! Owns the file and its description. Must never write anything, never read a file of the folder one happens to stand
//! in (a checked-out repository could then name commands and hosts), and never hold or show a secret it has resolved.
//!
//! A file is parsed once with positions, held against the description of the keys (`describe`) so that all mistakes
//! are told at once, and only then read into [`Config`]. Some keys belong to sources that are not asked yet; they are
//! checked all the same, so that a file that is valid today stays so.

mod check;
mod describe;
pub mod keys;
mod load;
mod near;
mod problem;
mod rule;
mod schema;
mod secret;
#[cfg(test)]
mod tests;
mod workload;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::model::source::Tier;

pub use load::{Loaded, load, path};
pub(crate) use near::nearest;
pub use problem::{Problem, Problems};
pub use schema::schema;
pub use secret::{SecretError, SecretSource, Variables, withhold};
pub use workload::{NotAWorkload, Workload};

/// What the operator has written down; where he has not, the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Config {
    pub ui: Ui,
    pub keys: keys::Keys,
    pub write: Write,
    pub actions: Actions,
    /// What one of these does not describe is an environment too, of tier prod.
    pub environments: BTreeMap<String, Environment>,
    pub sources: Sources,
    pub services: BTreeMap<String, Service>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Ui {
    /// The name of a theme, or the path of a file.
    pub theme: String,
    pub clock: bool,
    pub mouse: bool,
    /// Whether a copy goes to the clipboard of the terminal.
    pub clipboard: bool,
    /// Whether what has an address is a link that the terminal opens.
    pub links: Links,
    pub notice: Notice,
    pub symbols: Symbols,
}

/// Whether texts that have an address are sent as links (OSC 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Links {
    /// Where the terminal is none that would print them.
    #[default]
    Auto,
    On,
    Off,
}

/// What the screen may be drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Symbols {
    /// What the locale and the terminal's name allow.
    #[default]
    Auto,
    Unicode,
    /// Without braille, which some fonts lack.
    Blocks,
    Ascii,
}

/// How the terminal is told that a release rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notice {
    #[default]
    Bell,
    /// With the bell, a notice with a text (OSC 9).
    Osc9,
    /// With the bell, a notice with a title and a text (OSC 777).
    Osc777,
    Off,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Write {
    /// What may be armed; `None` is all.
    pub environments: Option<Vec<String>>,
    /// 1 to 480.
    pub minutes: i64,
    /// 1 to 8,760, a year: no silence lasts longer.
    pub silence_hours: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Actions {
    pub note: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// The context of the kubeconfig; `None` is the one of the environment's own name.
    pub context: Option<String>,
    #[serde(deserialize_with = "tier")]
    pub tier: Tier,
    /// `None` is every one that may be listed.
    pub namespaces: Option<Vec<String>>,
    pub prometheus: Option<Server>,
    pub alertmanager: Option<Server>,
    /// What GitHub calls it. Without this key: the one of exactly its own name.
    pub github: Vec<String>,
}

/// A server, and what it wants to see of us.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Server {
    pub url: String,
    pub token: Option<SecretSource>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Sources {
    pub github: Option<GitHub>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GitHub {
    pub host: String,
    pub token: Option<SecretSource>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Service {
    pub workload: Option<Workload>,
    pub repository: Option<String>,
    pub workflow: Option<String>,
    pub alerts: BTreeMap<String, String>,
    pub metrics: BTreeMap<String, Metric>,
}

/// Two queries whose quotient is the share of what failed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Metric {
    pub good_and_bad: String,
    #[serde(flatten)]
    pub part: Part,
}

/// The other query.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Bad(String),
    /// What failed is the rest: for what counts only its successes, like the bucket of a histogram.
    Good(String),
}

impl Part {
    pub fn query(&self) -> &str {
        match self {
            Self::Bad(query) | Self::Good(query) => query,
        }
    }
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            theme: "dark".to_owned(),
            clock: true,
            mouse: false,
            clipboard: true,
            links: Links::Auto,
            notice: Notice::Bell,
            symbols: Symbols::Auto,
        }
    }
}

impl Default for Write {
    fn default() -> Self {
        Self {
            environments: None,
            minutes: 30,
            silence_hours: 72,
        }
    }
}

impl Default for Actions {
    fn default() -> Self {
        Self { note: true }
    }
}

impl Default for GitHub {
    fn default() -> Self {
        Self {
            host: "github.com".to_owned(),
            token: None,
        }
    }
}

/// The model keeps its words free of formats, so the word is read here.
fn tier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tier, D::Error> {
    let word = String::deserialize(deserializer)?;
    [Tier::Dev, Tier::Staging, Tier::Prod]
        .into_iter()
        .find(|tier| tier.word() == word)
        .ok_or_else(|| serde::de::Error::custom("no such tier"))
}

/// Reads the text of a configuration. `file` is how messages call it.
pub fn parse(text: &str, file: &str) -> Result<Config, Problems> {
    let (table, mistakes) = toml::de::DeTable::parse_recoverable(text);
    let mut found = problem::Found::new(file, text);
    for mistake in &mistakes {
        found.add(&mistake.span().unwrap_or(0..0), not_toml(mistake, text));
    }
    found.first_of_each_line();
    found.finish()?;

    let mut found = problem::Found::new(file, text);
    check::check(table.get_ref(), &mut found);
    found.finish()?;

    // What the check let pass is readable; should the two ever differ, it is told as a mistake and not lost.
    toml::from_str(text).map_err(|e| {
        let mut found = problem::Found::new(file, text);
        found.add(&e.span().unwrap_or(0..0), one_line(e.message()));
        found
            .finish()
            .err()
            .unwrap_or_else(|| Problems::of_file(file, one_line(e.message())))
    })
}

/// The parser's own words, but for two of them that do not say what is wrong.
fn not_toml(mistake: &toml::de::Error, text: &str) -> String {
    let span = mistake.span().unwrap_or(0..0);
    let rest = text.get(span.start..).and_then(|rest| rest.lines().next());
    let nothing = rest.is_none_or(|rest| rest.trim().is_empty() || rest.trim().starts_with('#'));
    let says = match mistake.message() {
        message if message.starts_with("string values must be quoted") && nothing => {
            "a value is missing".to_owned()
        }
        message if message.starts_with("string values must be quoted") => {
            "a text stands in quotes, and this is neither a text nor a number".to_owned()
        }
        "duplicate key" => format!(
            "the key {:?} is there twice",
            text.get(span).unwrap_or_default()
        ),
        message => one_line(message),
    };
    format!("this is not TOML: {says}")
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}

/// A configuration with every key, all commented out, to begin one's own with.
pub const fn sample() -> &'static str {
    include_str!("../../assets/config.toml")
}

impl Config {
    /// Every place a secret comes from, with the key that names it.
    fn secrets_mut(&mut self) -> impl Iterator<Item = (String, &mut SecretSource)> {
        let of_environments = self
            .environments
            .iter_mut()
            .flat_map(|(name, environment)| {
                [
                    ("prometheus", &mut environment.prometheus),
                    ("alertmanager", &mut environment.alertmanager),
                ]
                .into_iter()
                .filter_map(move |(server, entry)| {
                    let token = entry.as_mut()?.token.as_mut()?;
                    Some((format!("environments.{name}.{server}.token"), token))
                })
            });
        let of_github =
            self.sources.github.as_mut().and_then(|github| {
                Some(("sources.github.token".to_owned(), github.token.as_mut()?))
            });
        of_environments.chain(of_github)
    }
}
