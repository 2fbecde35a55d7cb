//! What a text of the configuration has to be. Must never echo a text that may be a secret by mistake.

use crate::model::id::WorkloadKind;

use super::{
    describe::THEMES,
    near::nearest,
    workload::{self, Workload},
};

type Kept = Result<(), String>;

#[expect(clippy::unnecessary_wraps, reason = "a rule that anything keeps")]
pub(super) fn any(_: &str) -> Kept {
    Ok(())
}

pub(super) fn filled(text: &str) -> Kept {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return Err("it holds a control character".to_owned());
    }
    Ok(())
}

/// A theme's file is told by its slash or its ending, so that a slip in a theme's name is a slip, and not a file that
/// does not exist.
pub(super) fn is_theme_file(text: &str) -> bool {
    let ending = std::path::Path::new(text).extension();
    text.contains('/') || ending.is_some_and(|ending| ending == "toml")
}

pub(super) fn theme(text: &str) -> Kept {
    if is_theme_file(text) || THEMES.contains(&text) {
        return Ok(());
    }
    Err(format!(
        "there is no theme {text:?} (the name of a file of one's own ends with .toml); {}",
        known(text, THEMES)
    ))
}

/// `valid are a, b, c; did you mean "b"?`
pub(super) fn known(word: &str, words: &[&str]) -> String {
    let list = words.join(", ");
    match nearest(word, words.iter().copied()) {
        Some(near) => format!("valid are {list}; did you mean {near:?}?"),
        None => format!("valid are {list}"),
    }
}

/// The name of a variable. Does not repeat the text: whoever takes `env` for the place of the secret itself has just
/// written it here.
pub(super) fn variable(text: &str) -> Kept {
    let mut chars = text.chars();
    let begins = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if begins && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err(
        "the name of an environment variable is wanted (letters, digits and _), not the secret itself"
            .to_owned(),
    )
}

/// A name of the writer's own: it is typed to confirm, so it has no spaces and no letters that only look like others. (The
/// name of a context, slashes and colons included, may serve.)
pub(super) fn own_name(text: &str) -> Kept {
    filled(text)?;
    let plain = |c: char| c.is_ascii_graphic();
    if text.chars().all(plain) {
        return Ok(());
    }
    Err(format!("{text:?} is no name (ASCII without spaces)"))
}

/// A DNS label, as Kubernetes wants it of a namespace.
pub(super) fn namespace(text: &str) -> Kept {
    if workload::is_label(text) {
        return Ok(());
    }
    Err(format!(
        "{text:?} is no name of a namespace (lower-case letters, digits and -)"
    ))
}

pub(super) fn url(text: &str) -> Kept {
    let wrong = |says: &str| Err(says.to_owned());
    let Ok(uri) = text.parse::<http::Uri>() else {
        return wrong("an address is wanted, such as \"https://prometheus.example\"");
    };
    if !matches!(uri.scheme_str(), Some("https" | "http")) {
        return wrong(
            "an address with https:// or http:// is wanted, such as \"https://prometheus.example\"",
        );
    }
    // Checked before anything is shown: what stands before the @ is a password.
    if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
        return wrong("an address holds no user and no password; name a token beside it");
    }
    if uri.host().is_none_or(str::is_empty) {
        return wrong("the address names no host");
    }
    if uri.query().is_some() {
        return wrong("the address of the server is wanted, without a query");
    }
    Ok(())
}

/// Whether a token sent there could be read on the way.
pub(super) fn in_clear(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    uri.scheme_str() == Some("http") && !is_loopback(&uri)
}

fn is_loopback(uri: &http::Uri) -> bool {
    uri.host().is_some_and(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost"
            || bare
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    })
}

/// A name; on this machine the whole address too, for only there is it not always https: a tunnel, a stand-in, a test.
pub(super) fn host(text: &str) -> Kept {
    if text.contains("://") {
        let here = text.parse::<http::Uri>().is_ok_and(|uri| is_loopback(&uri));
        if here {
            return url(text);
        }
        return Err("the name of a host is wanted, without https://".to_owned());
    }
    let authority = text.parse::<http::uri::Authority>();
    if authority.is_ok_and(|a| a.as_str() == text && !text.contains('@') && !a.host().is_empty()) {
        return Ok(());
    }
    Err("the name of a host is wanted, such as \"github.com\"".to_owned())
}

pub(super) fn repository(text: &str) -> Kept {
    let parts: Vec<&str> = text.split('/').collect();
    let part = |part: &&str| {
        // In [services."*"] the names of the service and its namespace may stand for themselves.
        let part = part.replace("{service}", "s").replace("{namespace}", "n");
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if parts.len() >= 2 && parts.iter().all(part) {
        return Ok(());
    }
    Err(format!(
        "owner/name is wanted, such as \"acme/checkout\", not {text:?}"
    ))
}

pub(super) fn workload(text: &str) -> Kept {
    text.parse::<Workload>()
        .map(|_| ())
        .map_err(|e| e.to_string())
}

/// The words of the four kinds.
pub(super) fn kinds() -> [&'static str; 4] {
    WorkloadKind::ALL.map(WorkloadKind::word)
}
