//! Nothing is released that was not on the screen. GitHub takes no precondition, so whatever changes between the plan and
//! the request has to be found by reading once more; here each thing that can change does, after the plan was shown.

use serde_json::{Value, json};

use super::{
    between::{Between, Seen, Then},
    gates::plan_of_approval,
    shop::{Gate, Shop},
};

/// The plan is on the screen; then `meanwhile` happens, and the plan is confirmed.
#[track_caller]
fn refused_on_the_screen(shop: &Shop, meanwhile: impl FnOnce(), because: &str) {
    let mut windlass = plan_of_approval(shop);
    meanwhile();
    let before = shop.writes_to("github").len();
    windlass.key("prod-eu\r");
    windlass.until(because);
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert_eq!(shop.writes_to("github").len(), before, "nothing was sent");
}

#[test]
fn a_gate_that_somebody_else_decided_is_not_approved() {
    let shop = Shop::open("gate");
    let gate = shop.gate_of("cart");
    refused_on_the_screen(
        &shop,
        || drop(shop.github("POST", &gate.path(), Some(&gate.answer("rejected")))),
        "refused",
    );
    assert_eq!(shop.run_of("cart")["conclusion"], "failure");
}

#[test]
fn a_run_that_was_started_again_is_not_approved() {
    let shop = Shop::open("gate");
    let gate = shop.gate_of("cart");
    refused_on_the_screen(
        &shop,
        || {
            shop.github("POST", &gate.path(), Some(&gate.answer("rejected")));
            let again = format!("/repos/acme/cart/actions/runs/{}/rerun", gate.run);
            shop.github("POST", &again, None);
        },
        "it is attempt 2 now",
    );
    assert_eq!(shop.run_of("cart")["run_attempt"], 2);
}

type Change = fn(&Gate, &mut Value);

/// What may come back changed, on which path, and what is said then.
fn changes() -> [(&'static str, Change, &'static str); 4] {
    [
        (
            "",
            |_, run| run["head_sha"] = json!("f".repeat(40)),
            "the commit",
        ),
        (
            "/jobs",
            |_, jobs| {
                let all = jobs["jobs"].as_array_mut().unwrap();
                let mut other = all.last().unwrap().clone();
                other["id"] = json!(99);
                other["name"] = json!("deploy-payments");
                all.push(other);
            },
            "other jobs wait there now",
        ),
        (
            "/pending_deployments",
            |_, gates| gates[0]["environment"]["name"] = json!("prod-us"),
            "the environment is called prod-us now",
        ),
        (
            "/pending_deployments",
            |_, gates| *gates = json!([]),
            "nothing waits for prod-eu any more",
        ),
    ]
}

fn is_of_run(seen: &Seen, gate: &Gate, part: &str) -> bool {
    let path = seen.path.split('?').next().unwrap_or_default();
    let of_run = format!("/actions/runs/{}", gate.run);
    let rest = path.split_once(&of_run).map(|(_, rest)| rest);
    // The jobs are asked for by attempt or without.
    rest.is_some_and(|rest| match part {
        "" => rest.is_empty(),
        "/jobs" => rest.ends_with("/jobs"),
        part => rest == part,
    })
}

/// From the `nth` read of the run on, this part of it comes back changed.
fn changes_from(between: &Between, gate: &Gate, nth: usize, part: &'static str, change: Change) {
    let gate = gate.clone();
    let mut reads = 0;
    between.now(move |seen| {
        if seen.method != "GET" {
            return Then::Forward;
        }
        if is_of_run(seen, &gate, "") {
            reads += 1;
        }
        if reads >= nth && is_of_run(seen, &gate, part) {
            let gate = gate.clone();
            return Then::Change(Box::new(move |value| change(&gate, value)));
        }
        Then::Forward
    });
}

#[test]
fn whatever_else_changed_after_the_plan_was_shown_is_found_before_it_is_sent() {
    for (part, change, because) in changes() {
        let (shop, between) = Shop::open("gate").behind_github();
        let gate = shop.gate_of("cart");
        refused_on_the_screen(
            &shop,
            || changes_from(&between, &gate, 0, part, change),
            "refused",
        );
        assert!(between.posted().is_empty(), "{because}");
    }
}

/// What reads once more, immediately before the request would leave, reads after everything that a look at the plan
/// reads.
#[test]
fn a_command_looks_once_more_at_the_last_moment() {
    for (part, change, because) in changes() {
        let (shop, between) = Shop::open("gate").behind_github();
        let gate = shop.gate_of("cart");
        shop.run(&["approve", &gate.id(), "--dry-run"]).exits(0);
        let looked = between.arrived();
        let reads = looked
            .iter()
            .filter(|seen| is_of_run(seen, &gate, ""))
            .count();
        changes_from(&between, &gate, reads + 1, part, change);
        let ran = shop.act(&["approve", &gate.id(), "--yes"]).exits(3);
        let words = ran.json()["observed"]["words"]
            .as_str()
            .unwrap_or_else(|| panic!("{because}: {}{}", ran.out, ran.err))
            .to_owned();
        assert!(words.contains(because), "{words}");
        assert!(between.posted().is_empty(), "{because}");
        assert!(shop.writes_to("github").is_empty());
    }
}

#[test]
fn an_id_that_differs_in_anything_is_refused() {
    let shop = Shop::open("gate");
    let gate = shop.gate_of("cart");
    let id = gate.id();
    for (wrong, code, because) in [
        (
            id.replace(&format!("/{}/1/", gate.run), &format!("/{}/2/", gate.run)),
            3,
            "attempt 1 now",
        ),
        (
            id.replace(&gate.commit, &"0".repeat(40)),
            3,
            "the commit of the run is",
        ),
        (
            id.replace("prod-eu", "prod-us"),
            3,
            "nothing waits for prod-us",
        ),
        (id.replace(&gate.run.to_string(), "77"), 7, "not found"),
        (id.replace("acme/cart/", "acme/nowhere/"), 7, "not found"),
        (
            "cart".to_owned(),
            2,
            "an id is OWNER/REPOSITORY/RUN/ATTEMPT/ENVIRONMENT/COMMIT",
        ),
        (format!("{id}/more"), 2, "an id is OWNER"),
    ] {
        for verb in ["approve", "reject"] {
            let ran = shop.act(&[verb, &wrong, "--yes"]);
            assert_eq!(ran.code, code, "{wrong}: {}{}", ran.out, ran.err);
            ran.says(because);
        }
    }
    assert!(shop.writes_to("github").is_empty());
    assert_eq!(shop.run_of("cart")["status"], "waiting");
}
