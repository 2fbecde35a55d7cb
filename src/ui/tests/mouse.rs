//! The mouse over what is drawn: a click means the row that stands there, and nothing that it does acts.

use jiff::SignedDuration;

use super::{SIZES, around, lines, painted, sized, world};
use crate::{
    app::{
        inbox::Waiting,
        mouse::{Mouse, MouseKind, tabs},
        msg::{Effect, Msg},
        release_view::Pane,
        state::{Loading, Overlay, State, View},
        update,
    },
    model::{
        id::ReleaseId,
        text::{sanitise, width},
    },
};

fn board() -> State {
    let mut state = sized(world::fleet(), 160, 48);
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

/// Every line that `what` stands in, from the top.
fn lines_with(state: &State, what: &str) -> Vec<u16> {
    (0..)
        .zip(lines(&painted(state)))
        .filter(|(_, line)| line.contains(what))
        .map(|(y, _)| y)
        .collect()
}

/// Where the mark of the selected row is drawn.
fn marked(state: &State) -> Vec<u16> {
    lines_with(state, "▌")
}

#[test]
fn a_click_on_a_row_of_the_inbox_selects_what_is_drawn_there_at_every_size() {
    for (columns, rows) in SIZES {
        for place in [0, 4] {
            let mut state = sized(around::inbox(place), columns, rows);
            let waiting = lines_with(&state, "◆");
            assert!(!waiting.is_empty(), "{columns}x{rows}");
            for y in waiting {
                let before = lines(&painted(&state));
                click(&mut state, 5, y);
                // A list that does not fit moves with its selection.
                let shown = marked(&state);
                let [at] = shown.as_slice() else {
                    panic!("one row is marked at {columns}x{rows}: {shown:?}");
                };
                let of = |line: &str| line.chars().skip(3).take(12).collect::<String>();
                let after = lines(&painted(&state));
                assert_eq!(
                    of(&before[usize::from(y)]),
                    of(&after[usize::from(*at)]),
                    "at {columns}x{rows}"
                );
                assert!(state.overlays.is_empty());
                assert_eq!(state.view, View::Inbox);
                state.clicked = None;
            }
        }
    }
}

#[test]
fn what_is_not_known_is_no_row_of_the_inbox() {
    let mut state = sized(around::failing_around(), 160, 48);
    state.view = View::Inbox;
    let before = state.inbox.selected.clone();
    let told = lines_with(&state, "not everything is known");
    assert!(!told.is_empty());
    for y in told {
        click(&mut state, 20, y);
        assert_eq!(state.inbox.selected, before);
    }
}

/// Both in the Inbox: whether Enter would open a release there.
fn waits(opens: bool) -> (State, u16) {
    (0..8)
        .map(|place| sized(around::inbox(place), 160, 48))
        .find(|state| match &state.inbox.selected {
            Some(Waiting::Release(_)) => opens,
            Some(Waiting::Gate(id)) => {
                let joined = state.beside.gate(id).map(|gate| !gate.releases.is_empty());
                joined == Some(false) && !opens
            }
            None => false,
        })
        .map(|state| {
            let y = marked(&state)[0];
            (state, y)
        })
        .expect("the Inbox of the tests has one")
}

#[test]
fn a_second_click_in_the_inbox_opens_the_release_that_waits() {
    let (mut state, y) = waits(true);
    click(&mut state, 5, y);
    assert_eq!(state.view, View::Inbox);
    let effects = click(&mut state, 5, y);
    assert_eq!(state.view, View::Release);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Open { .. })),
        "{effects:?}"
    );
}

#[test]
fn where_enter_would_open_the_plan_of_a_gate_a_second_click_does_nothing() {
    let (mut state, y) = waits(false);
    for _ in 0..4 {
        let effects = click(&mut state, 5, y);
        let opens = |effect: &Effect| matches!(effect, Effect::Plan(_) | Effect::Open { .. });
        assert!(!effects.iter().any(opens), "{effects:?}");
    }
    assert_eq!(state.view, View::Inbox);
    assert!(state.overlays.is_empty());
}

#[test]
fn a_click_focuses_the_pane_that_is_drawn_there() {
    let mut state = sized(around::opened_around("prod-eu", "checkout"), 160, 48);
    for (title, pane) in [
        ("Pipeline", Pane::Pipeline),
        ("Incidents", Pane::Incidents),
        ("Story of this release", Pane::Events),
        ("Canary", Pane::Canary),
    ] {
        let y = lines_with(&state, title)[0];
        let line = lines(&painted(&state)).swap_remove(usize::from(y));
        let x = u16::try_from(width(line.split(title).next().unwrap())).unwrap();
        // On its title and inside it.
        for row in [y, y + 3] {
            let other = match pane {
                Pane::Canary => Pane::Events,
                _ => Pane::Canary,
            };
            state.open.as_mut().unwrap().pane = other;
            click(&mut state, x, row);
            assert_eq!(state.open.as_ref().unwrap().pane, pane, "{title}");
        }
    }
    // Pods and analyses stand where they were looked at last.
    state.open.as_mut().unwrap().pane = Pane::Pods;
    click(&mut state, 5, 12);
    assert_eq!(state.open.as_ref().unwrap().pane, Pane::Pods);
}

