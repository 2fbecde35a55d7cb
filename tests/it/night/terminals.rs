//! T21: whatever the terminal is called, whatever its colours and its letters, the screen is readable in it or says in one
//! line why it is not; and inside a real tmux and a real GNU screen it is the same program.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{
    tell,
    user::{backs_out, opens_and_leaves_help},
};
use crate::screen::harness::{Program, Windlass};

/// Everything that a terminal may be asked for in colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Colours {
    None,
    Sixteen,
    Indexed,
    True,
}

/// The most that was asked for.
fn colours(raw: &str) -> Colours {
    let mut most = Colours::None;
    for rest in raw.split("\x1b[").skip(1) {
        let Some(end) = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':'))) else {
            continue;
        };
        if !rest[end..].starts_with('m') {
            continue;
        }
        let mut words = rest[..end].split([';', ':']);
        while let Some(word) = words.next() {
            let asked = match word {
                "38" | "48" | "58" => match words.next() {
                    Some("2") => Colours::True,
                    _ => Colours::Indexed,
                },
                _ => match word.parse::<u8>() {
                    Ok(30..=37 | 40..=47 | 90..=97 | 100..=107) => Colours::Sixteen,
                    _ => Colours::None,
                },
            };
            if matches!(asked, Colours::True | Colours::Indexed) {
                let skipped = if asked == Colours::True { 3 } else { 1 };
                for _ in 0..skipped {
                    words.next();
                }
            }
            most = most.max(asked);
        }
    }
    most
}

fn demo(variables: &[(&str, &str)]) -> Windlass {
    let home = tempfile::tempdir().unwrap();
    let requests = home.path().join("requests.jsonl");
    let mut all = vec![("COLORTERM".to_owned(), String::new())];
    all.extend(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let program = Program {
        columns: 120,
        rows: 36,
        arguments: ["demo", "--scenario", "canary"].map(str::to_owned).into(),
        variables: all,
    };
    program.start(home, requests)
}

/// What stands in every terminal that can be read at all.
#[track_caller]
fn assert_readable(windlass: &mut Windlass, case: &str) -> String {
    windlass.until("checkout");
    windlass.until("prod-eu");
    opens_and_leaves_help(windlass);
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0, "{case}");
    let raw = String::from_utf8_lossy(&windlass.last_words()).into_owned();
    assert!(
        raw.rfind("\x1b[?1049l") > raw.rfind("\x1b[?1049h"),
        "{case}"
    );
    raw
}

#[test]
#[ignore = "at night: the program in thirty terminals"]
fn t21_whatever_the_terminal_is_called_it_is_readable_and_asked_for_no_more_than_it_has() {
    let terms = [
        ("vt100", Colours::None),
        ("vt220", Colours::None),
        ("unknown", Colours::None),
        ("", Colours::None),
        ("linux", Colours::Sixteen),
        ("ansi", Colours::Sixteen),
        ("xterm", Colours::Sixteen),
        ("xterm-16color", Colours::Sixteen),
        ("xterm-256color", Colours::Indexed),
        ("xterm-direct", Colours::True),
    ];
    let around: [(&[(&str, &str)], bool); 4] = [
        (&[], false),
        (&[("NO_COLOR", "1")], false),
        (&[("LANG", "C")], true),
        (&[("LC_ALL", "POSIX")], true),
    ];
    let mut cases = 0;
    for (term, most) in terms {
        for (more, is_ascii) in around {
            let case = format!("TERM={term} {more:?}");
            let mut variables = vec![("TERM", term)];
            variables.extend(more);
            let raw = assert_readable(&mut demo(&variables), &case);
            let most = match more.first() {
                Some(("NO_COLOR", _)) => Colours::None,
                _ => most,
            };
            assert_eq!(colours(&raw), most, "{case}");
            assert!(!is_ascii || raw.is_ascii(), "{case}: not ASCII");
            let braille = raw.chars().any(|c| ('\u{2800}'..'\u{2900}').contains(&c));
            let has_none = matches!(term, "linux" | "vt100" | "vt220");
            assert!(!(braille && has_none), "{case}: braille");
            cases += 1;
        }
    }
    tell(&format!("{cases} of {cases} terminals readable"));
}

#[test]
#[ignore = "at night: beside the others of its number"]
fn t21_a_terminal_that_cannot_move_its_cursor_is_refused_in_words() {
    let mut windlass = demo(&[("TERM", "dumb")]);
    assert_eq!(windlass.ended().exit_code(), 2);
    let raw = String::from_utf8_lossy(&windlass.last_words()).into_owned();
    assert!(!raw.contains('\x1b'), "{raw:?}");
    assert!(
        raw.contains("TERM") && raw.contains("windlass status"),
        "{raw}"
    );
}

