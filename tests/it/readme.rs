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

fn printed(arguments: &[&str]) -> String {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(out.status.success(), "{arguments:?}");
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn the_manual_and_the_completions_know_every_command() {
    use clap::CommandFactory as _;

    let command = windlass::cli::args::Cli::command();
    let names: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    assert!(names.len() > 15, "{names:?}");
    let told = [
        printed(&["man"]).replace('\\', ""),
        printed(&["completions", "bash"]),
        printed(&["completions", "zsh"]),
        printed(&["completions", "fish"]),
    ];
    for text in &told {
        for name in &names {
            assert!(text.contains(name), "{name} is missing in {text}");
        }
    }
    assert!(told[0].starts_with(".ie") || told[0].contains(".TH windlass"));
}
