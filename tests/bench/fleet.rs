//! The program in a terminal over many releases against over few: memory, and what somebody at a keyboard waits for.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    pty::Program,
    still::Still,
    table::{figure, head, quantile, ratio},
};

const FEW: usize = 100;
const MANY: usize = 10_000;
const KEYS: usize = 200;
const QUIET: Duration = Duration::from_secs(3);

pub(crate) fn print() {
    head(&format!("The program in a terminal, {MANY} releases"));
    let home = tempfile::tempdir().unwrap();
    let worlds = [FEW, MANY].map(|count| Still::with(count, home.path()));
    let mut screens = worlds.each_ref().map(|world| watched(world, home.path()));
    let resident = screens.each_ref().map(Program::resident);
    figure(
        "resident MB, this program alone",
        &format!("{:.1}", mega(resident[1])),
        None,
    );
    let more = resident[1].saturating_sub(resident[0]);
    figure(
        &format!("MB more than with {FEW}"),
        &format!("{:.1}", mega(more)),
        Some(("<= 10", more <= 10_000)),
    );
    let mut times = [Vec::new(), Vec::new()];
    for at in 0..KEYS {
        for (screen, times) in screens.iter_mut().zip(&mut times) {
            times.push(key(screen, if at % 40 < 20 { "j" } else { "k" }));
        }
    }
    let medians = times.each_mut().map(|times| quantile(times, 0.5));
    figure(
        "microseconds from a key to its frame, median",
        &medians[1].to_string(),
        None,
    );
    let ratio = ratio(medians[1], medians[0]);
    figure(
        &format!("the same against with {FEW}"),
        &format!("{ratio:.2}"),
        Some(("<= 1.2", ratio <= 1.2)),
    );
    figure(
        "microseconds from a key to its frame, 99th percentile",
        &quantile(&mut times[1], 0.99).to_string(),
        Some(("<= 16000", quantile(&mut times[1], 0.99) <= 16_000)),
    );
}

fn watched(world: &Still, home: &Path) -> Program {
    let program = world.screen(false, home);
    program.until_quiet(QUIET);
    program
}

fn key(program: &mut Program, key: &str) -> u64 {
    let shown = program.frames();
    let begun = Instant::now();
    program.press(key);
    program.until_frame(shown + 1);
    u64::try_from(begun.elapsed().as_micros()).unwrap()
}

fn mega(kilobytes: u64) -> f64 {
    f64::from(u32::try_from(kilobytes).unwrap()) / 1e3
}
