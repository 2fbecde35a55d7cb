//! What is asked by command, against what the world says of itself.

use serde_json::Value;

use super::shop::Shop;

fn release(answer: &Value) -> Value {
    answer["releases"][0].clone()
}

#[test]
fn the_configuration_of_all_this_has_ten_lines() {
    let shop = Shop::open("gate");
    let text = shop.configuration();
    assert!(text.lines().count() <= 10, "{text}");
    shop.run(&["config", "check"]).exits(0);
}

#[test]
fn one_service_is_told_with_its_pipeline_its_numbers_and_its_incidents() {
    let shop = Shop::open("canary");
    let answer = shop.run(&["status", "checkout", "--json"]).exits(0).json();
    for source in answer["sources"].as_array().unwrap() {
        assert_eq!(source["state"], "live", "{source}");
    }
    assert_eq!(answer["sources"].as_array().unwrap().len(), 4);
    let release = release(&answer);
    // The run is the one that GitHub has.
    let run = shop.run_of("checkout");
    let pipeline = &release["pipeline"];
    assert_eq!(pipeline["repository"], "acme/checkout");
    assert_eq!(pipeline["state"], "live");
    assert_eq!(pipeline["run"]["id"], run["id"]);
    assert_eq!(pipeline["run"]["number"], run["run_number"]);
    assert_eq!(pipeline["run"]["commit"], run["head_sha"]);
    assert_eq!(pipeline["run"]["attempt"], run["run_attempt"]);
    // Both versions were counted.
    let metrics = &release["metrics"];
    for arm in ["canary", "stable"] {
        let errors = &metrics[arm]["errors"];
        assert_eq!(errors["outcome"], "value", "{metrics:#}");
        let (bad, all) = (
            errors["value"]["bad"].as_f64().unwrap(),
            errors["value"]["all"].as_f64().unwrap(),
        );
        assert!(all > 0.0 && bad <= all, "{errors}");
    }
    // Nothing fires, which is told as that.
    assert_eq!(release["incidents"], serde_json::json!([]));
}

