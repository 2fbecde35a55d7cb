use std::os::unix::net::UnixDatagram;

use super::{
    super::{
        OpenIntent, export_csv, export_json,
        intents::open_among,
        second::{self, Record},
    },
    *,
};

fn intent_body() -> Map<String, Value> {
    body(
        json!({ "verb": "promote", "target": { "id": "prod/shop/cart" }, "plan": { "title": "promote cart" } }),
    )
}

#[test]
fn after_a_kill_the_intents_without_an_outcome_are_known() {
    let (dir, mut log) = log_of(0);
    log.append(at(0), "done", "intent", intent_body()).unwrap();
    log.append(at(1), "killed", "intent", intent_body())
        .unwrap();
    log.append(at(2), "done", "sending", Map::new()).unwrap();
    log.append(at(3), "killed", "sending", Map::new()).unwrap();
    log.append(at(4), "done", "outcome", Map::new()).unwrap();
    log.append(at(5), "done", "reason", Map::new()).unwrap();
    drop(log);
    let open = OpenIntent {
        id: "killed".to_owned(),
        at: at(1),
        verb: "promote".to_owned(),
        target: "prod/shop/cart".to_owned(),
        sent: 1,
        words: "promote cart".to_owned(),
    };
    assert_eq!(open_among(&entries(dir.path())), [open]);
    let mut log = Log::open(dir.path()).unwrap();
    log.append(at(6), "killed", "outcome", Map::new()).unwrap();
    assert_eq!(open_among(&entries(dir.path())), []);
}

fn emergency(body: &Map<String, Value>) -> Record<'_> {
    Record {
        at: at(1),
        intent: "i9",
        kind: "intent",
        body,
        why: "no space left",
    }
}

#[test]
fn a_record_in_the_second_place_is_listed_and_marked_and_is_of_its_log_only() {
    let (dir, mut log) = log_of(1);
    let runtime = quick_dir();
    let runtime_dir = runtime.path().to_str().unwrap().to_owned();
    let environment = |name: &str| (name == "XDG_RUNTIME_DIR").then(|| runtime_dir.clone());
    let body = intent_body();
    let taken = second::keep(
        dir.path(),
        &emergency(&body),
        &environment,
        Path::new("/none"),
    );
    let file = taken.unwrap();
    log.append(at(2), "i9", "outcome", Map::new()).unwrap();

    assert_eq!(mode(&runtime.path().join("windlass")), 0o700);
    assert_eq!(mode(Path::new(&file)), 0o600);
    let entries = read_with(dir.path(), &environment).unwrap();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[1].place, Place::Second(file.clone().into()));
    assert_eq!(entries[1].fallback.as_deref(), Some("no space left"));
    assert_eq!(open_among(&entries), []);
    assert_eq!(open_among(&entries[..2]).len(), 1);
    let verified = verify_with(dir.path(), &environment).unwrap();
    assert_eq!((verified.records, verified.elsewhere), (2, 1));

    let (other, _log) = log_of(1);
    assert_eq!(read_with(other.path(), &environment).unwrap().len(), 1);

    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("promote cart", "promote tart")).unwrap();
    let broken = verify_with(dir.path(), &environment).unwrap_err();
    assert!(broken.why.contains("second place"), "{broken}");
}

#[test]
fn without_a_runtime_directory_the_temporary_one_is_used_if_it_is_ours_alone() {
    let (dir, _log) = log_of(0);
    let base = quick_dir();
    let temporary = base.path().to_str().unwrap().to_owned();
    let environment = |name: &str| match name {
        "TMPDIR" => Some(temporary.clone()),
        "XDG_RUNTIME_DIR" => Some("relative".to_owned()),
        _ => None,
    };
    let body = intent_body();
    let keep = || {
        second::keep(
            dir.path(),
            &emergency(&body),
            &environment,
            Path::new("/none"),
        )
    };
    keep().unwrap();
    let ours = base
        .path()
        .join(format!("windlass-{}", rustix::process::geteuid().as_raw()));
    assert_eq!(mode(&ours), 0o700);

    fs::set_permissions(&ours, fs::Permissions::from_mode(0o777)).unwrap();
    let error = keep().unwrap_err();
    assert!(matches!(error, Error::NoSecondPlace(_)), "{error}");
    assert_eq!(read_with(dir.path(), &environment).unwrap(), []);
}

#[test]
fn the_system_log_is_told_and_never_waited_for() {
    let (dir, _log) = log_of(0);
    let base = quick_dir();
    let socket = base.path().join("log");
    let listener = UnixDatagram::bind(&socket).unwrap();
    let runtime_dir = base.path().to_str().unwrap().to_owned();
    let environment = |name: &str| (name == "XDG_RUNTIME_DIR").then(|| runtime_dir.clone());
    let small = intent_body();
    let keep = |body| second::keep(dir.path(), &emergency(body), &environment, &socket).unwrap();
    assert!(keep(&small).ends_with(" and the system log"));
    let mut datagram = [0; 4096];
    let length = listener.recv(&mut datagram).unwrap();
    let text = std::str::from_utf8(&datagram[..length]).unwrap();
    assert!(text.starts_with("<85>windlass["), "{text}");
    assert!(text.contains("\"fallback\":\"no space left\""), "{text}");

    let oversized = body(json!({ "words": "x".repeat(9000) }));
    keep(&oversized);
    let length = listener.recv(&mut datagram).unwrap();
    assert!(
        length < 2048
            && datagram[..length]
                .windows(9)
                .any(|part| part == b"i9 intent")
    );

    // Nobody reads: its queue fills, and that is no reason to stop.
    let told = (0..2000)
        .map(|_| keep(&small))
        .find(|said| !said.ends_with("system log"));
    assert!(told.is_some());
}

#[test]
fn exports_are_whole_and_harmless_to_a_spreadsheet() {
    let (dir, mut log) = log_of(1);
    log.append(
        at(1),
        "i1",
        "reason",
        body(json!({ "reason": "=cmd(\"x\")\u{1b}" })),
    )
    .unwrap();
    let entries = entries(dir.path());
    let mut out = Vec::new();
    export_json(&entries, &mut out).unwrap();
    let read: Vec<Value> = serde_json::from_slice(&out).unwrap();
    assert_eq!(read[1]["hash"], entries[1].hash.as_str());
    let mut none = Vec::new();
    export_json(&[], &mut none).unwrap();
    assert_eq!(
        serde_json::from_slice::<Vec<Value>>(&none).unwrap().len(),
        0
    );

    let mut out = Vec::new();
    export_csv(&entries, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("\"seq\",\"at\",\"intent\""), "{text}");
    assert!(lines[2].contains("\"'=cmd(\"\"x\"\")\u{fffd}\""), "{text}");
}
