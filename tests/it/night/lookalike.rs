//! T24: what is confirmed is what was meant. Two names that look alike are told apart in the dialog, what is typed for one
//! never confirms the other, and the request goes to the object that was read, whatever its name looks like. Needs no
//! night: it is here beside the others of its list, and every change has to pass it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use jiff::{SignedDuration, Timestamp};
use ratatui::{Terminal, backend::TestBackend};
use windlass::{
    app::{
        key::{Code, Key},
        msg::{Effect, Msg},
        state::State,
        update,
    },
    model::{
        event::{Collection, CollectionKind, Fact, SourceEvent},
        id::{EnvironmentName, ServiceName, WorkloadKind},
        release::Release,
        replica_set::Owned,
        rollout::Rollout,
        source::{Access, Answer, Need, Tier},
        text::{looks_like_another, spelled},
    },
    ops::ceremony::Approved,
    providers::kubernetes::{
        act,
        plan::{self, Facts},
        requests,
    },
    ui::{
        draw,
        theme::{BuiltIn, Depth, Theme},
    },
};

use crate::reducer::{World, state};

type Recorded = (Timestamp, Arc<Rollout>, Vec<Owned>);

/// Decoded once: it is the same release under a thousand names.
fn recorded() -> &'static Recorded {
    static RECORDED: OnceLock<Recorded> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let world = World::new("canary-analysis");
        (world.now, Arc::clone(&world.rollout), world.replica_sets)
    })
}

/// A release with these names, and a screen with its dialog on it.
struct Dialog {
    state: State,
    now: Timestamp,
    rollout: Arc<Rollout>,
    approved: Vec<Approved>,
}

impl Dialog {
    fn of(environment: &str, service: &str, verb: char) -> Self {
        let (began, known, replica_sets) = recorded();
        let environment = EnvironmentName::new(environment);
        let mut rollout = Rollout::clone(known);
        rollout.id.environment = environment.clone();
        rollout.id.name = ServiceName::new(service);
        let mut dialog = Self {
            state: state(*began, &environment),
            now: *began,
            rollout: Arc::new(rollout),
            approved: Vec::new(),
        };
        let rollouts = Collection {
            kind: CollectionKind::Workloads(WorkloadKind::ArgoRollout),
            namespace: None,
        };
        let mut facts = vec![
            Fact::Begin(rollouts.clone()),
            Fact::Rollout(Arc::clone(&dialog.rollout)),
            Fact::Complete(rollouts),
        ];
        facts.extend(replica_sets.iter().cloned().map(Fact::ReplicaSet));
        facts.push(Fact::Heard(dialog.now));
        facts.push(Fact::Access(Access {
            namespace: dialog.rollout.id.namespace.clone(),
            answers: Need::ALL.map(|need| (need, Answer::Allowed)).to_vec(),
            asked: dialog.now,
        }));
        let told = facts.into_iter().map(|fact| SourceEvent {
            environment: environment.clone(),
            fact,
        });
        dialog.happens(Msg::Source(told.collect()));
        dialog.waits(5_000);
        dialog.happens(Msg::Key(Key::char(verb)));
        dialog.drawn();
        dialog
    }

    fn waits(&mut self, millis: i64) {
        self.now += SignedDuration::from_millis(millis);
        self.happens(Msg::Tick);
    }

    fn drawn(&mut self) {
        self.state.settle();
        self.happens(Msg::Shown(self.now));
        self.waits(600);
    }

    fn happens(&mut self, msg: Msg) {
        for effect in update(&mut self.state, self.now, msg) {
            match effect {
                Effect::Plan(intent) => {
                    let release = self.state.releases.find(&self.rollout.id).unwrap().clone();
                    let facts = Facts {
                        release: Release {
                            rollout: Arc::clone(&self.rollout),
                            ..release
                        },
                        templates: HashMap::new(),
                        current_template: None,
                        template_holder: None,
                        configuration: Vec::new(),
                        git: None,
                        served: Vec::new(),
                        tier: Tier::Prod,
                        now: self.now,
                        who: "alice".to_owned(),
                        note: true,
                    };
                    let result = Box::new(plan::plan(&intent, &facts));
                    self.happens(Msg::Planned {
                        intent: intent.id,
                        result,
                    });
                }
                Effect::Execute(approved) => self.approved.push(*approved),
                _ => {}
            }
        }
    }

    fn types(&mut self, text: &str) -> usize {
        for c in text.chars() {
            self.happens(Msg::Key(Key::char(c)));
        }
        self.happens(Msg::Key(Key::plain(Code::Enter)));
        self.approved.len()
    }

    /// All that is on the screen, without the gaps that lines and borders make.
    fn seen(&self, columns: u16, rows: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let theme = Theme::new(&BuiltIn::Dark.palette(), Depth::True);
        let drawn = terminal
            .draw(|frame| draw(&self.state, &theme, frame))
            .unwrap();
        let symbols = drawn
            .buffer
            .content
            .iter()
            .map(ratatui::buffer::Cell::symbol);
        symbols
            .filter(|symbol| !symbol.trim().is_empty() && *symbol != "│")
            .collect()
    }
}

