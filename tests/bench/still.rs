//! A demo world in a process of its own, in which nothing happens, and screens over it: its work is none of theirs.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::pty::Program;

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
pub(crate) struct Still {
    world: Child,
    pub(crate) kubeconfig: PathBuf,
}

impl Still {
    pub(crate) fn with(services: usize, home: &Path) -> Self {
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
    pub(crate) fn screen(&self, clock: bool, home: &Path) -> Program {
        screen_of(&self.kubeconfig, clock, home)
    }
}

/// The screen over the cluster that this names, until the first row is there.
pub(crate) fn screen_of(kubeconfig: &Path, clock: bool, home: &Path) -> Program {
    let config = home.join(format!("clock-{clock}.toml"));
    fs::write(&config, format!("[ui]\nclock = {clock}\n")).unwrap();
    let paths = [kubeconfig, &config].map(|path| path.display().to_string());
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

impl Drop for Still {
    fn drop(&mut self) {
        let _ = self.world.kill();
        let _ = self.world.wait();
    }
}
