//! The mouse, where the operator wants it: the wheel scrolls what is under it, a click selects a row, focuses a pane or
//! shows a view, a second click opens. It never confirms, never arms and never acts: there is no way from here to a verb,
//! and while a plan or a question lies over the view it does nothing at all.

use jiff::SignedDuration;

use super::{
    command::Command,
    inbox::Waiting,
    key::{Code, Key},
    layout,
    msg::Effect,
    release_view::Pane,
    state::{Loading, Overlay, State, View},
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

/// A row that was clicked, in the view that it was clicked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clicked {
    Board(ReleaseId),
    Inbox(Waiting),
}

impl State {
    pub(super) fn mouse(&mut self, mouse: Mouse) -> Vec<Effect> {
        match mouse.kind {
            MouseKind::WheelUp => self.wheel(mouse, Command::Up, Code::Up),
            MouseKind::WheelDown => self.wheel(mouse, Command::Down, Code::Down),
            MouseKind::Press => self.press(mouse.column, mouse.row),
        }
    }

    fn wheel(&mut self, mouse: Mouse, command: Command, code: Code) -> Vec<Effect> {
        let reads = match self.overlays.last() {
            None => return self.wheel_over(mouse, command),
            Some(overlay) => is_read(overlay),
        };
        if !reads {
            return Vec::new();
        }
        (0..STEP).flat_map(|_| self.key(Key::plain(code))).collect()
    }

    /// Scrolls the pane under the pointer, whichever has the focus; elsewhere a view has one list, which it moves through.
    fn wheel_over(&mut self, mouse: Mouse, command: Command) -> Vec<Effect> {
        if self.view == View::Release
            && let Some(pane) = self.pane_at(mouse.column, mouse.row)
            && let Some(open) = &mut self.open
        {
            let lines = isize::try_from(STEP).unwrap_or(1);
            let by = if command == Command::Up {
                -lines
            } else {
                lines
            };
            open.scroll_pane(pane, by);
            self.touched();
            return Vec::new();
        }
        (0..STEP).flat_map(|_| self.moved(command)).collect()
    }

    /// As with a key: a row must not move away under the finger either.
    fn touched(&mut self) {
        self.last_key = Some(self.now);
        self.dirty = true;
    }

    fn moved(&mut self, command: Command) -> Vec<Effect> {
        self.touched();
        self.board.untouched &= self.board.selected.is_none();
        self.command(command)
    }

    fn press(&mut self, column: u16, row: u16) -> Vec<Effect> {
        if !self.overlays.is_empty() {
            return Vec::new();
        }
        if layout::board(self.columns, self.rows).tabs && row == 1 {
            let meant = tabs(self)
                .iter()
                .find(|tab| (tab.from..tab.to).contains(&column))
                .map(|tab| tab.view);
            return match meant {
                Some(view) => self.moved(shows(view)),
                None => Vec::new(),
            };
        }
        match self.view {
            View::Board => self.press_board(row),
            View::Release => {
                self.press_pane(column, row);
                Vec::new()
            }
            View::Inbox => self.press_inbox(row),
            View::Audit => {
                self.press_audit(row);
                Vec::new()
            }
            View::Sources => {
                self.press_sources(row);
                Vec::new()
            }
        }
    }

    fn press_board(&mut self, row: u16) -> Vec<Effect> {
        let layout = layout::board(self.columns, self.rows);
        let Some(line) = row
            .checked_sub(layout.list)
            .filter(|line| *line < layout.lines)
        else {
            return Vec::new();
        };
        let Some(id) = self.release_at(usize::from(line), layout.headings) else {
            return Vec::new();
        };
        self.touched();
        self.board.untouched = false;
        self.board.wanted = None;
        self.board.moved = Some(self.now);
        self.board.selected = Some(id.clone());
        if self.is_second(Clicked::Board(id)) {
            return self.open_selected();
        }
        Vec::new()
    }

    /// A second click opens the release, where one is joined to what waits. Where Enter would open the plan of a gate, a
    /// click does nothing more: it never begins an action.
    fn press_inbox(&mut self, row: u16) -> Vec<Effect> {
        let layout = layout::inbox(
            self.columns,
            self.rows,
            self.inbox.place().unwrap_or(0),
            self.inbox.entries.len(),
            self.blind().len(),
        );
        let Some(waiting) = layout
            .list
            .row_at(row)
            .and_then(|place| self.inbox.choose(place))
        else {
            return Vec::new();
        };
        self.touched();
        if self.is_second(Clicked::Inbox(waiting)) && self.inbox_target().is_some() {
            return self.open_selected();
        }
        Vec::new()
    }

    fn press_audit(&mut self, row: u16) {
        let Loading::Here(records) = &self.audit.records else {
            return;
        };
        let count = records.len();
        let (list, _) = layout::audit(self.columns, self.rows, self.audit.selected, count);
        if let Some(place) = list.row_at(row).filter(|place| *place < count) {
            self.audit.selected = place;
            self.touched();
        }
    }

    fn press_sources(&mut self, row: u16) {
        let count = self.environments.len() + self.beside.sources.len();
        let (list, _) = layout::sources(self.columns, self.rows, self.sources.selected, count);
        if let Some(place) = list.row_at(row).filter(|place| *place < count) {
            self.sources.selected = place;
            self.touched();
        }
    }

    fn press_pane(&mut self, column: u16, row: u16) {
        if let Some(pane) = self.pane_at(column, row)
            && let Some(open) = &mut self.open
        {
            open.pane = pane;
            self.touched();
        }
    }

    /// The pane of the open release that is drawn here. One at a time is all of the view, and has the focus anyway.
    fn pane_at(&self, column: u16, row: u16) -> Option<Pane> {
        let places = layout::release(self.columns, self.rows)?;
        let panes = self
            .open
            .as_ref()?
            .side_by_side(self.beside.is_configured());
        let mut drawn = panes.into_iter().zip(places);
        let (pane, _) = drawn.find(|(_, place)| place.contains(column, row))?;
        Some(pane)
    }

    /// Whether this row was clicked a moment ago; a third click begins anew.
    fn is_second(&mut self, clicked: Clicked) -> bool {
        let before = self.clicked.take();
        let twice = before
            .is_some_and(|(was, at)| was == clicked && self.now.duration_since(at) <= TWICE_WITHIN);
        if !twice {
            self.clicked = Some((clicked, self.now));
        }
        twice
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
