//! How long somebody waits for the first frame, with a cluster that takes connections and never answers, against a program
//! that takes the terminal in the same way and draws nothing.

use std::{net::TcpListener, path::Path, process::ExitCode, time::Duration};

use windlass::runtime::terminal::{Drawn, Options, Terminal};

use crate::{
    pty::Program,
    table::{figure, head, quantile, ratio},
};

/// Set for the empty program, which is this one.
pub(crate) const EMPTY: &str = "WINDLASS_BENCH_EMPTY";
const ROUNDS: usize = 15;

pub(crate) fn print() {
    head("The first frame, the network dead");
    let home = tempfile::tempdir().unwrap();
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let kubeconfig = home.path().join("kubeconfig");
    let server = dead.local_addr().unwrap();
    std::fs::write(&kubeconfig, dead_cluster(&server.to_string())).unwrap();
    let kubeconfig = kubeconfig.display().to_string();
    let windlass = Path::new(env!("CARGO_BIN_EXE_windlass"));
    let itself = std::env::current_exe().unwrap();
    let (mut ours, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let program = Program::start(windlass, &["--kubeconfig", &kubeconfig], &[], home.path());
        ours.push(micros(program.first_frame()));
        drop(program);
        let program = Program::start(&itself, &[], &[(EMPTY, "1")], home.path());
        empty.push(micros(program.first_frame()));
    }
    let (ours, empty) = (quantile(&mut ours, 0.5), quantile(&mut empty, 0.5));
    figure("microseconds, median", &ours.to_string(), None);
    figure("the empty program, median", &empty.to_string(), None);
    let ratio = ratio(ours, empty);
    figure(
        "ours against the empty one",
        &format!("{ratio:.2}"),
        Some(("<= 1.5", ratio <= 1.5)),
    );
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap()
}

fn dead_cluster(server: &str) -> String {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "dead",
        "clusters": [{"name": "dead", "cluster": {"server": format!("http://{server}")}}],
        "contexts": [{"name": "dead", "context": {"cluster": "dead", "user": "nobody"}}],
        "users": [{"name": "nobody", "user": {}}],
    })
    .to_string()
}

/// Takes the terminal, draws one frame with a letter in it, and waits for a key.
pub(crate) fn empty_program() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut terminal =
            Terminal::open(|name| std::env::var(name).ok(), Options::default()).unwrap();
        let drawn = terminal.draw(|frame| {
            frame.buffer_mut()[(0, 0)].set_symbol("x");
        });
        assert!(matches!(drawn, Drawn::Written(_) | Drawn::Begun(_)));
        let _ = terminal.next().await;
    });
    ExitCode::SUCCESS
}
