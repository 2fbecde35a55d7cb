//! How the screen is divided at a size: pure arithmetic that the reducer needs to keep a selection visible and to know what
//! the mouse points at, and that the views need to draw. Knows no cell and no colour.

/// Where the Board's parts are, in lines from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardLayout {
    /// The line with the views and their digits, and the rule below it.
    pub tabs: bool,
    pub column_names: Option<u16>,
    pub list: u16,
    /// Lines of the list, the one that says how many more there are not counted.
    pub lines: u16,
    pub more: Option<u16>,
    /// Top and height of what explains the selected release.
    pub detail: Option<(u16, u16)>,
    /// Groups have headings; without them the mark in front of each name says the group.
    pub headings: bool,
    /// The line above the key bar, on which notices stand.
    pub rule: Option<u16>,
    pub key_bar: Option<u16>,
}

/// Below this many rows there is nothing but header, list and keys.
const SMALL: u16 = 20;
/// From here on there are headings, views with digits and a box below.
const TALL: u16 = 30;

pub const fn is_wide(columns: u16, rows: u16) -> bool {
    columns >= 100 && rows >= TALL
}

pub const fn board(columns: u16, rows: u16) -> BoardLayout {
    let tabs = is_wide(columns, rows);
    let small = rows < SMALL;
    let names_at: u16 = if tabs { 3 } else { 1 };
    let list = if small { 1 } else { names_at + 1 };
    let key_bar = if rows >= 3 { Some(rows - 1) } else { None };
    let rule = if small { None } else { Some(rows - 2) };
    let detail_height = if rows >= 44 && tabs {
        11
    } else if tabs {
        9
    } else if small {
        0
    } else {
        // A rule and four lines.
        5
    };
    let air = if tabs { 1 } else { 0 };
    let bottom = if small {
        if rows >= 3 { rows - 1 } else { rows }
    } else {
        rows - 2 - detail_height - air
    };
    let room = bottom.saturating_sub(list);
    BoardLayout {
        tabs,
        column_names: if small { None } else { Some(names_at) },
        list,
        lines: if small { room } else { room - 1 },
        more: if small { None } else { Some(bottom - 1) },
        detail: if small {
            None
        } else {
            Some((bottom + air, detail_height))
        },
        headings: tabs,
        rule,
        key_bar,
    }
}

/// How many lines the Board's list has at this size.
pub const fn board_capacity(columns: u16, rows: u16) -> usize {
    board(columns, rows).lines as usize
}

/// The part between header and keys in the other views: top and height.
pub const fn body(columns: u16, rows: u16) -> (u16, u16) {
    let layout = board(columns, rows);
    let top = if layout.tabs { 3 } else { 1 };
    let bottom = match (layout.rule, layout.key_bar) {
        (Some(rule), _) => rule,
        (None, Some(bar)) => bar,
        (None, None) => rows,
    };
    (top, bottom.saturating_sub(top))
}

/// A list in a view, in lines of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    pub top: u16,
    pub lines: u16,
    /// The row on its first line.
    pub first: usize,
}

impl List {
    /// With the row `selected` of so many on one of its first `shown` lines, and no line left empty above the end.
    fn showing(top: u16, lines: u16, shown: usize, selected: usize, count: usize) -> Self {
        let first = (selected + 1).saturating_sub(shown.max(1));
        Self {
            top,
            lines,
            first: first.min(count.saturating_sub(usize::from(lines))),
        }
    }

    /// The row on this line of the screen; whether there is one, whoever has the rows knows.
    pub fn row_at(&self, y: u16) -> Option<usize> {
        let line = y.checked_sub(self.top).filter(|line| *line < self.lines)?;
        Some(self.first + usize::from(line))
    }
}

/// Where the Inbox's parts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboxLayout {
    pub column_names: Option<u16>,
    pub list: List,
    /// Top and height of what is said about what is not known.
    pub blind: (u16, u16),
    /// Top and height of what explains the selected entry.
    pub detail: Option<(u16, u16)>,
}

/// Lines about what is not known, below the entries.
const BLIND_AT_MOST: u16 = 3;

pub fn inbox(columns: u16, rows: u16, selected: usize, count: usize, blind: usize) -> InboxLayout {
    let (top, height) = body(columns, rows);
    let below = match (is_wide(columns, rows), height) {
        (true, 30..) => 13,
        (true, _) => 10,
        (false, 20..) => 8,
        (false, 16..) => 6,
        _ => 0,
    };
    let above = height.saturating_sub(below);
    let names = u16::from(above > 4);
    let mut lines = above.saturating_sub(names);
    let told = u16::try_from(blind)
        .unwrap_or(BLIND_AT_MOST)
        .min(BLIND_AT_MOST);
    let told = if lines > told + 1 { told } else { 0 };
    lines -= told;
    // The line below the selected one is shown too.
    let shown = usize::from(lines.saturating_sub(1));
    InboxLayout {
        column_names: (names == 1).then_some(top),
        list: List::showing(top + names, lines, shown, selected, count),
        blind: (top + names + lines, told),
        detail: (below > 0).then_some((top + above, below)),
    }
}

