//! The roles of `assets/rbac`, judged by the real authoriser: a user who has nothing else sees and acts with them.

use std::fs;

use super::{
    objects::canary_at_a_pause,
    program::User,
    world::{World, shared},
};

/// A user whose only rights are those roles: a service account with a token.
fn user(world: &World, name: &str, roles: &[&str]) -> User {
    let vendor = |arguments: &[&str]| {
        let said = world.vendor(arguments);
        assert!(
            !said.to_lowercase().contains("error"),
            "{arguments:?}: {said}"
        );
        said
    };
    vendor(&["create", "serviceaccount", name, "-n", "shop"]);
    for role in roles {
        let path = format!("{}/assets/rbac/{role}.yaml", env!("CARGO_MANIFEST_DIR"));
        vendor(&["apply", "-f", &path]);
        let (binding, role) = (
            format!("{name}-{role}"),
            format!("--clusterrole=windlass-{role}"),
        );
        let account = format!("--serviceaccount=shop:{name}");
        vendor(&[
            "create",
            "rolebinding",
            &binding,
            "-n",
            "shop",
            &role,
            &account,
        ]);
    }
    let token = vendor(&["create", "token", name, "-n", "shop"]);
    let admin = fs::read_to_string(world.kubeconfig("viewer")).unwrap();
    let text = admin.replace("viewer-token", token.trim());
    assert_ne!(text, admin, "the token of the viewer is in its kubeconfig");
    User::with_text(&text)
}

#[test]
fn a_viewer_sees_releases_and_is_told_which_right_each_key_lacks() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "seen-only");
    let viewer = user(world, "t30-viewer", &["viewer"]);
    let told = viewer.run("status seen-only --json").exits(0);
    assert!(
        told.out.contains("real/shop/argo-rollout/seen-only"),
        "{}",
        told.out
    );
    viewer.run("history seen-only --json").exits(0);
    viewer
        .act("promote seen-only --yes")
        .refused("not permitted: patch rollouts/status in shop");
    viewer
        .act("pause seen-only --yes")
        .refused("not permitted: patch rollouts in shop");
    let secrets = world.vendor(&[
        "auth",
        "can-i",
        "get",
        "secrets",
        "-n",
        "shop",
        "--as=system:serviceaccount:shop:t30-viewer",
    ]);
    assert!(secrets.starts_with("no"), "{secrets}");
    assert_eq!(subject.step(), 1);
}

#[test]
fn an_operator_promotes_pauses_and_backs_out_with_the_two_roles_and_nothing_else() {
    let Some(world) = shared() else { return };
    canary_at_a_pause(world, "acted-on");
    let operator = user(world, "t30-operator", &["viewer", "operator"]);
    operator.act("pause acted-on --yes").exits(0);
    operator.act("resume acted-on --confirm real").exits(0);
    operator.act("promote acted-on --confirm real").exits(0);
    operator.act("backout acted-on --yes").exits(0);
    assert!(world.is_aborted("acted-on"));
    let may = |verb: &str, what: &str| {
        let account = "--as=system:serviceaccount:shop:t30-operator";
        world.vendor(&["auth", "can-i", verb, what, "-n", "shop", account])
    };
    for (verb, what) in [
        ("get", "secrets"),
        ("delete", "rollouts.argoproj.io"),
        ("update", "rollouts.argoproj.io"),
        ("create", "pods"),
    ] {
        assert!(may(verb, what).starts_with("no"), "{verb} {what}");
    }
}
