use proptest::prelude::*;

use super::super::key::Focus;
use super::*;
use crate::runtime::terminal::key::{Mouse, MouseKind};

/// All that comes of `reads`, with silence after the last of them.
fn inputs(reads: &[&[u8]]) -> Vec<Input> {
    let mut parser = Parser::default();
    let mut inputs = Vec::new();
    for read in reads {
        parser.feed(read, &mut inputs);
    }
    if parser.patience().is_some() {
        parser.give_up(&mut inputs);
    }
    inputs
}

fn plain(code: Code) -> Input {
    Input::Key(Key::plain(code))
}

fn chars(text: &str) -> Vec<Input> {
    text.chars().map(|c| plain(Code::Char(c))).collect()
}

fn paste(text: &str) -> Input {
    Input::Paste(text::sanitise_lines(text))
}

#[test]
fn typed_characters_are_keys() {
    assert_eq!(inputs(&[b"jkG "]), chars("jkG "));
    assert_eq!(inputs(&["é東".as_bytes()]), chars("é東"));
    assert_eq!(
        inputs(&[b"\r\t\x7f\x08"]),
        [Code::Enter, Code::Tab, Code::Backspace, Code::Backspace].map(plain)
    );
}

#[test]
fn control_keys_carry_their_letter() {
    assert_eq!(
        inputs(&[b"\x03\x1a\x00\x1f"]),
        ['c', 'z', ' ', '_'].map(|c| Input::Key(Key::ctrl(c)))
    );
}

#[test]
fn sequences_of_every_dialect_are_known() {
    for (bytes, code) in [
        ("\x1b[A", Code::Up),
        ("\x1bOB", Code::Down),
        ("\x1b[H", Code::Home),
        ("\x1b[1~", Code::Home),
        ("\x1b[7~", Code::Home),
        ("\x1b[4~", Code::End),
        ("\x1b[3~", Code::Delete),
        ("\x1b[5~", Code::PageUp),
        ("\x1b[6~", Code::PageDown),
        ("\x1b[Z", Code::BackTab),
        ("\x1bOP", Code::F(1)),
        ("\x1b[[A", Code::F(1)),
        ("\x1b[11~", Code::F(1)),
        ("\x1b[15~", Code::F(5)),
        ("\x1b[17~", Code::F(6)),
        ("\x1b[21~", Code::F(10)),
        ("\x1b[24~", Code::F(12)),
        ("\x1b[27u", Code::Esc),
        ("\x1b[13u", Code::Enter),
        ("\x1b[97;2u", Code::Char('A')),
        ("\x1b[57400u", Code::Char('1')),
    ] {
        assert_eq!(inputs(&[bytes.as_bytes()]), [plain(code)], "{bytes:?}");
    }
}

#[test]
fn modifiers_are_read_in_all_their_forms() {
    let up = Key::plain(Code::Up);
    for (bytes, key) in [
        ("\x1b[1;5A", Key { ctrl: true, ..up }),
        ("\x1b[1;3A", Key { alt: true, ..up }),
        ("\x1b[1;2A", Key { shift: true, ..up }),
        ("\x1b[1;9A", Key { alt: true, ..up }),
        ("\x1b[102;5u", Key::ctrl('f')),
        ("\x1b[27;5;102~", Key::ctrl('f')),
        (
            "\x1b[121;1:2u",
            Key {
                repeat: true,
                ..Key::plain(Code::Char('y'))
            },
        ),
        (
            "\x1bY",
            Key {
                alt: true,
                ..Key::plain(Code::Char('Y'))
            },
        ),
        (
            "\x1b\r",
            Key {
                alt: true,
                ..Key::plain(Code::Enter)
            },
        ),
        (
            "\x1bé",
            Key {
                alt: true,
                ..Key::plain(Code::Char('é'))
            },
        ),
    ] {
        assert_eq!(inputs(&[bytes.as_bytes()]), [Input::Key(key)], "{bytes:?}");
    }
}

#[test]
fn releases_mouse_reports_and_answers_are_no_keys() {
    for bytes in [
        "\x1b[121;1:3u",
        "\x1b[<0;12;7m",
        "\x1b[<35;12;7M",
        "\x1b[M !!",
        "\x1b[?62;22c",
        "\x1b[24;80R",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1b]11;rgb:0000/0000/0000\x07",
        "\x1bP1$r0m\x1b\\",
        "\x1b[57441u",
        "\x1b[201~",
        "\u{202e}\u{200b}\u{85}",
    ] {
        assert_eq!(inputs(&[bytes.as_bytes(), b"q"]), chars("q"), "{bytes:?}");
    }
}

