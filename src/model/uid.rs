//! The server's own identity of an object, kept in few bytes: there is one of every release and of every version of it.
//!
//! Owns how it is kept, which nobody else sees: what comes in is what comes out, letter by letter.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

/// The server's own identity of one object. Another object under the same name has another one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(Kept);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kept {
    /// As every API server makes them: a UUID in small letters.
    Uuid([u8; 16]),
    Text(Arc<str>),
}

/// Where a UUID has hyphens, in bytes of its number.
const HYPHENS: [usize; 4] = [4, 6, 8, 10];

impl Uid {
    pub fn new(text: &str) -> Self {
        Self(uuid(text).map_or_else(|| Kept::Text(Arc::from(text)), Kept::Uuid))
    }

    pub fn is(&self, text: &str) -> bool {
        match &self.0 {
            Kept::Uuid(number) => uuid(text).as_ref() == Some(number),
            Kept::Text(own) => **own == *text,
        }
    }
}

/// The number of a UUID; `None` for whatever would not be written back as it came.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let mut digits = text.bytes();
    let mut number = [0; 16];
    for (at, byte) in number.iter_mut().enumerate() {
        if HYPHENS.contains(&at) && digits.next()? != b'-' {
            return None;
        }
        *byte = digit(digits.next()?)? << 4 | digit(digits.next()?)?;
    }
    digits.next().is_none().then_some(number)
}

const fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kept::Uuid(number) => {
                for (at, byte) in number.iter().enumerate() {
                    if HYPHENS.contains(&at) {
                        f.write_str("-")?;
                    }
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
            Kept::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UUID: &str = "0f9c3a52-7b1e-4d88-a6c0-5e2f90d1b374";

    #[test]
    fn an_identity_is_written_back_letter_by_letter() {
        let capital = UUID.to_uppercase();
        let braced = format!("{{{UUID}}}");
        let long = format!("{UUID}0");
        let bare = UUID.replace('-', "");
        for text in [UUID, &capital, &braced, &long, &bare, "uid-1", ""] {
            let uid = Uid::new(text);
            assert_eq!(uid.to_string(), text);
            assert!(uid.is(text), "{text}");
            assert_eq!(serde_json::to_value(&uid).unwrap(), text);
        }
        assert!(!Uid::new(UUID).is(&capital));
        assert_ne!(Uid::new(UUID), Uid::new(&capital));
    }

    #[test]
    fn a_uuid_needs_no_text_of_its_own() {
        assert_eq!(size_of::<Uid>(), 24);
        assert!(matches!(Uid::new(UUID).0, Kept::Uuid(_)));
    }

    proptest! {
        #[test]
        fn whatever_a_server_says_comes_back(text in "[0-9a-fA-F-]{34,38}|.{0,40}") {
            prop_assert_eq!(Uid::new(&text).to_string(), text);
        }
    }
}
