//! Building the world: plays each service's story through the controllers, from its first release to the opening, and
//! what is told for later when its time has come.
//!
//! So revisions, events, analysis runs and statuses come from the same code as everything later, and fit together.
//! Must never write a status itself.

mod shop;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::alarm::Alarms;
use super::clock::Moment;
use super::cluster::Cluster;
use super::controller::{self, pause_duration};
use super::json;
use super::kind::Kind;
use super::pipeline;
use super::scenario::{
    Act, Entry, Join, Pipeline, Release, Scenario, Service, What, When, Workload,
};
use super::script::{Script, Serves};
use super::store::Key;
use super::write::{self, Format, Subresource};

/// When a historical release is promoted to the end: late enough that its template has been seen.
const SHIPPED_AFTER: Duration = Duration::from_secs(20);

pub(super) fn build(scenario: &Scenario, opened: Timestamp, pace: f64, seed: u64) -> Cluster {
    let longest = scenario
        .services
        .iter()
        .flat_map(|service| &service.story)
        .filter_map(|entry| match entry.when {
            When::Ago(ago) => Some(ago.0),
            When::In(_) => None,
        })
        .max()
        .unwrap_or_default();
    let past = Moment::OPENING.before(longest + Duration::from_secs(3600));
    let mut cluster = Cluster::new(opened, pace, seed, past);
    cluster.alarms = Alarms::of(scenario);
    for namespace in &scenario.namespaces {
        declare_namespace(&mut cluster, &namespace.name);
        if namespace.read_only {
            cluster.sealed.insert(namespace.name.clone());
        }
    }
    let mut told: Vec<(Moment, Line)> = Vec::new();
    let first = scenario
        .services
        .iter()
        .position(|service| service.join != Join::Nothing);
    for (place, service) in scenario.services.iter().enumerate() {
        let service = Arc::new(service.clone());
        if service.join != Join::Nothing {
            shop::found(&mut cluster, scenario, &service, first == Some(place));
            shop::tell(&service, &mut told);
        }
        cluster.scripts.insert(
            (service.namespace.clone(), service.name.clone()),
            script(&service),
        );
        declare_templates(&mut cluster, &service);
        tell(&service, &mut told);
    }
    told.sort_by_key(|(at, _)| *at);
    let mut env = BTreeMap::new();
    let past = told.partition_point(|(at, _)| *at <= Moment::OPENING);
    let later = told.split_off(past);
    for (at, line) in told {
        cluster.advance(at);
        play(&mut cluster, &line, &mut env);
    }
    cluster.advance(Moment::OPENING);
    cluster.store.forget_history();
    let (times, lines): (Vec<Moment>, Vec<Line>) = later.into_iter().unzip();
    cluster.story = Story { lines, env };
    for (place, at) in times.into_iter().enumerate() {
        cluster.wake_story(place, at);
    }
    cluster
}

/// What is told of the time after the opening.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// In the order of their times.
    lines: Vec<Line>,
    env: Environment,
}

/// The time of a line has come.
pub(super) fn go_on(cluster: &mut Cluster, place: usize) {
    let Some(line) = cluster.story.lines.get(place).cloned() else {
        return;
    };
    let mut env = std::mem::take(&mut cluster.story.env);
    play(cluster, &line, &mut env);
    cluster.story.env = env;
}

/// One thing to do when its time has come.
#[derive(Clone, Debug)]
struct Line {
    service: Arc<Service>,
    what: Deed,
}

#[derive(Clone, Debug)]
enum Deed {
    Release(Release),
    Act(Act),
    /// The run of a version begins; the story releases it then.
    Begin(String, Moment),
    /// The run of a version begins, and will release it.
    Pipeline(Pipeline),
    /// Another run, of a branch.
    Ci(u64),
}

fn tell(service: &Arc<Service>, told: &mut Vec<(Moment, Line)>) {
    let line = |what: Deed| Line {
        service: Arc::clone(service),
        what,
    };
    for Entry { when, what } in &service.story {
        let at = when.moment();
        match what {
            What::Release(release) => {
                told.push((at, line(Deed::Release(release.clone()))));
                if !release.stays && matches!(when, When::Ago(_)) {
                    let promoted = line(Deed::Act(Act::PromoteFull));
                    told.push((at.after(SHIPPED_AFTER), promoted));
                }
            }
            What::Act(act) => told.push((at, line(Deed::Act(*act)))),
            What::Pipeline(_) | What::Alert(_) => {}
        }
    }
}

