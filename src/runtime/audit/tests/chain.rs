use std::process::Command;

use super::*;

#[test]
fn what_is_appended_is_read_back_and_chained() {
    let (dir, _log) = log_of(3);
    let entries = entries(dir.path());
    assert_eq!(
        entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(entries[0].prev, GENESIS);
    assert_eq!(entries[2].prev, entries[1].hash);
    assert_eq!(entries[2].body, body(json!({ "n": 2 })));
    assert!(
        entries
            .iter()
            .all(|entry| entry.chained && entry.place == Place::Log)
    );
    let expected = Verified {
        records: 3,
        last_hash: entries[2].hash.clone(),
        torn: vec![],
        elsewhere: 0,
    };
    assert_eq!(verified(dir.path()), Ok(expected));
}

#[test]
fn a_hash_can_be_checked_with_sha256sum() {
    let (dir, _log) = log_of(2);
    let script = r#"sed -n 2p "$0" | sed 's/,"hash":"[0-9a-f]*"}$//' | tr -d '\n' | sha256sum"#;
    let out = Command::new("sh")
        .args(["-c", script])
        .arg(dir.path().join(FILE))
        .output()
        .unwrap();
    let out = String::from_utf8(out.stdout).unwrap();
    assert_eq!(
        out.split_whitespace().next(),
        Some(entries(dir.path())[1].hash.as_str())
    );
}

#[test]
fn a_crash_at_any_byte_leaves_the_records_before_it_and_the_next_append_goes_on() {
    let (source, _log) = log_of(20);
    let whole = fs::read(source.path().join(FILE)).unwrap();
    let dir = quick_dir();
    let file = dir.path().join(FILE);
    // The records that are whole up to an offset: one without its line feed is.
    let ends: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] == b'\n').collect();
    for cut in 0..=whole.len() {
        fs::write(&file, &whole[..cut]).unwrap();
        let intact = ends.iter().filter(|&&end| end <= cut).count();
        let starts_at = if intact == 0 { 0 } else { ends[intact - 1] + 1 };
        let torn = cut.saturating_sub(starts_at) as u64;

        let before = verified(dir.path()).unwrap();
        assert_eq!(before.records, intact as u64, "cut at {cut}");
        let tear = |bytes, accounted| Torn {
            line: intact as u64 + 1,
            bytes,
            accounted,
        };
        let expected = if torn == 0 {
            vec![]
        } else {
            vec![tear(torn, false)]
        };
        assert_eq!(before.torn, expected, "cut at {cut}");

        let mut log = Log::open(dir.path()).unwrap();
        let entry = log.append(at(99), "i2", "outcome", Map::new()).unwrap();
        assert_eq!(entry.seq, intact as u64 + 1, "cut at {cut}");
        let after = verified(dir.path()).unwrap();
        let expected = if torn == 0 {
            vec![]
        } else {
            vec![tear(torn + 1, true)]
        };
        assert_eq!(
            (after.records, after.torn),
            (intact as u64 + 1, expected),
            "cut at {cut}"
        );
        // The torn bytes are still there.
        assert!(
            fs::read(&file).unwrap().starts_with(&whole[..cut]),
            "cut at {cut}"
        );
    }
}

#[test]
fn a_second_crash_in_the_repair_of_the_first_is_repaired_as_well() {
    let (dir, mut log) = log_of(2);
    let file = dir.path().join(FILE);
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(b"{\"schema\":\"wind\n{\"sch");
    fs::write(&file, bytes).unwrap();
    let entry = log.append(at(9), "i1", "outcome", Map::new()).unwrap();
    assert_eq!((entry.seq, entry.torn.unwrap().bytes), (3, 22));
    let torn = verified(dir.path()).unwrap().torn;
    assert_eq!(
        torn,
        [Torn {
            line: 3,
            bytes: 22,
            accounted: true
        }]
    );
}

