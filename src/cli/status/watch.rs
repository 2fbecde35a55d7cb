//! `status --watch`: the picture again, each time that something in it changed. Owns what counts as a change: another age
//! of the same facts does not.

use std::time::Duration;

use tokio::{sync::mpsc, time::Instant};

use super::picture::Picture;
use crate::{
    app::msg::Msg,
    cli::{beside::Sources, out::Out},
    model::event::{Fact, Told},
};

/// Changes that come together are printed together.
const SETTLE: Duration = Duration::from_millis(100);

pub(super) async fn watch(
    picture: &mut Picture,
    messages: &mut mpsc::Receiver<Msg>,
    mut sources: Option<Sources>,
    out: &mut Out,
    mut print: impl FnMut(&Picture, &mut Out),
) {
    while let Some(message) = next(messages, &mut sources).await {
        let mut changed = took(picture, &message);
        let until = Instant::now() + SETTLE;
        while let Ok(Some(message)) =
            tokio::time::timeout_at(until, next(messages, &mut sources)).await
        {
            changed |= took(picture, &message);
        }
        if picture.beside.needs_joins() {
            picture.join();
        }
        if let Some(sources) = &sources {
            sources.want(&mut picture.beside, &picture.releases);
        }
        if changed {
            print(picture, out);
        }
        if out.is_closed() {
            return;
        }
    }
}

/// What comes next, of the clusters or of what is beside them. `None`: no cluster will tell anything more.
async fn next(messages: &mut mpsc::Receiver<Msg>, sources: &mut Option<Sources>) -> Option<Msg> {
    loop {
        let Some(beside) = sources else {
            return messages.recv().await;
        };
        tokio::select! {
            message = messages.recv() => return message,
            message = beside.next() => match message {
                Some(message) => return Some(message),
                None => *sources = None,
            },
        }
    }
}

fn took(picture: &mut Picture, message: &Msg) -> bool {
    if let Msg::Beside(tidings) = message {
        // Another age of the same facts is no change; other metrics are, where they were asked for.
        return tidings.iter().fold(false, |changed, tidings| {
            let metrics = matches!(tidings.fact, Told::Metrics(_));
            let news = picture.beside.told(tidings.clone());
            changed | news.weighed | metrics
        });
    }
    let Msg::Source(events) = message else {
        return false;
    };
    let mut changed = false;
    for event in events {
        let health = matches!(&event.fact, Fact::Health(health) if picture.health.get(&event.environment).is_none_or(|old| old.state != health.state));
        let moved = picture.take(event);
        if moved {
            picture.beside.joins_are_stale();
        }
        changed |= moved | health;
    }
    changed
}
