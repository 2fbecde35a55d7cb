//! What this program asks and sends, against GitHub's description of its interface: the path and the method exist, each
//! parameter and field is one of theirs, and none that is required is missing.

use serde_json::Value;
use windlass::{
    model::pipeline::{Commit, Repository, RunId},
    providers::github::requests::{self, Decision, Write},
};

use super::{Report, json, root};

struct Description(Value);

impl Description {
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut value = value;
        while let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.trim_start_matches('#');
            value = self
                .0
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{reference}"));
        }
        value
    }

    /// The path of the description with the most literal parts that fits.
    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let of: Vec<&str> = template.split('/').collect();
            of.len() == parts.len()
                && of
                    .iter()
                    .zip(&parts)
                    .all(|(of, part)| of == part || (of.starts_with('{') && !part.is_empty()))
        };
        self.0["paths"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(template, _)| fits(template))
            .min_by_key(|(template, _)| template.matches('{').count())
            .and_then(|(_, operations)| operations.get(method))
    }

    fn check(&self, report: &mut Report, method: &str, path: &str, body: Option<&Value>) {
        let case = format!("{method} {path}");
        let (plain, query) = path.split_once('?').unwrap_or((path, ""));
        let Some(operation) = self.operation(&method.to_lowercase(), plain) else {
            report.check(&case, false, || "it is not described".to_owned());
            return;
        };
        let parameters: Vec<&Value> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| self.resolve(parameter))
            .collect();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known = parameters
                .iter()
                .find(|parameter| parameter["name"] == name && parameter["in"] == "query");
            report.check(&case, known.is_some(), || format!("no parameter {name}"));
            let words =
                known.and_then(|parameter| self.resolve(&parameter["schema"])["enum"].as_array());
            report.check(
                &case,
                words.is_none_or(|words| words.iter().any(|word| word == value)),
                || format!("{name} cannot be {value}"),
            );
        }
        self.check_body(report, &case, &operation["requestBody"], body);
    }

    fn check_body(&self, report: &mut Report, case: &str, described: &Value, body: Option<&Value>) {
        let described = self.resolve(described);
        let schema = &described["content"]["application/json"]["schema"];
        match body {
            None => report.check(case, described["required"] != true, || {
                "it needs a body".to_owned()
            }),
            Some(body) => {
                report.check(case, schema.is_object(), || "it takes no body".to_owned());
                if schema.is_object() {
                    let wrong = self.wrong(self.resolve(schema), body);
                    report.check(case, wrong.is_none(), || wrong.unwrap_or_default());
                }
            }
        }
    }

    /// What does not fit, by the few keywords that these bodies use.
    fn wrong(&self, schema: &Value, value: &Value) -> Option<String> {
        let fits = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("boolean") => value.is_boolean(),
            _ => true,
        };
        let may_be_null = value.is_null() && schema["nullable"] == true;
        if !fits && !may_be_null {
            return Some(format!("{value} is no {}", schema["type"]));
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            return Some(format!("{value} is none of {words:?}"));
        }
        if let Some(object) = value.as_object() {
            let required = schema["required"].as_array().into_iter().flatten();
            for name in required.filter_map(Value::as_str) {
                if !object.contains_key(name) {
                    return Some(format!("{name} is missing"));
                }
            }
            for (name, field) in object {
                let Some(schema) = schema["properties"].get(name) else {
                    return Some(format!("no field {name}"));
                };
                if let Some(wrong) = self.wrong(self.resolve(schema), field) {
                    return Some(format!("{name}: {wrong}"));
                }
            }
        }
        let items = schema.get("items").map(|items| self.resolve(items));
        value
            .as_array()
            .into_iter()
            .flatten()
            .find_map(|element| items.and_then(|items| self.wrong(items, element)))
    }
}

#[test]
fn everything_asked_and_sent_is_in_the_description() {
    let Some(root) = root() else { return };
    let file = root.join("github-openapi/github-rest.trimmed.openapi.json");
    let description = Description(json(&file));
    let mut report = Report::default();
    let repository = Repository::new("acme/checkout").unwrap();
    let run = RunId {
        repository: repository.clone(),
        number: 30_433_642_000,
    };
    let (from, to) = (
        Commit::new(&"a".repeat(40)).unwrap(),
        Commit::new(&"b".repeat(40)).unwrap(),
    );
    let writes = [
        requests::review(&run, &[161_088_068], Decision::Approve, "Ship it"),
        requests::review(&run, &[1, 2], Decision::Reject, ""),
        requests::rerun(&run),
        requests::rerun_failed(&run),
        requests::cancel(&run),
        requests::force_cancel(&run),
    ];
    for Write {
        method, path, body, ..
    } in &writes
    {
        description.check(&mut report, method.as_str(), path, body.as_ref());
    }
    let reads = [
        requests::USER.to_owned(),
        requests::VERSIONS.to_owned(),
        requests::run(&run),
        requests::jobs(&run, 2),
        requests::pending_deployments(&run),
        requests::approvals(&run),
        requests::runs(&repository, None, 20),
        requests::runs(&repository, Some("release.yml"), 20),
        requests::waiting_runs(&repository, None),
        requests::waiting_runs(&repository, Some("release.yml")),
        requests::job(&repository, 7),
        requests::job_log(&repository, 7),
        requests::environments(&repository),
        requests::deployments(&repository, "prod eu/west", 30),
        requests::deployment_statuses(&repository, 7),
        requests::compare(&repository, &from, &to),
    ];
    for path in &reads {
        description.check(&mut report, "GET", path, None);
    }
    report.finish("github-openapi requests", 50);
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let Some(root) = root() else { return };
    let file = root.join("github-openapi/github-rest.trimmed.openapi.json");
    let description = Description(json(&file));
    let path = "/repos/a/b/actions/runs/1/pending_deployments";
    let wrong = |method: &str, path: &str, body: Option<Value>| {
        let mut report = Report::default();
        description.check(&mut report, method, path, body.as_ref());
        !report.failures.is_empty()
    };
    let body = |text: &str| Some(serde_json::from_str::<Value>(text).unwrap());
    let good = r#"{"environment_ids":[1],"state":"approved","comment":""}"#;
    assert!(!wrong("POST", path, body(good)));
    for bad in [
        r#"{"environment_ids":[1],"state":"approved"}"#,
        r#"{"environment_ids":["1"],"state":"approved","comment":""}"#,
        r#"{"environment_ids":[1],"state":"maybe","comment":""}"#,
        r#"{"environment_ids":[1],"state":"approved","comment":"","attempt":1}"#,
    ] {
        assert!(wrong("POST", path, body(bad)), "{bad}");
    }
    assert!(wrong("POST", path, None));
    assert!(wrong("POST", "/repos/a/b/actions/runs/1/approves", None));
    assert!(wrong("GET", "/repos/a/b/deployments?enviroment=x", None));
    assert!(wrong(
        "GET",
        "/repos/a/b/actions/runs?status=sleeping",
        None
    ));
}
