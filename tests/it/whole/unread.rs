//! What a command did not read is said, and told by its exit code: an answer with a hole in it is not a short answer.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use serde_json::{Value, json};

use super::{
    between::{Seen, Then},
    gates::TWO_GATES,
    shop::Shop,
};

fn forbidden() -> Then {
    let body = json!({"message": "Resource not accessible by personal access token"});
    Then::Say(403, "application/json", body.to_string())
}

/// Two gates, of which what is asked about `mail` is refused where `part` is in the path.
fn shop_without(part: &'static str) -> Shop {
    let (shop, between) = Shop::told(TWO_GATES).behind_github();
    between.now(move |seen: &Seen| {
        match seen.path.contains("/acme/mail/") && seen.path.contains(part) {
            true => forbidden(),
            false => Then::Forward,
        }
    });
    // Whatever comes between lives as long as the test process.
    shop
}

#[test]
fn a_repository_that_cannot_be_read_is_named_beside_the_gates_that_were() {
    let shop = shop_without("");
    let ran = shop.run(&["inbox"]).exits(8);
    assert!(ran.out.contains("acme/cart #"), "{}", ran.out);
    assert!(!ran.out.contains("acme/mail #"), "{}", ran.out);
    assert!(ran.err.contains("acme/mail: "), "{}", ran.err);
    assert!(ran.err.contains("not accessible"), "{}", ran.err);
}

#[test]
fn gates_of_one_run_that_cannot_be_read_are_named_as_well() {
    let shop = shop_without("/pending_deployments");
    let ran = shop.run(&["inbox"]).exits(8);
    assert!(ran.out.contains("acme/cart #"), "{}", ran.out);
    assert!(
        ran.err.contains("acme/mail: jobs and gates of #"),
        "{}",
        ran.err
    );
}

#[test]
fn where_a_version_is_deployed_hides_no_gate() {
    let shop = shop_without("/deployments?");
    let ran = shop.run(&["inbox"]).exits(0);
    assert!(ran.out.contains("acme/mail #"), "{}", ran.out);
    assert!(!ran.err.contains("acme/mail"), "{}", ran.err);
}

#[test]
fn a_decision_that_is_refused_is_an_object_like_one_that_is_made() {
    let shop = Shop::open("gate");
    let id = shop.gate_of("cart").id();
    let other_attempt = id.replace("/1/prod-eu/", "/2/prod-eu/");
    let no_run = "acme/cart/1/1/prod-eu/ffffffffffffffffffffffffffffffffffffffff";
    for (asked, code, because) in [
        (other_attempt.as_str(), 3, "attempt 1 now"),
        (no_run, 7, "404"),
        ("cart", 2, "an id is"),
    ] {
        let ran = shop.act(&["approve", asked, "--yes"]).exits(code);
        let told = ran.json();
        assert_eq!(told["schema"], "windlass.action/1", "{told}");
        assert_eq!(
            (
                &told["outcome"],
                &told["verb"],
                &told["plan"],
                &told["audit_id"]
            ),
            (
                &json!("refused"),
                &json!("approve"),
                &Value::Null,
                &Value::Null
            ),
            "{told}"
        );
        let guard = &told["guards"][0];
        assert_eq!(guard["answer"], "deny");
        let why = guard["because"].as_str().unwrap();
        assert!(why.contains(because), "{asked}: {why}");
    }
    assert!(shop.writes_to("github").is_empty());
}

/// The state of the CI host in one line of `status --watch --json`.
fn state_of_github(line: &str) -> String {
    let told: Value = serde_json::from_str(line).unwrap();
    let sources = told["sources"].as_array().unwrap();
    let github = sources.iter().find(|source| source["kind"] == "github");
    github.unwrap()["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_watched_status_tells_of_a_source_that_is_lost_and_of_its_return() {
    let shop = Shop::open("gate");
    let mut watching = shop
        .command(&["status", "--watch", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert_eq!(state_of_github(&lines.next().unwrap()), "live");
    shop.inject("500@github");
    assert!(lines.any(|line| state_of_github(&line) != "live"));
    shop.heal();
    assert!(lines.any(|line| state_of_github(&line) == "live"));
    watching.kill().unwrap();
    watching.wait().unwrap();
}
