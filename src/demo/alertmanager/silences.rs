//! Silences: made, changed, ended, and matched.
//!
//! What keeps its id and what gets a new one is as recorded from Alertmanager 0.33.1. Must never forget one that has
//! expired: it is listed as such.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::alerts::filters;
use super::{Asked, Reply, millis, plain, word};
use crate::demo::alarm::alarms;
use crate::demo::chance::Chance;
use crate::demo::cluster::Cluster;
use crate::demo::matcher::Matcher;

#[derive(Debug)]
pub(super) struct Silences {
    kept: Vec<Silence>,
    chance: Chance,
}

#[derive(Clone, Debug)]
struct Silence {
    id: String,
    matchers: Vec<Matcher>,
    starts: Timestamp,
    ends: Timestamp,
    updated: Timestamp,
    by: String,
    comment: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Active,
    Expired,
}

impl Silence {
    fn state(&self, now: Timestamp) -> State {
        if self.ends <= now {
            State::Expired
        } else if self.starts > now {
            State::Pending
        } else {
            State::Active
        }
    }

    fn show(&self, now: Timestamp) -> Value {
        let state = match self.state(now) {
            State::Pending => "pending",
            State::Active => "active",
            State::Expired => "expired",
        };
        let matchers: Vec<Value> = self
            .matchers
            .iter()
            .map(|matcher| {
                json!({"isEqual": matcher.equal, "isRegex": matcher.is_regex(), "name": matcher.name,
                    "value": matcher.value})
            })
            .collect();
        json!({"id": self.id, "status": {"state": state}, "updatedAt": millis(self.updated), "comment": self.comment,
            "createdBy": self.by, "endsAt": millis(self.ends), "matchers": matchers, "startsAt": millis(self.starts)})
    }
}

/// What was wrong with the request, as the generated server says it.
fn required(name: &str) -> Reply {
    let message = format!("{name} in body is required");
    plain(422, &json!({"code": 602, "message": message}))
}

fn unreadable(why: &str) -> Reply {
    let message = format!("parsing silence body from \"\" failed, because {why}");
    plain(400, &json!({"code": 400, "message": message}))
}

fn time(body: &Value, name: &str) -> Result<Timestamp, Box<Reply>> {
    match body.get(name) {
        None | Some(Value::Null) => Err(required(name).into()),
        Some(Value::String(text)) => text.parse().map_err(|_| {
            Box::new(unreadable(&format!(
                "parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse it"
            )))
        }),
        Some(_) => {
            Err(unreadable("json: cannot unmarshal number into Go value of type string").into())
        }
    }
}

fn text(body: &Value, name: &str) -> Result<String, Box<Reply>> {
    let found = body.get(name).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| Box::new(required(name)))
}

fn matchers(body: &Value) -> Result<Vec<Matcher>, Box<Reply>> {
    let listed = body
        .get("matchers")
        .and_then(Value::as_array)
        .ok_or_else(|| required("matchers"))?;
    if listed.is_empty() {
        let message = "matchers in body should have at least 1 items";
        return Err(Box::new(plain(
            422,
            &json!({"code": 612, "message": message}),
        )));
    }
    let mut matchers = Vec::new();
    for (place, one) in listed.iter().enumerate() {
        let missing = |name: &str| required(&format!("matchers.{place}.{name}"));
        let field = |name: &str| {
            one.get(name)
                .and_then(Value::as_str)
                .ok_or_else(|| missing(name))
        };
        let (name, value) = (field("name")?, field("value")?);
        let regex = one
            .get("isRegex")
            .and_then(Value::as_bool)
            .ok_or_else(|| missing("isRegex"))?;
        let equal = one.get("isEqual").and_then(Value::as_bool).unwrap_or(true);
        let matcher = Matcher::new(name, value, equal, regex).map_err(|why| {
            let message = format!(
                "invalid silence: invalid label matcher {place} in set 0: invalid regular expression \"{value}\": error \
                 parsing regexp: {why}"
            );
            Box::new(word(400, &message))
        })?;
        matchers.push(matcher);
    }
    if matchers.iter().all(|matcher| matcher.matches("")) {
        let message =
            "invalid silence: matcher set 0: at least one matcher must not match the empty string";
        return Err(Box::new(word(400, message)));
    }
    Ok(matchers)
}

impl Silences {
    /// Those of the story.
    pub(super) fn told(cluster: &Cluster) -> Self {
        let mut chance = Chance::new(0x73_696c_656e_6365);
        let mut kept = Vec::new();
        for alarm in alarms(cluster) {
            let Some(comment) = &alarm.silenced else {
                continue;
            };
            let named = ["alertname", "namespace", "service"].into_iter();
            let matchers = named.filter_map(|name| {
                let value = alarm.labels.get(name)?;
                Matcher::new(name, value, true, false).ok()
            });
            let starts = cluster.clock.stamp_at(alarm.fires);
            let opening = cluster.clock.stamp_at(cluster.clock.now());
            kept.push(Silence {
                id: chance.uid(),
                matchers: matchers.collect(),
                starts,
                ends: opening
                    .saturating_add(SignedDuration::from_hours(3))
                    .unwrap_or(opening),
                updated: starts,
                by: "mara-lindqvist".to_owned(),
                comment: comment.clone(),
            });
        }
        Self { kept, chance }
    }

