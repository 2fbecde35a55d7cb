//! The program in a terminal while more happens than anybody can look at: many keys in one read, many changes at once, and
//! a terminal that takes nothing.

use std::{path::Path, time::Duration};

use crate::{
    pty::Program,
    relay::Relay,
    still::{Still, screen_of},
    table::{figure, head},
};

const KEYS: usize = 100;
const AT_ONCE: usize = 10_000;
const A_SECOND: usize = 1_000;
const STALLED: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_secs(2);

pub(crate) fn print() {
    head("The program in a terminal, more happens than can be shown");
    let home = tempfile::tempdir().unwrap();
    let world = Still::with(100, home.path());
    let mut relay = Relay::before(&world.kubeconfig, home.path());
    let mut program = watched(&relay, home.path());
    let listed = lists(&relay);
    one_read(&mut program);
    at_once(&program, &mut relay);
    slow_terminal(&mut program, &mut relay);
    figure(
        "LISTs since everything was listed",
        &(lists(&relay) - listed).to_string(),
        Some(("0", lists(&relay) == listed)),
    );
    let most = most_watches_of_a_kind(&relay);
    figure(
        "watches of one kind, at most",
        &most.to_string(),
        Some(("1", most == 1)),
    );
}

fn watched(relay: &Relay, home: &Path) -> Program {
    let program = screen_of(&relay.kubeconfig, false, home);
    program.until_quiet(QUIET);
    program
}

fn one_read(program: &mut Program) {
    let (frames, bytes) = (program.frames(), program.bytes());
    program.press(&"j".repeat(KEYS));
    program.until_frame(frames + 1);
    program.until_quiet(QUIET);
    let (frames, bytes) = (program.frames() - frames, program.bytes() - bytes);
    figure(
        &format!("frames for {KEYS} keys in one read"),
        &frames.to_string(),
        Some(("<= 3", frames <= 3)),
    );
    let last = program.last_frame();
    let ratio = crate::table::ratio(bytes, last);
    figure(
        "their bytes against those of the last of them",
        &format!("{ratio:.2}"),
        Some(("<= 3", ratio <= 3.0)),
    );
}

fn at_once(program: &Program, relay: &mut Relay) {
    let frames = program.frames();
    relay.change(AT_ONCE);
    program.until_frame(frames + 1);
    program.until_quiet(QUIET);
    let frames = program.frames() - frames;
    figure(
        &format!("frames for {AT_ONCE} changes at once"),
        &frames.to_string(),
        Some(("<= 7", frames <= 7)),
    );
}

/// Nobody reads what it writes; changes and keys go on.
fn slow_terminal(program: &mut Program, relay: &mut Relay) {
    program.stall();
    relay.changes(A_SECOND, Duration::from_secs(2));
    let before = program.resident();
    for _ in 0..STALLED.as_secs() {
        relay.changes(A_SECOND, Duration::from_secs(1));
        program.press("jk");
    }
    let grown = program.resident().saturating_sub(before);
    figure(
        "kB more in 10 s in which the terminal takes nothing",
        &grown.to_string(),
        Some(("<= 5000", grown <= 5_000)),
    );
    let left = program.until_quits();
    figure(
        "ms from q to the end, the terminal still taking nothing",
        &left.as_millis().to_string(),
        Some(("<= 1000", left <= Duration::from_secs(1))),
    );
}

fn lists(relay: &Relay) -> usize {
    let requests = relay.requests();
    let is_list = |line: &&String| {
        let path = line.split(' ').nth(1).unwrap_or_default();
        let last = path
            .split('?')
            .next()
            .unwrap_or_default()
            .rsplit('/')
            .next();
        line.starts_with("GET ")
            && !line.contains("watch=")
            && last.is_some_and(|last| PLURALS.contains(&last))
    };
    requests.iter().filter(is_list).count()
}

const PLURALS: [&str; 5] = [
    "rollouts",
    "replicasets",
    "deployments",
    "statefulsets",
    "daemonsets",
];

fn most_watches_of_a_kind(relay: &Relay) -> usize {
    let requests = relay.requests();
    let of = |plural: &str| {
        let is = |line: &&String| line.contains("watch=") && line.contains(&format!("/{plural}?"));
        requests.iter().filter(is).count()
    };
    PLURALS.iter().map(|plural| of(plural)).max().unwrap_or(0)
}
