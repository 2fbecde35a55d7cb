//! The order that is mended row by row is the order that is made anew.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::model::{
    event::Fact,
    id::{ResourceVersion, Uid, WorkloadKind},
    rollout::{Phase, Replicas, Rollout, Workload},
    text::Safe,
};

fn environment() -> EnvironmentName {
    "prod-eu".into()
}

fn fresh() -> BTreeMap<EnvironmentName, bool> {
    BTreeMap::from([(environment(), true)])
}

fn id(number: u8) -> ReleaseId {
    ReleaseId {
        environment: environment(),
        namespace: "shop".into(),
        kind: WorkloadKind::Deployment,
        name: format!("service-{number}").as_str().into(),
    }
}

fn rollout(number: u8, phase: u8, since: u8) -> Rollout {
    Rollout {
        id: id(number),
        uid: Uid::new(&format!("uid-{number}")),
        version: ResourceVersion::new("1"),
        generation: 1,
        generation_observed: true,
        revision: None,
        phase: match phase % 4 {
            0 => Phase::Healthy,
            1 => Phase::Progressing,
            2 => Phase::Paused,
            _ => Phase::Degraded,
        },
        message: Safe::default(),
        replicas: Replicas::default(),
        images: Arc::default(),
        managed_by: None,
        since: Timestamp::from_second(i64::from(since))
            .ok()
            .map(Into::into),
        progress_deadline_s: None,
        not_undone: None,
        links: None,
        workload: Workload::Deployment {
            paused: phase % 4 == 2,
        },
    }
}

fn told(releases: &mut Releases, board: &mut Board, rollout: Rollout) {
    use crate::app::releases::Changed;
    match releases.apply(&environment(), &Fact::Rollout(Arc::new(rollout))) {
        Changed::Nothing => {}
        Changed::Release(slot) => board.place_is_stale(slot),
        Changed::Set => board.order_is_stale(),
    }
}

fn listed(count: u8) -> (Releases, Board) {
    let mut releases = Releases::default();
    let mut board = Board::wanting(None);
    for number in 0..count {
        told(&mut releases, &mut board, rollout(number, number, number));
    }
    board.arrange(&releases, &fresh(), false);
    (releases, board)
}

/// What a finger may have made of the filter meanwhile.
fn typed() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::weighted(
        0.2,
        prop::sample::select(vec![
            "",
            "h",
            "he",
            "healthy",
            "!b",
            "!broken",
            "se",
            "service-1",
            "HEALTHY e-3",
        ]),
    )
}

proptest! {
    #[test]
    fn rows_put_in_their_places_one_by_one_are_where_a_new_order_has_them(
        changes in prop::collection::vec((0_u8..40, any::<u8>(), any::<u8>(), any::<bool>(), typed()), 0..60),
    ) {
        let (mut releases, mut board) = listed(40);
        for (number, phase, since, draw, typed) in changes {
            told(&mut releases, &mut board, rollout(number, phase, since));
            if let Some(typed) = typed {
                typed.clone_into(&mut board.filter);
                board.filter_is_stale();
            }
            if draw {
                board.arrange(&releases, &fresh(), phase % 3 == 0);
            }
        }
        board.arrange(&releases, &fresh(), false);
        let mut anew = board.clone();
        anew.order_is_stale();
        anew.arrange(&releases, &fresh(), false);
        prop_assert_eq!(board.rows(), anew.rows());
        prop_assert_eq!(board.selected_place(&releases), anew.selected_place(&releases));
        prop_assert_eq!(board.counts, anew.counts);
    }
}

#[test]
fn a_row_that_changes_while_the_order_rests_is_counted_at_once_and_moved_afterwards() {
    let (mut releases, mut board) = listed(8);
    let before = board.rows().to_vec();
    let broken = board.counts.broken;
    told(&mut releases, &mut board, rollout(0, 3, 0));
    board.arrange(&releases, &fresh(), true);
    assert_eq!(board.rows(), before);
    assert_eq!(board.counts.broken, broken + 1);
    assert!(board.needs_order());
    board.arrange(&releases, &fresh(), false);
    assert_eq!(board.place_of(&id(0), &releases), Some(0));
    assert_eq!(board.counts.broken, broken + 1);
    assert!(!board.needs_order());
}

#[test]
fn a_filter_is_laid_over_rows_that_keep_their_places() {
    let (mut releases, mut board) = listed(8);
    let before = board.rows().to_vec();
    told(&mut releases, &mut board, rollout(0, 3, 0));
    "SERVICE-".clone_into(&mut board.filter);
    board.filter_is_stale();
    board.arrange(&releases, &fresh(), true);
    assert_eq!(board.rows(), before, "all of them have it");
    "service-5".clone_into(&mut board.filter);
    board.filter_is_stale();
    board.arrange(&releases, &fresh(), true);
    assert_eq!(board.rows().len(), 1);
    assert_eq!(board.counts.shown, 1);
    board.filter.clear();
    board.filter_is_stale();
    board.arrange(&releases, &fresh(), true);
    assert_eq!(board.rows(), before);
    board.arrange(&releases, &fresh(), false);
    assert_eq!(board.place_of(&id(0), &releases), Some(0));
}

#[test]
fn a_selection_keeps_its_release_when_its_row_moves() {
    let (mut releases, mut board) = listed(8);
    let place = board.place_of(&id(4), &releases).unwrap();
    board.select_place(place, &releases, Timestamp::UNIX_EPOCH);
    told(&mut releases, &mut board, rollout(4, 3, 0));
    board.arrange(&releases, &fresh(), false);
    assert_eq!(board.selected, Some(id(4)));
    assert_ne!(board.selected_place(&releases), Some(place));
}
