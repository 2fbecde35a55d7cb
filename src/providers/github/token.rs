//! Where the token of a host is: what the configuration names, then the variables that `gh` reads, then `gh` itself.
//! Finds the place only; the server fetches it when it is needed.

use super::host::{Address, Kind};
use crate::{
    config::SecretSource,
    model::text::{Safe, sanitise},
    providers::http::{Credential, Variables},
};

/// Why there is none, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoToken(pub Safe);

pub async fn find(
    address: &Address,
    configured: Option<&SecretSource>,
    variables: &Variables,
) -> Result<Credential, NoToken> {
    // What was named is meant: it is not replaced by another one because it fails.
    if let Some(source) = configured {
        return Ok(Credential::Bearer(source.clone()));
    }
    if address.kind == Kind::Loopback {
        return Ok(Credential::None);
    }
    let set = |name: &&str| variables(name).is_some_and(|value| !value.trim().is_empty());
    let names = variables_of(address.kind);
    if let Some(name) = names.iter().find(|name| set(name)) {
        return Ok(Credential::Bearer(SecretSource::Env((*name).to_owned())));
    }
    let gh = of_gh(&address.name);
    match gh.resolve(&**variables).await {
        Ok(_) => Ok(Credential::Bearer(gh)),
        Err(error) => Err(NoToken(sanitise(&format!(
            "no token for {host}: log in with `gh auth login --hostname {host}`, or set {first}, or name one in the configuration ({error})",
            host = address.name,
            first = names.first().copied().unwrap_or("GH_TOKEN"),
        )))),
    }
}

/// As `gh` reads them: a token for github.com must not go to another company's server.
const fn variables_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Cloud => &["GH_TOKEN", "GITHUB_TOKEN"],
        Kind::EnterpriseServer => &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"],
        Kind::Loopback => &[],
    }
}

fn of_gh(host: &str) -> SecretSource {
    SecretSource::Command(
        ["gh", "auth", "token", "--hostname", host]
            .map(str::to_owned)
            .to_vec(),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn set(names: &'static [(&'static str, &'static str)]) -> Variables {
        Arc::new(move |name| {
            let found = names.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    async fn found(host: &str, variables: Variables) -> SecretSource {
        let address = Address::parse(host).expect("a host");
        match find(&address, None, &variables).await {
            Ok(Credential::Bearer(source)) => source,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_configured_is_meant() {
        let address = Address::parse("github.com").expect("a host");
        let named = SecretSource::Env("OURS".to_owned());
        let all = set(&[("GH_TOKEN", "x")]);
        let found = find(&address, Some(&named), &all).await.expect("found");
        assert!(matches!(found, Credential::Bearer(source) if source == named));
    }

    #[tokio::test]
    async fn the_variables_are_ghs_and_each_is_for_its_own_hosts() {
        let all = || {
            set(&[
                ("GH_TOKEN", " "),
                ("GITHUB_TOKEN", "b"),
                ("GH_ENTERPRISE_TOKEN", "c"),
            ])
        };
        let env = |name: &str| SecretSource::Env(name.to_owned());
        assert_eq!(found("github.com", all()).await, env("GITHUB_TOKEN"));
        assert_eq!(found("octo.ghe.com", all()).await, env("GITHUB_TOKEN"));
        assert_eq!(
            found("git.acme.example", all()).await,
            env("GH_ENTERPRISE_TOKEN")
        );
    }

    #[tokio::test]
    async fn this_machine_gets_no_token_that_was_not_named_for_it() {
        let address = Address::parse("http://127.0.0.1:1").expect("a host");
        let all = set(&[("GH_TOKEN", "a"), ("GH_ENTERPRISE_TOKEN", "c")]);
        assert!(matches!(
            find(&address, None, &all).await,
            Ok(Credential::None)
        ));
    }
}
