//! T27: what is written is for its owner alone, whatever the umask; it lies where the XDG places are and nowhere else; no
//! link is followed to it; and a configuration that others may write, which names commands, is not obeyed.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::whole::shop::Shop;

/// Every file and folder below, with its mode.
fn below(folder: &Path, found: &mut BTreeMap<PathBuf, u32>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        found.insert(path.clone(), metadata.permissions().mode() & 0o7777);
        if metadata.is_dir() {
            below(&path, found);
        }
    }
}

fn all_of(folder: &Path) -> BTreeMap<PathBuf, u32> {
    let mut found = BTreeMap::new();
    below(folder, &mut found);
    found
}

/// As somebody starts it whose umask forbids nothing and whose places are those of the XDG specification.
fn careless(shop: &Shop, home: &Path, arguments: &[&str]) -> Output {
    let place = |name: &str| home.join(name);
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "umask 000; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_windlass"),
        ])
        .args(arguments)
        .env_clear()
        .current_dir(home)
        .stdin(std::process::Stdio::null());
    for (name, value) in shop.command(&[]).get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command
        .env_remove("WINDLASS_STATE")
        .env("HOME", home)
        .env("TMPDIR", place("tmp"))
        .env("XDG_STATE_HOME", place("xdg/state"))
        .env("XDG_CONFIG_HOME", place("xdg/config"))
        .env("XDG_CACHE_HOME", place("xdg/cache"))
        .env("XDG_DATA_HOME", place("xdg/data"))
        .env("WINDLASS_LOG", place("logs/windlass.log"))
        .env("WINDLASS_LOG_LEVEL", "trace")
        .output()
        .unwrap()
}

fn home() -> TempDir {
    let home = TempDir::new().unwrap();
    for folder in ["tmp", "logs"] {
        fs::create_dir(home.path().join(folder)).unwrap();
    }
    home
}

fn said(out: &Output) -> String {
    [&out.stdout, &out.stderr]
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .concat()
}

#[test]
fn t27_what_is_written_is_private_under_any_umask_and_lies_where_it_belongs() {
    let shop = Shop::open("canary");
    let home = home();
    let before = all_of(home.path());
    for arguments in [
        &["status"][..],
        &["pause", "checkout", "--yes", "--write"],
        &["audit", "list"],
        &["doctor"],
        &["inbox"],
        &["config", "init", "--help"],
    ] {
        let out = careless(&shop, home.path(), arguments);
        assert!(
            out.status.code().is_some_and(|code| code != 101),
            "{}",
            said(&out)
        );
    }
    let mut after = all_of(home.path());
    after.retain(|path, _| !before.contains_key(path));
    let state = home.path().join("xdg/state");
    let log = home.path().join("logs/windlass.log");
    assert!(
        after.contains_key(&state.join("windlass/audit.jsonl")),
        "{after:#?}"
    );
    assert!(after.contains_key(&log), "{after:#?}");
    for (path, mode) in &after {
        let is_ours = path.starts_with(&state) || state.starts_with(path) || *path == log;
        assert!(is_ours, "{} is nowhere it belongs", path.display());
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(*mode, wanted, "{}: {mode:o}", path.display());
    }
}

#[test]
fn t27_no_link_in_a_place_of_ours_is_followed() {
    let shop = Shop::open("canary");
    let home = home();
    let target = home.path().join("somebody-elses");
    fs::write(&target, "untouched").unwrap();
    symlink(&target, home.path().join("logs/windlass.log")).unwrap();
    let state = home.path().join("xdg/state/windlass");
    fs::create_dir_all(&state).unwrap();
    fs::set_permissions(&state, Permissions::from_mode(0o700)).unwrap();
    symlink(&target, state.join("audit.jsonl")).unwrap();
    let out = careless(
        &shop,
        home.path(),
        &["promote", "checkout", "--yes", "--write"],
    );
    assert!(!out.status.success(), "{}", said(&out));
    assert!(said(&out).contains("symbolic link"), "{}", said(&out));
    assert_eq!(fs::read_to_string(&target).unwrap(), "untouched");
    let sent = shop.writes_to("kubernetes");
    assert!(
        sent.iter().all(|sent| !sent.path.contains("/rollouts/")),
        "{sent:#?}"
    );
}

#[test]
fn t27_a_configuration_that_others_may_write_is_refused() {
    let shop = Shop::open("canary");
    let file = shop.place("windlass.toml");
    for (mode, is_refused) in [
        (0o666, true),
        (0o620, true),
        (0o602, true),
        (0o644, false),
        (0o600, false),
    ] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let ran = shop.run(&["status"]);
        assert_eq!(
            ran.code != 0,
            is_refused,
            "{mode:o}: {}{}",
            ran.out,
            ran.err
        );
        assert_eq!(
            ran.err.contains("others may write it"),
            is_refused,
            "{mode:o}: {}",
            ran.err
        );
    }
}
