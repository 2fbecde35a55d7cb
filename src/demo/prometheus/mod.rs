//! Prometheus' HTTP API over the traffic of the world.
//!
//! Shapes and refusals were recorded from Prometheus 3.5.3. It answers a small part of `PromQL` exactly, and refuses the
//! rest by name: a wrong number would be worse than none. Must never keep samples: each is worked out when asked for.

mod about;
mod eval;
mod query;
mod series;
mod token;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use self::eval::{Grid, Prepared, Result as Evaluated};
use super::api::Api;
use super::fault::{Server, What};
use super::front::{self, Asked, Reply, form};
use super::server::Cut;

/// A range may have so many steps.
const MOST_STEPS: i64 = 11_000;

#[derive(Debug)]
pub(super) struct Prometheus {
    api: Arc<Api>,
    started: Timestamp,
}

/// What a refusal is called, and its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    BadData,
    Execution,
    Internal,
}

#[derive(Debug, PartialEq)]
struct Refused(Kind, String);

fn bad_data(message: impl Into<String>) -> Refused {
    Refused(Kind::BadData, message.into())
}

impl From<Refused> for Reply {
    fn from(Refused(kind, message): Refused) -> Self {
        let (status, word) = match kind {
            Kind::BadData => (400, "bad_data"),
            Kind::Execution => (422, "execution"),
            Kind::Internal => (500, "internal"),
        };
        json_reply(
            status,
            &json!({"status": "error", "errorType": word, "error": message}),
        )
    }
}

fn json_reply(status: u16, value: &Value) -> Reply {
    Reply::new(status, "application/json", value.to_string()).with("vary", "Origin")
}

fn success(data: &Value) -> Reply {
    json_reply(200, &json!({"status": "success", "data": data}))
}

/// Where the parameters are: in the path, and in a posted form.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn of(asked: &Asked) -> Result<Self, Refused> {
        let mut pairs = asked.pairs.clone();
        let posts_form =
            asked.content_type().as_deref() == Some("application/x-www-form-urlencoded");
        if asked.method == Method::POST && posts_form {
            let posted = form(&asked.body)
                .ok_or_else(|| bad_data("error parsing form values: invalid URL escape"))?;
            // What is in the body comes first.
            pairs.splice(0..0, posted);
        }
        Ok(Self(pairs))
    }

    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.0.iter().filter(move |(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// In milliseconds.
    fn time(&self, name: &str, usual: Option<i64>) -> Result<i64, Refused> {
        let text = self.get(name);
        if let (true, Some(usual)) = (text.is_empty(), usual) {
            return Ok(usual);
        }
        let seconds = text
            .parse::<f64>()
            .ok()
            .filter(|seconds| seconds.is_finite());
        let stamp = || {
            text.parse::<Timestamp>()
                .ok()
                .map(Timestamp::as_millisecond)
        };
        seconds.map(millis).or_else(stamp).ok_or_else(|| {
            let why = if name == "time" {
                format!("invalid time value for '{name}': ")
            } else {
                String::new()
            };
            bad_data(format!(
                "invalid parameter \"{name}\": {why}cannot parse \"{text}\" to a valid timestamp"
            ))
        })
    }
}

/// Whole milliseconds; beyond what a time can be, the ends of time.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast to an integer saturates"
)]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

impl Prometheus {
    pub(super) fn new(api: Arc<Api>) -> Self {
        let started = api.time.now();
        Self { api, started }
    }

    fn answer(&self, asked: &Asked, struck: &[What]) -> Reply {
        for what in struck {
            match what {
                What::TooManyRequests => {
                    return Reply::text(429, "Too Many Requests\n").with("retry-after", "1");
                }
                What::ServerError => {
                    return Refused(Kind::Internal, "storage: out of order".to_owned()).into();
                }
                What::Unavailable => return Reply::text(503, "Service Unavailable"),
                What::Unauthorized => return Reply::text(401, "Unauthorized\n"),
                What::BadGateway | What::GatewayTimeout => {
                    return Reply::from_a_proxy(*what).unwrap_or_else(|| Reply::text(502, ""));
                }
                What::Forbidden => return Reply::text(403, "Forbidden\n"),
                _ => {}
            }
        }
        if asked.too_large {
            return Reply::text(413, "http: request body too large\n");
        }
        let segments = asked.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let rest = match path.as_slice() {
            ["-", "ready"] => return Reply::text(200, "Prometheus Server is Ready.\n"),
            ["-", "healthy"] => return Reply::text(200, "Prometheus Server is Healthy.\n"),
            ["api", "v1", rest @ ..] => rest,
            _ => return Reply::text(404, "404 page not found\n"),
        };
        let posts = matches!(rest, ["query" | "query_range" | "series" | "labels"]);
        match asked.method {
            Method::GET => {}
            Method::POST if posts => {}
            _ => {
                let allowed = if posts {
                    "GET, OPTIONS, POST"
                } else {
                    "GET, OPTIONS"
                };
                return Reply::text(405, "Method Not Allowed\n").with("allow", allowed);
            }
        }
        let skew = front::skew(struck) * 1000;
        self.served(asked, rest, skew).unwrap_or_else(Reply::from)
    }

