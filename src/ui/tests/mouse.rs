//! The mouse over what is drawn: a click means the row that stands there, and nothing that it does acts.

use jiff::SignedDuration;

use super::{lines, painted, world};
use crate::{
    app::{
        mouse::{Mouse, MouseKind, tabs},
        msg::{Effect, Msg},
        state::{Overlay, State, View},
        update,
    },
    model::id::ReleaseId,
};

fn board() -> State {
    let mut state = world::sized(world::fleet(), 160, 48);
    state.settle();
    state
}

fn click(state: &mut State, column: u16, row: u16) -> Vec<Effect> {
    mouse(state, MouseKind::Press, column, row)
}

fn mouse(state: &mut State, kind: MouseKind, column: u16, row: u16) -> Vec<Effect> {
    let now = state.now;
    let msg = Msg::Mouse(Mouse { kind, column, row });
    update(state, now, msg)
}

/// The screen's line on which the view draws a release.
fn line_of(state: &State, id: &ReleaseId) -> u16 {
    let lines = lines(&painted(state));
    let found = lines
        .iter()
        .position(|line| line.contains(id.name.as_str()) && line.contains(id.environment.as_str()));
    u16::try_from(found.unwrap()).unwrap()
}

#[test]
fn a_click_selects_the_release_that_is_drawn_there() {
    let mut state = board();
    let shown: Vec<ReleaseId> = state
        .board
        .rows()
        .iter()
        .take(8)
        .filter_map(|row| Some(state.releases.get(row.slot)?.rollout.id.clone()))
        .collect();
    for id in shown {
        let y = line_of(&state, &id);
        click(&mut state, 20, y);
        assert_eq!(state.board.selected, Some(id));
        assert_eq!(state.view, View::Board, "one click opens nothing");
        state.clicked = None;
    }
}

#[test]
fn a_second_click_opens_and_a_late_one_does_not() {
    let mut state = board();
    let y = line_of(&state, &state.board.selected.clone().unwrap());
    click(&mut state, 5, y);
    state.now += SignedDuration::from_secs(1);
    click(&mut state, 5, y);
    assert_eq!(state.view, View::Board);
    click(&mut state, 5, y);
    assert_eq!(state.view, View::Release);
}

#[test]
fn a_click_on_a_view_shows_it() {
    let mut state = board();
    let all: Vec<(View, u16)> = tabs(&state)
        .iter()
        .map(|tab| (tab.view, tab.from))
        .collect();
    for (view, column) in all {
        click(&mut state, column, 1);
        assert_eq!(state.view, view);
    }
}

#[test]
fn the_wheel_moves_the_selection() {
    let mut state = board();
    let before = state.board.selected.clone();
    mouse(&mut state, MouseKind::WheelDown, 0, 20);
    assert_ne!(state.board.selected, before);
    mouse(&mut state, MouseKind::WheelUp, 0, 20);
    assert_eq!(state.board.selected, before);
}

#[test]
fn nothing_that_the_mouse_does_anywhere_confirms_or_opens_a_plan() {
    let over: [fn() -> State; 5] = [
        world::promote_yes,
        world::back_out,
        world::menu,
        world::palette,
        world::fleet,
    ];
    for make in over {
        let mut state = world::sized(make(), 80, 24);
        let before = state.overlays.len();
        let plans = |state: &State| {
            state
                .overlays
                .iter()
                .filter(|overlay| matches!(overlay, Overlay::Plan(_)))
                .count()
        };
        let planned = plans(&state);
        for kind in [MouseKind::Press, MouseKind::WheelDown, MouseKind::WheelUp] {
            for row in 0..24 {
                for column in (0..80).step_by(3) {
                    for effect in mouse(&mut state, kind, column, row) {
                        // A plan that lies there already reads again by itself when its time is over.
                        let reads_again = planned > 0 && matches!(effect, Effect::Plan(_));
                        assert!(
                            reads_again
                                || !matches!(
                                    effect,
                                    Effect::Execute(_) | Effect::Plan(_) | Effect::Quit
                                ),
                            "{effect:?}"
                        );
                    }
                }
            }
        }
        assert_eq!(plans(&state), planned);
        assert_eq!(state.overlays.len(), before);
    }
}
