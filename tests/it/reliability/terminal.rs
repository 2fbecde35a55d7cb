//! T17 to T20: a terminal that vanishes ends the program, whoever swallows the signal; it is given back after every panic
//! and signal; no storm of sizes and no noise on the line does more than a key does.

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use windlass::{
    app::{key::Key, msg::Msg},
    runtime::{
        screen::key_of,
        terminal::{self, Drawn, Input, Parser},
    },
    ui::{
        draw,
        theme::{BuiltIn, Depth, Theme},
    },
};

use crate::{
    reducer::{Step, World},
    screen::harness::{Demo, Program, Windlass},
    whole::shop::Shop,
};

/// What a test of its own is to do in its terminal.
const CASE: &str = "WINDLASS_TEST_CASE";

const WORDS: &str = "a panic that a test wants";

/// Ours in a demo, with whatever the shell says before it.
fn under_a_shell(script: &str) -> Windlass {
    let home = TempDir::new().unwrap();
    let requests = home.path().join("requests.jsonl");
    let arguments = ["-c", script, env!("CARGO_BIN_EXE_windlass")];
    let program = Program {
        columns: 120,
        rows: 36,
        arguments: arguments.map(ToOwned::to_owned).into(),
        variables: Vec::new(),
    };
    let windlass = program.start_as("/bin/sh".as_ref(), home, requests);
    windlass.until_live();
    windlass
}

/// The processor time that a process has used, in hundredths of a second; `None` when it is over.
fn used(pid: Pid) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let is_over = matches!(fields[0], "Z" | "X");
    (!is_over).then(|| fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap())
}

/// The last process that it started, or itself.
fn innermost(pid: Pid) -> Pid {
    let children = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(children).unwrap_or_default();
    text.split_whitespace()
        .next()
        .and_then(|child| Pid::from_raw(child.parse().unwrap()))
        .unwrap_or(pid)
}

#[test]
fn t17_a_terminal_that_vanishes_ends_the_program_whoever_swallows_the_signal() {
    let scripts = [
        ("default", "exec \"$0\" demo --scenario canary"),
        ("ignored", "trap '' HUP; exec \"$0\" demo --scenario canary"),
        // The shell leads the session and takes the signal; nobody tells us.
        (
            "swallowed",
            "trap : HUP; \"$0\" demo --scenario canary; exit 0",
        ),
    ];
    for (how, script) in scripts {
        let mut windlass = under_a_shell(script);
        let pid = innermost(windlass.pid());
        let before = used(pid).expect("it runs");
        let since = Instant::now();
        windlass.hang_up();
        let mut last = before;
        while let Some(now) = used(pid) {
            last = now;
            assert!(since.elapsed() < Duration::from_secs(10), "{how}: it stays");
            thread::sleep(Duration::from_millis(5));
        }
        // One that spins uses all the time there is. Ending costs something, in a debug build on a busy machine too.
        assert!(last - before < 50, "{how}: {} hundredths", last - before);
        windlass.ended();
    }
}

#[test]
fn t17_what_was_under_way_when_the_terminal_vanished_is_in_the_journal() {
    let shop = Shop::open("canary");
    let mut windlass = shop.screen();
    windlass.until_live();
    windlass.key("x");
    windlass.until_listening();
    // It has the request, and its answer takes longer than the terminal lives.
    shop.inject("latency:1500@patch");
    windlass.key("Y");
    let sending = |record: &serde_json::Value| record["kind"] == "sending";
    while !shop.audited().iter().any(sending) {
        windlass.beat();
    }
    windlass.hang_up();
    windlass.ended();
    let kinds: Vec<String> = shop
        .audited()
        .iter()
        .map(|record| record["kind"].as_str().unwrap().to_owned())
        .collect();
    for kind in ["intent", "sending", "outcome"] {
        assert_eq!(
            kinds.iter().filter(|known| *known == kind).count(),
            1,
            "{kinds:?}"
        );
    }
}

