//! The keys of this session: those of the command table, changed by the configuration. Everything that shows a key asks
//! here, so that help, key bar, palette and menu say what the keys do.

use std::collections::HashMap;

use super::{
    command::{COMMANDS, Command, Scope, Spec},
    key::Key,
};
use crate::config::keys::Keys;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keymap {
    /// Where the configuration says something: all keys of a command.
    changed: HashMap<Command, Vec<String>>,
    /// Whether the demo's own commands are bound.
    demo: bool,
}

impl Keymap {
    /// What the configuration names and there is no command for was refused when it was read.
    pub fn new(keys: &Keys) -> Self {
        let changed = COMMANDS
            .iter()
            .filter_map(|spec| Some((spec.command, keys.0.get(spec.name)?.clone())));
        Self {
            changed: changed.collect(),
            demo: false,
        }
    }

    /// With the demo's own commands, or without.
    #[must_use]
    pub fn in_demo(mut self, demo: bool) -> Self {
        self.demo = demo;
        self
    }

    /// Whether a command is there at all.
    pub fn has(&self, spec: &Spec) -> bool {
        self.demo || spec.scope != Scope::Demo
    }

    /// The keys of a command, as one would write them.
    pub fn of(&self, spec: &'static Spec) -> impl Iterator<Item = &str> {
        let changed = self.changed.get(&spec.command);
        let own = spec.keys.iter().copied().filter(move |_| changed.is_none());
        changed.into_iter().flatten().map(String::as_str).chain(own)
    }

    /// The first key of a command.
    pub fn first(&self, command: Command) -> Option<&str> {
        let spec = COMMANDS.iter().find(|spec| spec.command == command)?;
        self.of(spec).next()
    }

    /// The command that a key means. Alt-modified keys mean nothing: an Escape and a letter that arrive together look
    /// alike.
    pub fn command(&self, key: Key) -> Option<Command> {
        COMMANDS
            .iter()
            .find(|spec| self.has(spec) && self.of(spec).any(|text| key.is(text)))
            .map(|spec| spec.command)
    }

    pub fn means(&self, key: Key, command: Command) -> bool {
        self.command(key) == Some(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{
            command::{Danger, Scope},
            key::Code,
            palette_matches,
        },
        config::keys,
        ops::intent::Verb,
    };

    fn keymap(text: &str) -> Keymap {
        Keymap::new(&crate::config::parse(text, "config.toml").unwrap().keys)
    }

    #[test]
    fn the_configuration_knows_every_command_with_its_keys_and_its_danger() {
        let known: Vec<_> = keys::COMMANDS
            .iter()
            .map(|named| (named.name, named.keys, named.acts))
            .collect();
        // The demo reads no configuration.
        let declared: Vec<_> = COMMANDS
            .iter()
            .filter(|spec| spec.scope != Scope::Demo)
            .map(|spec| (spec.name, spec.keys, spec.danger != Danger::Reads))
            .collect();
        assert_eq!(known, declared);
    }

    #[test]
    fn a_changed_key_means_its_command_and_the_old_one_nothing() {
        let keys = keymap("[keys]\nback-out = \"X\"\npromote = [\"p\", \"F5\"]\nring = []\n");
        let back_out = Command::Act(Verb::BackOut);
        assert_eq!(keys.command(Key::char('X')), Some(back_out));
        assert_eq!(keys.command(Key::char('x')), None);
        assert_eq!(keys.first(back_out), Some("X"));
        let promote = Some(Command::Act(Verb::Promote));
        assert_eq!(keys.command(Key::char('p')), promote);
        assert_eq!(keys.command(Key::plain(Code::Function(5))), promote);
        assert_eq!(keys.first(Command::Ring), None);
        assert_eq!(keys.command(Key::char('.')), None);
        assert_eq!(keys.command(Key::char('j')), Some(Command::Down));
    }

    #[test]
    fn what_is_for_the_demo_is_bound_nowhere_else() {
        let keys = keymap("");
        assert_eq!(keys.command(Key::char('F')), None);
        assert!(palette_matches("fault", &keys).is_empty());
        let keys = keys.in_demo(true);
        assert_eq!(keys.command(Key::char('F')), Some(Command::Fault));
        assert_eq!(palette_matches("fault", &keys).len(), 1);
    }

    #[test]
    fn two_commands_can_exchange_their_keys() {
        let keys = keymap("[keys]\nlogs = \"h\"\nhistory = \"l\"\n");
        assert_eq!(keys.command(Key::char('h')), Some(Command::Logs));
        assert_eq!(keys.command(Key::char('l')), Some(Command::History));
    }
}
