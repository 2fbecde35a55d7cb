//! Runs: cancelled while they are under way, started again when they have ended.

use super::{gates::choose, shop::Shop};
use crate::screen::harness::{Windlass, text_of};

/// At a release, opened.
fn at(shop: &Shop, service: &str) -> Windlass {
    let mut windlass = shop.screen();
    windlass.until_live();
    windlass.key(&format!("/{service}\r"));
    windlass.until(&format!("▌  {service}"));
    windlass.key("\r");
    windlass.until("Story of this release");
    // Until its run is told, nothing can be done about it.
    windlass.until_screen("its run", |screen| {
        let text = text_of(screen);
        text.contains("its commit is") || text.contains("its tag is")
    });
    windlass
}

fn path(shop: &Shop, repository: &str, verb: &str) -> String {
    let run = shop.run_of(repository)["id"].as_u64().unwrap();
    format!("/repos/acme/{repository}/actions/runs/{run}/{verb}")
}

#[track_caller]
fn assert_posted(shop: &Shop, paths: &[&str]) {
    let sent = shop.writes_to("github");
    let posted: Vec<&str> = sent.iter().map(|request| &*request.path).collect();
    assert_eq!(posted, paths);
    assert!(sent.iter().all(|request| request.method == "POST"));
}

#[test]
fn a_run_is_cancelled_from_its_release_and_started_again() {
    let shop = Shop::open("gate");
    let cancel = path(&shop, "checkout", "cancel");
    let rerun = path(&shop, "checkout", "rerun-failed-jobs");
    let number = shop.run_of("checkout")["run_number"].clone();
    let mut windlass = at(&shop, "checkout");
    choose(&mut windlass, "cancel");
    windlass.until(&format!("Cancel acme/checkout #{number}"));
    windlass.until_listening();
    windlass.key("prod-eu\r");
    windlass.until(&format!("Cancel acme/checkout #{number}: done, cancelled"));
    assert_posted(&shop, &[&cancel]);
    assert_eq!(shop.run_of("checkout")["conclusion"], "cancelled");
    // What was cancelled is what is run again, and not the run of the version that serves.
    windlass.until("last – #");
    choose(&mut windlass, "re-run failed");
    windlass.until(&format!("Re-run what failed in acme/checkout #{number}"));
    windlass.until_listening();
    windlass.key("prod-eu\r");
    windlass.until(": done, attempt 2");
    assert_posted(&shop, &[&cancel, &rerun]);
    assert_eq!(shop.run_of("checkout")["run_attempt"], 2);
}

#[test]
fn a_finished_run_is_run_again_with_its_own_commit() {
    let shop = Shop::open("analysis");
    let rerun = path(&shop, "catalog", "rerun");
    let commit = shop.run_of("catalog")["head_sha"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut windlass = at(&shop, "catalog");
    choose(&mut windlass, "re-run ");
    windlass.until("Re-run acme/catalog #");
    // That it is an old commit is said, and asks for more than Y.
    windlass.until(&commit[..7]);
    windlass.until("not a newer one");
    windlass.until_listening();
    windlass.key("prod-eu\r");
    windlass.until("Re-run acme/catalog #");
    windlass.until(": done, attempt 2");
    assert_posted(&shop, &[&rerun]);
}

#[test]
fn a_run_that_ended_meanwhile_is_not_cancelled() {
    let shop = Shop::open("gate");
    let number = shop.run_of("checkout")["run_number"].clone();
    let mut windlass = at(&shop, "checkout");
    choose(&mut windlass, "cancel");
    windlass.until(&format!("Cancel acme/checkout #{number}"));
    windlass.until_listening();
    shop.github("POST", &path(&shop, "checkout", "cancel"), None);
    shop.until_run("checkout", "cancelled", |run| {
        run["conclusion"] == "cancelled"
    });
    windlass.key("prod-eu\r");
    windlass.until("refused");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert_eq!(shop.writes_to("github").len(), 1, "only the other one");
}
