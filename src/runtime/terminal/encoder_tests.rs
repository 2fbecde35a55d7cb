use std::num::NonZeroU16;

use proptest::prelude::*;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::*;
use crate::model::text;
use crate::runtime::terminal::shown::CHARACTERS_MAX;

impl Encoder {
    fn encode(&mut self, next: &Buffer, cursor: Option<Position>) -> &[u8] {
        self.paint(next, &Linked::default());
        self.finish(cursor)
    }
}

/// A terminal that believes every byte.
struct Replay {
    encoder: Encoder,
    screen: vt100::Parser,
}

impl Replay {
    fn new(erase: Erase, width: u16, height: u16) -> Self {
        let size = |n| NonZeroU16::new(n).unwrap();
        let mut screen = vt100::Parser::new(size(height), size(width), 0);
        // What somebody else left on the screen must not shine through.
        screen.process("\u{1b}[7;31mleft over\u{1b}[3;4H".as_bytes());
        Self {
            encoder: Encoder::new(erase, false),
            screen,
        }
    }

    fn show(&mut self, buffer: &Buffer) -> usize {
        let bytes = self.encoder.encode(buffer, None).to_vec();
        self.screen.process(&bytes);
        bytes.len()
    }

    fn assert_shows(&self, buffer: &Buffer) {
        for y in 0..buffer.area.height {
            let mut x = 0;
            while x < buffer.area.width {
                let cell = &buffer[(x, y)];
                let shown = self.screen.screen().cell(y, x).unwrap();
                let kind = kind(cell, buffer.area.width - x);
                let at = format!("at {x},{y} of {buffer:?}");
                let has = |modifier| cell.modifier.contains(modifier);
                assert_eq!(shown.bgcolor(), colour(cell.bg), "background {at}");
                assert_eq!(shown.inverse(), has(Modifier::REVERSED), "reversed {at}");
                assert_eq!(
                    shown.underline(),
                    has(Modifier::UNDERLINED),
                    "underlined {at}"
                );
                if kind == Kind::Blank {
                    assert!(
                        matches!(shown.contents(), "" | " "),
                        "blank {at}: {:?}",
                        shown.contents()
                    );
                } else {
                    assert_eq!(shown.contents(), cell.symbol(), "character {at}");
                    // vt100 knows one intensity: the last of bold and dim. Real terminals know both.
                    if !(has(Modifier::BOLD) && has(Modifier::DIM)) {
                        assert_eq!(shown.bold(), has(Modifier::BOLD), "bold {at}");
                        assert_eq!(shown.dim(), has(Modifier::DIM), "dim {at}");
                    }
                    assert_eq!(shown.italic(), has(Modifier::ITALIC), "italic {at}");
                }
                if kind != Kind::Blank || has(Modifier::REVERSED) || has(Modifier::UNDERLINED) {
                    assert_eq!(shown.fgcolor(), colour(cell.fg), "foreground {at}");
                }
                x += kind.columns();
            }
        }
    }
}

fn colour(colour: Color) -> vt100::Color {
    match colour {
        Color::Reset => vt100::Color::Default,
        Color::Red => vt100::Color::Idx(1),
        Color::LightBlue => vt100::Color::Idx(12),
        Color::Indexed(index) => vt100::Color::Idx(index),
        Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
        other => panic!("no test uses {other:?}"),
    }
}

fn style() -> impl Strategy<Value = Style> {
    let colours = || {
        proptest::sample::select(vec![
            Color::Reset,
            Color::Reset,
            Color::Red,
            Color::LightBlue,
            Color::Indexed(110),
            Color::Rgb(16, 19, 24),
            Color::Rgb(200, 208, 218),
        ])
    };
    let modifiers = proptest::sample::select(vec![
        Modifier::empty(),
        Modifier::empty(),
        Modifier::BOLD,
        Modifier::DIM,
        Modifier::ITALIC,
        Modifier::UNDERLINED,
        Modifier::REVERSED,
        Modifier::BOLD.union(Modifier::REVERSED),
    ]);
    (colours(), colours(), modifiers)
        .prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
}

/// One thing drawn: text at a place, or a styled area.
type Stroke = (u16, u16, String, u16, Style);

fn strokes() -> impl Strategy<Value = Vec<Stroke>> {
    let piece = proptest::sample::select(vec![
        "a",
        "b",
        " ",
        "    ",
        "          ",
        "東",
        "e\u{301}",
        "─",
        "█▌",
        "…",
        "wide東京",
        "\u{1b}",
    ]);
    let text = proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    proptest::collection::vec((0_u16..40, 0_u16..6, text, 0_u16..40, style()), 0..10)
}

