//! From arguments to an exit code.

use clap::CommandFactory as _;
use tokio::{runtime::Builder, task::LocalSet};

use super::{
    args::{Cli, Command, ConfigCommand, VerbArgs},
    audit, bundle, decide, demo, doctor,
    exit::Exit,
    find::Wanted,
    history, inbox, init,
    out::Out,
    status,
    verb::{self, Asked},
    wait,
};
use crate::{
    app::wall::Letters,
    config,
    model::id::{ReleaseId, WorkloadKind},
    ops::intent::Verb,
    runtime::{
        audit as log,
        screen::Left,
        session::{Session, Variables, Wrong},
        start::{self, NoScreen, Options},
        wall::{self, Lookout},
    },
};

/// Runs a command to its end. Everything happens on this one thread: a program that is idle must be idle.
pub fn run(cli: Cli, variables: Variables<'_>) -> Exit {
    let mut out = Out::new(wants_json(cli.command.as_ref()));
    match &cli.command {
        Some(Command::Completions { shell }) => {
            clap_complete::generate(
                *shell,
                &mut Cli::command(),
                "windlass",
                &mut std::io::stdout(),
            );
            return Exit::Done;
        }
        Some(Command::Man) => return man(&mut out),
        Some(Command::Audit(command)) => return audit::run(command, variables, &mut out),
        Some(Command::Config(command)) if !matches!(command, ConfigCommand::Init { .. }) => {
            return configuration(*command, &cli, variables, &mut out);
        }
        _ => {}
    }
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return out.fail(Exit::Internal, &format!("cannot start: {error}")),
    };
    let local = LocalSet::new();
    let exit = local.block_on(&runtime, inside(cli, variables, &mut out));
    // A request that hangs must not keep the program from ending.
    runtime.shutdown_background();
    exit
}

fn wants_json(command: Option<&Command>) -> bool {
    match command {
        Some(Command::Status(args)) => args.json,
        Some(Command::Demo(args)) => args.json,
        Some(Command::Promote { verb, .. } | Command::Rollback { verb, .. }) => verb.target.json,
        Some(
            Command::Pause(verb)
            | Command::Resume(verb)
            | Command::Backout(verb)
            | Command::Abort(verb)
            | Command::Retry(verb)
            | Command::Restart(verb),
        ) => verb.target.json,
        Some(Command::History(target)) => target.json,
        Some(Command::Wait(args)) => args.target.json,
        Some(Command::Doctor { json } | Command::Inbox { json }) => *json,
        Some(Command::Approve(args) | Command::Reject(args)) => args.act.json,
        Some(Command::Silence(args)) => args.act.json,
        _ => false,
    }
}

async fn inside(cli: Cli, variables: Variables<'_>, out: &mut Out) -> Exit {
    if let Some(Command::Config(ConfigCommand::Init { print })) = &cli.command {
        return init::run(&cli.global, *print, variables, out).await;
    }
    if let Some(Command::Report(args)) = &cli.command {
        return interruptible(Box::pin(bundle::run(args, &cli.global, variables, out))).await;
    }
    if let Some(Command::Wall(args)) = &cli.command {
        let lookout = match Lookout::open(&cli.global.wanted(), variables) {
            Ok(lookout) => lookout,
            Err(Wrong(why)) => return out.fail(Exit::Usage, &why),
        };
        let letters = if args.ascii {
            Letters::Ascii
        } else {
            wall::letters_of(variables)
        };
        let options = wall_options(false, args.every, letters);
        let lookout = lookout.with_theme(cli.global.theme.as_deref());
        return told(wall::wall(lookout, options, variables).await, out);
    }
    if let Some(Command::Demo(args)) = &cli.command {
        return demo::run(args, &cli, variables, out).await;
    }
    let session = match Session::open(&cli.global.wanted(), variables) {
        Ok(session) => session.with_theme(cli.global.theme.as_deref()),
        Err(Wrong(why)) => return out.fail(Exit::Usage, &why),
    };
    let exit = match cli.command {
        None => {
            screen(
                &session,
                Options {
                    read_only: cli.global.read_only,
                    ..Options::default()
                },
                variables,
                out,
            )
            .await
        }
        Some(Command::Open { place }) => match place_of(&session, &place).await {
            Ok(id) => {
                let options = Options {
                    read_only: cli.global.read_only,
                    open: Some(id),
                    ..Options::default()
                };
                screen(&session, options, variables, out).await
            }
            Err((exit, why)) => out.fail(exit, &why),
        },
        Some(command) => {
            warn(&session, out);
            Box::pin(headless(&session, command, out)).await
        }
    };
    session.save();
    exit
}

/// What an earlier session left open is the first thing that is said.
fn warn(session: &Session, out: &mut Out) {
    for warning in &session.warnings {
        out.note(&format!("windlass: warning: {warning}"));
    }
    for intent in log::open_intents(&session.state_dir).unwrap_or_default() {
        out.note(&format!(
            "windlass: without an outcome since {}: {} ({})",
            intent.at,
            start::open_words(&intent),
            intent.id
        ));
    }
}

