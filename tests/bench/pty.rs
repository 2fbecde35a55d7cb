//! A program in a pseudo-terminal: what it writes, when, and how often it woke up for it.

use std::{
    fs,
    io::{Read as _, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::world::SIZE;

const PATIENCE: Duration = Duration::from_secs(60);
/// The end of a frame: of every one that is more than a few characters in one line, which come without.
const FRAME_END: &[u8] = b"\x1b[?2026l";

#[derive(Default)]
struct Seen {
    bytes: Vec<u8>,
    /// How many frames have ended.
    frames: usize,
    first_frame: Option<Instant>,
    last: Option<Instant>,
    /// Nobody takes what the program writes.
    stalled: bool,
}

impl Seen {
    fn take(&mut self, bytes: &[u8], now: Instant) {
        // The end of a frame may have come in two parts.
        let from = self.bytes.len().saturating_sub(FRAME_END.len() - 1);
        self.bytes.extend_from_slice(bytes);
        let ends = self.bytes[from..].windows(FRAME_END.len());
        self.frames += ends.filter(|bytes| *bytes == FRAME_END).count();
        if self.frames > 0 {
            self.first_frame.get_or_insert(now);
        }
        self.last = Some(now);
    }
}

pub(crate) struct Program {
    child: Box<dyn Child + Send + Sync>,
    begun: Instant,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    keys: Box<dyn Write + Send>,
    // Closing it would hang up.
    _terminal: Box<dyn MasterPty + Send>,
}

impl Program {
    /// With nothing of this machine's but a home of its own.
    pub(crate) fn start(
        executable: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
        home: &Path,
    ) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize {
                cols: SIZE.0,
                rows: SIZE.1,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
        let mut command = CommandBuilder::new(executable);
        command.env_clear();
        let home = home.display().to_string();
        for (name, value) in [
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("LANG", "C.UTF-8"),
            ("HOME", &home),
            ("TMPDIR", &home),
        ]
        .iter()
        .chain(variables)
        {
            command.env(name, value);
        }
        command.cwd(&home);
        command.args(arguments);
        let seen: Arc<(Mutex<Seen>, Condvar)> = Arc::default();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let told = Arc::clone(&seen);
        let begun = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            // A terminal whose program has ended answers with an error.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let now = Instant::now();
                let mut seen = told.0.lock().unwrap();
                seen.take(&buffer[..count], now);
                told.1.notify_all();
                drop(told.1.wait_while(seen, |seen| seen.stalled).unwrap());
            }
        });
        Self {
            child,
            begun,
            seen,
            keys,
            _terminal: pair.master,
        }
    }

    /// From the start of the process to the end of its first frame.
    pub(crate) fn first_frame(&self) -> Duration {
        let seen = self.until("a frame", |seen| seen.first_frame.is_some());
        let at = seen.lock().unwrap().first_frame;
        at.unwrap() - self.begun
    }

    pub(crate) fn until_written(&self, text: &str) {
        self.until(text, |seen| contains(&seen.bytes, text.as_bytes()));
    }

    /// Until nothing has been written for so long.
    pub(crate) fn until_quiet(&self, quiet: Duration) {
        let end = Instant::now() + PATIENCE;
        loop {
            let rest = (self.last_written() + quiet).saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return;
            }
            assert!(Instant::now() < end, "it never falls silent");
            std::thread::sleep(rest);
        }
    }

    fn until(&self, what: &str, is: impl Fn(&Seen) -> bool) -> &Mutex<Seen> {
        let (mutex, changed) = &*self.seen;
        let (seen, over) = changed
            .wait_timeout_while(mutex.lock().unwrap(), PATIENCE, |seen| !is(seen))
            .unwrap();
        assert!(
            !over.timed_out(),
            "{what} did not come; what came: {}",
            String::from_utf8_lossy(&seen.bytes)
        );
        mutex
    }

    pub(crate) fn press(&mut self, key: &str) {
        self.keys.write_all(key.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.seen.0.lock().unwrap().bytes.len() as u64
    }

    /// How many frames have ended.
    pub(crate) fn frames(&self) -> usize {
        self.seen.0.lock().unwrap().frames
    }

    pub(crate) fn until_frame(&self, number: usize) {
        self.until("a frame", |seen| seen.frames >= number);
    }

    /// When its last byte came.
    pub(crate) fn last_written(&self) -> Instant {
        self.seen.0.lock().unwrap().last.unwrap_or(self.begun)
    }

    /// From now on nobody takes what it writes, apart from what comes next.
    pub(crate) fn stall(&self) {
        self.seen.0.lock().unwrap().stalled = true;
    }

    /// How long it takes to end after `q`.
    pub(crate) fn until_quits(&mut self) -> Duration {
        let begun = Instant::now();
        self.press("q");
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
        begun.elapsed()
    }

    /// Resident memory in kB.
    pub(crate) fn resident(&self) -> u64 {
        number_after(&fs::read_to_string(self.proc("status")).unwrap(), "VmRSS:")
    }

    /// How often any of its threads has gone to sleep, which is how often it woke up.
    pub(crate) fn wakes(&self) -> u64 {
        let tasks = fs::read_dir(self.proc("task")).unwrap();
        tasks
            .map(|task| {
                let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
                number_after(&status, "voluntary_ctxt_switches:")
            })
            .sum()
    }

    /// Calls that wrote anything anywhere.
    pub(crate) fn writes(&self) -> u64 {
        number_after(&fs::read_to_string(self.proc("io")).unwrap(), "syscw:")
    }

    fn proc(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.process_id().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn number_after(text: &str, name: &str) -> u64 {
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    let number = rest.unwrap().split_whitespace().next().unwrap();
    number.parse().unwrap()
}
