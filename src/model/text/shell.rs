//! Text as one word of a POSIX shell, for commands that are shown to be copied. Owns the only quoting of such a command.
//! Must never let a name, a label or a comment from outside become a command, an option of its own or a second word.

/// Always quoted: for what people wrote.
pub fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Quoted where it would not be taken as it is: for names, which nearly never need it.
pub fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        shell_quoted(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_quotes() {
        assert_eq!(
            shell_quoted("it's $(id) `id` \"x\""),
            r#"'it'\''s $(id) `id` "x"'"#
        );
        assert_eq!(shell_word("x; id"), "'x; id'");
        assert_eq!(shell_word("a\nb"), "'a\nb'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("~root"), "'~root'");
        assert_eq!(shell_word("check-out.v2"), "check-out.v2");
    }
}
