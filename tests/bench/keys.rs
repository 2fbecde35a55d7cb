//! What a key costs, from the reducer to the bytes: it depends on the rows shown, not on the rows loaded, and a storm of
//! changes does not make it stutter. Ratios within one run, of the time that this thread computes.

use std::hint::black_box;

use windlass::{
    app::key::{Code, Key},
    runtime::terminal::Frames,
    ui::links::Linked,
};

use crate::{
    table::{computed, figure, head, known_missed, quantile, ratio},
    world::{REPEAT, SIZE, World},
};

const SIZES: [usize; 3] = [100, 10_000, 100_000];
const ROUNDS: usize = 9;
/// Down and up again, so that every size does the same.
const KEYS: usize = 20;
const STORM_KEYS: usize = 600;
/// A thousand a second, at thirty keys a second.
pub(crate) const CHANGES_A_KEY: usize = 33;

pub(crate) fn print() {
    head("What a key costs: reducer, frame and encoding");
    let mut worlds = SIZES.map(World::of);
    let mut medians = [const { Vec::new() }; 3];
    for round in 0..=ROUNDS {
        for (world, medians) in worlds.iter_mut().zip(&mut medians) {
            let mut costs: Vec<u64> = (0..2 * KEYS)
                .map(|at| cost(world, if at < KEYS { 'j' } else { 'k' }))
                .collect();
            // The first round warms up.
            if round > 0 {
                medians.push(quantile(&mut costs, 0.5));
            }
        }
    }
    let medians = medians.map(|mut medians| quantile(&mut medians, 0.5));
    for (size, median) in SIZES.iter().zip(medians) {
        figure(
            &format!("microseconds with {size} releases, median"),
            &(median / 1_000).to_string(),
            None,
        );
    }
    for (at, goal, most) in [(1, "<= 1.2", 1.2), (2, "<= 1.3", 1.3)] {
        let ratio = ratio(medians[at], medians[0]);
        figure(
            &format!("with {} against with {}", SIZES[at], SIZES[0]),
            &format!("{ratio:.2}"),
            Some((goal, ratio <= most)),
        );
    }
    frame(&mut worlds[1]);
    filter(&mut worlds[1], medians[1]);
    storm(&mut worlds[1]);
}

/// A frame against one on which nothing is drawn, which still is wiped and compared with the one before.
fn frame(world: &mut World) {
    let mut empty = Frames::new("xterm-256color", SIZE, true);
    let (mut ours, mut nothing) = (Vec::new(), Vec::new());
    for at in 0..ROUNDS * KEYS {
        world.now += REPEAT;
        world.press(Key::char(if at % 2 == 0 { 'j' } else { 'k' }));
        let begun = computed();
        black_box(world.draw());
        ours.push(computed() - begun);
        let begun = computed();
        black_box(empty.draw(SIZE, |_| Linked::default()));
        nothing.push(computed() - begun);
    }
    let ratio = ratio(quantile(&mut ours, 0.5), quantile(&mut nothing, 0.5));
    known_missed(
        "a frame against an empty one",
        &format!("{ratio:.2}"),
        ("<= 3", ratio <= 3.0),
        ratio > 4.5,
    );
}

/// What the reducer does for a letter of the filter, against a whole key of another kind: narrower and wider, with words
/// that all have, some have and none has.
fn filter(world: &mut World, key: u64) {
    let mut costs = Vec::new();
    for word in ["service-00", "team-7", "!healthy", "nobody"] {
        world.press(Key::char('/'));
        let letters = word.chars().map(Key::char);
        let back = word.chars().map(|_| Key::plain(Code::Backspace));
        for letter in letters.chain(back) {
            world.now += REPEAT;
            let begun = computed();
            world.press(letter);
            costs.push(computed() - begun);
            black_box(world.draw());
        }
        world.press(Key::plain(Code::Esc));
        black_box(world.draw());
    }
    for (what, share) in [("median", 0.5), ("slowest", 1.0)] {
        let ratio = ratio(quantile(&mut costs, share), key);
        figure(
            &format!("a letter of the filter against a key, {what}"),
            &format!("{ratio:.2}"),
            Some(("<= 2", ratio <= 2.0)),
        );
    }
}

fn cost(world: &mut World, key: char) -> u64 {
    world.now += REPEAT;
    let begun = computed();
    world.press(Key::char(key));
    black_box(world.draw());
    computed() - begun
}

/// Every key finds what has changed since the one before still queued, which is the worst that can happen to it.
fn storm(world: &mut World) {
    world.remember();
    let mut costs: Vec<u64> = (0..STORM_KEYS)
        .map(|at| {
            let facts = world.changes(at * CHANGES_A_KEY..(at + 1) * CHANGES_A_KEY);
            world.now += REPEAT;
            let begun = computed();
            world.tell(facts);
            world.press(Key::char(if at % 40 < 20 { 'j' } else { 'k' }));
            black_box(world.draw());
            computed() - begun
        })
        .collect();
    let median = quantile(&mut costs, 0.5);
    let late = quantile(&mut costs, 0.99);
    figure(
        "microseconds while 1,000 changes a second arrive, median",
        &(median / 1_000).to_string(),
        None,
    );
    let ratio = ratio(late, median);
    figure(
        "its 99th percentile against its median",
        &format!("{ratio:.2}"),
        Some(("<= 5", ratio <= 5.0)),
    );
}
