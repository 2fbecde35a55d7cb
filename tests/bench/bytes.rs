//! Bytes a frame: over a slow link they are the latency. Each scenario against the floor, and a held key against nothing.

use jiff::SignedDuration;
use windlass::app::key::{Code, Key};

use crate::{
    floor::Floor,
    table::{figure, head, ratio},
    world::{REPEAT, SIZE, World},
};

const HELD: usize = 500;

pub(crate) fn print() {
    head(&format!(
        "Bytes a frame, {}x{}, 24-bit colours, a thousand releases: ours, and ours / floor",
        SIZE.0, SIZE.1
    ));
    for (name, scenario) in SCENARIOS {
        let mut world = World::of(1_000);
        world.remember();
        let (_, before) = world.picture();
        let mut floor = Floor::new(before.area);
        floor.paint(&before);
        scenario(&mut world);
        let (ours, after) = world.picture();
        against_floor(name, ours, floor.paint(&after));
    }
    let mut world = World::of(1_000);
    let nothing = world.draw();
    figure(
        "nothing changed",
        &nothing.to_string(),
        Some(("0", nothing == 0)),
    );
    // The pen and the place are there already from the second time on, as with a clock.
    let mut one = |symbol| {
        world.render(|frame| {
            frame.buffer_mut()[(70, 20)].set_symbol(symbol);
        })
    };
    one("§");
    let one = one("$");
    figure("one cell", &one.to_string(), Some(("<= 12", one <= 12)));
    first_frame();
    held();
}

type Scenario = fn(&mut World);

const SCENARIOS: [(&str, Scenario); 8] = [
    ("selection down", |world| key(world, 'j')),
    ("page down", |world| {
        world.press(Key::plain(Code::PageDown));
    }),
    ("to the end", |world| key(world, 'G')),
    ("the next second", |world| {
        world.wait(SignedDuration::from_secs(1));
    }),
    ("ten of the rows that are shown change", |world| {
        // What hurts comes first: the third of four.
        let changes = world.changes((2..).step_by(12).take(10));
        world.tell(changes);
    }),
    ("a release opened", |world| {
        world.press(Key::plain(Code::Enter));
    }),
    ("help opened", |world| key(world, '?')),
    ("a filter typed", |world| {
        for c in ['/', '1', '2'] {
            key(world, c);
        }
    }),
];

fn key(world: &mut World, c: char) {
    world.press(Key::char(c));
}

fn against_floor(name: &str, ours: usize, floor: usize) {
    assert!(floor > 0, "{name}: nothing changed, so nothing is measured");
    let ratio = ratio(ours as u64, floor as u64);
    figure(
        name,
        &format!("{ours} / {ratio:.2}"),
        Some(("<= 1.3", ratio <= 1.3)),
    );
}

fn first_frame() {
    let mut world = World::empty();
    world.load(1_000);
    let (ours, after) = world.picture();
    let floor = Floor::new(after.area).paint(&after);
    against_floor("full redraw", ours, floor);
}

fn held() {
    let mut world = World::of(10_000);
    let mut sent = 0;
    for _ in 0..HELD {
        world.now += REPEAT;
        world.press(Key::char('j'));
        sent += world.draw();
    }
    let each = sent / HELD;
    figure(
        &format!("j held {HELD} times through 10,000 rows, a key"),
        &each.to_string(),
        Some(("<= 1000", each <= 1_000)),
    );
}