async fn headless(session: &Session, command: Command, out: &mut Out) -> Exit {
    let act = async |verb: Verb, to: Option<u64>, args: &VerbArgs, out: &mut Out| {
        verb::run(session, Asked { verb, to }, args, out).await
    };
    match command {
        Command::Status(args) => interruptible(status::run(session, &args, out)).await,
        Command::Promote { verb, full } => {
            act(
                if full {
                    Verb::PromoteFull
                } else {
                    Verb::Promote
                },
                None,
                &verb,
                out,
            )
            .await
        }
        Command::Pause(args) => act(Verb::Pause, None, &args, out).await,
        Command::Resume(args) => act(Verb::Resume, None, &args, out).await,
        Command::Backout(args) => act(Verb::BackOut, None, &args, out).await,
        Command::Abort(args) => act(Verb::Abort, None, &args, out).await,
        Command::Retry(args) => act(Verb::Retry, None, &args, out).await,
        Command::Rollback { verb, to } => act(Verb::Rollback, to, &verb, out).await,
        Command::Restart(args) => act(Verb::Restart, None, &args, out).await,
        Command::Inbox { .. } => interruptible(inbox::run(session, out)).await,
        Command::Approve(args) => decide::gate(session, Verb::Approve, &args, out).await,
        Command::Reject(args) => decide::gate(session, Verb::Reject, &args, out).await,
        Command::Silence(args) => decide::silence(session, &args, out).await,
        Command::History(args) => interruptible(history::run(session, &args, out)).await,
        Command::Wait(args) => interruptible(Box::pin(wait::run(session, &args, out))).await,
        Command::Doctor { .. } => interruptible(Box::pin(doctor::run(session, out))).await,
        // Handled before a session is opened.
        Command::Open { .. }
        | Command::Wall(_)
        | Command::Demo(_)
        | Command::Report(_)
        | Command::Audit(_)
        | Command::Config(_)
        | Command::Completions { .. }
        | Command::Man => Exit::Internal,
    }
}

/// A command that only reads ends at once on Ctrl-C.
async fn interruptible(work: impl Future<Output = Exit>) -> Exit {
    tokio::select! {
        exit = work => exit,
        _ = tokio::signal::ctrl_c() => Exit::Interrupted,
    }
}

pub(super) async fn screen(
    session: &Session,
    options: Options,
    variables: Variables<'_>,
    out: &mut Out,
) -> Exit {
    told(start::screen(session, options, variables).await, out)
}

pub(super) fn told(left: Result<Left, NoScreen>, out: &mut Out) -> Exit {
    match left {
        Ok(Left::Asked) => Exit::Done,
        Ok(Left::Vanished) => Exit::Interrupted,
        Err(why) => out.fail(Exit::Usage, &why.to_string()),
    }
}

pub(super) fn wall_options(
    demo: bool,
    every: std::time::Duration,
    letters: Letters,
) -> wall::Options {
    wall::Options {
        demo,
        every: every.try_into().unwrap_or(jiff::SignedDuration::MAX),
        letters,
    }
}

/// `ENV/NAMESPACE/SERVICE`, as links in runbooks have it.
async fn place_of(session: &Session, place: &str) -> Result<ReleaseId, (Exit, String)> {
    let usage = || {
        (
            Exit::Usage,
            format!(
                "{place:?}: a place is written ENV/NAMESPACE/SERVICE or ENV/NAMESPACE/KIND/SERVICE"
            ),
        )
    };
    let parts: Vec<&str> = place.split('/').collect();
    let (environment, service) = match parts.as_slice() {
        [environment, namespace, name] => (*environment, format!("{namespace}/{name}")),
        [environment, namespace, kind, name] if WorkloadKind::from_word(kind).is_some() => {
            (*environment, format!("{kind}/{namespace}/{name}"))
        }
        _ => return Err(usage()),
    };
    let wanted = Wanted::parse(&service, Some(environment)).map_err(|why| (Exit::Usage, why))?;
    let (_, release) = super::target::find(session, &wanted).await?;
    Ok(release.rollout.id.clone())
}

fn configuration(
    command: ConfigCommand,
    cli: &Cli,
    variables: Variables<'_>,
    out: &mut Out,
) -> Exit {
    match command {
        // Asks servers, and so is handled where those can be asked.
        ConfigCommand::Init { .. } => return Exit::Internal,
        ConfigCommand::Sample => out.line(config::sample().trim_end()),
        ConfigCommand::Schema => {
            out.line(&serde_json::to_string_pretty(&config::schema()).unwrap_or_default());
        }
        ConfigCommand::Path => match config::path(variables) {
            Some(path) => out.line(&path.display().to_string()),
            None => {
                return out.fail(
                    Exit::Usage,
                    "there is no place for a configuration: set WINDLASS_CONFIG, or HOME",
                );
            }
        },
        ConfigCommand::Check => match config::load(cli.global.config.as_deref(), variables) {
            Ok(loaded) => {
                for warning in &loaded.warnings {
                    out.note(&format!("warning: {warning}"));
                }
                match &loaded.path {
                    Some(path) => out.line(&format!(
                        "{}: good; {} environments",
                        path.display(),
                        loaded.config.environments.len()
                    )),
                    None => out.line("no configuration file: every key has its default"),
                }
            }
            Err(problems) => {
                out.note(&problems.to_string());
                return Exit::Usage;
            }
        },
    }
    Exit::Done
}

fn man(out: &mut Out) -> Exit {
    let mut page = Vec::new();
    match clap_mangen::Man::new(Cli::command()).render(&mut page) {
        Ok(()) => {
            out.line(String::from_utf8_lossy(&page).trim_end());
            Exit::Done
        }
        Err(error) => out.fail(Exit::Internal, &error.to_string()),
    }
}
