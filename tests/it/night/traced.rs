//! T7 and the rest of T8: the program under strace, killed at a system call or told that its disk fails. No request leaves
//! without a record that was on disk before, wherever it dies; and on a disk that takes nothing it refuses, says so, and
//! goes on watching.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Stdio,
};

use serde_json::{Value, json};
use windlass::runtime::audit;

use super::{
    amount, tell,
    user::{User, backs_out},
};
use crate::whole::shop::Shop;

const PATH: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout";

/// What the order of a record and its request is read from.
const WATCHED: &str = "open,openat,write,writev,pwrite64,sendto,sendmsg,fdatasync,fsync";

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Pauses or resumes, whichever there is to do.
fn verb(user: &User) -> &'static str {
    let ran = user.run(&["status", "checkout", "--json"]);
    match ran.json()["releases"][0]["rollout"]["manually_paused"] {
        Value::Bool(true) => "resume",
        _ => "pause",
    }
}

fn traced(user: &User, options: &[&str], trace: &Path, verb: &str) {
    let mut command = user.around("strace");
    command
        .args(["-f", "-qq", "-y", "-s", "400", "-o"])
        .arg(trace)
        .args(options)
        .arg(env!("CARGO_BIN_EXE_windlass"))
        .args([verb, "checkout", "--write", "--yes", "--confirm", "prod-eu"])
        .args(["--no-wait", "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // How it ends is the test's matter: it is killed.
    command.status().expect("strace, from the package strace");
}

/// A system call of a run that was not disturbed: its name, and the how manieth of its thread it was.
#[derive(Clone, Debug)]
struct Call {
    name: String,
    nth: usize,
    /// From the first record on.
    late: bool,
}

fn calls(trace: &str) -> Vec<Call> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut calls = Vec::new();
    let mut late = false;
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((name, _)) = rest.trim_start().split_once('(') else {
            continue;
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        late |= rest.contains("audit.jsonl");
        let count = counts
            .entry((thread.to_owned(), name.to_owned()))
            .or_default();
        *count += 1;
        calls.push(Call {
            name: name.to_owned(),
            nth: *count,
            late,
        });
    }
    calls
}

/// The requests that left in a trace, and how many of them left before a record of theirs was on disk.
fn order(trace: &str) -> (usize, usize) {
    let (mut sent, mut early) = (0, 0);
    // Written and not on disk yet; on disk and not sent yet.
    let (mut written, mut durable) = (0, 0);
    let mut waiting: BTreeSet<&str> = BTreeSet::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        let is_log = rest.contains("/audit.jsonl>");
        if rest.starts_with("write(") && is_log && rest.contains("\\\"kind\\\":\\\"sending\\\"") {
            written += 1;
        }
        let syncs = rest.starts_with("fdatasync(") || rest.starts_with("fsync(");
        if syncs && is_log {
            waiting.insert(thread);
        }
        let over = (syncs && is_log) || rest.starts_with("<... fdatasync resumed>");
        if over && rest.ends_with("= 0") && waiting.remove(thread) {
            durable += written;
            written = 0;
        }
        if rest.contains("\"PATCH /") {
            sent += 1;
            match durable {
                0 => early += 1,
                _ => durable -= 1,
            }
        }
    }
    (sent, early)
}

#[test]
#[ignore = "at night: as many runs as WINDLASS_NIGHT_KILLS says"]
fn t07_killed_at_any_system_call_no_request_is_without_a_record_on_disk() {
    let runs = amount("WINDLASS_NIGHT_KILLS", 1_000);
    let seed = amount("WINDLASS_NIGHT_SEED", 7);
    let user = User::of(Shop::at_speed("canary", 1.0));
    let trace = user.place("trace");
    let read = || String::from_utf8_lossy(&fs::read(&trace).unwrap()).into_owned();
    let mut known = Vec::new();
    for _ in 0..2 {
        traced(&user, &[], &trace, verb(&user));
        let text = read();
        let (sent, early) = order(&text);
        assert_eq!((sent, early), (1, 0), "undisturbed");
        known.extend(calls(&text));
    }
    let mut dice = Dice(seed);
    let late: Vec<Call> = known.iter().filter(|call| call.late).cloned().collect();
    assert!(
        late.len() > 100,
        "{} calls after the first record",
        late.len()
    );
    let (mut all_arrived, mut before, mut killed) = (0, 2, 0);
    for run in 0..runs {
        // The half of them where it matters most.
        let from = if run % 2 == 0 { &late } else { &known };
        let Call { name, nth, .. } = from[dice.roll(from.len())].clone();
        let inject = format!("inject={name}:signal=KILL:when={nth}");
        let watch = format!("trace={WATCHED},{name}");
        traced(&user, &["-e", &watch, "-e", &inject], &trace, verb(&user));
        let text = read();
        let case = format!("run {run}, {name} the {nth}. (seed {seed})");
        let (sent, early) = order(&text);
        assert_eq!(
            early, 0,
            "{case}: sent before its record was on disk\n{text}"
        );
        killed += u64::from(text.contains("+++ killed by SIGKILL"));
        let patches = patches(&user);
        let arrived = patches - before;
        before = patches;
        assert!(arrived <= sent, "{case}: {arrived} arrived of {sent}");
        all_arrived += arrived;
        assert_recorded(&user, patches, &case);
    }
    assert!(
        killed * 10 >= runs * 8,
        "only {killed} of {runs} were killed"
    );
    tell(&format!(
        "{killed} of {runs} killed; {all_arrived} requests seen, 0 without a record on disk (seed {seed})"
    ));
}

