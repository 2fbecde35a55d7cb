//! GitHub's objects as JSON, with all that the published description requires.
//!
//! Must never leave out a required field: the client's types are made from the same description.

use serde_json::{Map, Value, json};

use super::{Asked, OWNER};
use crate::demo::clock::{Clock, Moment, seconds};
use crate::demo::pipeline::{
    ACTIONS, Attempt, Commit, Deployment, Job, Person, Repo, Run, Stage, State, Workflow, YOU,
};

/// The web pages are nowhere: a browser that is sent there must not land with a stranger of the same name.
const WEB: &str = "https://github.example";

/// Addresses of the API; all bodies are full of them.
#[derive(Clone, Debug)]
pub(super) struct Links {
    base: String,
}

pub(super) fn stamp(clock: &Clock, at: Moment) -> String {
    seconds(clock.stamp_at(at))
}

pub(super) fn node(kind: &str, id: u64) -> String {
    format!("{kind}_kwDO{id:010x}")
}

pub(super) fn workflow_name(workflow: Workflow) -> &'static str {
    match workflow {
        Workflow::Release => "Release",
        Workflow::Ci => "CI",
    }
}

pub(super) fn workflow_file(workflow: Workflow) -> &'static str {
    match workflow {
        Workflow::Release => "release.yml",
        Workflow::Ci => "ci.yml",
    }
}

/// The addresses that every repository names, and how they go on.
const OF_REPOSITORY: [(&str, &str); 37] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    (
        "notifications_url",
        "/notifications{?since,all,participating}",
    ),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

const OF_USER: [(&str, &str); 9] = [
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

/// Puts the fields of one object into another.
fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut value, more) {
        fields.extend(more);
    }
    value
}

