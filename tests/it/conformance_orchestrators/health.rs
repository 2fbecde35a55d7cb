//! Argo CD's health checks, for the kinds that this program shows.

use std::{fs, path::Path};

use serde_json::Value;
use windlass::providers::kubernetes::status::argocd::{self, Health};

use super::tables::{Report, cases, decode, kind, name, root, text, yaml};

/// Kinds of tables that exist and that nothing here reads: there is no algorithm to be right or wrong.
const NOT_SHOWN: [(&str, &str); 8] = [
    (
        "FlaggerCanary",
        "Flagger is not a system that this program speaks to yet",
    ),
    (
        "PromoterPromotionStrategy",
        "GitOps Promoter is not a system that this program speaks to yet",
    ),
    ("HorizontalPodAutoscaler", "autoscalers are not shown"),
    (
        "Job",
        "Jobs are shown only as an analysis run's measurement, with the run's own words",
    ),
    ("Service", "Services are not shown"),
    ("Ingress", "Ingresses are not shown"),
    ("PersistentVolumeClaim", "volume claims are not shown"),
    ("APIService", "API services are not shown"),
];

fn because(kind: &str) -> Option<&'static str> {
    NOT_SHOWN
        .iter()
        .find(|(known, _)| *known == kind)
        .map(|(_, because)| *because)
}

fn health(object: &Value) -> Option<Health> {
    Some(match kind(object) {
        "Rollout" => argocd::rollout(&decode(object)),
        "AnalysisRun" => argocd::analysis_run(&decode(object)),
        "Experiment" => argocd::experiment(&decode(object)),
        "Deployment" => argocd::deployment(&decode(object)),
        "ReplicaSet" => argocd::replica_set(&decode(object)),
        "StatefulSet" => argocd::stateful_set(&decode(object)),
        "DaemonSet" => argocd::daemon_set(&decode(object)),
        "Pod" => argocd::pod(&decode(object)),
        _ => return None,
    })
}

fn table(folder: &Path, report: &mut Report) {
    for (nth, case) in cases(folder).iter().enumerate() {
        let case_name = name(case, nth);
        let object = yaml(&folder.join(text(case, "/input")));
        let Some(got) = health(&object) else {
            match because(kind(&object)) {
                Some(because) => report.except(&case_name, because),
                None => report.fail(&case_name, &format!("no health for {}", kind(&object))),
            }
            continue;
        };
        let expect = &case["expect"];
        // Where the table has no message it says nothing about it.
        let message = expect.get("message").and_then(Value::as_str);
        let got = (got.status.word().to_owned(), message.map(|_| got.message));
        let expected = (
            text(expect, "/status").to_owned(),
            message.map(str::to_owned),
        );
        report.check(&case_name, &got, &expected);
    }
}

#[test]
fn conformance_argo_cd_health() {
    let Some(root) = root() else { return };
    let mut folders: Vec<_> = fs::read_dir(root.join("argo-cd/health"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("cases.json").is_file())
        .collect();
    folders.sort();
    let mut reports = Vec::new();
    for folder in folders {
        let kind = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mut report = Report::new(&format!("argo-cd/health/{kind}"));
        match because(&kind) {
            Some(because) => {
                for (nth, case) in cases(&folder).iter().enumerate() {
                    report.except(&name(case, nth), because);
                }
            }
            None => table(&folder, &mut report),
        }
        reports.push(report);
    }
    reports.into_iter().for_each(Report::finish);
}
