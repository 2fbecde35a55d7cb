//! Each verb from its key to its request to its outcome.

use serde_json::{Value, json};

use super::harness::{Demo, Sent, Windlass};

/// Quick enough for pods and analyses, slow enough to see a state before it is over.
const QUICK: [&str; 2] = ["--speed", "20"];

const CHECKOUT: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout";

/// At the service, which is the only one on the Board.
fn at(scenario: &'static str, service: &str) -> Windlass {
    let mut windlass = Demo::of(scenario).with(&QUICK).live();
    if scenario == "morning" {
        windlass.key(&format!("/{service}\r"));
        windlass.until("1 of 40");
    }
    windlass.until(&format!("▌  {service}"));
    windlass
}

/// Through the menu, as a verb without a key is reached.
fn choose(windlass: &mut Windlass, verb: &str) {
    windlass.key("m");
    windlass.until("opens its plan");
    windlass.walk_to(&format!("▌   {verb} "));
    windlass.key("\r");
}

/// What every change says beside itself: which object it means and which version of it was seen.
#[track_caller]
fn assert_change(sent: &Sent, path: &str, change: &Value) {
    assert_eq!(sent.method, "PATCH");
    assert_eq!(sent.path, format!("{path}?fieldManager=windlass"));
    assert_eq!(sent.status, Some(200), "{sent:#?}");
    let mut body = sent.body.clone();
    let metadata = body.as_object_mut().unwrap().remove("metadata").unwrap();
    assert!(metadata["resourceVersion"].is_string(), "{metadata}");
    assert!(metadata["uid"].is_string(), "{metadata}");
    assert_eq!(body, *change);
}

/// The reason that an emergency asks for afterwards: given, and recorded.
fn give_reason(windlass: &mut Windlass) {
    windlass.until("Why was it done?");
    windlass.key("errors rise\r");
    windlass.until_gone("Why was it done?");
}

#[test]
fn promote_goes_one_step_further_and_the_second_time_y_is_enough() {
    let mut windlass = at("canary", "checkout");
    windlass.key("p");
    windlass.until("Promote checkout in prod-eu");
    windlass.until("Type prod-eu to promote all the same:");
    windlass.until_listening();
    windlass.key("prod-eu\r");
    windlass.until("Promote checkout: done, step 7 of 13: analysis");
    let patches = windlass.patches();
    assert_eq!(patches.len(), 1);
    assert_change(
        &patches[0],
        &format!("{CHECKOUT}/status"),
        &json!({"status": {"pauseConditions": null}}),
    );
    let notes: Vec<_> = windlass
        .writes()
        .into_iter()
        .filter(|sent| sent.method == "POST")
        .collect();
    assert_eq!(notes.len(), 1, "one note on the object");
    assert_eq!(notes[0].body["involvedObject"]["name"], "checkout");
}

#[test]
fn promote_fully_is_typed_with_the_service_and_a_reason() {
    let mut windlass = at("canary", "checkout");
    windlass.key("p");
    windlass.until_listening();
    windlass.key("\x06");
    windlass.until("Type prod-eu/checkout to promote fully all the same, and why:");
    windlass.until_listening();
    windlass.key("prod-eu/checkout\r");
    windlass.until("a reason is asked for");
    assert!(windlass.patches().is_empty());
    windlass.key("hotfix\r");
    let patches = windlass.until_patches(1);
    assert_change(
        &patches[0],
        &format!("{CHECKOUT}/status"),
        &json!({"status": {"promoteFull": true}}),
    );
    windlass.until("Promote checkout fully: done");
    assert_eq!(windlass.patches().len(), 1);
}

#[test]
fn the_tab_key_goes_to_the_reason_and_back() {
    let mut windlass = at("canary", "checkout");
    windlass.key("p");
    windlass.until_listening();
    windlass.key("\x06");
    windlass.until("and why:");
    windlass.until_listening();
    windlass.key("prod-eu/checkout\thotfix\r");
    windlass.until_patches(1);
}

#[test]
fn pause_holds_it_and_resume_ends_that() {
    let mut windlass = at("morning", "notify");
    windlass.key("z");
    windlass.until("Y pauses");
    windlass.until_listening();
    windlass.key("Y");
    give_reason(&mut windlass);
    windlass.until("Pause notify: done");
    windlass.key("u");
    windlass.until("Resume notify in prod-eu");
    windlass.until_listening();
    // The pause was the first write of the session.
    windlass.until("Y resumes");
    windlass.key("Y");
    windlass.until("Resume notify: done");
    let patches = windlass.patches();
    assert_eq!(patches.len(), 2);
    let path = CHECKOUT.replace("checkout", "notify");
    assert_change(&patches[0], &path, &json!({"spec": {"paused": true}}));
    assert_change(&patches[1], &path, &json!({"spec": {"paused": false}}));
}

