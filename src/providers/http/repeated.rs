//! Servers repeat what they were sent, in words that go to the screen, into logs and into reports: our own token is taken
//! out of a refusal before anybody reads it. Pure. Must never be the only thing that keeps a token from being shown.

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};

/// A shorter one would be found in the middle of words.
const LEAST: usize = 8;

const INSTEAD: &[u8] = b"(our token)";

/// The same without the token, wherever it stands.
pub(crate) fn without(token: Option<&SecretString>, body: Bytes) -> Bytes {
    let Some(token) = token.map(|token| token.expose_secret().as_bytes()) else {
        return body;
    };
    let found = |rest: &[u8]| rest.windows(token.len()).position(|window| window == token);
    if token.len() < LEAST || found(&body).is_none() {
        return body;
    }
    let mut kept = Vec::with_capacity(body.len());
    let mut rest = &*body;
    while let Some(at) = found(rest) {
        let (before, after) = rest.split_at(at);
        kept.extend_from_slice(before);
        kept.extend_from_slice(INSTEAD);
        rest = after.split_at(token.len()).1;
    }
    kept.extend_from_slice(rest);
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_out_wherever_it_stands_and_nothing_else_is() {
        let token = SecretString::from("ghp_0123456789");
        let of = |text: &'static str| without(Some(&token), Bytes::from_static(text.as_bytes()));
        assert_eq!(
            of("ghp_0123456789, not ghp_0123456789!"),
            "(our token), not (our token)!"
        );
        assert_eq!(of("ghp_012345678"), "ghp_012345678");
        assert_eq!(of(""), "");
        let word = SecretString::from("demo");
        let body = Bytes::from_static(b"a democracy");
        assert_eq!(without(Some(&word), body.clone()), body);
        assert_eq!(without(None, body.clone()), body);
    }
}
