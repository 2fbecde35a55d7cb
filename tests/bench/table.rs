//! How a figure is printed: what it is, what it came to, and the goal.

pub(crate) fn head(title: &str) {
    println!("\n{title}");
}

/// `reached`: whether the goal is kept; a figure without a goal has none.
pub(crate) fn figure(what: &str, value: &str, goal: Option<(&str, bool)>) {
    match goal {
        Some((goal, reached)) => {
            let mark = if reached { "ok" } else { "MISSED" };
            println!("  {what:<58} {value:>12}   goal {goal:<12} {mark}");
        }
        None => println!("  {what:<58} {value:>12}"),
    }
}
