//! What needs a night: the reliability tests that take minutes or hours, or that need a tracer, another clock or another
//! terminal around the program. All are ignored unless asked for; `.ci/nightly` installs what they need, runs them and
//! prints a table, `cargo test --test it -- --ignored t11_` runs one number. Owns no promise that can be held in seconds.
//!
//! How much of each is done comes from a variable that the test names, with what a night has time for where it is not set.
//! A test that has a figure to tell prints it on a line that begins with `figure: `, for the table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod bombs;
mod clocks;
mod identity;
mod logins;
mod lookalike;
mod plugins;
mod rbac;
mod road;
mod secrets;
mod simulator;
mod soak;
mod terminals;
mod tls;
mod traced;
mod user;

/// How much of it: what the variable says, or what is usual.
fn amount(variable: &str, usual: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .trim()
            .parse()
            .unwrap_or_else(|error| panic!("{variable}={text}: {error}")),
        Err(_) => usual,
    }
}

/// A line of the table.
fn tell(figure: &str) {
    // The name of the test that runs may stand on the line already.
    #[expect(clippy::print_stdout, reason = "the table is made of it")]
    {
        println!("\nfigure: {figure}");
    }
}
