//! Figures, printed with the goal beside each: `cargo bench`, or `cargo bench -- day` for one of them. What is counted
//! (requests, bytes, ages on a simulated clock) is the same at every run; nothing here is a gate by time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing
)]

mod day;
mod table;

const FIGURES: [(&str, fn()); 1] = [("day", day::print)];

fn main() {
    // Cargo's own flags begin with a dash.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    for name in &wanted {
        let known = FIGURES.map(|(name, _)| name);
        assert!(
            known.contains(&name.as_str()),
            "no figure is called {name}; there are {}",
            known.join(", ")
        );
    }
    for (name, print) in FIGURES {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            print();
        }
    }
}
