//! T23 and T25: text from outside is text on every way out: the screen, JSON, the audit log and its exports, the log
//! file, notices and the words of a panic. Here hostile text goes into every field that a system can fill; that no cell can
//! command a terminal whatever is in it is held beside the encoder.

use std::{process::Command, sync::Arc};

use ratatui::{Terminal, backend::TestBackend};
use serde_json::Value;
use vte::{Params, Parser, Perform};
use windlass::{
    app::{
        key::{Code, Key},
        msg::Msg,
        state::State,
    },
    model::{detail, event::DetailFact, id::EnvironmentName, text},
    providers::kubernetes::{map, wire},
    ui::{
        draw,
        theme::{BuiltIn, Depth, Theme},
    },
};

use crate::{
    reducer::{ENVIRONMENT, World},
    whole::{
        between::{Between, Then},
        shop::{Hosts, Shop},
    },
};

/// One of each kind of attack; every sequence there is goes through the encoder's own test.
const ATTACKS: [&str; 14] = [
    "\u{1b}[2J\u{1b}[1;1H",
    "\u{1b}]52;c;b3duZWQ=\u{7}",
    "\u{1b}]0;owned\u{1b}\\",
    "\u{9d}2;owned\u{9c}",
    "\u{9b}6n",
    "\u{1b}P$qm\u{1b}\\",
    "\u{1b}_Gf=100;AAAA",
    "\u{1b}^x\u{1b}Xy",
    "\u{1b}[?1049l\u{1b}c",
    "\u{202e}txt\u{2066}\u{200b}\u{feff}",
    "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\0\u{7}\u{8}\r\n\t\u{7f}\u{85}",
    "\u{e0041}\u{e007f}\u{200d}",
    "\u{1b}",
];

/// With the attack in the middle and at the end of every text, keys apart.
fn poisoned(value: &mut Value, attack: &str) {
    match value {
        Value::String(text) => {
            let middle = text
                .char_indices()
                .nth(text.chars().count() / 2)
                .map_or(0, |(at, _)| at);
            text.insert_str(middle, attack);
            text.push_str(attack);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| poisoned(item, attack)),
        Value::Object(map) => map.values_mut().for_each(|item| poisoned(item, attack)),
        _ => {}
    }
}

fn painted(state: &State) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(160, 48)).unwrap();
    let theme = Theme::new(&BuiltIn::Dark.palette(), Depth::True);
    let drawn = terminal.draw(|frame| draw(state, &theme, frame)).unwrap();
    let cells = drawn.buffer.content.iter();
    cells.map(|cell| cell.symbol().to_owned()).collect()
}

#[track_caller]
fn assert_is_text(state: &State, what: &str) {
    for symbol in painted(state) {
        let bad = symbol.chars().find(|c| text::is_forbidden(*c));
        assert_eq!(bad, None, "{what}: {symbol:?}");
        assert!(symbol.chars().count() <= 9, "{what}: {symbol:?}");
    }
}

