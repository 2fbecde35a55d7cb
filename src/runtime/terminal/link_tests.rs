//! Links in bytes, read back by a terminal that knows for every cell where it leads, and that believes nothing it is told
//! twice or leaves open.

use proptest::prelude::*;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Color, Style},
};
use unicode_width::UnicodeWidthChar as _;
use vte::{Params, Parser as Vte, Perform};

use super::{encoder::Encoder, erase::Erase};
use crate::{model::address::Address, ui::links::Linked};

fn address(name: &str) -> Address {
    Address::new(&format!("https://a.example/{name}")).unwrap()
}

/// The id under which a link goes, and where it leads.
type Open = Option<(String, String)>;

/// As much of a terminal as the encoder's sequences need. Stricter than any: whatever a link must not do is written down.
struct Screen {
    columns: usize,
    cells: Vec<(char, Open)>,
    x: usize,
    y: usize,
    open: Open,
    /// The cursor has moved since the link was opened or something was written in it.
    moved: bool,
    opened: usize,
    wrong: Vec<String>,
}

impl Screen {
    fn new(columns: u16, rows: u16) -> Self {
        let columns = usize::from(columns);
        Self {
            columns,
            cells: vec![(' ', None); columns * usize::from(rows)],
            x: 0,
            y: 0,
            open: None,
            moved: false,
            opened: 0,
            wrong: Vec::new(),
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        Vte::new().advance(self, bytes);
        if self.open.is_some() {
            self.wrong
                .push("a link is open behind the frame".to_owned());
        }
    }

    fn erase(&mut self, from: usize, to: usize) {
        if self.open.is_some() {
            self.wrong.push("erased within a link".to_owned());
        }
        self.cells[from..to].fill((' ', None));
    }

    fn goes(&mut self) {
        self.moved = self.open.is_some();
    }
}

impl Perform for Screen {
    fn print(&mut self, c: char) {
        let columns = c.width().unwrap();
        self.moved = false;
        if columns == 0 {
            return;
        }
        if self.x + columns > self.columns {
            self.wrong.push(format!("{c:?} in column {}", self.x));
            return;
        }
        let place = self.y * self.columns + self.x;
        self.cells[place..place + columns].fill(('\0', self.open.clone()));
        self.cells[place].0 = c;
        self.x += columns;
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => self.x = 0,
            b'\n' => self.y += 1,
            0x08 => self.x -= 1,
            other => self.wrong.push(format!("control {other:#x}")),
        }
        self.goes();
    }

    fn csi_dispatch(&mut self, params: &Params, marks: &[u8], _ignored: bool, action: char) {
        let mut numbers = params.iter().map(|all| usize::from(all[0]));
        let first = numbers.next().unwrap_or(0);
        let second = numbers.next().unwrap_or(0).max(1);
        let (row, edge) = (self.y * self.columns, (self.y + 1) * self.columns);
        match (marks, action) {
            ([], 'm') | ([b'?'], 'h' | 'l') => return,
            ([], 'H') => (self.y, self.x) = (first.max(1) - 1, second - 1),
            ([], 'G') => self.x = first.max(1) - 1,
            ([], 'C') => self.x += first.max(1),
            ([], 'B') => self.y += first.max(1),
            ([], 'K') => return self.erase(row + self.x.min(self.columns), edge),
            ([], 'X') => {
                return self.erase(row + self.x, edge.min(row + self.x + first.max(1)));
            }
            ([], 'J') => return self.erase(0, self.cells.len()),
            _ => self
                .wrong
                .push(format!("CSI {marks:?} {params:?} {action}")),
        }
        self.goes();
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _bell: bool) {
        let text = |part: &[u8]| String::from_utf8(part.to_vec()).unwrap();
        let &[b"8", id, to] = params else {
            self.wrong.push(format!("OSC {params:?}"));
            return;
        };
        if std::mem::take(&mut self.moved) {
            let words = format!("the cursor left {:?} before it was closed", self.open);
            self.wrong.push(words);
        }
        self.open = match to {
            [] => None,
            to => {
                self.opened += 1;
                Some((text(id), text(to)))
            }
        };
    }

    fn esc_dispatch(&mut self, _: &[u8], _ignored: bool, byte: u8) {
        if byte != b'\\' {
            self.wrong.push(format!("ESC {byte:#x}"));
        }
    }
}

