//! The demo's faults as the screen knows them: which there are, whose they are, which are on, and the overlay that switches
//! them. Plain data: nothing here knows a world, and outside the demo nobody carries a change out.

use super::{
    input::{Keep, list_key},
    key::{Code, Key},
    msg::Effect,
    state::{Overlay, State, Tone},
};
use crate::model::text::Safe;

/// What can go wrong on the way to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    Latency,
    TooManyRequests,
    ServerError,
    Away,
    Truncated,
    Conflict,
    ExpiredWatch,
    ClockDifference,
    LostAnswer,
    Hang,
    Forbidden,
    Unauthorized,
}

impl FaultKind {
    pub const ALL: [Self; 12] = [
        Self::Latency,
        Self::TooManyRequests,
        Self::ServerError,
        Self::Away,
        Self::Truncated,
        Self::Conflict,
        Self::ExpiredWatch,
        Self::ClockDifference,
        Self::LostAnswer,
        Self::Hang,
        Self::Forbidden,
        Self::Unauthorized,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::TooManyRequests => "429",
            Self::ServerError => "500",
            Self::Away => "503",
            Self::Truncated => "truncated",
            Self::Conflict => "conflict",
            Self::ExpiredWatch => "expired watch",
            Self::ClockDifference => "clock difference",
            Self::LostAnswer => "lost answer",
            Self::Hang => "hang",
            Self::Forbidden => "forbidden",
            Self::Unauthorized => "unauthorized",
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::Latency => "every answer is late by 1.5 s",
            Self::TooManyRequests => "too many requests, it says",
            Self::ServerError => "an error of its own",
            Self::Away => "it is away, a proxy answers",
            Self::Truncated => "answers stop in the middle",
            Self::Conflict => "another writer is always faster",
            Self::ExpiredWatch => "what was read has expired",
            Self::ClockDifference => "its clock is 90 s behind",
            Self::LostAnswer => "it writes, and nobody hears that it did",
            Self::Hang => "takes requests and never answers",
            Self::Forbidden => "writes are refused",
            Self::Unauthorized => "the login is not known any more",
        }
    }

    /// Whether it makes sense there.
    pub fn fits(self, whose: Whose) -> bool {
        match self {
            Self::Conflict | Self::ExpiredWatch => {
                matches!(whose, Whose::All | Whose::Kubernetes)
            }
            // Nothing is ever written there.
            Self::LostAnswer => whose != Whose::Prometheus,
            _ => true,
        }
    }
}

/// The source that a fault is in the way of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    #[default]
    All,
    Kubernetes,
    GitHub,
    Prometheus,
    Alertmanager,
}

impl Whose {
    pub const ALL: [Self; 5] = [
        Self::All,
        Self::Kubernetes,
        Self::GitHub,
        Self::Prometheus,
        Self::Alertmanager,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Kubernetes => "Kubernetes",
            Self::GitHub => "GitHub",
            Self::Prometheus => "Prometheus",
            Self::Alertmanager => "Alertmanager",
        }
    }

    fn step(self, forward: bool) -> Self {
        let at = Self::ALL.iter().position(|whose| *whose == self);
        let count = Self::ALL.len();
        let to = at.unwrap_or(0) + if forward { 1 } else { count - 1 };
        Self::ALL.get(to % count).copied().unwrap_or_default()
    }
}

/// A kind of fault at a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    pub whose: Whose,
}

impl Fault {
    /// `503 Prometheus`, or `503` where it is everybody's.
    pub fn words(self) -> String {
        match self.whose {
            Whose::All => self.kind.name().to_owned(),
            whose => format!("{} {}", self.kind.name(), whose.word()),
        }
    }
}

/// What is to be done about faults. Whoever does it answers with [`InForce`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: only tell what is in force.
    Look,
    On(Fault),
    Off(Fault),
    HealAll,
}

/// What goes wrong now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// Those that the overlay has a row for.
    pub listed: Vec<Fault>,
    /// The scenario's and the command line's, in their own words.
    pub others: Vec<Safe>,
}

impl InForce {
    /// Of the rows only: what a scenario keeps in store is not told by a header.
    pub fn words(&self) -> Option<String> {
        let (first, rest) = self.listed.split_first()?;
        let more = match rest.len() {
            0 => String::new(),
            more => format!(" +{more}"),
        };
        Some(format!("{}{more}", first.words()))
    }
}

/// The overlay.
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultsOverlay {
    pub selected: usize,
    pub whose: Whose,
}

impl FaultsOverlay {
    /// What Enter would switch.
    pub fn fault(&self) -> Option<Fault> {
        let kind = FaultKind::ALL.get(self.selected).copied()?;
        Some(Fault {
            kind,
            whose: self.whose,
        })
    }
}

