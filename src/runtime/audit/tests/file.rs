use std::{fs::File, io, os::unix::fs::symlink, process::Command, time::Duration};

use super::{super::state_dir, *};

#[test]
fn a_log_that_was_never_written_is_empty_and_whole() {
    let dir = quick_dir();
    let missing = dir.path().join("none");
    assert_eq!(entries(&missing), []);
    assert_eq!(verified(&missing).unwrap().last_hash, GENESIS);
}

#[test]
fn two_writers_of_one_file_make_one_chain() {
    let dir = quick_dir();
    std::thread::scope(|scope| {
        for writer in ["a", "b"] {
            let dir = dir.path();
            scope.spawn(move || {
                let mut log = Log::open(dir).unwrap();
                log.patience = Duration::from_secs(60);
                for number in 0..100 {
                    log.append(at(number), writer, "sending", Map::new())
                        .unwrap();
                }
            });
        }
    });
    let verified = verified(dir.path()).unwrap();
    assert_eq!((verified.records, verified.torn), (200, vec![]));
    let entries = entries(dir.path());
    assert_eq!(
        entries.iter().filter(|entry| entry.intent == "a").count(),
        100
    );
}

#[test]
fn a_lock_that_is_never_given_back_is_not_waited_for_for_ever() {
    let (dir, mut log) = log_of(1);
    let other = File::open(dir.path().join(FILE)).unwrap();
    other.lock().unwrap();
    log.patience = Duration::ZERO;
    let error = log.append(at(1), "i1", "outcome", Map::new()).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    other.unlock().unwrap();
    log.append(at(1), "i1", "outcome", Map::new()).unwrap();
}

#[test]
fn the_lock_is_given_back_after_an_error() {
    let (dir, mut log) = log_of(1);
    let huge = body(json!({ "reason": "x".repeat(MAX_LINE) }));
    let error = log.append(at(1), "i1", "reason", huge).unwrap_err();
    assert!(matches!(error, Error::Unfit(Unfit::TooLarge(_))), "{error}");
    let mut other = Log::open(dir.path()).unwrap();
    other.patience = Duration::ZERO;
    assert_eq!(
        other
            .append(at(1), "i1", "outcome", Map::new())
            .unwrap()
            .seq,
        2
    );
}

#[test]
fn a_full_disk_is_an_error() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(
        put(&full, b"record").unwrap_err().kind(),
        io::ErrorKind::StorageFull
    );
}

#[test]
fn a_directory_that_became_a_file_is_an_error_for_every_use() {
    let base = quick_dir();
    let dir = base.path().join("state");
    let mut log = Log::open(&dir).unwrap();
    log.append(at(0), "i1", "intent", Map::new()).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    fs::write(&dir, "").unwrap();
    log.append(at(1), "i1", "outcome", Map::new()).unwrap_err();
    Log::open(&dir).unwrap_err();
    read_with(&dir, NOWHERE).unwrap_err();
    assert_eq!(verified(&dir).unwrap_err().line, 0);
}

#[test]
fn a_log_that_was_moved_away_is_begun_anew_under_its_name() {
    let (dir, mut log) = log_of(2);
    fs::rename(dir.path().join(FILE), dir.path().join("audit.old")).unwrap();
    assert_eq!(
        log.append(at(3), "i1", "outcome", Map::new()).unwrap().seq,
        1
    );
    assert_eq!(verified(dir.path()).unwrap().records, 1);
}

#[test]
fn a_symbolic_link_in_the_place_of_the_log_is_refused() {
    let dir = quick_dir();
    for target in ["/dev/full", "elsewhere"] {
        let link = dir.path().join(FILE);
        symlink(target, &link).unwrap();
        let error = Log::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
        fs::remove_file(&link).unwrap();
    }
    assert!(!dir.path().join("elsewhere").exists());
}

#[test]
fn a_link_that_takes_the_place_of_an_open_log_is_refused_too() {
    let (dir, mut log) = log_of(1);
    let file = dir.path().join(FILE);
    let moved = dir.path().join("moved");
    fs::rename(&file, &moved).unwrap();
    symlink(&moved, &file).unwrap();
    let before = fs::read(&moved).unwrap();
    log.append(at(1), "i1", "outcome", Map::new()).unwrap_err();
    assert_eq!(fs::read(&moved).unwrap(), before);
}

/// The umask belongs to the whole process, so this runs itself in another one.
#[test]
fn the_log_is_private_and_usable_under_any_umask() {
    const BASE: &str = "WINDLASS_TEST_UMASK";
    if let Ok(base) = std::env::var(BASE) {
        let dir = Path::new(&base).join("state/windlass");
        for number in 0..2 {
            Log::open(&dir)
                .unwrap()
                .append(at(number), "i1", "intent", Map::new())
                .unwrap();
        }
        return;
    }
    for umask in ["000", "022", "777"] {
        let base = quick_dir();
        let this = "runtime::audit::tests::file::the_log_is_private_and_usable_under_any_umask";
        let script = format!("umask {umask}; exec \"$0\" --exact {this}");
        let mut run = Command::new("sh");
        run.args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .env(BASE, base.path());
        let out = run.output().unwrap();
        assert!(
            out.status.success(),
            "{umask}: {}",
            String::from_utf8_lossy(&out.stdout)
        );
        let dir = base.path().join("state/windlass");
        assert_eq!(entries(&dir).len(), 2, "umask {umask}");
        assert_eq!(
            (mode(&dir), mode(&dir.join(FILE))),
            (0o700, 0o600),
            "umask {umask}"
        );
        assert_eq!(mode(dir.parent().unwrap()), 0o700, "umask {umask}");
    }
}

#[test]
fn the_state_directory_is_made_private_where_it_is_asked_for() {
    let base = quick_dir();
    let wanted = base.path().join("a/b");
    let named = wanted.to_str().unwrap().to_owned();
    let made = state_dir(&|name| (name == "WINDLASS_STATE").then(|| named.clone())).unwrap();
    assert_eq!((made.as_path(), mode(&made)), (wanted.as_path(), 0o700));
}
