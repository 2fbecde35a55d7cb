//! Where a request may go: under the base address, along a link of the same origin, or elsewhere without a credential.
//! Pure. Refuses whatever would carry a token to a place that it is not for.

use reqwest::Url;

use super::{connection::is_loopback, trouble::Why};
use crate::model::text::{Safe, sanitise, sanitise_line};

/// The base address, its name, and what is written before a path.
pub(super) fn base(text: &str, with_credential: bool) -> Result<(Url, Safe, String), Why> {
    let url = Url::parse(text.trim()).map_err(|error| request(&format!("{error}: {text}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(request("its address is not an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(request(
            "its address holds a user or a password; name where the secret is instead",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(request("its address has a query or a fragment"));
    }
    if with_credential && url.scheme() == "http" && !is_loopback(&url) {
        return Err(request(
            "a token is never sent over plain http, except on this machine; use https",
        ));
    }
    let name = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let prefix = url.as_str().trim_end_matches('/').to_owned();
    Ok((url, sanitise_line(&name, 120), prefix))
}

pub(super) fn under(prefix: &str, path_and_query: &str) -> Result<Url, Why> {
    if !path_and_query.starts_with('/') {
        return Err(request("its path does not begin with a slash"));
    }
    let url = Url::parse(&format!("{prefix}{path_and_query}"))
        .map_err(|error| request(&error.to_string()))?;
    // A name from outside must not climb in the path, nor out of the prefix: parsing has resolved what would.
    let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
    let climbs = path.split('/').any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    });
    if climbs || path.contains('\\') || !url.as_str().starts_with(prefix) {
        return Err(request("its path leads elsewhere"));
    }
    Ok(url)
}

pub(super) fn same_origin(base: &Url, link: &str) -> Result<Url, Why> {
    let url = base
        .join(link)
        .map_err(|_| request("a link of it is no URL"))?;
    if url.origin() != base.origin() || !url.username().is_empty() || url.password().is_some() {
        return Err(request(
            "a link of it leads to another origin, where the token must not go",
        ));
    }
    Ok(url)
}

pub(super) fn elsewhere(base: &Url, location: &str) -> Result<Url, Why> {
    let url = base
        .join(location)
        .map_err(|_| request("it was sent on to what is no URL"))?;
    // A host on the net must not make us ask this machine.
    let loopback = is_loopback(&url);
    let may = match url.scheme() {
        "https" => !loopback || is_loopback(base),
        "http" => loopback && is_loopback(base),
        _ => false,
    };
    if may && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(request(
            "it was sent on to a place that is not asked (plain http, this machine, or a user in the address)",
        ))
    }
}

fn request(why: &str) -> Why {
    Why::Request { why: sanitise(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_plain_http_to_this_machine_only() {
        for good in [
            "https://api.github.com",
            "http://127.0.0.1:8080/api/v3/",
            "http://localhost:1",
            "http://[::1]:9",
        ] {
            assert!(base(good, true).is_ok(), "{good}");
        }
        for bad in [
            "http://github.example",
            "http://10.0.0.1/",
            "http://127.0.0.1.evil.example",
            "ftp://x",
            "https://u:p@x",
            "https://x/?token=1",
        ] {
            assert!(base(bad, true).is_err(), "{bad}");
        }
        assert!(base("http://prometheus.monitoring:9090", false).is_ok());
    }

    #[test]
    fn a_path_stays_under_its_prefix() {
        let (_, _, prefix) = base("https://ghe.example/api/v3/", true).expect("good");
        assert_eq!(prefix, "https://ghe.example/api/v3");
        assert_eq!(
            under(&prefix, "/repos/a/b?x=1").expect("good").as_str(),
            "https://ghe.example/api/v3/repos/a/b?x=1"
        );
        for bad in ["repos", "/../x", "/repos/%2e%2e/%2e%2e/%2e%2e/x", "/a/../b"] {
            assert!(under(&prefix, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_link_stays_with_its_origin() {
        let (url, _, _) = base("https://api.github.com", true).expect("good");
        let link = "https://api.github.com/repositories/515435940/issues?per_page=3&page=2";
        assert_eq!(same_origin(&url, link).expect("good").as_str(), link);
        for bad in [
            "https://evil.example/x",
            "http://api.github.com/x",
            "https://api.github.com:444/x",
            "//evil.example/x",
            "https://u@api.github.com/x",
        ] {
            assert!(same_origin(&url, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_does_not_lead_to_this_machine() {
        let (far, _, _) = base("https://api.github.com", true).expect("good");
        assert!(elsewhere(&far, "https://blob.example/log?sig=1").is_ok());
        assert!(elsewhere(&far, "http://blob.example/log").is_err());
        assert!(elsewhere(&far, "http://127.0.0.1/log").is_err());
        assert!(elsewhere(&far, "https://localhost/log").is_err());
        let (near, _, _) = base("http://127.0.0.1:1", true).expect("good");
        assert!(elsewhere(&near, "http://127.0.0.1:2/log").is_ok());
    }
}
