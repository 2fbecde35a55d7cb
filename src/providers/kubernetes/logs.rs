//! The lines of one container as they come. Everything is sanitised, colours included: a log is text that anybody may
//! have written. Ends when dropped.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{
    client::{ApiPath, Client},
    error::Error,
};
use crate::model::{
    id::Namespace,
    text::{Safe, sanitise_line},
};

/// A line longer than this goes on in the next one.
const LINE_MAX: usize = 16 << 10;
/// Lines handed over at once.
const BATCH: usize = 256;

/// What came of following.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogFact {
    Lines(Vec<Safe>),
    /// The container has ended (or its node's log has turned): no more will come.
    Ended,
    Failed(Error),
}

/// Whose lines, and how many old ones first.
#[derive(Clone, Debug)]
pub struct Follow {
    pub namespace: Namespace,
    pub pod: String,
    pub container: String,
    pub tail: u32,
}

/// Follows until the container ends, something fails, or nobody listens. The last fact says which.
pub async fn follow(client: &Client, what: &Follow, sender: mpsc::Sender<LogFact>) {
    let last = match read(client, what, &sender).await {
        Ok(Some(())) => LogFact::Ended,
        Ok(None) => return,
        Err(error) => LogFact::Failed(error),
    };
    // Nobody to tell is the same as being told to stop.
    let _ = sender.send(last).await;
}

/// `None`: nobody listens any more.
async fn read(
    client: &Client,
    what: &Follow,
    sender: &mpsc::Sender<LogFact>,
) -> Result<Option<()>, Error> {
    let namespace = what.namespace.as_str();
    let path = ApiPath::new(&[
        "api",
        "v1",
        "namespaces",
        namespace,
        "pods",
        &what.pod,
        "log",
    ])
    .query("follow", "true")
    .query("container", &what.container)
    .query("tailLines", &what.tail.to_string());
    let mut lines = client.lines(&path).await?.of_text(LINE_MAX);
    let mut batch = Vec::new();
    loop {
        let next = if let Some(next) = lines.ready() {
            next
        } else {
            if hand_over(&mut batch, sender).await.is_none() {
                return Ok(None);
            }
            tokio::select! {
                next = lines.next() => next,
                () = sender.closed() => return Ok(None),
            }
        };
        match next {
            Ok(Some(line)) => batch.push(shown(&line)),
            Ok(None) => return Ok(hand_over(&mut batch, sender).await),
            Err(error) => {
                batch.extend(lines.remainder().map(|rest| shown(&rest)));
                if hand_over(&mut batch, sender).await.is_none() {
                    return Ok(None);
                }
                return Err(error);
            }
        }
        if batch.len() >= BATCH && hand_over(&mut batch, sender).await.is_none() {
            return Ok(None);
        }
    }
}

async fn hand_over(batch: &mut Vec<Safe>, sender: &mpsc::Sender<LogFact>) -> Option<()> {
    if batch.is_empty() {
        return Some(());
    }
    sender
        .send(LogFact::Lines(std::mem::take(batch)))
        .await
        .ok()
}

fn shown(line: &Bytes) -> Safe {
    sanitise_line(&String::from_utf8_lossy(line), LINE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kubernetes::fake::{Answer, Fake};

    async fn followed(answer: fn() -> Answer) -> (Vec<LogFact>, Vec<String>) {
        let fake = Fake::start(move |_| answer()).await;
        let client = fake.client();
        let (sender, mut receiver) = mpsc::channel(8);
        let what = Follow {
            namespace: Namespace::new("shop"),
            pod: "a/b".to_owned(),
            container: "app".to_owned(),
            tail: 100,
        };
        follow(&client, &what, sender).await;
        let mut facts = Vec::new();
        while let Some(fact) = receiver.recv().await {
            facts.push(fact);
        }
        (facts, fake.requests())
    }

    fn lines(facts: &[LogFact]) -> Vec<String> {
        let text = facts.iter().filter_map(|fact| match fact {
            LogFact::Lines(lines) => Some(lines.iter().map(ToString::to_string)),
            _ => None,
        });
        text.flatten().collect()
    }

    #[tokio::test]
    async fn lines_come_clean_and_the_end_is_told() {
        let (facts, requests) =
            followed(|| Answer::text(200, "one\n\u{1b}[31mred\u{1b}[0m \u{202e}x\nlast")).await;
        assert_eq!(lines(&facts), ["one", "red x", "last"]);
        assert_eq!(facts.last(), Some(&LogFact::Ended));
        assert_eq!(
            requests,
            ["GET /api/v1/namespaces/shop/pods/a%2Fb/log?follow=true&container=app&tailLines=100"]
        );
    }

    #[tokio::test]
    async fn a_long_line_is_cut_and_a_broken_stream_keeps_what_came() {
        let (facts, _) = followed(|| Answer::text(200, &"x".repeat(LINE_MAX + 5))).await;
        assert_eq!(
            lines(&facts).iter().map(String::len).collect::<Vec<_>>(),
            [LINE_MAX, 5]
        );
        let (facts, _) = followed(|| Answer::cut(&["whole".to_owned()], "half")).await;
        assert_eq!(lines(&facts), ["whole", "half"]);
        assert!(matches!(
            facts.last(),
            Some(LogFact::Failed(Error::Lost { .. }))
        ));
    }

    #[tokio::test]
    async fn a_refusal_is_told_as_what_it_is() {
        let (facts, _) = followed(|| Answer::text(404, "pods \"a\" not found")).await;
        assert!(matches!(
            facts.as_slice(),
            [LogFact::Failed(Error::NotFound(_))]
        ));
    }
}