impl Links {
    pub(super) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
        }
    }

    pub(super) fn repo(&self, repo: &Repo) -> String {
        format!("{}/repos/{OWNER}/{}", self.base, repo.name)
    }

    pub(super) fn web(repo: &Repo) -> String {
        format!("{WEB}/{OWNER}/{}", repo.name)
    }

    /// Another page of what was asked for. GitHub names the repository by its id there.
    pub(super) fn page(&self, asked: &Asked, repo: &Repo, page: usize) -> String {
        let segments: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
        let rest = match segments.as_slice() {
            ["repos", _, _, rest @ ..] | ["repositories", _, rest @ ..] => rest.join("/"),
            _ => String::new(),
        };
        let mut query: Vec<&str> = asked
            .query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("page="))
            .collect();
        let page = format!("page={page}");
        query.push(&page);
        format!(
            "{}/repositories/{}/{rest}?{}",
            self.base,
            repo.id,
            query.join("&")
        )
    }

    fn account(&self, login: &str, id: u64, kind: &str) -> Value {
        let mut fields = Map::new();
        let url = format!("{}/users/{login}", self.base);
        for (name, rest) in OF_USER {
            fields.insert(name.to_owned(), format!("{url}{rest}").into());
        }
        with(
            Value::Object(fields),
            json!({"login": login, "id": id, "node_id": node("U", id), "gravatar_id": "", "url": url,
                "avatar_url": format!("https://avatars.github.example/u/{id}?v=4"),
                "html_url": format!("{WEB}/{login}"), "type": kind, "user_view_type": "public", "site_admin": false}),
        )
    }

    pub(super) fn person(&self, person: &Person) -> Value {
        self.account(
            person.login,
            person.id,
            if person.bot { "Bot" } else { "User" },
        )
    }

    pub(super) fn you(&self) -> Value {
        with(
            self.person(&YOU),
            json!({"name": YOU.name, "company": null, "blog": "", "location": null, "email": null, "hireable": null,
                "bio": null, "public_repos": 3, "public_gists": 0, "followers": 4, "following": 9,
                "created_at": "2016-02-11T09:30:00Z", "updated_at": "2026-10-02T08:00:00Z"}),
        )
    }

    /// As it stands inside other objects.
    pub(super) fn small_repository(&self, repo: &Repo) -> Value {
        let mut fields = Map::new();
        for (name, rest) in OF_REPOSITORY {
            fields.insert(name.to_owned(), format!("{}{rest}", self.repo(repo)).into());
        }
        with(
            Value::Object(fields),
            json!({"id": repo.id, "node_id": node("R", repo.id), "name": repo.name,
                "full_name": format!("{OWNER}/{}", repo.name), "owner": self.account(OWNER, 31_898_100, "Organization"),
                "private": true, "html_url": Self::web(repo), "description": format!("The {} service", repo.name),
                "fork": false}),
        )
    }

    pub(super) fn repository(&self, repo: &Repo, clock: &Clock) -> Value {
        let (web, host) = (Self::web(repo), "github.example");
        let pushed = repo
            .history
            .commits
            .iter()
            .map(|commit| commit.at)
            .max()
            .unwrap_or(repo.created);
        with(
            self.small_repository(repo),
            json!({"git_url": format!("git://{host}/{OWNER}/{}.git", repo.name),
                "ssh_url": format!("git@{host}:{OWNER}/{}.git", repo.name), "clone_url": format!("{web}.git"),
                "svn_url": web, "mirror_url": null, "homepage": null, "language": "Rust", "forks_count": 0,
                "stargazers_count": 12, "watchers_count": 12, "size": 4210, "default_branch": "main",
                "open_issues_count": 7, "has_issues": true, "has_projects": false, "has_wiki": false,
                "has_pages": false, "has_discussions": false, "has_downloads": true, "archived": false,
                "disabled": false, "visibility": "private", "pushed_at": stamp(clock, pushed),
                "created_at": stamp(clock, repo.created), "updated_at": stamp(clock, pushed), "subscribers_count": 9,
                "network_count": 0, "license": null, "forks": 0, "open_issues": 7, "watchers": 12,
                "allow_forking": false, "is_template": false, "topics": [],
                "permissions": {"admin": false, "maintain": false, "push": true, "triage": true, "pull": true}}),
        )
    }

    pub(super) fn workflow(&self, repo: &Repo, workflow: Workflow, clock: &Clock) -> Value {
        let (id, file) = (repo.workflow_id(workflow), workflow_file(workflow));
        let web = Self::web(repo);
        json!({"id": id, "node_id": node("W", id), "name": workflow_name(workflow),
            "path": format!(".github/workflows/{file}"), "state": "active", "created_at": stamp(clock, repo.created),
            "updated_at": stamp(clock, repo.created), "url": format!("{}/actions/workflows/{id}", self.repo(repo)),
            "html_url": format!("{web}/blob/main/.github/workflows/{file}"),
            "badge_url": format!("{web}/workflows/{}/badge.svg", workflow_name(workflow))})
    }

    /// The run as it is, or as one of its attempts was.
    pub(super) fn run(&self, repo: &Repo, run: &Run, attempt: &Attempt, clock: &Clock) -> Value {
        let api = format!("{}/actions/runs/{}", self.repo(repo), run.id);
        let newest = run
            .latest()
            .is_some_and(|latest| latest.number == attempt.number);
        let url = if newest {
            api.clone()
        } else {
            format!("{api}/attempts/{}", attempt.number)
        };
        let status = attempt.status(run.workflow);
        let ended = attempt.jobs.iter().filter_map(|job| match job.state {
            State::Ended { at, .. } => Some(at),
            _ => None,
        });
        let updated = if newest {
            run.updated
        } else {
            ended.max().unwrap_or(attempt.started)
        };
        let (workflow, suite) = (repo.workflow_id(run.workflow), run.id * 2 + 7);
        let commit = repo.commit(run.commit);
        let title = commit
            .map(|commit| commit.message.as_str())
            .unwrap_or_default();
        let previous =
            (attempt.number > 1).then(|| format!("{api}/attempts/{}", attempt.number - 1));
        json!({"id": run.id, "name": workflow_name(run.workflow), "node_id": node("WFR", run.id),
            "head_branch": run.branch, "head_sha": commit.map(|commit| commit.sha.as_str()),
            "path": format!(".github/workflows/{}", workflow_file(run.workflow)), "display_title": title,
            "run_number": run.number, "event": run.event, "status": status.word(), "conclusion": status.conclusion(),
            "workflow_id": workflow, "check_suite_id": suite, "check_suite_node_id": node("CS", suite), "url": url,
            "html_url": format!("{}/actions/runs/{}", Self::web(repo), run.id), "pull_requests": [],
            "created_at": stamp(clock, run.created), "updated_at": stamp(clock, updated),
            "actor": self.person(run.actor), "run_attempt": attempt.number, "referenced_workflows": [],
            "run_started_at": stamp(clock, attempt.started), "triggering_actor": self.person(attempt.by),
            "jobs_url": format!("{api}/jobs"), "logs_url": format!("{api}/logs"),
            "check_suite_url": format!("{}/check-suites/{suite}", self.repo(repo)),
            "artifacts_url": format!("{api}/artifacts"), "cancel_url": format!("{api}/cancel"),
            "rerun_url": format!("{api}/rerun"), "previous_attempt_url": previous,
            "workflow_url": format!("{}/actions/workflows/{workflow}", self.repo(repo)),
            "head_commit": commit.map(|commit| head_commit(commit, clock)),
            "repository": self.small_repository(repo), "head_repository": self.small_repository(repo)})
    }

    pub(super) fn job(
        &self,
        repo: &Repo,
        run: &Run,
        attempt: &Attempt,
        job: &Job,
        clock: &Clock,
    ) -> Value {
        let (started, completed) = match job.state {
            State::Queued { .. } | State::Waiting => (job.created, None),
            State::Running { since, .. } => (since, None),
            State::Ended { since, at, .. } => (since.unwrap_or(at), Some(at)),
        };
        let ran = !job.steps(clock.now()).is_empty();
        let at = |moment: Moment| stamp(clock, moment);
        let steps: Vec<Value> = job
            .steps(clock.now())
            .iter()
            .zip(1..)
            .map(|(step, number)| {
                let status = match (step.started, step.conclusion) {
                    (_, Some(_)) => "completed",
                    (Some(_), None) => "in_progress",
                    (None, None) => "queued",
                };
                json!({"name": step.name, "status": status, "conclusion": step.conclusion, "number": number,
                    "started_at": step.started.map(at), "completed_at": step.ended.map(at)})
            })
            .collect();
        let api = self.repo(repo);
        json!({"id": job.id, "run_id": run.id, "workflow_name": workflow_name(run.workflow), "head_branch": run.branch,
            "run_url": format!("{api}/actions/runs/{}", run.id), "run_attempt": attempt.number,
            "node_id": node("CR", job.id), "head_sha": repo.commit(run.commit).map(|commit| commit.sha.as_str()),
            "url": format!("{api}/actions/jobs/{}", job.id),
            "html_url": format!("{}/actions/runs/{}/job/{}", Self::web(repo), run.id, job.id),
            "status": job.status().word(), "conclusion": job.status().conclusion(), "created_at": at(job.created),
            "started_at": at(started), "completed_at": completed.map(at), "name": job.stage.name(), "steps": steps,
            "check_run_url": format!("{api}/check-runs/{}", job.id),
            "labels": if job.stage == Stage::Deploy { json!(["self-hosted", "deploy"]) } else { json!(["ubuntu-24.04"]) },
            "runner_id": ran.then_some(21), "runner_name": ran.then_some("runner-21"),
            "runner_group_id": ran.then_some(2), "runner_group_name": ran.then_some("shop")})
    }

    pub(super) fn commit(&self, repo: &Repo, commit: &Commit, clock: &Clock) -> Value {
        let (api, web, sha) = (self.repo(repo), Self::web(repo), &commit.sha);
        let who = json!({"name": commit.author.name, "email": email(commit.author), "date": stamp(clock, commit.at)});
        let tree = crate::demo::pipeline::sha(&repo.name, sha);
        let parents: Vec<Value> = commit
            .parent
            .and_then(|parent| repo.commit(parent))
            .into_iter()
            .map(|parent| {
                json!({"sha": parent.sha, "url": format!("{api}/commits/{}", parent.sha),
                    "html_url": format!("{web}/commit/{}", parent.sha)})
            })
            .collect();
        json!({"url": format!("{api}/commits/{sha}"), "sha": sha, "node_id": node("C", repo.id),
            "html_url": format!("{web}/commit/{sha}"), "comments_url": format!("{api}/commits/{sha}/comments"),
            "commit": {"url": format!("{api}/git/commits/{sha}"), "author": who, "committer": who,
                "message": commit.message, "comment_count": 0,
                "tree": {"sha": tree, "url": format!("{api}/git/trees/{tree}")},
                "verification": {"verified": false, "reason": "unsigned", "signature": null, "payload": null,
                    "verified_at": null}},
            "author": self.person(commit.author), "committer": self.person(commit.author), "parents": parents})
    }

    pub(super) fn environment(&self, repo: &Repo, clock: &Clock) -> Value {
        let environment = &repo.environment;
        let (id, name) = (environment.id, &environment.name);
        let mut rules = Vec::new();
        if environment.gated {
            rules.push(
                json!({"id": id + 1, "node_id": node("GA", id + 1), "type": "required_reviewers",
                "prevent_self_review": false, "reviewers": self.reviewers()}),
            );
        }
        json!({"id": id, "node_id": node("EN", id), "name": name,
            "url": format!("{}/environments/{name}", self.repo(repo)),
            "html_url": format!("{}/deployments/activity_log?environments_filter={name}", Self::web(repo)),
            "created_at": stamp(clock, repo.created), "updated_at": stamp(clock, repo.created), "can_admins_bypass": true,
            "protection_rules": rules, "deployment_branch_policy": null})
    }

    pub(super) fn reviewers(&self) -> Value {
        let team = format!("{}/organizations/31898100/team/4410021", self.base);
        json!([
            {"type": "Team", "reviewer": {"id": 4_410_021, "node_id": node("T", 4_410_021), "name": "Release Managers",
                "slug": "release-managers", "description": "Who may let a release into production",
                "privacy": "closed", "notification_setting": "notifications_enabled", "permission": "push", "url": team,
                "html_url": format!("{WEB}/orgs/{OWNER}/teams/release-managers"),
                "members_url": format!("{team}/members{{/member}}"), "repositories_url": format!("{team}/repos"),
                "type": "organization", "organization_id": 31_898_100,
                "parent": null}},
            {"type": "User", "reviewer": self.person(&YOU)}
        ])
    }

    pub(super) fn deployment(&self, repo: &Repo, deployment: &Deployment, clock: &Clock) -> Value {
        let api = format!("{}/deployments/{}", self.repo(repo), deployment.id);
        let updated = deployment
            .statuses
            .last()
            .map_or(deployment.created, |(_, _, at)| *at);
        json!({"url": api, "id": deployment.id, "node_id": node("DE", deployment.id), "task": "deploy",
            "original_environment": repo.environment.name, "environment": repo.environment.name, "description": null,
            "sha": repo.commit(deployment.commit).map(|commit| commit.sha.as_str()), "ref": deployment.of,
            "payload": {}, "creator": self.person(&ACTIONS), "created_at": stamp(clock, deployment.created),
            "updated_at": stamp(clock, updated), "statuses_url": format!("{api}/statuses"),
            "repository_url": self.repo(repo), "transient_environment": false, "production_environment": true,
            "performed_via_github_app": null})
    }

    pub(super) fn status(
        &self,
        repo: &Repo,
        deployment: &Deployment,
        (id, word, at): (u64, &str, Moment),
        clock: &Clock,
    ) -> Value {
        let api = format!("{}/deployments/{}", self.repo(repo), deployment.id);
        let log = format!(
            "{}/actions/runs/{}/job/{}",
            Self::web(repo),
            deployment.run,
            deployment.job
        );
        json!({"url": format!("{api}/statuses/{id}"), "id": id, "node_id": node("DES", id), "state": word,
            "creator": self.person(&ACTIONS), "description": "", "environment": repo.environment.name,
            "target_url": log, "log_url": log, "environment_url": "", "created_at": stamp(clock, at),
            "updated_at": stamp(clock, at), "deployment_url": api, "repository_url": self.repo(repo),
            "performed_via_github_app": null})
    }

    pub(super) fn release(
        &self,
        repo: &Repo,
        tag: &str,
        commit: &Commit,
        id: u64,
        clock: &Clock,
    ) -> Value {
        let (api, web) = (self.repo(repo), Self::web(repo));
        let uploads = format!("{api}/releases/{id}/assets");
        json!({"url": format!("{api}/releases/{id}"), "html_url": format!("{web}/releases/tag/{tag}"),
            "assets_url": uploads, "upload_url": format!("{uploads}{{?name,label}}"),
            "tarball_url": format!("{api}/tarball/{tag}"), "zipball_url": format!("{api}/zipball/{tag}"), "id": id,
            "node_id": node("RE", id), "tag_name": tag, "target_commitish": "main", "name": tag, "draft": false,
            "prerelease": false, "immutable": true, "created_at": stamp(clock, commit.at),
            "published_at": stamp(clock, commit.at), "author": self.person(&ACTIONS), "assets": [],
            "body": format!("{tag} of {}", repo.name)})
    }
}

fn email(person: &Person) -> String {
    format!("{}@acme.example", person.login.trim_end_matches("[bot]"))
}

fn head_commit(commit: &Commit, clock: &Clock) -> Value {
    let who = json!({"name": commit.author.name, "email": email(commit.author)});
    json!({"id": commit.sha, "tree_id": commit.sha, "message": commit.message, "timestamp": stamp(clock, commit.at),
        "author": who, "committer": who})
}
