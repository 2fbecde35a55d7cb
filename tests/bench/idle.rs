//! The whole program in a terminal, over a world in which nothing happens: what it costs to be left alone, how often it
//! calls the system for a frame, and what it keeps in memory.

use std::time::Duration;

use crate::{
    pty::Program,
    still::Still,
    table::{figure, head, quantile},
};

const WATCHED: Duration = Duration::from_secs(10);
const KEYS: usize = 30;

pub(crate) fn print() {
    head("The program in a terminal, nothing happens");
    let home = tempfile::tempdir().unwrap();
    let world = Still::with(100, home.path());
    let mut still = world.screen(false, home.path());
    still.until_quiet(Duration::from_secs(3));
    let (bytes, wakes) = watched(&still);
    figure(
        "bytes in 10 s without a clock",
        &bytes.to_string(),
        Some(("0", bytes == 0)),
    );
    figure(
        "wake-ups in 10 s without a clock",
        &wakes.to_string(),
        Some(("0", wakes == 0)),
    );
    frames(&mut still);
    drop(still);
    let ticking = world.screen(true, home.path());
    std::thread::sleep(Duration::from_secs(5));
    let wakes = ticking.wakes();
    // A median, because the minutes of an age go on once in a while.
    let mut seconds: Vec<u64> = (0..WATCHED.as_secs())
        .map(|_| {
            let bytes = ticking.bytes();
            std::thread::sleep(Duration::from_secs(1));
            ticking.bytes() - bytes
        })
        .collect();
    let wakes = ticking.wakes() - wakes;
    let bytes = quantile(&mut seconds, 0.5);
    figure(
        "bytes a second with a clock and the age of the data",
        &bytes.to_string(),
        Some(("<= 20", bytes <= 20)),
    );
    // The one at the edge may be in it or not.
    figure(
        "wake-ups in 10 s with a clock",
        &wakes.to_string(),
        Some(("<= 11", wakes <= 11)),
    );
}

fn watched(program: &Program) -> (u64, u64) {
    let (bytes, wakes) = (program.bytes(), program.wakes());
    std::thread::sleep(WATCHED);
    (program.bytes() - bytes, program.wakes() - wakes)
}

/// Each key is drawn before the next one is pressed.
fn frames(program: &mut Program) {
    let (frames, writes) = (program.frames(), program.writes());
    for _ in 0..KEYS {
        let shown = program.frames();
        program.press("j");
        program.until_frame(shown + 1);
    }
    program.until_quiet(Duration::from_secs(1));
    let (frames, writes) = (program.frames() - frames, program.writes() - writes);
    figure(
        &format!("writes for {frames} frames"),
        &writes.to_string(),
        Some(("one each", writes == frames as u64)),
    );
}
