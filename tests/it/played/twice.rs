//! The same seed and the same keys give the same screens.

use super::player::{Player, again, assert_same};

/// Plays it in two terminals at once, and compares at the end.
fn twice(scenario: &'static str, play: fn(&mut Player)) {
    again(|| compare(scenario, play));
}

fn compare(scenario: &'static str, play: fn(&mut Player)) {
    let run = || {
        let mut player = Player::of(scenario, 4.0);
        play(&mut player);
        player.rest();
        player
    };
    let (one, other) = std::thread::scope(|scope| {
        let (one, other) = (scope.spawn(run), scope.spawn(run));
        (one.join().unwrap(), other.join().unwrap())
    });
    assert_same(&one.windlass, &other.windlass);
}

#[test]
fn a_canary_that_is_promoted_looks_the_same_twice() {
    twice("canary", |player| {
        player.press("p", "Type prod-eu to promote");
        player.confirm("prod-eu\r", "Promote checkout: done");
        player.later(3);
        player.press("\r", "Story of this release");
    });
}

#[test]
fn a_morning_looks_the_same_twice() {
    twice("morning", |player| {
        player.press("/ca", " of 40");
        player.press("\r", "▌");
        player.later(2);
    });
}

#[test]
fn an_outage_looks_the_same_twice() {
    twice("outage", |player| {
        player.later(2);
        player.press("9", "HEARD");
    });
}

/// What the comparison is worth: another seed is seen.
#[test]
fn another_seed_is_another_screen() {
    let painted = |seed: &'static str| {
        let player = Player::seeded("canary", seed);
        player.rest();
        player.windlass.screen(super::player::painted)
    };
    assert_ne!(painted("1"), painted("2"));
}
