//! What can go wrong on the way: faults, how they are written, and which request each hits.
//!
//! Must never act: it answers what is to happen to a request, and the server does it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::clock::Moment;

/// A fault, with how often it strikes: `latency:300`, `429`, `conflict:1`, `500:2@patch`, `lost-answer:1@github+post`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub what: What,
    /// None: until it is healed.
    pub times: Option<u32>,
    /// None: wherever it fits.
    pub only: Option<Only>,
    /// None: every server that can have it.
    pub server: Option<Server>,
    /// Only what is asked of these paths and below them; empty: of any.
    pub paths: Vec<String>,
}

/// The systems that the world speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Kubernetes,
    GitHub,
    Prometheus,
    Alertmanager,
}

impl Server {
    const ALL: [Self; 4] = [
        Self::Kubernetes,
        Self::GitHub,
        Self::Prometheus,
        Self::Alertmanager,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::GitHub => "github",
            Self::Prometheus => "prometheus",
            Self::Alertmanager => "alertmanager",
        }
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|server| server.word() == word)
    }

    pub(super) fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Every answer is late by this much.
    Latency(Duration),
    /// 429 with `Retry-After`.
    TooManyRequests,
    /// 500.
    ServerError,
    /// 502: a proxy in the way cannot reach it.
    BadGateway,
    /// 503.
    Unavailable,
    /// 504: a proxy in the way has waited too long.
    GatewayTimeout,
    /// 401: whoever asks is not known any more.
    Unauthorized,
    /// The body stops in the middle of its JSON.
    Truncate,
    /// Another writer changes the object just before the patch.
    Conflict,
    /// Versions and continue tokens have expired: 410.
    Gone,
    /// The write is done, then the connection closes without an answer.
    LostAnswer,
    /// Writes are refused: 403.
    Forbidden,
    /// The request is taken and never answered.
    Hang,
    /// GitHub: the hour's requests are used up.
    RateLimit,
    /// GitHub: too much at once.
    Secondary,
    /// The server's clock is ahead by so many seconds, or behind.
    Clock(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    Get,
    Watch,
    Patch,
    Post,
}

impl Only {
    fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Watch => "watch",
            Self::Patch => "patch",
            Self::Post => "post",
        }
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "get" => Self::Get,
            "watch" => Self::Watch,
            "patch" => Self::Patch,
            "post" => Self::Post,
            _ => return None,
        })
    }
}

const WORDS: &str = "latency:MILLISECONDS, 429, 500, 502, 503, 504, truncate, conflict, gone, lost-answer, unauthorized, \
     forbidden, hang, rate-limit, secondary, clock:SECONDS";

/// A fault that was written wrongly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFault {
    text: String,
    why: String,
}

impl fmt::Display for BadFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "\"{}\" is not a fault: {}. Faults are {WORDS}; each may end with :COUNT and with @get, @watch, \
             @patch, @post, @kubernetes, @github, @prometheus or @alertmanager, or a server and a kind as @github+post",
            self.text, self.why
        )
    }
}

impl std::error::Error for BadFault {}

