//! A firing alert comes before everything, and asks for more to go on and never for more to go back.

use super::shop::Shop;
use crate::screen::harness::{Windlass, text_of};

fn scenario(alert: &str) -> String {
    format!(
        r#"
about = "a canary, and perhaps an alert on it"
environment = "prod-eu"
[[namespace]]
name = "shop"
[[service]]
name = "api"
namespace = "shop"
replicas = 4
steps = ["weight 25", "pause", "weight 50", "pause"]
story = [
  {{ ago = "2d", release = {{ version = "v1.0.0" }} }},
  {{ ago = "50m", release = {{ version = "v1.1.0", stays = true }} }},
]
[[service]]
name = "web"
namespace = "shop"
replicas = 4
steps = ["weight 25", "pause", "weight 50", "pause"]
story = [
  {{ ago = "2d", release = {{ version = "v2.0.0" }} }},
  {{ ago = "20m", release = {{ version = "v2.1.0", stays = true }} }},
  {alert}
]
"#
    )
}

const ALERT: &str = r#"{ ago = "5m", alert = { name = "Slow", severity = "warning", summary = "Pages take 9 s" } },"#;

fn board(shop: &Shop) -> Windlass {
    let windlass = shop.screen();
    windlass.until_live();
    windlass.until("  web ");
    windlass.until("  api ");
    windlass
}

fn place(windlass: &Windlass, service: &str) -> usize {
    windlass
        .text()
        .lines()
        .position(|line| line.contains(&format!("  {service} ")))
        .unwrap()
}

#[test]
fn a_firing_alert_lifts_its_release_above_everything() {
    let quiet = Shop::told(&scenario(""));
    let windlass = board(&quiet);
    // The one that has waited longest.
    assert!(place(&windlass, "api") < place(&windlass, "web"));
    drop(windlass);

    let loud = Shop::told(&scenario(ALERT));
    let windlass = board(&loud);
    windlass.until_screen("web above api", |screen| {
        let text = text_of(screen);
        let at = |service: &str| {
            text.lines()
                .position(|line| line.contains(&format!("  {service} ")))
        };
        at("web") < at("api") && text.contains("BROKEN  1")
    });
    windlass.until("Pages take 9 s");
}

#[test]
fn an_open_incident_asks_for_more_to_promote_and_not_to_back_out() {
    let shop = Shop::told(&scenario(ALERT));
    let mut windlass = board(&shop);
    windlass.until("Pages take 9 s");
    windlass.key("/web\r");
    windlass.until("▌  web ");
    windlass.key("p");
    windlass.until("an incident is open on it: Pages take 9 s");
    windlass.until("Type prod-eu to promote");
    windlass.until_listening();
    windlass.key("\x1b");
    windlass.until_gone("Type prod-eu to promote");
    windlass.key("x");
    windlass.until("Y backs out");
    windlass.until_listening();
    assert!(!windlass.text().contains("an incident is open"));
    windlass.key("\x1b");
    windlass.until_gone("Y backs out");
    windlass.leaves_without_a_change();
}

#[test]
fn by_command_yes_is_not_enough_while_an_incident_is_open() {
    let shop = Shop::told(&scenario(ALERT));
    // The one without an alert.
    shop.act(&["promote", "api", "--yes"]).exits(0);
    shop.act(&["promote", "web", "--yes"])
        .exits(4)
        .says("prod-eu");
    let ran = shop.run(&["promote", "web", "--dry-run", "--json"]).json();
    let guards = ran["guards"].to_string();
    assert!(guards.contains("Pages take 9 s"), "{guards}");
    shop.act(&["promote", "web", "--confirm", "prod-eu"])
        .exits(0);
    shop.act(&["backout", "web", "--yes"]).exits(0);
}

#[test]
fn whether_an_incident_is_open_may_be_unknown_and_then_yes_is_not_enough() {
    let shop = Shop::told(&scenario(""));
    shop.inject("500@alertmanager");
    let ran = shop.act(&["promote", "api", "--yes"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    let ran = shop.run(&["promote", "api", "--dry-run", "--json"]).json();
    assert!(
        ran["guards"].to_string().contains("is not known"),
        "{}",
        ran["guards"]
    );
    assert!(shop.writes_to("kubernetes").is_empty());
    shop.act(&["backout", "api", "--yes"]).exits(0);
}

#[test]
fn an_approval_onto_an_open_incident_has_to_be_typed() {
    let scenario = r#"
about = "a gate onto an incident"
environment = "prod-eu"
[[namespace]]
name = "shop"
[[service]]
name = "mail"
namespace = "shop"
kind = "deployment"
story = [
  { ago = "2d", release = { version = "v1.4.0" } },
  { ago = "34m", pipeline = { version = "v1.5.0", waits = "prod-eu" } },
  { ago = "9m", alert = { name = "Deep", severity = "critical", summary = "Mails wait for an hour" } },
]
"#;
    let shop = Shop::told(scenario);
    let gate = shop.gate_of("mail");
    shop.act(&["approve", &gate.id(), "--yes"]).exits(4);
    assert!(shop.writes_to("github").is_empty());
    // To say no is never harder.
    shop.act(&["reject", &gate.id(), "--yes"]).exits(0);
    assert_eq!(shop.writes_to("github").len(), 1);
}
