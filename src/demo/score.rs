//! How well an incident was handled: when it was noticed, when something was done about it, when it was over, and what
//! was done that helped nobody. Worked out afterwards from the requests that arrived and from who served what, both on
//! the world's clock.
//!
//! Pure. Must never judge by the way a request was made: whatever program sent it, the same request counts the same.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::clock::Moment;
use super::requests::Request;

/// More than this share of a service's requests failing is more than usual.
pub(super) const HURTS: f64 = 0.006;

/// What a scenario makes a game of: whose new version is to be found, and how soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Game {
    pub(super) namespace: String,
    pub(super) culprit: String,
    pub(super) notice: Duration,
    pub(super) act: Duration,
    pub(super) over: Duration,
}

/// How long something took since it began to hurt, and how long it may take. Seconds of the world's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// None: it never came to that.
    #[serde(rename = "after_seconds")]
    pub after: Option<u64>,
    #[serde(rename = "target_seconds")]
    pub target: u64,
}

impl Mark {
    fn new(began: Option<Moment>, reached: Option<Moment>, target: Duration) -> Self {
        let after = began.zip(reached).map(|(began, reached)| {
            let micros = reached.micros().saturating_sub(began.micros()).max(0);
            u64::try_from(micros / 1_000_000).unwrap_or(0)
        });
        Self {
            after,
            target: target.as_secs(),
        }
    }

    /// Whether it was soon enough.
    pub fn kept(self) -> bool {
        self.after.is_some_and(|after| after <= self.target)
    }
}

/// How a game went so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// `shop/payments`
    pub culprit: String,
    /// Seconds after the opening; None: it has not begun to hurt.
    #[serde(rename = "began_seconds")]
    pub began: Option<u64>,
    /// The culprit's pods or the object itself were read.
    pub noticed: Mark,
    /// A request was taken that stops the harm: an abort, or another version.
    pub acted: Mark,
    /// Its requests fail no more often than usual.
    pub over: Mark,
    /// Requests that were taken and changed something else, or let the culprit go on: `PATCH` and the object.
    pub wrong: Vec<String>,
}

/// From then on, until the next one, so much of the culprit's requests failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Harm {
    pub(super) from: Moment,
    pub(super) failed: f64,
}

pub(super) fn score(game: &Game, harm: &[Harm], arrived: &[(Moment, Request)]) -> Score {
    let (began, over) = hurting(harm);
    let since = |at: Moment| began.is_some_and(|began| began <= at);
    let (mut noticed, mut acted, mut wrong) = (None, None, Vec::new());
    let mut replaced = false;
    for (at, request) in arrived {
        let Some(deed) = deed(game, request) else {
            continue;
        };
        match deed {
            Deed::Reads if since(*at) => noticed = noticed.or(Some(*at)),
            Deed::Stops { by_version } => {
                replaced |= by_version;
                if since(*at) {
                    noticed = noticed.or(Some(*at));
                    acted = acted.or(Some(*at));
                }
            }
            // Another version is on its way already: going on with that one is how it is put back.
            Deed::GoesOn if replaced => {}
            Deed::GoesOn | Deed::Elsewhere => wrong.push(told(request)),
            Deed::Reads | Deed::Neutral => {}
        }
    }
    Score {
        culprit: format!("{}/{}", game.namespace, game.culprit),
        began: began.map(|began| began.since_opening().as_secs()),
        noticed: Mark::new(began, noticed, game.notice),
        acted: Mark::new(began, acted, game.act),
        over: Mark::new(began, over, game.over),
        wrong,
    }
}

/// When it began after the opening, and since when it is over.
fn hurting(harm: &[Harm]) -> (Option<Moment>, Option<Moment>) {
    let ends = |nth: usize| harm.get(nth + 1).map(|next| next.from);
    let mut hurts = harm.iter().enumerate().filter(|(nth, harm)| {
        harm.failed > HURTS && ends(*nth).is_none_or(|end| end > Moment::OPENING)
    });
    let Some((first, began)) = hurts.next() else {
        return (None, None);
    };
    let last = hurts.next_back().map_or(first, |(nth, _)| nth);
    (Some(began.from.max(Moment::OPENING)), ends(last))
}

/// What a request means for the game.
enum Deed {
    /// Looks at the culprit.
    Reads,
    Stops {
        by_version: bool,
    },
    /// Lets the culprit's version have more, or begin again.
    GoesOn,
    Elsewhere,
    Neutral,
}