/// Run by the tests below, in a terminal of its own.
#[tokio::test]
#[ignore = "a program for another test, and of no use without a terminal"]
async fn t18_a_program_that_panics() {
    struct AlsoWhenDropped;
    impl Drop for AlsoWhenDropped {
        fn drop(&mut self) {
            panic!("once more while it unwinds");
        }
    }
    let variables = |name: &str| std::env::var(name).ok();
    windlass::runtime::log::report_panics(&variables);
    let mut terminal = terminal::Terminal::open(variables, terminal::Options::default()).unwrap();
    let say = |words: &'static str| {
        move |frame: &mut ratatui::Frame<'_>| frame.render_widget(words, frame.area())
    };
    let _ = terminal.draw(say("ready"));
    match std::env::var(CASE).unwrap().as_str() {
        "drawing" => {
            let _ = terminal.draw(|_| panic!("{WORDS}"));
        }
        "thread" => drop(thread::spawn(|| panic!("{WORDS}")).join().unwrap_err()),
        "task" => drop(tokio::spawn(async { panic!("{WORDS}") }).await),
        "blocking task" => drop(tokio::task::spawn_blocking(|| panic!("{WORDS}")).await),
        "loop" => panic!("{WORDS}"),
        "twice" => {
            let _twice = AlsoWhenDropped;
            panic!("{WORDS}");
        }
        other => unreachable!("{other}"),
    }
    // Whoever goes on after a panic elsewhere does not paint over its text.
    assert_eq!(terminal.draw(say("over it")), Drawn::GivenBack);
    terminal.restore().unwrap();
}

/// A terminal as nobody has used it.
fn fresh_modes() -> String {
    let windlass = Program {
        columns: 120,
        rows: 36,
        arguments: vec!["-c".to_owned(), "exit 0".to_owned()],
        variables: Vec::new(),
    };
    let home = TempDir::new().unwrap();
    let mut nothing = windlass.start_as("/bin/sh".as_ref(), home, PathBuf::new());
    nothing.ended();
    nothing.modes()
}

#[track_caller]
fn assert_given_back(windlass: &mut Windlass, case: &str) {
    assert_eq!(windlass.modes(), fresh_modes(), "{case}");
    let raw = windlass.last_words();
    let text = String::from_utf8_lossy(&raw);
    let last = |sequence: &str| text.rfind(sequence);
    for (off, on) in [
        ("\x1b[?1049l", "\x1b[?1049h"),
        ("\x1b[?25h", "\x1b[?25l"),
        ("\x1b[?2004l", "\x1b[?2004h"),
        ("\x1b[?1004l", "\x1b[?1004h"),
        ("\x1b[?2026l", "\x1b[?2026h"),
    ] {
        assert!(last(on).is_some(), "{case}: it was on");
        assert!(last(off) > last(on), "{case}: {off:?} comes before {on:?}");
    }
    // Nobody switched these on, and a predecessor may have.
    for off in ["\x1b[?1000l", "\x1b[?1002l", "\x1b[?1003l", "\x1b[?1006l"] {
        assert!(last(off).is_some(), "{case}: {off:?}");
    }
    windlass.screen(|screen| {
        assert!(
            !screen.alternate_screen() && !screen.hide_cursor(),
            "{case}"
        );
        assert!(!screen.bracketed_paste(), "{case}");
        let off = screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None;
        assert!(off, "{case}: the mouse");
    });
}

#[test]
fn t18_a_panic_anywhere_gives_the_terminal_back_before_its_text() {
    let cases = [
        "drawing",
        "thread",
        "task",
        "blocking task",
        "loop",
        "twice",
    ];
    for case in cases {
        let program = Program {
            columns: 120,
            rows: 36,
            arguments: [
                "--exact",
                "--ignored",
                "--nocapture",
                "reliability::terminal::t18_a_program_that_panics",
            ]
            .map(ToOwned::to_owned)
            .into(),
            variables: vec![(CASE.to_owned(), case.to_owned())],
        };
        let home = TempDir::new().unwrap();
        let this = std::env::current_exe().unwrap();
        let mut windlass = program.start_as(this.as_os_str(), home, PathBuf::new());
        let status = windlass.ended();
        let is_caught = matches!(case, "thread" | "task" | "blocking task");
        assert_eq!(status.success(), is_caught, "{case}: {status:?}");
        assert_given_back(&mut windlass, case);
        let raw = String::from_utf8_lossy(&windlass.raw()).into_owned();
        let (left, told) = (raw.rfind("\x1b[?1049l"), raw.find(WORDS));
        assert!(
            told > left,
            "{case}: the text was lost with the screen: {raw}"
        );
        assert!(!raw.contains("over it"), "{case}");
    }
}

