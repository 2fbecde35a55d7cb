//! Keys that the configuration has changed, wherever the screen tells a key.

use super::{text, world};
use crate::app::{
    keymap::Keymap,
    state::{Overlay, State},
};

fn changed(mut state: State, columns: u16, rows: u16) -> State {
    let keys = "[keys]\nback-out = \"X\"\npromote = [\"F5\", \"p\"]\nboard = \"B\"\nmark = []\nhelp = \"F1\"\n";
    state.session.keys = Keymap::new(&crate::config::parse(keys, "config.toml").unwrap().keys);
    world::sized(state, columns, rows)
}

#[test]
fn the_key_bar_and_the_views_tell_the_changed_keys() {
    let said = text(&changed(world::fleet(), 160, 48));
    let bar = said.lines().last().unwrap();
    assert!(bar.contains("X back out"), "{bar}");
    assert!(bar.contains("F5 "), "{bar}");
    assert!(bar.contains("F1 keys"), "{bar}");
    assert!(
        !bar.contains("mark"),
        "a command without a key is not on it: {bar}"
    );
    let views = said.lines().nth(1).unwrap();
    assert!(views.contains("B Board   2 Release"), "{views}");
}

#[test]
fn help_tells_the_changed_keys() {
    let said = text(&changed(world::help(), 160, 120));
    let line = |name: &str| {
        let found = said
            .lines()
            .find(|line| line.contains(&format!(" {name} ")));
        found.unwrap_or_else(|| panic!("{name}\n{said}")).to_owned()
    };
    assert!(line("back-out").contains(" X "), "{}", line("back-out"));
    assert!(line("promote").contains(" F5 p "), "{}", line("promote"));
    assert!(line("mark").contains("m or :"), "{}", line("mark"));
}

#[test]
fn menu_and_palette_tell_the_changed_keys() {
    let menu = text(&changed(world::menu(), 160, 60));
    assert!(
        menu.lines().any(|line| line.contains("X back out")),
        "{menu}"
    );
    let mut state = world::palette();
    if let Some(Overlay::Palette { typed, .. }) = state.overlays.last_mut() {
        *typed = "back-o".to_owned();
    }
    let palette = text(&changed(state, 160, 48));
    assert!(palette.contains("back-out        X"), "{palette}");
}