fn drawn(width: u16, height: u16, strokes: &[Stroke]) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    for (x, y, text, columns, style) in strokes {
        buffer.set_style(Rect::new(*x, *y, *columns, 1).intersection(area), *style);
        if *x < width && *y < height {
            buffer.set_string(*x, *y, text, *style);
        }
    }
    buffer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn the_terminal_shows_what_was_drawn_after_every_frame(
        frames in proptest::collection::vec(strokes(), 1..5),
        width in 1_u16..40,
        height in 1_u16..6,
        bce in any::<bool>(),
    ) {
        let erase = if bce { Erase::Background } else { Erase::Default };
        let mut replay = Replay::new(erase, width, height);
        for strokes in &frames {
            let buffer = drawn(width, height, strokes);
            replay.show(&buffer);
            replay.assert_shows(&buffer);
            prop_assert_eq!(replay.show(&buffer), 0, "showing the same again costs nothing");
        }
    }

    #[test]
    fn a_symbol_put_into_a_cell_by_hand_cannot_command(symbol in ".{0,12}", raw in proptest::collection::vec(any::<char>(), 0..8)) {
        for symbol in [symbol, String::from_iter(raw), "\u{1b}]52;c;eA==\u{7}".into(), format!("a{}", "\u{301}".repeat(9_999))] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
            buffer[(3, 0)].set_symbol(&symbol);
            let mut encoder = Encoder::new(Erase::Background, false);
            let sent = String::from_utf8(encoder.encode(&buffer, None).to_vec()).unwrap();
            let ours = sent.strip_prefix("\u{1b}[?2026h\u{1b}[m\u{1b}[2J").unwrap().strip_suffix("\u{1b}[?2026l").unwrap();
            let text = ours.strip_prefix("\u{1b}[1;4H").unwrap_or(ours);
            prop_assert!(!text.chars().any(text::is_forbidden), "{text:?}");
            prop_assert!(text.chars().count() <= CHARACTERS_MAX);
        }
    }
}

fn settled(erase: Erase, buffer: &Buffer) -> Encoder {
    let mut encoder = Encoder::new(erase, false);
    encoder.encode(buffer, None);
    encoder
}

#[test]
fn an_unchanged_frame_is_no_bytes() {
    let buffer = drawn(
        160,
        48,
        &[(3, 3, "checkout".into(), 30, Style::new().fg(Color::Red))],
    );
    assert_eq!(
        settled(Erase::Background, &buffer).encode(&buffer, None),
        b""
    );
}

#[test]
fn one_changed_cell_is_at_most_twelve_bytes() {
    let mut buffer = drawn(200, 60, &[]);
    let mut encoder = settled(Erase::Background, &buffer);
    buffer[(123, 45)].set_symbol("x");
    assert_eq!(encoder.encode(&buffer, None), b"\x1b[46;124Hx");
}

/// What a change to a quiet screen is sent as.
fn sent_for(change: impl FnOnce(&mut Buffer)) -> String {
    let text = "a clock, an age and words that reach from one edge to the other of a screen";
    let mut buffer = drawn(80, 2, &[(0, 0, text.into(), 80, Style::new())]);
    buffer.set_string(0, 1, text, Style::new());
    let mut encoder = settled(Erase::Background, &buffer);
    change(&mut buffer);
    String::from_utf8(encoder.encode(&buffer, None).to_vec()).unwrap()
}

fn is_held_together(sent: &str) -> bool {
    let marks = [
        sent.starts_with("\u{1b}[?2026h"),
        sent.ends_with("\u{1b}[?2026l"),
    ];
    assert_eq!(marks[0], marks[1], "{sent:?}");
    marks[0]
}

#[test]
fn a_few_characters_in_one_line_need_nothing_that_holds_them_together() {
    let second = sent_for(|buffer| {
        buffer[(12, 0)].set_symbol("7");
        buffer[(70, 0)].set_symbol("8");
    });
    assert!(!is_held_together(&second), "{second:?}");
    assert!(second.contains('7') && second.contains('8'), "{second:?}");
}

#[test]
fn what_could_be_seen_half_done_is_held_together() {
    let rows = sent_for(|buffer| {
        buffer[(12, 0)].set_symbol("7");
        buffer[(12, 1)].set_symbol("8");
    });
    assert!(is_held_together(&rows), "two rows: {rows:?}");
    let erased = sent_for(|buffer| {
        buffer.set_string(10, 0, " ".repeat(70), Style::new());
    });
    assert!(is_held_together(&erased), "erased: {erased:?}");
    let long = sent_for(|buffer| {
        buffer.set_string(0, 0, "x".repeat(AT_ONCE + 1), Style::new());
    });
    assert!(is_held_together(&long), "long: {long:?}");
    let short = sent_for(|buffer| {
        buffer.set_string(0, 0, "x".repeat(AT_ONCE / 2), Style::new());
    });
    assert!(!is_held_together(&short), "short: {short:?}");
}

#[test]
fn an_empty_stretch_is_erased_and_not_filled() {
    let quiet = Style::new().bg(Color::Indexed(235));
    let mut buffer = drawn(
        160,
        2,
        &[
            (0, 0, "a".into(), 40, quiet),
            (39, 0, "b".into(), 1, quiet),
            (0, 1, String::new(), 40, quiet),
        ],
    );
    let mut encoder = Encoder::new(Erase::Background, false);
    let sent = String::from_utf8(encoder.encode(&buffer, None).to_vec()).unwrap();
    assert!(sent.contains("a\u{1b}[38X\u{1b}[38Cb"), "{sent:?}");
    buffer.set_style(Rect::new(0, 1, 160, 1), quiet);
    let sent = String::from_utf8(encoder.encode(&buffer, None).to_vec()).unwrap();
    assert!(sent.ends_with("\u{1b}[K\u{1b}[?2026l"), "{sent:?}");
}

