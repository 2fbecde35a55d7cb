//! An address that a terminal may be told of as a link: [`Address`] and the one door into it.
//!
//! An address comes from an annotation or from a server's answer, and is written into a sequence that the terminal obeys.
//! Owns the rule of what may stand there: the web and nothing else, printable ASCII without the semicolon that would end a
//! field, no login in front of the host (it deceives whoever reads it, and may be a secret), and a length that terminals
//! take. Must never shorten an address: a part of one leads elsewhere.

use std::fmt;

/// The longest that terminals take.
pub const LONGEST: usize = 2_083;

/// See the module's head.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(Box<str>);

impl Address {
    /// `None` where it is none that a terminal may be told of.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        // What is too long as it came does not become shorter.
        if text.len() > LONGEST || !leads_to_a_host(text) {
            return None;
        }
        let mut address = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'!'..=b'~' if byte != b';' => address.push(char::from(byte)),
                other => address.push_str(&format!("%{other:02X}")),
            }
        }
        (address.len() <= LONGEST).then(|| Self(address.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// `http` or `https`, and a host without a login. Anything else could be a command to whatever opens it.
fn leads_to_a_host(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let web = ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A backslash is a slash to browsers and a part of the login to others: the two would go to different hosts.
    web && !host.is_empty() && !host.contains(['@', '\\'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Option<String> {
        Address::new(text).map(|address| address.as_str().to_owned())
    }

    #[test]
    fn an_address_of_the_web_stays_as_it_is() {
        for text in [
            "https://github.com/acme/checkout/actions/runs/30433642",
            "http://127.0.0.1:9090/graph?g0.expr=up%7Bjob%3D%22a%22%7D&g0.tab=1",
            "HTTPS://grafana.example/d/1?var-service=checkout#panel",
        ] {
            assert_eq!(address(text).as_deref(), Some(text));
        }
        assert_eq!(
            address(" https://a.example/x\n").as_deref(),
            Some("https://a.example/x")
        );
    }

    #[test]
    fn anything_that_is_not_the_web_is_no_address() {
        for text in [
            "",
            "https://",
            "https:///etc/passwd",
            "javascript:alert(1)",
            "javascript://x.example/%0Aalert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "ssh://host.example",
            "vscode://file/x",
            "//evil.example",
            "/runbook",
            "github.com/acme",
            "x https://a.example",
        ] {
            assert_eq!(address(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_login_in_front_of_the_host_is_refused_and_an_at_sign_behind_it_is_not() {
        for text in [
            "https://github.com@evil.example/",
            "https://user:secret@host.example/x",
            "https://github.com\\@evil.example",
            "https://github.com\\.evil.example",
        ] {
            assert_eq!(address(text), None, "{text:?}");
        }
        assert_eq!(
            address("https://a.example/@acme/x").as_deref(),
            Some("https://a.example/@acme/x")
        );
    }

    #[test]
    fn what_would_command_or_end_a_field_is_written_by_number() {
        assert_eq!(
            address("https://a.example/\u{1b}]8;;\u{7}x y\u{202e}ü").as_deref(),
            Some("https://a.example/%1B]8%3B%3B%07x%20y%E2%80%AE%C3%BC")
        );
    }

    #[test]
    fn one_that_is_too_long_is_none_rather_than_a_part_of_it() {
        let long = |path: usize| format!("https://a.example/{}", "x".repeat(path));
        let most = LONGEST - long(0).len();
        assert_eq!(address(&long(most)).unwrap().len(), LONGEST);
        assert_eq!(address(&long(most + 1)), None);
        // It fits as it came, and not as it would be written.
        assert_eq!(address(&format!("{};", long(most - 1))), None);
    }

    proptest! {
        #[test]
        fn nothing_in_an_address_can_end_it_or_command(
            text in "(https?://)?[a-z.@]{0,12}.{0,60}",
            raw in proptest::collection::vec(any::<char>(), 0..20),
        ) {
            let raw: String = raw.into_iter().collect();
            for text in [text.clone(), raw.clone(), format!("https://a.example/{text}{raw}")] {
                if let Some(address) = address(&text) {
                    prop_assert!(address.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b';'), "{address:?}");
                    prop_assert!(address.len() <= LONGEST);
                    let scheme = address.split("://").next().unwrap().to_ascii_lowercase();
                    prop_assert!(scheme == "http" || scheme == "https", "{address:?}");
                }
            }
        }
    }
}
