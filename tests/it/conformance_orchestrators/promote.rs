//! The requests of a promotion, as the plugin sends them.

use serde_json::{Value, json};
use windlass::providers::kubernetes::requests::{How, Request, promote};

use super::tables::{Report, cases, name, rollout, root, text};

fn as_json(requests: &[Request]) -> Value {
    requests
        .iter()
        .map(|request| {
            json!({
                "method": request.method,
                "path": request.path,
                "content_type": request.content_type,
                "body": request.body,
            })
        })
        .collect()
}

#[test]
fn conformance_argo_rollouts_promote_requests() {
    let Some(root) = root() else { return };
    let mut report = Report::new("argo-rollouts/promote_requests");
    for (nth, case) in cases(&root.join("argo-rollouts/promote_requests"))
        .iter()
        .enumerate()
    {
        let how = match text(case, "/flag") {
            "default" => How::Default,
            "full" => How::Full,
            "skip-current-step" => How::SkipCurrentStep,
            "skip-all-steps" => How::SkipAllSteps,
            other => {
                report.fail(&name(case, nth), &format!("unknown flag {other}"));
                continue;
            }
        };
        let got = match promote(&rollout(&case["rollout"]), how) {
            Ok(promotion) => json!({
                "requests": as_json(&promotion.sends),
                "requests_if_status_subresource_404":
                    as_json(&promotion.without_status_subresource),
            }),
            Err(error) => json!({"error": error.to_string()}),
        };
        report.check(&name(case, nth), &got, &case["expect"]);
    }
    report.finish();
}
