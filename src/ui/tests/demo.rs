//! What only the demo shows.

use super::{lines, painted, world};
use crate::{
    app::{
        faults::{Fault, FaultKind, FaultsOverlay, InForce, Whose},
        key::{Code, Key},
        msg::{Effect, Msg},
        state::{Overlay, State},
        update,
    },
    model::text::sanitise,
};

pub(super) fn demo() -> State {
    let mut state = world::fleet();
    state.session.demo = true;
    state.session.keys = crate::app::keymap::Keymap::default().in_demo(true);
    state
}

pub(super) fn faults() -> State {
    let mut state = demo();
    let on = |kind, whose| Fault { kind, whose };
    state.faults = InForce {
        listed: vec![
            on(FaultKind::Away, Whose::Prometheus),
            on(FaultKind::Latency, Whose::All),
        ],
        others: vec![sanitise("429:3@github")],
    };
    state.overlays.push(Overlay::Faults(FaultsOverlay {
        selected: 4,
        whose: Whose::Prometheus,
    }));
    state
}

#[test]
fn the_header_tells_at_every_size_which_fault_is_on() {
    for (columns, rows) in super::SIZES {
        let mut state = faults();
        state.overlays.clear();
        let screen = painted(&world::sized(state, columns, rows));
        let head = lines(&screen).swap_remove(0);
        assert!(head.contains("503 Prometheus +1"), "{head}");
        assert!(head.contains("DEMO"), "{head}");
    }
}

#[test]
fn the_help_tells_of_faults_in_the_demo_only() {
    let help = |mut state: State| {
        state.overlays = vec![Overlay::Help { scroll: 0 }];
        super::text(&world::sized(state, 160, 120))
    };
    assert!(help(demo()).contains("what goes wrong on the way"));
    assert!(!help(world::fleet()).contains("what goes wrong on the way"));
}

fn toured(columns: u16, rows: u16) -> State {
    let mut state = world::sized(demo(), columns, rows);
    state.begin_tour();
    state.settle();
    state
}

fn press(state: &mut State, key: Key) -> Vec<Effect> {
    let effects = update(state, world::now(), Msg::Key(key));
    state.settle();
    effects
}

fn step(state: &State) -> usize {
    state.tour.as_ref().map_or(0, |tour| tour.place().0)
}

#[test]
fn the_tour_at_the_sizes_people_use() {
    for (columns, rows) in super::SIZES {
        let state = toured(columns, rows);
        insta::assert_snapshot!(format!("the_tour_{columns}x{rows}"), super::text(&state));
    }
}

#[test]
fn the_tour_lies_on_nothing_that_is_selected() {
    for (columns, rows) in super::SIZES {
        let mut state = toured(columns, rows);
        press(&mut state, Key::char('G'));
        let name = state.board.selected.clone().unwrap().name.to_string();
        let screen = super::text(&state);
        let selected = screen.lines().find(|line| line.starts_with('▌'));
        assert!(
            selected.is_some_and(|line| line.contains(&name)),
            "{screen}"
        );
        assert!(screen.contains("1/9"), "{screen}");
    }
}

#[test]
fn the_tour_goes_on_when_something_was_done_however_it_was() {
    let mut state = toured(160, 48);
    assert_eq!(step(&state), 1);
    press(&mut state, Key::char('n'));
    assert_eq!(step(&state), 2);
    press(&mut state, Key::char('2'));
    assert_eq!(step(&state), 3, "the digit opens it as Enter does");
    press(&mut state, Key::char('p'));
    assert_eq!(step(&state), 4);
    press(&mut state, Key::plain(Code::Esc));
    assert_eq!(step(&state), 5, "a plan that is left has been seen");
    press(&mut state, Key::char('3'));
    assert_eq!(step(&state), 7, "what comes later may be done earlier");
    press(&mut state, Key::char('1'));
    press(&mut state, Key::char('t'));
    assert_eq!(step(&state), 9);
    press(&mut state, Key::plain(Code::Esc));
    press(&mut state, Key::char('?'));
    assert!(state.tour.is_none());
    assert_eq!(state.rows, 48, "its lines are given back");
}

#[test]
fn the_tour_is_left_at_any_moment_by_its_key_and_takes_no_other() {
    let leaves = Key::ctrl('t');
    let mut state = toured(80, 24);
    for c in ['n', 'm', ':'] {
        press(&mut state, Key::char(c));
        let open = state.overlays.len();
        assert!(state.tour.is_some());
        press(&mut state, leaves);
        assert!(state.tour.is_none() && state.rows == 24);
        assert_eq!(state.overlays.len(), open, "what lies on top stays");
        state.begin_tour();
    }
    let (mut with, mut without) = (toured(120, 36), world::sized(demo(), 120, 36));
    without.settle();
    for c in "nNjk2\u{1b}1/cat\u{1b}m\u{1b}3jj1t".chars() {
        let key = match c {
            '\u{1b}' => Key::plain(Code::Esc),
            c => Key::char(c),
        };
        press(&mut with, key);
        press(&mut without, key);
        assert_eq!(with.board.selected, without.board.selected, "{c}");
        assert_eq!(with.view, without.view, "{c}");
        assert_eq!(with.overlays.len(), without.overlays.len(), "{c}");
        assert_eq!(with.board.filter, without.board.filter, "{c}");
    }
}

#[test]
fn a_terminal_that_changes_its_size_keeps_the_tour_at_its_bottom() {
    let mut state = toured(160, 48);
    let resized = Msg::Resized {
        columns: 40,
        rows: 12,
    };
    update(&mut state, world::now(), resized);
    assert_eq!(state.rows, 11);
    press(&mut state, Key::ctrl('t'));
    assert_eq!(state.rows, 12);
}

#[test]
fn there_is_no_tour_outside_the_demo() {
    let mut state = world::sized(world::fleet(), 80, 24);
    press(&mut state, Key::ctrl('t'));
    state.begin_tour();
    assert!(state.tour.is_none());
}
