//! T6 and T8: the audit log after a crash at any byte, under a forger's hand, on a disk that refuses, and shared by two
//! processes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use windlass::{
    model::id::IntentId,
    ops::{machine::Place, record::Record},
    runtime::{
        audit::{Log, read, verify},
        execute::Recorder as _,
        recorder::AuditRecorder,
    },
};

use crate::whole::shop::Shop;

const FILE: &str = "audit.jsonl";

/// In the process that a test starts: where the log is.
const FOLDER: &str = "WINDLASS_TEST_FOLDER";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn body(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

/// Where an fsync is cheap: these tests make tens of thousands.
fn quick_dir() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// The bytes of a log of fifty records, and where each of them ends.
fn fifty() -> (Vec<u8>, Vec<usize>) {
    let dir = quick_dir();
    let mut log = Log::open(dir.path()).unwrap();
    for number in 0..50 {
        log.append(at(number), "i1", "sending", body(json!({ "n": number })))
            .unwrap();
    }
    let whole = fs::read(dir.path().join(FILE)).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] == b'\n').collect();
    assert_eq!(ends.len(), 50);
    (whole, ends)
}

/// Does the work for every number, on all cores, each worker in a folder of its own.
fn for_each(numbers: &[usize], work: impl Fn(usize, &Path) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let dir = quick_dir();
                while let Some(&number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(number, dir.path());
                }
            });
        }
    });
}

#[test]
fn t06_a_log_cut_at_any_byte_reads_as_its_intact_prefix() {
    let (whole, ends) = fifty();
    let cuts: Vec<usize> = (0..=whole.len()).collect();
    for_each(&cuts, |cut, dir| {
        let file = dir.join(FILE);
        fs::write(&file, &whole[..cut]).unwrap();
        // A record of which only the line feed is missing is whole.
        let intact = ends.iter().filter(|&&end| end <= cut).count();
        let torn = cut.saturating_sub(ends[..intact].last().map_or(0, |end| end + 1));
        let found = verify(dir).unwrap();
        assert_eq!(found.records, intact as u64, "cut at {cut}");
        assert_eq!(found.torn.len(), usize::from(torn > 0), "cut at {cut}");
        if let Some(tear) = found.torn.first() {
            assert_eq!(
                (tear.bytes, tear.accounted),
                (torn as u64, false),
                "cut at {cut}"
            );
        }
        // At the bytes around each end, and at every fourth of the others: it costs more than all the rest.
        if cut % 4 != 0 && torn > 2 {
            return;
        }
        let entry = Log::open(dir)
            .unwrap()
            .append(at(99), "i2", "outcome", Map::new())
            .unwrap();
        assert_eq!(entry.seq, intact as u64 + 1, "cut at {cut}");
        // What was torn is still there, and the new record says how much it was.
        let now = fs::read(&file).unwrap();
        assert!(now.starts_with(&whole[..cut]), "cut at {cut}");
        assert_eq!(
            entry.torn.map(|scrap| scrap.bytes),
            (torn > 0).then_some(torn as u64 + 1),
            "cut at {cut}"
        );
        // And the whole chain once more.
        if cut % 20 == 0 || torn < 2 {
            let after = verify(dir).unwrap();
            assert_eq!(after.records, intact as u64 + 1, "cut at {cut}");
            assert!(after.torn.iter().all(|tear| tear.accounted), "cut at {cut}");
        }
    });
}

#[test]
fn t06_a_flipped_byte_is_reported_and_no_forged_record_is_accepted() {
    let (whole, ends) = fifty();
    // Every byte of the first and of the last two records, where a reader is most easily deceived, and a few of
    // the others; which bit is flipped differs from byte to byte.
    let places: Vec<usize> = (0..whole.len())
        .filter(|&place| place <= ends[0] || place > ends[47] || place % 24 == 0)
        .collect();
    for_each(&places, |place, dir| {
        let mut bytes = whole.clone();
        bytes[place] ^= [0x01, 0x02, 0x10, 0x20, 0x80][place % 5];
        fs::write(dir.join(FILE), bytes).unwrap();
        match verify(dir) {
            Err(_) => {}
            // The end can be made to look like an interrupted write. It is reported as one, and nothing of it counts.
            Ok(found) => {
                assert!(
                    found.records < 50 && found.torn.iter().any(|tear| !tear.accounted),
                    "byte {place}: {found:?}"
                );
                assert!(place >= ends[47], "byte {place} is in the middle");
            }
        }
        // Whatever is still read as chained is as it was written.
        for entry in read(dir).unwrap().iter().filter(|entry| entry.chained) {
            let line = entry.line().trim_end().as_bytes();
            assert!(
                whole
                    .split(|byte| *byte == b'\n')
                    .any(|known| known == line),
                "byte {place}: {}",
                entry.line()
            );
        }
    });
}

fn record(number: i64, emergency: bool) -> Record {
    Record {
        at: at(number),
        intent: IntentId::new("i1"),
        kind: "sending",
        body: body(json!({ "n": number })),
        emergency,
    }
}

