//! The mouse, where the operator wants it: the wheel scrolls, a click selects a row or shows a view, a second click opens.
//! It never confirms, never arms and never acts: there is no way from here to a verb, and while a plan or a question lies
//! over the view it does nothing at all.

use jiff::SignedDuration;

use super::{
    command::Command,
    key::{Code, Key},
    layout,
    msg::Effect,
    state::{Overlay, State, View},
};
use crate::model::{id::ReleaseId, text::width};

/// Lines that one step of the wheel is worth.
const STEP: usize = 3;
/// A second click within this time opens what the first one selected.
const TWICE_WITHIN: SignedDuration = SignedDuration::from_millis(500);
/// Where the first view's name begins, and what is between two.
const TABS_FROM: u16 = 2;
const TABS_GAP: u16 = 3;

/// What the mouse did at a cell of the screen, counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    pub kind: MouseKind,
    pub column: u16,
    pub row: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseKind {
    Press,
    WheelUp,
    WheelDown,
}

/// One view in the line below the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab<'s> {
    pub key: &'s str,
    pub name: &'static str,
    pub view: View,
    /// How many wait there.
    pub waits: Option<String>,
    /// Columns, the end not counted.
    pub from: u16,
    pub to: u16,
}

/// The views by name, and where their names stand.
pub fn tabs(state: &State) -> Vec<Tab<'_>> {
    let cells = |text: &str| u16::try_from(width(text)).unwrap_or(u16::MAX);
    let mut from = TABS_FROM;
    let mut tabs = Vec::with_capacity(5);
    for (command, name, view) in [
        (Command::Board, "Board", View::Board),
        (Command::Release, "Release", View::Release),
        (Command::Inbox, "Inbox", View::Inbox),
        (Command::Audit, "Audit", View::Audit),
        (Command::Sources, "Sources", View::Sources),
    ] {
        let key = state.session.keys.first(command).unwrap_or_default();
        let waits = (view == View::Inbox && !state.inbox.entries.is_empty())
            .then(|| state.inbox.entries.len().to_string());
        let mut columns = cells(name);
        if !key.is_empty() {
            columns += cells(key) + 1;
        }
        if let Some(waits) = &waits {
            columns += cells(waits) + 1;
        }
        let to = from.saturating_add(columns);
        tabs.push(Tab {
            key,
            name,
            view,
            waits,
            from,
            to,
        });
        from = to.saturating_add(TABS_GAP);
    }
    tabs
}

impl State {
    pub(super) fn mouse(&mut self, mouse: Mouse) -> Vec<Effect> {
        match mouse.kind {
            MouseKind::WheelUp => self.wheel(Command::Up, Code::Up),
            MouseKind::WheelDown => self.wheel(Command::Down, Code::Down),
            MouseKind::Press => self.press(mouse.column, mouse.row),
        }
    }

    fn wheel(&mut self, command: Command, code: Code) -> Vec<Effect> {
        let reads = match self.overlays.last() {
            None => return (0..STEP).flat_map(|_| self.moved(command)).collect(),
            Some(overlay) => is_read(overlay),
        };
        if !reads {
            return Vec::new();
        }
        (0..STEP).flat_map(|_| self.key(Key::plain(code))).collect()
    }

    /// As the key that moves, whose row must not move away under the finger either.
    fn moved(&mut self, command: Command) -> Vec<Effect> {
        self.last_key = Some(self.now);
        self.dirty = true;
        self.board.untouched &= self.board.selected.is_none();
        self.command(command)
    }

    fn press(&mut self, column: u16, row: u16) -> Vec<Effect> {
        if !self.overlays.is_empty() {
            return Vec::new();
        }
        let layout = layout::board(self.columns, self.rows);
        if layout.tabs && row == 1 {
            let meant = tabs(self)
                .iter()
                .find(|tab| (tab.from..tab.to).contains(&column))
                .map(|tab| tab.view);
            return match meant {
                Some(view) => self.moved(shows(view)),
                None => Vec::new(),
            };
        }
        if self.view != View::Board {
            return Vec::new();
        }
        let Some(line) = row
            .checked_sub(layout.list)
            .filter(|line| *line < layout.lines)
        else {
            return Vec::new();
        };
        let Some(id) = self.release_at(usize::from(line), layout.headings) else {
            return Vec::new();
        };
        self.last_key = Some(self.now);
        self.dirty = true;
        let before = self.clicked.replace((id.clone(), self.now));
        let twice = before
            .is_some_and(|(was, at)| was == id && self.now.duration_since(at) <= TWICE_WITHIN);
        self.board.untouched = false;
        self.board.wanted = None;
        self.board.moved = Some(self.now);
        self.board.selected = Some(id);
        if twice {
            self.clicked = None;
            return self.open_selected();
        }
        Vec::new()
    }

    /// The release whose row is on this line of the Board's list. Headings and the air above them are nobody's.
    fn release_at(&self, line: usize, headings: bool) -> Option<ReleaseId> {
        let mut y = 0;
        let mut group = None;
        for row in self.board.rows().iter().skip(self.board.top) {
            if headings && group != Some(row.group) {
                y += if group.is_some() { 2 } else { 1 };
                group = Some(row.group);
            }
            if y >= line {
                let release = self.releases.get(row.slot)?;
                return (y == line).then(|| release.rollout.id.clone());
            }
            y += 1;
        }
        None
    }
}

const fn shows(view: View) -> Command {
    match view {
        View::Board => Command::Board,
        View::Release => Command::Release,
        View::Inbox => Command::Inbox,
        View::Audit => Command::Audit,
        View::Sources => Command::Sources,
    }
}

/// What is read or chosen from, and confirms nothing by moving in it.
const fn is_read(overlay: &Overlay) -> bool {
    match overlay {
        Overlay::Help { .. }
        | Overlay::Palette { .. }
        | Overlay::Menu { .. }
        | Overlay::History(_)
        | Overlay::Logs(_)
        | Overlay::Yaml { .. }
        | Overlay::Changed(_)
        | Overlay::Faults(_) => true,
        Overlay::Plan(_)
        | Overlay::Arm { .. }
        | Overlay::ChooseGate { .. }
        | Overlay::Silence(_)
        | Overlay::Reason { .. }
        | Overlay::Leaving
        | Overlay::OpenIntents => false,
    }
}
