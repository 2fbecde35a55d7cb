//! Diagnostics: a log file where one is asked for, and panics that are readable after the terminal was given back. Nothing
//! of either ever reaches the screen.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt as _,
    panic::PanicHookInfo,
    path::Path,
    sync::Mutex,
};

use color_eyre::section::PanicMessage;
use tracing_subscriber::EnvFilter;

use super::{private, session::Variables, terminal};
use crate::model::text::{is_forbidden, sanitise_lines};

/// Logs into the file that `WINDLASS_LOG` names, at the level of `WINDLASS_LOG_LEVEL` (default `windlass=info`).
/// Secrets never get here: no request, header or value of a variable is ever logged.
pub fn to_file(variables: Variables<'_>) {
    let Some(path) = variables("WINDLASS_LOG").filter(|path| !path.is_empty()) else {
        return;
    };
    let Ok(file) = open(Path::new(&path)) else {
        return;
    };
    let filter = variables("WINDLASS_LOG_LEVEL").unwrap_or_else(|| "windlass=info".to_owned());
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new("windlass=info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(Plain(file)))
        .finish();
    // A second one can only be a test's.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// A log file whose lines are text: what a terminal would obey, or what would begin a line of its own, is written by its
/// number. The subscriber escapes what it was given as a message or quoted, and not what it was given to display.
struct Plain(File);

impl Write for Plain {
    /// The subscriber writes an event in one piece.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let (line, end) = text
            .strip_suffix('\n')
            .map_or((&*text, ""), |line| (line, "\n"));
        let mut plain = String::with_capacity(text.len());
        for c in line.chars() {
            match is_forbidden(c) {
                true => plain.extend(c.escape_unicode()),
                false => plain.push(c),
            }
        }
        plain.push_str(end);
        self.0.write_all(plain.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A file is ours alone, whatever the umask, and a link in its place is not followed: in a folder that others may write to
/// it would lead to a file of their choice. A device or a pipe is opened as it is.
fn open(path: &Path) -> io::Result<File> {
    let is_special = path
        .metadata()
        .is_ok_and(|found| !found.is_file() && !found.is_dir());
    if is_special {
        return OpenOptions::new().append(true).mode(0o600).open(path);
    }
    private::open_append(path)
}

/// What a panic says, without its colours: its words may repeat text from outside (so does a slice that misses the
/// boundary of a character), and they go to a terminal.
struct InSafeWords;

impl PanicMessage for InSafeWords {
    fn display(&self, panic: &PanicHookInfo<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = panic.payload();
        let words = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("a panic that says nothing");
        writeln!(f, "windlass panicked, which is a mistake in it.")?;
        writeln!(f, "Message:  {}", sanitise_lines(words))?;
        match panic.location() {
            Some(at) => write!(f, "Location: {}:{}", at.file(), at.line()),
            None => write!(f, "Location: not known"),
        }
    }
}

/// The terminal is given back before a panic is told, or its text would be lost with the alternate screen.
pub fn report_panics(variables: Variables<'_>) {
    let coloured = variables("NO_COLOR").is_none_or(|value| value.is_empty())
        && io::IsTerminal::is_terminal(&io::stderr());
    let builder = color_eyre::config::HookBuilder::default().panic_message(InSafeWords);
    let builder = if coloured {
        builder
    } else {
        builder.theme(color_eyre::config::Theme::new())
    };
    // It fails only where another hook was installed before.
    let _ = builder.install();
    terminal::restore_on_panic();
}
