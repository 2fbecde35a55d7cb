use proptest::prelude::*;

use super::*;

/// The forbidden set, written down again so that a hole in the code is not a hole in its test.
fn forbidden(c: char) -> bool {
    let code = u32::from(c);
    code < 0x20
        || (0x7f..=0x9f).contains(&code)
        || matches!(code, 0x061c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff)
        || (0xe0000..=0xe0fff).contains(&code)
        || (0xfe00..=0xfe0f).contains(&code)
}

fn assert_safe(text: &str, multi_line: bool) {
    let mut marks = 0;
    for c in text.chars() {
        assert!(
            !forbidden(c) || (multi_line && c == '\n'),
            "{c:?} survived in {text:?}"
        );
        let is_mark = c.width() == Some(0);
        marks = if is_mark { marks + 1 } else { 0 };
        assert!(
            marks <= 8,
            "more than eight marks on one character in {text:?}"
        );
    }
}

#[test]
fn plain_text_is_kept_as_it_is() {
    assert_eq!(sanitise("checkout v1.9.2 (42 %)"), "checkout v1.9.2 (42 %)");
    assert_eq!(sanitise("Grüße, 東京 ✓"), "Grüße, 東京 ✓");
    assert_eq!(sanitise(""), "");
}

#[test]
fn no_scalar_of_the_forbidden_set_survives() {
    let mut every = String::new();
    for c in '\0'..=char::MAX {
        every.clear();
        every.extend(['a', c, 'b']);
        assert_safe(&sanitise(&every), false);
        assert_safe(&sanitise_lines(&every), true);
    }
}

#[test]
fn escape_sequences_go_with_their_payload() {
    for (hostile, left) in [
        ("a\u{1b}[31mb", "ab"),
        ("a\u{1b}[2J\u{1b}[Hb", "ab"),
        ("a\u{9b}31mb", "ab"),
        ("a\u{1b}]52;c;cm0gLXJmIC8=\u{7}b", "ab"),
        ("a\u{1b}]0;title\u{1b}\\b", "ab"),
        ("a\u{9d}0;title\u{9c}b", "ab"),
        ("a\u{1b}Pq#0payload\u{1b}\\b", "ab"),
        ("a\u{90}payload\u{9c}b", "ab"),
        ("a\u{1b}_Gpayload\u{1b}\\b", "ab"),
        ("a\u{1b}^payload\u{1b}\\b", "ab"),
        ("a\u{1b}Xpayload\u{1b}\\b", "ab"),
        ("a\u{9f}payload\u{9c}b", "ab"),
        ("a\u{9e}payload\u{9c}b", "ab"),
        ("a\u{98}payload\u{9c}b", "ab"),
        ("a\u{1b}(0b", "ab"),
        ("a\u{1b}cb", "ab"),
        (
            "a\u{1b}]8;;https://evil.example\u{7}link\u{1b}]8;;\u{7}b",
            "alinkb",
        ),
    ] {
        assert_eq!(sanitise(hostile), left, "{hostile:?}");
    }
}

#[test]
fn an_unterminated_sequence_takes_nothing_along_but_its_own_line() {
    assert_eq!(sanitise("a\u{1b}]52;c;cm0gLXJmIC8="), "a");
    assert_eq!(sanitise("a\u{1b}["), "a");
    assert_eq!(sanitise("a\u{1b}"), "a");
    assert_eq!(sanitise("a\u{90}rest"), "a");
    assert_eq!(
        sanitise_lines("one\u{1b}]0;x\ntwo\u{1b}Pq\r\nthree"),
        "one\ntwo\nthree"
    );
}

#[test]
fn a_sequence_split_by_another_leaves_no_piece_behind() {
    assert_eq!(sanitise("a\u{1b}[3\u{1b}]0;t\u{7}1mb"), "a1mb");
    assert_eq!(sanitise("a\u{1b}]0;t\u{9b}31mb"), "ab");
}

#[test]
fn tabs_and_line_ends_become_one_space_in_a_line() {
    assert_eq!(sanitise("a\tb\r\nc\nd\u{2028}e\u{a0}f"), "a b c d e f");
}

