//! The program in a terminal: starts it over the demo world, reads its screen as a terminal would, presses keys, and
//! reads which requests arrived.
//!
//! Nothing here sleeps: whoever waits is woken by the next byte that the program writes, and gives up with the screen in
//! hand. What arrived at the world is read from a file that the world writes before it answers.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Generous: a loaded machine is no reason to fail, and whoever fails has lost anyway.
const PATIENCE: Duration = Duration::from_secs(40);

/// A program that is to be started.
#[derive(Debug)]
pub(crate) struct Demo {
    scenario: &'static str,
    columns: u16,
    rows: u16,
    arguments: Vec<String>,
    variables: Vec<(&'static str, &'static str)>,
}

impl Demo {
    pub(crate) fn of(scenario: &'static str) -> Self {
        Self {
            scenario,
            columns: 120,
            rows: 36,
            arguments: Vec::new(),
            variables: Vec::new(),
        }
    }

    pub(crate) fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    pub(crate) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// Starts it and waits for nothing.
    pub(crate) fn start(self) -> Windlass {
        let home = tempfile::tempdir().unwrap();
        let requests = home.path().join("requests.jsonl");
        let mut arguments = vec!["demo".to_owned(), "--scenario".to_owned()];
        arguments.push(self.scenario.to_owned());
        arguments.push("--requests".to_owned());
        arguments.push(requests.display().to_string());
        arguments.extend(self.arguments);
        let variables = self
            .variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let program = Program {
            columns: self.columns,
            rows: self.rows,
            arguments,
            variables,
        };
        program.start(home, requests)
    }

    /// Starts it and waits until what it shows is what is: before that, plans are refused.
    pub(crate) fn live(self) -> Windlass {
        // However many there are.
        let windlass = self.start();
        windlass.until_live();
        windlass
    }

    /// Starts it and waits until `text` is on the screen.
    pub(crate) fn until(self, text: &str) -> Windlass {
        let windlass = self.start();
        windlass.until(text);
        windlass
    }
}

/// A program with everything that it is given, over whatever world its arguments and variables name.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    pub(crate) arguments: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
}

impl Program {
    /// In a terminal of its own. `requests` is where its world writes down what arrives.
    pub(crate) fn start(self, home: tempfile::TempDir, requests: PathBuf) -> Windlass {
        self.start_as(env!("CARGO_BIN_EXE_windlass").as_ref(), home, requests)
    }

    /// The same, of another program: a shell around ours, or a test of its own.
    pub(crate) fn start_as(
        self,
        executable: &std::ffi::OsStr,
        home: tempfile::TempDir,
        requests: PathBuf,
    ) -> Windlass {
        let pair = native_pty_system()
            .openpty(size(self.columns, self.rows))
            .unwrap();
        let mut command = CommandBuilder::new(executable);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("LANG", "C.UTF-8");
        command.env("HOME", home.path());
        command.env("TMPDIR", home.path());
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command.cwd(home.path());
        command.args(&self.arguments);
        let child = pair.slave.spawn_command(command).unwrap();
        // Ours would keep the terminal open after the program has left it.
        drop(pair.slave);
        let shared = Arc::new(Shared {
            seen: Mutex::new(Seen {
                terminal: vt100::Parser::new(nonzero(self.rows), nonzero(self.columns), 0),
                raw: Vec::new(),
                over: false,
                hung_up: false,
            }),
            changed: Condvar::new(),
        });
        let reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let told = Arc::clone(&shared);
        std::thread::spawn(move || told.read(reader));
        Windlass {
            shared,
            terminal: Some((pair.master, writer)),
            child: Some(child),
            requests,
            home,
        }
    }
}

/// A running program and its terminal.
pub(crate) struct Windlass {
    shared: Arc<Shared>,
    /// None after it was hung up.
    terminal: Option<(Box<dyn MasterPty + Send>, Box<dyn Write + Send>)>,
    child: Option<Box<dyn Child + Send + Sync>>,
    requests: PathBuf,
    home: tempfile::TempDir,
}

struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

struct Seen {
    terminal: vt100::Parser,
    raw: Vec<u8>,
    over: bool,
    hung_up: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Until the other side closes (which Linux reports as an error), or we are to hang up: then the last handle of the
    /// terminal is the one in here, and dropping it is the hang-up.
    fn read(&self, mut reader: Box<dyn Read + Send>) {
        let mut bytes = [0; 16 * 1024];
        loop {
            let count = reader.read(&mut bytes).unwrap_or(0);
            let mut seen = self.lock();
            seen.raw.extend_from_slice(&bytes[..count]);
            seen.terminal.process(&bytes[..count]);
            seen.over = count == 0 || seen.hung_up;
            self.changed.notify_all();
            if seen.over {
                return;
            }
        }
    }
}

/// A request that could have changed something.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) server: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    /// None where the answer was lost on the way.
    pub(crate) status: Option<u64>,
}

