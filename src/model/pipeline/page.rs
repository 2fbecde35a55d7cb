//! Where on the web the pages of runs, jobs and commits are. Owns how a commit's page is found from a run's; never makes an
//! address out of names alone, because nobody has told on which host they are.

use super::{Commit, Job, Run};
use crate::model::address::Address;

impl Run {
    /// Where its page is.
    pub fn page(&self) -> Option<Address> {
        Address::new(self.url.as_ref()?)
    }

    /// The page of a commit of its repository: beside its own, where that lies where GitHub has it.
    pub fn page_of(&self, commit: &Commit) -> Option<Address> {
        let number = format!("/actions/runs/{}", self.id.number);
        let repository = self.url.as_ref()?.strip_suffix(&number)?;
        let name = repository.get(
            repository
                .len()
                .checked_sub(self.id.repository.as_str().len())?..,
        )?;
        name.eq_ignore_ascii_case(self.id.repository.as_str())
            .then(|| Address::new(&format!("{repository}/commit/{commit}")))?
    }
}

impl Job {
    /// Where its page is.
    pub fn page(&self) -> Option<Address> {
        Address::new(self.url.as_ref()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        pipeline::{Repository, RunId, RunPhase},
        text::sanitise,
    };

    fn run(url: Option<&str>) -> Run {
        let text = sanitise("");
        Run {
            id: RunId {
                repository: Repository::new("acme/checkout").unwrap(),
                number: 30_433_642,
            },
            attempt: 1,
            number: 4_812,
            workflow: text.clone(),
            workflow_file: None,
            title: text.clone(),
            event: text,
            reference: None,
            commit: commit(),
            phase: RunPhase::Running,
            actor: None,
            triggered_by: None,
            created: None,
            started: None,
            ended: None,
            updated: None,
            url: url.map(sanitise),
            jobs: None,
            gates: None,
        }
    }

    fn commit() -> Commit {
        Commit::new("9f3c1e2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap()
    }

    #[test]
    fn the_page_of_a_commit_lies_beside_that_of_its_run_on_whatever_host() {
        let url = "https://github.example:8443/Acme/Checkout/actions/runs/30433642";
        let page = run(Some(url)).page_of(&commit()).unwrap();
        assert_eq!(
            page.as_str(),
            "https://github.example:8443/Acme/Checkout/commit/9f3c1e2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        );
    }

    #[test]
    fn where_the_pages_lie_otherwise_a_commit_has_none() {
        for url in [
            None,
            Some("https://github.com/acme/checkout/actions/runs/1"),
            Some("https://github.com/acme/other/actions/runs/30433642"),
            Some("https://ci.example/builds/30433642"),
            Some("/actions/runs/30433642"),
            Some("javascript://acme/checkout/actions/runs/30433642"),
        ] {
            assert_eq!(run(url).page_of(&commit()), None, "{url:?}");
        }
    }
}
