//! T3: what is not known is neither zero nor empty nor healthy. Each source in each state of failure, in each view, before
//! and after it had told something: the screen says the state's own word, and nothing that rests on it is sent.

use jiff::SignedDuration;
use ratatui::{Terminal, backend::TestBackend};
use windlass::{
    app::{
        key::{Code, Key},
        msg::Msg,
        state::State,
    },
    model::{
        event::{Fact, SourceEvent},
        id::EnvironmentName,
        source::{SourceHealth, SourceState},
        text::sanitise,
    },
    ui::{
        draw,
        theme::{BuiltIn, Depth, Theme},
    },
};

use crate::{
    reducer::{ENVIRONMENT, Step, World},
    whole::shop::Shop,
};

const FAILING: [SourceState; 7] = [
    SourceState::Connecting,
    SourceState::Stale,
    SourceState::Unreachable,
    SourceState::Unauthorized,
    SourceState::Forbidden,
    SourceState::RateLimited,
    SourceState::Malformed,
];

/// What nobody says of what is not known.
const LIES: [&str; 5] = [
    "really nothing",
    "0 releases",
    "0 rollouts",
    "all healthy",
    "0 running",
];

fn painted(state: &State, columns: u16, rows: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let theme = Theme::new(&BuiltIn::Dark.palette(), Depth::True);
    let buffer = terminal
        .draw(|frame| draw(state, &theme, frame))
        .unwrap()
        .buffer
        .clone();
    buffer
        .content
        .chunks(usize::from(columns))
        .map(|row| {
            row.iter()
                .map(ratatui::buffer::Cell::symbol)
                .collect::<String>()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The source of the environment fails from now on.
fn fails(world: &mut World, state: SourceState) {
    let health = SourceHealth {
        state,
        since: world.now,
        detail: sanitise("the reason that it gave"),
        next_try: None,
        heard: None,
    };
    world.happens(Msg::Source(vec![SourceEvent {
        environment: EnvironmentName::new(ENVIRONMENT),
        fact: Fact::Health(health),
    }]));
    world.now += SignedDuration::from_secs(1);
    world.happens(Msg::Tick);
}

fn tells(world: &mut World, fact: Fact) {
    world.happens(Msg::Source(vec![SourceEvent {
        environment: EnvironmentName::new(ENVIRONMENT),
        fact,
    }]));
}

/// The machine sleeps, or its clock jumps, and the connection lives on: to its source nothing happened.
#[test]
fn t03_a_watch_that_was_silent_too_long_is_believed_again_when_it_is_heard() {
    let mut world = World::new("canary-analysis");
    let state = |world: &World| {
        world.state.environments[&EnvironmentName::new(ENVIRONMENT)]
            .health
            .state
    };
    let heard = Fact::Heard(world.now);
    tells(&mut world, heard);
    world.now += SignedDuration::from_secs(80);
    world.happens(Msg::Tick);
    assert_eq!(state(&world), SourceState::Stale);
    // What was said long ago and comes only now does not count.
    let long_ago = Fact::Heard(world.now - SignedDuration::from_secs(76));
    tells(&mut world, long_ago);
    assert_eq!(state(&world), SourceState::Stale);
    let now = Fact::Heard(world.now);
    tells(&mut world, now.clone());
    assert_eq!(state(&world), SourceState::Live);
    // One that says itself that it is late is not made live by a word of it.
    fails(&mut world, SourceState::Stale);
    tells(&mut world, now);
    assert_eq!(state(&world), SourceState::Stale);
}

fn says(state: &State, word: SourceState) -> bool {
    let screen = painted(state, 140, 40).to_lowercase();
    let lie = LIES.iter().find(|lie| screen.contains(**lie));
    assert_eq!(lie, None, "{word:?}\n{screen}");
    screen.contains(word.word()) || screen.contains(&word.word().replace('-', " "))
}

#[test]
fn t03_every_view_says_the_word_of_a_source_that_fails_and_keeps_what_it_told() {
    for failing in FAILING {
        let mut world = World::new("canary-analysis");
        let name = world.rollout.id.name.to_string();
        let before = painted(&world.state, 140, 40);
        assert!(before.contains(&name), "{before}");
        fails(&mut world, failing);
        for view in ['1', '2', '3', '8', '9'] {
            world.happens(Msg::Key(Key::char(view)));
            assert!(
                says(&world.state, failing),
                "view {view} does not say {failing:?}\n{}",
                painted(&world.state, 140, 40)
            );
        }
        world.happens(Msg::Key(Key::char('1')));
        let after = painted(&world.state, 140, 40);
        assert!(after.contains(&name), "what was told is gone\n{after}");
    }
}

#[test]
fn t03_a_source_that_never_told_anything_is_not_an_empty_cluster() {
    for failing in FAILING {
        let mut world = World::new("canary-analysis");
        // As it begins: nothing has been told.
        world.state.releases = windlass::app::releases::Releases::default();
        world.state.board = windlass::app::board::Board::wanting(None);
        fails(&mut world, failing);
        for view in ['1', '3', '9'] {
            world.happens(Msg::Key(Key::char(view)));
            assert!(
                says(&world.state, failing),
                "view {view} does not say {failing:?}\n{}",
                painted(&world.state, 140, 40)
            );
        }
    }
}

#[test]
fn t03_nothing_is_sent_on_what_a_failing_source_showed() {
    for failing in FAILING {
        for verb in ['p', 'z', 'u', 'x'] {
            // The plan's own read fails as the watch does; and where it does not, what was shown around it is old.
            for read in [false, true] {
                // An emergency (back out, pause) rests on its own read alone, and goes on where that one succeeds.
                if matches!(verb, 'x' | 'z') && read {
                    continue;
                }
                let mut world = World::new("canary-analysis");
                fails(&mut world, failing);
                world.step(&Step::Press(Key::char(verb)));
                world.step(&Step::Answer(read));
                for _ in 0..3 {
                    world.step(&Step::Draw);
                    world.step(&Step::Wait(600));
                    world.step(&Step::Press(Key::char('Y')));
                    for character in "prod-eu".chars() {
                        world.step(&Step::Press(Key::char(character)));
                    }
                    world.step(&Step::Press(Key::plain(Code::Enter)));
                }
                assert!(world.approved.is_empty(), "{failing:?} {verb} {read}");
            }
        }
    }
}

/// Opens a plan, waits for as long as it takes to be seen, and types what confirms it.
fn promotes(world: &mut World, before_typing: impl FnOnce(&mut World)) -> usize {
    world.step(&Step::Press(Key::char('p')));
    world.step(&Step::Answer(true));
    world.step(&Step::Draw);
    world.step(&Step::Wait(500));
    before_typing(world);
    for character in "prod-eu".chars() {
        world.step(&Step::Press(Key::char(character)));
    }
    world.step(&Step::Press(Key::plain(Code::Enter)));
    world.approved.len()
}

/// A plan that was good when it was opened is not when the source fails under it.
#[test]
fn t03_a_source_that_fails_under_an_open_plan_kills_it() {
    let confirmed = promotes(&mut World::new("canary-analysis"), |_| {});
    assert_eq!(confirmed, 1, "while it is live");
    for failing in FAILING {
        let confirmed = promotes(&mut World::new("canary-analysis"), |world| {
            fails(world, failing);
            world.step(&Step::Draw);
        });
        assert_eq!(confirmed, 0, "{failing:?}");
    }
}

/// The faults of the world's own servers, through the program: not one becomes "live", and none a zero.
#[test]
fn t03_no_fault_of_a_server_is_told_as_live_or_as_nothing() {
    let shop = Shop::open("canary");
    let cases = [
        ("500@kubernetes", "kubernetes", "unreachable"),
        ("503@kubernetes", "kubernetes", "unreachable"),
        ("429@kubernetes", "kubernetes", "rate-limited"),
        ("truncate@kubernetes", "kubernetes", ""),
        ("500@github", "github", "unreachable"),
        ("503@prometheus", "prometheus", "unreachable"),
        ("500@alertmanager", "alertmanager", "unreachable"),
    ];
    for (fault, kind, word) in cases {
        shop.inject(fault);
        let ran = shop.run(&["status", "checkout", "--json"]);
        assert_ne!(ran.code, 0, "{fault}: {}", ran.out);
        if !ran.out.is_empty() {
            let answer = ran.json();
            let sources = answer["sources"].as_array().unwrap();
            let source = sources
                .iter()
                .find(|source| source["id"].as_str().unwrap().starts_with(kind))
                .unwrap();
            assert_ne!(source["state"], "live", "{fault}: {source}");
            assert!(
                word.is_empty() || source["state"] == word,
                "{fault}: {source}"
            );
        }
        if kind == "kubernetes" {
            let ran = shop.act(&["promote", "checkout", "--yes"]);
            assert_ne!(ran.code, 0, "{fault}: {}{}", ran.out, ran.err);
        }
        shop.heal();
    }
    let written = shop.writes_to("kubernetes");
    assert!(
        written.iter().all(|sent| !sent.path.contains("/rollouts/")),
        "{written:#?}"
    );
}

/// The API server fails while the Board is open: the rows stay, the header says it, and no plan can be sent.
#[test]
fn t03_a_server_that_fails_while_it_is_watched_is_said_and_nothing_is_sent() {
    let shop = Shop::open("canary");
    let mut windlass = shop.screen();
    windlass.until_live();
    windlass.until("▌  checkout");
    shop.inject("503@kubernetes");
    windlass.key("p");
    windlass.until("nothing was sent");
    windlass.key("Y\x1b");
    windlass.until_gone("nothing was sent");
    assert!(windlass.text().contains("checkout"));
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    let written = shop.writes_to("kubernetes");
    assert!(
        written.iter().all(|sent| !sent.path.contains("/rollouts/")),
        "{written:#?}"
    );
}
