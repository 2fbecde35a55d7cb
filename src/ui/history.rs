//! The revisions of a release that are still kept, and what differs between the selected one and the current one.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    input::key_line,
    pane::{self, Titles},
    plan::{difference_words, hides_something},
    strip::{Sheet, Strip, sheet},
    words,
};
use crate::{
    app::state::{HistoryOverlay, HistoryPurpose, Loading, State},
    model::{
        detail::{Difference, Revision},
        release::Version,
    },
};

pub(super) fn draw(
    state: &State,
    history: &HistoryOverlay,
    screen: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let area = pane::large(screen);
    let target = &history.target;
    let title = match history.purpose {
        HistoryPurpose::Read => format!("History of {} in {}", target.name, target.environment),
        HistoryPurpose::ChooseRevision => {
            format!("Roll back {} in {} to", target.name, target.environment)
        }
    };
    let inner = pane::dialog(
        buf,
        area,
        Titles::new(&title, target.kind.vendor()),
        ink.accent,
        ink,
    );
    let body = Rect {
        height: inner.height.saturating_sub(1),
        ..inner
    };
    match &history.revisions {
        Loading::Waiting => {
            sheet(buf, body, 0, |sheet| {
                sheet.wrapped(0, "asking for its revisions", ink.dim);
            });
        }
        Loading::Failed(why) => {
            sheet(buf, body, 0, |sheet| {
                sheet.labelled(
                    ("✖", ink.bad),
                    2,
                    &format!("its revisions cannot be told: {why}"),
                    ink.text,
                );
            });
        }
        Loading::Here(revisions) if revisions.is_empty() => {
            sheet(buf, body, 0, |sheet| {
                sheet.wrapped(0, "no revision is kept", ink.dim);
            });
        }
        Loading::Here(revisions) => here(state, history, revisions, body, buf, ink),
    }
    if let Some(y) = inner.height.checked_sub(1) {
        let reveals = matches!(&history.revisions, Loading::Here(revisions)
            if revisions.get(history.selected).is_some_and(|revision| hides_something(&revision.differs)));
        let act = match history.purpose {
            HistoryPurpose::Read => ("b", "rolls back to one"),
            HistoryPurpose::ChooseRevision => ("Enter", "opens the plan for it"),
        };
        let values = if history.reveal {
            "hides values"
        } else {
            "shows values"
        };
        let keys = [
            ("j k", "choose"),
            act,
            ("Esc", "leaves"),
            ("Ctrl-r", values),
        ];
        let keys = if reveals {
            keys.as_slice()
        } else {
            keys.split_last().map_or(keys.as_slice(), |(_, rest)| rest)
        };
        key_line(keys, &mut Strip::new(buf, inner, y), ink);
    }
}

fn here(
    state: &State,
    history: &HistoryOverlay,
    revisions: &[Revision],
    area: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    // The list takes what it needs, at most half; the differences get the rest.
    let wanted = u16::try_from(revisions.len()).unwrap_or(u16::MAX);
    let list = Rect {
        height: wanted.min((area.height / 2).max(1)),
        ..area
    };
    let scroll = (history.selected + 1).saturating_sub(usize::from(list.height));
    sheet(buf, list, scroll, |sheet| {
        sheet.many(revisions.len(), |nth, line| {
            if let Some(revision) = revisions.get(nth) {
                one(state, revision, nth == history.selected, line, ink);
            }
        });
    });
    let below = Rect {
        y: list.y + list.height + 1,
        height: area.height.saturating_sub(list.height + 1),
        ..area
    }
    .intersection(area);
    if let Some(revision) = revisions.get(history.selected) {
        sheet(buf, below, 0, |sheet| {
            details(revision, history.reveal, sheet, ink);
        });
    }
}

fn one(state: &State, revision: &Revision, selected: bool, line: &mut Strip<'_>, ink: &Ink) {
    if selected {
        line.ground(ink.selection).put("▌", ink.accent);
    }
    line.to(2).put(&revision.number.to_string(), ink.dim).to(8);
    let version = Version {
        revision: Some(revision.number),
        hash: revision.hash.clone(),
        images: revision.images.clone(),
    };
    if let Some(created) = revision.created {
        line.right(&format!("{} ago", words::age(state, created)), ink.dim);
    }
    line.name(&version.label(), 20, bold(ink.text))
        .to(24)
        .gap(1);
    if let Some(hash) = &revision.hash
        && line.left() > 40
    {
        line.name(hash.as_str(), 12, ink.ghost).gap(2);
    }
    if revision.is_current {
        line.put("current", bold(ink.text)).gap(2);
    }
    if revision.is_stable {
        line.put("stable", ink.ok).gap(2);
    }
    if revision.available > 0 {
        let pods = usize::try_from(revision.available).unwrap_or(0);
        line.put(&format!("{} up", words::count(pods, "pod")), ink.dim)
            .gap(2);
    }
    if let Some(cause) = &revision.change_cause {
        line.put(cause, ink.dim);
    }
}

fn details(revision: &Revision, reveal: bool, sheet: &mut Sheet<'_>, ink: &Ink) {
    for (nth, image) in revision.images.iter().enumerate() {
        let label = if nth == 0 { "images" } else { "" };
        sheet.labelled((label, ink.dim), 9, image, ink.text);
    }
    if revision.is_current {
        sheet.wrapped(0, "the current template", ink.dim);
        return;
    }
    if revision.differs.is_empty() {
        sheet.wrapped(0, "nothing differs from the current template", ink.dim);
        return;
    }
    sheet.wrapped(0, "going there would change", ink.dim);
    for difference in &revision.differs {
        one_difference(difference, reveal, sheet, ink);
    }
}

fn one_difference(difference: &Difference, reveal: bool, sheet: &mut Sheet<'_>, ink: &Ink) {
    sheet.wrapped(2, &difference_words(difference, reveal), ink.text);
}
