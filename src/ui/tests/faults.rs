//! What each failure of a source looks like, in each view that shows what it told: twelve failures, six views. No view
//! calls anything healthy, empty or zero because nobody told of it, and each says the state's own word.

use super::{
    around::{self, opened_around},
    world::{self, environment, now},
    *,
};
use crate::{
    app::{key::Key, msg::Msg, update},
    ops::guard::Decision,
};

/// Which source fails.
#[derive(Clone, Copy, Debug)]
enum Source {
    Cluster,
    Beside(&'static str),
}

const GITHUB: Source = Source::Beside("github/api.github.com");
const PROMETHEUS: Source = Source::Beside("prometheus/prod-eu");
const ALERTMANAGER: Source = Source::Beside("alertmanager/prod-eu");

const FAULTS: [(&str, Source, SourceState); 12] = [
    (
        "cluster_connecting",
        Source::Cluster,
        SourceState::Connecting,
    ),
    ("cluster_stale", Source::Cluster, SourceState::Stale),
    (
        "cluster_unreachable",
        Source::Cluster,
        SourceState::Unreachable,
    ),
    (
        "cluster_unauthorized",
        Source::Cluster,
        SourceState::Unauthorized,
    ),
    ("cluster_forbidden", Source::Cluster, SourceState::Forbidden),
    (
        "cluster_rate_limited",
        Source::Cluster,
        SourceState::RateLimited,
    ),
    ("cluster_malformed", Source::Cluster, SourceState::Malformed),
    ("github_unreachable", GITHUB, SourceState::Unreachable),
    ("github_rate_limited", GITHUB, SourceState::RateLimited),
    (
        "prometheus_unreachable",
        PROMETHEUS,
        SourceState::Unreachable,
    ),
    (
        "alertmanager_unreachable",
        ALERTMANAGER,
        SourceState::Unreachable,
    ),
    ("alertmanager_stale", ALERTMANAGER, SourceState::Stale),
];

/// What nobody says of what is not known.
const LIES: [&str; 4] = [
    "really nothing",
    "0 releases",
    "all healthy",
    "no alert fires",
];

/// The release of which everything is known, armed, and then the source fails.
fn failing(source: Source, is: SourceState) -> State {
    let mut state = opened_around("prod-eu", "checkout");
    world::arm(&mut state, "prod-eu");
    let health = environment("prod-eu", is).health;
    match source {
        Source::Cluster => {
            let name = "prod-eu".into();
            state.environments.get_mut(&name).unwrap().health = health;
            around::settle(&mut state);
        }
        Source::Beside(id) => {
            let of = state.beside.sources.values_mut();
            let failing = of.into_iter().find(|source| source.id.as_str() == id);
            failing.unwrap().health = health;
        }
    }
    sized(state, 120, 36)
}

/// What is seen after these keys.
fn after(mut state: State, keys: &str) -> State {
    for key in keys.chars() {
        update(&mut state, now(), Msg::Key(Key::char(key)));
    }
    state.notice = None;
    state
}

fn with_plan(state: State) -> State {
    let plan = world::promotion(&state);
    let guards = state.guards(&plan);
    world::with_dialog(state, world::dialog(plan, guards))
}

#[test]
fn every_failure_of_a_source_is_seen_in_every_view() {
    for (name, source, is) in FAULTS {
        let views: [(&str, State); 6] = [
            ("Board", after(failing(source, is), "1")),
            ("Release", failing(source, is)),
            ("Inbox", after(failing(source, is), "3")),
            ("Sources", after(failing(source, is), "9")),
            ("Menu", after(failing(source, is), "m")),
            ("Plan", with_plan(failing(source, is))),
        ];
        let mut all = String::new();
        for (view, state) in &views {
            let seen = text(state);
            let said = seen.to_lowercase();
            let word = is.word();
            // A view without anything of a source says that one more fails; the others, and the Sources, say how.
            let counted = matches!(source, Source::Beside(_)) && said.contains("unreachable +1");
            let says = said.contains(word) || said.contains(&word.replace('-', " "));
            assert!(
                says || counted,
                "{view} does not say {word} ({name})\n{seen}"
            );
            assert!(
                says || !matches!(*view, "Release" | "Sources"),
                "{view} ({name})\n{seen}"
            );
            let lie = LIES.iter().find(|lie| said.contains(**lie));
            assert_eq!(lie, None, "{view} ({name})\n{seen}");
            all.push_str(&format!("{view}\n{seen}\n\n"));
        }
        insta::assert_snapshot!(format!("fault_{name}"), all);
    }
}

/// On what a failing cluster showed nothing is sent; on the others an action rests only as far as its guards ask them.
#[test]
fn the_guards_of_a_plan_know_which_source_it_rests_on() {
    for (name, source, is) in FAULTS {
        let state = failing(source, is);
        let guards = state.guards(&world::promotion(&state));
        let is = |guard: &str, decision: Decision| {
            let mut all = guards.iter();
            all.any(|answer| answer.name == guard && answer.answer == decision)
        };
        assert_eq!(
            is("fresh", Decision::Deny),
            matches!(source, Source::Cluster),
            "{name}: {guards:?}"
        );
        if name.starts_with("alertmanager") {
            assert!(is("incident", Decision::Warn), "{name}: {guards:?}");
        }
    }
}