#[test]
fn one_pane_at_a_time_keeps_its_focus_whatever_is_clicked() {
    let mut state = sized(around::opened_around("prod-eu", "checkout"), 80, 24);
    state.open.as_mut().unwrap().pane = Pane::Incidents;
    for row in 0..24 {
        click(&mut state, 40, row);
        assert_eq!(state.open.as_ref().unwrap().pane, Pane::Incidents);
    }
}

#[test]
fn the_wheel_scrolls_the_pane_under_it_and_no_other() {
    let mut state = sized(around::opened_around("prod-eu", "checkout"), 160, 48);
    assert_eq!(state.open.as_ref().unwrap().pane, Pane::Canary);
    mouse(&mut state, MouseKind::WheelDown, 155, 12);
    let open = state.open.as_ref().unwrap();
    assert!(open.scroll_of(Pane::Incidents) > 0);
    assert_eq!(open.scroll_of(Pane::Canary), 0);
    assert_eq!(open.pane, Pane::Canary, "the wheel moves no focus");
    mouse(&mut state, MouseKind::WheelUp, 155, 12);
    assert_eq!(
        state.open.as_ref().unwrap().scroll_of(Pane::Incidents),
        0,
        "and back"
    );
}

#[test]
fn a_click_selects_a_record_of_the_audit_log_and_a_source() {
    for (columns, rows) in SIZES {
        let mut state = sized(world::audit(), columns, rows);
        let Loading::Here(records) = &state.audit.records else {
            panic!("the log is there");
        };
        let count = records.len();
        assert!(count > 1);
        state.audit.selected = 0;
        let first = marked(&state)[0];
        click(&mut state, 10, first + 1);
        assert_eq!(state.audit.selected, 1, "at {columns}x{rows}");
        assert_eq!(marked(&state)[0], first + 1);
        // Below its end is nothing.
        click(&mut state, 10, first + u16::try_from(count).unwrap());
        assert_eq!(state.audit.selected, 1);

        let mut state = sized(around::sources_around(0), columns, rows);
        let first = marked(&state)[0];
        click(&mut state, 10, first + 1);
        assert_eq!(state.sources.selected, 1, "at {columns}x{rows}");
        assert_eq!(marked(&state)[0], first + 1);
    }
}

#[test]
fn a_list_that_does_not_fit_is_clicked_where_it_is_drawn() {
    let mut state = sized(world::audit(), 80, 24);
    let Loading::Here(records) = &mut state.audit.records else {
        panic!("the log is there");
    };
    let like = records[0].clone();
    records.clear();
    for nth in 0..60 {
        let mut record = like.clone();
        record.words = sanitise(&format!("record number {nth:02}"));
        records.push(record);
    }
    state.audit.selected = 40;
    let before = lines(&painted(&state));
    let y = lines_with(&state, "record number 38")[0];
    click(&mut state, 10, y);
    assert_eq!(state.audit.selected, 38, "{}", before.join("\n"));
}

#[test]
fn nothing_that_the_mouse_does_anywhere_confirms_or_opens_a_plan() {
    let over: [fn() -> State; 11] = [
        world::promote_yes,
        world::back_out,
        world::menu,
        world::palette,
        world::fleet,
        world::audit,
        || around::inbox(0),
        || around::inbox(1),
        || around::sources_around(0),
        || around::opened_around("prod-eu", "checkout"),
        around::choosing_a_gate,
    ];
    let sizes = [(80_u16, 24_u16), (160, 48)];
    for (make, (columns, rows)) in over
        .into_iter()
        .flat_map(|make| sizes.map(|size| (make, size)))
    {
        let mut state = sized(make(), columns, rows);
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
            // Twice in the same place is a second click.
            let places = (0..rows).flat_map(|row| (0..columns).step_by(9).map(move |x| (x, row)));
            for (column, row) in places.flat_map(|place| [place, place]) {
                for effect in mouse(&mut state, kind, column, row) {
                    // A plan that lies there already reads again by itself when its time is over.
                    let reads_again = planned > 0 && matches!(effect, Effect::Plan(_));
                    let acts =
                        matches!(effect, Effect::Execute(_) | Effect::Plan(_) | Effect::Quit);
                    assert!(reads_again || !acts, "{effect:?}");
                }
            }
        }
        assert_eq!(plans(&state), planned);
        assert_eq!(state.overlays.len(), before);
    }
}