    /// `skew`: by how many milliseconds its clock, and so everything that it has stored, is ahead.
    fn served(&self, asked: &Asked, rest: &[&str], skew: i64) -> Result<Reply, Refused> {
        let parameters = Parameters::of(asked)?;
        let now = self.api.time.now().as_millisecond() + skew;
        match rest {
            ["query"] => self.query(&parameters, now, skew),
            ["query_range"] => self.query_range(&parameters, skew),
            ["series"] => self.series(&parameters, skew),
            ["labels"] => self.labels(&parameters, skew),
            ["label", name, "values"] => self.label_values(&parameters, name, skew),
            ["alerts"] => Ok(self.alerts()),
            ["rules"] => Ok(self.rules(&parameters)),
            ["targets"] => Ok(self.targets(skew)),
            ["status", "buildinfo"] => Ok(about::build()),
            ["status", "runtimeinfo"] => Ok(about::runtime(self.started, now)),
            _ => Ok(Reply::text(404, "404 page not found\n")),
        }
    }

    /// The world is let go before the counting begins.
    fn prepared(&self, expression: &query::Expression) -> Prepared {
        Prepared::of(&self.api.cluster(), expression)
    }

    fn query(&self, parameters: &Parameters, now: i64, skew: i64) -> Result<Reply, Refused> {
        let at = parameters.time("time", Some(now))?;
        let expression = query::parse(parameters.get("query"))?;
        let grid = Grid {
            start: at,
            end: at,
            step: 1,
            skew,
        };
        let evaluated = self.prepared(&expression).evaluate(&expression, grid);
        Ok(success(&instant(&evaluated, at)))
    }

    fn query_range(&self, parameters: &Parameters, skew: i64) -> Result<Reply, Refused> {
        let start = parameters.time("start", None)?;
        let end = parameters.time("end", None)?;
        if end < start {
            return Err(bad_data(
                "invalid parameter \"end\": end timestamp must not be before start time",
            ));
        }
        let text = parameters.get("step");
        let seconds = text
            .parse::<f64>()
            .ok()
            .filter(|seconds| seconds.is_finite());
        let step = seconds
            .map(millis)
            .or_else(|| query::duration(text))
            .ok_or_else(|| {
                bad_data(format!(
                    "invalid parameter \"step\": cannot parse \"{text}\" to a valid duration"
                ))
            })?;
        if step <= 0 {
            return Err(bad_data(
                "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a \
                 positive integer",
            ));
        }
        if (end - start) / step > MOST_STEPS {
            return Err(bad_data(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution \
                 (?step=XX)",
            ));
        }
        let expression = query::parse(parameters.get("query"))?;
        let grid = Grid {
            start,
            end,
            step,
            skew,
        };
        let evaluated = self.prepared(&expression).evaluate(&expression, grid);
        Ok(success(&matrix(&evaluated, grid)))
    }
}

/// Seconds, with as many digits as they have.
fn seconds(at: i64) -> Value {
    if at % 1000 == 0 {
        Value::from(at / 1000)
    } else {
        // Below 2^53, so that no digit is lost.
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of this millennium fit"
        )]
        let seconds = at as f64 / 1000.0;
        Value::from(seconds)
    }
}

fn point(at: i64, value: f64) -> Value {
    json!([seconds(at), format!("{value}")])
}

fn instant(evaluated: &Evaluated, at: i64) -> Value {
    match evaluated {
        Evaluated::Scalar(values) => {
            let value = values.first().copied().unwrap_or(f64::NAN);
            json!({"resultType": "scalar", "result": point(at, value)})
        }
        Evaluated::Vector(lines) => {
            let shown = lines.iter().filter_map(|line| {
                let value = line.values.first().copied().flatten()?;
                Some(json!({"metric": line.labels, "value": point(at, value)}))
            });
            json!({"resultType": "vector", "result": shown.collect::<Vec<_>>()})
        }
    }
}

/// Where there is no value there is no point.
fn matrix(evaluated: &Evaluated, grid: Grid) -> Value {
    let shown: Vec<Value> = match evaluated {
        Evaluated::Scalar(values) => {
            let points: Vec<Value> = grid
                .times()
                .zip(values)
                .map(|(at, value)| point(at, *value))
                .collect();
            vec![json!({"metric": {}, "values": points})]
        }
        Evaluated::Vector(lines) => lines
            .iter()
            .filter_map(|line| {
                let points: Vec<Value> = grid
                    .times()
                    .zip(&line.values)
                    .filter_map(|(at, value)| Some(point(at, (*value)?)))
                    .collect();
                (!points.is_empty()).then(|| json!({"metric": line.labels, "values": points}))
            })
            .collect(),
    };
    json!({"resultType": "matrix", "result": shown})
}

pub(super) async fn handle(
    State(prometheus): State<Arc<Prometheus>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: http::Request<Body>,
) -> Response {
    let target = |asked: &Asked| asked.plain_target(Server::Prometheus);
    front::pass(&prometheus.api, &cut, request, target, |asked, struck| {
        prometheus.answer(asked, struck)
    })
    .await
}