#[test]
fn a_sequence_split_over_reads_is_one_key() {
    for bytes in [
        "\x1b[1;5A",
        "\x1b[5~",
        "\x1bOP",
        "東",
        "\x1b[200~Y\r\x1b[201~",
    ] {
        let whole = inputs(&[bytes.as_bytes()]);
        let pieces: Vec<&[u8]> = bytes.as_bytes().chunks(1).collect();
        assert_eq!(inputs(&pieces), whole, "{bytes:?}");
        assert_eq!(whole.len(), 1, "{bytes:?}");
    }
}

#[test]
fn a_lone_escape_is_a_key_after_a_short_silence() {
    let mut parser = Parser::default();
    let mut seen = Vec::new();
    parser.feed(b"\x1b", &mut seen);
    assert_eq!(seen, []);
    assert!(
        parser
            .patience()
            .is_some_and(|patience| patience <= Duration::from_millis(50))
    );
    parser.give_up(&mut seen);
    assert_eq!(seen, [plain(Code::Esc)]);
    assert_eq!(parser.patience(), None);
    assert_eq!(inputs(&[b"\x1b\x1b"]), [plain(Code::Esc), plain(Code::Esc)]);
    assert_eq!(
        inputs(&[b"\x1b", b"\x1b[A"]),
        [plain(Code::Esc), plain(Code::Up)]
    );
}

#[test]
fn what_only_begins_a_sequence_is_the_key_that_it_can_be() {
    for (bytes, c) in [(b"\x1b[", '['), (b"\x1bO", 'O'), (b"\x1b]", ']')] {
        assert_eq!(
            inputs(&[bytes]),
            [Input::Key(Key::plain(Code::Char(c)).with_alt(true))]
        );
    }
    assert_eq!(inputs(&[b"\x1b[12;"]), []);
}

#[test]
fn a_torn_sequence_does_not_take_the_key_behind_it_along() {
    assert_eq!(inputs(&[b"\x1b[1;\x03"]), [Input::Key(Key::ctrl('c'))]);
    assert_eq!(inputs(&[b"\x1b[1;\x1b[A"]), [plain(Code::Up)]);
    assert_eq!(inputs(&[b"\xe6\x9dq"]), chars("q"));
    assert_eq!(inputs(&[b"\xff\xfeq"]), chars("q"));
    assert_eq!(
        inputs(&[b"\x1b]52;c;never ended\x03q"]),
        [vec![Input::Key(Key::ctrl('c'))], chars("q")].concat()
    );
}

#[test]
fn focus_is_told() {
    assert_eq!(
        inputs(&[b"\x1b[I\x1b[O"]),
        [Input::Focus(Focus::Gained), Input::Focus(Focus::Lost)]
    );
}

#[test]
fn a_paste_is_one_text_whatever_keys_are_in_it() {
    assert_eq!(
        inputs(&[b"\x1b[200~Y\rprod-eu\x1b[A\x03q\x1b[201~"]),
        [paste("Y\nprod-euq")]
    );
    assert_eq!(
        inputs(&[b"\x1b[200~a\x1b[20", b"1~b"]),
        [vec![paste("a")], chars("b")].concat()
    );
    assert_eq!(
        inputs(&[b"\x1b[200~\x1b[\x1b[201~q"]),
        [vec![paste("")], chars("q")].concat()
    );
    assert_eq!(inputs(&[b"\x1b[200~\x1b[201~"]), []);
}

#[test]
fn a_paste_is_kept_up_to_a_limit_and_none_of_the_rest_becomes_keys() {
    let mut bytes = b"\x1b[200~".to_vec();
    bytes.extend(b"P\n".repeat(100_000));
    bytes.extend(b"\x1b[201~");
    let seen = inputs(&[&bytes]);
    let [Input::Paste(text)] = seen.as_slice() else {
        panic!("{} inputs", seen.len())
    };
    assert_eq!(text.chars().count(), 64 * 1024);
    assert!(text.ends_with('…'));
}

