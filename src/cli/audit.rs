//! `audit`: what was done, by this program on this machine, and whether its record is whole.

use std::{io::Write as _, path::Path};

use super::{args::AuditCommand, exit::Exit, out::Out, table::columns};
use crate::{
    model::text::sanitise_line,
    runtime::{
        audit::{self, Entry},
        audit_view::words,
        session::Variables,
    },
};

pub(super) fn run(command: &AuditCommand, variables: Variables<'_>, out: &mut Out) -> Exit {
    let dir = match audit::state_dir(variables) {
        Ok(dir) => dir,
        Err(error) => return out.fail(Exit::Usage, &error.to_string()),
    };
    if let AuditCommand::Verify = command {
        return verify(&dir, out);
    }
    let entries = match audit::read(&dir) {
        Ok(entries) => entries,
        Err(error) => return out.fail(Exit::Internal, &error.to_string()),
    };
    match command {
        AuditCommand::List { json: true } => lines(&entries, out),
        AuditCommand::List { json: false } => list(&entries, out),
        AuditCommand::Show { id } => {
            let of: Vec<Entry> = entries
                .into_iter()
                .filter(|entry| entry.intent == *id)
                .collect();
            if of.is_empty() {
                return out.fail(
                    Exit::NotFound,
                    &format!("no record of {}", &*sanitise_line(id, 100)),
                );
            }
            lines(&of, out)
        }
        AuditCommand::Export { csv, .. } => {
            let mut stdout = std::io::stdout().lock();
            let written = if *csv {
                audit::export_csv(&entries, &mut stdout)
            } else {
                audit::export_json(&entries, &mut stdout)
            };
            // A reader that has seen enough is no error.
            let _ = written.and_then(|()| stdout.flush());
            Exit::Done
        }
        AuditCommand::Verify => Exit::Done,
    }
}

fn lines(entries: &[Entry], out: &mut Out) -> Exit {
    for entry in entries {
        out.line(entry.line());
    }
    Exit::Done
}

fn list(entries: &[Entry], out: &mut Out) -> Exit {
    let mut rows = vec![["AT", "INTENT", "KIND", "WHAT"].map(str::to_owned)];
    rows.extend(entries.iter().map(|entry| {
        let broken = if entry.chained {
            ""
        } else {
            "(after a break of the chain) "
        };
        [
            entry.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            sanitise_line(&entry.intent, 64).to_string(),
            sanitise_line(&entry.kind, 16).to_string(),
            format!("{broken}{}", &*sanitise_line(&words(entry), 300)),
        ]
    }));
    out.line(&columns(&rows));
    Exit::Done
}

fn verify(dir: &Path, out: &mut Out) -> Exit {
    match audit::verify(dir) {
        Ok(verified) => {
            out.line(&format!(
                "{} records, chain whole, last hash {}",
                verified.records, verified.last_hash
            ));
            for torn in &verified.torn {
                out.line(&format!(
                    "line {}: {} bytes of an interrupted write, kept",
                    torn.line, torn.bytes
                ));
            }
            Exit::Done
        }
        Err(error) => {
            out.error(&error.to_string());
            Exit::Failed
        }
    }
}
