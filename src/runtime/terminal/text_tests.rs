//! T23: what reaches the terminal is text and the sequences that we write ourselves, whatever is in the cells. The bytes
//! are read back by a parser that knows every sequence there is.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::Line,
    widgets::{Paragraph, Widget as _},
};
use vte::{Params, Parser as Vte, Perform};

use super::{clipboard, encoder::Encoder, erase::Erase, passthrough::Within};
use crate::{
    model::{
        address::{Address, LONGEST},
        text::{self, sanitise},
    },
    ui::links::Linked,
};

/// What a terminal was told besides text.
#[derive(Default)]
struct Heard {
    foreign: Vec<String>,
    forbidden: Vec<char>,
    text: usize,
    links: usize,
    open: bool,
}

impl Perform for Heard {
    fn print(&mut self, c: char) {
        self.text += 1;
        if text::is_forbidden(c) {
            self.forbidden.push(c);
        }
    }

    fn execute(&mut self, byte: u8) {
        if !matches!(byte, b'\r' | b'\n' | 0x08) {
            self.foreign.push(format!("control {byte:#x}"));
        }
    }

    fn csi_dispatch(&mut self, params: &Params, marks: &[u8], _ignored: bool, action: char) {
        let first = params.iter().next().and_then(|all| all.first().copied());
        let ours = match (marks, action) {
            ([], 'H' | 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'd' | 'm' | 'K' | 'J' | 'X') => {
                true
            }
            ([b'?'], 'h' | 'l') => matches!(first, Some(25 | 2026)),
            _ => false,
        };
        if !ours {
            self.foreign
                .push(format!("CSI {marks:?} {params:?} {action}"));
        }
    }

    fn esc_dispatch(&mut self, marks: &[u8], _ignored: bool, byte: u8) {
        // The end of a link's sequence.
        if (marks, byte) != (&[], b'\\') {
            self.foreign.push(format!("ESC {marks:?} {byte:#x}"));
        }
    }

    /// A link that is opened with a number and an address of the web, or closed.
    fn osc_dispatch(&mut self, params: &[&[u8]], bell: bool) {
        match params {
            [b"8", b"", b""] if !bell => self.open = false,
            [b"8", id, to] if !bell && is_id(id) && is_address(to) => {
                self.links += 1;
                self.open = true;
            }
            _ => self.foreign.push(format!("OSC {params:?}")),
        }
    }

    fn hook(&mut self, _: &Params, marks: &[u8], _: bool, action: char) {
        self.foreign.push(format!("DCS {marks:?} {action}"));
    }
}

