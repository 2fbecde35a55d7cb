//! Gates, decided on the screen: from the Inbox through plan and ceremony to the one request and its effect.

use serde_json::json;

use super::shop::{Gate, Shop};
use crate::screen::harness::{Windlass, text_of};

/// Two services whose next version waits, and nothing else that could.
pub(super) const TWO_GATES: &str = r#"
about = "two gates"
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
]
[[service]]
name = "cart"
namespace = "shop"
kind = "deployment"
story = [
  { ago = "5h", release = { version = "v2.2.1" } },
  { ago = "9m", pipeline = { version = "v2.3.0", waits = "prod-eu" } },
]
"#;

/// In the Inbox, where the gate of `cart` is the oldest that waits and so the selected one.
pub(super) fn in_the_inbox(shop: &Shop, arguments: &[&str]) -> Windlass {
    let mut windlass = shop.screen_with(arguments);
    windlass.until_live();
    windlass.key("3");
    windlass.until("▌◆ acme/cart #");
    windlass
}

/// The plan of approving it, and listening.
pub(super) fn plan_of_approval(shop: &Shop) -> Windlass {
    let mut windlass = in_the_inbox(shop, &["--write=prod-eu"]);
    windlass.key("a");
    windlass.until("Approve prod-eu of acme/cart #");
    windlass.until("Type prod-eu to approve");
    windlass.until_listening();
    windlass
}

/// Through the menu, as a verb without a key is reached.
pub(super) fn choose(windlass: &mut Windlass, verb: &str) {
    windlass.key("m");
    windlass.until("opens its plan");
    windlass.walk_to(&format!("▌   {verb} "));
    windlass.key("\r");
}

#[track_caller]
pub(super) fn assert_decided(shop: &Shop, gate: &Gate, state: &str) {
    let sent = shop.writes_to("github");
    assert_eq!(sent.len(), 1, "{sent:#?}");
    assert_eq!(
        (&*sent[0].method, &*sent[0].path),
        ("POST", &*gate.path()),
        "{sent:#?}"
    );
    let body = sent[0].body.clone().unwrap();
    assert_eq!(body["environment_ids"], json!([gate.environment_id]));
    assert_eq!(body["state"], state);
    assert!(body["comment"].is_string());
    assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
    assert!(shop.writes_to("kubernetes").is_empty());
}