/// Where the records of the audit log are, and top and height of what explains the selected one.
pub fn audit(columns: u16, rows: u16, selected: usize, count: usize) -> (List, (u16, u16)) {
    let (top, height) = body(columns, rows);
    // The first line says whether the log is whole.
    let (top, height) = (top + 1, height.saturating_sub(1));
    let detail = if height >= 20 { height / 2 } else { height / 3 };
    let lines = height - detail;
    let list = List::showing(top, lines, usize::from(lines), selected, count);
    (list, (top + lines, detail))
}

/// Where the sources are below the names of their columns, and top and height of what explains the selected one.
pub fn sources(columns: u16, rows: u16, selected: usize, count: usize) -> (List, (u16, u16)) {
    let (top, height) = body(columns, rows);
    let wanted = u16::try_from(count).unwrap_or(u16::MAX).saturating_add(1);
    let above = wanted.min(height / 2).max(height.min(2));
    let lines = above.saturating_sub(1);
    let list = List::showing(top + 1, lines, usize::from(lines), selected, count);
    (list, (top + above, height.saturating_sub(above)))
}

/// A part of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub x: u16,
    pub y: u16,
    pub columns: u16,
    pub rows: u16,
}

impl Place {
    pub const fn contains(self, column: u16, row: u16) -> bool {
        column >= self.x
            && row >= self.y
            && column - self.x < self.columns
            && row - self.y < self.rows
    }
}

/// Where the panes of a release are side by side: at the left, in the middle, at the right and below.
pub fn release(columns: u16, rows: u16) -> Option<[Place; 4]> {
    if !is_wide(columns, rows) || columns < 110 {
        return None;
    }
    let (top, height) = body(columns, rows);
    // The first line says which release it is.
    let (top, height) = (top + 1, height.saturating_sub(1));
    let story = (height / 4).clamp(6, 11);
    let upper = height.saturating_sub(story);
    // The sides hold what is around the rollout; the middle is what is looked at.
    let side = (columns * 27 / 100).clamp(34, 48);
    let middle = columns - 2 * side;
    let pane = |x: u16, columns: u16| Place {
        x,
        y: top,
        columns,
        rows: upper,
    };
    Some([
        pane(0, side),
        pane(side, middle),
        pane(side + middle, side),
        Place {
            x: 0,
            y: top + upper,
            columns,
            rows: height - upper,
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_its_selected_row_on_the_screen_and_its_parts_below_each_other() {
        for (columns, rows) in (0..60).flat_map(|rows| [(40, rows), (80, rows), (160, rows)]) {
            for count in [0_usize, 1, 7, 200] {
                for selected in [0, count / 2, count.saturating_sub(1)] {
                    for blind in 0..5 {
                        let inbox = inbox(columns, rows, selected, count, blind);
                        let (audit, below) = audit(columns, rows, selected, count);
                        let (sources, under) = sources(columns, rows, selected, count);
                        assert_eq!(inbox.list.top + inbox.list.lines, inbox.blind.0);
                        assert_eq!(audit.top + audit.lines, below.0);
                        assert!(sources.top + sources.lines <= under.0.max(sources.top));
                        for list in [inbox.list, audit, sources] {
                            let lines = usize::from(list.lines);
                            let place = selected.checked_sub(list.first);
                            assert!(
                                lines == 0 || count == 0 || place.is_some_and(|at| at < lines),
                                "{selected} of {count} at {columns}x{rows}: {list:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_panes_of_a_release_cover_what_is_below_its_name_once() {
        for (columns, rows) in [(110, 30), (120, 36), (160, 48), (300, 90)] {
            let panes = release(columns, rows).unwrap();
            let (top, height) = body(columns, rows);
            for row in top + 1..top + height {
                for column in 0..columns {
                    let here = panes.iter().filter(|pane| pane.contains(column, row));
                    assert_eq!(here.count(), 1, "{column},{row} of {columns}x{rows}");
                }
            }
        }
        assert_eq!(release(109, 48), None);
        assert_eq!(release(160, 29), None);
    }

    #[test]
    fn the_parts_of_the_board_never_overlap_and_never_leave_the_screen() {
        for columns in 0..200 {
            for rows in 0..80 {
                let board = board(columns, rows);
                let list_end = board.list + board.lines;
                assert!(
                    rows == 0 || list_end <= rows.max(board.list),
                    "{columns}x{rows} {board:?}"
                );
                if let Some(more) = board.more {
                    assert_eq!(more, list_end);
                }
                if let (Some((top, height)), Some(rule)) = (board.detail, board.rule) {
                    assert!(
                        top > list_end && top + height == rule,
                        "{columns}x{rows} {board:?}"
                    );
                }
                let (top, height) = body(columns, rows);
                assert!(rows < 2 || top + height <= rows);
            }
        }
    }

    #[test]
    fn the_sizes_people_use_have_a_list_worth_looking_at() {
        assert!(board_capacity(160, 48) >= 26);
        assert!(board_capacity(80, 24) >= 13);
        assert!(board_capacity(40, 12) >= 10);
        assert!(!board(80, 24).headings && board(160, 48).headings);
    }
}