#[test]
fn a_paste_that_never_ends_never_becomes_keys_and_is_left_by_escape_or_ctrl_c() {
    for (way_out, key) in [
        (&b"\x1b"[..], Key::plain(Code::Esc)),
        (b"\x03", Key::ctrl('c')),
    ] {
        let mut parser = Parser::default();
        let mut seen = Vec::new();
        parser.feed(b"\x1b[200~prod-eu", &mut seen);
        assert!(seen.is_empty());
        parser.give_up(&mut seen);
        assert_eq!(std::mem::take(&mut seen), [paste("prod-eu")]);
        assert_eq!(parser.patience(), None, "an idle terminal wakes nobody");
        parser.feed(b"Y", &mut seen);
        parser.feed(b"\r", &mut seen);
        assert!(
            seen.is_empty(),
            "the late rest of a paste is no key: {seen:?}"
        );
        parser.give_up(&mut seen);
        assert_eq!(std::mem::take(&mut seen), [paste("Y\n")]);
        parser.feed(way_out, &mut seen);
        if parser.patience().is_some() {
            parser.give_up(&mut seen);
        }
        assert_eq!(std::mem::take(&mut seen), [Input::Key(key)]);
        parser.feed(b"q", &mut seen);
        assert_eq!(seen, chars("q"));
    }
}

#[test]
fn a_stalled_paste_that_ends_after_all_gives_the_keys_back() {
    let mut parser = Parser::default();
    let mut seen = Vec::new();
    parser.feed(b"\x1b[200~one", &mut seen);
    parser.give_up(&mut seen);
    parser.feed(b"two\x1b[201~q", &mut seen);
    assert_eq!(
        seen,
        [vec![paste("one"), paste("two")], chars("q")].concat()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn no_bytes_make_it_panic_or_wait_for_ever(reads in proptest::collection::vec(
        proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(b"\x1b[]O~;:0127Mu\x9b\xe6".to_vec())], 0..40),
        0..12,
    )) {
        let mut parser = Parser::default();
        let mut seen = Vec::new();
        for read in &reads {
            parser.feed(read, &mut seen);
        }
        for _ in 0..3 {
            if parser.patience().is_some() {
                parser.give_up(&mut seen);
            }
        }
        prop_assert_eq!(parser.patience(), None);
    }

    #[test]
    fn reads_can_fall_anywhere(bytes in proptest::collection::vec(proptest::sample::select(b"\x1b[]O~;:0127ABu\xe6\x9d\xb1q\r".to_vec()), 0..60), cut in 0_usize..60) {
        let (one, two) = bytes.split_at(cut.min(bytes.len()));
        prop_assert_eq!(inputs(&[one, two]), inputs(&[&bytes]));
    }

    #[test]
    fn nothing_inside_a_paste_is_a_key(text in "[^\u{1b}]{0,200}", step in 1_usize..9) {
        let bytes = [b"\x1b[200~", text.as_bytes(), b"\x1b[201~"].concat();
        let reads: Vec<&[u8]> = bytes.chunks(step).collect();
        prop_assert!(inputs(&reads).iter().all(|input| matches!(input, Input::Paste(_))));
    }
}

#[test]
fn a_report_of_the_mouse_is_a_press_or_the_wheel_and_nothing_else() {
    let mouse = |kind, column, row| Input::Mouse(Mouse { kind, column, row });
    for (bytes, expected) in [
        (&b"\x1b[<0;1;1M"[..], vec![mouse(MouseKind::Press, 0, 0)]),
        (b"\x1b[<0;300;200M", vec![mouse(MouseKind::Press, 299, 199)]),
        (b"\x1b[<64;5;6M", vec![mouse(MouseKind::WheelUp, 4, 5)]),
        (b"\x1b[<65;5;6M", vec![mouse(MouseKind::WheelDown, 4, 5)]),
        // Released, another button, with Shift, moved, and what is no report at all.
        (b"\x1b[<0;5;6m", vec![]),
        (b"\x1b[<2;5;6M", vec![]),
        (b"\x1b[<4;5;6M", vec![]),
        (b"\x1b[<32;5;6M", vec![]),
        (b"\x1b[<0;0;6M", vec![]),
        (b"\x1b[<0;5M", vec![]),
        (b"\x1b[<0;5;6;7M", vec![]),
        (b"\x1b[<0;99999;6M", vec![]),
        (b"\x1b[<;;M", vec![]),
    ] {
        let mut parser = Parser::default();
        let mut inputs = Vec::new();
        parser.feed(bytes, &mut inputs);
        assert_eq!(inputs, expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}
