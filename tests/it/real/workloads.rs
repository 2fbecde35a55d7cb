//! The built-in kinds: what Deployments can do, and that the others are restarted only. `kubectl rollout` judges.

use serde_json::Value;

use super::{
    objects::{built_in, complete, released, word},
    program::User,
    world::{World, shared},
};

fn rolled_out(world: &World, what: &str) {
    let said = world.vendor(&["rollout", "status", what, "-n", "shop", "--timeout=60s"]);
    assert!(
        said.contains("successfully rolled out") || said.contains("complete"),
        "{said}"
    );
}

fn image(workload: &Value) -> String {
    word(workload, "/spec/template/spec/containers/0/image")
}

#[test]
fn a_deployment_is_held_and_goes_on_when_it_is_resumed() {
    let Some(world) = shared() else { return };
    let path = built_in(world, "Deployment", "held", 3);
    let operator = User::operator(world);
    operator.act("pause held --yes").observed();
    world.api.patch(&path, &released("v2", "held"));
    assert_eq!(world.api.get(&path)["spec"]["paused"], true);
    operator
        .act("pause held --yes")
        .refused("paused by hand already");
    operator
        .act("restart held --yes")
        .refused("resume it first");
    operator.act("backout held --yes").exits(3);
    operator.act("resume held --yes").observed();
    rolled_out(world, "deployment/held");
    assert_eq!(image(&world.api.get(&path)), "held:v2");
    operator.act("resume held --yes").refused("not paused");
}

#[test]
fn a_deployment_is_backed_out_and_rolled_back() {
    let Some(world) = shared() else { return };
    let path = built_in(world, "Deployment", "undone", 3);
    for version in ["v2", "v3"] {
        world.api.patch(&path, &released(version, "undone"));
        world.api.until(&path, version, |deployment| {
            image(deployment) == format!("undone:{version}") && complete(deployment)
        });
    }
    let operator = User::operator(world);
    operator.act("backout undone --yes").observed();
    rolled_out(world, "deployment/undone");
    assert_eq!(image(&world.api.get(&path)), "undone:v2");
    operator
        .act("rollback undone --confirm real")
        .exits(7)
        .says("--to");
    operator.act("rollback undone --to 1 --yes").exits(4);
    operator
        .act("rollback undone --to 1 --confirm real")
        .observed();
    rolled_out(world, "deployment/undone");
    assert_eq!(image(&world.api.get(&path)), "undone:v1");
    operator.act("promote undone --yes").refused("Deployment");
    operator.act("abort undone --yes").refused("Deployment");
}

#[test]
fn the_built_in_kinds_are_restarted() {
    let Some(world) = shared() else { return };
    let operator = User::operator(world);
    for (kind, name) in [
        ("Deployment", "anew-deployment"),
        ("StatefulSet", "anew-stateful"),
        ("DaemonSet", "anew-daemon"),
    ] {
        let path = built_in(world, kind, name, 2);
        operator.act(&format!("restart {name} --yes")).observed();
        rolled_out(world, &format!("{}/{name}", kind.to_lowercase()));
        let annotations = &world.api.get(&path)["spec"]["template"]["metadata"]["annotations"];
        assert!(
            annotations["kubectl.kubernetes.io/restartedAt"].is_string(),
            "{annotations}"
        );
    }
}

#[test]
fn a_stateful_set_and_a_daemon_set_have_no_other_verb() {
    let Some(world) = shared() else { return };
    let operator = User::operator(world);
    for (kind, name) in [
        ("StatefulSet", "only-stateful"),
        ("DaemonSet", "only-daemon"),
    ] {
        let path = built_in(world, kind, name, 2);
        let before = world.api.get(&path)["metadata"]["generation"].clone();
        for verb in [
            "promote", "pause", "resume", "backout", "abort", "retry", "rollback",
        ] {
            operator
                .act(&format!("{verb} {name} --yes"))
                .refused("shown and restarted only");
        }
        assert_eq!(world.api.get(&path)["metadata"]["generation"], before);
    }
}
