//! The program in a terminal while more happens than anybody can look at: many keys in one read, many changes at once, and
//! a terminal that takes nothing.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    pty::Program,
    relay::Relay,
    still::{Still, screen_of},
    table::{figure, head, ratio},
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

/// From the first row to the last: key by key in one read, against one key that goes there at once.
fn one_read(program: &mut Program) {
    let mut bytes_of = |keys: &str| {
        program.press("g");
        program.until_quiet(QUIET);
        let (frames, bytes) = (program.frames(), program.bytes());
        program.press(keys);
        program.until_frame(frames + 1);
        program.until_quiet(QUIET);
        (program.frames() - frames, program.bytes() - bytes)
    };
    let (_, at_once) = bytes_of("G");
    let (frames, bytes) = bytes_of(&"j".repeat(KEYS));
    figure(
        &format!("frames for {KEYS} keys in one read"),
        &frames.to_string(),
        Some(("<= 3", frames <= 3)),
    );
    let ratio = ratio(bytes, at_once);
    figure(
        "their bytes against those of one key that goes there",
        &format!("{ratio:.2}"),
        Some(("<= 3", ratio <= 3.0)),
    );
}

fn at_once(program: &Program, relay: &mut Relay) {
    let frames = program.frames();
    let begun = Instant::now();
    relay.change(AT_ONCE);
    program.until_frame(frames + 1);
    program.until_quiet(QUIET);
    let frames = program.frames() - frames;
    // They take a moment to be read, and in a build without optimisation many.
    let seconds = (program.last_written() - begun).as_secs_f64().max(1.0);
    #[allow(clippy::cast_precision_loss)]
    let reached = frames as f64 <= 7.0 * seconds;
    figure(
        &format!("frames for {AT_ONCE} changes at once, taken in {seconds:.1} s"),
        &frames.to_string(),
        Some(("<= 7 a second", reached)),
    );
}

/// Nobody reads what it writes; changes and keys go on.
fn slow_terminal(program: &mut Program, relay: &mut Relay) {
    program.stall();
    // More than any line between the two keeps.
    let mut until_stuck = 0;
    while stuff(program) {
        until_stuck += 1;
        assert!(until_stuck < 500, "the terminal takes everything");
    }
    relay.changes(A_SECOND, Duration::from_secs(2));
    let before = program.resident();
    for _ in 0..STALLED.as_secs() {
        relay.changes(A_SECOND, Duration::from_secs(1));
        program.press("91jk");
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

/// Another view and the first one again. Answers whether anything was written for it.
fn stuff(program: &mut Program) -> bool {
    let writes = program.writes();
    for view in ["9", "1"] {
        program.press(view);
        std::thread::sleep(Duration::from_millis(50));
    }
    program.writes() > writes
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
