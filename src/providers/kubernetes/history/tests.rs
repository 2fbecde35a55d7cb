use serde_json::{Value, json};

use super::*;
use crate::model::detail::Difference;

fn template(container: &Value) -> Value {
    json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container]}})
}

fn app(more: &Value) -> Value {
    let mut container = json!({"name": "app", "image": "shop/app:7.0.0"});
    for (key, value) in more.as_object().unwrap() {
        container[key] = value.clone();
    }
    template(&container)
}

fn words(from: &Value, to: &Value) -> Vec<String> {
    differences(from, to)
        .iter()
        .map(Difference::words)
        .collect()
}

#[test]
fn an_image_is_named_by_its_container() {
    let to = app(&json!({"image": "shop/app:6.9.2"}));
    assert_eq!(
        words(&app(&json!({})), &to),
        ["containers[app].image shop/app:7.0.0 → shop/app:6.9.2"]
    );
}

#[test]
fn values_of_variables_are_told_as_changed_and_stay_hidden_in_every_shape() {
    let env = |list: Value| app(&json!({ "env": list }));
    let secret = "hunter2";
    let none = app(&json!({}));
    let one = env(json!([{"name": "PASSWORD", "value": secret}]));
    let other = env(json!([{"name": "PASSWORD", "value": "swordfish"}]));
    let by_reference = env(json!([
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
    ]));
    let twice = env(json!([{"name": "A", "value": secret}, {"name": "A", "value": "b"}]));
    let without_container =
        json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": []}});
    assert_eq!(
        words(&one, &other),
        ["containers[app].env[PASSWORD] changed"]
    );
    assert_eq!(words(&none, &one), ["containers[app].env[PASSWORD] added"]);
    assert_eq!(
        words(&one, &none),
        ["containers[app].env[PASSWORD] removed"]
    );
    for (from, to) in [
        (&one, &other),
        (&none, &one),
        (&one, &by_reference),
        (&none, &twice),
        (&without_container, &one),
        (&one, &json!({})),
    ] {
        let found = differences(from, to);
        assert!(!found.is_empty());
        let recorded = format!("{found:?} {:?}", words(from, to));
        assert!(!recorded.contains(secret), "{recorded}");
        let back = format!("{:?}", differences(to, from));
        assert!(!back.contains(secret), "{back}");
    }
}

#[test]
fn a_hidden_value_can_be_revealed() {
    let env = |value: &str| app(&json!({"env": [{"name": "CACHE_MB", "value": value}]}));
    let found = differences(&env("64"), &env("512"));
    assert_eq!(found[0].to.as_ref().unwrap().revealed(), "512");
}

#[test]
fn references_to_configuration_are_named() {
    let from = app(&json!({
        "env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}],
        "envFrom": [{"configMapRef": {"name": "settings-1"}}],
    }));
    let to = app(&json!({
        "env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "db-2", "key": "password"}}}],
        "envFrom": [{"configMapRef": {"name": "settings-2"}}],
    }));
    let words = words(&from, &to);
    assert_eq!(
        words[0],
        "containers[app].env[P].secretKeyRef.name db → db-2"
    );
    assert!(words[1].starts_with("containers[app].envFrom[configMap/settings-1] removed"));
    assert!(words[2].starts_with("containers[app].envFrom[configMap/settings-2] added"));
}

#[test]
fn volumes_are_compared_by_name_and_resources_by_amount() {
    let volume = |name: &str| {
        let mut template =
            app(&json!({"resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}}}));
        template["spec"]["volumes"] = json!([
            {"name": "cache", "emptyDir": {}},
            {"name": "config", "configMap": {"name": name}},
        ]);
        template
    };
    let mut other = volume("b");
    other["spec"]["containers"][0]["resources"]["limits"] = json!({"cpu": 1, "memory": "2Gi"});
    assert_eq!(
        words(&volume("a"), &other),
        [
            "containers[app].resources.limits[memory] 1Gi → 2Gi",
            "volumes[config].configMap.name a → b",
        ]
    );
}

#[test]
fn what_the_server_fills_in_is_no_difference() {
    let written = app(&json!({
        "ports": [{"containerPort": 80}],
        "resources": {"requests": {"cpu": "0.5"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 80}},
        "env": [{"name": "E", "value": ""}, {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
    }));
    let mut stored = app(&json!({
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "500m"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}, "timeoutSeconds": 1,
            "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
        "env": [{"name": "E"}, {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP", "apiVersion": "v1"}}}],
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }));
    let spec = stored["spec"].as_object_mut().unwrap();
    for (key, value) in [
        ("restartPolicy", json!("Always")),
        ("dnsPolicy", json!("ClusterFirst")),
        ("schedulerName", json!("default-scheduler")),
        ("securityContext", json!({})),
        ("terminationGracePeriodSeconds", json!(30)),
    ] {
        spec.insert(key.to_owned(), value);
    }
    stored["metadata"]["labels"]["pod-template-hash"] = json!("6bf4dbc5");
    stored["metadata"]["creationTimestamp"] = Value::Null;
    assert_eq!(words(&written, &stored), [""; 0]);
    assert!(same_template(&stored, &written));
}

#[test]
fn a_template_that_merely_lacks_a_field_is_another_template() {
    let with = app(&json!({"securityContext": {"runAsNonRoot": true}}));
    assert!(!same_template(&app(&json!({})), &with));
    let pull = app(&json!({"imagePullPolicy": "Always"}));
    assert!(!same_template(&app(&json!({})), &pull));
}

#[test]
fn the_order_of_variables_is_a_difference() {
    let env = |list: Value| app(&json!({ "env": list }));
    let (a, b) = (
        json!({"name": "A", "value": "1"}),
        json!({"name": "B", "value": "$(A)"}),
    );
    let from = env(json!([a, b]));
    let to = env(json!([b, a]));
    assert_eq!(
        words(&from, &to),
        ["containers[app].env (order) A, B → B, A"]
    );
}

#[test]
fn arguments_are_shown_unless_they_look_like_a_secret() {
    let args = |arg: &str| app(&json!({"args": ["serve", arg]}));
    assert_eq!(
        words(&args("--port=1"), &args("--port=2")),
        ["containers[app].args serve --port=1 → serve --port=2"]
    );
    assert_eq!(
        words(&args("--token=a"), &args("--token=b")),
        ["containers[app].args changed"]
    );
}

#[test]
fn a_restart_shows_as_the_annotation_it_is() {
    let mut restarted = app(&json!({}));
    restarted["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/restartedAt": "now"});
    assert_eq!(
        words(&app(&json!({})), &restarted),
        ["annotations[kubectl.kubernetes.io/restartedAt] added: now"]
    );
}
