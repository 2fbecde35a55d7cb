//! The keys of the configuration, described once: the check, the schema and the test of the sample all walk this.
//! Must never read a file or know a value.

use super::rule;

/// A rule that a text has to keep. The answer says what is wrong and what is wanted, never the text of a secret.
pub(super) type Rule = fn(&str) -> Result<(), String>;

/// What a key may hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Text(Rule),
    /// One of these words.
    Word(&'static [&'static str]),
    Yes,
    Whole {
        least: i64,
        most: i64,
    },
    Texts {
        each: Rule,
        empty: Empty,
    },
    /// Texts under names of the writer's own.
    Labels,
    Table(&'static [Key]),
    /// Tables under names of the writer's own.
    Named(&'static [Key]),
    /// Keys under the names of commands: one, or a list of them.
    Keys,
    /// Where a secret comes from: exactly one of `env`, `file`, `command`.
    Secret,
}

/// What an empty list means: `write.environments = []` is "none", but an empty list of namespaces would show nothing
/// and look like a cluster without services.
#[derive(Clone, Copy, Debug)]
pub(super) enum Empty {
    Means,
    Refused(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) says: &'static str,
    pub(super) shape: Shape,
    pub(super) needed: Needed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    No,
    Yes,
    /// One of the keys that say so, and only one.
    OneOfThese,
}

const fn key(name: &'static str, says: &'static str, shape: Shape) -> Key {
    Key {
        name,
        says,
        shape,
        needed: Needed::No,
    }
}

const fn needed(name: &'static str, says: &'static str, shape: Shape) -> Key {
    Key {
        name,
        says,
        shape,
        needed: Needed::Yes,
    }
}

const fn one_of_these(name: &'static str, says: &'static str, shape: Shape) -> Key {
    Key {
        name,
        says,
        shape,
        needed: Needed::OneOfThese,
    }
}

pub(super) const THEMES: &[&str] = &["dark", "light", "high-contrast", "colour-blind", "terminal"];
pub(super) const NOTICES: &[&str] = &["bell", "osc9", "osc777", "off"];
pub(super) const LINKS: &[&str] = &["auto", "on", "off"];
pub(super) const SYMBOLS: &[&str] = &["auto", "unicode", "blocks", "ascii"];
pub(super) const TIERS: &[&str] = &["dev", "staging", "prod"];
/// The ways to name a secret.
pub(super) const SECRET: &[Key] = &[
    key(
        "env",
        "the environment variable that holds it",
        Shape::Text(rule::variable),
    ),
    key(
        "file",
        "the file that holds it; a relative one lies beside the configuration",
        Shape::Text(rule::filled),
    ),
    key(
        "command",
        "the program that prints it, and its arguments",
        Shape::Texts {
            each: rule::any,
            empty: Empty::Refused("a program is wanted, and its arguments"),
        },
    ),
];

pub(super) const ROOT: &[Key] = &[
    key("ui", "the screen", Shape::Table(UI)),
    key(
        "keys",
        "keys of the screen, under the names of commands: one key, or a list of them; an empty list takes them away",
        Shape::Keys,
    ),
    key("write", "what may be acted on", Shape::Table(WRITE)),
    key(
        "actions",
        "how actions are carried out",
        Shape::Table(ACTIONS),
    ),
    key(
        "environments",
        "the environments, under names of your own; without any, every context of the kubeconfig is one, of tier prod",
        Shape::Named(ENVIRONMENT),
    ),
    key(
        "sources",
        "the other systems that are asked",
        Shape::Table(SOURCES),
    ),
    key(
        "services",
        "what belongs to a service besides its workload",
        Shape::Named(SERVICE),
    ),
];

const UI: &[Key] = &[
    key(
        "theme",
        "dark, light, high-contrast, colour-blind, terminal, or a file",
        Shape::Text(rule::theme),
    ),
    key("clock", "show the time of day", Shape::Yes),
    key(
        "mouse",
        "the wheel scrolls, a click selects or focuses, a second one opens; it never confirms or acts",
        Shape::Yes,
    ),
    key(
        "clipboard",
        "copying reaches the clipboard of the terminal (OSC 52)",
        Shape::Yes,
    ),
    key(
        "links",
        "what has an address on the web is a link of the terminal (OSC 8): auto, on or off",
        Shape::Word(LINKS),
    ),
    key(
        "notice",
        "how a release rings: bell, osc9, osc777 (with the bell), or off",
        Shape::Word(NOTICES),
    ),
    key(
        "symbols",
        "what the screen is drawn with: auto, unicode, blocks (no braille), or ascii",
        Shape::Word(SYMBOLS),
    ),
];

const WRITE: &[Key] = &[
    key(
        "environments",
        "the environments that may be armed; default: all",
        Shape::Texts {
            each: rule::filled,
            empty: Empty::Means,
        },
    ),
    key(
        "minutes",
        "how long an armed environment stays so without a key",
        Shape::Whole {
            least: 1,
            most: 480,
        },
    ),
    key(
        "silence_hours",
        "how long a silence may be asked to last at most",
        Shape::Whole {
            least: 1,
            most: 8_760,
        },
    ),
];

const ACTIONS: &[Key] = &[key(
    "note",
    "leave a note of each action at the workload, for others to see",
    Shape::Yes,
)];

const ENVIRONMENT: &[Key] = &[
    key(
        "context",
        "the context of the kubeconfig; default: the name of the environment",
        Shape::Text(rule::filled),
    ),
    key(
        "tier",
        "dev, staging or prod: how much ceremony an action needs; default: prod",
        Shape::Word(TIERS),
    ),
    key(
        "namespaces",
        "the namespaces that are watched; default: all that may be listed",
        Shape::Texts {
            each: rule::namespace,
            empty: Empty::Refused(
                "no namespace is named; leave the key out for all that may be listed",
            ),
        },
    ),
    key("prometheus", "where its metrics are", Shape::Table(SERVER)),
    key("alertmanager", "where its alerts are", Shape::Table(SERVER)),
    key(
        "github",
        "what GitHub calls it; default: its own name",
        Shape::Texts {
            each: rule::filled,
            empty: Empty::Refused("no name is there; leave the key out for its own name"),
        },
    ),
];

const SERVER: &[Key] = &[
    needed("url", "its address", Shape::Text(rule::url)),
    key("token", "the bearer token, if it wants one", Shape::Secret),
];

const SOURCES: &[Key] = &[key(
    "github",
    "pipeline runs on GitHub",
    Shape::Table(GITHUB),
)];

const GITHUB: &[Key] = &[
    key(
        "host",
        "github.com, or your own server",
        Shape::Text(rule::host),
    ),
    key("token", "the token", Shape::Secret),
];

const SERVICE: &[Key] = &[
    key(
        "workload",
        "[namespace/]kind/name; kinds: argo-rollout, deployment, statefulset, daemonset",
        Shape::Text(rule::workload),
    ),
    key("repository", "owner/name", Shape::Text(rule::repository)),
    key(
        "workflow",
        "the workflow that releases it",
        Shape::Text(rule::filled),
    ),
    key("alerts", "the labels of its alerts", Shape::Labels),
    key(
        "metrics",
        "how it is measured, under names of your own",
        Shape::Named(METRIC),
    ),
];

const METRIC: &[Key] = &[
    needed(
        "good_and_bad",
        "the query that counts everything",
        Shape::Text(rule::filled),
    ),
    one_of_these(
        "bad",
        "the query that counts what failed",
        Shape::Text(rule::filled),
    ),
    one_of_these(
        "good",
        "the query that counts what did not fail, where that is what is counted",
        Shape::Text(rule::filled),
    ),
];