impl Windlass {
    /// Waits until every source is live, which the header says as their number and an age.
    #[track_caller]
    pub(crate) fn until_live(&self) {
        self.until_screen("every source to be live", |screen| {
            text_of(screen)
                .lines()
                .next()
                .is_some_and(|header| header.contains("● ") && header.contains(" source"))
        });
    }

    /// Waits until `text` is on the screen.
    #[track_caller]
    pub(crate) fn until(&self, text: &str) {
        self.until_screen(&format!("{text:?} on the screen"), |screen| {
            text_of(screen).contains(text)
        });
    }

    #[track_caller]
    pub(crate) fn until_gone(&self, text: &str) {
        self.until_screen(&format!("{text:?} to leave the screen"), |screen| {
            !text_of(screen).contains(text)
        });
    }

    #[track_caller]
    pub(crate) fn until_screen(&self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        self.until_seen(what, |seen| holds(seen.terminal.screen()));
    }

    #[track_caller]
    fn until_seen(&self, what: &str, holds: impl Fn(&Seen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.shared.lock();
        while !holds(&seen) {
            let left = deadline.saturating_duration_since(Instant::now());
            let over = seen.over;
            assert!(
                !left.is_zero() && !over,
                "waited for {what}{}; sent so far: {:#?}\n{}",
                if over { ", and it ended" } else { "" },
                self.writes(),
                text_of(seen.terminal.screen())
            );
            seen = self
                .shared
                .changed
                .wait_timeout(seen, left)
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .0;
        }
    }

    /// Waits until a dialog takes keys: half a second after its frame, and after the last key. It says so by drawing the
    /// confirming line (`Y` or the field's `>`) bold, and pale before; so this waits for what a human would wait for,
    /// and a dialog that listens without saying so, or says so too early, fails the test.
    #[track_caller]
    pub(crate) fn until_listening(&self) {
        self.until_screen("a dialog that listens", |screen| {
            let (rows, columns) = screen.size();
            (0..rows.get()).any(|row| {
                (0..columns.get()).any(|column| {
                    let contents = |column| screen.cell(row, column).map(vt100::Cell::contents);
                    let before = (0..column)
                        .rev()
                        .filter_map(contents)
                        .find(|contents| !contents.trim().is_empty());
                    screen.cell(row, column).is_some_and(|cell| {
                        matches!(cell.contents(), "Y" | ">") && cell.bold() && before == Some("│")
                    })
                })
            })
        });
    }

    /// Goes down until `text` is where the mark is. Each key waits for the mark of the one before: a screen that only
    /// changed, because of a clock on it, is no answer to a key.
    #[track_caller]
    pub(crate) fn walk_to(&mut self, text: &str) {
        for _ in 0..30 {
            let before = self.text();
            if before.contains(text) {
                return;
            }
            let was = marks(&before);
            self.key("j");
            self.until_screen("the mark to move", |screen| marks(&text_of(screen)) != was);
        }
        panic!("{text:?} is not there\n{}", self.text());
    }

    /// Waits until nothing was written for so long: a world whose time stands still writes no more than its last key led
    /// to. Whoever asks for too short a time is found out by the screens that they compare.
    #[track_caller]
    pub(crate) fn until_quiet(&self, quiet: Duration) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.shared.lock();
        let mut length = seen.raw.len();
        let mut since = Instant::now();
        while since.elapsed() < quiet {
            assert!(
                Instant::now() < deadline && !seen.over,
                "waited for it to be quiet\n{}",
                text_of(seen.terminal.screen())
            );
            let left = quiet.saturating_sub(since.elapsed());
            seen = self
                .shared
                .changed
                .wait_timeout(seen, left)
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .0;
            if seen.raw.len() != length {
                length = seen.raw.len();
                since = Instant::now();
            }
        }
    }

    /// Waits until the screen is so, or not longer than that. Nothing is concluded from its passing.
    pub(crate) fn for_a_while(&self, most: Duration, holds: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + most;
        let mut seen = self.shared.lock();
        while !seen.over && !holds(seen.terminal.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            seen = self
                .shared
                .changed
                .wait_timeout(seen, left)
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .0;
        }
    }

    /// Waits a twentieth of a second or less: the pace of a key that is held down. Nothing is concluded from its passing.
    pub(crate) fn beat(&self) {
        let seen = self.shared.lock();
        drop(
            self.shared
                .changed
                .wait_timeout(seen, Duration::from_millis(50)),
        );
    }

