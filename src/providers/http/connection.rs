//! Connections: how each is built, and what a failure of one means. Only what the pool itself calls a failure to connect
//! is certainly before the first byte of a request.

use std::{error::Error as StdError, time::Duration};

use reqwest::{Client, Url, redirect, retry};

use super::trouble::Why;
use crate::model::text::sanitise;

/// An idle connection that a balancer closes meanwhile would cost the next request its answer.
const IDLE_KEPT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Connections are kept and used again.
    Reads,
    /// Each has a connection of its own. One kept from before may be dead without our knowing, and a write that meets
    /// it is "perhaps sent" although it never arrived.
    Writes,
}

pub(super) struct Building<'a> {
    pub(super) url: &'a Url,
    pub(super) connect: Duration,
    pub(super) authority: Option<&'a [u8]>,
}

impl Building<'_> {
    /// Without redirects, retries (its own policy repeats what a server may have seen) and unpacking.
    pub(super) fn client(&self, used: Use) -> Result<Client, Why> {
        // The library panics where no provider is chosen. Somebody else may have chosen one at the same moment, which
        // is as good.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut builder = Client::builder()
            .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(self.connect)
            .pool_idle_timeout(IDLE_KEPT);
        if used == Use::Writes {
            builder = builder.pool_max_idle_per_host(0);
        }
        if is_loopback(self.url) {
            // A proxy from the environment would get the request, and the token in it.
            builder = builder.no_proxy();
        }
        if self.url.scheme() == "http" {
            // Without certificate authorities on the machine the library builds no client, not even for plain http.
            builder = builder.tls_certs_only([]);
        } else if let Some(pem) = self.authority {
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| request(&error.without_url()))?;
            builder = builder.tls_certs_only(certificates);
        }
        builder.build().map_err(|error| request(&error))
    }
}

/// `localhost` by name, and the addresses that never leave the machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// A failure before the head of an answer.
pub(super) fn failed(error: reqwest::Error) -> Why {
    // Its words hold the whole URL otherwise.
    let error = error.without_url();
    if error.is_connect() {
        return Why::Unreachable {
            why: sanitise(&connect_words(&error)),
        };
    }
    if error.is_builder() {
        return request(&error);
    }
    lost(&error)
}

pub(super) fn lost(error: &reqwest::Error) -> Why {
    let words = chain(error);
    let why = words.last().map_or("no reason is known", String::as_str);
    // rustls and hyper explain at length, and with a link, that the other side hung up.
    let hung_up = [
        "close_notify",
        "message completed",
        "end of file",
        "unexpected EOF",
    ];
    let why = if hung_up.iter().any(|words| why.contains(words)) {
        "the server hung up"
    } else {
        why
    };
    Why::Lost { why: sanitise(why) }
}

fn request(error: &reqwest::Error) -> Why {
    Why::Request {
        why: sanitise(&chain(error).join(": ")),
    }
}

/// The causes from the outside in, without the outermost: it says only that a request failed.
fn chain(error: &reqwest::Error) -> Vec<String> {
    let mut words = Vec::new();
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    let own = words.remove(0);
    words.retain(|word| !word.starts_with("client error") && !word.starts_with("error reading"));
    words.dedup();
    if words.is_empty() {
        words.push(own);
    }
    words
}

fn connect_words(error: &reqwest::Error) -> String {
    let said = chain(error).join(": ");
    if error.is_timeout() || said.contains("deadline has elapsed") {
        return "no connection in time; check the network, the VPN and the address".to_owned();
    }
    let hint = if error.is_dns() {
        "its name cannot be found"
    } else if said.contains("UnknownIssuer") {
        "its certificate is not signed by an authority that is trusted here"
    } else if said.contains("NotValidForName") || said.contains("not valid for name") {
        "its certificate is for another name"
    } else if said.contains("Expired") || said.contains("expired") {
        "its certificate has expired (or the clock here is wrong)"
    } else {
        return said;
    };
    format!("{hint} ({said})")
}