/// How many changes of the release have arrived so far.
fn patches(user: &User) -> usize {
    let all = user.shop.writes_to("kubernetes");
    all.iter()
        .filter(|sent| sent.path.starts_with(PATH))
        .count()
}

/// The log is whole, it has a record for every request that arrived, and what has no outcome is known as open.
#[track_caller]
fn assert_recorded(user: &User, arrived: usize, case: &str) {
    let state = user.place("state");
    audit::verify(&state).unwrap_or_else(|error| panic!("{case}: {error}"));
    let entries = audit::read(&state).unwrap();
    let sending: Vec<_> = entries.iter().filter(|one| one.kind == "sending").collect();
    assert!(
        sending.len() >= arrived,
        "{case}: {arrived} arrived, {} recorded",
        sending.len()
    );
    let open = audit::open_intents(&state).unwrap();
    for record in sending {
        let ended = entries
            .iter()
            .any(|one| one.kind == "outcome" && one.intent == record.intent);
        let known = open.iter().any(|one| one.id == record.intent);
        assert!(ended || known, "{case}: {} is forgotten", record.intent);
    }
}

const ERRORS: [(&str, &str); 4] = [
    ("EIO", "Input/output error"),
    ("ENOSPC", "No space left"),
    ("EROFS", "Read-only file system"),
    ("EACCES", "Permission denied"),
];

/// Refused where it is no emergency, done and kept elsewhere where it is one, and watching all the time.
#[test]
#[ignore = "at night: the program under strace, twelve times"]
fn t08_whatever_the_disk_refuses_nothing_is_sent_without_its_record_and_watching_goes_on() {
    let mut cases = 0;
    for call in ["open,openat", "write", "fdatasync"] {
        for (error, words) in ERRORS {
            let case = format!("{call} {error}");
            let user = User::of(Shop::open("canary"));
            let run = user.place("run");
            fs::create_dir(&run).unwrap();
            let user = user.with("XDG_RUNTIME_DIR", run.to_str().unwrap());
            let log = user.place("state").join("audit.jsonl");
            let trace = user.place("trace");
            let watch = format!("trace={call}");
            let inject = format!("inject={call}:error={error}");
            let arguments = [
                "-f",
                "-qq",
                "-o",
                trace.to_str().unwrap(),
                "-P",
                log.to_str().unwrap(),
                "-e",
                &watch,
                "-e",
                &inject,
                env!("CARGO_BIN_EXE_windlass"),
                "--write=prod-eu",
                "--namespace",
                "shop",
            ];
            let mut windlass = user.screen_of("strace", &arguments, (220, 44));
            windlass.until_live();
            windlass.key("p");
            windlass.until_listening();
            windlass.key("prod-eu\r");
            windlass.until("not sent");
            windlass.until(words);
            assert_eq!(patches(&user), 0, "{case}");
            windlass.until_live();
            backs_out(&mut windlass);
            windlass.until_live();
            windlass.key("q");
            assert_eq!(windlass.ended().exit_code(), 0, "{case}");
            assert_eq!(patches(&user), 1, "{case}");
            assert_kept_elsewhere(&run, words, &case);
            let trace = fs::read_to_string(&trace).unwrap();
            assert!(
                trace.contains("(INJECTED)"),
                "{case}: the disk never failed"
            );
            cases += 1;
        }
    }
    tell(&format!(
        "{cases} failures of the disk: refused, said, watched on; emergencies kept elsewhere"
    ));
}

#[track_caller]
fn assert_kept_elsewhere(run: &Path, why: &str, case: &str) {
    let file = fs::read_dir(run.join("windlass")).unwrap().next().unwrap();
    let text = fs::read_to_string(file.unwrap().path()).unwrap();
    let records: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for kind in ["intent", "sending", "outcome"] {
        assert!(
            records.iter().any(|record| record["kind"] == json!(kind)),
            "{case}: no {kind} in {text}"
        );
    }
    assert!(text.contains(why), "{case}: {text}");
}
