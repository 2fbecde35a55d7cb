//! The faults that the screen can switch, in the world's words. Must never touch anything but the demo's world.

use std::rc::Rc;

use crate::{
    app::faults::{Change, Fault, FaultKind, InForce, Whose},
    demo::{self, World},
    model::text::sanitise,
    runtime::meddle::Meddle,
};

pub(super) fn meddle(world: &Rc<World>) -> Meddle {
    let world = Rc::clone(world);
    Meddle::new(move |change| {
        match change {
            Change::Look => {}
            Change::On(fault) => {
                // Every pair that has a row is a fault of the world; a test reads them all.
                if let Some(fault) = in_world(fault) {
                    world.inject(fault);
                }
            }
            Change::Off(fault) => {
                if let Some(fault) = in_world(fault) {
                    world.end(&fault);
                }
            }
            Change::HealAll => world.heal(),
        }
        in_force(&world.faults())
    })
}

fn listed() -> impl Iterator<Item = Fault> {
    Whose::ALL.into_iter().flat_map(|whose| {
        FaultKind::ALL
            .into_iter()
            .filter(move |kind| kind.fits(whose))
            .map(move |kind| Fault { kind, whose })
    })
}

fn in_force(all: &[demo::Fault]) -> InForce {
    let mut told = InForce::default();
    for fault in all {
        match listed().find(|row| in_world(*row).as_ref() == Some(fault)) {
            Some(row) if !told.listed.contains(&row) => told.listed.push(row),
            Some(_) => {}
            None => told.others.push(sanitise(&fault.to_string())),
        }
    }
    told
}

fn in_world(fault: Fault) -> Option<demo::Fault> {
    let kind = match fault.kind {
        FaultKind::Latency => "latency:1500",
        FaultKind::TooManyRequests => "429",
        FaultKind::ServerError => "500",
        FaultKind::Away => "503",
        FaultKind::Truncated => "truncate",
        FaultKind::Conflict => "conflict",
        FaultKind::ExpiredWatch => "gone",
        FaultKind::ClockDifference => "clock:-90",
        FaultKind::LostAnswer => "lost-answer",
        FaultKind::Hang => "hang",
        FaultKind::Forbidden => "forbidden",
        FaultKind::Unauthorized => "unauthorized",
    };
    let place = match fault.whose {
        Whose::All => "",
        Whose::Kubernetes => "@kubernetes",
        Whose::GitHub => "@github",
        Whose::Prometheus => "@prometheus",
        Whose::Alertmanager => "@alertmanager",
    };
    format!("{kind}{place}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_fault_of_the_world_and_is_known_again() {
        for row in listed() {
            let fault = in_world(row).unwrap_or_else(|| panic!("{row:?}"));
            assert_eq!(in_force(&[fault]).listed, [row]);
        }
    }

    #[test]
    fn what_no_row_can_switch_is_told_in_its_own_words() {
        let fault: demo::Fault = "lost-answer:1@github+post".parse().unwrap();
        let told = in_force(&[fault]);
        assert!(told.listed.is_empty());
        assert_eq!(told.others, [sanitise("lost-answer:1@github+post")]);
    }
}