#[test]
fn t18_every_signal_that_ends_it_gives_the_terminal_back() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let mut windlass = Demo::of("canary").live();
        windlass.signal(signal);
        windlass.ended();
        assert_given_back(&mut windlass, &format!("{signal:?}"));
    }
}

#[test]
fn t18_a_program_that_is_stopped_gives_the_terminal_back_and_takes_it_again() {
    // A shell that does not lead its own jobs would leave nobody to go on for.
    let mut windlass = under_a_shell("set -m; \"$0\" demo --scenario canary; fg; exit 0");
    let pid = innermost(windlass.pid());
    let raw_modes = windlass.modes();
    rustix::process::kill_process(pid, Signal::TSTP).unwrap();
    // The shell brings it back at once; what was given back and taken again is in what was sent.
    windlass.until_screen("the screen to be taken again", |screen| {
        screen.alternate_screen()
    });
    let deadline = Instant::now() + Duration::from_secs(20);
    let count = |windlass: &Windlass, sequence: &str| {
        String::from_utf8_lossy(&windlass.raw())
            .matches(sequence)
            .count()
    };
    while count(&windlass, "\x1b[?1049h") < 2 {
        assert!(Instant::now() < deadline, "never taken again");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(count(&windlass, "\x1b[?1049l"), 1, "given back in between");
    windlass.until("checkout");
    assert_eq!(windlass.modes(), raw_modes);
    windlass.key("q");
    windlass.ended();
    assert_given_back(&mut windlass, "stopped");
}

fn painted(terminal: &mut Terminal<TestBackend>, world: &World) -> Buffer {
    let theme = Theme::new(&BuiltIn::Dark.palette(), Depth::True);
    let drawn = terminal.draw(|frame| draw(&world.state, &theme, frame));
    drawn.unwrap().buffer.clone()
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn size(&mut self, most: u64) -> u16 {
        u16::try_from(self.roll(most)).unwrap()
    }
}

#[test]
fn t19_a_storm_of_sizes_ends_in_the_screen_of_the_last_one() {
    const ODD: [(u16, u16); 8] = [
        (0, 0),
        (1, 1),
        (0, 40),
        (120, 0),
        (65_535, 1),
        (1, 65_535),
        (1_000, 400),
        (2, 3),
    ];
    let mut dice = Dice(19);
    let mut world = World::new("canary-analysis");
    let mut storm = Terminal::new(TestBackend::new(80, 24)).unwrap();
    for turn in 0..2_000_usize {
        let (columns, rows) = match turn {
            // The large ones cost as much as hundreds of others.
            turn if turn % 250 == 7 => ODD[turn / 250 % ODD.len()],
            turn if turn % 50 == 9 => ODD[turn % 4],
            _ => (dice.size(140), dice.size(50)),
        };
        world.step(&Step::Resize(columns, rows));
        storm.backend_mut().resize(columns, rows);
        painted(&mut storm, &world);
        // Fingers and facts go on meanwhile.
        let keys = [
            '1', '2', '3', '8', '9', 'j', 'k', '?', 'm', 'x', 'p', 'l', 'h', 'y', '/', 'W',
        ];
        let key = keys[usize::try_from(dice.roll(16)).unwrap()];
        match dice.roll(5) {
            0 => world.step(&Step::Press(Key::plain(windlass::app::key::Code::Esc))),
            1 => world.step(&Step::Answer(true)),
            2 => world.step(&Step::Tell),
            _ => world.step(&Step::Press(Key::char(key))),
        }
        if turn % 100 == 99 {
            let (columns, rows) = (60 + dice.size(80), 10 + dice.size(40));
            world.step(&Step::Resize(columns, rows));
            storm.backend_mut().resize(columns, rows);
            let mut fresh = Terminal::new(TestBackend::new(columns, rows)).unwrap();
            assert_eq!(
                painted(&mut storm, &world),
                painted(&mut fresh, &world),
                "turn {turn}"
            );
        }
    }
}

#[test]
fn t19_the_program_survives_a_storm_of_sizes_while_it_is_used() {
    let mut dice = Dice(7);
    let mut windlass = Demo::of("canary").with(&["--speed", "20"]).live();
    for turn in 0..150 {
        let odd = [(1, 1), (1_000, 3), (3, 200), (2, 2)];
        let (columns, rows) = match turn % 10 {
            9 => odd[turn / 10 % 4],
            _ => (1 + dice.size(160), 1 + dice.size(60)),
        };
        windlass.resize(columns, rows);
        windlass.key(["j", "1", "9", "k", "8", "2"][turn % 6]);
    }
    windlass.resize(120, 36);
    windlass.key("1");
    windlass.until("checkout");
    windlass.until_live();
    windlass.leaves_without_a_change();
}

/// Bytes as they come over a line that is full of noise: anything, with beginnings and ends of sequences more often than
/// chance has them.
fn noise(dice: &mut Dice, bytes: &mut Vec<u8>) {
    const PIECES: [&[u8]; 16] = [
        b"\x1b",
        b"\x1b[",
        b"\x1b[200~",
        b"\x1b[201~",
        b"\x1bO",
        b"\x1b]52;c;",
        b"\x1bP",
        b"\x9b",
        b"\x1b[<0;3;",
        b"\xff\xfe",
        b"\xe2\x82",
        b"\xf0\x9f",
        b"Y",
        b"\r",
        b"x",
        b"p",
    ];
    if dice.roll(6) == 0 {
        bytes.extend_from_slice(PIECES[usize::try_from(dice.roll(16)).unwrap()]);
    } else {
        bytes.push(u8::try_from(dice.roll(256)).unwrap());
    }
}

/// What the screen's loop makes of an input.
fn msg_of(input: Input) -> Option<Msg> {
    match input {
        Input::Key(key) => key_of(key).map(Msg::Key),
        Input::Paste(text) => Some(Msg::Paste(text.to_string())),
        _ => None,
    }
}

#[test]
fn t20_a_million_bytes_of_noise_do_nothing_that_was_not_seen() {
    let mut dice = Dice(20);
    let mut parser = Parser::default();
    let (mut sent, mut keys) = (0, 0);
    let mut world = World::new("canary-analysis");
    while sent < 1_000_000 {
        let mut bytes = Vec::new();
        for _ in 0..=dice.roll(400) {
            noise(&mut dice, &mut bytes);
        }
        sent += bytes.len();
        let mut inputs = Vec::new();
        // Reads fall anywhere.
        let middle = usize::try_from(dice.roll(bytes.len() as u64)).unwrap();
        parser.feed(&bytes[..middle], &mut inputs);
        if parser.patience().is_some() && dice.roll(3) == 0 {
            parser.give_up(&mut inputs);
        }
        parser.feed(&bytes[middle..], &mut inputs);
        if dice.roll(20) == 0 {
            // Whatever is unfinished is over in the end: a paste too.
            for _ in 0..4 {
                parser.give_up(&mut inputs);
            }
        }
        keys += inputs.len();
        // Nothing of it is ever silent for half a second, so nothing of it confirms; that what is confirmed was seen is
        // held by the world itself.
        for msg in inputs.into_iter().filter_map(msg_of) {
            world.happens(msg);
        }
        world.step(&Step::Answer(true));
        world.step(&Step::Draw);
        world.step(&Step::Wait(100));
    }
    assert!(keys > 100_000, "{keys} inputs prove little");
    assert!(world.approved.is_empty());
}

#[test]
fn t20_a_paste_of_confirmations_and_what_was_typed_ahead_confirm_nothing() {
    let confirmations = "Y\n".repeat(1_000);
    let mut parser = Parser::default();
    for verb in ['x', 'z', 'p'] {
        for (ahead, bracketed) in [(true, false), (true, true), (false, true)] {
            let mut world = World::new("canary-analysis");
            let bytes = match bracketed {
                true => format!("\x1b[200~{confirmations}prod-eu\r\x1b[201~"),
                false => format!("{confirmations}prod-eu\r").replace('\n', "\r"),
            };
            let mut inputs = Vec::new();
            // In reads of any length, none of which ends where a sequence does.
            for piece in bytes.as_bytes().chunks(7) {
                parser.feed(piece, &mut inputs);
            }
            world.step(&Step::Press(Key::char(verb)));
            if !ahead {
                world.step(&Step::Answer(true));
                world.step(&Step::Draw);
                world.step(&Step::Wait(600));
            }
            for msg in inputs.into_iter().filter_map(msg_of) {
                world.happens(msg);
            }
            world.step(&Step::Answer(true));
            world.step(&Step::Draw);
            world.step(&Step::Wait(600));
            assert!(world.approved.is_empty(), "{verb} {ahead} {bracketed}");
        }
    }
}