#[test]
fn the_alerts_of_a_service_are_those_that_alertmanager_has() {
    let shop = Shop::open("morning");
    let answer = shop.run(&["status", "images", "--json"]).exits(0).json();
    let mut told: Vec<String> = release(&answer)["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| alert["id"].as_str().unwrap().to_owned())
        .collect();
    let mut there: Vec<String> = shop
        .alertmanager("GET", "/api/v2/alerts", None)
        .as_array()
        .unwrap()
        .iter()
        .filter(|alert| alert["labels"]["service"] == "images")
        .map(|alert| alert["fingerprint"].as_str().unwrap().to_owned())
        .collect();
    told.sort();
    there.sort();
    assert!(!there.is_empty());
    assert_eq!(told, there);
}

#[test]
fn a_service_with_a_firing_alert_is_never_called_healthy() {
    let shop = Shop::open("morning");
    let answer = shop.run(&["status", "images", "--json"]).exits(0).json();
    assert_eq!(release(&answer)["incidents"][0]["state"], "firing");
    let ran = shop.run(&["status"]).exits(0);
    let line = ran
        .out
        .lines()
        .find(|line| line.starts_with("images"))
        .unwrap();
    assert!(!line.contains("healthy"), "{}", ran.out);
    assert!(line.contains("alert"), "{}", ran.out);
    // It comes before whatever is only waiting or quiet.
    let place = |name: &str| {
        ran.out
            .lines()
            .position(|line| line.starts_with(name))
            .unwrap()
    };
    assert!(place("images") < place("search"), "{}", ran.out);
    assert!(place("images") < place("accounts"), "{}", ran.out);
    let ran = shop.run(&["status", "images"]).exits(0);
    assert!(!ran.out.contains("healthy"), "{}", ran.out);
}

#[test]
fn the_inbox_has_gates_and_rollouts_oldest_first_under_ids_that_can_be_decided() {
    let shop = Shop::open("gate");
    let answer = shop.run(&["inbox", "--json"]).exits(0).json();
    let waiting = answer["waiting"].as_array().unwrap();
    let gate = shop.gate_of("cart");
    let first = &waiting[0];
    assert_eq!(first["kind"], "gate");
    assert_eq!(first["id"], gate.id());
    assert_eq!(first["env"], "prod-eu");
    assert_eq!(first["run"], gate.run);
    assert_eq!(first["attempt"], gate.attempt);
    assert_eq!(first["commit"], gate.commit);
    assert_eq!(first["may_decide"], true);
    assert_eq!(first["jobs"], serde_json::json!(["deploy"]));
    assert_eq!(
        first["releases"],
        serde_json::json!(["prod-eu/shop/argo-rollout/cart"])
    );
    let since: Vec<&str> = waiting
        .iter()
        .map(|one| one["since"].as_str().unwrap())
        .collect();
    assert!(since.is_sorted(), "{since:?}");
    // As it is printed, it is taken.
    let id = first["id"].as_str().unwrap();
    shop.run(&["approve", id, "--dry-run"]).exits(0);
}

#[test]
fn doctor_says_who_one_is_and_what_is_left_of_the_budget() {
    let shop = Shop::open("gate");
    let answer = shop.run(&["doctor", "--json"]).exits(0).json();
    let sources = answer["sources"].as_array().unwrap();
    let of = |kind: &str| {
        sources
            .iter()
            .find(|source| source["id"].as_str().unwrap().starts_with(kind))
            .unwrap()
    };
    for source in sources {
        assert_eq!(source["state"], "live", "{source}");
        assert!(source["answered_ms"].is_u64(), "{source}");
    }
    assert_eq!(of("kubernetes")["who"]["name"], "you@demo");
    let github = of("github");
    assert_eq!(github["who"]["name"], "you");
    assert_eq!(github["budget"]["limit"], 5000);
    assert!(github["budget"]["remaining"].as_u64().unwrap() < 5000);
    for kind in ["github", "prometheus", "alertmanager"] {
        assert_eq!(of(kind)["clock"]["differs"], false, "{}", of(kind));
    }
    shop.inject("clock:-90@alertmanager");
    let answer = shop.run(&["doctor", "--json"]).json();
    let alertmanager = answer["sources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|source| source["kind"] == "alertmanager")
        .unwrap()
        .clone();
    assert_eq!(alertmanager["clock"]["differs"], true, "{alertmanager}");
}

#[test]
fn config_init_writes_down_what_answers_and_leaves_out_what_does_not() {
    let shop = Shop::open("gate");
    let world = shop.hosts();
    let ran: super::shop::Ran = shop
        .command(&[
            "config",
            "init",
            "--print",
            "--config",
            "/nowhere/windlass.toml",
        ])
        .env("PROMETHEUS_URL", &world.prometheus)
        .env("ALERTMANAGER_URL", &world.github)
        // A folder for temporary files is nothing that this needs.
        .env("TMPDIR", "/nowhere")
        .output()
        .unwrap()
        .into();
    let ran = ran.exits(0);
    let written: toml::Table = ran.out.parse().unwrap();
    let environment = &written["environments"]["prod-eu"];
    assert_eq!(
        environment["prometheus"]["url"].as_str(),
        Some(&*world.prometheus)
    );
    assert!(
        environment.get("alertmanager").is_none(),
        "GitHub is no alert manager: {}",
        ran.out
    );
    assert!(ran.out.contains("#alertmanager"));
    assert!(shop.writes_to("github").is_empty());
}

#[test]
fn a_wrong_line_is_named_and_nothing_starts() {
    let shop = Shop::open("gate");
    let broken = shop.configuration().replace("workflow", "workflows");
    std::fs::write(shop.place("windlass.toml"), broken).unwrap();
    shop.run(&["inbox"])
        .exits(2)
        .says("windlass.toml:9")
        .says("workflow");
}

#[test]
fn a_name_that_nobody_has_is_answered_with_what_there_is() {
    let shop = Shop::open("morning");
    let listed = shop.run(&["status", "--json"]).exits(0).json();
    let count = listed["releases"].as_array().unwrap().len();
    assert!(count > 3, "{count}");
    shop.run(&["status", "zzzzzzzzzzzz"])
        .exits(7)
        .says(&format!(
            "zzzzzzzzzzzz was not found among {count} releases"
        ));
    shop.run(&["status", "chekcout"]).exits(7).says("/checkout");
}
