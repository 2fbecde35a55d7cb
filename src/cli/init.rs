//! `config init`: a first configuration from what can be found: contexts, ingresses of metrics and alerts, a login of
//! GitHub, the repository one stands in. Only what answered is written as it is; the rest is written down as a comment
//! with the reason. Never overwrites a file, and writes no secret.

use std::{fmt::Write as _, io::Write as _, path::PathBuf, process::Stdio, time::Duration};

use serde_json::Value;

use super::{args::Global, exit::Exit, out::Out};
use crate::{
    config,
    model::{
        id::SourceId,
        pipeline::Repository,
        text::{Safe, sanitise_line},
    },
    providers::{
        alertmanager, github,
        http::{Credential, Limits, Server, Setup},
        kubernetes::client::ApiPath,
        prometheus,
    },
    runtime::{
        clock,
        session::{Session, Variables, Wanted},
    },
};

/// Each thing that is asked has so long to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that was found somewhere.
struct Found {
    url: String,
    /// Where it was found: `Ingress monitoring/prometheus`.
    at: String,
    /// `Err`: why it is only a comment.
    answers: Result<Safe, String>,
}

pub(super) async fn run(
    global: &Global,
    print: bool,
    variables: Variables<'_>,
    out: &mut Out,
) -> Exit {
    let Some(path) = global.config.clone().or_else(|| config::path(variables)) else {
        return out.fail(
            Exit::Usage,
            "there is no place for a configuration: set WINDLASS_CONFIG, or HOME",
        );
    };
    if !print && path.exists() {
        let why = format!(
            "{} exists already and is left as it is; windlass config init --print shows what would be written",
            path.display()
        );
        return out.fail(Exit::Usage, &why);
    }
    let text = match compose(global, variables).await {
        Ok(text) => text,
        Err(why) => return out.fail(Exit::Usage, &why),
    };
    if let Err(problems) = config::parse(&text, "what was found") {
        return out.fail(Exit::Internal, &problems.to_string());
    }
    if print {
        out.line(text.trim_end());
        return Exit::Done;
    }
    match write(&path, &text) {
        Ok(()) => {
            out.line(&format!("wrote {}", path.display()));
            out.note("windlass doctor says whether everything in it answers");
            Exit::Done
        }
        Err(why) => out.fail(
            Exit::Internal,
            &format!("{} cannot be written: {why}", path.display()),
        ),
    }
}

