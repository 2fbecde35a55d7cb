//! What can go wrong on the way: faults, how they are written, and which request each hits.
//!
//! Must never act: it answers what is to happen to a request, and the server does it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A fault, with how often it strikes: `latency:300`, `429`, `conflict:1`, `500:2@patch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub what: What,
    /// None: until it is healed.
    pub times: Option<u32>,
    /// None: wherever it fits.
    pub only: Option<Only>,
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
    /// The patch is applied, then the connection closes without an answer.
    LostAnswer,
    /// Patches are refused: 403.
    Forbidden,
    /// The request is taken and never answered.
    Hang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    Get,
    Watch,
    Patch,
    Post,
}

const WORDS: &str =
    "latency:MILLISECONDS, 429, 500, 503, truncate, conflict, gone, lost-answer, forbidden, hang";

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
            "\"{}\" is not a fault: {}. Faults are {WORDS}; each may end with :COUNT and @get, @watch, @patch or @post",
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
        let (rest, only) = match text.split_once('@') {
            None => (text, None),
            Some((rest, only)) => {
                let known = match only {
                    "get" => Only::Get,
                    "watch" => Only::Watch,
                    "patch" => Only::Patch,
                    "post" => Only::Post,
                    _ => return Err(wrong(format!("\"@{only}\" is no kind of request"))),
                };
                (rest, Some(known))
            }
        };
        let mut parts = rest.split(':');
        let word = parts.next().unwrap_or_default();
        let mut number = || {
            let part = parts.next()?;
            Some(
                part.parse::<u32>()
                    .map_err(|_| wrong(format!("\"{part}\" is not a number"))),
            )
        };
        let what = match word {
            "latency" => {
                let millis = number()
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
            _ => return Err(wrong(format!("\"{word}\" is not known"))),
        };
        let times = number().transpose()?;
        if parts.next().is_some() {
            return Err(wrong("too many parts".to_owned()));
        }
        Ok(Self { what, times, only })
    }
}

/// The request that a fault may hit, in the words of `Only`. A dry run changes nothing, so faults of writing leave
/// it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) verb: Only,
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
    match fault.what {
        What::Conflict | What::LostAnswer => target.verb == Only::Patch && !target.dry_run,
        What::Forbidden => target.verb == Only::Patch,
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
                only: None
            })
        );
        assert_eq!(
            parse("latency:300:2"),
            Ok(Fault {
                what: latency,
                times: Some(2),
                only: None
            })
        );
        assert_eq!(
            parse("500:1@patch"),
            Ok(Fault {
                what: What::ServerError,
                times: Some(1),
                only: Some(Only::Patch)
            })
        );
        for wrong in ["latency", "conflikt", "429:x", "500@delete", "gone:1:2"] {
            let message = parse(wrong).unwrap_err().to_string();
            assert!(message.contains("lost-answer"), "{message}");
        }
    }

    #[test]
    fn a_counted_fault_is_used_up_by_what_it_fits() {
        let mut faults = Faults::default();
        faults.add("conflict:1".parse().unwrap());
        let target = |verb, dry_run| Target {
            verb,
            dry_run,
            continues: false,
        };
        assert!(faults.strike(target(Only::Get, false)).is_empty());
        assert!(faults.strike(target(Only::Patch, true)).is_empty());
        assert_eq!(faults.strike(target(Only::Patch, false)), [What::Conflict]);
        assert!(faults.strike(target(Only::Patch, false)).is_empty());
    }
}