const SIZE: (u16, u16) = (40, 5);

/// Text at a place, in one of three colours, on a ground of so many cells.
type Stroke = (u16, u16, String, u16, u8);
/// Columns of a row, and which address.
type Mark = (u16, u16, u16, u8);

fn frame() -> impl Strategy<Value = (Vec<Stroke>, Vec<Mark>)> {
    let piece = proptest::sample::select(vec![
        "a",
        "b",
        " ",
        "    ",
        "            ",
        "東",
        "e\u{301}",
        "─",
        "run ",
        "\u{1b}",
    ]);
    let text = proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    let strokes = proptest::collection::vec((0..SIZE.0, 0..SIZE.1, text, 0..SIZE.0, 0_u8..3), 0..8);
    let marks = proptest::collection::vec((0..SIZE.0, 0..SIZE.0 + 4, 0..SIZE.1 + 1, 0_u8..3), 0..6);
    (strokes, marks)
}

fn drawn(strokes: &[Stroke]) -> Buffer {
    let area = Rect::new(0, 0, SIZE.0, SIZE.1);
    let mut buffer = Buffer::empty(area);
    for (x, y, text, columns, colour) in strokes {
        let colours = [Color::Reset, Color::Red, Color::Indexed(110)];
        let style = Style::new().fg(colours[usize::from(*colour)]);
        let ground = Style::new().bg(colours[usize::from(*colour)]);
        buffer.set_style(Rect::new(*x, *y, *columns, 1).intersection(area), ground);
        buffer.set_string(*x, *y, text, style);
    }
    buffer
}

fn linked(marks: &[Mark]) -> Linked {
    let mut linked = Linked::default();
    for (from, to, y, name) in marks {
        linked.add(*y, *from, *to, &address(&name.to_string()));
    }
    linked
}

/// Where a cell is to lead.
fn wanted(linked: &Linked, x: u16, y: u16) -> Option<&str> {
    linked
        .spans()
        .find(|(span, _)| span.y == y && (span.from..span.to).contains(&x))
        .map(|(_, address)| address.as_str())
}

/// All that is seen of a cell: one that was erased looks like a space.
fn look(cell: &vt100::Cell) -> (String, Option<vt100::Color>, vt100::Color) {
    let empty = cell.contents().trim().is_empty();
    let ink = (!empty).then(|| cell.fgcolor());
    (cell.contents().trim().to_owned(), ink, cell.bgcolor())
}

fn encoded(encoder: &mut Encoder, buffer: &Buffer, linked: &Linked) -> Vec<u8> {
    encoder.paint(buffer, linked);
    encoder.finish(None).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn every_cell_leads_where_it_should_and_shows_what_it_would_show_without(
        frames in proptest::collection::vec(frame(), 1..5),
        bce in any::<bool>(),
    ) {
        let erase = if bce { Erase::Background } else { Erase::Default };
        let mut encoders = [Encoder::new(erase, true), Encoder::new(erase, false)];
        let mut knows = Screen::new(SIZE.0, SIZE.1);
        let size = |n| std::num::NonZeroU16::new(n).unwrap();
        let mut with = vt100::Parser::new(size(SIZE.1), size(SIZE.0), 0);
        let mut without = vt100::Parser::new(size(SIZE.1), size(SIZE.0), 0);
        for (strokes, marks) in &frames {
            let (buffer, linked) = (drawn(strokes), linked(marks));
            let [on, off] = &mut encoders;
            let bytes = encoded(on, &buffer, &linked);
            knows.show(&bytes);
            with.process(&bytes);
            let plain = encoded(off, &buffer, &linked);
            prop_assert!(!plain.windows(3).any(|part| part == b"\x1b]8"), "switched off");
            without.process(&plain);
            prop_assert!(knows.wrong.is_empty(), "{:?} in {:?}", knows.wrong, String::from_utf8_lossy(&bytes));
            for y in 0..SIZE.1 {
                for x in 0..SIZE.0 {
                    let look = |terminal: &vt100::Parser| look(terminal.screen().cell(y, x).unwrap());
                    prop_assert_eq!(look(&with), look(&without), "at {},{}", x, y);
                    let (shown, open) = &knows.cells[usize::from(y * SIZE.0 + x)];
                    // The second half of a wide character is where its first one is.
                    if *shown != '\0' {
                        let leads = open.as_ref().map(|(_, to)| to.as_str());
                        prop_assert_eq!(leads, wanted(&linked, x, y), "at {},{}", x, y);
                    }
                }
            }
            let mut ids: Vec<_> = knows.cells.iter().filter_map(|(_, open)| open.clone()).collect();
            ids.sort_unstable();
            ids.dedup();
            for pair in ids.windows(2) {
                prop_assert_ne!(&pair[0].0, &pair[1].0, "one id leads to two places");
                prop_assert_ne!(&pair[0].1, &pair[1].1, "one place has two ids");
            }
            prop_assert_eq!(encoded(on, &buffer, &linked), b"", "showing the same again costs nothing");
        }
    }
}