/// The recorded objects of a kind with their texts poisoned, the words that are states left as they are or not.
fn objects(kind: &str, attack: &str, states_too: bool) -> Vec<Value> {
    let path = format!(
        "{}/tests/fixtures/kubernetes/trees/canary-analysis.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let tree: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut items = tree["lists"][kind]["items"].as_array().unwrap().clone();
    for item in &mut items {
        let states = [
            item.pointer("/status/phase").cloned(),
            item.pointer("/metadata/uid").cloned(),
        ];
        poisoned(item, attack);
        if !states_too {
            for (pointer, state) in ["/status/phase", "/metadata/uid"].iter().zip(states) {
                if let (Some(place), Some(state)) = (item.pointer_mut(pointer), state) {
                    *place = state;
                }
            }
        }
    }
    items
}

#[test]
fn t23_hostile_text_in_every_field_of_a_release_is_text_in_every_view() {
    let environment = EnvironmentName::new(ENVIRONMENT);
    for attack in ATTACKS {
        for states_too in [false, true] {
            let mut world = World::new("canary-analysis");
            let rollout: wire::Rollout =
                serde_json::from_value(objects("rollouts", attack, states_too).remove(0)).unwrap();
            world.rollout = Arc::new(map::rollout(
                &rollout,
                &environment,
                &mut map::Interner::default(),
            ));
            world.replica_sets = objects("replicasets", attack, states_too)
                .into_iter()
                .filter_map(|set| map::replica_set(&serde_json::from_value(set).unwrap()))
                .collect();
            world.tell();
            world.happens(Msg::Tick);
            world.happens(Msg::Key(Key::plain(Code::Enter)));
            let uid = world.rollout.uid.clone();
            let pods: Vec<detail::Pod> = objects("pods", attack, states_too)
                .into_iter()
                .map(|pod| map::pod(&serde_json::from_value(pod).unwrap()))
                .collect();
            let runs = objects("analysisruns", attack, states_too)
                .into_iter()
                .map(|run| map::analysis_run(&serde_json::from_value(run).unwrap()))
                .collect();
            for fact in [
                DetailFact::Pods(pods),
                DetailFact::Runs(runs),
                DetailFact::Failed {
                    part: "pods",
                    why: text::sanitise(attack),
                },
            ] {
                world.happens(Msg::Detail {
                    uid: uid.clone(),
                    fact,
                });
            }
            // Notices are said in words that may repeat what a system answered.
            world.happens(Msg::Said {
                good: false,
                words: text::sanitise(attack).to_string(),
            });
            for keys in [
                "1", "2", "3", "8", "9", "2m", "2h", "2l", "2x", "2p", "1/", "1:", "?",
            ] {
                world.happens(Msg::Key(Key::plain(Code::Esc)));
                world.happens(Msg::Key(Key::plain(Code::Esc)));
                for key in keys.chars() {
                    world.happens(Msg::Key(Key::char(key)));
                }
                world.step(&crate::reducer::Step::Answer(true));
                assert_is_text(&world.state, &format!("{attack:?} {keys} {states_too}"));
            }
        }
    }
}

/// What the program writes to a terminal besides text and its own sequences.
#[derive(Default)]
struct Foreign {
    heard: Vec<String>,
    /// Where links that were opened lead, and whether one still is.
    links: Vec<String>,
    open: bool,
}

impl Perform for Foreign {
    fn print(&mut self, c: char) {
        if text::is_forbidden(c) {
            self.heard.push(format!("{c:?}"));
        }
    }

    fn execute(&mut self, byte: u8) {
        if !matches!(byte, b'\r' | b'\n' | 0x08) {
            self.heard.push(format!("control {byte:#x}"));
        }
    }

    fn csi_dispatch(&mut self, params: &Params, marks: &[u8], _ignored: bool, action: char) {
        let first = params
            .iter()
            .next()
            .and_then(|all| all.first().copied())
            .unwrap_or(0);
        let ours = match (marks, action) {
            ([], 'H' | 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'd' | 'm' | 'K' | 'J' | 'X') => {
                true
            }
            ([b'?'], 'h' | 'l') => {
                [25, 1000, 1002, 1003, 1004, 1006, 1049, 2004, 2026].contains(&first)
            }
            _ => false,
        };
        if !ours {
            self.heard
                .push(format!("CSI {marks:?} {params:?} {action}"));
        }
    }

    fn esc_dispatch(&mut self, marks: &[u8], _ignored: bool, byte: u8) {
        // The end of a link's sequence.
        if (marks, byte) != (&[], b'\\') {
            self.heard.push(format!("ESC {marks:?} {byte:#x}"));
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _bell: bool) {
        match params {
            [b"8", b"", b""] => self.open = false,
            [b"8", id, to] if is_id(id) && is_address(to) => {
                self.links.push(String::from_utf8_lossy(to).into_owned());
                self.open = true;
            }
            _ => self.heard.push(format!("OSC {params:?}")),
        }
    }

    fn hook(&mut self, _: &Params, marks: &[u8], _: bool, action: char) {
        self.heard.push(format!("DCS {marks:?} {action}"));
    }
}

fn is_id(id: &[u8]) -> bool {
    let number = id.strip_prefix(b"id=").unwrap_or_default();
    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

/// On the web, in printable ASCII, and no longer than terminals take.
fn is_address(to: &[u8]) -> bool {
    let web = [b"http://".as_slice(), b"https://"];
    web.iter().any(|scheme| to.starts_with(scheme))
        && to.iter().all(|byte| matches!(byte, b'!'..=b'~'))
        && to.len() <= 2_083
}

/// With the attack in the middle and at the end of every address, and nothing else changed: what they belong to is shown.
fn addresses_poisoned(value: &mut Value, attack: &str) {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| addresses_poisoned(item, attack)),
        Value::Object(map) => {
            for (key, item) in map {
                if key.to_ascii_lowercase().ends_with("url") {
                    poisoned(item, attack);
                } else {
                    addresses_poisoned(item, attack);
                }
            }
        }
        _ => {}
    }
}

/// A world whose hosts answer with what `change` makes of their answers.
fn changed(change: impl Fn(&mut Value) + Clone + Send + Sync + 'static) -> (Shop, Vec<Between>) {
    let mut all = Vec::new();
    let shop = Shop::open("gate").behind(|hosts: &mut Hosts| {
        for host in [
            &mut hosts.github,
            &mut hosts.prometheus,
            &mut hosts.alertmanager,
        ] {
            let between = Between::to(host);
            *host = between.address();
            all.push(between);
        }
    });
    for between in &all {
        let change = change.clone();
        between.now(move |_| {
            let change = change.clone();
            Then::Change(Box::new(move |answer| change(answer)))
        });
    }
    (shop, all)
}

#[test]
fn t23_addresses_that_attack_are_links_that_command_nothing() {
    let attack = ATTACKS.concat();
    let (shop, _between) = changed(move |answer| addresses_poisoned(answer, &attack));
    let mut windlass = shop.screen();
    windlass.until("checkout");
    windlass.key("\r");
    windlass.until("Story of this release");
    // A run has been read, with its page.
    windlass.until(" #");
    windlass.key("3");
    windlass.until("WAITS");
    windlass.key("q");
    windlass.ended();
    let mut foreign = Foreign::default();
    Parser::new().advance(&mut foreign, &windlass.last_words());
    assert!(foreign.heard.is_empty(), "{:#?}", foreign.heard);
    assert!(!foreign.open, "a link is left open");
    // What was left of the attack is in them, by number.
    assert!(
        foreign.links.iter().any(|link| link.contains('%')),
        "{:#?}",
        foreign.links
    );
}

/// The whole program, with a host, a metrics server and an alert manager whose every text attacks.
#[test]
fn t23_servers_that_attack_with_every_text_send_nothing_to_the_terminal() {
    let attack = ATTACKS.concat();
    let (shop, all) = changed(move |answer| poisoned(answer, &attack));
    let mut windlass = shop.screen();
    windlass.until("checkout");
    windlass.key("\r");
    windlass.until("Story of this release");
    for view in ["2", "3", "8", "9", "1"] {
        windlass.key(view);
        windlass.beat();
    }
    windlass.key("?");
    windlass.until("leaves");
    windlass.key("\x1b");
    windlass.until_gone("leaves");
    windlass.key("q");
    windlass.ended();
    let mut foreign = Foreign::default();
    Parser::new().advance(&mut foreign, &windlass.last_words());
    assert!(foreign.heard.is_empty(), "{:#?}", foreign.heard);
    assert!(!foreign.open, "a link is left open");
    assert!(
        all.iter().all(|between| !between.arrived().is_empty()),
        "all were asked"
    );
}

#[track_caller]
fn assert_plain(text: &str, what: &str) {
    let bad = text
        .chars()
        .find(|c| *c != '\n' && *c != '\r' && text::is_forbidden(*c));
    assert_eq!(bad, None, "{what}: {text:?}");
}

#[test]
fn t25_json_exports_and_the_log_file_hold_text_only() {
    let shop = Shop::open("canary");
    let log = shop.place("windlass.log");
    // Not the byte 0, which no argument can hold.
    let reason = ATTACKS.concat().replace('\0', "");
    let logged = |arguments: &[&str]| {
        let out = shop
            .command(arguments)
            .env("WINDLASS_LOG", &log)
            .env("WINDLASS_LOG_LEVEL", "trace")
            .output()
            .unwrap();
        for text in [&out.stdout, &out.stderr] {
            assert_plain(&String::from_utf8_lossy(text), &arguments.join(" "));
        }
        out.status.code()
    };
    let acted = logged(&[
        "pause", "checkout", "--yes", "--write", "--json", "--reason", &reason,
    ]);
    assert!(matches!(acted, Some(0 | 2)), "{acted:?}");
    // A name that nobody has is repeated in what is said of it.
    logged(&["status", &reason]);
    logged(&["status", &reason, "--json"]);
    logged(&["abort", "checkout", "--yes", "--write", "--reason", &reason]);
    for arguments in [
        &["status", "--json"][..],
        &["audit", "list"],
        &["audit", "list", "--json"],
        &["audit", "export", "--json"],
        &["audit", "export", "--csv"],
        &["audit", "show", &reason],
        &["doctor", "--json"],
        &["inbox", "--json"],
    ] {
        logged(arguments);
    }
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(!text.is_empty(), "something was logged");
    assert_plain(&text, "the log file");
    assert_plain(
        &std::fs::read_to_string(shop.place("state/audit.jsonl")).unwrap(),
        "the audit log",
    );
}

#[test]
fn t25_a_log_line_is_text_whatever_is_logged() {
    const FILE: &str = "WINDLASS_TEST_LOG";
    if std::env::var_os(FILE).is_some() {
        let variables = |name: &str| match name {
            "WINDLASS_LOG" => std::env::var(FILE).ok(),
            "WINDLASS_LOG_LEVEL" => Some("trace".to_owned()),
            _ => None,
        };
        windlass::runtime::log::to_file(&variables);
        for attack in ATTACKS {
            tracing::info!(name = attack, quoted = ?attack, shown = %attack, "{attack}");
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("windlass.log");
    let this = "reliability::text::t25_a_log_line_is_text_whatever_is_logged";
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this])
        .env(FILE, &file)
        .output()
        .unwrap();
    assert!(out.status.success(), "{out:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.lines().count() >= ATTACKS.len(), "{text}");
    let bad = text.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(bad, None, "{text:?}");
}

#[test]
fn t25_the_words_of_a_panic_are_text() {
    const PANIC: &str = "WINDLASS_TEST_PANIC";
    if std::env::var_os(PANIC).is_some() {
        windlass::runtime::log::report_panics(&|_| None);
        panic!("it holds {}", ATTACKS.concat());
    }
    let this = "reliability::text::t25_the_words_of_a_panic_are_text";
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", this])
        .env(PANIC, "1")
        .output()
        .unwrap();
    assert!(!out.status.success());
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(text.contains("it holds"), "{text}");
    assert_plain(&text, "the words of a panic");
}
