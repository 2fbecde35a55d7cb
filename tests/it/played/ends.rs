//! Each scenario to its end, and the screen at the end and at one telling moment before.

use super::player::{Depth, Player, again};

/// Once for each depth of colour, in a terminal each, all at once: they mostly wait.
fn at_every_depth(play: fn(Depth)) {
    std::thread::scope(|scope| {
        for depth in [Depth::True, Depth::Indexed, Depth::Sixteen] {
            scope.spawn(move || again(|| play(depth)));
        }
    });
}

#[test]
fn a_canary_is_promoted_step_by_step() {
    at_every_depth(canary);
}

#[test]
fn a_bad_canary_fires_an_alert_and_is_backed_out() {
    at_every_depth(bad_canary);
}

#[test]
fn all_traffic_is_switched() {
    at_every_depth(blue_green);
}

#[test]
fn an_analysis_fails_and_is_tried_again() {
    at_every_depth(analysis);
}

#[test]
fn a_gate_is_approved_and_what_it_held_arrives() {
    at_every_depth(gate);
}

#[test]
fn sources_go_away_and_come_back() {
    at_every_depth(outage);
}

#[test]
fn an_answer_is_lost_and_what_became_of_it_found_out() {
    at_every_depth(lost_answer);
}

#[test]
fn a_morning_is_looked_through() {
    at_every_depth(morning);
}

#[test]
fn an_incident_is_found_and_stopped_in_the_game() {
    at_every_depth(game_day);
}

#[test]
fn without_colour_everything_is_told_by_words_and_shapes() {
    std::thread::scope(|scope| {
        scope.spawn(|| again(|| canary(Depth::None)));
        scope.spawn(|| again(|| bad_canary(Depth::None)));
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

fn canary(depth: Depth) {
    let mut player = Player::at("canary", 20.0, depth);
    promote(&mut player, "checkout");
    player.keep("promoted");
    player.later_until("QUIET  1");
    player.keep("healthy");
    assert!(!player.windlass.text().contains("v2.30.4 →"));
}

fn bad_canary(depth: Depth) {
    let mut player = Player::at("bad-canary", 4.0, depth);
    promote(&mut player, "catalog");
    player.later_until("told: pager");
    player.keep("alert");
    back_out(&mut player, "errors rise");
    player.later_until("canary nothing since");
    player.later_until("alert resolved");
    player.keep("backed_out");
}

fn blue_green(depth: Depth) {
    let mut player = Player::at("blue-green", 1.0, depth);
    player.press("p", "Type prod-eu to promote all the same:");
    player.keep("dialog");
    player.confirm("prod-eu\r", "all traffic switched");
    player.later_until("QUIET  1");
    player.keep("switched");
}

fn analysis(depth: Depth) {
    let mut player = Player::at("analysis", 5.0, depth);
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

fn gate(depth: Depth) {
    let mut player = Player::at("gate", 5.0, depth);
    player.press("3", "an approval lets go");
    player.keep("inbox");
    player.press("a", "Type prod-eu to approve");
    player.confirm("prod-eu\r", "nothing waits for a human");
    player.press("1", "SERVICE");
    player.later_until("→ v2.3.0");
    player.keep("approved");
}

fn outage(depth: Depth) {
    let mut player = Player::at("outage", 5.0, depth);
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

fn lost_answer(depth: Depth) {
    let mut player = Player::at("lost-answer", 1.0, depth);
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

fn morning(depth: Depth) {
    let mut player = Player::at("morning", 1.0, depth);
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

fn game_day(depth: Depth) {
    let mut player = Player::at("game-day", 1.0, depth);
    player.later_until("game day 02:");
    player.keep("it_hurts");
    player.press("/payments", "1 of ");
    player.press("\r", "▌  payments");
    back_out(&mut player, "errors rise");
    player.later_until("aborted");
    player.keep("stopped");
}
