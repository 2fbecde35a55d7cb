//! What a key costs, from the reducer to the bytes: it depends on the rows shown, not on the rows loaded, and a storm of
//! changes does not make it stutter. Ratios within one run.

use std::{hint::black_box, time::Instant};

use windlass::app::key::Key;

use crate::{
    table::{figure, head, quantile, ratio},
    world::{REPEAT, World},
};

const SIZES: [usize; 3] = [100, 10_000, 100_000];
const ROUNDS: usize = 9;
/// Down and up again, so that every size does the same.
const KEYS: usize = 20;
const STORM_KEYS: usize = 600;
/// A thousand a second, at thirty keys a second.
const CHANGES_A_KEY: usize = 33;

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
    storm(&mut worlds[1]);
}

fn cost(world: &mut World, key: char) -> u64 {
    world.now += REPEAT;
    let begun = Instant::now();
    world.press(Key::char(key));
    black_box(world.draw());
    nanos(begun)
}

/// Every key finds what has changed since the one before still queued, which is the worst that can happen to it.
fn storm(world: &mut World) {
    world.remember();
    let mut costs: Vec<u64> = (0..STORM_KEYS)
        .map(|at| {
            let facts = world.changes(at * CHANGES_A_KEY..(at + 1) * CHANGES_A_KEY);
            world.now += REPEAT;
            let begun = Instant::now();
            world.tell(facts);
            world.press(Key::char(if at % 40 < 20 { 'j' } else { 'k' }));
            black_box(world.draw());
            nanos(begun)
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

fn nanos(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_nanos()).unwrap()
}