impl FromStr for Fault {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, BadFault> {
        let wrong = |why: String| BadFault {
            text: text.to_owned(),
            why,
        };
        let (rest, narrowed) = text
            .split_once('@')
            .map_or((text, None), |(rest, words)| (rest, Some(words)));
        let (mut only, mut server) = (None, None);
        for word in narrowed.into_iter().flat_map(|words| words.split('+')) {
            let kind = Only::named(word);
            let named = Server::named(word);
            match (kind, named) {
                (Some(kind), _) if only.is_none() => only = Some(kind),
                (_, Some(named)) if server.is_none() => server = Some(named),
                (None, None) => {
                    return Err(wrong(format!(
                        "\"@{word}\" is no kind of request and no server"
                    )));
                }
                _ => return Err(wrong("it is narrowed twice".to_owned())),
            }
        }
        let mut parts = rest.split(':');
        let word = parts.next().unwrap_or_default();
        let number = |parts: &mut std::str::Split<'_, char>| {
            let part = parts.next()?;
            Some(
                part.parse::<u32>()
                    .map_err(|_| wrong(format!("\"{part}\" is not a number"))),
            )
        };
        let what = match word {
            "latency" => {
                let millis = number(&mut parts)
                    .ok_or_else(|| wrong("latency needs milliseconds, latency:300".to_owned()))??;
                What::Latency(Duration::from_millis(millis.into()))
            }
            "429" => What::TooManyRequests,
            "500" => What::ServerError,
            "502" => What::BadGateway,
            "503" => What::Unavailable,
            "504" => What::GatewayTimeout,
            "unauthorized" => What::Unauthorized,
            "truncate" => What::Truncate,
            "conflict" => What::Conflict,
            "gone" => What::Gone,
            "lost-answer" => What::LostAnswer,
            "forbidden" => What::Forbidden,
            "hang" => What::Hang,
            "rate-limit" => What::RateLimit,
            "secondary" => What::Secondary,
            "clock" => {
                let seconds = parts
                    .next()
                    .and_then(|part| part.parse::<i64>().ok())
                    .ok_or_else(|| wrong("clock needs seconds, clock:-90".to_owned()))?;
                What::Clock(seconds)
            }
            _ => return Err(wrong(format!("\"{word}\" is not known"))),
        };
        let times = number(&mut parts).transpose()?;
        if parts.next().is_some() {
            return Err(wrong("too many parts".to_owned()));
        }
        let fault = Self {
            what,
            times,
            only,
            server: None,
            paths: Vec::new(),
        };
        match server {
            Some(server) => fault.at(server).map_err(wrong),
            None => Ok(fault),
        }
    }
}

/// As it is written; the paths of a scenario's fault are not told.
impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Latency(by) => write!(out, "latency:{}", by.as_millis())?,
            What::TooManyRequests => out.write_str("429")?,
            What::ServerError => out.write_str("500")?,
            What::BadGateway => out.write_str("502")?,
            What::Unavailable => out.write_str("503")?,
            What::GatewayTimeout => out.write_str("504")?,
            What::Unauthorized => out.write_str("unauthorized")?,
            What::Truncate => out.write_str("truncate")?,
            What::Conflict => out.write_str("conflict")?,
            What::Gone => out.write_str("gone")?,
            What::LostAnswer => out.write_str("lost-answer")?,
            What::Forbidden => out.write_str("forbidden")?,
            What::Hang => out.write_str("hang")?,
            What::RateLimit => out.write_str("rate-limit")?,
            What::Secondary => out.write_str("secondary")?,
            What::Clock(seconds) => write!(out, "clock:{seconds}")?,
        }
        if let Some(times) = self.times {
            write!(out, ":{times}")?;
        }
        let only = self.only.map(Only::word);
        match (self.server.map(Server::word), only) {
            (Some(server), Some(only)) => write!(out, "@{server}+{only}"),
            (Some(word), None) | (None, Some(word)) => write!(out, "@{word}"),
            (None, None) => Ok(()),
        }
    }
}

impl Fault {
    /// At one server only.
    pub(super) fn at(mut self, server: Server) -> Result<Self, String> {
        if let Some(home) = home(self.what)
            && home != server
        {
            return Err(format!("only {} has it", home.word()));
        }
        if self.server.is_some_and(|before| before != server) {
            return Err("it is narrowed to two servers".to_owned());
        }
        self.server = Some(server);
        Ok(self)
    }

    /// Whether open watches feel it, and not only those that are opened: versions expire, and a server that is away
    /// keeps no connection.
    fn ends_watches(&self) -> bool {
        let away = self.what == What::Unavailable && self.times.is_none();
        let here = self
            .server
            .is_none_or(|server| server == Server::Kubernetes);
        here && (away || self.what == What::Gone)
    }
}

/// The only server that can have it.
fn home(what: What) -> Option<Server> {
    match what {
        What::Conflict | What::Gone => Some(Server::Kubernetes),
        What::RateLimit | What::Secondary => Some(Server::GitHub),
        _ => None,
    }
}

/// The request that a fault may hit, in the words of `Only`. A dry run changes nothing, so faults of writing leave
/// it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) server: Server,
    pub(super) verb: Only,
    /// A form posted to Prometheus is a read.
    pub(super) writes: bool,
    pub(super) dry_run: bool,
    pub(super) continues: bool,
}

/// A fault, and when it is in force.
#[derive(Debug)]
struct Force {
    fault: Fault,
    from: Moment,
    until: Option<Moment>,
    /// Open watches have been told of it.
    told: bool,
}

