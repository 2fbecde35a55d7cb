//! Where a host's API is. Pure. The credential is not here.

use crate::model::text::{Safe, sanitise_line};

/// A host as a human names it, and its API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `github.com`, as `gh` knows it.
    pub name: Safe,
    /// The base of every path.
    pub api: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// github.com, and its tenants under ghe.com: the same program, the same variables for a token.
    Cloud,
    EnterpriseServer,
    /// This machine: a test, or the demo world. It gets only a token that was named for it.
    Loopback,
}

impl Address {
    /// A host's name, or the whole URL of its API.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_end_matches('/');
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme @ ("https" | "http"), rest)) => (Some(scheme), rest),
            Some((scheme, _)) => return Err(format!("{scheme}: a host speaks http or https")),
            None => (None, text),
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let lower = host.to_ascii_lowercase();
        let plain = !lower.is_empty()
            && lower.bytes().all(|b| {
                b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']')
            });
        if !plain {
            return Err(format!("{text:?} is not the name of a host"));
        }
        let (api, kind) = match (scheme, path) {
            _ if matches!(&*lower, "github.com" | "api.github.com" | "www.github.com") => {
                return Ok(Self {
                    name: sanitise_line("github.com", 64),
                    api: "https://api.github.com".to_owned(),
                    kind: Kind::Cloud,
                });
            }
            (Some("https") | None, "") if lower.ends_with(".ghe.com") => {
                let tenant = lower.strip_prefix("api.").unwrap_or(&lower).to_owned();
                return Ok(Self {
                    name: sanitise_line(&tenant, 200),
                    api: format!("https://api.{tenant}"),
                    kind: Kind::Cloud,
                });
            }
            (None, "") => (format!("https://{lower}/api/v3"), kind(&lower)),
            (None, _) => return Err(format!("{text:?} is not the name of a host")),
            (Some(_), _) => (text.to_owned(), kind(&lower)),
        };
        Ok(Self {
            name: sanitise_line(&lower, 200),
            api,
            kind,
        })
    }
}

fn kind(host: &str) -> Kind {
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or(six),
        None => host.split(':').next().unwrap_or(host),
    };
    let loopback = name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if loopback {
        Kind::Loopback
    } else {
        Kind::EnterpriseServer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_host_has_its_api() {
        for (text, name, api, kind) in [
            (
                "github.com",
                "github.com",
                "https://api.github.com",
                Kind::Cloud,
            ),
            (
                "https://github.com/",
                "github.com",
                "https://api.github.com",
                Kind::Cloud,
            ),
            (
                "Octo.GHE.com",
                "octo.ghe.com",
                "https://api.octo.ghe.com",
                Kind::Cloud,
            ),
            (
                "git.acme.example:8443",
                "git.acme.example:8443",
                "https://git.acme.example:8443/api/v3",
                Kind::EnterpriseServer,
            ),
            (
                "https://git.acme.example/api/v3/",
                "git.acme.example",
                "https://git.acme.example/api/v3",
                Kind::EnterpriseServer,
            ),
            (
                "http://127.0.0.1:4000/github",
                "127.0.0.1:4000",
                "http://127.0.0.1:4000/github",
                Kind::Loopback,
            ),
            (
                "http://[::1]:4000",
                "[::1]:4000",
                "http://[::1]:4000",
                Kind::Loopback,
            ),
        ] {
            let address = Address::parse(text).expect(text);
            assert_eq!(
                (&*address.name, &*address.api, address.kind),
                (name, api, kind)
            );
        }
        for bad in ["", "acme/checkout", "ftp://x", "user@host", "a b"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
