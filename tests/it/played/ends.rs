//! Each scenario to its end, and the screen at the end and at one telling moment before.

use super::player::{Depth, Player, again};

/// In a terminal each, all at once: they mostly wait.
fn together(plays: &[fn()]) {
    std::thread::scope(|scope| {
        for play in plays {
            scope.spawn(move || again(play));
        }
    });
}

#[test]
fn what_is_good_is_promoted_switched_and_approved() {
    together(&[canary, blue_green, gate]);
}

#[test]
fn what_is_bad_is_backed_out_and_tried_again() {
    together(&[bad_canary, analysis, morning]);
}

#[test]
fn what_cannot_be_known_is_said_and_found_out() {
    together(&[outage, lost_answer]);
}

#[test]
fn every_depth_of_colour_tells_the_same() {
    std::thread::scope(|scope| {
        for depth in [Depth::Indexed, Depth::Sixteen, Depth::None] {
            scope.spawn(move || {
                again(|| {
                    let mut player = Player::at("canary", 20.0, depth);
                    player.look("waiting");
                    promote(&mut player, "checkout");
                    player.later_until("QUIET  1");
                    player.look("healthy");
                });
            });
            scope.spawn(move || {
                again(|| {
                    let mut player = Player::at("bad-canary", 4.0, depth);
                    promote(&mut player, "catalog");
                    player.later_until("told: pager");
                    player.look("alert");
                });
            });
        }
    });
}

/// The first write to a production environment is typed.
fn promote(player: &mut Player, service: &str) {
    player.press("p", "Type prod-eu to promote");
    player.confirm("prod-eu\r", &format!("Promote {service}: done"));
}

fn back_out(player: &mut Player, reason: &str) {
    player.press("x", "Y backs out");
    player.confirm("Y", "Why was it done?");
    player.windlass.key(reason);
    player.windlass.key("\r");
    player.windlass.until_gone("Why was it done?");
}

fn canary() {
    let mut player = Player::of("canary", 20.0);
    promote(&mut player, "checkout");
    player.keep("promoted");
    player.later_until("QUIET  1");
    player.keep("healthy");
    assert!(!player.windlass.text().contains("v2.30.4 →"));
}

fn bad_canary() {
    let mut player = Player::of("bad-canary", 4.0);
    promote(&mut player, "catalog");
    player.later_until("told: pager");
    player.keep("alert");
    back_out(&mut player, "errors rise");
    player.later_until("canary nothing since");
    player.later_until("alert resolved");
    player.keep("backed_out");
}

fn blue_green() {
    let mut player = Player::of("blue-green", 1.0);
    player.press("p", "Type prod-eu to promote all the same:");
    player.keep("dialog");
    player.confirm("prod-eu\r", "all traffic switched");
    player.later_until("QUIET  1");
    player.keep("switched");
}

fn analysis() {
    let mut player = Player::of("analysis", 5.0);
    player.later_until("BROKEN  2");
    player.select("ledger");
    player.press("\r", "Story of this release");
    player.tab_until("✖ Failed  Step");
    player.keep("failed");
    player.press("m", "opens its plan");
    player.windlass.walk_to("▌   retry ");
    player.press("\r", "Retry ledger in prod-eu");
    player.confirm("prod-eu\r", "Retry ledger: done");
    player.later_until("-3-1.1' Status New: 'Failed'");
    player.keep("retried");
}

fn gate() {
    let mut player = Player::of("gate", 5.0);
    player.press("3", "an approval lets go");
    player.keep("inbox");
    player.press("a", "Type prod-eu to approve");
    player.confirm("prod-eu\r", "nothing waits for a human");
    player.press("1", "SERVICE");
    player.later_until("→ v2.3.0");
    player.keep("approved");
}

fn outage() {
    let mut player = Player::of("outage", 5.0);
    player.later_until("prometheus/prod-eu unreachable");
    player.keep("metrics_gone");
    player.later_until("● 4 sources");
    player.later_until("github/127.0.0.1 unreachable");
    player.select("checkout");
    player.press("\r", "Story of this release");
    player.keep("pipeline_gone");
    player.later_until("● 4 sources");
    player.keep("back");
}

fn lost_answer() {
    let mut player = Player::of("lost-answer", 1.0);
    player.select("checkout");
    back_out(&mut player, "to see");
    player.keep("found_out");
    player.press("8", "Audit log of this machine");
    player.keep("audit");
    // Once, and never again.
    let patches = player.windlass.patches();
    assert_eq!(patches.len(), 1, "{patches:#?}");
    assert_eq!(patches[0].status, None, "its answer was lost");
}

fn morning() {
    let mut player = Player::of("morning", 1.0);
    player.windlass.until("BROKEN  3");
    player.press("n", "▌  ");
    player.keep("first");
    player.windlass.key("/pay");
    player.windlass.until("1 of 40");
    player.press("\r", "▌  payments");
    player.keep("filtered");
    player.press("9", "everything that is watched is in sync");
    player.keep("sources");
}
