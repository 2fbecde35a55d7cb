//! Alerts that a real Prometheus fires and a real Alertmanager inhibits, and a silence from its making to its end.

use jiff::{SignedDuration, Timestamp};
use windlass::{
    model::{
        incident::{Alert, AlertState, IncidentFacts, Matcher, SilenceId, SilenceState},
        offered::offered,
        source::SourceState,
    },
    providers::alertmanager::{
        read::{expire, silence, silences_and_alerts},
        requests::{Sent, SilenceDraft},
    },
};

use super::programs::{
    Exporter, are_installed, start_alertmanager, start_prometheus, to_alertmanager, until,
};

fn alert<'a>(facts: &'a IncidentFacts, name: &str) -> Result<&'a Alert, String> {
    let found = facts.alerts.iter().find(|alert| alert.name() == name);
    found
        .map(|alert| &**alert)
        .ok_or_else(|| format!("no {name}"))
}

fn draft(matchers: Vec<Matcher>, from: Timestamp, to: Timestamp) -> SilenceDraft {
    SilenceDraft {
        matchers,
        starts_at: from,
        ends_at: to,
        created_by: "ann".to_owned(),
        comment: "backing out".to_owned(),
    }
}

/// The matchers that are on to begin with.
fn lasting(alert: &Alert) -> Vec<Matcher> {
    let offered = offered(alert).unwrap();
    let on = offered.into_iter().filter(|one| one.on);
    let matchers: Vec<Matcher> = on.map(|one| one.matcher).collect();
    let names: Vec<&str> = matchers.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        ["alertname", "service", "namespace", "cluster", "severity"]
    );
    matchers
}

#[tokio::test]
async fn an_alert_fires_is_silenced_by_our_request_and_fires_again_when_that_has_ended() {
    if !are_installed() {
        return;
    }
    let exporter = Exporter::start();
    exporter.add("shop", &[("service", "checkout"), ("namespace", "shop")]);
    exporter.set("shop", Some("broken 1\n".to_owned()));
    let manager = start_alertmanager();
    let _prometheus = start_prometheus(&exporter, Some(manager.port));
    let server = to_alertmanager(&manager);
    let read = || async {
        silences_and_alerts(&server)
            .await
            .map_err(|trouble| trouble.sentence().to_string())
    };
    let firing = until("it fires, and what it inhibits does not", || async {
        let facts = read().await?;
        let (errors, slow) = (
            alert(&facts, "CheckoutErrors")?,
            alert(&facts, "CheckoutSlow")?,
        );
        let watched = alert(&facts, "Watchdog")?.is_firing();
        match (&errors.state, &slow.state, watched) {
            (AlertState::Firing, AlertState::Suppressed, true) => Ok(facts),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let errors = alert(&firing, "CheckoutErrors").unwrap();
    let slow = alert(&firing, "CheckoutSlow").unwrap();
    assert_eq!(slow.inhibited_by, std::slice::from_ref(&errors.fingerprint));
    assert_eq!(errors.title(), "checkout fails");
    assert_eq!(errors.receivers, ["nobody"]);
    assert!(errors.starts_at.is_some_and(|at| at <= Timestamp::now()));
    assert!(
        firing
            .alerts
            .iter()
            .any(|alert| alert.is_heartbeat() && alert.is_firing())
    );
    assert_eq!(
        firing.alerts[0].fingerprint, errors.fingerprint,
        "what hurts most comes first"
    );

    let matchers = lasting(errors);
    let now = Timestamp::now();
    let an_hour = draft(matchers.clone(), now, now + SignedDuration::from_hours(1));
    let Sent::Taken(id) = silence(&server, &an_hour).await else {
        panic!("the silence was not taken")
    };
    let silenced = until("it is silenced", || async {
        let facts = read().await?;
        let errors = alert(&facts, "CheckoutErrors")?;
        match (&errors.state, errors.silenced_by == [id.clone()]) {
            (AlertState::Suppressed, true) => Ok(facts),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let made = silenced.silences.iter().find(|one| one.id == id).unwrap();
    assert_eq!(made.state, SilenceState::Active);
    assert_eq!(
        (made.created_by.as_str(), made.comment.as_str()),
        ("ann", "backing out")
    );
    assert_eq!(made.matchers.len(), matchers.len());
    assert!(
        matchers
            .iter()
            .all(|matcher| made.matchers.contains(matcher))
    );

    assert_eq!(expire(&server, &id).await, Sent::Taken(id.clone()));
    let again = until("it fires again", || async {
        let facts = read().await?;
        match alert(&facts, "CheckoutErrors")?.is_firing() {
            true => Ok(facts),
            false => Err("still suppressed".to_owned()),
        }
    })
    .await;
    let ended = again.silences.iter().find(|one| one.id == id).unwrap();
    assert_eq!(ended.state, SilenceState::Expired);
    assert_eq!(
        expire(&server, &id).await,
        Sent::Taken(id),
        "it has ended already"
    );

    // What no longer fires is gone from the list.
    exporter.set("shop", Some("broken 0\n".to_owned()));
    until("it is resolved", || async {
        match alert(&read().await?, "CheckoutErrors") {
            Err(_) => Ok(()),
            Ok(alert) => Err(format!("{:?}", alert.state)),
        }
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_own_words_and_one_that_is_down_got_nothing() {
    if !are_installed() {
        return;
    }
    let mut manager = start_alertmanager();
    let server = to_alertmanager(&manager);
    until("Alertmanager", || async {
        let read = silences_and_alerts(&server).await;
        read.map_err(|trouble| trouble.sentence().to_string())
    })
    .await;
    let now = Timestamp::now();
    let matchers = vec![Matcher::equal("alertname", "CheckoutErrors")];
    let unknown = SilenceId("00000000-0000-4000-8000-000000000000".into());
    assert!(matches!(expire(&server, &unknown).await, Sent::Rejected(_)));
    let an_hour_ago = now - SignedDuration::from_hours(1);
    let over = draft(
        matchers.clone(),
        an_hour_ago - SignedDuration::from_hours(1),
        an_hour_ago,
    );
    let Sent::Rejected(why) = silence(&server, &over).await else {
        panic!("a silence of the past was taken")
    };
    assert!(why.contains("past"), "{why}");

    let bad = Matcher {
        is_regex: true,
        ..Matcher::equal("alertname", "(")
    };
    let an_hour = now + SignedDuration::from_hours(1);
    let Sent::Rejected(why) = silence(&server, &draft(vec![bad], now, an_hour)).await else {
        panic!("a broken expression was taken")
    };
    assert!(why.contains("regular expression"), "{why}");

    manager.end();
    assert!(matches!(
        silence(&server, &draft(matchers, now, an_hour)).await,
        Sent::NotSent(_)
    ));
    let trouble = silences_and_alerts(&server).await.unwrap_err();
    assert_eq!(trouble.state(), SourceState::Unreachable);
}
