//! The whole program in a terminal, over a world in which nothing happens: what it costs to be left alone, how often it
//! calls the system for a frame, and what it keeps in memory.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    pty::Program,
    table::{figure, head, quantile},
};

const WATCHED: Duration = Duration::from_secs(10);
const KEYS: usize = 30;
/// Everything happened long ago: no age of a release counts seconds.
const STILL: &str = r#"
about = "Nothing happens"
environment = "prod-eu"
[[namespace]]
name = "shop"
[[service]]
name = "catalog"
namespace = "shop"
story = [{ ago = "9d", release = { version = "v1.0.0" } }]
"#;

/// A world for other programs, in a process of its own: its work is none of the screen's.
struct Still {
    world: Child,
    kubeconfig: PathBuf,
}

impl Still {
    fn with(services: usize, home: &Path) -> Self {
        let scenario = home.join("still.toml");
        fs::write(&scenario, STILL).unwrap();
        let mut world = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(["demo", "--serve", "--services", &services.to_string()])
            .arg("--scenario")
            .arg(&scenario)
            .env("TMPDIR", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(world.stdout.take().unwrap()).lines();
        let kubeconfig = lines
            .map(Result::unwrap)
            .find_map(|line| {
                line.strip_prefix("kubeconfig")
                    .map(|path| path.trim().into())
            })
            .unwrap();
        Self { world, kubeconfig }
    }

    /// The screen over this world's cluster, watched and settled.
    fn screen(&self, clock: bool, home: &Path) -> Program {
        let config = home.join(format!("clock-{clock}.toml"));
        fs::write(&config, format!("[ui]\nclock = {clock}\n")).unwrap();
        let paths = [&self.kubeconfig, &config].map(|path| path.display().to_string());
        let arguments = ["--kubeconfig", &paths[0], "--config", &paths[1]];
        let program = Program::start(
            Path::new(env!("CARGO_BIN_EXE_windlass")),
            &arguments,
            &[],
            home,
        );
        program.until_written("catalog");
        program
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        let _ = self.world.kill();
        let _ = self.world.wait();
    }
}

pub(crate) fn print() {
    head("The program in a terminal, nothing happens");
    let home = tempfile::tempdir().unwrap();
    let world = Still::with(100, home.path());
    let mut still = world.screen(false, home.path());
    still.until_quiet(Duration::from_secs(3));
    let (bytes, wakes) = watched(&still);
    figure(
        "bytes in 10 s without a clock",
        &bytes.to_string(),
        Some(("0", bytes == 0)),
    );
    figure(
        "wake-ups in 10 s without a clock",
        &wakes.to_string(),
        Some(("0", wakes == 0)),
    );
    frames(&mut still);
    drop(still);
    let ticking = world.screen(true, home.path());
    std::thread::sleep(Duration::from_secs(5));
    let wakes = ticking.wakes();
    // A median, because the minutes of an age go on once in a while.
    let mut seconds: Vec<u64> = (0..WATCHED.as_secs())
        .map(|_| {
            let bytes = ticking.bytes();
            std::thread::sleep(Duration::from_secs(1));
            ticking.bytes() - bytes
        })
        .collect();
    let wakes = ticking.wakes() - wakes;
    let bytes = quantile(&mut seconds, 0.5);
    figure(
        "bytes a second with a clock and the age of the data",
        &bytes.to_string(),
        Some(("<= 20", bytes <= 20)),
    );
    // The one at the edge may be in it or not.
    figure(
        "wake-ups in 10 s with a clock",
        &wakes.to_string(),
        Some(("<= 11", wakes <= 11)),
    );
}

fn watched(program: &Program) -> (u64, u64) {
    let (bytes, wakes) = (program.bytes(), program.wakes());
    std::thread::sleep(WATCHED);
    (program.bytes() - bytes, program.wakes() - wakes)
}

/// Each key is drawn before the next one is pressed.
fn frames(program: &mut Program) {
    let (frames, writes) = (program.frames(), program.writes());
    for _ in 0..KEYS {
        let shown = program.frames();
        program.press("j");
        program.until_frame(shown + 1);
    }
    program.until_quiet(Duration::from_secs(1));
    let (frames, writes) = (program.frames() - frames, program.writes() - writes);
    figure(
        &format!("writes for {frames} frames"),
        &writes.to_string(),
        Some(("one each", writes == frames as u64)),
    );
}
