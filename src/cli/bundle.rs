//! `report`: what helps to find a mistake, in one readable file that somebody reads and then sends. Owns what goes into
//! it. Must never send it, never write over a file, and never let a section by the redactor.

use std::{
    fmt::Write as _,
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value, json};

use super::{
    alias::Aliases,
    args::{Global, ReportArgs},
    doctor,
    exit::Exit,
    out::Out,
    redact::{GONE, Redactor},
};
use crate::{
    config,
    model::text::sanitise_line,
    runtime::{
        audit::{self, Entry},
        clock::now,
        log,
        session::{Session, Variables},
        start,
    },
};

/// Whoever reports a mistake has a cluster that answers slowly more often than others.
const DOCTOR: Duration = Duration::from_secs(10);

const LOG_LINES: usize = 200;

const RECORDS: usize = 50;

/// Variables whose values say what a terminal can do and hold nothing of anybody.
const TERMINAL: &[&str] = &[
    "TERM",
    "COLORTERM",
    "TERM_PROGRAM",
    "NO_COLOR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_TIME",
];

/// Variables that are only said to be there.
const PRESENT: &[&str] = &["TMUX", "STY", "SSH_CONNECTION"];

/// What is kept of an audit record. No reason, no plan, no request and so no value of a change.
const KEPT: &[&str] = &[
    "verb",
    "target",
    "outcome",
    "words",
    "sent",
    "second_place",
    "request",
    "of",
    "try",
    "resource_version",
];

struct Section {
    title: &'static str,
    text: String,
    /// Whether names of the company's things may be in it.
    named: bool,
}

impl Section {
    fn new(title: &'static str, text: String) -> Self {
        Self {
            title,
            text,
            named: true,
        }
    }
}

pub(super) async fn run(
    args: &ReportArgs,
    global: &Global,
    variables: Variables<'_>,
    out: &mut Out,
) -> Exit {
    let path = args.output.clone().unwrap_or_else(|| {
        PathBuf::from(
            now()
                .strftime("windlass-report-%Y%m%d-%H%M%S.txt")
                .to_string(),
        )
    });
    let (text, inside) = match compose(args.anonymous, global, variables).await {
        Ok(composed) => composed,
        Err(error) => return out.fail(Exit::Internal, &format!("nothing is written: {error}")),
    };
    if let Err(why) = write(&path, &text) {
        let why = format!("{} cannot be written: {why}", path.display());
        return out.fail(Exit::Usage, &why);
    }
    out.line(&format!("wrote {}, for you alone to read", path.display()));
    for title in inside {
        out.line(&format!("  {title}"));
    }
    out.line(
        "Nothing was sent. Secrets that were recognised are taken out; read the file before you send it, since only you\n\
         know what else must not leave.",
    );
    if !args.anonymous {
        out.line("It has names of environments, services, people and hosts: --anonymous takes known ones out.");
    }
    Exit::Done
}

