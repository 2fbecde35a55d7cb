//! The log against crashes, forgers and company.

use serde_json::json;

use super::{FILE, Log, Unverified, open_intents, read, verify};

fn at(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn body(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    value.as_object().unwrap().clone()
}

fn written(records: usize) -> (tempfile::TempDir, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path()).unwrap();
    for number in 0..records {
        log.append(
            at(1),
            &format!("i-{number}"),
            "intent",
            body(json!({ "number": number })),
        )
        .unwrap();
    }
    let bytes = std::fs::read(dir.path().join(FILE)).unwrap();
    (dir, bytes)
}

#[test]
fn a_log_cut_at_any_byte_gives_its_whole_records_names_the_tear_and_goes_on() {
    let (dir, bytes) = written(12);
    let file = dir.path().join(FILE);
    for cut in 0..=bytes.len() {
        std::fs::write(&file, &bytes[..cut]).unwrap();
        let text = &bytes[..cut];
        let ends = text.iter().filter(|byte| **byte == b'\n').count();
        // A record whose line feed alone is missing is whole.
        let whole = bytes.get(cut) == Some(&b'\n');
        let records = read(dir.path()).unwrap();
        assert_eq!(records.len(), ends + usize::from(whole), "cut at {cut}");
        let torn = verify(dir.path()).unwrap().torn;
        let clean = cut == 0 || text.ends_with(b"\n") || whole;
        assert_eq!(torn.is_empty(), clean, "cut at {cut}");
        let mut log = Log::open(dir.path()).unwrap();
        log.append(at(2), "after", "intent", body(json!({})))
            .unwrap();
        let after = verify(dir.path()).unwrap();
        assert_eq!(after.records as usize, records.len() + 1, "cut at {cut}");
        assert!(after.torn.iter().all(|torn| torn.accounted), "cut at {cut}");
    }
}

#[test]
fn no_flipped_byte_passes_for_a_record() {
    let (dir, bytes) = written(4);
    let file = dir.path().join(FILE);
    for place in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[place] ^= 0x01;
        std::fs::write(&file, &forged).unwrap();
        match verify(dir.path()) {
            Err(Unverified::Broken(_)) => {}
            Ok(verified) => {
                // The last line torn to pieces looks like a crash; it is said, and nothing of it is believed.
                assert!(
                    verified.records < 4 && !verified.torn.is_empty()
                        || verified.records == 4 && place == bytes.len() - 1,
                    "{place}"
                );
            }
            Err(Unverified::Unreadable(error)) => panic!("{error}"),
        }
    }
}

#[test]
fn a_record_that_was_taken_out_is_missed() {
    let (dir, bytes) = written(4);
    let text = String::from_utf8(bytes).unwrap();
    let without: Vec<&str> = text
        .lines()
        .enumerate()
        .filter(|(number, _)| *number != 1)
        .map(|(_, line)| line)
        .collect();
    std::fs::write(dir.path().join(FILE), format!("{}\n", without.join("\n"))).unwrap();
    assert!(matches!(verify(dir.path()), Err(Unverified::Broken(broken)) if broken.line == 2));
}

#[test]
fn two_writers_share_one_log_without_a_torn_record() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let path = dir.path().to_path_buf();
            scope.spawn(move || {
                let mut log = Log::open(&path).unwrap();
                for number in 0..100 {
                    log.append(
                        at(1),
                        &format!("{writer}-{number}"),
                        "intent",
                        body(json!({})),
                    )
                    .unwrap();
                }
            });
        }
    });
    let verified = verify(dir.path()).unwrap();
    assert_eq!((verified.records, verified.torn.len()), (200, 0));
}

#[test]
fn a_link_in_the_place_of_the_log_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", dir.path().join(FILE)).unwrap();
    assert!(Log::open(dir.path()).is_err());
}

#[test]
fn an_intent_without_an_outcome_is_found_with_what_was_sent() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path()).unwrap();
    let intent = json!({ "verb": "backout", "target": { "id": "prod-eu/shop/argo-rollout/checkout", "env": "prod-eu" },
        "plan": { "title": "Back out checkout", "requests": [{}, {}] } });
    for id in ["done", "killed"] {
        log.append(at(1), id, "intent", body(intent.clone()))
            .unwrap();
        log.append(at(1), id, "sending", body(json!({ "request": 1 })))
            .unwrap();
    }
    log.append(
        at(2),
        "done",
        "outcome",
        body(json!({ "outcome": "observed" })),
    )
    .unwrap();
    let open = open_intents(dir.path()).unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].id.as_str(), open[0].sent, open[0].of),
        ("killed", 1, 2)
    );
    assert_eq!(open[0].words, "Back out checkout in prod-eu");
}

#[test]
fn a_body_cannot_take_the_place_of_the_records_own_fields() {
    let dir = tempfile::tempdir().unwrap();
    let entry = Log::open(dir.path())
        .unwrap()
        .append(
            at(1),
            "i",
            "intent",
            body(json!({ "hash": "x", "kind": "y" })),
        )
        .unwrap();
    assert_eq!(
        (entry.kind.as_str(), entry.body["body_kind"].as_str()),
        ("intent", Some("y"))
    );
    assert!(verify(dir.path()).is_ok());
}
