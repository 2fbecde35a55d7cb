//! Whatever a scenario file holds is read or refused in words, and what is let through can be played.
//!
//! Must never rest on what a message says, only on there being one.

use std::io::Write as _;

use jiff::Timestamp;
use proptest::prelude::*;

use super::shipped::SHIPPED;
use super::*;
use crate::demo::seed;

/// Small, with something of every kind; `@` stands where a value can be put.
const SMALL: &str = r#"about = "x"
environment = "e"
[[namespace]]
name = "shop"
[[service]]
name = "catalog"
namespace = "shop"
replicas = @
steps = ["weight @", "pause @", "analysis success-rate", "scale @"]
rollback-window = @
ready-after = "@"
story = [
  { ago = "1d", release = { version = "v1" } },
  { ago = "@", release = { version = "v2", errors = @, slow = @, above = @, analysis = "failed", stays = true } },
  { ago = "5m", act = "promote" },
  { in = "@", release = { version = "v3" } },
  { in = "4m", alert = { name = "A", severity = "warning", summary = "s", for = "@" } },
]
[[fault]]
in = "@"
for = "@"
kind = "latency:@"
"#;

/// What each `@` is where nothing odd is put there.
const USUAL: [&str; 15] = [
    "2", "5", "10m", "2", "3", "5s", "20m", "5.0", "4.0", "30.0", "90s", "2m", "60s", "90s", "300",
];

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}")),
        any::<u64>().prop_map(|number| format!("{number}h")),
        (0..100_000_u32).prop_map(|days| format!("{days}d")),
        (-3..300_i32).prop_map(|number| number.to_string()),
        (0..100_000_u32).prop_map(|seconds| format!("{seconds}s")),
        prop::sample::select(vec![
            "nan", "-inf", "0", "0s", "-1s", "1e400", "", "@", "9h9h", "٣m"
        ])
        .prop_map(str::to_owned),
    ]
}

/// The small one with a few odd values.
fn odd() -> impl Strategy<Value = String> {
    prop::collection::vec((0..USUAL.len(), value()), 0..4).prop_map(|odd| {
        let mut values = USUAL.map(str::to_owned);
        for (at, value) in odd {
            values[at] = value;
        }
        let mut values = values.into_iter();
        let mut text = String::new();
        for character in SMALL.chars() {
            match character {
                '@' => text.push_str(&values.next().unwrap_or_default()),
                other => text.push(other),
            }
        }
        text
    })
}

/// A shipped one with a bite taken out of it, and something else put in.
fn bitten() -> impl Strategy<Value = String> {
    let bite = (
        0..SHIPPED.len(),
        any::<prop::sample::Index>(),
        0..200_usize,
        any::<String>(),
    );
    bite.prop_map(|(which, at, length, new)| {
        let characters: Vec<char> = SHIPPED[which].1.chars().collect();
        let at = at.index(characters.len());
        let rest = characters.iter().skip(at + length);
        let head = characters.iter().take(at);
        head.copied()
            .chain(new.chars())
            .chain(rest.copied())
            .collect()
    })
}

fn read(text: &str) -> Option<Scenario> {
    match parse("mine.toml", text) {
        Ok(scenario) => Some(scenario),
        Err(error) => {
            let words = error.to_string();
            let why = words.strip_prefix("scenario mine.toml:").unwrap_or("");
            assert!(!why.trim().is_empty(), "{words:?}");
            assert!(!words.contains('\n'), "one line: {words:?}");
            None
        }
    }
}

#[test]
fn the_small_one_is_good() {
    let mut values = USUAL.into_iter();
    let pieces: Vec<&str> = SMALL.split('@').collect();
    assert_eq!(pieces.len(), USUAL.len() + 1);
    let text: String = pieces
        .into_iter()
        .flat_map(|piece| [piece, values.next().unwrap_or("")])
        .collect();
    assert!(read(&text).is_some(), "{:?}", parse("x", &text));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: proptest::test_runner::RngSeed::Fixed(300), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_in_words(text in prop_oneof![1 => any::<String>(), 4 => bitten(), 4 => odd()]) {
        read(&text);
    }

    #[test]
    fn any_file_is_read_or_refused_in_words(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        if let Err(error) = load(file.path().to_str().unwrap()) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: proptest::test_runner::RngSeed::Fixed(60), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_let_through_can_be_played(text in odd()) {
        if let Some(scenario) = read(&text) {
            let opened = Timestamp::from_second(1_800_000_000).unwrap();
            let mut cluster = seed::build(&scenario, opened, 1.0, 1);
            cluster.advance(Moment::OPENING.after(Duration::from_secs(600)));
        }
    }
}
