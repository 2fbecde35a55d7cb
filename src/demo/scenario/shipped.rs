//! The scenarios that come with the program: name and text.
//!
//! Must never hold one that does not parse; a test reads them all.

pub(super) const SHIPPED: [(&str, &str); 9] = [
    (
        "morning",
        include_str!("../../../assets/scenarios/morning.toml"),
    ),
    (
        "canary",
        include_str!("../../../assets/scenarios/canary.toml"),
    ),
    (
        "bad-canary",
        include_str!("../../../assets/scenarios/bad-canary.toml"),
    ),
    (
        "blue-green",
        include_str!("../../../assets/scenarios/blue-green.toml"),
    ),
    (
        "analysis",
        include_str!("../../../assets/scenarios/analysis.toml"),
    ),
    ("gate", include_str!("../../../assets/scenarios/gate.toml")),
    (
        "outage",
        include_str!("../../../assets/scenarios/outage.toml"),
    ),
    (
        "lost-answer",
        include_str!("../../../assets/scenarios/lost-answer.toml"),
    ),
    (
        "game-day",
        include_str!("../../../assets/scenarios/game-day.toml"),
    ),
];