/// Only where nothing is: another program may have written it meanwhile.
fn write(path: &PathBuf, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

async fn compose(global: &Global, variables: Variables<'_>) -> Result<String, String> {
    // What is configured already is not asked: an empty configuration, and not a file of a name that others could guess
    // and put a link at.
    let wanted = Wanted {
        config: Some(PathBuf::from("/dev/null")),
        read_only: true,
        ..global.wanted()
    };
    let session = Session::open(&wanted, variables);
    let session = session.map_err(|wrong| wrong.0)?;
    let mut text = String::from(
        "# The first configuration of windlass, from what was found. `windlass config sample` shows every key,\n\
         # `windlass doctor` says what answers.\n",
    );
    for ready in &session.environments {
        let name = ready.name.as_str();
        let _ = writeln!(text, "\n[environments.{}]", key(name));
        let _ = writeln!(text, "context = {}", quoted(&ready.context));
        text.push_str(
            "# How much ceremony an action needs: dev, staging or prod.\ntier = \"prod\"\n",
        );
        let (metrics, alerts, why) = match &ready.cluster {
            Ok(cluster) => servers(&cluster.client, variables).await,
            Err(why) => (None, None, Some(why.to_string())),
        };
        if let Some(why) = why {
            let _ = writeln!(
                text,
                "# Its ingresses could not be read: {}",
                one_line(&why)
            );
        }
        put(
            &mut text,
            "prometheus",
            metrics,
            "https://prometheus.example",
        );
        put(
            &mut text,
            "alertmanager",
            alerts,
            "https://alertmanager.example",
        );
    }
    text.push_str(&code_host(variables).await);
    Ok(text)
}

fn put(text: &mut String, name: &str, found: Option<Found>, example: &str) {
    match found {
        Some(Found {
            url,
            at,
            answers: Ok(server),
        }) => {
            let _ = writeln!(text, "# {at}, answers as {}", one_line(&server));
            let _ = writeln!(text, "{name} = {{ url = {} }}", quoted(&url));
        }
        Some(Found {
            url,
            at,
            answers: Err(why),
        }) => {
            let _ = writeln!(text, "# {at}, but: {}", one_line(&why));
            let _ = writeln!(
                text,
                "#{name} = {{ url = {}, token = {{ env = \"TOKEN\" }} }}",
                quoted(&url)
            );
        }
        None => {
            let _ = writeln!(
                text,
                "# None was found:\n#{name} = {{ url = \"{example}\" }}"
            );
        }
    }
}

/// Metrics and alerts: named by a variable, else by an ingress whose service is called so.
async fn servers(
    client: &crate::providers::kubernetes::client::Client,
    variables: Variables<'_>,
) -> (Option<Found>, Option<Found>, Option<String>) {
    let path = ApiPath::new(&["apis", "networking.k8s.io", "v1", "ingresses"]);
    let (ingresses, why) = match tokio::time::timeout(PATIENCE, client.get::<Value>(&path)).await {
        Ok(Ok(list)) => (hosts(&list), None),
        Ok(Err(error)) => (Vec::new(), Some(error.sentence().to_string())),
        Err(_) => (Vec::new(), Some("no answer in time".to_owned())),
    };
    let candidate = |variable: &str, service: &str| {
        let named = variables(variable)
            .filter(|url| !url.trim().is_empty())
            .map(|url| (url.trim().to_owned(), format!("From {variable}")));
        named.or_else(|| {
            ingresses
                .iter()
                .find(|(backend, ..)| backend.contains(service))
                .map(|(_, url, at)| (url.clone(), at.clone()))
        })
    };
    let mut metrics = None;
    if let Some((url, at)) = candidate("PROMETHEUS_URL", "prometheus") {
        let answers = is_prometheus(&url).await;
        metrics = Some(Found { url, at, answers });
    }
    let mut alerts = None;
    if let Some((url, at)) = candidate("ALERTMANAGER_URL", "alertmanager") {
        let answers = is_alertmanager(&url).await;
        alerts = Some(Found { url, at, answers });
    }
    (metrics, alerts, why)
}

/// Backend service, URL and name of every ingress rule with a host.
fn hosts(list: &Value) -> Vec<(String, String, String)> {
    let text = |value: Option<&Value>| {
        value
            .and_then(Value::as_str)
            .map(|text| sanitise_line(text, 253).to_string())
    };
    let mut all = Vec::new();
    for ingress in list
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let secure = ingress
            .pointer("/spec/tls")
            .and_then(Value::as_array)
            .is_some_and(|tls| !tls.is_empty());
        let name = format!(
            "Ingress {}/{}",
            text(ingress.pointer("/metadata/namespace")).unwrap_or_default(),
            text(ingress.pointer("/metadata/name")).unwrap_or_default()
        );
        for rule in ingress
            .pointer("/spec/rules")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(host) = text(rule.get("host")) else {
                continue;
            };
            for path in rule
                .pointer("/http/paths")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let Some(service) = text(path.pointer("/backend/service/name")) else {
                    continue;
                };
                let prefix = text(path.get("path")).unwrap_or_default();
                let url = format!(
                    "{}://{host}{}",
                    if secure { "https" } else { "http" },
                    prefix.trim_end_matches('/')
                );
                all.push((service, url, name.clone()));
            }
        }
    }
    all
}

fn server(url: &str) -> Result<Server, String> {
    Server::with(Setup {
        base: url.to_owned(),
        credential: Credential::None,
        headers: Vec::new(),
        authority: None,
        limits: Limits {
            total: PATIENCE,
            ..Limits::default()
        },
        clock: clock::shared(),
        variables: std::sync::Arc::new(|_| None),
    })
    .map_err(|trouble| trouble.sentence().to_string())
}

async fn is_prometheus(url: &str) -> Result<Safe, String> {
    let server = prometheus::read::Prometheus::new(SourceId::new("prometheus/init"), server(url)?);
    let known = server
        .meet()
        .await
        .map_err(|failure| failure.sentence.to_string())?;
    Ok(known.words.unwrap_or_else(|| "Prometheus".into()))
}

async fn is_alertmanager(url: &str) -> Result<Safe, String> {
    let server = alertmanager::read::Alertmanager::new(
        SourceId::new("alertmanager/init"),
        "init".into(),
        server(url)?,
    );
    alertmanager::read::silences_and_alerts(&server)
        .await
        .map(|_| "Alertmanager".into())
        .map_err(|trouble| trouble.sentence().to_string())
}