/// Runs a test of this module by itself, in a process whose variables and limits are its own.
fn alone(test: &str, folder: &Path, script: &str) {
    let mut run = Command::new("sh");
    run.args([
        "-c",
        &format!("{script} exec \"$0\" --exact --nocapture {test}"),
    ])
    .arg(std::env::current_exe().unwrap())
    .env(FOLDER, folder)
    .env("XDG_RUNTIME_DIR", folder.join("run"));
    let out = run.output().unwrap();
    assert!(
        out.status.success(),
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

/// What every refusal of the log must come to: nothing is said to be recorded that is not, and an emergency's record goes
/// to the second place.
fn assert_refuses(folder: &Path, why: &str) {
    let run = folder.join("run");
    fs::create_dir_all(&run).unwrap();
    let variables = |name: &str| (name == "XDG_RUNTIME_DIR").then(|| run.display().to_string());
    let recorder = AuditRecorder::open(folder.join("state"), &variables);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for number in 0..2 {
        let refused = runtime.block_on(recorder.record(record(number, false)));
        assert!(
            refused.as_ref().is_err_and(|said| said.contains(why)),
            "{refused:?}"
        );
    }
    let kept = runtime.block_on(recorder.record(record(3, true))).unwrap();
    assert!(
        matches!(&kept, Place::Second(place) if place.contains(run.to_str().unwrap())),
        "{kept:?}"
    );
    let second = fs::read_dir(run.join("windlass")).unwrap().next().unwrap();
    let text = fs::read_to_string(second.unwrap().path()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("\"n\":3") && text.contains(why), "{text}");
}

/// A file that may not grow is the one full disk that needs no rights.
#[test]
fn t08_a_disk_that_takes_no_more_refuses_mutations_and_keeps_emergencies_elsewhere() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        assert_refuses(&PathBuf::from(folder), "File too large");
        return;
    }
    let base = quick_dir();
    let mut log = Log::open(&base.path().join("state")).unwrap();
    for number in 0..20 {
        log.append(at(number), "i0", "sending", body(json!({ "n": number })))
            .unwrap();
    }
    drop(log);
    let this = "reliability::audit::t08_a_disk_that_takes_no_more_refuses_mutations_and_keeps_emergencies_elsewhere";
    alone(this, base.path(), "trap '' XFSZ; ulimit -f 4;");
    // What was there is as it was: a record that did not fit is at most a tear.
    let found = verify(&base.path().join("state")).unwrap();
    assert_eq!(found.records, 20);
}

#[test]
fn t08_a_place_that_cannot_be_written_refuses_mutations_and_keeps_emergencies_elsewhere() {
    // A file where the folder should be, one where a folder above it should be, a link, and a folder that others may
    // write to. A folder without rights says nothing to root, who may be running this.
    type Spoil = fn(&Path);
    let places: [(&str, Spoil); 4] = [
        ("Not a directory", |base| {
            fs::write(base.join("state"), "").unwrap();
        }),
        ("Is a directory", |base| {
            fs::create_dir_all(base.join("state").join(FILE).join("inside")).unwrap();
        }),
        ("symbolic link", |base| {
            fs::create_dir(base.join("state")).unwrap();
            std::os::unix::fs::symlink("/dev/full", base.join("state").join(FILE)).unwrap();
        }),
        ("other users may write to it", |base| {
            use std::os::unix::fs::PermissionsExt as _;
            fs::create_dir(base.join("state")).unwrap();
            fs::set_permissions(base.join("state"), fs::Permissions::from_mode(0o777)).unwrap();
        }),
    ];
    for (why, spoil) in places {
        let base = quick_dir();
        spoil(base.path());
        assert_refuses(base.path(), why);
    }
}

#[test]
fn t08_two_processes_that_share_a_log_tear_no_record() {
    const RECORDS: i64 = 1_000;
    if let Some(folder) = std::env::var_os(FOLDER) {
        let mut log = Log::open(&PathBuf::from(folder).join("state")).unwrap();
        let writer = format!("i{}", std::process::id());
        let mut number = 0;
        while number < RECORDS {
            // Busy is an answer: nothing was written, and whoever asked is told.
            if log
                .append(at(number), &writer, "sending", Map::new())
                .is_ok()
            {
                number += 1;
            }
        }
        return;
    }
    let base = quick_dir();
    let this = "reliability::audit::t08_two_processes_that_share_a_log_tear_no_record";
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| alone(this, base.path(), ""));
        }
    });
    let state = base.path().join("state");
    let found = verify(&state).unwrap();
    assert_eq!((found.records, found.torn), (2 * RECORDS as u64, vec![]));
    // They did take turns, each with all of its own.
    let entries = read(&state).unwrap();
    let of_the_first = entries
        .iter()
        .filter(|entry| entry.intent == entries[0].intent);
    assert_eq!(i64::try_from(of_the_first.count()), Ok(RECORDS));
}

/// The disk goes while the program is open: it says so where something is decided, sends nothing, and goes on watching;
/// an emergency is not kept waiting for a disk.
#[test]
fn t08_on_the_screen_nothing_is_sent_without_its_record_and_watching_goes_on() {
    let shop = Shop::open("canary");
    fs::write(shop.place("state"), "").unwrap();
    let mut windlass = shop.screen_with(&["--write=prod-eu", "--namespace", "shop"]);
    windlass.until_live();
    windlass.key("p");
    windlass.until_listening();
    windlass.key("prod-eu\r");
    windlass.until("not sent");
    assert!(
        shop.writes_to("kubernetes")
            .iter()
            .all(|sent| !sent.path.contains("/rollouts/"))
    );
    windlass.until_live();
    windlass.key("x");
    windlass.until_listening();
    windlass.key("Y");
    windlass.until("Why was it done?");
    windlass.key("\x1b");
    windlass.until_gone("Why was it done?");
    windlass.until("backed out");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    let changes = shop.writes_to("kubernetes");
    assert_eq!(
        changes
            .iter()
            .filter(|sent| sent.path.contains("/rollouts/"))
            .count(),
        1,
        "{changes:#?}"
    );
}
