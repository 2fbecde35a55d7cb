//! Holds a parsed file against the description of the keys and collects everything that is wrong. Must never stop at
//! the first mistake, and must never quote a value where a secret may stand.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    describe::{Empty, Key, Needed, ROOT, Rule, SECRET, Shape},
    keys::{self, Given},
    near::nearest,
    problem::Found,
    rule,
};

const INLINE: &str = "a secret does not belong in this file; say where it is: { env = \"NAME\" }, \
                      { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }";

pub(super) fn check(root: &DeTable<'_>, found: &mut Found<'_>) {
    Walk {
        found,
        path: Vec::new(),
    }
    .table(root, ROOT, &(0..0));
    one_of_ours(root, found);
}

/// A name of the CI host stands for one environment of ours: a gate on it is decided in that one's tier and arming.
fn one_of_ours(root: &DeTable<'_>, found: &mut Found<'_>) {
    let environments = root
        .get("environments")
        .and_then(|it| it.get_ref().as_table());
    let mut named: Vec<(Range<usize>, String, &str)> = Vec::new();
    for (ours, environment) in environments.into_iter().flatten() {
        let theirs = environment
            .get_ref()
            .as_table()
            .and_then(|it| it.get("github")?.get_ref().as_array());
        for item in theirs.into_iter().flat_map(|list| list.iter()) {
            if let Some(name) = item.get_ref().as_str() {
                named.push((item.span(), name.to_lowercase(), ours.get_ref()));
            }
        }
    }
    named.sort_by_key(|(at, _, _)| at.start);
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for (at, name, ours) in &named {
        let known = *first.entry(name).or_insert(ours);
        if known != *ours {
            let says = format!(
                "environments.{}.github: {name:?} stands for {known} already, and it can stand for one environment only",
                quoted_where_needed(ours)
            );
            found.add(at, says);
        }
    }
}

struct Walk<'f, 'a> {
    found: &'f mut Found<'a>,
    path: Vec<String>,
}

impl Walk<'_, '_> {
    fn table(&mut self, table: &DeTable<'_>, keys: &[Key], at: &Range<usize>) {
        for (name, value) in table {
            match keys.iter().find(|key| key.name == name.get_ref().as_ref()) {
                Some(key) => {
                    self.under(key.name, |walk| walk.value(value, &key.shape, &name.span()));
                }
                None => self.unknown(name, keys),
            }
        }
        for key in keys.iter().filter(|key| key.needed == Needed::Yes) {
            if !table.contains_key(key.name) {
                let says = format!("{:?} is missing in {}", key.name, self.place());
                self.found.add(at, says);
            }
        }
        self.one_of_these(table, keys, at);
        self.token_in_clear(table);
    }

    fn one_of_these(&mut self, table: &DeTable<'_>, keys: &[Key], at: &Range<usize>) {
        let these: Vec<&str> = keys
            .iter()
            .filter(|key| key.needed == Needed::OneOfThese)
            .map(|key| key.name)
            .collect();
        let named = these
            .iter()
            .filter(|name| table.contains_key(**name))
            .count();
        if these.is_empty() || named == 1 {
            return;
        }
        let how_many = if named == 0 { "none" } else { "more than one" };
        let says = format!(
            "one of {} is wanted in {}, and there is {how_many}",
            these.join(" and "),
            self.place()
        );
        self.found.add(at, says);
    }

    fn under(&mut self, name: &str, then: impl FnOnce(&mut Self)) {
        self.path.push(quoted_where_needed(name));
        then(self);
        self.path.pop();
    }

    fn unknown(&mut self, name: &Spanned<std::borrow::Cow<'_, str>>, keys: &[Key]) {
        let word = name.get_ref().as_ref();
        let words = || keys.iter().map(|key| key.name);
        let advice = match nearest(word, words()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("valid are {}", words().collect::<Vec<_>>().join(", ")),
        };
        let says = format!("unknown key {word:?} in {}; {advice}", self.place());
        self.found.add(&name.span(), says);
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, shape: &Shape, at: &Range<usize>) {
        match (shape, value.get_ref()) {
            (Shape::Text(rule), DeValue::String(text)) => self.text(text, *rule, value),
            (Shape::Word(words), DeValue::String(word)) => {
                if !words.contains(&word.as_ref()) {
                    self.wrong(
                        value,
                        &format!("{word:?} is unknown; {}", rule::known(word, words)),
                    );
                }
            }
            (Shape::Yes, DeValue::Boolean(_)) => {}
            (Shape::Whole { least, most }, DeValue::Integer(number)) => {
                let read = i64::from_str_radix(number.as_str(), number.radix());
                if !read.is_ok_and(|read| (*least..=*most).contains(&read)) {
                    let says =
                        format!("a whole number from {least} to {most} is wanted, not {number}");
                    self.wrong(value, &says);
                }
            }
            (Shape::Texts { each, empty }, DeValue::Array(list)) => {
                self.texts(list, *each, *empty, value);
            }
            (Shape::Labels, DeValue::Table(labels)) => self.labels(labels),
            (Shape::Keys, DeValue::Table(table)) => self.keys(table),
            (Shape::Table(keys), DeValue::Table(table)) => self.table(table, keys, at),
            (Shape::Named(keys), DeValue::Table(tables)) => self.named(tables, keys),
            (Shape::Secret, DeValue::Table(source)) => self.secret(source, at),
            (Shape::Secret, DeValue::String(_)) => self.wrong(value, INLINE),
            (_, other) => {
                let says = format!("{} is wanted, not {}", wanted(shape), kind(other));
                self.wrong(value, &says);
            }
        }
    }

