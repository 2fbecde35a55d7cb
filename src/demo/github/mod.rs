//! GitHub's REST API over the pipelines of the world.
//!
//! Order of the checks is GitHub's: user agent, token, limits, version, path. Must never take another token than the
//! demo's: a client that sends a real one here shall hear of it.

mod act;
mod blobs;
mod body;
mod git;
mod limit;
mod list;
mod log_text;
mod runs;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use http::{Method, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(super) use blobs::handle as handle_blob;

use self::body::Links;
use self::limit::Budget;
use super::api::Api;
use super::cluster::Cluster;
use super::fault::{Server, What};
use super::front::{self, Asked, Reply};
use super::pipeline::Repo;
use super::server::Cut;

/// Whose repositories they are.
pub(super) const OWNER: &str = "acme";

const TOKEN: &str = "demo";

/// Newest first.
const VERSIONS: [&str; 2] = ["2026-03-10", "2022-11-28"];

/// The server, and the store of its logs.
#[derive(Debug)]
pub(super) struct GitHub {
    api: Arc<Api>,
    links: Links,
    /// Where logs are kept, without a slash at the end.
    blobs: String,
    budget: Mutex<Budget>,
}

impl GitHub {
    pub(super) fn new(api: Arc<Api>, base: &str, blobs: &str) -> Self {
        Self {
            api,
            links: Links::new(base),
            blobs: blobs.to_owned(),
            budget: Mutex::default(),
        }
    }
}

pub(super) async fn handle(
    State(github): State<Arc<GitHub>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: http::Request<Body>,
) -> Response {
    let target = |asked: &Asked| asked.plain_target(Server::GitHub);
    front::pass(&github.api, &cut, request, target, |asked, struck| {
        github.answer(asked, struck)
    })
    .await
}

/// An error as GitHub words it.
fn problem(status: u16, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"message": message, "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string()}),
    )
}

fn not_found() -> Reply {
    problem(404, "Not Found")
}

impl GitHub {
    fn answer(&self, asked: &Asked, struck: &[What]) -> Reply {
        let mark = front::server_time(&self.api, struck).as_microsecond();
        let reply = Self::refused(asked, struck).unwrap_or_else(|| self.permitted(asked, struck));
        reply
            .with("x-github-request-id", format!("DE40:{mark:X}"))
            .with("x-github-media-type", "github.v3; format=json")
            .with("server", "github.com")
            .with("access-control-expose-headers", "ETag, Link, Location, Retry-After, X-GitHub-OTP, X-RateLimit-Limit, \
                X-RateLimit-Remaining, X-RateLimit-Used, X-RateLimit-Resource, X-RateLimit-Reset, X-OAuth-Scopes")
    }

    /// What is answered before anybody looks at the path; it costs nothing.
    fn refused(asked: &Asked, struck: &[What]) -> Option<Reply> {
        for what in struck {
            match what {
                What::TooManyRequests => {
                    return Some(problem(429, "Too many requests").with("retry-after", "1"));
                }
                What::ServerError => return Some(problem(500, "Server Error")),
                What::Unauthorized => return Some(problem(401, "Bad credentials")),
                What::BadGateway | What::GatewayTimeout => return Reply::from_a_proxy(*what),
                What::Unavailable => {
                    let page = "<html><head><title>Unicorn! &middot; GitHub</title></head><body>No server is \
                                currently available to service your request.</body></html>";
                    return Some(Reply::new(503, "text/html; charset=utf-8", page.to_owned()));
                }
                _ => {}
            }
        }
        if asked.header(header::USER_AGENT).is_empty() {
            return Some(Reply::text(
                403,
                "\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header \
                 (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). Check \
                 https://developer.github.com for other possible causes.\r\n",
            ));
        }
        let token = asked
            .header(header::AUTHORIZATION)
            .split_once(' ')
            .filter(|(way, _)| {
                way.eq_ignore_ascii_case("bearer") || way.eq_ignore_ascii_case("token")
            })
            .map_or("", |(_, token)| token.trim());
        if token != TOKEN {
            return Some(problem(
                401,
                if token.is_empty() {
                    "Requires authentication"
                } else {
                    "Bad credentials"
                },
            ));
        }
        None
    }

    fn permitted(&self, asked: &Asked, struck: &[What]) -> Reply {
        let time = front::server_time(&self.api, struck);
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.turn(time);
        if struck.contains(&What::RateLimit) || budget.is_spent() {
            budget.spend_all();
            let message = "API rate limit exceeded for user ID 583231. If you reach out to GitHub Support for help, \
                           please include the request ID and timestamp.";
            return budget.stamp(scopes(problem(403, message)));
        }
        if struck.contains(&What::Secondary) {
            let message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. \
                           If you reach out to GitHub Support for help, please include the request ID and timestamp.";
            return budget.stamp(scopes(problem(403, message).with("retry-after", "60")));
        }
        let reply = self.routed(asked, struck, &budget);
        let reply = tagged(asked, reply);
        // Where time stands still, how often it was asked is no part of the world.
        if reply.status != 304 && asked.path != "/rate_limit" && !self.api.time.is_still() {
            budget.spend();
        }
        budget.stamp(scopes(reply))
    }

