//! The thin binary: parses the command line, calls the library, maps the result to an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use windlass::cli::{args::Cli, exit::Exit, run};

fn main() -> ExitCode {
    let variables = |name: &str| std::env::var(name).ok();
    windlass::runtime::log::report_panics(&variables);
    // A wrong command line is exit code 2, help and version are 0: clap says it and knows.
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            // Nothing is left to say it to where the stream is closed.
            let _ = error.print();
            return exit.into();
        }
    };
    windlass::runtime::log::to_file(&variables);
    run(cli, &variables).into()
}