#[test]
fn a_change_of_any_byte_is_reported() {
    let (dir, mut log) = log_of(2);
    let file = dir.path().join(FILE);
    // With a tear in the middle that a record names: its bytes are covered too.
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(b"{\"torn");
    fs::write(&file, bytes).unwrap();
    log.append(at(3), "i1", "outcome", Map::new()).unwrap();
    log.append(at(4), "i1", "reason", Map::new()).unwrap();
    let whole = fs::read(&file).unwrap();
    let good = verified(dir.path()).unwrap();
    for index in 0..whole.len() {
        for mask in [0x01, 0x07, 0x20, 0x80] {
            let mut bytes = whole.clone();
            bytes[index] ^= mask;
            fs::write(&file, bytes).unwrap();
            match verified(dir.path()) {
                Err(_) => {}
                // The last line can be made to look like an interrupted write, and is reported as one. With the line
                // feed before it gone, it is the last two records.
                Ok(changed) => {
                    assert!(changed.records < good.records, "byte {index} mask {mask}");
                    assert!(
                        changed.torn.iter().any(|torn| !torn.accounted),
                        "byte {index}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_record_that_is_removed_moved_or_repeated_is_reported_where_it_is_missed() {
    let (dir, _log) = log_of(4);
    let file = dir.path().join(FILE);
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (order, line) in [
        (vec![1, 2, 3], 1),
        (vec![0, 2, 3], 2),
        (vec![0, 2, 1, 3], 2),
        (vec![0, 1, 1, 2, 3], 3),
    ] {
        let changed: String = order.iter().flat_map(|&at| [lines[at], "\n"]).collect();
        fs::write(&file, changed).unwrap();
        assert_eq!(verified(dir.path()).unwrap_err().line, line, "{order:?}");
        let entries = entries(dir.path());
        assert_eq!(entries.len(), order.len());
        assert!(!entries.last().unwrap().chained);
    }
}

#[test]
fn nothing_is_chained_to_a_last_record_that_was_changed() {
    let (dir, mut log) = log_of(2);
    let file = dir.path().join(FILE);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"n\":1", "\"n\":7")).unwrap();
    let error = log.append(at(3), "i1", "outcome", Map::new()).unwrap_err();
    assert!(matches!(&error, Error::Spoilt { .. }), "{error}");
    assert!(
        error.to_string().contains("changed after it was written"),
        "{error}"
    );
    assert_eq!(verified(dir.path()).unwrap_err().line, 2);
}

#[test]
fn records_longer_than_the_first_look_back_are_found() {
    let (dir, mut log) = log_of(1);
    let lengthy = body(json!({ "words": "x".repeat(200_000) }));
    log.append(at(1), "i1", "reason", lengthy).unwrap();
    assert_eq!(
        log.append(at(2), "i1", "outcome", Map::new()).unwrap().seq,
        3
    );
    assert_eq!(verified(dir.path()).unwrap().records, 3);
}

#[test]
fn a_line_over_the_limit_is_a_tear_to_the_writer_and_to_the_reader() {
    let (dir, mut log) = log_of(1);
    let file = dir.path().join(FILE);
    let mut bytes = fs::read(&file).unwrap();
    let start = bytes.len();
    bytes.extend(format!("{{\"a\":\"{}\"}}\n", "x".repeat(3 * MAX_LINE)).into_bytes());
    let torn = (bytes.len() - start) as u64;
    fs::write(&file, bytes).unwrap();
    log.append(at(2), "i1", "outcome", Map::new()).unwrap();
    let expected = [Torn {
        line: 2,
        bytes: torn,
        accounted: true,
    }];
    assert_eq!(verified(dir.path()).unwrap().torn, expected);
}

#[test]
fn names_that_the_record_has_taken_are_kept_under_another() {
    let (dir, mut log) = log_of(0);
    let colliding = body(json!({ "hash": "abc", "body_hash": 1, "seq": 7, "verb": "abort" }));
    let entry = log.append(at(0), "i1", "intent", colliding).unwrap();
    let kept =
        body(json!({ "body_body_hash": "abc", "body_hash": 1, "body_seq": 7, "verb": "abort" }));
    assert_eq!((entry.seq, &entry.body), (1, &kept));
    assert_eq!(verified(dir.path()).unwrap().last_hash, entry.hash);
}

#[test]
fn what_a_terminal_obeys_is_escaped_in_the_file_and_whole_when_read() {
    let (dir, mut log) = log_of(0);
    let words = "a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\n\u{7f}z";
    log.append(at(0), "i1", "reason", body(json!({ "words": words })))
        .unwrap();
    let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
    assert!(
        text.trim_end().chars().all(|c| (' '..='~').contains(&c)),
        "{text}"
    );
    assert_eq!(entries(dir.path())[0].body["words"], words);
}
