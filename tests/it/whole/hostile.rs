//! Text from outside reaches the terminal as text: no escape sequence, no control character, nothing that turns a line
//! around, from wherever it came.

use super::shop::Shop;
use crate::screen::harness::{Windlass, text_of};

/// The basic strings of TOML take such characters by number.
const HOSTILE: &str = r#"
about = "an alert that attacks the terminal"
environment = "prod-eu"
[[namespace]]
name = "shop"
[[service]]
name = "checkout"
namespace = "shop"
kind = "deployment"
story = [
  { ago = "9d", release = { version = "v2.28.0" } },
  { ago = "6d", release = { version = "v2.29.0" } },
  { ago = "2d", release = { version = "v2.30.4" } },
  { ago = "34m", pipeline = { version = "v2.31.0", waits = "prod-eu" } },
  { ago = "9m", alert = { name = "Hostile", severity = "critical", summary = "ATTACK \u001b[2J\u001b]0;owned\u0007\u009b31m\u202etxt\u0000\r\nsecond\u2066 line", labels = { note = "x\u001b[?1049l\u001b]52;c;b3duZWQ=\u0007y" } } },
]
"#;

/// What nothing of ours ever writes.
fn assert_harmless(windlass: &Windlass) {
    let raw = windlass.raw();
    let text = String::from_utf8_lossy(&raw);
    for hostile in [
        "\x1b[2J\x1b]0;",
        "\x1b]0;owned",
        "\x1b]52;c;b3duZWQ=",
        "\x07",
        "\u{9b}",
        "\u{202e}",
        "\u{2066}",
        "\0",
    ] {
        assert!(!text.contains(hostile), "{hostile:?} reached the terminal");
    }
    // It did not leave the alternate screen either.
    windlass.screen(|screen| assert!(screen.alternate_screen()));
}

#[test]
fn what_an_alert_says_is_only_text() {
    let shop = Shop::told(HOSTILE);
    let mut windlass = shop.screen();
    windlass.until_live();
    windlass.until("ATTACK");
    windlass.key("\r");
    windlass.until("Story of this release");
    windlass.until("ATTACK");
    windlass.key("t");
    windlass.until("j k move    Esc leaves");
    windlass.key("\x1b");
    windlass.until_gone("j k move    Esc leaves");
    windlass.key("m");
    windlass.until("opens its plan");
    windlass.walk_to("▌   silence ");
    windlass.key("\r");
    // What is shown of it is not what it is, so what would be silenced could not be seen.
    windlass.until("a label of this alert holds characters that are not shown");
    windlass.key("3");
    windlass.until("acme/checkout #");
    windlass.key("a");
    windlass.until("Approve prod-eu of acme/checkout");
    windlass.until_screen("why it is typed", |screen| {
        text_of(screen).contains("an incident is open on it")
    });
    assert_harmless(&windlass);
}

#[test]
fn what_a_commit_says_is_only_text() {
    // One commit of checkout between the last two versions attacks the terminal.
    let shop = Shop::open("canary");
    let mut windlass = shop.screen();
    windlass.until_live();
    windlass.until("▌  checkout");
    windlass.key("\r");
    windlass.until("fix: quote what use");
    assert_harmless(&windlass);
}

#[test]
fn commands_print_it_as_text_too() {
    let shop = Shop::told(HOSTILE);
    for arguments in [
        &["status", "checkout"][..],
        &["status", "checkout", "--json"],
        &["status"],
        &["inbox"],
        &["doctor"],
    ] {
        let ran = shop.run(arguments);
        for text in [&ran.out, &ran.err] {
            let bad = text.chars().find(|c| {
                c.is_control() && *c != '\n'
                    || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            });
            assert_eq!(bad, None, "{arguments:?}: {text:?}");
        }
    }
}