fn is_id(id: &[u8]) -> bool {
    let number = id.strip_prefix(b"id=").unwrap_or_default();
    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

fn is_address(to: &[u8]) -> bool {
    let web = [b"http://".as_slice(), b"https://"];
    web.iter().any(|scheme| to.starts_with(scheme))
        && to.iter().all(|byte| matches!(byte, b'!'..=b'~'))
        && to.len() <= LONGEST
}

fn heard(bytes: &[u8]) -> Heard {
    let mut heard = Heard::default();
    Vte::new().advance(&mut heard, bytes);
    heard
}

#[track_caller]
fn assert_ours(bytes: &[u8], what: &str) -> usize {
    let heard = heard(bytes);
    assert!(heard.foreign.is_empty(), "{what}: {:?}", heard.foreign);
    assert!(heard.forbidden.is_empty(), "{what}: {:?}", heard.forbidden);
    assert!(!heard.open, "{what}: a link is left open");
    heard.text
}

fn painted(buffer: &Buffer) -> Vec<u8> {
    painted_with(buffer, &Linked::default())
}

fn painted_with(buffer: &Buffer, linked: &Linked) -> Vec<u8> {
    let mut encoder = Encoder::new(Erase::Background, true);
    encoder.paint(buffer, linked);
    encoder.finish(None).to_vec()
}

/// Addresses with these texts in every part, each over some cells.
#[track_caller]
fn assert_leads_nowhere_else<S: AsRef<str>>(texts: &[S], what: &str) {
    let cells = Buffer::empty(SCREEN);
    let rows = usize::from(SCREEN.height);
    let all: Vec<Address> = texts
        .iter()
        .flat_map(|text| {
            let text = text.as_ref();
            [
                format!("https://a.example/{text}"),
                format!("https://{text}.example/"),
                format!("http{text}://a.example"),
                text.to_owned(),
            ]
        })
        .filter_map(|text| Address::new(&text))
        .collect();
    assert!(all.len() >= texts.len() / 2, "{what}: few are addresses");
    // Four in a row.
    for some in all.chunks(4 * rows) {
        let mut linked = Linked::default();
        for (nth, address) in some.iter().enumerate() {
            let [y, from] = [nth % rows, nth / rows * 50].map(|cell| u16::try_from(cell).unwrap());
            linked.add(y, from, from + 50, address);
        }
        let bytes = painted_with(&cells, &linked);
        assert_ours(&bytes, what);
        assert!(
            heard(&bytes).links >= 1,
            "{what}: it is not so that nothing is sent"
        );
    }
}

const SCREEN: Rect = Rect::new(0, 0, 200, 60);

#[test]
fn t23_no_scalar_of_unicode_commands_from_a_cell_or_from_text() {
    let all: Vec<char> = ('\0'..=char::MAX).collect();
    assert_eq!(all.len(), 1_112_064);
    let mut text = 0;
    for some in all.chunks(usize::from(SCREEN.width * SCREEN.height)) {
        // Put into cells by hand, one each and beside a letter: nothing was made safe.
        let mut cells = Buffer::empty(SCREEN);
        for (cell, c) in cells.content.iter_mut().zip(some) {
            cell.set_symbol(c.encode_utf8(&mut [0; 4]));
        }
        text += assert_ours(&painted(&cells), "one in a cell");
        for (cell, c) in cells.content.iter_mut().zip(some) {
            cell.set_symbol(&format!("a{c}"));
        }
        assert_ours(&painted(&cells), "behind a letter");
        // And as text from outside comes: made safe, laid out by a widget.
        let mut lines = Buffer::empty(SCREEN);
        let row = usize::from(SCREEN.width);
        let safe: Vec<Line<'_>> = some
            .chunks(row)
            .map(|row| Line::from(sanitise(&String::from_iter(row)).as_str().to_owned()))
            .collect();
        Paragraph::new(safe).render(SCREEN, &mut lines);
        assert_ours(&painted(&lines), "as text");
        // And in the address of a link, as many as have room there.
        let texts: Vec<String> = some.chunks(160).map(String::from_iter).collect();
        assert_leads_nowhere_else(&texts, "in an address");
    }
    // It is not so that nothing is shown.
    assert!(text > 200_000, "{text} characters of all");
}

/// Every kind of sequence, in 7 and in 8 bits, ended in every way and not at all, and cut at every byte.
fn sequences() -> Vec<String> {
    let payloads = [
        "52;c;b3duZWQ=",
        "0;owned",
        "2;owned",
        "8;;http://evil\u{7}click",
        "4;1;?",
        "10;?",
        "11;?",
        "50;#3",
        "777;notify;a;b",
        "1337;File=inline=1:AAAA",
        "9;9;x",
        "$qm",
        "+q544e",
        "q#0;2;0;0;0",
        "Gf=100;AAAA",
        "tmux;x",
        "X",
        "",
    ];
    let strings = [
        ("\u{1b}]", "\u{9d}"),
        ("\u{1b}P", "\u{90}"),
        ("\u{1b}_", "\u{9f}"),
        ("\u{1b}^", "\u{9e}"),
        ("\u{1b}X", "\u{98}"),
    ];
    let ends = ["\u{7}", "\u{1b}\\", "\u{9c}", "", "\u{18}"];
    let mut all: Vec<String> = [
        "2J",
        "1;1H",
        "6n",
        "c",
        ">c",
        "=c",
        "?1049l",
        "?1049h",
        "?25h",
        "?2004l",
        "?1000h",
        "?2026l",
        "20t",
        "21t",
        "8;9;9t",
        "5i",
        "4i",
        "!p",
        "31m",
        "0q",
        "s",
        "u",
        "?6n",
        "?1h",
        "200~",
        "201~",
        ">4;2m",
        "=1u",
        "99999999999A",
        "38:2::1:2:3m",
        "1 q",
        "x",
        "r",
        "L",
        "M",
        "S",
        "T",
        "3J",
    ]
    .iter()
    .flat_map(|csi| [format!("\u{1b}[{csi}"), format!("\u{9b}{csi}")])
    .collect();
    for (seven, eight) in strings {
        for begin in [seven, eight] {
            for payload in payloads {
                all.extend(ends.map(|end| format!("{begin}{payload}{end}")));
            }
        }
    }
    all.extend(
        [
            "\u{1b}c", "\u{1b}7", "\u{1b}#8", "\u{1b}(0", "\u{1b}%G", "\u{1b}=", "\u{e}", "\u{5}",
            "\u{7f}", "\u{85}", "\u{84}",
        ]
        .map(String::from),
    );
    all
}

#[test]
fn t23_no_sequence_whole_or_split_commands_from_a_cell_or_from_text() {
    let all = sequences();
    assert!(all.len() > 500, "{}", all.len());
    assert_leads_nowhere_else(&all, "a sequence in an address");
    let mut rows = Vec::new();
    for sequence in &all {
        rows.push(format!("before{sequence}after"));
        for (at, _) in sequence.char_indices() {
            let (head, tail) = sequence.split_at(at);
            // The second half comes in another field, which is drawn beside the first.
            rows.push(format!("{head}|"));
            rows.push(tail.to_owned());
        }
    }
    for some in rows.chunks(usize::from(SCREEN.height)) {
        let mut by_hand = Buffer::empty(SCREEN);
        let mut as_text = Buffer::empty(SCREEN);
        for (y, row) in (0..).zip(some) {
            by_hand[(0, y)].set_symbol(row);
            for (x, c) in (1..).zip(row.chars().take(150)) {
                by_hand[(x, y)].set_symbol(c.encode_utf8(&mut [0; 4]));
            }
            let safe = sanitise(row);
            as_text.set_string(0, y, safe.as_str(), ratatui::style::Style::new());
            // What goes to the clipboard is pasted into a shell: only what is shown.
            let copied =
                String::from_utf8(clipboard::copy(&safe, Within::Nothing).unwrap()).unwrap();
            let payload = copied
                .strip_prefix("\u{1b}]52;c;")
                .unwrap()
                .strip_suffix('\u{7}')
                .unwrap();
            assert!(
                payload
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)),
                "{payload}"
            );
            assert!(!safe.chars().any(text::is_forbidden), "{safe:?}");
        }
        assert_ours(&painted(&by_hand), "by hand");
        assert_ours(&painted(&as_text), "as text");
    }
}
