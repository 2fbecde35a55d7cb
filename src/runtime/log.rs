//! Diagnostics: a log file where one is asked for, and panics that are readable after the terminal was given back. Nothing
//! of either ever reaches the screen.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, sync::Mutex};

use tracing_subscriber::EnvFilter;

use super::{session::Variables, terminal};

/// Logs into the file that `WINDLASS_LOG` names, at the level of `WINDLASS_LOG_LEVEL` (default `windlass=info`).
/// Secrets never get here: no request, header or value of a variable is ever logged.
pub fn to_file(variables: Variables<'_>) {
    let Some(path) = variables("WINDLASS_LOG").filter(|path| !path.is_empty()) else {
        return;
    };
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path);
    let Ok(file) = file else { return };
    let filter = variables("WINDLASS_LOG_LEVEL").unwrap_or_else(|| "windlass=info".to_owned());
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new("windlass=info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .finish();
    // A second one can only be a test's.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The terminal is given back before a panic is told, or its text would be lost with the alternate screen.
pub fn report_panics(variables: Variables<'_>) {
    let coloured = variables("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder = color_eyre::config::HookBuilder::default();
    let builder = if coloured {
        builder
    } else {
        builder.theme(color_eyre::config::Theme::new())
    };
    // It fails only where another hook was installed before.
    let _ = builder.install();
    terminal::restore_on_panic();
}
