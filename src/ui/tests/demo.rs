//! What only the demo shows.

use super::{lines, painted, world};
use crate::{
    app::{
        faults::{Fault, FaultKind, FaultsOverlay, InForce, Whose},
        state::{Overlay, State},
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