#[test]
fn a_gate_is_approved_from_the_inbox_and_its_effect_is_seen() {
    let shop = Shop::open("gate");
    let gate = shop.gate_of("cart");
    let mut windlass = plan_of_approval(&shop);
    // Everything that will be sent is on the screen.
    let run = gate.run.to_string();
    windlass.until_screen("the request", |screen| {
        let text = text_of(screen);
        text.contains(&run)
            && text.contains(&gate.environment_id.to_string())
            && text.contains("\"state\":\"approved\"")
    });
    assert!(shop.writes_to("github").is_empty());
    windlass.key("prod-eu\r");
    windlass.until(&format!(
        "Approve prod-eu of acme/cart #{}: done, approved",
        gate.number
    ));
    assert_decided(&shop, &gate, "approved");
    // What was decided does not wait any more.
    windlass.until_gone("◆ acme/cart #");
    let records = shop.audited();
    let kinds: Vec<&str> = records
        .iter()
        .map(|record| record["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["intent", "sending", "outcome"]);
    assert_eq!(records[2]["outcome"], "observed");
    shop.run(&["audit", "verify"]).exits(0);
    shop.until_run("cart", "released", |run| run["status"] != "waiting");
}

#[test]
fn a_gate_is_rejected_from_the_menu_and_its_run_fails() {
    let shop = Shop::open("gate");
    let gate = shop.gate_of("cart");
    let mut windlass = in_the_inbox(&shop, &["--write=prod-eu"]);
    choose(&mut windlass, "reject");
    windlass.until("Reject prod-eu of acme/cart #");
    windlass.until_listening();
    windlass.key("prod-eu\r");
    windlass.until(": done, rejected, the run fails");
    assert_decided(&shop, &gate, "rejected");
    let run = shop.run_of("cart");
    assert_eq!(run["conclusion"], "failure", "{run:#}");
}

#[test]
fn a_gate_is_not_approved_by_a_session_that_is_not_armed() {
    for (arguments, because) in [
        (&[][..], "read-only: W arms prod-eu"),
        (
            &["--read-only"][..],
            "this session was started with --read-only",
        ),
    ] {
        let shop = Shop::open("gate");
        let mut windlass = in_the_inbox(&shop, arguments);
        windlass.key("a");
        windlass.until("Approve prod-eu of acme/cart #");
        windlass.until("cannot be sent");
        windlass.until(because);
        windlass.key("prod-eu\rY\r");
        windlass.key("\x1b");
        windlass.until_gone("cannot be sent");
        windlass.key("q");
        assert_eq!(windlass.ended().exit_code(), 0);
        assert!(shop.writes_to("github").is_empty());
    }
}

#[test]
fn marked_gates_are_decided_one_after_another_and_the_first_failure_stops_it() {
    let shop = Shop::told(TWO_GATES);
    let mail = shop.gate_of("mail");
    let mut windlass = shop.screen();
    windlass.until_live();
    windlass.key("3");
    windlass.until("▌◆ acme/mail #");
    windlass.until("◆ acme/cart #");
    windlass.key(" ");
    windlass.until("▌◆ acme/cart #");
    windlass.key(" ");
    windlass.key("a");
    windlass.until("Approve prod-eu of acme/mail #");
    windlass.until_listening();
    windlass.key("prod-eu\r");
    // The next one has a plan of its own, and its own ceremony.
    windlass.until("Approve prod-eu of acme/cart #");
    windlass.until("Y approves");
    windlass.until_listening();
    assert_decided(&shop, &mail, "approved");
    shop.inject("forbidden@github+post");
    windlass.key("Y");
    windlass.until("stopped after 1/2");
    windlass.until("the rest stays marked");
    let sent = shop.writes_to("github");
    assert_eq!(sent.len(), 2, "{sent:#?}");
    assert_eq!(sent[1].status, Some(403));
    assert_eq!(shop.run_of("cart")["status"], "waiting");
}

/// Something is wrong with the first one, which says nothing of the second.
#[test]
fn a_guard_that_warns_ends_the_marked_ones_with_the_one_that_it_warned_of() {
    let wrong = r#"{ ago = "34m", pipeline = { version = "v1.5.0", waits = "prod-eu" } },
  { ago = "9m", alert = { name = "MailIsLate", severity = "critical", summary = "Mail waits for minutes" } },"#;
    let plain = r#"{ ago = "34m", pipeline = { version = "v1.5.0", waits = "prod-eu" } },"#;
    let shop = Shop::told(&TWO_GATES.replace(plain, wrong));
    let mail = shop.gate_of("mail");
    let mut windlass = shop.screen();
    windlass.until_live();
    windlass.key("3");
    windlass.until("▌◆ acme/mail #");
    windlass.until("◆ acme/cart #");
    windlass.key(" ");
    windlass.until("▌◆ acme/cart #");
    windlass.key(" ");
    windlass.key("a");
    windlass.until("Approve prod-eu of acme/mail #");
    windlass.until("an incident is open on it");
    windlass.until_listening();
    windlass.key("prod-eu\r");
    windlass.until("stopped after 1/2: incident warned: an incident is open on it");
    windlass.until("the rest stays marked");
    assert_decided(&shop, &mail, "approved");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert_eq!(shop.writes_to("github").len(), 1);
}

#[test]
fn a_dialog_that_is_left_stops_the_marked_ones() {
    let shop = Shop::told(TWO_GATES);
    let mut windlass = shop.screen();
    windlass.until_live();
    windlass.key("3");
    windlass.until("▌◆ acme/mail #");
    windlass.until("◆ acme/cart #");
    windlass.key(" ");
    windlass.until("▌◆ acme/cart #");
    windlass.key(" ");
    windlass.key("a");
    windlass.until("Approve prod-eu of acme/mail #");
    windlass.until_listening();
    windlass.key("\x1b");
    windlass.until("stopped after 0/2: left");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert!(shop.writes_to("github").is_empty());
}

/// The plan names what it is about, but who presses `a` looks at the release that is open.
#[test]
fn a_mark_in_the_inbox_is_not_what_a_key_elsewhere_is_about() {
    let shop = Shop::told(TWO_GATES);
    let mut windlass = shop.screen();
    windlass.until_live();
    windlass.key("3");
    windlass.until("▌◆ acme/mail #");
    windlass.until("◆ acme/cart #");
    windlass.key(" ");
    windlass.until("▌◆ acme/cart #");
    windlass.key("1");
    windlass.until("  cart");
    windlass.walk_to("▌  cart");
    windlass.key("a");
    windlass.until("Approve prod-eu of acme/cart #");
    windlass.until_listening();
    windlass.key("\x1b");
    windlass.until_gone("Approve prod-eu of acme/cart #");
    choose(&mut windlass, "reject");
    windlass.until("Reject prod-eu of acme/cart #");
    windlass.until_listening();
    windlass.key("\x1b");
    windlass.until_gone("Reject prod-eu of acme/cart #");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert!(shop.writes_to("github").is_empty());
}