impl Force {
    fn holds(&self, now: Moment) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// The faults in force, and those to come.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Force>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.plan(fault, Moment::OPENING, None);
    }

    /// From then on, until then.
    pub(super) fn plan(&mut self, fault: Fault, from: Moment, until: Option<Moment>) {
        self.0.push(Force {
            fault,
            from,
            until,
            told: false,
        });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn end(&mut self, fault: &Fault) {
        self.0.retain(|force| force.fault != *fault);
    }

    pub(super) fn in_force(&self, now: Moment) -> Vec<Fault> {
        let holding = self.0.iter().filter(|force| force.holds(now));
        holding.map(|force| force.fault.clone()).collect()
    }

    /// When the next one begins.
    pub(super) fn next(&self, now: Moment) -> Option<Moment> {
        let coming = self.0.iter().map(|force| force.from);
        coming.filter(|from| *from > now).min()
    }

    /// Whether one has begun that open watches must feel and have not been told of.
    pub(super) fn tells_watches(&mut self, now: Moment) -> bool {
        let mut any = false;
        for force in &mut self.0 {
            if !force.told && force.holds(now) && force.fault.ends_watches() {
                force.told = true;
                any = true;
            }
        }
        any
    }

    /// What an open watch on this path feels of the faults that end watches.
    pub(super) fn strike_watch(&mut self, path: &str, now: Moment) -> Vec<What> {
        let target = Target {
            server: Server::Kubernetes,
            verb: Only::Watch,
            writes: false,
            dry_run: false,
            continues: false,
        };
        self.strike_those(target, path, now, Fault::ends_watches)
    }

    /// What strikes this request; what is limited to a count is used up by it.
    pub(super) fn strike(&mut self, target: Target, path: &str, now: Moment) -> Vec<What> {
        self.strike_those(target, path, now, |_| true)
    }

    fn strike_those(
        &mut self,
        target: Target,
        path: &str,
        now: Moment,
        which: impl Fn(&Fault) -> bool,
    ) -> Vec<What> {
        let mut struck = Vec::new();
        for force in &mut self.0 {
            let holds = force.holds(now);
            let fault = &mut force.fault;
            if !holds
                || fault.times == Some(0)
                || !which(fault)
                || !fits(fault, target)
                || !below(&fault.paths, path)
            {
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times -= 1;
            }
            struck.push(fault.what);
        }
        self.0.retain(|force| {
            force.fault.times != Some(0) && force.until.is_none_or(|until| now < until)
        });
        struck
    }
}

