//! `windlass demo`: the screen over a simulated world, the list of scenarios, or the world alone, for other programs.
//!
//! Must never read a kubeconfig, a configuration or a token, and leaves nothing behind: what it writes is in a private
//! folder that goes with it.

mod meddle;
mod score;

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    args::{Cli, DemoArgs},
    exit::Exit,
    out::Out,
    run::{self, screen},
};
use crate::{
    config,
    demo::{self, World},
    model::id::EnvironmentName,
    runtime::{
        audit as log, clock,
        session::{Session, Variables, Wrong},
        start::Options,
        wall::{self, Lookout},
    },
};

/// The one token that the demo's GitHub takes.
const TOKEN: &str = "demo";

/// What is asked for instead of a scenario to see which there are.
const LIST: &str = "list";

pub(super) async fn run(
    args: &DemoArgs,
    cli: &Cli,
    variables: Variables<'_>,
    out: &mut Out,
) -> Exit {
    if args.scenario == LIST {
        for (name, about) in World::scenarios() {
            out.line(&format!("{name:<12} {about}"));
        }
        return Exit::Done;
    }
    let mut faults = Vec::new();
    for fault in &args.fault {
        match fault.parse::<demo::Fault>() {
            Ok(fault) => faults.push(fault),
            Err(why) => return out.fail(Exit::Usage, &why.to_string()),
        }
    }
    let options = demo::Options {
        scenario: args.scenario.clone(),
        services: args.services,
        seed: args.seed,
        speed: args.speed,
        faults,
        request_log: args.requests.clone(),
        port: args.port,
        still: args.still,
    };
    let world = match World::start(options).await {
        Ok(world) => Rc::new(world),
        Err(error) => return out.fail(Exit::Usage, &told(&error)),
    };
    // Before anybody asks what time it is.
    if let Some(still) = world.still() {
        clock::stand(Box::new(Still(still)));
    }
    let folder = match Folder::make() {
        Ok(folder) => folder,
        Err(error) => {
            let place = std::env::temp_dir();
            let why = format!("cannot make a folder in {}: {error}", place.display());
            return out.fail(Exit::Internal, &why);
        }
    };
    if args.serve {
        let exit = serve(&world, &folder, out).await;
        score::print(&world, out);
        return exit;
    }
    if args.wall {
        let options = run::wall_options(true, args.every, wall::letters_of(variables));
        return match lookout(&world) {
            Ok(lookout) => {
                let lookout = lookout.with_theme(cli.global.theme.as_deref());
                run::told(wall::wall(lookout, options, variables).await, out)
            }
            Err(Wrong(why)) => out.fail(Exit::Internal, &why),
        };
    }
    // Its audit is as real as any other, and gone with the demo.
    let exit = match session(&world, &folder.0, cli.global.read_only, variables) {
        Ok(session) => {
            screen(
                &session.with_theme(cli.global.theme.as_deref()),
                Options {
                    demo: true,
                    read_only: cli.global.read_only,
                    open: None,
                    meddle: Some(meddle::meddle(&world)),
                    tour: args.tour,
                    game: world.score().map(|_| args.speed),
                },
                variables,
                out,
            )
            .await
        }
        Err(Wrong(why)) => return out.fail(Exit::Internal, &why),
    };
    score::print(&world, out);
    exit
}

/// The world's time as the program's own.
#[derive(Debug)]
struct Still(demo::Still);

impl clock::Source for Still {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }

    fn second(&self) -> jiff::Timestamp {
        self.0.second()
    }

    fn rests(&self) -> bool {
        self.0.rests()
    }

    fn pass(&self, seconds: u64) {
        self.0.pass(seconds);
    }
}

/// With what caused it.
fn told(error: &demo::Error) -> String {
    let mut text = error.to_string();
    if let Some(cause) = std::error::Error::source(error) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// A folder that nobody else may look into; it goes with its owner.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn make() -> io::Result<Self> {
        let process = std::process::id();
        let mut taken = 0_u32;
        loop {
            let name = match taken {
                0 => format!("windlass-demo-{process}"),
                more => format!("windlass-demo-{process}-{more}"),
            };
            let path = std::env::temp_dir().join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                // Left by a process that was killed, or put there by somebody.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && taken < 100 => {
                    taken += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::info!(%error, "the demo's folder could not be removed");
        }
    }
}

