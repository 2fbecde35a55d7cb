//! Figures, printed with the goal beside each: `cargo bench`, or `cargo bench -- bytes memory` for some of them.
//!
//! What is counted inside (requests, bytes, allocations, ages on a simulated clock) says the same at every run; what is
//! watched from outside (bytes and wake-ups of the idle program) can differ by a few. What is timed is a ratio within one
//! run, of medians of interleaved repeats, and is no gate: another program on the machine must not fail it. `--check`
//! fails when a counted goal is missed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing
)]

mod bytes;
mod day;
mod fleet;
mod floor;
mod idle;
mod keys;
mod memory;
mod pty;
mod relay;
mod start;
mod still;
mod storm;
mod table;
mod world;

struct Figures {
    name: &'static str,
    print: fn(),
    /// Whether its goals hold on any machine and in any profile.
    counted: bool,
}

const FIGURES: [Figures; 8] = [
    counted("bytes", bytes::print),
    counted("memory", memory::print),
    counted("idle", idle::print),
    counted("storm", storm::print),
    timed("keys", keys::print),
    timed("start", start::print),
    timed("fleet", fleet::print),
    counted("day", day::print),
];

const fn counted(name: &'static str, print: fn()) -> Figures {
    Figures {
        name,
        print,
        counted: true,
    }
}

const fn timed(name: &'static str, print: fn()) -> Figures {
    Figures {
        name,
        print,
        counted: false,
    }
}

fn main() -> std::process::ExitCode {
    if std::env::var_os(start::EMPTY).is_some() {
        return start::empty_program();
    }
    // Cargo's own flags begin with a dash.
    let (flags, wanted): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with('-'));
    for name in &wanted {
        let known = FIGURES.map(|figures| figures.name);
        assert!(
            known.contains(&name.as_str()),
            "no figure is called {name}; there are {}",
            known.join(", ")
        );
    }
    let mut missed = 0;
    for figures in FIGURES {
        if wanted.is_empty() || wanted.iter().any(|one| one == figures.name) {
            let before = table::missed();
            (figures.print)();
            if figures.counted {
                missed += table::missed() - before;
            }
        }
    }
    if missed > 0 && flags.iter().any(|flag| flag == "--check") {
        println!("\n{missed} counted goals were missed");
        return std::process::ExitCode::FAILURE;
    }
    std::process::ExitCode::SUCCESS
}