fn below(paths: &[String], path: &str) -> bool {
    paths.is_empty()
        || paths.iter().any(|above| {
            let above = above.trim_end_matches('/');
            path.strip_prefix(above)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

fn fits(fault: &Fault, target: Target) -> bool {
    if fault.only.is_some_and(|only| only != target.verb) {
        return false;
    }
    if fault.server.is_some_and(|server| server != target.server)
        || home(fault.what).is_some_and(|home| home != target.server)
    {
        return false;
    }
    let here = target.server == Server::Kubernetes;
    match fault.what {
        What::Conflict => target.verb == Only::Patch && !target.dry_run,
        // Its other writes are questions (reviews) and notes (events).
        What::LostAnswer if here => target.verb == Only::Patch && !target.dry_run,
        What::Forbidden if here => target.verb == Only::Patch,
        What::LostAnswer => target.writes,
        // Where the server or the kind of request is named, reading can be forbidden too.
        What::Forbidden => {
            target.writes || fault.only.is_some() || target.server == Server::Prometheus
        }
        What::Gone => target.verb == Only::Watch || target.continues,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_written_as_words_with_counts() {
        let parse = |text: &str| text.parse::<Fault>();
        let latency = What::Latency(Duration::from_millis(300));
        assert_eq!(
            parse("latency:300"),
            Ok(Fault {
                what: latency,
                times: None,
                only: None,
                server: None,
                paths: Vec::new(),
            })
        );
        assert_eq!(
            parse("latency:300:2"),
            Ok(Fault {
                what: latency,
                times: Some(2),
                only: None,
                server: None,
                paths: Vec::new(),
            })
        );
        assert_eq!(
            parse("500:1@patch"),
            Ok(Fault {
                what: What::ServerError,
                times: Some(1),
                only: Some(Only::Patch),
                server: None,
                paths: Vec::new(),
            })
        );
        assert_eq!(
            parse("lost-answer:1@github+post"),
            Ok(Fault {
                what: What::LostAnswer,
                times: Some(1),
                only: Some(Only::Post),
                server: Some(Server::GitHub),
                paths: Vec::new(),
            })
        );
        assert_eq!(parse("clock:-90").unwrap().what, What::Clock(-90));
        for wrong in [
            "latency",
            "conflikt",
            "429:x",
            "500@delete",
            "gone:1:2",
            "500@github+kubernetes",
            "500@get+post",
            "conflict@github",
            "rate-limit@prometheus",
            "clock",
        ] {
            let message = parse(wrong).unwrap_err().to_string();
            assert!(message.contains("lost-answer"), "{message}");
        }
    }

    #[test]
    fn a_counted_fault_is_used_up_by_what_it_fits() {
        let mut faults = Faults::default();
        faults.add("conflict:1".parse().unwrap());
        let target = |verb, dry_run| Target {
            server: Server::Kubernetes,
            verb,
            writes: verb != Only::Get,
            dry_run,
            continues: false,
        };
        assert!(
            faults
                .strike(target(Only::Get, false), "/", Moment::OPENING)
                .is_empty()
        );
        assert!(
            faults
                .strike(target(Only::Patch, true), "/", Moment::OPENING)
                .is_empty()
        );
        assert_eq!(
            faults.strike(target(Only::Patch, false), "/", Moment::OPENING),
            [What::Conflict]
        );
        assert!(
            faults
                .strike(target(Only::Patch, false), "/", Moment::OPENING)
                .is_empty()
        );
    }

    #[test]
    fn a_fault_is_told_as_it_is_written() {
        for text in [
            "latency:300",
            "clock:-90:2",
            "503@prometheus",
            "lost-answer:1@github+post",
            "500:2@patch",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_fault_that_is_ended_leaves_the_others() {
        let mut faults = Faults::default();
        for text in ["503@prometheus", "503", "503@prometheus"] {
            faults.add(text.parse().unwrap());
        }
        faults.end(&"503@prometheus".parse().unwrap());
        assert_eq!(faults.in_force(Moment::OPENING), ["503".parse().unwrap()]);
    }

    #[test]
    fn a_fault_hits_every_server_that_can_have_it_until_it_is_narrowed() {
        let target = |server, verb, writes| Target {
            server,
            verb,
            writes,
            dry_run: false,
            continues: false,
        };
        let hits = |text: &str, target| {
            let mut faults = Faults::default();
            faults.add(text.parse().unwrap());
            !faults.strike(target, "/", Moment::OPENING).is_empty()
        };
        let query = target(Server::Prometheus, Only::Post, false);
        let approval = target(Server::GitHub, Only::Post, true);
        let patch = target(Server::Kubernetes, Only::Patch, true);
        for server in Server::ALL {
            assert!(hits("503", target(server, Only::Get, false)));
        }
        assert!(hits("503@github", approval) && !hits("503@github", patch));
        assert!(
            hits("lost-answer", approval)
                && hits("lost-answer", patch)
                && !hits("lost-answer", query)
        );
        assert!(!hits("lost-answer@alertmanager+post", approval));
        assert!(!hits("gone", target(Server::GitHub, Only::Get, false)));
        assert!(hits("rate-limit", approval) && !hits("rate-limit", patch));
    }

    #[test]
    fn a_planned_fault_holds_in_its_time_and_on_its_paths_only() {
        let at = |seconds| Moment::OPENING.after(Duration::from_secs(seconds));
        let mut faults = Faults::default();
        let mut fault: Fault = "503@prometheus".parse().unwrap();
        fault.paths = vec!["/api/v1/query".to_owned()];
        faults.plan(fault, at(60), Some(at(150)));
        let target = Target {
            server: Server::Prometheus,
            verb: Only::Get,
            writes: false,
            dry_run: false,
            continues: false,
        };
        assert_eq!(faults.next(at(0)), Some(at(60)));
        assert!(faults.strike(target, "/api/v1/query", at(59)).is_empty());
        assert_eq!(faults.next(at(60)), None);
        let below = faults.strike(target, "/api/v1/query/x", at(60));
        assert_eq!(below, [What::Unavailable]);
        assert!(
            faults
                .strike(target, "/api/v1/query_range", at(60))
                .is_empty()
        );
        assert!(faults.strike(target, "/api/v1/query", at(150)).is_empty());
        assert!(faults.0.is_empty(), "what is over is forgotten");
    }
}