#[test]
fn back_out_of_a_running_canary_is_an_abort_and_is_never_typed() {
    let mut windlass = at("canary", "checkout");
    windlass.key("x");
    windlass.until("Back out checkout in prod-eu");
    windlass.until("Y backs out");
    windlass.until_listening();
    windlass.key("Y");
    give_reason(&mut windlass);
    windlass.until("Back out checkout: done, stable serves everything");
    let patches = windlass.patches();
    assert_eq!(patches.len(), 1);
    assert_change(
        &patches[0],
        &format!("{CHECKOUT}/status"),
        &json!({"status": {"abort": true}}),
    );
}

#[test]
fn back_out_of_a_finished_release_takes_two_requests_and_one_confirmation() {
    let mut windlass = at("morning", "images");
    windlass.key("x");
    windlass.until("Y backs out");
    windlass.until_listening();
    windlass.key("Y");
    give_reason(&mut windlass);
    windlass.until("Back out images: done");
    let patches = windlass.taken();
    assert_eq!(patches.len(), 2, "{patches:#?}");
    let path = CHECKOUT.replace("checkout", "images");
    assert_goes_back(&patches[0], &path, "registry.example/shop/images:v6.9.2");
    assert_change(
        &patches[1],
        &format!("{path}/status"),
        &json!({"status": {"promoteFull": true}}),
    );
}

/// A template goes back as a JSON patch. It puts the version that was seen into the object first, which the server
/// refuses where it is another one by now, and only then the template.
#[track_caller]
fn assert_goes_back(sent: &Sent, path: &str, image: &str) {
    assert_eq!(sent.method, "PATCH");
    assert_eq!(sent.path, format!("{path}?fieldManager=windlass"));
    assert_eq!(sent.status, Some(200));
    let operations = sent.body.as_array().unwrap();
    let paths: Vec<_> = operations
        .iter()
        .map(|operation| operation["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["/metadata/resourceVersion", "/spec/template"]);
    assert!(operations[0]["value"].is_string());
    assert!(operations[1].to_string().contains(image), "{sent:#?}");
}

#[test]
fn roll_back_goes_to_the_revision_that_was_chosen() {
    let mut windlass = at("morning", "images");
    windlass.key("b");
    windlass.until("opens the plan for it");
    windlass.until("v6.9.1");
    windlass.key("j");
    windlass.until("▌ 1 ");
    windlass.key("\r");
    windlass.until("Type prod-eu to roll back");
    windlass.until_listening();
    windlass.key("prod-eu\r");
    let patches = windlass.until_patches(1);
    let path = CHECKOUT.replace("checkout", "images");
    assert_goes_back(&patches[0], &path, "registry.example/shop/images:v6.9.1");
    windlass.until("Roll images back to revision 1: done, at its first stop");
    assert_eq!(windlass.patches().len(), 1);
}

#[test]
fn abort_from_the_menu_stops_a_canary() {
    let mut windlass = at("canary", "checkout");
    choose(&mut windlass, "abort");
    windlass.until("Y aborts");
    windlass.until_listening();
    windlass.key("Y");
    give_reason(&mut windlass);
    windlass.until("Abort checkout: done");
    let patches = windlass.patches();
    assert_eq!(patches.len(), 1);
    assert_change(
        &patches[0],
        &format!("{CHECKOUT}/status"),
        &json!({"status": {"abort": true}}),
    );
}

#[test]
fn retry_from_the_menu_starts_an_aborted_release_again() {
    let mut windlass = at("analysis", "catalog");
    choose(&mut windlass, "retry");
    windlass.until("to retry");
    windlass.until_listening();
    windlass.key("prod-eu\r");
    windlass.until("Retry catalog: done");
    let patches = windlass.patches();
    assert_eq!(patches.len(), 1);
    assert_change(
        &patches[0],
        &format!("{}/status", CHECKOUT.replace("checkout", "catalog")),
        &json!({"status": {"abort": false}}),
    );
}

#[test]
fn restart_from_the_menu_asks_for_new_pods() {
    let mut windlass = at("morning", "accounts");
    choose(&mut windlass, "restart");
    windlass.until("Type prod-eu to restart");
    windlass.until_listening();
    windlass.key("prod-eu\r");
    windlass.until("Restart accounts: done");
    let patches = windlass.patches();
    assert_eq!(patches.len(), 1);
    let at = patches[0].body["spec"]["restartAt"].clone();
    assert!(at.is_string(), "{:#?}", patches[0]);
    assert_change(
        &patches[0],
        &CHECKOUT.replace("checkout", "accounts"),
        &json!({"spec": {"restartAt": at}}),
    );
}

#[test]
fn a_blue_green_switch_is_called_a_switch_and_typed() {
    let mut windlass = at("blue-green", "payments");
    windlass.key("p");
    windlass.until("Switch ALL traffic of payments to v1.9.2 in prod-eu");
    windlass.until("all traffic switches at once");
    windlass.until_listening();
    windlass.key("prod-eu\r");
    windlass.until("Switch ALL traffic of payments to v1.9.2: done");
    let patches = windlass.patches();
    assert_eq!(patches.len(), 1);
    assert_change(
        &patches[0],
        &format!("{}/status", CHECKOUT.replace("checkout", "payments")),
        &json!({"status": {"pauseConditions": null}}),
    );
}
