//! Provisional text safety; replaced by the full sanitiser when it lands.
use std::{fmt, ops::Deref};

/// Text that may be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Safe(Box<str>);

impl Deref for Safe {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub fn sanitise(text: &str) -> Safe {
    sanitise_line(text, 4096)
}

pub fn sanitise_line(text: &str, max: usize) -> Safe {
    Safe(
        text.chars()
            .filter(|c| !c.is_control())
            .take(max)
            .collect::<String>()
            .into(),
    )
}
