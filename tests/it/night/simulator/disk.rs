//! One operator's disk with the journal on it: what was written outlives the program, whole or torn, and what a failed
//! write left behind is anybody's guess. At a restart the journal is put into a real file and read by the real reader.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io::Write as _,
    rc::Rc,
};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::time::sleep;
use windlass::{
    ops::{machine::Place, record::Record},
    runtime::{audit, execute::Recorder},
};

use super::World;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trouble {
    None,
    /// No space: perhaps the first half of a record fits.
    Full,
    /// Written, and the fsync failed: it may be there or not.
    Sync,
    /// Neither this nor the second place.
    Everything,
}

struct Kept {
    at: Timestamp,
    intent: String,
    kind: &'static str,
    body: Map<String, Value>,
    how: How,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Whole,
    Torn,
    Second,
}

pub(super) struct Disk {
    seat: usize,
    kept: RefCell<Vec<Kept>>,
    pub(super) trouble: Cell<Trouble>,
}

impl Disk {
    pub(super) fn new(seat: usize) -> Self {
        Self {
            seat,
            kept: RefCell::default(),
            trouble: Cell::new(Trouble::None),
        }
    }

    fn keep(&self, record: &Record, how: How) {
        self.kept.borrow_mut().push(Kept {
            at: record.at,
            intent: record.intent.to_string(),
            kind: record.kind,
            body: record.body.clone(),
            how,
        });
    }

    fn write(&self, world: &World, record: &Record) -> Result<Place, String> {
        let trouble = self.trouble.get();
        let why = match trouble {
            Trouble::None => {
                self.keep(record, How::Whole);
                return Ok(Place::Audit);
            }
            Trouble::Full | Trouble::Everything => {
                if world.dice.one_in(2) {
                    self.keep(record, How::Torn);
                }
                "no space left on device"
            }
            Trouble::Sync => {
                self.keep(
                    record,
                    if world.dice.one_in(2) {
                        How::Whole
                    } else {
                        How::Torn
                    },
                );
                "input/output error"
            }
        };
        if record.emergency && trouble != Trouble::Everything {
            self.keep(record, How::Second);
            return Ok(Place::Second("/run/windlass".to_owned()));
        }
        Err(why.to_owned())
    }

    /// How many durable records of this kind there are of an intent, whose body has that.
    pub(super) fn count(
        &self,
        intent: &str,
        kind: &str,
        has: impl Fn(&Map<String, Value>) -> bool,
    ) -> usize {
        let kept = self.kept.borrow();
        let of = |it: &&Kept| it.how != How::Torn && it.intent == intent && it.kind == kind;
        kept.iter().filter(of).filter(|it| has(&it.body)).count()
    }

    /// Reads the journal back as the program does at its start, and says what is wrong with what it tells.
    pub(super) fn read_back(&self) -> Result<Vec<audit::OpenIntent>, String> {
        let root = if std::path::Path::new("/dev/shm").is_dir() {
            "/dev/shm"
        } else {
            "/tmp"
        };
        let folder = tempfile::tempdir_in(root).unwrap();
        let kept = self.kept.borrow();
        let mut begun: BTreeMap<&str, bool> = BTreeMap::new();
        {
            let mut log = audit::Log::open(folder.path()).unwrap();
            for it in kept.iter() {
                match it.how {
                    How::Whole => {
                        log.append(it.at, &it.intent, it.kind, it.body.clone())
                            .map_err(|error| format!("the next record is refused: {error}"))?;
                        match it.kind {
                            "intent" => {
                                begun.entry(&it.intent).or_insert(false);
                            }
                            "outcome" => {
                                begun.insert(&it.intent, true);
                            }
                            _ => {}
                        }
                    }
                    How::Torn => std::fs::OpenOptions::new()
                        .append(true)
                        .open(folder.path().join("audit.jsonl"))
                        .and_then(|mut file| {
                            file.write_all(b"{\"schema\":\"windlass.audit/1\",\"se")
                        })
                        .unwrap(),
                    How::Second => {}
                }
            }
        }
        if let Err(broken) = audit::verify(folder.path()) {
            return Err(format!("the journal is called broken: {}", broken.why));
        }
        let open = audit::open_intents(folder.path()).map_err(|error| error.to_string())?;
        let told: Vec<&str> = open.iter().map(|intent| intent.id.as_str()).collect();
        for (intent, over) in begun {
            if told.contains(&intent) == over {
                return Err(format!(
                    "{intent}: over is {over}, and told as open: {told:?}"
                ));
            }
        }
        Ok(open)
    }
}

/// Writes to it as the program that runs now.
#[derive(Clone)]
pub(super) struct Journal {
    pub(super) disk: Rc<Disk>,
    pub(super) world: Rc<World>,
}

impl Recorder for Journal {
    async fn record(&self, record: Record) -> Result<Place, String> {
        let world = &self.world;
        let slow = if world.fails(20) { 8_000 } else { 20 };
        sleep(world.dice.millis(0, slow)).await;
        let place = self.disk.write(world, &record);
        world.note(&format!(
            "{} record {} of {}: {place:?}",
            self.disk.seat, record.kind, record.intent
        ));
        // Written, and not yet told.
        sleep(world.dice.millis(0, 5)).await;
        place
    }
}