impl State {
    pub(super) fn open_faults(&mut self) -> Vec<Effect> {
        if !self.session.demo {
            return Vec::new();
        }
        self.overlays
            .push(Overlay::Faults(FaultsOverlay::default()));
        vec![Effect::Fault(Change::Look)]
    }

    pub(super) fn faults_told(&mut self, told: InForce) {
        self.dirty |= self.faults != told;
        self.faults = told;
    }

    /// Whether the overlay stays, and what is to be done.
    pub(super) fn faults_key(
        &mut self,
        key: Key,
        overlay: &mut FaultsOverlay,
    ) -> (Keep, Vec<Effect>) {
        let change = match key.code {
            Code::Tab | Code::Right => {
                overlay.whose = overlay.whose.step(true);
                return (Keep::Yes, Vec::new());
            }
            Code::BackTab | Code::Left => {
                overlay.whose = overlay.whose.step(false);
                return (Keep::Yes, Vec::new());
            }
            Code::Char('F') => return (Keep::No, Vec::new()),
            Code::Char('0') => {
                self.say(Tone::Good, "healed: nothing goes wrong on the way any more");
                Change::HealAll
            }
            Code::Enter if !key.repeat => {
                let Some(fault) = overlay.fault() else {
                    return (Keep::Yes, Vec::new());
                };
                if !fault.kind.fits(fault.whose) {
                    let words = format!("{} has no {}", fault.whose.word(), fault.kind.name());
                    self.say(Tone::Plain, words);
                    return (Keep::Yes, Vec::new());
                }
                if self.faults.listed.contains(&fault) {
                    self.say(Tone::Plain, format!("off: {}", fault.words()));
                    Change::Off(fault)
                } else {
                    self.say(Tone::Waiting, format!("on: {}", fault.words()));
                    Change::On(fault)
                }
            }
            _ => {
                let last = FaultKind::ALL.len() - 1;
                return (list_key(key, &mut overlay.selected, last), Vec::new());
            }
        };
        (Keep::Yes, vec![Effect::Fault(change)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{
        keymap::Keymap,
        msg::Msg,
        state::{Session, State},
        update,
    };

    fn state(demo: bool) -> State {
        let session = Session {
            demo,
            game: None,
            still: false,
            read_only: false,
            armed_minutes: 30,
            keys: Keymap::default().in_demo(demo),
            clock: false,
            zone: jiff::tz::TimeZone::UTC,
            id: "s1".to_owned(),
            next_intent: 0,
            open_intents: Vec::new(),
        };
        let beside = crate::app::beside::Beside::default();
        State::new(now(), (120, 36), session, [].into(), beside)
    }

    fn now() -> jiff::Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn asks(state: &mut State, key: Key) -> Vec<Change> {
        let effects = update(state, now(), Msg::Key(key));
        let changes = effects.into_iter().filter_map(|effect| match effect {
            Effect::Fault(change) => Some(change),
            _ => None,
        });
        changes.collect()
    }

    fn enter() -> Key {
        Key::plain(Code::Enter)
    }

    #[test]
    fn enter_switches_on_what_is_off_and_off_what_is_on() {
        let mut state = state(true);
        assert_eq!(asks(&mut state, Key::char('F')), [Change::Look]);
        for _ in 0..3 {
            assert_eq!(asks(&mut state, Key::plain(Code::Tab)), []);
            assert_eq!(asks(&mut state, Key::char('j')), []);
        }
        let away = Fault {
            kind: FaultKind::Away,
            whose: Whose::Prometheus,
        };
        assert_eq!(asks(&mut state, enter()), [Change::On(away)]);
        let told = InForce {
            listed: vec![away],
            others: Vec::new(),
        };
        update(&mut state, now(), Msg::Faults(told));
        assert_eq!(asks(&mut state, enter()), [Change::Off(away)]);
        assert_eq!(asks(&mut state, Key::char('0')), [Change::HealAll]);
        assert_eq!(asks(&mut state, Key::char('F')), []);
        assert!(state.overlays.is_empty());
    }

    #[test]
    fn what_a_source_cannot_have_is_not_switched_on() {
        let mut state = state(true);
        asks(&mut state, Key::char('F'));
        for _ in 0..2 {
            asks(&mut state, Key::plain(Code::Tab));
        }
        for _ in 0..5 {
            asks(&mut state, Key::char('j'));
        }
        assert_eq!(asks(&mut state, enter()), []);
        assert_eq!(state.notice.unwrap().words, "GitHub has no conflict");
    }

    #[test]
    fn outside_the_demo_nothing_is_asked_for_by_key_or_by_name() {
        let mut state = state(false);
        assert_eq!(asks(&mut state, Key::char('F')), []);
        assert_eq!(asks(&mut state, Key::char(':')), []);
        for c in "fault".chars() {
            asks(&mut state, Key::char(c));
        }
        assert_eq!(asks(&mut state, enter()), []);
        assert_eq!(state.open_faults().len(), 0);
    }
}
