//! The last line: what keys do here and now. Always the same order, back out first; a key that would be refused is grey.
//! On the line above it stands what a key did, or why it did nothing, without moving anything.

use std::borrow::Cow;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    pane,
    strip::Strip,
};
use crate::{
    app::{
        beside::WaitingGate,
        command::Command,
        inbox::Waiting,
        layout,
        state::{Environment, State, View},
    },
    model::{release::Release, rollout::Phase, text::width},
    ops::{
        guard::Arming,
        intent::Verb,
        offer::{self, Offer},
    },
};

pub(super) fn draw(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let layout = layout::board(area.width, area.height);
    if let Some(rule) = layout.rule {
        pane::rule(buf, area, rule, ink);
    }
    let Some(bar) = layout.key_bar else { return };
    if let Some(notice) = &state.notice {
        let style = bold(ink.tone(notice.tone));
        if let Some(rule) = layout.rule {
            let mut line = Strip::new(buf, area, rule);
            line.gap(2).keep_right(4).put(" ", style);
            line.put(&notice.words, style).keep_right(0);
            line.put(" ", style);
        } else {
            Strip::new(buf, area, bar).gap(1).put(&notice.words, style);
            return;
        }
    }
    keys(
        state,
        Rect {
            y: area.y + bar,
            height: 1,
            ..area
        },
        buf,
        ink,
    );
}

/// One key and what it does.
struct Item<'s> {
    key: Cow<'s, str>,
    /// What it does to this very release, where there is room to say so.
    long: Option<String>,
    short: &'static str,
    lit: bool,
    /// Where there is no room, the highest goes first.
    rank: u8,
}

impl<'s> Item<'s> {
    /// None where the command has no key: the bar tells keys.
    fn of(state: &'s State, command: Command, does: &'static str, rank: u8) -> Option<Self> {
        let key = state.session.keys.first(command)?;
        Some(Self::fixed(key.into(), does, rank))
    }

    fn fixed(key: Cow<'s, str>, does: &'static str, rank: u8) -> Self {
        Self {
            key,
            long: None,
            short: does,
            lit: true,
            rank,
        }
    }

    fn words(&self) -> &str {
        self.long.as_deref().unwrap_or(self.short)
    }

    /// First what comes after the next thing goes, then what the next thing is.
    fn shorten(&mut self) {
        self.long = self
            .long
            .take()
            .and_then(|long| long.split_once(", then ").map(|(next, _)| next.to_owned()));
    }

    fn cells(&self) -> usize {
        width(&self.key) + 1 + width(self.words())
    }
}

fn keys(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let mut items = items(state);
    let room = usize::from(area.width.saturating_sub(1));
    let mut gap = 3;
    let cells = |items: &[Item<'_>], gap: usize| -> usize {
        items.iter().map(|item| item.cells() + gap).sum()
    };
    // Shorter words before fewer keys, and what matters most keeps its words longest.
    while cells(&items, gap) > room + gap {
        let longest = items
            .iter_mut()
            .filter(|item| item.long.is_some())
            .max_by_key(|item| item.rank);
        if let Some(item) = longest {
            item.shorten();
            continue;
        }
        if gap > 2 {
            gap = 2;
            continue;
        }
        let least = items
            .iter()
            .enumerate()
            .max_by_key(|(_, item)| item.rank)
            .map(|(at, _)| at);
        match least {
            Some(at) if items.len() > 1 => drop(items.remove(at)),
            _ => break,
        }
    }
    // Keys that an overlay takes do nothing here and now.
    let covered = !state.overlays.is_empty();
    let mut line = Strip::new(buf, area, 0);
    line.gap(1);
    for item in &items {
        let (key, text) = if item.lit && !covered {
            (bold(ink.accent), ink.text)
        } else {
            (ink.ghost, ink.ghost)
        };
        line.put(&item.key, key)
            .gap(1)
            .put(item.words(), text)
            .gap(u16::try_from(gap).unwrap_or(2));
    }
}

fn items(state: &State) -> Vec<Item<'_>> {
    let mut items = Vec::with_capacity(12);
    let of_rollout = match state.view {
        View::Board | View::Release => true,
        View::Inbox => matches!(state.inbox.selected, Some(Waiting::Release(_))),
        View::Audit | View::Sources => false,
    };
    if of_rollout && let Some((release, environment)) = target(state) {
        verbs(state, release, environment, &mut items);
    }
    items.extend(around(state));
    match state.view {
        View::Board if state.board.rows().is_empty() => {
            items.extend(Item::of(state, Command::Refresh, "try again", 5));
            items.extend(Item::of(state, Command::Sources, "sources", 6));
        }
        View::Board => {
            items.extend(Item::of(state, Command::Mark, "mark", 9));
            items.extend(Item::of(state, Command::NextThatNeedsYou, "next", 6));
            items.extend(Item::of(state, Command::Filter, "filter", 8));
        }
        View::Release => {
            items.extend(Item::of(state, Command::History, "history", 7));
            items.extend(Item::of(state, Command::Logs, "logs", 6));
            items.extend(Item::of(state, Command::NextPane, "pane", 5));
            items.extend(Item::of(state, Command::NextThatNeedsYou, "next", 8));
        }
        View::Inbox => {
            items.extend(Item::of(state, Command::Mark, "mark", 8));
            items.extend(Item::of(state, Command::Open, "open", 7));
            items.extend(Item::of(state, Command::Back, "back to the Board", 2));
        }
        View::Audit | View::Sources => {
            let down = state.session.keys.first(Command::Down).unwrap_or_default();
            let up = state.session.keys.first(Command::Up).unwrap_or_default();
            items.push(Item::fixed(format!("{down} {up}").into(), "move", 4));
            items.extend(Item::of(state, Command::Refresh, "read again", 5));
            items.extend(Item::of(state, Command::Back, "back to the Board", 2));
        }
    }
    let menu = matches!(state.view, View::Board | View::Release | View::Inbox);
    if menu && target(state).is_some() {
        items.extend(Item::of(state, Command::Menu, "more", 5));
    }
    items.extend(Item::of(state, Command::Help, "keys", 3));
    items
}