/// None: it means nothing, or was not taken.
fn deed(game: &Game, request: &Request) -> Option<Deed> {
    if !request
        .status
        .is_some_and(|status| (200..300).contains(&status))
    {
        return None;
    }
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match request.server {
        "kubernetes" => kubernetes(game, request, &parts, query),
        "github" if request.is_write() => Some(github(game, request, &parts)),
        "alertmanager" if request.is_write() => {
            let about = request.body.as_ref().map(Value::to_string);
            let own = format!("\"{}\"", game.culprit);
            Some(if about.is_some_and(|about| about.contains(&own)) {
                Deed::Neutral
            } else {
                Deed::Elsewhere
            })
        }
        _ => None,
    }
}

fn kubernetes(game: &Game, request: &Request, parts: &[&str], query: &str) -> Option<Deed> {
    let place = parts.iter().position(|part| *part == "namespaces")?;
    let (namespace, kind) = (*parts.get(place + 1)?, *parts.get(place + 2)?);
    let name = parts.get(place + 3).copied();
    let own = namespace == game.namespace && name == Some(&game.culprit);
    if !request.is_write() {
        let labelled = [
            format!("app%3D{}", game.culprit),
            format!("app={}", game.culprit),
        ];
        let pods = namespace == game.namespace
            && kind == "pods"
            && query.split('&').any(|pair| {
                pair.strip_prefix("labelSelector=")
                    .is_some_and(|label| labelled.iter().any(|own| own == label))
            });
        return (own || pods).then_some(Deed::Reads);
    }
    // A note on an object changes nothing, and neither does a question.
    if kind == "events" || query.contains("dryRun=") {
        return None;
    }
    Some(if own {
        of_culprit(request.body.as_ref())
    } else {
        Deed::Elsewhere
    })
}

fn of_culprit(body: Option<&Value>) -> Deed {
    let Some(body) = body else {
        return Deed::Neutral;
    };
    let operations = body.as_array().into_iter().flatten();
    let replaces = |path: &str| {
        operations
            .clone()
            .filter_map(|operation| operation.get("path")?.as_str())
            .any(|changed| changed.starts_with(path))
    };
    // A restart changes only a note on the template.
    if body.pointer("/spec/template/spec").is_some() || replaces("/spec/template") {
        return Deed::Stops { by_version: true };
    }
    let status = body.get("status");
    let says = |name: &str| status.and_then(|status| status.get(name));
    match says("abort") {
        Some(Value::Bool(true)) => return Deed::Stops { by_version: false },
        Some(_) => return Deed::GoesOn,
        None => {}
    }
    let resumes = body.pointer("/spec/paused") == Some(&Value::Bool(false));
    let goes_on = ["promoteFull", "pauseConditions", "currentStepIndex"];
    if resumes || goes_on.iter().any(|name| says(name).is_some()) {
        Deed::GoesOn
    } else {
        Deed::Neutral
    }
}

fn github(game: &Game, request: &Request, parts: &[&str]) -> Deed {
    if parts.get(2) != Some(&game.culprit.as_str()) {
        return Deed::Elsewhere;
    }
    let state = request.body.as_ref().and_then(|body| body.get("state"));
    match state.and_then(Value::as_str) {
        Some("approved") => Deed::GoesOn,
        _ => Deed::Neutral,
    }
}