#[test]
fn a_terminal_that_erases_to_its_default_gets_spaces_on_a_background() {
    let quiet = Style::new().bg(Color::Indexed(235));
    let sent = Encoder::new(Erase::Default, false)
        .encode(&drawn(20, 1, &[(0, 0, String::new(), 20, quiet)]), None)
        .to_vec();
    assert!(String::from_utf8(sent).unwrap().contains(&" ".repeat(20)));
}

#[test]
fn terms_that_erase_with_the_background_are_known_by_name() {
    for term in [
        "xterm-256color",
        "alacritty",
        "xterm-kitty",
        "foot",
        "tmux-256color",
        "linux",
        "rxvt-unicode-256color",
    ] {
        assert_eq!(Erase::of_term(term), Erase::Background, "{term}");
    }
    for term in ["screen-256color", "vt100", "dumb", "", "eterm-color"] {
        assert_eq!(Erase::of_term(term), Erase::Default, "{term}");
    }
}

#[test]
fn a_short_gap_is_written_again_instead_of_jumped_over() {
    let mut buffer = drawn(40, 1, &[(0, 0, "12:00:00".into(), 8, Style::new())]);
    let mut encoder = settled(Erase::Background, &buffer);
    buffer[(4, 0)].set_symbol("5");
    buffer[(7, 0)].set_symbol("7");
    let sent = String::from_utf8(encoder.encode(&buffer, None).to_vec()).unwrap();
    assert!(sent.contains("5:07"), "{sent:?}");
}

#[test]
fn the_cursor_is_shown_where_it_is_wanted_and_costs_nothing_when_it_stays() {
    let buffer = drawn(40, 3, &[]);
    let mut encoder = settled(Erase::Background, &buffer);
    let place = Some(Position { x: 4, y: 1 });
    assert_eq!(
        encoder.encode(&buffer, place),
        b"\x1b[?2026h\x1b[2;5H\x1b[?25h\x1b[?2026l"
    );
    assert_eq!(encoder.encode(&buffer, place), b"");
    assert_eq!(
        encoder.encode(&buffer, None),
        b"\x1b[?2026h\x1b[?25l\x1b[?2026l"
    );
}

#[test]
fn a_resize_or_a_foreign_hand_on_the_screen_repaints_everything() {
    let style = Style::new().fg(Color::Red).bg(Color::Indexed(235));
    let mut replay = Replay::new(Erase::Background, 30, 4);
    let buffer = drawn(30, 4, &[(2, 1, "checkout 東京".into(), 20, style)]);
    replay.show(&buffer);
    replay
        .screen
        .process(b"\x1b[H\x1b[7mwarning: smeared\x1b[m\x1b[2;3Hxx");
    replay.encoder.forget();
    replay.show(&buffer);
    replay.assert_shows(&buffer);
    let smaller = drawn(12, 2, &[(2, 1, "checkout".into(), 20, style)]);
    replay
        .screen
        .screen_mut()
        .set_size(NonZeroU16::new(2).unwrap(), NonZeroU16::new(12).unwrap());
    replay.show(&smaller);
    replay.assert_shows(&smaller);
}

/// A table as the Board draws it: five columns in five colours, the selected row on its own background.
fn table(selected: u16, paint: fn(u8, u8, u8) -> Color) -> Buffer {
    let text = paint(0xc8, 0xd0, 0xda);
    let columns = [
        (2, "checkout", text),
        (24, "prod-eu", paint(0x9a, 0xa5, 0xb3)),
        (40, "v1.9.2", text),
        (60, "waits for you 12m", paint(0xe6, 0xb4, 0x5c)),
        (110, "step 4 of 13", paint(0x7f, 0x8b, 0x99)),
    ];
    let area = Rect::new(0, 0, 160, 48);
    let mut buffer = Buffer::empty(area);
    buffer.set_style(area, Style::new().fg(text).bg(paint(0x10, 0x13, 0x18)));
    for y in 4..44 {
        for (x, word, fg) in columns {
            buffer.set_string(x, y, word, Style::new().fg(fg));
        }
    }
    buffer.set_style(
        Rect::new(0, selected, 160, 1),
        Style::new().bg(paint(0x1b, 0x22, 0x30)),
    );
    buffer
}

fn indexed(r: u8, _: u8, _: u8) -> Color {
    Color::Indexed(r | 0x80)
}

#[test]
fn moving_the_selection_by_a_row_costs_little() {
    for (name, paint, bound) in [
        ("256", indexed as fn(u8, u8, u8) -> Color, 300),
        ("true colour", Color::Rgb, 400),
    ] {
        let mut encoder = settled(Erase::Background, &table(10, paint));
        let bytes = encoder.encode(&table(11, paint), None).len();
        println!("selection down, {name}: {bytes} bytes");
        assert!(bytes <= bound, "{name}: {bytes} bytes");
    }
}