fn target(state: &State) -> Option<(&Release, Option<&Environment>)> {
    let id = match (state.view, &state.open) {
        (View::Release, Some(open)) => &open.id,
        (View::Inbox, _) => match state.inbox.selected.as_ref()? {
            Waiting::Release(id) => id,
            Waiting::Gate(gate) => state.beside.gate(gate)?.releases.first()?,
        },
        _ => state.board.selected.as_ref()?,
    };
    Some((state.releases.find(id)?, state.environment_of(id)))
}

/// What can be asked for about what is beside the rollout: a gate that waits on what is meant, and what changed before
/// an alert on it.
fn around(state: &State) -> Vec<Item<'_>> {
    if !matches!(state.view, View::Board | View::Release | View::Inbox) {
        return Vec::new();
    }
    let mut items = Vec::new();
    let meant = target(state);
    let gates: Vec<&WaitingGate> = match (state.view, meant) {
        (View::Inbox, _) => state.selected_gate().into_iter().collect(),
        (_, Some((release, _))) => state
            .beside
            .gates
            .iter()
            .filter(|gate| gate.releases.contains(&release.rollout.id))
            .collect(),
        (_, None) => Vec::new(),
    };
    if let Some(first) = gates.first()
        && let Some(key) = state.session.keys.first(Command::Act(Verb::Approve))
    {
        let armed = state
            .environments
            .get(&first.environment)
            .is_some_and(|environment| matches!(environment.arming, Arming::Armed { .. }));
        let may = gates.iter().any(|gate| gate.gate.may_decide != Some(false));
        items.push(Item {
            key: key.into(),
            long: Some(format!("approve {}", &*first.gate.environment)),
            short: "approve",
            lit: armed && may,
            rank: 3,
        });
    }
    if let Some((release, _)) = meant
        && !state.beside.firing(&release.rollout.id).is_empty()
    {
        items.extend(Item::of(state, Command::Changed, "what changed", 4));
    }
    items
}

fn verbs<'s>(
    state: &'s State,
    release: &Release,
    environment: Option<&Environment>,
    items: &mut Vec<Item<'s>>,
) {
    let access =
        environment.and_then(|environment| environment.access.get(&release.rollout.id.namespace));
    let pause = if release.rollout.paused_by_hand() {
        Verb::Resume
    } else {
        Verb::Pause
    };
    let keys = &state.session.keys;
    for (verb, rank) in [(Verb::BackOut, 0), (pause, 2), (Verb::Promote, 1)] {
        let Some(key) = keys.first(Command::Act(verb)) else {
            continue;
        };
        let offer = offer::offer(verb, release, access);
        items.push(Item {
            key: key.into(),
            long: Some(long_words(verb, release, &offer)),
            short: verb.title(),
            lit: would_go(&offer, environment),
            rank,
        });
    }
    if let Some(environment) = environment
        && environment.arming == Arming::ReadOnly
        && !state.session.read_only
        && let Some(key) = keys.first(Command::Arm)
    {
        items.push(Item {
            key: key.into(),
            long: Some(format!("arm for {} min", state.session.armed_minutes)),
            short: "arm",
            lit: true,
            rank: 4,
        });
    }
}

fn long_words(verb: Verb, release: &Release, offer: &Offer) -> String {
    if !offer.can_be_planned() {
        return verb.title().to_owned();
    }
    match verb {
        Verb::BackOut => back_out_words(release),
        Verb::Promote => promote_words(release),
        other => other.title().to_owned(),
    }
}

fn back_out_words(release: &Release) -> String {
    let to = if release.rollout.fully_promoted() {
        release.previous()
    } else {
        release.serving_before().or_else(|| release.previous())
    };
    match to {
        Some(version) => format!("back out to {}", version.label()),
        None => "back out".to_owned(),
    }
}

/// While it does not wait, a promotion skips the step that runs, and is called that.
fn promote_words(release: &Release) -> String {
    let waits = release.rollout.phase == Phase::Paused;
    if let Some(canary) = release.rollout.canary()
        && let Some((index, _)) = canary.current_step()
        && !waits
    {
        return format!("skip step {} of {}", index + 1, canary.steps.len());
    }
    match release.next() {
        Some(next) if release.rollout.blue_green().is_some() => next,
        Some(next) => format!("next: {next}"),
        None => "promote".to_owned(),
    }
}

/// Whether a verb leads to something that can be sent now. Emergencies do not wait for a source to be live again.
fn would_go(offer: &Offer, environment: Option<&Environment>) -> bool {
    environment.is_some_and(|environment| {
        offer.offered()
            && matches!(environment.arming, Arming::Armed { .. })
            && (environment.is_fresh() || offer.verb.is_emergency())
    })
}

/// What a verb would do, where it can be planned, and whether it could be sent: the same words as on the bar.
pub(super) fn what_it_does(
    verb: Verb,
    release: &Release,
    environment: Option<&Environment>,
) -> Option<(String, bool)> {
    let access =
        environment.and_then(|environment| environment.access.get(&release.rollout.id.namespace));
    let offer = offer::offer(verb, release, access);
    offer.can_be_planned().then(|| {
        let lit = would_go(&offer, environment);
        (long_words(verb, release, &offer), lit)
    })
}