/// `PATCH shop/rollouts/checkout`
fn told(request: &Request) -> String {
    let path = request.path.split('?').next().unwrap_or_default();
    let short = path
        .split_once("/namespaces/")
        .map_or(path, |(_, below)| below);
    format!("{} {}", request.method, short.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_micros(seconds * 1_000_000)
    }

    fn game() -> Game {
        Game {
            namespace: "shop".to_owned(),
            culprit: "payments".to_owned(),
            notice: Duration::from_secs(60),
            act: Duration::from_secs(120),
            over: Duration::from_secs(180),
        }
    }

    fn request(server: &'static str, method: &str, path: &str, body: Value) -> Request {
        Request {
            server,
            at: jiff::Timestamp::UNIX_EPOCH,
            method: method.to_owned(),
            path: path.to_owned(),
            content_type: None,
            body: Some(body),
            status: Some(200),
        }
    }

    fn patch(name: &str, body: Value) -> Request {
        let path = format!("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/{name}/status?x=1");
        request("kubernetes", "PATCH", &path, body)
    }

    fn pods(name: &str) -> Request {
        let path = format!("/api/v1/namespaces/shop/pods?labelSelector=app%3D{name}&watch=1");
        request("kubernetes", "GET", &path, Value::Null)
    }

    fn abort() -> Value {
        json!({"status": {"abort": true}})
    }

    /// It hurts from the hundredth second to the three hundredth.
    fn harm() -> Vec<Harm> {
        [(-500, 0.003), (100, 0.03), (150, 0.09), (300, 0.003)]
            .map(|(from, failed)| Harm {
                from: at(from),
                failed,
            })
            .to_vec()
    }

    #[test]
    fn everything_counts_from_when_it_began_to_hurt() {
        let arrived = [
            (at(20), pods("payments")),
            (at(110), pods("checkout")),
            (at(140), pods("payments")),
            (at(250), patch("payments", abort())),
        ];
        let score = score(&game(), &harm(), &arrived);
        assert_eq!(score.began, Some(100));
        assert_eq!(score.noticed.after, Some(40));
        assert!(score.noticed.kept());
        assert_eq!(score.acted.after, Some(150));
        assert!(!score.acted.kept(), "150 of 120 seconds");
        assert_eq!(score.over.after, Some(200));
        assert_eq!(score.wrong, [""; 0]);
    }

    #[test]
    fn what_does_not_stop_it_is_no_act_and_who_acts_has_noticed() {
        let refused = Request {
            status: Some(409),
            ..patch("payments", abort())
        };
        let tried = patch("payments", abort());
        let tried = Request {
            path: format!("{}&dryRun=All", tried.path),
            ..tried
        };
        let arrived = [
            (at(120), refused),
            (at(130), tried),
            (
                at(135),
                patch("payments", json!({"spec": {"paused": true}})),
            ),
            (
                at(160),
                patch(
                    "payments",
                    json!([{"op": "replace", "path": "/spec/template"}]),
                ),
            ),
        ];
        let score = score(&game(), &harm(), &arrived);
        assert_eq!(score.acted.after, Some(60));
        assert_eq!(score.noticed.after, Some(60));
        assert_eq!(score.wrong, [""; 0]);
    }

    #[test]
    fn a_change_elsewhere_and_a_promotion_of_the_culprit_are_wrong() {
        let promotes = json!({"status": {"pauseConditions": null}});
        let silence = |of: &str| json!({"matchers": [{"name": "service", "value": of}]});
        let silences = "/api/v2/silences";
        let approves = |name: &str| {
            let path = format!("/repos/acme/{name}/actions/runs/1/pending_deployments");
            request("github", "POST", &path, json!({"state": "approved"}))
        };
        let note = "/api/v1/namespaces/shop/events";
        let arrived = [
            (at(10), approves("cart")),
            (at(20), patch("payments", promotes.clone())),
            (at(110), patch("checkout", abort())),
            (at(111), request("kubernetes", "POST", note, json!({}))),
            (
                at(112),
                request("alertmanager", "POST", silences, silence("payments")),
            ),
            (
                at(113),
                request("alertmanager", "POST", silences, silence("checkout")),
            ),
            (
                at(114),
                request("prometheus", "POST", "/api/v1/query", json!("query=up")),
            ),
        ];
        let score = score(&game(), &harm(), &arrived);
        assert_eq!(
            score.wrong,
            [
                "POST repos/acme/cart/actions/runs/1/pending_deployments",
                "PATCH shop/rollouts/payments/status",
                "PATCH shop/rollouts/checkout/status",
                "POST api/v2/silences",
            ]
        );
        assert_eq!(score.acted.after, None);
    }

    #[test]
    fn a_promotion_after_another_version_was_put_in_is_how_it_is_put_back() {
        let full = json!({"status": {"promoteFull": true}});
        let template = json!({"spec": {"template": {"spec": {}}}});
        let arrived = [
            (at(120), patch("payments", template)),
            (at(121), patch("payments", full.clone())),
        ];
        assert!(score(&game(), &harm(), &arrived).wrong.is_empty());
        let arrived = [
            (at(120), patch("payments", abort())),
            (at(121), patch("payments", full)),
        ];
        assert_eq!(score(&game(), &harm(), &arrived).wrong.len(), 1);
    }

    #[test]
    fn what_never_hurt_or_still_hurts_is_said_so() {
        let never = score(&game(), &harm()[..1], &[(at(5), pods("payments"))]);
        assert_eq!((never.began, never.noticed.after), (None, None));
        let still = score(&game(), &harm()[..3], &[]);
        assert_eq!((still.began, still.over.after), (Some(100), None));
        let past = [(-500, 0.5), (-100, 0.0)].map(|(from, failed)| Harm {
            from: at(from),
            failed,
        });
        assert_eq!(
            score(&game(), &past, &[]).began,
            None,
            "over before it opened"
        );
        let before = score(&game(), &past[..1], &[]);
        assert_eq!(before.began, Some(0), "it hurt when the world opened");
    }
}