    fn routed(&self, asked: &Asked, struck: &[What], budget: &Budget) -> Reply {
        let version = asked.headers.get("x-github-api-version");
        let version = version.map_or(Some("2022-11-28"), |value| {
            let named = value.to_str().ok()?;
            VERSIONS.into_iter().find(|known| *known == named)
        });
        let Some(version) = version else {
            return problem(
                400,
                "The API version in the X-GitHub-Api-Version header is not supported.",
            );
        };
        if asked.too_large {
            return problem(413, "Payload Too Large");
        }
        let segments = asked.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let mut cluster = self.api.cluster();
        let reply = match (path.as_slice(), &asked.method) {
            (["user"], &Method::GET) => Reply::json(200, &self.links.you()),
            (["rate_limit"], &Method::GET) => Reply::json(200, &budget.overview(version)),
            (["versions"], &Method::GET) => Reply::json(200, &json!(VERSIONS)),
            (["repos", owner, name, rest @ ..], _) if owner.eq_ignore_ascii_case(OWNER) => {
                let id = cluster.pipelines.repo(name).map(|repo| repo.id);
                self.in_repository(&mut cluster, asked, struck, id, rest)
            }
            (["repositories", id, rest @ ..], _) => {
                let id = id.parse().ok();
                self.in_repository(&mut cluster, asked, struck, id, rest)
            }
            _ => not_found(),
        };
        if asked.method == Method::POST {
            // What a run does next is due for the driver.
            self.api.wake.notify_one();
        }
        reply.with("x-github-api-version-selected", version)
    }

    fn in_repository(
        &self,
        cluster: &mut Cluster,
        asked: &Asked,
        struck: &[What],
        id: Option<u64>,
        rest: &[&str],
    ) -> Reply {
        let Some(repo) = id.and_then(|id| cluster.pipelines.repo_by_id(id)) else {
            return not_found();
        };
        if struck.contains(&What::Forbidden) {
            return problem(403, "Resource not accessible by personal access token").with(
                "x-accepted-github-permissions",
                "actions=write; deployments=write",
            );
        }
        if asked.method == Method::POST {
            let name = repo.name.clone();
            return self.act(cluster, asked, &name, rest);
        }
        if asked.method != Method::GET {
            return not_found();
        }
        let clock = &cluster.clock;
        match rest {
            [] => Reply::json(200, &self.links.repository(repo, clock)),
            ["actions", rest @ ..] => self.actions(cluster, asked, repo, rest),
            ["environments"] => self.environments(asked, repo, clock),
            ["environments", name] if name.eq_ignore_ascii_case(&repo.environment.name) => {
                Reply::json(200, &self.links.environment(repo, clock))
            }
            ["deployments"] => self.deployments(asked, repo, clock),
            ["deployments", id] => match of_id(id, |id| {
                repo.deployments.iter().find(|known| known.id == id)
            }) {
                Some(found) => Reply::json(200, &self.links.deployment(repo, found, clock)),
                None => not_found(),
            },
            ["deployments", id, "statuses"] => self.statuses(asked, repo, id, clock),
            ["compare", range @ ..] => self.compare(asked, repo, &range.join("/"), clock),
            ["commits"] => self.commits(asked, repo, clock),
            ["commits", name @ ..] => self.commit(repo, &name.join("/"), clock),
            ["tags"] => self.tags(asked, repo, clock),
            ["releases"] => self.releases(asked, repo, clock),
            ["releases", "latest"] => self.release(repo, None, clock),
            ["releases", "tags", tag @ ..] => self.release(repo, Some(&tag.join("/")), clock),
            _ => not_found(),
        }
    }
}

/// Ids are numbers; anything else finds nothing.
fn of_id<T>(text: &str, find: impl FnOnce(u64) -> Option<T>) -> Option<T> {
    find(text.parse().ok()?)
}

fn scopes(reply: Reply) -> Reply {
    reply
        .with("x-oauth-scopes", "read:org, repo, workflow")
        .with("x-accepted-oauth-scopes", "repo")
        .with("cache-control", "private, max-age=60, s-maxage=60")
        .with(
            "vary",
            "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With",
        )
}

/// With its tag; or only that it is as it was.
fn tagged(asked: &Asked, reply: Reply) -> Reply {
    if asked.method != Method::GET || reply.status != 200 {
        return reply;
    }
    let digest = Sha256::digest(&reply.body);
    let tag = format!("W/\"{}\"", digits(&digest));
    let known = asked.header(header::IF_NONE_MATCH);
    if known.split(',').any(|one| one.trim() == tag) {
        let mut unchanged = Reply::new(304, "", String::new());
        unchanged.headers = reply.headers;
        return unchanged.with("etag", tag);
    }
    reply.with("etag", tag)
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One page of many, with the links to the others.
fn page<T>(
    links: &Links,
    asked: &Asked,
    repo: &Repo,
    items: &[T],
    show: impl Fn(&T) -> Value,
) -> (Vec<Value>, Vec<String>) {
    let number = |name: &str, usual: usize| asked.parameter(name).parse().unwrap_or(usual);
    let size = match number("per_page", 30) {
        0 => 30,
        size => size.min(100),
    };
    let (place, pages) = (number("page", 1).max(1), items.len().div_ceil(size).max(1));
    let shown = items
        .iter()
        .skip((place - 1).saturating_mul(size))
        .take(size)
        .map(show)
        .collect();
    let mut others = Vec::new();
    let mut link = |word: &str, page: usize| {
        others.push(format!(
            "<{}>; rel=\"{word}\"",
            links.page(asked, repo, page)
        ));
    };
    if place > 1 {
        link("prev", (place - 1).min(pages));
    }
    if place < pages {
        link("next", place + 1);
        link("last", pages);
    }
    if place > 1 {
        link("first", 1);
    }
    (shown, others)
}

fn linked(reply: Reply, links: &[String]) -> Reply {
    if links.is_empty() {
        reply
    } else {
        reply.with("link", links.join(", "))
    }
}
