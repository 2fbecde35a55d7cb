//! `history`: revisions, and what differs from now.

use serde_json::{Value, json};

use super::{args::TargetArgs, exit::Exit, find::Wanted, out::Out, table::columns, target};
use crate::{
    model::{
        detail::{Difference, Revision},
        release::Version,
    },
    runtime::{clock::now, session::Session},
};

pub(super) async fn run(session: &Session, args: &TargetArgs, out: &mut Out) -> Exit {
    let wanted = match Wanted::parse(&args.service, args.env.as_deref()) {
        Ok(wanted) => wanted,
        Err(why) => return out.fail(Exit::Usage, &why),
    };
    let (ready, release) = match target::find(session, &wanted).await {
        Ok(found) => found,
        Err((exit, why)) => return out.fail(exit, &why),
    };
    let Ok(cluster) = &ready.cluster else {
        return out.fail(Exit::Unreachable, "its environment is not connected");
    };
    let revisions = match cluster.history(&release.rollout.id).await {
        Ok(revisions) => revisions,
        Err(why) => return out.fail(Exit::Unreachable, &why),
    };
    let object = json!({
        "schema": "windlass.history/1",
        "at": now(),
        "id": release.rollout.id,
        "revisions": revisions.iter().map(revision).collect::<Vec<_>>(),
    });
    out.result(&object, || text(&revisions));
    Exit::Done
}

fn revision(revision: &Revision) -> Value {
    json!({
        "number": revision.number,
        "hash": revision.hash,
        "images": revision.images,
        "commit": null,
        "change_cause": revision.change_cause,
        "created": revision.created,
        "stable": revision.is_stable,
        "current": revision.is_current,
        "available": revision.available,
        "differs": revision.differs.iter().map(Difference::words).collect::<Vec<_>>(),
    })
}

/// A table for people, newest first.
pub(super) fn text(revisions: &[Revision]) -> String {
    if revisions.is_empty() {
        return "no revision is kept".to_owned();
    }
    let mut rows = vec![
        [
            "REVISION",
            "VERSION",
            "HASH",
            "CREATED",
            "",
            "DIFFERS FROM NOW",
        ]
        .map(str::to_owned),
    ];
    rows.extend(revisions.iter().map(|revision| {
        let version = Version {
            revision: Some(revision.number),
            hash: revision.hash.clone(),
            images: revision.images.clone(),
        };
        let marks = match (revision.is_current, revision.is_stable) {
            (true, true) => "current, stable",
            (true, false) => "current",
            (false, true) => "stable",
            (false, false) => "",
        };
        [
            revision.number.to_string(),
            version.label().into_owned(),
            revision
                .hash
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            revision
                .created
                .map(|created| created.strftime("%Y-%m-%d %H:%M").to_string())
                .unwrap_or_default(),
            marks.to_owned(),
            revision
                .differs
                .iter()
                .map(Difference::words)
                .collect::<Vec<_>>()
                .join("; "),
        ]
    }));
    columns(&rows)
}