/// GitHub, and the repository that one stands in.
async fn code_host(variables: Variables<'_>) -> String {
    let mut text = String::new();
    let Ok(address) = github::host::Address::parse("github.com") else {
        return text;
    };
    let names = ["GH_TOKEN", "GITHUB_TOKEN"].map(|name| (name, variables(name)));
    let known: crate::providers::http::Variables = std::sync::Arc::new(move |name| {
        names
            .iter()
            .find(|(known, _)| *known == name)
            .and_then(|(_, value)| value.clone())
    });
    let login = tokio::time::timeout(PATIENCE, github::token::find(&address, None, &known)).await;
    match login {
        Ok(Ok(_)) => text.push_str("\n# A login was found: GH_TOKEN, GITHUB_TOKEN or gh.\n[sources.github]\nhost = \"github.com\"\n"),
        Ok(Err(none)) => {
            let _ = writeln!(text, "\n# {}\n#[sources.github]\n#host = \"github.com\"", one_line(&none.0));
        }
        Err(_) => text.push_str("\n# gh did not answer in time.\n#[sources.github]\n#host = \"github.com\"\n"),
    }
    match origin().await.and_then(|url| repository(&url)) {
        Some(repository) => {
            let service = repository.as_str().rsplit('/').next().unwrap_or_default();
            let _ = writeln!(
                text,
                "\n# The repository of this folder. Is the service called otherwise, change the name in the brackets.\n[services.{}]\nrepository = {}\n\
                 # The workflow that releases it, and the labels of its alerts:\n#workflow = \"release.yml\"\n#alerts = {{ service = {} }}",
                key(service),
                quoted(repository.as_str()),
                quoted(service)
            );
        }
        None => text.push_str(
            "\n# What belongs to every service that has no entry of its own:\n#[services.\"*\"]\n#repository = \"acme/{service}\"\n\
             #workflow = \"release.yml\"\n#alerts = { service = \"{service}\", namespace = \"{namespace}\" }\n",
        ),
    }
    text
}

async fn origin() -> Option<String> {
    let mut git = tokio::process::Command::new("git");
    git.args(["remote", "get-url", "origin"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, git.output())
        .await
        .ok()?
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `git@github.com:acme/checkout.git` and `https://github.com/acme/checkout`.
fn repository(url: &str) -> Option<Repository> {
    let rest = url
        .strip_prefix("git@github.com:")
        .or_else(|| url.split_once("github.com/").map(|(_, rest)| rest))?;
    Repository::new(rest.trim_end_matches('/').trim_end_matches(".git"))
}

/// A name as a key: bare where TOML allows it.
fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if bare { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn one_line(text: &str) -> Safe {
    sanitise_line(text, 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_of_a_remote_is_found_in_every_spelling() {
        for url in [
            "git@github.com:Acme/Checkout.git",
            "https://github.com/acme/checkout",
            "https://token@github.com/acme/checkout.git",
            "ssh://git@github.com/acme/checkout.git",
        ] {
            assert_eq!(
                repository(url).map(|found| found.to_string()),
                Some("acme/checkout".to_owned()),
                "{url}"
            );
        }
        assert_eq!(repository("git@gitlab.com:acme/checkout.git"), None);
    }

    #[test]
    fn an_ingress_tells_where_metrics_are() {
        let list = serde_json::json!({"items": [{
            "metadata": {"namespace": "monitoring", "name": "prom"},
            "spec": {"tls": [{}], "rules": [{"host": "p.example", "http": {"paths": [
                {"path": "/prom/", "backend": {"service": {"name": "prometheus-operated"}}},
            ]}}]},
        }]});
        assert_eq!(
            hosts(&list),
            [(
                "prometheus-operated".to_owned(),
                "https://p.example/prom".to_owned(),
                "Ingress monitoring/prom".to_owned()
            )]
        );
    }

    #[test]
    fn names_that_are_no_bare_keys_are_quoted() {
        assert_eq!(key("prod-eu"), "prod-eu");
        assert_eq!(key("arn:aws:eks"), "\"arn:aws:eks\"");
    }

    #[test]
    fn what_did_not_answer_is_only_a_comment() {
        let mut text = String::from("[environments.x]\n");
        let found = |answers| {
            Some(Found {
                url: "https://p.example".to_owned(),
                at: "Ingress a/b".to_owned(),
                answers,
            })
        };
        put(&mut text, "prometheus", found(Err("401".to_owned())), "");
        put(
            &mut text,
            "alertmanager",
            found(Ok("Alertmanager".into())),
            "",
        );
        let config = config::parse(&text, "x").expect("readable");
        let environment = config.environments.get("x").expect("there");
        assert!(environment.prometheus.is_none() && environment.alertmanager.is_some());
    }
}