    /// The silences that hold back an alert with these labels.
    pub(super) fn matching(
        &self,
        labels: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Vec<String> {
        let active = self
            .kept
            .iter()
            .filter(|silence| silence.state(now) == State::Active);
        let fits = |silence: &&Silence| {
            silence.matchers.iter().all(|matcher| {
                let value = labels.get(&matcher.name).map_or("", String::as_str);
                matcher.matches(value)
            })
        };
        active
            .filter(fits)
            .map(|silence| silence.id.clone())
            .collect()
    }

    /// The version ignores wishes about states, and filters by the silences' own matchers.
    pub(super) fn list(&self, asked: &Asked, now: Timestamp) -> Reply {
        let filters = match filters(asked) {
            Ok(filters) => filters,
            Err(refused) => return *refused,
        };
        let mut wanted: Vec<&Silence> = self
            .kept
            .iter()
            .filter(|silence| {
                filters.iter().all(|filter| {
                    silence.matchers.iter().any(|matcher| {
                        matcher.name == filter.name && filter.matches(&matcher.value)
                    })
                })
            })
            .collect();
        wanted.sort_by_key(|silence| (silence.state(now) == State::Expired, silence.ends));
        let shown: Vec<Value> = wanted
            .into_iter()
            .map(|silence| silence.show(now))
            .collect();
        plain(200, &Value::Array(shown))
    }

    pub(super) fn get(&self, id: &str, now: Timestamp) -> Reply {
        if let Some(refused) = not_an_id(id) {
            return refused;
        }
        match self.kept.iter().find(|silence| silence.id == id) {
            Some(silence) => plain(200, &silence.show(now)),
            None => empty(404),
        }
    }

    pub(super) fn expire(&mut self, id: &str, now: Timestamp) -> Reply {
        if let Some(refused) = not_an_id(id) {
            return refused;
        }
        let Some(silence) = self.kept.iter_mut().find(|silence| silence.id == id) else {
            return empty(404);
        };
        end(silence, now);
        empty(200)
    }

    pub(super) fn put(&mut self, asked: &Asked, now: Timestamp) -> Reply {
        match self.try_put(asked, now) {
            Ok(id) => plain(200, &json!({"silenceID": id})),
            Err(refused) => *refused,
        }
    }

    fn try_put(&mut self, asked: &Asked, now: Timestamp) -> Result<String, Box<Reply>> {
        let Some(body @ Value::Object(_)) = asked.json() else {
            return Err(unreadable("it is no JSON object").into());
        };
        let by = text(&body, "createdBy")?;
        let comment = text(&body, "comment")?;
        let (starts, ends) = (time(&body, "startsAt")?, time(&body, "endsAt")?);
        let matchers = matchers(&body)?;
        if ends <= now {
            return Err(Box::new(word(
                400,
                "Failed to create silence: end time can't be in the past",
            )));
        }
        if ends <= starts {
            return Err(Box::new(word(
                400,
                "Failed to create silence: start time must be before end time",
            )));
        }
        let new = Silence {
            id: String::new(),
            matchers,
            starts: starts.max(now),
            ends,
            updated: now,
            by,
            comment,
        };
        let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
        if id.is_empty() {
            return Ok(self.add(new));
        }
        let found = self.kept.iter_mut().find(|silence| silence.id == id);
        let old = found.ok_or_else(|| Box::new(word(404, "silence not found")))?;
        if can_stay(old, &new, starts, now) {
            let starts = if old.state(now) == State::Active {
                old.starts
            } else {
                new.starts
            };
            *old = Silence {
                id: old.id.clone(),
                starts,
                ..new
            };
            return Ok(old.id.clone());
        }
        end(old, now);
        Ok(self.add(new))
    }

    fn add(&mut self, silence: Silence) -> String {
        let id = self.chance.uid();
        self.kept.push(Silence {
            id: id.clone(),
            ..silence
        });
        id
    }
}

/// The same silence, changed: same matchers in the same order, and what has begun has begun when it began.
fn can_stay(old: &Silence, new: &Silence, asked_start: Timestamp, now: Timestamp) -> bool {
    old.matchers == new.matchers
        && match old.state(now) {
            State::Active => asked_start.as_second() == old.starts.as_second(),
            State::Pending => true,
            State::Expired => false,
        }
}

fn end(silence: &mut Silence, now: Timestamp) {
    if silence.state(now) != State::Expired {
        silence.ends = now;
        silence.starts = silence.starts.min(now);
        silence.updated = now;
    }
}

fn empty(status: u16) -> Reply {
    Reply::new(status, "", String::new())
}

fn not_an_id(id: &str) -> Option<Reply> {
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    let digits = id
        .chars()
        .all(|letter| letter == '-' || letter.is_ascii_hexdigit());
    if digits && lengths == [8, 4, 4, 4, 12] {
        return None;
    }
    let message = format!("silenceID in path must be of type uuid: \"{id}\"");
    Some(plain(422, &json!({"code": 601, "message": message})))
}
