//! How the screen is divided at a size: pure arithmetic that the reducer needs to keep a selection visible and the
//! views need to draw. Knows no cell and no colour.

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

#[cfg(test)]
mod tests {
    use super::*;

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