fn without_gaps(text: &str) -> String {
    text.split_whitespace().collect()
}

/// A name and one that looks like it.
fn pairs() -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let names = [
        "prod-eu",
        "checkout",
        "payments-core",
        "a",
        "staging.europe",
    ];
    for name in names {
        let letters: Vec<char> = name.chars().collect();
        for (at, letter) in letters.iter().enumerate() {
            let others: &[char] = match letter {
                'a' => &['а', 'α', 'ａ'],
                'c' => &['с', '\u{1d41c}'],
                'e' => &['е', 'ｅ'],
                'o' => &['о', 'ο'],
                'p' => &['р', 'ρ'],
                'u' => &['υ'],
                'y' => &['у'],
                's' => &['ѕ'],
                'h' => &['һ'],
                _ => &[],
            };
            for other in others {
                let mut changed = letters.clone();
                changed[at] = *other;
                pairs.push((name.to_owned(), changed.into_iter().collect()));
            }
        }
        for hidden in [
            '\u{200b}',
            '\u{200d}',
            '\u{feff}',
            '\u{202e}',
            '\u{2066}',
            '\u{ad}',
            '\u{e0041}',
            '\u{fe0f}',
            '\u{2060}',
            '\u{3164}',
        ] {
            for at in [0, letters.len() / 2, letters.len()] {
                let mut changed = letters.clone();
                changed.insert(at, hidden);
                pairs.push((name.to_owned(), changed.into_iter().collect()));
            }
        }
        pairs.push((name.to_owned(), format!("{name} ")));
        pairs.push((name.to_owned(), format!(" {name}")));
        pairs.push((name.to_owned(), format!("{name}\u{a0}")));
    }
    // Cut anywhere, they would be the same.
    for at in [0, 1, 20, 30, 31, 40, 58, 59] {
        let long: String = (0..60).map(|nth| char::from(b'a' + (nth % 20))).collect();
        let mut other = long.clone().into_bytes();
        other[at] = b'z';
        pairs.push((format!("{long}-one"), format!("{long}-two")));
        pairs.push((long, String::from_utf8(other).unwrap()));
    }
    pairs
}

#[test]
fn t24_two_environments_that_look_alike_are_told_apart_and_typed_apart() {
    let pairs = pairs();
    assert!(pairs.len() >= 200, "{}", pairs.len());
    let mut plainly: BTreeMap<(&str, char), String> = BTreeMap::new();
    for (plain, alike) in &pairs {
        // A ceremony that is typed, and one that is a Y: there the title alone has the name.
        for (verb, columns, rows) in [('p', 80, 24), ('x', 40, 12)] {
            let one = plainly.entry((plain, verb)).or_insert_with(|| {
                let mut meant = Dialog::of(plain, "cart", verb);
                let seen = meant.seen(columns, rows);
                assert!(
                    verb == 'x' || meant.types(plain) == 1,
                    "{plain:?} confirms itself"
                );
                seen
            });
            let mut other = Dialog::of(alike, "cart", verb);
            let seen = other.seen(columns, rows);
            assert_ne!(*one, seen, "{plain:?} and {alike:?} at {columns}x{rows}");
            if verb == 'p' {
                let odd = !alike.is_ascii() || spelled(alike) != alike.as_str();
                let because = looks_like_another(alike);
                assert_eq!(because.is_some(), odd, "{alike:?}");
                let because = without_gaps(&because.unwrap_or_default());
                assert!(seen.contains(&because), "{because}\n{seen}");
                // Whoever means the other one and types that confirms nothing here.
                assert_eq!(other.types(plain), 0, "{plain:?} confirmed {alike:?}");
            }
        }
    }
}

#[test]
fn t24_two_services_that_look_alike_are_told_apart_and_each_gets_its_own_request() {
    let pairs = pairs();
    let mut plainly: BTreeMap<&str, String> = BTreeMap::new();
    for (plain, alike) in &pairs {
        let mut other = Dialog::of("prod-eu", alike, 'p');
        let one = plainly
            .entry(plain)
            .or_insert_with(|| Dialog::of("prod-eu", plain, 'p').seen(80, 24));
        assert_ne!(*one, other.seen(80, 24), "{plain:?} and {alike:?}");
        assert_eq!(other.types("prod-eu"), 1, "{alike:?}");
        let plan = other.approved[0].plan();
        let sent = act::request(plan, &plan.sends[0], &plan.target.version);
        // By what was read, and never by what was drawn.
        let path = requests::object_path(&other.rollout.id);
        assert_eq!(sent.path, format!("{path}/status"));
        assert!(
            sent.path.is_ascii() && !sent.path.contains(' '),
            "{}",
            sent.path
        );
        let uid = other.rollout.uid.to_string();
        assert_eq!(sent.body["metadata"]["uid"], uid);
        let mut id = other.rollout.id.clone();
        id.name = ServiceName::new(plain);
        assert_ne!(path, requests::object_path(&id), "{plain:?} and {alike:?}");
    }
}
