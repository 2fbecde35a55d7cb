//! Diagnostics: a log file where one is asked for, and panics that are readable after the terminal was given back. Nothing
//! of either ever reaches the screen. Owns how large the file becomes: one that is full is kept as `NAME.1`, in the place
//! of the one before it, and begun anew.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    panic::PanicHookInfo,
    path::{Path, PathBuf},
    sync::Mutex,
};

use color_eyre::section::PanicMessage;
use tracing_subscriber::EnvFilter;

use super::{private, session::Variables, terminal};
use crate::model::text::{is_forbidden, sanitise_lines};

/// The most bytes of one log file. With the one before it a log left on for a year takes twice this.
const LARGEST: u64 = 10 * 1024 * 1024;

/// How much of its end is looked at for its last lines.
const END: u64 = 1024 * 1024;

/// Logs into the file that `WINDLASS_LOG` names, at the level of `WINDLASS_LOG_LEVEL` (default `windlass=info`).
/// Secrets never get here: no request, header or value of a variable is ever logged.
pub fn to_file(variables: Variables<'_>) {
    let Some(path) = named(variables) else {
        return;
    };
    let Ok(file) = Bounded::open(path, LARGEST) else {
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

fn named(variables: Variables<'_>) -> Option<PathBuf> {
    variables("WINDLASS_LOG")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// The last lines of the log that `WINDLASS_LOG` names, oldest first, at most `count`; where it was begun anew lately,
/// with those of the file before it. `None` where no log is named. What is no regular file is an error and is not read.
pub fn last_lines(variables: Variables<'_>, count: usize) -> Option<io::Result<Vec<String>>> {
    named(variables).map(|path| {
        let mut lines = end_of(&path)?;
        if lines.len() < count
            && let Ok(mut before) = end_of(&full(&path))
        {
            before.append(&mut lines);
            lines = before;
        }
        lines.drain(..lines.len().saturating_sub(count));
        Ok(lines)
    })
}

fn end_of(path: &Path) -> io::Result<Vec<String>> {
    let mut file = private::open_read(path)?;
    let skipped = file.metadata()?.len().saturating_sub(END);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(END).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first is the rest of a line where something was skipped.
    let lines = text.lines().skip(usize::from(skipped > 0));
    Ok(lines.map(str::to_owned).collect())
}

/// Where a full log is kept.
fn full(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// A file that never grows beyond its limit, as long as no single event does. A device or a pipe has no size, and is
/// written to as it is.
struct Bounded {
    file: File,
    path: PathBuf,
    largest: u64,
}

impl Bounded {
    fn open(path: PathBuf, largest: u64) -> io::Result<Self> {
        let file = open(&path)?;
        Ok(Self {
            file,
            path,
            largest,
        })
    }

    /// Asked of the file and not counted: other sessions may write into the same one.
    fn make_room(&mut self, coming: usize) -> io::Result<()> {
        let ours = self.file.metadata()?;
        let grown = ours.len().saturating_add(coming as u64);
        if !ours.is_file() || ours.len() == 0 || grown <= self.largest {
            return Ok(());
        }
        let is_in_place = self
            .path
            .symlink_metadata()
            .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()));
        // Otherwise another session was first, and what is in the place now is not full.
        let renamed = match is_in_place {
            true => std::fs::rename(&self.path, full(&self.path)),
            false => Ok(()),
        };
        match renamed.and_then(|()| open(&self.path)) {
            Ok(new) => self.file = new,
            // In a folder that takes no new name what was written is lost, and not the disk.
            Err(_) => self.file.set_len(0)?,
        }
        Ok(())
    }
}

/// A log file whose lines are text: what a terminal would obey, or what would begin a line of its own, is written by its
/// number. The subscriber escapes what it was given as a message or quoted, and not what it was given to display.
struct Plain(Bounded);

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
        self.0.make_room(plain.len())?;
        self.0.file.write_all(plain.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.file.flush()
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};

    use super::*;

    fn log(path: &Path, largest: u64) -> Plain {
        Plain(Bounded::open(path.to_owned(), largest).unwrap())
    }

    fn of(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_full_log_is_kept_beside_the_new_one_and_the_one_before_it_goes() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("log");
        let mut log = log(&path, 20);
        for line in [
            "first 89\n",
            "second 9\n",
            "third 89\n",
            "fourth 9\n",
            "fifth 89\n",
        ] {
            log.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(of(&path), "fifth 89\n");
        assert_eq!(of(&full(&path)), "third 89\nfourth 9\n");
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 2);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_an_earlier_session_wrote_counts() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("log");
        std::fs::write(&path, "twenty bytes before\n").unwrap();
        log(&path, 20).write_all(b"now\n").unwrap();
        assert_eq!(of(&path), "now\n");
        assert_eq!(of(&full(&path)), "twenty bytes before\n");
    }

    #[test]
    fn two_sessions_in_one_file_do_not_push_each_other_out() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("log");
        let (mut one, mut other) = (log(&path, 20), log(&path, 20));
        one.write_all(b"of one, sixteen\n").unwrap();
        one.write_all(b"of one again\n").unwrap();
        other.write_all(b"other\n").unwrap();
        assert_eq!(of(&path), "of one again\nother\n");
        assert_eq!(of(&full(&path)), "of one, sixteen\n");
    }

    #[test]
    fn where_nothing_can_be_renamed_the_file_is_emptied() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("log");
        std::fs::create_dir_all(full(&path).join("in the way")).unwrap();
        let mut log = log(&path, 20);
        log.write_all(b"before, eighteen.\n").unwrap();
        log.write_all(b"after\n").unwrap();
        assert_eq!(of(&path), "after\n");
    }

    #[test]
    fn a_pipe_is_left_alone() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        // Open for both, or the log would wait for a reader.
        let mut reader = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        let mut log = log(&path, 4);
        log.write_all(b"longer than four\n").unwrap();
        log.write_all(b"and more\n").unwrap();
        let mut read = [0; 26];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"longer than four\nand more\n");
        assert!(path.metadata().unwrap().file_type().is_fifo());
        assert!(!full(&path).exists());
    }

    #[test]
    fn the_last_lines_reach_back_into_the_file_before() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("log");
        std::fs::write(full(&path), "one\ntwo\n").unwrap();
        std::fs::write(&path, "three\n").unwrap();
        let named = path.display().to_string();
        let variables = |name: &str| (name == "WINDLASS_LOG").then(|| named.clone());
        let last = |count| last_lines(&variables, count).unwrap().unwrap();
        assert_eq!(last(2), ["two", "three"]);
        assert_eq!(last(9), ["one", "two", "three"]);
        assert!(last_lines(&|_| None, 2).is_none());
        let device = |_: &str| Some("/dev/null".to_owned());
        last_lines(&device, 2).unwrap().unwrap_err();
    }
}