/// No terminal, half a terminal, and none of the streams: one line, exit code 2, and not one escape sequence.
#[test]
#[ignore = "at night: beside the others of its number"]
fn t21_without_a_terminal_it_says_so_and_what_to_do() {
    let cases = [
        "exec \"$0\" demo",
        "exec \"$0\" demo <&-",
        "exec \"$0\" demo >&-",
        "exec \"$0\" demo <&- >&-",
        "exec \"$0\" demo <&- >&- 2>&-",
        "exec \"$0\" demo --wall",
        "exec \"$0\"",
    ];
    for script in cases {
        let home = tempfile::tempdir().unwrap();
        let out = Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_windlass")])
            .env_clear()
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .env("TERM", "xterm-256color")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(out.status.code(), Some(2), "{script}: {out:?}");
        let err = String::from_utf8_lossy(&out.stderr);
        assert!(out.stdout.is_empty(), "{script}: {out:?}");
        assert!(!err.contains('\x1b') && !err.contains("panic"), "{err}");
        if !script.contains("2>&-") && script.contains("demo") {
            assert!(err.contains("is not a terminal"), "{script}: {err}");
            assert!(err.contains("windlass status"), "{script}: {err}");
        }
    }
    tell(&format!(
        "{} ways without a terminal: refused in a line",
        cases.len()
    ));
}

/// A multiplexer in a terminal, and ours inside.
struct Inside {
    windlass: Windlass,
    /// Ends what a failed test would leave running.
    end: Command,
}

impl Drop for Inside {
    fn drop(&mut self) {
        // It has usually ended with the program inside.
        let _ = self.end.output();
    }
}

fn inside(name: &str) -> Inside {
    let home = tempfile::tempdir().unwrap();
    let sockets: PathBuf = home.path().join("sockets");
    fs::create_dir(&sockets).unwrap();
    fs::set_permissions(&sockets, fs::Permissions::from_mode(0o700)).unwrap();
    let requests = home.path().join("requests.jsonl");
    let line = format!(
        "echo it was here before; {} demo --scenario canary --requests {}; echo it ended with $?; read line",
        env!("CARGO_BIN_EXE_windlass"),
        requests.display()
    );
    let place = sockets.display().to_string();
    // Without this GNU screen has no second screen, and gives nothing back for anybody.
    fs::write(sockets.join("screenrc"), "altscreen on\n").unwrap();
    let settings = format!("{place}/screenrc");
    let (arguments, end): (Vec<&str>, Vec<&str>) = match name {
        "tmux" => (
            vec!["-u", "-f", "/dev/null", "new-session", &line],
            vec!["kill-server"],
        ),
        _ => (
            vec!["-U", "-c", &settings, "-S", "ours", "sh", "-c", &line],
            vec!["-S", "ours", "-X", "quit"],
        ),
    };
    let variables = [
        ("PATH", "/usr/bin:/bin"),
        ("SHELL", "/bin/sh"),
        ("TMUX_TMPDIR", &place),
        ("SCREENDIR", &place),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut ending = Command::new(name);
    ending.args(end).envs(variables.clone());
    let program = Program {
        columns: 120,
        rows: 37,
        arguments: arguments.into_iter().map(str::to_owned).collect(),
        variables: variables.into(),
    };
    Inside {
        windlass: program.start_as(name.as_ref(), home, requests),
        end: ending,
    }
}

#[test]
#[ignore = "at night: needs tmux and GNU screen"]
fn t21_inside_tmux_and_inside_screen_it_is_the_same_program() {
    for name in ["tmux", "screen"] {
        let mut inside = inside(name);
        let windlass = &mut inside.windlass;
        windlass.until_live();
        windlass.until("checkout");
        windlass.resize(90, 30);
        windlass.until_screen("the smaller one", |screen| {
            screen.size().1.get() == 90 && screen.contents().contains("checkout")
        });
        windlass.resize(120, 37);
        windlass.until_live();
        backs_out(windlass);
        windlass.key("q");
        windlass.until("it ended with 0");
        let text = windlass.text();
        assert!(text.contains("it was here before"), "{name}: {text}");
        assert!(!text.contains("checkout"), "{name}: {text}");
        let mine = windlass
            .patches()
            .iter()
            .filter(|sent| sent.status == Some(200))
            .count();
        assert_eq!(mine, 1, "{name}: {:#?}", windlass.patches());
        windlass.key("\r");
        windlass.ended();
    }
    tell("tmux and screen: shown, resized, acted, left as found");
}
