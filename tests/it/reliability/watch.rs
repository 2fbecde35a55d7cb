//! T14: a watched collection under everything that a server and a connection can do to it. The server is a model, time is
//! a number, and the copy is kept as the facts of a source are.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use windlass::{
    model::text::sanitise,
    providers::kubernetes::{
        client::ApiPath,
        error::{Error, Said},
        watch::{Ask, Chance, Line, Marks, StreamsLists, Watch},
    },
};

/// What is done to the changes on their way.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    None,
    /// Every change twice.
    Twice,
    /// Changes of different objects in another order.
    Reordered,
    /// A deletion of what was never there, before it is added.
    DeletedFirst,
    /// Every version is too old.
    GoneAtOnce,
    /// Only bookmarks, for a while.
    Bookmarks,
    /// The versions of a restored server, smaller than before.
    Backwards,
    /// The connection is reset after every third line.
    Reset,
}

const TROUBLES: [Trouble; 8] = [
    Trouble::None,
    Trouble::Twice,
    Trouble::Reordered,
    Trouble::DeletedFirst,
    Trouble::GoneAtOnce,
    Trouble::Bookmarks,
    Trouble::Backwards,
    Trouble::Reset,
];

#[derive(Clone, Copy)]
struct Change {
    at: u64,
    name: u64,
    deleted: bool,
}

struct Server {
    trouble: Trouble,
    /// Counts changes; a version says it, and what the restored one had counted is taken off.
    count: u64,
    restored: u64,
    objects: BTreeMap<u64, u64>,
    changes: Vec<Change>,
    lists: u64,
    gones: u64,
    dice: u64,
}

impl Server {
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    fn live(&mut self) {
        for _ in 0..self.roll(4) {
            self.count += 1;
            let name = self.roll(8);
            let deleted = self.roll(3) == 0 && self.objects.remove(&name).is_some();
            if !deleted {
                self.objects.insert(name, self.count);
            }
            self.changes.push(Change {
                at: self.count,
                name,
                deleted,
            });
        }
    }

    fn version(&self, count: u64) -> String {
        (1_000 + count - self.restored).to_string()
    }

    fn counted(&self, version: u64) -> u64 {
        (version + self.restored).saturating_sub(1_000)
    }
}

/// What a listener has of the collection.
#[derive(Default)]
struct Copy {
    objects: BTreeMap<u64, u64>,
    told: Option<BTreeSet<u64>>,
    /// The newest that was ever shown of each object.
    newest: BTreeMap<u64, u64>,
}

impl Copy {
    fn marks(&mut self, marks: Marks) {
        if marks.begin {
            self.told = Some(BTreeSet::new());
        }
        if marks.complete
            && let Some(told) = self.told.take()
        {
            self.objects.retain(|name, _| told.contains(name));
        }
    }

    fn add(&mut self, name: u64, count: u64) {
        let newest = self.newest.entry(name).or_default();
        assert!(
            count >= *newest,
            "object {name} went from {newest} back to {count}"
        );
        *newest = count;
        self.objects.insert(name, count);
        if let Some(told) = &mut self.told {
            told.insert(name);
        }
    }
}

struct Life {
    server: Server,
    copy: Copy,
    watch: Watch,
    chance: Chance,
    now: Duration,
    broken_lists: u64,
}

fn lost() -> Error {
    Error::Lost {
        why: sanitise("reset by peer"),
    }
}

fn gone() -> Error {
    Error::Gone(Said {
        status: 410,
        reason: sanitise("Expired"),
        message: sanitise("too old resource version"),
    })
}

fn asked(path: &str, key: &str) -> Option<u64> {
    path.split(['?', '&'])
        .find_map(|part| part.strip_prefix(key)?.strip_prefix('='))?
        .parse()
        .ok()
}

impl Life {
    fn new(trouble: Trouble, seed: u64) -> Self {
        Self {
            server: Server {
                trouble,
                count: 0,
                restored: 0,
                objects: BTreeMap::new(),
                changes: Vec::new(),
                lists: 0,
                gones: 0,
                dice: seed,
            },
            copy: Copy::default(),
            watch: Watch::new(ApiPath::new(&["apis", "x"]), true, StreamsLists::default()),
            chance: Chance::seeded(seed),
            now: Duration::from_secs(1),
            broken_lists: 0,
        }
    }

    fn bookmark(&mut self, end_of_list: bool) {
        let version = self.server.version(self.server.count);
        let marks = self.watch.line(
            self.now,
            Line::Bookmark {
                version: &version,
                initial_events_end: end_of_list,
            },
        );
        self.copy.marks(marks);
    }

