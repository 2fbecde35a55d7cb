//! Allocations and memory, counted by the allocator of this program.

use std::hint::black_box;

use allocation_counter::measure;
use jiff::SignedDuration;
use windlass::app::key::Key;

use crate::{
    keys::CHANGES_A_KEY,
    table::{figure, head, quantile, ratio},
    world::{REPEAT, World},
};

const FRAMES: usize = 101;

pub(crate) fn print() {
    head("Memory, counted by the allocator");
    let mut world = World::of(10_000);
    allocations(
        "allocations of a frame after a key, median",
        &mut world,
        |world| {
            world.now += REPEAT;
            world.press(Key::char('j'));
        },
    );
    allocations(
        "allocations of a frame after a second, median",
        &mut world,
        |world| world.wait(SignedDuration::from_secs(1)),
    );
    let [few, many] = [100, 10_000].map(reducer);
    let ratio = ratio(many, few);
    figure(
        "the reducer's for a key and 33 changes, 10,000 against 100",
        &format!("{ratio:.2}"),
        Some(("<= 1.2", ratio <= 1.2)),
    );
    let few = held_by(100);
    let many = held_by(10_000);
    let each = (many - few) / 9_900;
    figure(
        "bytes that a release with its two versions keeps",
        &each.to_string(),
        Some(("<= 1000", each <= 1_000)),
    );
    figure(
        "MB that ten thousand releases keep",
        &format!("{:.1}", f64::from(i32::try_from(many).unwrap()) / 1e6),
        None,
    );
}

/// The reducer's part is what comes before, and not counted here.
fn allocations(what: &str, world: &mut World, before: fn(&mut World)) {
    let mut counts = Vec::new();
    for _ in 0..FRAMES {
        before(world);
        let counted = measure(|| {
            black_box(world.draw());
        });
        counts.push(counted.count_total);
    }
    let median = quantile(&mut counts, 0.5);
    figure(what, &median.to_string(), Some(("<= 200", median <= 200)));
}

/// Its allocations from one key to the next while a thousand changes a second arrive, whatever else it holds.
fn reducer(releases: usize) -> u64 {
    let mut world = World::of(releases);
    world.remember();
    let mut counts = Vec::new();
    for at in 0..FRAMES {
        let changes = world.changes(at * CHANGES_A_KEY..(at + 1) * CHANGES_A_KEY);
        world.now += REPEAT;
        let counted = measure(|| {
            world.tell(changes);
            world.press(Key::char(if at % 40 < 20 { 'j' } else { 'k' }));
        });
        counts.push(counted.count_total);
        world.draw();
    }
    quantile(&mut counts, 0.5)
}

/// What is still there after so many releases were told and drawn.
fn held_by(count: usize) -> i64 {
    let mut world = World::empty();
    measure(|| {
        world.load(count);
        world.draw();
    })
    .bytes_current
}