fn script(service: &Service) -> Script {
    let mut script = Script::default();
    if let Some(span) = service.ready_after {
        script.ready_after = span.0;
    }
    for entry in &service.story {
        let (version, verdict, serves) = match &entry.what {
            What::Release(told) => (
                &told.version,
                told.analysis,
                Serves::of(told.analysis, told.errors, told.slow, told.above),
            ),
            What::Pipeline(told) => (
                &told.version,
                told.analysis,
                Serves::of(told.analysis, told.errors, told.slow, told.above),
            ),
            What::Act(_) | What::Alert(_) => continue,
        };
        script.verdicts.insert(version.clone(), verdict);
        script.services.insert(version.clone(), serves);
    }
    script
}

fn declare_namespace(cluster: &mut Cluster, name: &str) {
    cluster.create(
        Kind::Namespace,
        json!({"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}),
    );
}

fn declare_templates(cluster: &mut Cluster, service: &Service) {
    for name in service
        .steps
        .iter()
        .filter_map(|step| step.strip_prefix("analysis "))
    {
        let key = Key::new(Kind::AnalysisTemplate, &service.namespace, name);
        if cluster.store.get(&key).is_none() {
            let template = controller::analysis_template(&service.namespace, name, "60s", Some(5));
            cluster.create(Kind::AnalysisTemplate, template);
        }
    }
}

type Environment = BTreeMap<(String, String), BTreeMap<String, String>>;

fn play(cluster: &mut Cluster, line: &Line, env: &mut Environment) {
    let service = &*line.service;
    let key = Key::new(kind(service.kind), &service.namespace, &service.name);
    match &line.what {
        Deed::Release(release) => {
            let env = env
                .entry((service.namespace.clone(), service.name.clone()))
                .or_default();
            env.extend(release.env.clone());
            let template = template(service, &release.version, env);
            cluster
                .pipelines
                .keep_template(&service.name, &release.version, template.clone());
            if cluster.store.get(&key).is_none() {
                cluster.create(key.kind, workload(service, &template));
            } else {
                cluster.edit(&key, |value| {
                    json::set(value, &["spec", "template"], template);
                });
            }
        }
        Deed::Act(act) if key.kind == Kind::Rollout => play_act(cluster, &key, *act),
        Deed::Act(act @ (Act::Pause | Act::Resume)) => {
            let paused = *act == Act::Pause;
            cluster.edit(&key, |value| json::set(value, &["spec", "paused"], paused));
        }
        // A Deployment rolls by itself.
        Deed::Act(_) => {}
        Deed::Begin(version, at) => pipeline::begin(cluster, &service.name, version, Some(*at)),
        Deed::Pipeline(wanted) => {
            let place = (service.namespace.clone(), service.name.clone());
            let mut env = env.get(&place).cloned().unwrap_or_default();
            env.extend(wanted.env.clone());
            let template = template(service, &wanted.version, &env);
            cluster
                .pipelines
                .keep_template(&service.name, &wanted.version, template);
            pipeline::begin(cluster, &service.name, &wanted.version, None);
        }
        Deed::Ci(drawn) => pipeline::noted_ci(cluster, &service.name, *drawn),
    }
}

fn play_act(cluster: &mut Cluster, key: &Key, act: Act) {
    let (subresource, body) = match act {
        Act::Promote => (
            Subresource::Status,
            json!({"status": {"pauseConditions": null}}),
        ),
        Act::PromoteFull => (
            Subresource::Status,
            json!({"status": {"promoteFull": true}}),
        ),
        Act::Abort => (Subresource::Status, json!({"status": {"abort": true}})),
        Act::Retry => (Subresource::Status, json!({"status": {"abort": false}})),
        Act::Pause => (Subresource::None, json!({"spec": {"paused": true}})),
        Act::Resume => (Subresource::None, json!({"spec": {"paused": false}})),
    };
    // Refused only for an object that is not there, and a story begins with its release.
    let _ = write::patch(cluster, key, subresource, Format::Merge, &body, false);
}

fn kind(workload: Workload) -> Kind {
    match workload {
        Workload::Canary | Workload::BlueGreen => Kind::Rollout,
        Workload::Deployment => Kind::Deployment,
        Workload::StatefulSet => Kind::StatefulSet,
        Workload::DaemonSet => Kind::DaemonSet,
    }
}

/// A pod template with what the API server's defaults would add.
fn template(service: &Service, version: &str, env: &BTreeMap<String, String>) -> Value {
    let env: Vec<Value> = env
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let (namespace, name) = (&service.namespace, &service.name);
    let mut template = json!({"metadata": {"labels": {"app": name}}, "spec": {
        "containers": [{"name": name, "image": format!("registry.example/{namespace}/{name}:{version}"),
            "env": env, "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}}, "imagePullPolicy": "IfNotPresent",
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}],
        "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
        "securityContext": {}, "schedulerName": "default-scheduler"}});
    if service.join == Join::Annotation {
        json::set(
            &mut template,
            &["metadata", "annotations", "windlass.dev/commit"],
            pipeline::sha(name, version),
        );
    }
    template
}

fn workload(service: &Service, template: &Value) -> Value {
    let name = &service.name;
    let mut object = json!({
        "metadata": {"name": name, "namespace": service.namespace, "labels": {"app": name}},
        "spec": {"replicas": service.replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    });
    if let Some(application) = &service.argo_cd {
        let tracked = format!(
            "{application}:{}/{}:{}/{name}",
            kind(service.kind).facts().group,
            kind(service.kind).facts().kind,
            service.namespace
        );
        json::set(
            &mut object,
            &["metadata", "labels", "app.kubernetes.io/instance"],
            application.as_str(),
        );
        json::set(
            &mut object,
            &["metadata", "annotations", "argocd.argoproj.io/tracking-id"],
            tracked,
        );
    }
    if service.join == Join::Annotation {
        json::set(
            &mut object,
            &["metadata", "annotations", "windlass.dev/repository"],
            format!("acme/{name}"),
        );
    }
    match service.kind {
        Workload::Canary => json::set(&mut object, &["spec", "strategy"], canary(service)),
        Workload::BlueGreen => {
            let mut strategy = json!({"activeService": name, "previewService": format!("{name}-preview"),
                "autoPromotionEnabled": false});
            if let Some(seconds) = service.scale_down_delay {
                json::set(&mut strategy, &["scaleDownDelaySeconds"], seconds);
            }
            json::set(&mut object, &["spec", "strategy", "blueGreen"], strategy);
        }
        Workload::Deployment => json::set(
            &mut object,
            &["spec", "strategy"],
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}),
        ),
        Workload::StatefulSet => json::set(&mut object, &["spec", "serviceName"], name.as_str()),
        Workload::DaemonSet => json::unset(&mut object, &["spec", "replicas"]),
    }
    if matches!(service.kind, Workload::StatefulSet | Workload::DaemonSet) {
        json::set(
            &mut object,
            &["spec", "updateStrategy"],
            json!({"type": "RollingUpdate"}),
        );
    }
    if let Some(revisions) = service.rollback_window {
        json::set(
            &mut object,
            &["spec", "rollbackWindow", "revisions"],
            revisions,
        );
    }
    object
}

fn canary(service: &Service) -> Value {
    // Checked when the scenario was read.
    let steps: Vec<Value> = service
        .steps
        .iter()
        .filter_map(|text| step(text).ok())
        .collect();
    let mut canary = json!({"steps": steps, "maxSurge": "25%", "maxUnavailable": 0});
    if service.routed {
        let name = &service.name;
        json::set(&mut canary, &["canaryService"], format!("{name}-canary"));
        json::set(&mut canary, &["stableService"], format!("{name}-stable"));
        json::set(
            &mut canary,
            &["trafficRouting", "nginx", "stableIngress"],
            name.as_str(),
        );
    }
    json!({"canary": canary})
}

/// A step in a scenario's short words.
pub(super) fn step(text: &str) -> Result<Value, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let number = || {
        rest.parse::<u32>()
            .map_err(|_| format!("\"{text}\": \"{rest}\" is not a number"))
    };
    match (word, rest) {
        ("weight", _) => Ok(json!({"setWeight": number()?})),
        ("scale", _) => Ok(json!({"setCanaryScale": {"replicas": number()?}})),
        ("pause", "") => Ok(json!({"pause": {}})),
        ("pause", duration) if pause_duration(&Value::from(duration)).is_some() => {
            Ok(json!({"pause": {"duration": duration}}))
        }
        ("analysis", name) if !name.is_empty() => {
            Ok(json!({"analysis": {"templates": [{"templateName": name}]}}))
        }
        _ => Err(format!(
            "\"{text}\" is not a step; steps are: weight 25, pause, pause 10m, analysis NAME, scale 2"
        )),
    }
}
