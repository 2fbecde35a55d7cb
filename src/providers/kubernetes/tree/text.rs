//! The plugin's plain text of a tree, and of its `status` command.

use super::{Head, Image, Info, Row, Strategy, Tree};
use crate::providers::kubernetes::{
    status::{self, ReferencedWorkload},
    wire,
};

/// `kubectl argo rollouts get rollout NAME --no-color`, line by line, without trailing spaces.
pub fn lines(tree: &Tree) -> Vec<String> {
    let mut lines = head(&tree.head);
    lines.push(String::new());
    lines.extend(table(&tree.rows));
    lines
}

fn field(label: &str, value: impl std::fmt::Display) -> String {
    format!("{label:<17}{value}").trim_end().to_owned()
}

fn head(head: &Head) -> Vec<String> {
    let mut lines = vec![
        field("Name:", &head.name),
        field("Namespace:", &head.namespace),
        field(
            "Status:",
            format_args!("{} {}", head.icon.glyph(), head.status),
        ),
    ];
    if !head.message.is_empty() {
        lines.push(field("Message:", &head.message));
    }
    if let Some(rollout) = &head.rollout {
        match &rollout.strategy {
            Strategy::BlueGreen => lines.push(field("Strategy:", "BlueGreen")),
            Strategy::Unknown => lines.push(field("Strategy:", "")),
            Strategy::Canary {
                step,
                set_weight,
                actual_weight,
            } => {
                let step = step.map_or_else(String::new, |(index, of)| format!("{index}/{of}"));
                lines.push(field("Strategy:", "Canary"));
                lines.push(field("  Step:", step));
                lines.push(field("  SetWeight:", set_weight));
                lines.push(field("  ActualWeight:", actual_weight));
            }
        }
    }
    for (nth, image) in head.images.iter().enumerate() {
        lines.push(field(
            if nth == 0 { "Images:" } else { "" },
            image_words(image),
        ));
    }
    if let Some(rollout) = &head.rollout {
        lines.push("Replicas:".to_owned());
        lines.push(field("  Desired:", rollout.desired));
        lines.push(field("  Current:", rollout.current));
        lines.push(field("  Updated:", rollout.updated));
        lines.push(field("  Ready:", rollout.ready));
        lines.push(field("  Available:", rollout.available));
    }
    lines
}

fn image_words(image: &Image) -> String {
    if image.tags.is_empty() {
        return image.image.to_string();
    }
    let tags: Vec<&str> = image.tags.iter().map(|tag| &**tag).collect();
    format!("{} ({})", image.image, tags.join(", "))
}

fn table(rows: &[Row]) -> Vec<String> {
    let cells: Vec<[String; 5]> =
        std::iter::once(["NAME", "KIND", "STATUS", "AGE", "INFO"].map(str::to_owned))
            .chain(rows.iter().map(cells))
            .collect();
    // Go's tabwriter counts characters, whatever their width on a screen.
    let width = |column: fn(&[String; 5]) -> &String| {
        let widest = cells.iter().map(|row| column(row).chars().count()).max();
        widest.unwrap_or(0) + 2
    };
    let (name_width, kind_width, status_width, age_width) = (
        width(|r| &r[0]),
        width(|r| &r[1]),
        width(|r| &r[2]),
        width(|r| &r[3]),
    );
    cells
        .iter()
        .map(|[name, kind, status, age, info]| {
            format!(
                "{name:<name_width$}{kind:<kind_width$}{status:<status_width$}{age:<age_width$}{info}"
            )
            .trim_end()
            .to_owned()
        })
        .collect()
}

fn cells(row: &Row) -> [String; 5] {
    let (status, age) = match &row.state {
        Some(state) => (
            format!("{} {}", state.icon.glyph(), state.words),
            state.age.clone(),
        ),
        None => (String::new(), String::new()),
    };
    let info: Vec<String> = row.info.iter().map(info_words).collect();
    [
        format!("{}{} {}", row.prefix, row.kind.glyph(), row.name),
        row.kind.word().to_owned(),
        status,
        age,
        info.join(","),
    ]
}

fn info_words(info: &Info) -> String {
    match info {
        Info::Role(role) => role.word().to_owned(),
        Info::Delay(delay) => format!("delay:{delay}"),
        Info::Ready { ready, of } => format!("ready:{ready}/{of}"),
        Info::Restarts(restarts) => format!("restarts:{restarts}"),
        Info::Count(icon, count) => format!("{} {count}", icon.glyph()),
    }
}

/// What `kubectl argo rollouts status NAME --watch=false` writes, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusCommand {
    pub stdout: String,
    pub stderr: String,
    pub exit_code: i32,
}

pub fn status_command(object: &wire::Rollout) -> StatusCommand {
    let said = status::rollout_phase(object, ReferencedWorkload::NotAsked);
    let (phase, message) = (&said.phase, &said.message);
    let stdout = match &**phase {
        "Healthy" | "Degraded" => format!("{phase}\n"),
        _ => format!("{phase} - {message}\n"),
    };
    let degraded = phase == "Degraded";
    StatusCommand {
        stdout,
        stderr: if degraded {
            format!("Error: The rollout is in a degraded state with message: {message}\n")
        } else {
            String::new()
        },
        exit_code: i32::from(degraded),
    }
}