/// Ours alone from its first byte, and only where nothing is: neither a file nor a link that somebody left there.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The whole text, and the titles of what is in it.
async fn compose(
    anonymous: bool,
    global: &Global,
    variables: Variables<'_>,
) -> Result<(String, Vec<&'static str>), regex_lite::Error> {
    let configuration = Configuration::read(global, variables);
    let redactor = Redactor::new(configuration.secrets(variables))?;
    let mut aliases = Aliases::new()?;
    for name in ["USER", "LOGNAME", "HOSTNAME"] {
        aliases.note(&variables(name).unwrap_or_default());
    }
    let home = variables("HOME").unwrap_or_default();
    aliases.note(home.rsplit('/').next().unwrap_or_default());
    let mut sections = vec![
        Section {
            named: false,
            ..Section::new("version and platform", platform())
        },
        Section {
            named: false,
            ..Section::new("terminal", terminal(variables))
        },
    ];
    aliases.note_values(&configuration.values());
    sections.push(Section::new(
        "configuration, without secrets and comments",
        configuration.text(&redactor),
    ));
    sections.push(Section::new(
        "what windlass doctor finds",
        found(global, variables, &mut aliases).await,
    ));
    sections.push(Section::new("the last lines of the log", logged(variables)));
    let (records, open) = recorded(variables, &mut aliases);
    sections.push(Section::new(
        "the last audit records, without reasons and changes",
        records,
    ));
    sections.push(Section::new("intents without an outcome", open));
    for section in &mut sections {
        section.text = redactor.text(&section.text);
        if section.named {
            aliases.note_text(&section.text);
        }
    }
    let mut text = format!("windlass report/1, {}\n", now());
    for section in &sections {
        let body = match anonymous && section.named {
            true => aliases.replace(&section.text),
            false => section.text.clone(),
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n== {} ==\n\n{}\n", section.title, body.trim_end());
    }
    Ok((text, sections.iter().map(|one| one.title).collect()))
}

fn platform() -> String {
    let system = rustix::system::uname();
    format!(
        "windlass {}\n{} {} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        system.release().to_string_lossy()
    )
}

fn terminal(variables: Variables<'_>) -> String {
    let values = TERMINAL.iter().filter_map(|name| {
        let value = variables(name)?;
        Some(format!("{name}={}", &*sanitise_line(&value, 100)))
    });
    let present = PRESENT.iter().map(|name| {
        let word = if variables(name).is_some() {
            "set"
        } else {
            "not set"
        };
        format!("{name} is {word}")
    });
    values.chain(present).collect::<Vec<_>>().join("\n")
}

/// The configuration as it is written down, whether or not it can be worked with.
enum Configuration {
    None(String),
    Table { path: PathBuf, table: toml::Table },
}

impl Configuration {
    fn read(global: &Global, variables: Variables<'_>) -> Self {
        let Some(path) = global.config.clone().or_else(|| config::path(variables)) else {
            return Self::None("there is no place for one".to_owned());
        };
        // The words of the parser repeat a line of the file, and so are not told.
        match std::fs::read_to_string(&path).map(|text| text.parse::<toml::Table>()) {
            Ok(Ok(table)) => Self::Table { path, table },
            Ok(Err(_)) => Self::None(format!(
                "{} is no TOML, and so is left out; windlass config check tells its mistakes",
                path.display()
            )),
            Err(error) => Self::None(format!("{}: {error}", path.display())),
        }
    }

    fn values(&self) -> Value {
        match self {
            Self::None(_) => Value::Null,
            Self::Table { table, .. } => json!(table),
        }
    }

    fn text(&self, redactor: &Redactor) -> String {
        match self {
            Self::None(why) => why.clone(),
            Self::Table { path, table } => {
                let mut table = table.clone();
                redactor.configuration(&mut table);
                let text = toml::to_string(&table).unwrap_or_else(|_| GONE.to_owned());
                format!("# {}\n{text}", path.display())
            }
        }
    }

    /// What lies at the places that it names: should one be in another section, it is recognised by its letters. Commands
    /// are not run for this.
    fn secrets(&self, variables: Variables<'_>) -> Vec<String> {
        let mut secrets: Vec<String> = ["GITHUB_TOKEN", "GH_TOKEN"]
            .iter()
            .filter_map(|name| variables(name))
            .collect();
        if let Self::Table { path, table } = self {
            let folder = path.parent().unwrap_or(Path::new("."));
            let home = variables("HOME").unwrap_or_default();
            let file = |named: &str| {
                let place = match named.strip_prefix("~/") {
                    Some(rest) => Path::new(&home).join(rest),
                    None => folder.join(named),
                };
                // A pipe or a device would be waited for.
                let is_file = place.metadata().is_ok_and(|found| found.is_file());
                is_file.then(|| std::fs::read_to_string(place).ok())?
            };
            collect(&json!(table), &mut |key, value| match key {
                "env" => secrets.extend(variables(value)),
                "file" => secrets.extend(file(value)),
                _ => {}
            });
        }
        secrets
            .iter()
            .map(|secret| secret.trim().to_owned())
            .collect()
    }
}

/// Every string with its key.
fn collect(value: &Value, each: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) => each(key, text),
                    other => collect(other, each),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, each)),
        _ => {}
    }
}

async fn found(global: &Global, variables: Variables<'_>, aliases: &mut Aliases) -> String {
    let session = match Session::open(&global.wanted(), variables) {
        Ok(session) => session,
        Err(why) => return format!("no session can be opened: {why}"),
    };
    for ready in &session.environments {
        aliases.note(&ready.name.to_string());
        aliases.note(&ready.context);
    }
    match tokio::time::timeout(DOCTOR, Box::pin(doctor::look(&session))).await {
        Ok((_, object)) => {
            aliases.note_values(&object);
            doctor::text(&object)
        }
        Err(_) => format!("it did not end within {} s", DOCTOR.as_secs()),
    }
}

fn logged(variables: Variables<'_>) -> String {
    match log::last_lines(variables, LOG_LINES) {
        None => "WINDLASS_LOG names none".to_owned(),
        Some(Ok(lines)) if lines.is_empty() => "it is empty".to_owned(),
        Some(Ok(lines)) => lines.join("\n"),
        Some(Err(error)) => format!("it cannot be read: {error}"),
    }
}

/// The last records, and the open intents.
fn recorded(variables: Variables<'_>, aliases: &mut Aliases) -> (String, String) {
    let read = audit::state_dir(variables).and_then(|dir| {
        let entries = audit::read(&dir)?;
        Ok((entries, audit::open_intents(&dir)?))
    });
    let (entries, open) = match read {
        Ok(read) => read,
        Err(error) => return (error.to_string(), "not known".to_owned()),
    };
    let skipped = entries.len().saturating_sub(RECORDS);
    let mut records = format!("{} in all", entries.len());
    for entry in entries.iter().skip(skipped) {
        let shown = shown(entry);
        aliases.note_values(&shown);
        let _ = write!(records, "\n{shown}");
    }
    let open: Vec<String> = open
        .iter()
        .map(|intent| format!("{} {}: {}", intent.at, intent.id, start::open_words(intent)))
        .collect();
    let open = match open.is_empty() {
        true => "none".to_owned(),
        false => open.join("\n"),
    };
    (records, open)
}

fn shown(entry: &Entry) -> Value {
    let mut fields = Map::new();
    fields.insert("at".to_owned(), json!(entry.at));
    fields.insert("intent".to_owned(), json!(entry.intent));
    fields.insert("kind".to_owned(), json!(entry.kind));
    if !entry.chained {
        fields.insert("chained".to_owned(), json!(false));
    }
    for &key in KEPT {
        if let Some(value) = entry.body.get(key) {
            fields.insert(key.to_owned(), value.clone());
        }
    }
    Value::Object(fields)
}
