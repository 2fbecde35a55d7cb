//! What can go wrong on the way: faults, how they are written, and which request each hits.
//!
//! Must never act: it answers what is to happen to a request, and the server does it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Every answer is late by this much.
    Latency(Duration),
    /// 429 with `Retry-After`.
    TooManyRequests,
    /// 500.
    ServerError,
    /// 503.
    Unavailable,
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

const WORDS: &str = "latency:MILLISECONDS, 429, 500, 503, truncate, conflict, gone, lost-answer, forbidden, hang, \
     rate-limit, secondary, clock:SECONDS";

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
            let kind = kind_of_request(word);
            let named = Server::ALL.into_iter().find(|server| server.word() == word);
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
            "503" => What::Unavailable,
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
        if let (Some(home), Some(server)) = (home(what), server)
            && home != server
        {
            return Err(wrong(format!("only {} has it", home.word())));
        }
        Ok(Self {
            what,
            times,
            only,
            server,
        })
    }
}

fn kind_of_request(word: &str) -> Option<Only> {
    Some(match word {
        "get" => Only::Get,
        "watch" => Only::Watch,
        "patch" => Only::Patch,
        "post" => Only::Post,
        _ => return None,
    })
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

/// The faults in force.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether an open watch expires now.
    pub(super) fn strike_gone(&mut self, target: Target) -> bool {
        let (gone, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|fault| fault.what == What::Gone);
        let mut only_gone = Self(gone);
        let struck = !only_gone.strike(target).is_empty();
        self.0 = others;
        self.0.extend(only_gone.0);
        struck
    }

    /// What strikes this request; what is limited to a count is used up by it.
    pub(super) fn strike(&mut self, target: Target) -> Vec<What> {
        let mut struck = Vec::new();
        for fault in &mut self.0 {
            if fault.times == Some(0) || !fits(fault, target) {
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times -= 1;
            }
            struck.push(fault.what);
        }
        self.0.retain(|fault| fault.times != Some(0));
        struck
    }
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
                server: None
            })
        );
        assert_eq!(
            parse("latency:300:2"),
            Ok(Fault {
                what: latency,
                times: Some(2),
                only: None,
                server: None
            })
        );
        assert_eq!(
            parse("500:1@patch"),
            Ok(Fault {
                what: What::ServerError,
                times: Some(1),
                only: Some(Only::Patch),
                server: None
            })
        );
        assert_eq!(
            parse("lost-answer:1@github+post"),
            Ok(Fault {
                what: What::LostAnswer,
                times: Some(1),
                only: Some(Only::Post),
                server: Some(Server::GitHub)
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
        assert!(faults.strike(target(Only::Get, false)).is_empty());
        assert!(faults.strike(target(Only::Patch, true)).is_empty());
        assert_eq!(faults.strike(target(Only::Patch, false)), [What::Conflict]);
        assert!(faults.strike(target(Only::Patch, false)).is_empty());
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
            !faults.strike(target).is_empty()
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
}