fn row(text: &str) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 2));
    buffer.set_string(0, 0, text, Style::new());
    buffer
}

fn one(from: u16, to: u16, name: &str) -> Linked {
    let mut linked = Linked::default();
    linked.add(0, from, to, &address(name));
    linked
}

fn sent(encoder: &mut Encoder, buffer: &Buffer, linked: &Linked) -> String {
    String::from_utf8(encoded(encoder, buffer, linked))
        .unwrap()
        .replace('\u{1b}', "^")
}

#[test]
fn a_link_is_opened_before_its_text_and_closed_behind_it() {
    let mut encoder = Encoder::new(Erase::Background, true);
    let first = sent(&mut encoder, &row("see run here"), &one(4, 7, "run"));
    assert!(
        first.contains("see ^]8;id=1;https://a.example/run^\\run^]8;;^\\ here"),
        "{first}"
    );
}

#[test]
fn who_left_a_link_open_before_has_no_part_in_what_is_drawn() {
    let mut encoder = Encoder::new(Erase::Background, true);
    let first = sent(&mut encoder, &row("a"), &Linked::default());
    let (before, _) = first.split_once('a').unwrap();
    assert!(before.contains("^]8;;^\\"), "{first}");
    encoder.forget();
    let again = sent(&mut encoder, &row("a"), &Linked::default());
    assert!(again.contains("^]8;;^\\"), "{again}");
}

#[test]
fn a_cell_whose_link_alone_changed_is_written_again_and_no_other() {
    let mut encoder = Encoder::new(Erase::Background, true);
    let buffer = row("see run here");
    encoded(&mut encoder, &buffer, &Linked::default());
    let begun = sent(&mut encoder, &buffer, &one(4, 7, "a"));
    assert!(begun.contains("^]8;id=1;https://a.example/a^\\run^]8;;^\\"));
    assert!(!begun.contains("see") && !begun.contains("here"), "{begun}");
    let other = sent(&mut encoder, &buffer, &one(4, 7, "b"));
    assert!(other.contains("^]8;id=2;https://a.example/b^\\run^]8;;^\\"));
    let none = sent(&mut encoder, &buffer, &Linked::default());
    assert!(none.contains("run") && !none.contains("]8"), "{none}");
    assert_eq!(sent(&mut encoder, &buffer, &Linked::default()), "");
}

#[test]
fn pieces_of_one_link_have_one_id_and_two_links_have_two() {
    let mut buffer = row("first of two");
    buffer.set_string(0, 1, "rows, other", Style::new());
    let mut linked = Linked::default();
    linked.add(0, 0, 12, &address("a"));
    linked.add(1, 0, 4, &address("a"));
    linked.add(1, 6, 11, &address("b"));
    let mut encoder = Encoder::new(Erase::Background, true);
    let all = sent(&mut encoder, &buffer, &linked);
    assert!(all.contains("id=1;https://a.example/a^\\first of two"));
    assert!(all.contains("id=2;https://a.example/b^\\other"), "{all}");
    assert!(!all.contains("id=2;https://a.example/a"), "{all}");
}

#[test]
fn the_cursor_never_rests_in_an_open_link() {
    let mut encoder = Encoder::new(Erase::Background, true);
    encoder.paint(&row("run"), &one(0, 3, "a"));
    let bytes = encoder.finish(Some(Position { x: 3, y: 0 })).to_vec();
    let text = String::from_utf8(bytes).unwrap().replace('\u{1b}', "^");
    let (_, behind) = text.rsplit_once("run").unwrap();
    assert!(behind.starts_with("^]8;;^\\"), "{text}");
}
