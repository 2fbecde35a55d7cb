//! Silences: made from the release on which an alert fires, ended again, and never made twice.

use serde_json::Value;

use super::{gates::choose, shop::Shop};
use crate::screen::harness::{Windlass, text_of};

/// One service that fires, and nothing else.
const FIRING: &str = r#"
about = "an alert that fires"
environment = "prod-eu"
[[namespace]]
name = "shop"
[[service]]
name = "checkout"
namespace = "shop"
replicas = 4
steps = ["weight 25", "pause"]
story = [
  { ago = "2d", release = { version = "v2.30.4" } },
  { ago = "20m", release = { version = "v2.31.0", stays = true } },
  { ago = "9m", alert = { name = "QueueGrows", severity = "warning", summary = "The queue grows by 3 a second" } },
]
"#;

fn firing(shop: &Shop) -> Windlass {
    let windlass = shop.screen();
    windlass.until_live();
    windlass.until("▌  checkout");
    windlass.until_screen("that an alert fires", |screen| {
        text_of(screen).contains("The queue grows")
    });
    windlass
}

fn silences(shop: &Shop) -> Vec<Value> {
    let all = shop.alertmanager("GET", "/api/v2/silences", None);
    all.as_array().unwrap().clone()
}

#[test]
fn an_alert_is_silenced_from_its_release_and_told_again_when_the_silence_is_ended() {
    let shop = Shop::told(FIRING);
    let mut windlass = firing(&shop);
    choose(&mut windlass, "silence");
    windlass.until("Silence The queue grows by 3 a second");
    windlass.until("[x] alertname = QueueGrows");
    windlass.until("1 alert of now would be silent");
    windlass.key("\r");
    windlass.until("Silence alertname=");
    windlass.until("Type prod-eu to silence");
    windlass.until_listening();
    let shown = windlass.text();
    assert!(shop.writes_to("alertmanager").is_empty());
    windlass.key("prod-eu\r");
    windlass.until(": done,");
    let sent = shop.writes_to("alertmanager");
    assert_eq!(sent.len(), 1, "{sent:#?}");
    assert_eq!(
        (&*sent[0].method, &*sent[0].path),
        ("POST", "/api/v2/silences")
    );
    let body = sent[0].body.clone().unwrap();
    assert_eq!(body.get("id"), None);
    // What was on the screen is what was sent: its times, its comment and its labels.
    let on_screen: String = shown.split_whitespace().collect::<Vec<_>>().join("");
    for name in ["startsAt", "endsAt", "comment", "createdBy"] {
        let value: String = body[name].as_str().unwrap().split_whitespace().collect();
        assert!(
            flat(&on_screen).contains(&value),
            "{name}: {value} is not in\n{shown}"
        );
    }
    for matcher in body["matchers"].as_array().unwrap() {
        assert_eq!(matcher["isRegex"], false);
        assert_eq!(matcher["isEqual"], true);
        assert!(shown.contains(matcher["value"].as_str().unwrap()));
    }
    assert_eq!(silences(&shop).len(), 1);

    let id = silences(&shop)[0]["id"].as_str().unwrap().to_owned();
    windlass.key("\r");
    windlass.until("Story of this release");
    windlass.until("checkout v2.31.0");
    windlass.until("◇ ");
    choose(&mut windlass, "end the silence");
    windlass.until("End the silence alertname=");
    windlass.until("Y ends");
    windlass.until_listening();
    windlass.key("Y");
    windlass.until_gone("Y ends");
    windlass.until_screen("its end", |screen| {
        text_of(screen)
            .lines()
            .any(|line| line.contains("End the silence") && line.contains(": done,"))
    });
    let sent = shop.writes_to("alertmanager");
    assert_eq!(sent.len(), 2, "{sent:#?}");
    assert_eq!(
        (&*sent[1].method, &*sent[1].path),
        ("DELETE", &*format!("/api/v2/silence/{id}"))
    );
    assert_eq!(silences(&shop)[0]["status"]["state"], "expired");
}

/// Without the frame that a line was broken by.
fn flat(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '│' | '┌' | '└'))
        .collect()
}

#[test]
fn the_same_silence_is_not_made_twice() {
    let shop = Shop::told(FIRING);
    let silence = [
        "silence",
        "alertname=QueueGrows",
        "service=checkout",
        "--for",
        "30m",
        "--comment",
        "the relay moves",
    ];
    let ran = shop
        .act(&[&silence[..], &["--confirm", "prod-eu"]].concat())
        .exits(0);
    assert_eq!(ran.json()["outcome"], "observed");
    shop.act(&[&silence[..], &["--confirm", "prod-eu"]].concat())
        .exits(3)
        .says("the same silence is in force already");
    // The order of the labels makes it no other one.
    let turned = [
        "silence",
        "service=checkout",
        "alertname=QueueGrows",
        "--comment",
        "again",
        "--yes",
    ];
    shop.act(&turned).exits(3);
    assert_eq!(shop.writes_to("alertmanager").len(), 1);
}

#[test]
fn a_silence_is_made_and_ended_by_command() {
    let shop = Shop::told(FIRING);
    let ran = shop
        .act(&[
            "silence",
            "service=checkout",
            "--for",
            "30m",
            "--comment",
            "the relay moves",
            "--yes",
        ])
        .exits(0);
    assert_eq!(ran.json()["outcome"], "observed");
    let made = silences(&shop)[0].clone();
    assert_eq!(made["comment"], "the relay moves");
    assert_eq!(made["matchers"][0]["name"], "service");
    let status = shop.run(&["status", "checkout", "--json"]).exits(0).json();
    assert_eq!(
        status["releases"][0]["incidents"][0]["silenced_by"][0],
        made["id"]
    );
    let id = made["id"].as_str().unwrap();
    let ran = shop.act(&["silence", "--expire", id, "--yes"]).exits(0);
    assert_eq!(ran.json()["outcome"], "observed");
    assert_eq!(silences(&shop)[0]["status"]["state"], "expired");
    // What has ended is not ended again, and what never was is not found.
    shop.act(&["silence", "--expire", id, "--yes"])
        .exits(3)
        .says("has ended already");
    shop.act(&[
        "silence",
        "--expire",
        "00000000-0000-0000-0000-000000000000",
        "--yes",
    ])
    .exits(7);
    let sent = shop.writes_to("alertmanager");
    let methods: Vec<&str> = sent.iter().map(|request| &*request.method).collect();
    assert_eq!(methods, ["POST", "DELETE"]);
}

#[test]
fn a_silence_without_a_label_or_a_reason_is_no_silence() {
    let shop = Shop::told(FIRING);
    shop.act(&["silence", "--comment", "all of it", "--yes"])
        .exits(2);
    shop.act(&["silence", "service=checkout", "--yes"])
        .exits(2)
        .says("a silence says why");
    shop.act(&["silence", "service=~.*", "--comment", "x", "--yes"])
        .exits(2);
    shop.act(&["silence", "service=", "--comment", "x", "--yes"]);
    assert!(shop.writes_to("alertmanager").is_empty());
}