#[test]
fn bidi_controls_and_invisible_characters_are_dropped() {
    assert_eq!(
        sanitise("prod\u{202e}ue-\u{2066}x\u{200b}\u{feff}\u{e0041}y"),
        "produe-xy"
    );
}

#[test]
fn at_most_two_marks_rest_on_a_character_and_none_on_nothing() {
    let zalgo = format!("e{}x", "\u{301}".repeat(10_000));
    assert_eq!(sanitise(&zalgo), "e\u{301}\u{301}x");
    assert_eq!(sanitise("\u{301}x"), "x");
    assert_eq!(
        sanitise("\u{1112}\u{1161}\u{11ab}"),
        "\u{1112}\u{1161}\u{11ab}",
        "a Hangul syllable stays whole"
    );
}

#[test]
fn a_text_that_is_too_long_ends_in_an_ellipsis() {
    assert_eq!(sanitise_line("abcdef", 6), "abcdef");
    assert_eq!(sanitise_line("abcdefg", 6), "abcde…");
    assert_eq!(sanitise_line("äbcdefg", 6), "äbcde…");
    assert_eq!(sanitise_line("abc", 0), "");
    assert_eq!(sanitise(&"x".repeat(300_000)).chars().count(), LINE_MAX);
    assert_eq!(
        sanitise_lines(&"x\n".repeat(300_000)).chars().count(),
        LINES_MAX
    );
}

#[test]
fn widths_are_those_of_the_screen() {
    for (text, cells) in [("abc", 3), ("東京", 4), ("e\u{301}", 1), ("", 0), ("ｶﾞ", 2)] {
        assert_eq!(width(text), cells, "{text}");
    }
}

#[test]
fn clipping_ends_in_an_ellipsis_and_never_splits_a_wide_character() {
    assert_eq!(clip("checkout", 8), "checkout");
    assert_eq!(clip("checkout", 6), "check…");
    assert_eq!(clip("東京都", 5), "東京…");
    assert_eq!(clip("東京都", 4), "東…");
    assert_eq!(clip("abc", 1), "…");
    assert_eq!(clip("abc", 0), "");
}

#[test]
fn clipping_in_the_middle_keeps_both_ends() {
    assert_eq!(clip_middle("checkout-canary-blue", 11), "check…-blue");
    assert_eq!(clip_middle("checkout", 8), "checkout");
    assert_eq!(clip_middle("checkout", 2), "…t");
    assert_eq!(clip_middle("checkout", 0), "");
    let one = clip_middle("a-very-long-service-name-that-ends-in-1", 20).into_owned();
    assert_ne!(
        one,
        clip_middle("a-very-long-service-name-that-ends-in-2", 20)
    );
}

/// Characters picked so that sequences, marks and separators meet often.
fn spiteful() -> impl Strategy<Value = String> {
    let nasty = prop_oneof![
        any::<char>(),
        proptest::sample::select(vec![
            '\u{1b}', '[', ']', 'P', '_', '^', 'X', '\\', '\u{7}', '\u{9b}', '\u{9c}', '\u{9d}',
            '\u{90}', '\u{18}', ';', '0', 'm', '\n', '\r', '\u{301}', '\u{202e}', '\u{200d}',
            '\u{7f}', '東',
        ]),
    ];
    proptest::collection::vec(nasty, 0..80).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn nothing_forbidden_survives_any_text(text in spiteful(), cap in 0_usize..100) {
        let line = sanitise_line(&text, cap);
        assert_safe(&line, false);
        prop_assert!(line.chars().count() <= cap);
        assert_safe(&sanitise_lines(&text), true);
    }

    #[test]
    fn nothing_forbidden_survives_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        assert_safe(&sanitise(&text), false);
        assert_safe(&sanitise_lines(&text), true);
    }

    #[test]
    fn sanitising_again_changes_nothing(text in spiteful()) {
        let once = sanitise(&text);
        prop_assert_eq!(sanitise(&once), once);
    }

    #[test]
    fn clipped_text_fits(text in spiteful(), cols in 0_usize..40) {
        let safe = sanitise(&text);
        prop_assert!(width(&clip(&safe, cols)) <= cols);
        prop_assert!(width(&clip_middle(&safe, cols)) <= cols);
    }
}