    /// One write: what is in it arrives together, as from a finger that was too fast.
    pub(crate) fn key(&mut self, keys: &str) {
        let (_, writer) = self.terminal.as_mut().expect("hung up");
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    pub(crate) fn paste(&mut self, text: &str) {
        self.key(&format!("\x1b[200~{text}\x1b[201~"));
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let (master, _) = self.terminal.as_ref().expect("hung up");
        // Ours first: what is written for the new size must not be cut at the old one.
        self.shared
            .lock()
            .terminal
            .screen_mut()
            .set_size(nonzero(rows), nonzero(columns));
        master.resize(size(columns, rows)).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> Pid {
        let id = self.child.as_ref().and_then(|child| child.process_id());
        Pid::from_raw(i32::try_from(id.unwrap()).unwrap()).unwrap()
    }

    /// What the terminal is set to (raw, echo, signals), as `stty` would tell.
    pub(crate) fn modes(&self) -> String {
        let (master, _) = self.terminal.as_ref().expect("hung up");
        let modes = master.get_termios().expect("a terminal has modes");
        format!("{modes:?}")
    }

    /// Closes the terminal, as a lost connection does. The reader lets go with the next bytes: the resize asks for some.
    pub(crate) fn hang_up(&mut self) {
        self.shared.lock().hung_up = true;
        let (master, writer) = self.terminal.take().expect("hung up");
        let now = master.get_size().unwrap();
        master.resize(size(now.cols - 1, now.rows)).unwrap();
        drop(writer);
        drop(master);
    }

    pub(crate) fn text(&self) -> String {
        text_of(self.shared.lock().terminal.screen())
    }

    /// Everything that was written to the terminal.
    pub(crate) fn raw(&self) -> Vec<u8> {
        self.shared.lock().raw.clone()
    }

    pub(crate) fn screen<T>(&self, ask: impl FnOnce(&vt100::Screen) -> T) -> T {
        ask(self.shared.lock().terminal.screen())
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Sent> {
        let text = fs::read_to_string(&self.requests).unwrap_or_default();
        text.split_inclusive('\n')
            // A line that is being written has no end yet.
            .filter(|line| line.ends_with('\n'))
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|request| Sent {
                server: request["server"].as_str().unwrap().to_owned(),
                method: request["method"].as_str().unwrap().to_owned(),
                path: request["path"].as_str().unwrap().to_owned(),
                body: request["body"].clone(),
                status: request["status"].as_u64(),
            })
            .collect()
    }

    /// Every request so far that could have changed something, reviews of one's own rights apart.
    pub(crate) fn writes(&self) -> Vec<Sent> {
        let mut sent = self.requests();
        // A question to Prometheus is posted as a form.
        sent.retain(|sent| {
            sent.method != "GET"
                && !sent.path.contains("/selfsubject")
                && sent.server != "prometheus"
        });
        sent
    }

    /// The changes among them: the note on the object, an Event, is not one.
    pub(crate) fn patches(&self) -> Vec<Sent> {
        let mut sent = self.writes();
        sent.retain(|sent| {
            sent.server != "kubernetes" || sent.method != "POST" || !sent.path.contains("/events")
        });
        sent
    }

    /// The changes that the world took. Its controllers write too, so a version may be out of date on arrival: that
    /// request did nothing, and the next one carries what was read since.
    pub(crate) fn taken(&self) -> Vec<Sent> {
        let mut sent = self.patches();
        sent.retain(|sent| sent.status != Some(409));
        sent
    }

    /// Waits until so many changes have arrived. They do not come through the terminal, so its bytes need not announce
    /// them: the file is read again at every one, and a few times a second besides.
    #[track_caller]
    pub(crate) fn until_patches(&self, count: usize) -> Vec<Sent> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let patches = self.patches();
            if patches.len() >= count {
                return patches;
            }
            assert!(
                Instant::now() < deadline,
                "waited for {count} changes: {patches:#?}\n{}",
                self.text()
            );
            let seen = self.shared.lock();
            drop(
                self.shared
                    .changed
                    .wait_timeout(seen, Duration::from_millis(50)),
            );
        }
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("ended before");
        let mut killer = child.clone_killer();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(child.wait()));
        match told.recv_timeout(PATIENCE) {
            Ok(status) => status.unwrap(),
            Err(_) => {
                let _may_have_ended = killer.kill();
                panic!("it did not end\n{}", self.text());
            }
        }
    }

    /// Leaves by the key and proves that nothing was changed: after its end nothing can follow.
    #[track_caller]
    pub(crate) fn leaves_without_a_change(mut self) {
        self.key("q");
        assert_eq!(self.ended().exit_code(), 0);
        let patches = self.patches();
        assert!(patches.is_empty(), "{patches:#?}");
    }

    /// Everything that was written until the end, after the end.
    #[track_caller]
    pub(crate) fn last_words(&mut self) -> Vec<u8> {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.shared.lock();
        while !seen.over {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the terminal stays open");
            seen = self.shared.changed.wait_timeout(seen, left).unwrap().0;
        }
        seen.raw.clone()
    }

    /// What it left behind in its temporary folder.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        fs::read_dir(self.home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "requests.jsonl")
            .collect()
    }
}

impl Drop for Windlass {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _may_have_ended = child.kill();
        }
    }
}

fn nonzero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a terminal has a size")
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// What stands behind each mark of a selection: a name or a verb.
fn marks(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.split_once('▌'))
        .map(|(_, rest)| rest.chars().take(16).collect())
        .collect()
}

pub(crate) fn text_of(screen: &vt100::Screen) -> String {
    let (_, columns) = screen.size();
    let mut text = String::new();
    for row in screen.rows(0, columns.get()) {
        let _infallible = writeln!(text, "{}", row.trim_end());
    }
    text
}