    fn tell(&mut self, change: Change) {
        if change.deleted {
            self.copy.objects.remove(&change.name);
        } else {
            self.copy.add(change.name, change.at);
        }
        let version = self.server.version(change.at);
        self.watch.line(
            self.now,
            Line::Change {
                version: Some(&version),
            },
        );
    }

    fn request(&mut self) {
        match self.watch.next(self.now, &mut self.chance) {
            Ask::Wait { until } => self.now = until,
            Ask::Page(path) => panic!("a page, of a server that streams: {path}"),
            Ask::Stream(path) => match asked(&path.to_string(), "resourceVersion") {
                Some(version) => self.changes(version),
                None => self.list(),
            },
        }
    }

    fn list(&mut self) {
        self.server.lists += 1;
        let marks = self.watch.opened(self.now);
        self.copy.marks(marks);
        let reset_after = if self.server.trouble == Trouble::Reset && self.server.roll(3) == 0 {
            3
        } else {
            usize::MAX
        };
        let all: Vec<_> = self.server.objects.clone().into_iter().collect();
        for (name, at) in all.iter().copied().take(reset_after) {
            self.tell(Change {
                at,
                name,
                deleted: false,
            });
        }
        if all.len() > reset_after {
            self.broken_lists += 1;
            self.watch.failed(self.now, &mut self.chance, &lost());
        } else {
            self.bookmark(true);
        }
    }

    fn changes(&mut self, version: u64) {
        let trouble = self.server.trouble;
        let since = self.server.counted(version);
        self.watch.opened(self.now);
        if trouble == Trouble::GoneAtOnce && self.server.count > since {
            self.server.gones += 1;
            self.watch.failed(self.now, &mut self.chance, &gone());
            return;
        }
        let mut lines: Vec<Change> = self
            .server
            .changes
            .iter()
            .filter(|change| change.at > since)
            .copied()
            .collect();
        match trouble {
            Trouble::Twice => lines = lines.iter().flat_map(|change| [*change, *change]).collect(),
            // The order of one object's changes is all that etcd promises, and all that is kept here: stable by name. The
            // last of all stays the last: its version is where the watch resumes.
            Trouble::Reordered => {
                if let Some(last) = lines.pop() {
                    lines.retain(|change| change.name != last.name);
                    lines.sort_by_key(|change| change.name);
                    lines.push(last);
                }
            }
            Trouble::DeletedFirst => {
                if let Some(first) = lines.first().copied() {
                    lines.insert(
                        0,
                        Change {
                            name: 100 + first.name,
                            deleted: true,
                            ..first
                        },
                    );
                }
            }
            Trouble::Bookmarks if lines.is_empty() && self.server.roll(2) == 0 => {
                // A quiet hour for this kind, in which the others moved: only then may a bookmark pass changes by.
                for _ in 0..5 {
                    self.now += Duration::from_secs(60);
                    self.bookmark(false);
                }
            }
            _ => {}
        }
        let reset_after = if trouble == Trouble::Reset {
            3
        } else {
            usize::MAX
        };
        for change in lines.iter().copied().take(reset_after) {
            self.tell(change);
        }
        if lines.len() > reset_after {
            self.watch.failed(self.now, &mut self.chance, &lost());
        } else {
            self.now += Duration::from_secs(6);
            self.watch.ended(self.now, &mut self.chance);
        }
    }
}

#[test]
fn t14_a_watch_ends_as_the_server_is_never_goes_back_and_seldom_lists() {
    for trouble in TROUBLES {
        let mut changes = 0;
        for seed in 0..40 {
            let mut life = Life::new(trouble, seed);
            for turn in 0..200 {
                life.server.live();
                life.now += Duration::from_millis(1 + life.server.roll(20_000));
                if trouble == Trouble::Backwards && turn == 100 {
                    life.server.restored = life.server.count.min(500);
                    // A version from before the restoration is one of the future: the server says that it is not there.
                    life.server.gones += 1;
                    life.watch.failed(life.now, &mut life.chance, &gone());
                }
                life.request();
            }
            // The server rests: whatever was under way comes to its end.
            for _ in 0..40 {
                life.now += Duration::from_secs(31);
                life.request();
            }
            let Life { server, copy, .. } = &life;
            assert_eq!(copy.objects, server.objects, "{trouble:?}, seed {seed}");
            assert!(
                server.lists <= server.gones + 1 + life.broken_lists,
                "{trouble:?}, seed {seed}: {} lists, {} gone, {} broken",
                server.lists,
                server.gones,
                life.broken_lists
            );
            changes += server.changes.len();
        }
        assert!(
            changes > 10_000,
            "{trouble:?}: {changes} changes prove little"
        );
    }
}
