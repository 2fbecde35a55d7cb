//! The README's table of keys is the command table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use windlass::app::command::COMMANDS;

#[test]
fn the_table_of_keys_is_the_command_table() {
    let path = format!("{}/README.md", env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(path).unwrap();
    let written: Vec<&str> = readme
        .lines()
        .skip_while(|line| *line != "| key | command | |")
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let declared: Vec<String> = COMMANDS
        .iter()
        .map(|spec| {
            let keys: Vec<String> = spec.keys.iter().map(|key| format!("`{key}`")).collect();
            let keys = match keys.as_slice() {
                [] => "menu".to_owned(),
                keys => keys.join(" "),
            };
            format!("| {keys} | {} | {} |", spec.name, spec.words)
        })
        .collect();
    assert_eq!(
        written,
        declared,
        "the whole table:\n{}",
        declared.join("\n")
    );
}
