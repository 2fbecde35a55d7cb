//! One canary's story, played on the real cluster and on the demo's world at once. After each step the vendor's plugin
//! says what it sees of both, and says the same.
//!
//! What differs between any two clusters is left out: hashes and suffixes of names (numbered as they appear), ages, and
//! the padding that follows from them. Nothing else.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use regex_lite::{Captures, Regex};

use super::{
    api::Api,
    objects::{Subject, canary_object},
    program::User,
    world::{World, shared},
};
use crate::world::served::Served;

const NAME: &str = "story";

/// Pods come and go for a moment after a rollout has come to rest; both must be over it by then.
const SETTLES: Duration = Duration::from_secs(40);

/// One of the two clusters, with who acts on it.
struct Side<'a> {
    called: &'static str,
    world: &'a World,
    subject: Subject<'a>,
    user: User,
    kubeconfig: PathBuf,
}

impl Side<'_> {
    fn plugin(&self, arguments: &[&str]) -> String {
        let kubeconfig = self.kubeconfig.display().to_string();
        let more = [NAME, "-n", "shop", "--kubeconfig", &kubeconfig];
        let line = [&["argo", "rollouts"], arguments, &more].concat();
        self.world.vendor(&line)
    }

    /// What the plugin says, without what differs between any two clusters.
    fn told(&self) -> String {
        let tree = self.plugin(&["get", "rollout", "--no-color"]);
        let status = self.plugin(&["status", "--watch=false"]);
        normal(&format!("{tree}\n{status}"))
    }
}

fn normal(text: &str) -> String {
    let names = Regex::new(&format!("{NAME}-([a-z0-9]{{6,10}})(-[a-z0-9]{{5}})?\\b")).unwrap();
    let mut hashes: Vec<String> = Vec::new();
    let text = names.replace_all(text, |found: &Captures<'_>| {
        let hash = found[1].to_owned();
        let number = hashes
            .iter()
            .position(|known| *known == hash)
            .unwrap_or_else(|| {
                hashes.push(hash);
                hashes.len() - 1
            });
        let pod = if found.get(2).is_some() { "-POD" } else { "" };
        format!("{NAME}-HASH{number}{pod}")
    });
    let ages = Regex::new(r" (?:\d+[smhd])+(?: |$)").unwrap();
    let lines = text.lines().map(|line| {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        ages.replace(&words, " AGE ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Both say the same, as soon as both are at rest.
#[track_caller]
fn same(step: &str, sides: &[Side<'_>; 2], holds: &str) {
    let from = Instant::now();
    loop {
        let [real, demo] = [sides[0].told(), sides[1].told()];
        if real == demo && real.contains(holds) {
            return;
        }
        if from.elapsed() > SETTLES {
            assert!(real.contains(holds), "{step}: {holds:?} is not in\n{real}");
            assert_eq!(demo, real, "{step}: the demo (left) is not as the real one");
        }
    }
}

#[test]
fn the_demo_tells_the_story_of_a_canary_as_the_real_cluster_does() {
    let Some(world) = shared() else { return };
    let served = Served::start(&["--scenario", "canary"]);
    let port = served
        .said("kubernetes")
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let subject = |api: Api| Subject {
        api,
        namespace: "shop",
        name: NAME,
    };
    let sides = [
        Side {
            called: "real",
            world,
            subject: subject(world.api),
            user: User::operator(world),
            kubeconfig: world.kubeconfig("admin"),
        },
        Side {
            called: "demo",
            world,
            subject: subject(Api::new(port)),
            user: User::at(port),
            kubeconfig: PathBuf::from(served.said("kubeconfig")),
        },
    ];
    let each = |act: &dyn Fn(&Side<'_>)| sides.iter().for_each(act);
    let verb = |line: &str| {
        for side in &sides {
            let ran = side.user.act_because(line, "the story wants it");
            assert_eq!(
                ran.code, 0,
                "{} {line}: {}\n{}",
                side.called, ran.out, ran.err
            );
        }
    };

    each(&|side| {
        side.subject.api.create(&canary_object("shop", NAME));
        side.subject.until_healthy();
    });
    same("the first version", &sides, "Healthy");

    each(&|side| {
        side.subject.release("v2");
        side.subject.until_paused_at(1);
    });
    same("a new image", &sides, "Step: 1/6");

    verb("promote story --yes");
    each(&|side| {
        side.subject.until_paused_at(3);
    });
    same("promoted one step", &sides, "Step: 3/6");

    verb("abort story --yes");
    each(&|side| {
        side.subject.until_phase("Degraded");
    });
    same("aborted", &sides, "RolloutAborted");

    verb("retry story --confirm real");
    each(&|side| {
        side.subject.until_paused_at(1);
    });
    same("retried", &sides, "Step: 1/6");

    verb("promote story --full --confirm real/story");
    each(&|side| {
        side.subject.until_healthy();
    });
    same("promoted to the end", &sides, "Healthy");
}