/// Keeps the world until somebody ends the program. Says where everything is as soon as it answers.
async fn serve(world: &World, folder: &Folder, out: &mut Out) -> Exit {
    // Before anything is said: whoever reads the last line may end us at once.
    let signals = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    );
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = signals else {
        return out.fail(Exit::Internal, "cannot listen for signals");
    };
    let written = folder
        .write("kubeconfig", &kubeconfig(world))
        .and_then(|kubeconfig| {
            let token = folder.write("github-token", TOKEN)?;
            let config = folder.write("windlass.toml", &configuration(world, &token))?;
            Ok((kubeconfig, config))
        });
    let (kubeconfig, config) = match written {
        Ok((kubeconfig, config)) => (
            kubeconfig.display().to_string(),
            config.display().to_string(),
        ),
        Err(error) => {
            let why = format!("cannot write into {}: {error}", folder.0.display());
            return out.fail(Exit::Internal, &why);
        }
    };
    for (name, value) in [
        ("kubeconfig", kubeconfig.as_str()),
        ("config", &config),
        ("kubernetes", &world.server()),
        ("github", &world.github()),
        ("prometheus", &world.prometheus()),
        ("alertmanager", &world.alertmanager()),
    ] {
        out.line(&format!("{name:<13} {value}"));
    }
    for line in [
        "Try, in another terminal:".to_owned(),
        format!("  kubectl --kubeconfig {kubeconfig} get rollouts -A"),
        format!("  kubectl argo rollouts --kubeconfig {kubeconfig} list rollouts -A"),
        format!(
            "  curl -H 'authorization: Bearer {TOKEN}' {}/user",
            world.github()
        ),
        format!("  windlass --config {config} --kubeconfig {kubeconfig}"),
        "Ctrl-C ends the world.".to_owned(),
    ] {
        out.note(&line);
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Exit::Done
}

fn kubeconfig(world: &World) -> String {
    let name = world.environment();
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": world.server()}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "you@demo"}}],
        "users": [{"name": "you@demo", "user": {"token": TOKEN}}],
    });
    format!("{text:#}\n")
}

/// The same that the demo's own screen is given, as a file.
fn configuration(world: &World, token: &Path) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut lines = vec![
        format!("[environments.{}]", quoted(world.environment())),
        format!("prometheus = {{ url = {} }}", quoted(&world.prometheus())),
        format!(
            "alertmanager = {{ url = {} }}",
            quoted(&world.alertmanager())
        ),
        "\n[sources.github]".to_owned(),
        format!("host = {}", quoted(&world.github())),
        format!(
            "token = {{ file = {} }}",
            quoted(&token.display().to_string())
        ),
    ];
    for link in world.services() {
        let workload = format!("{}/{}/{}", link.namespace, link.kind_word, link.name);
        lines.push(format!("\n[services.{}]", quoted(&link.name)));
        lines.push(format!("workload = {}", quoted(&workload)));
        for (key, value) in [("repository", link.repository), ("workflow", link.workflow)] {
            lines.extend(value.map(|value| format!("{key} = {}", quoted(&value))));
        }
        lines.push(format!("alerts = {{ service = {} }}", quoted(&link.name)));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn session(
    world: &World,
    folder: &Path,
    read_only: bool,
    variables: Variables<'_>,
) -> Result<Session, Wrong> {
    let address = address(world)?;
    let state = folder.to_path_buf();
    let asked = |name: &str| {
        if name == "WINDLASS_STATE" {
            Some(state.display().to_string())
        } else {
            variables(name)
        }
    };
    let dir = log::state_dir(&asked).map_err(|error| Wrong(error.to_string()))?;
    let name = EnvironmentName::new(world.environment());
    let config = demo_config(world);
    Session::demo(name.as_str(), address, config, read_only, dir, variables)
}

fn lookout(world: &World) -> Result<Lookout, Wrong> {
    Lookout::demo(world.environment(), address(world)?, demo_config(world))
}

fn address(world: &World) -> Result<std::net::SocketAddr, Wrong> {
    let address = world.server();
    address
        .strip_prefix("http://")
        .unwrap_or(&address)
        .parse()
        .map_err(|_| Wrong(format!("{address} is no address")))
}

/// What somebody would have written down about the demo's world.
fn demo_config(world: &World) -> config::Config {
    let mut config = config::Config::default();
    let server = |url: String| Some(config::Server { url, token: None });
    let environment = config::Environment {
        prometheus: server(world.prometheus()),
        alertmanager: server(world.alertmanager()),
        ..config::Environment::default()
    };
    config
        .environments
        .insert(world.environment().to_owned(), environment);
    config.sources.github = Some(config::GitHub {
        host: world.github(),
        token: Some(config::SecretSource::Open(TOKEN.to_owned())),
    });
    for link in world.services() {
        let workload = format!("{}/{}/{}", link.namespace, link.kind_word, link.name);
        config.services.insert(
            workload.clone(),
            config::Service {
                workload: workload.parse().ok(),
                repository: link.repository,
                workflow: link.workflow,
                alerts: [("service".to_owned(), link.name)].into(),
                ..config::Service::default()
            },
        );
    }
    config
}