    fn text(&mut self, text: &str, rule: Rule, value: &Spanned<DeValue<'_>>) {
        if let Err(says) = rule(text) {
            self.wrong(value, &says);
        }
    }

    fn texts(
        &mut self,
        list: &toml::de::DeArray<'_>,
        each: Rule,
        empty: Empty,
        value: &Spanned<DeValue<'_>>,
    ) {
        if let (true, Empty::Refused(says)) = (list.is_empty(), empty) {
            self.wrong(value, says);
        }
        for item in list {
            match item.get_ref() {
                DeValue::String(text) => self.text(text, each, item),
                other => {
                    let says = format!("a list of texts is wanted, and this is {}", kind(other));
                    self.wrong(item, &says);
                }
            }
        }
    }

    fn labels(&mut self, labels: &DeTable<'_>) {
        for (name, value) in labels {
            if !value.get_ref().is_str() {
                let says = format!("a text is wanted, not {}", kind(value.get_ref()));
                self.under(name.get_ref(), |walk| walk.wrong(value, &says));
            }
        }
    }

    fn keys(&mut self, table: &DeTable<'_>) {
        let names = || keys::COMMANDS.iter().map(|command| command.name);
        let mut given = Vec::new();
        let mut changed = BTreeSet::new();
        for (name, value) in table {
            let word = name.get_ref().as_ref();
            let Some(command) = keys::COMMANDS.iter().find(|command| command.name == word) else {
                let advice = match nearest(word, names()) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => format!("valid are {}", names().collect::<Vec<_>>().join(", ")),
                };
                let says = format!("unknown command {word:?} in [keys]; {advice}");
                self.found.add(&name.span(), says);
                continue;
            };
            changed.insert(command.name);
            let one = std::slice::from_ref(value);
            let items: Box<dyn Iterator<Item = &Spanned<DeValue<'_>>>> = match value.get_ref() {
                DeValue::Array(list) => Box::new(list.iter()),
                _ => Box::new(one.iter()),
            };
            for item in items {
                self.under(command.name, |walk| match item.get_ref() {
                    DeValue::String(text) => match keys::is_key(text) {
                        Ok(()) => given.push(Given {
                            command,
                            key: text.as_ref(),
                            at: item.span(),
                        }),
                        Err(says) => walk.wrong(item, &says),
                    },
                    other => {
                        let says =
                            format!("a key or a list of keys is wanted, not {}", kind(other));
                        walk.wrong(item, &says);
                    }
                });
            }
        }
        given.sort_by_key(|given| given.at.start);
        for (at, says) in keys::refused(&given, &changed) {
            self.found.add(&at, says);
        }
    }

    fn named(&mut self, tables: &DeTable<'_>, keys: &'static [Key]) {
        for (name, value) in tables {
            let at = name.span();
            self.under(name.get_ref(), |walk| {
                if let Err(says) = rule::own_name(name.get_ref()) {
                    walk.found
                        .add(&at, format!("the name of {}: {says}", walk.place()));
                }
                walk.value(value, &Shape::Table(keys), &at);
            });
        }
    }

    fn secret(&mut self, source: &DeTable<'_>, at: &Range<usize>) {
        self.table(source, SECRET, at);
        let named = SECRET
            .iter()
            .filter(|key| source.contains_key(key.name))
            .count();
        // An unknown key has been told already; that none of the three is there follows from it.
        if named > 1 || source.is_empty() {
            let says = format!("{}: one of env, file and command is wanted", self.dotted());
            self.found.add(at, says);
        }
        self.program(source);
    }

    /// One text with spaces is a command line for a shell, and there is none. A path may hold spaces.
    fn program(&mut self, source: &DeTable<'_>) {
        let Some(words) = source.get("command").and_then(|c| c.get_ref().as_array()) else {
            return;
        };
        let Some((first, text)) = words
            .iter()
            .next()
            .and_then(|w| Some((w, w.get_ref().as_str()?)))
        else {
            return;
        };
        let says = if text.is_empty() {
            "the name of the program is empty"
        } else if words.len() == 1 && text.contains(' ') && !text.contains('/') {
            "each word is a text of its own, as in [\"gh\", \"auth\", \"token\"]; no shell splits them"
        } else {
            return;
        };
        self.under("command", |walk| walk.wrong(first, says));
    }

    /// A bearer token in plain HTTP is everybody's on the way.
    fn token_in_clear(&mut self, table: &DeTable<'_>) {
        let Some(url) = table.get("url").filter(|_| table.contains_key("token")) else {
            return;
        };
        if url.get_ref().as_str().is_some_and(rule::in_clear) {
            self.under("url", |walk| {
                walk.wrong(
                    url,
                    "a token is not sent over http:// (except to this machine); use https://",
                );
            });
        }
    }

    fn wrong(&mut self, value: &Spanned<DeValue<'_>>, says: &str) {
        let says = format!("{}: {says}", self.dotted());
        self.found.add(&value.span(), says);
    }

    fn dotted(&self) -> String {
        self.path.join(".")
    }

    fn place(&self) -> String {
        if self.path.is_empty() {
            "the file".to_owned()
        } else {
            format!("[{}]", self.dotted())
        }
    }
}

/// As it would stand in the file.
fn quoted_where_needed(name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if bare {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

const fn wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text(_) | Shape::Word(_) => "a text",
        Shape::Yes => "true or false",
        Shape::Whole { .. } => "a whole number",
        Shape::Texts { .. } => "a list of texts",
        Shape::Labels | Shape::Keys | Shape::Table(_) | Shape::Named(_) => "a table",
        Shape::Secret => "one of { env = … }, { file = … } and { command = … }",
    }
}

const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
