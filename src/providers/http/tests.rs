//! The client against servers on loopback that do everything wrong. Limits are parameters, so nothing waits long.

use std::{
    io::Write,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, header};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::config::SecretSource;

const SHORT: Limits = Limits {
    connect: Duration::from_millis(300),
    header: Duration::from_millis(700),
    idle: Duration::from_millis(300),
    total: Duration::from_millis(1500),
    body: 4 << 20,
    ratio: 100,
    error_body: 1 << 12,
    kept_bytes: 1 << 20,
    kept_entries: 16,
    at_once: 4,
    write_gap: Duration::ZERO,
    reserve: 0,
};

/// A clock that a test can set, and a token that it can change.
struct World {
    listener: TcpListener,
    second: Arc<AtomicI64>,
    token: Arc<Mutex<String>>,
}

impl World {
    async fn new() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.expect("bind"),
            second: Arc::new(AtomicI64::new(1_000_000)),
            token: Arc::new(Mutex::new("first-token".to_owned())),
        }
    }

    fn base(&self) -> String {
        format!(
            "http://{}/api/",
            self.listener.local_addr().expect("address")
        )
    }

    fn server(&self) -> Server {
        self.server_with(SHORT)
    }

    fn server_with(&self, limits: Limits) -> Server {
        let (second, token) = (Arc::clone(&self.second), Arc::clone(&self.token));
        Server::with(Setup {
            base: self.base(),
            credential: Credential::Bearer(SecretSource::Env("TOKEN".to_owned())),
            headers: vec![(
                HeaderName::from_static("x-version"),
                HeaderValue::from_static("2022-11-28"),
            )],
            authority: None,
            limits,
            clock: Arc::new(move || {
                Timestamp::from_second(second.load(Ordering::SeqCst)).expect("a time")
            }),
            variables: Arc::new(move |_| Some(lock(&token).clone())),
        })
        .expect("server")
    }

    /// Answers so many connections in turn, and returns what was asked.
    async fn answers(&self, answers: Vec<Vec<u8>>) -> Vec<String> {
        let mut seen = Vec::new();
        for answer in &answers {
            let (mut socket, _) = self.listener.accept().await.expect("accept");
            seen.push(request(&mut socket).await);
            // The client may have had enough before everything was written.
            let _ = socket.write_all(answer).await;
            let _ = socket.shutdown().await;
        }
        seen
    }

    async fn get(&self, answer: Vec<u8>) -> Result<Reply, Trouble> {
        let server = self.server();
        let (_, got) = futures::join!(self.answers(vec![answer]), server.get("/x", JSON));
        got
    }

    async fn post(&self, answer: Vec<u8>) -> Result<Reply, Trouble> {
        let server = self.server();
        let write = server.send_once(Method::POST, "/x", JSON, Bytes::from_static(b"{}"));
        let (_, got) = futures::join!(self.answers(vec![answer]), write);
        got
    }
}

/// Reads one request to the end of its head and body.
async fn request(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0u8; 4096];
    loop {
        let count = socket.read(&mut buffer).await.unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        let done = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            body.len() >= length
        });
        if count == 0 || done {
            return text;
        }
    }
}

fn whole(status: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{more}\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("pack");
    encoder.finish().expect("pack")
}

#[tokio::test]
async fn what_is_unchanged_costs_no_body_and_keeps_its_links() {
    let world = World::new().await;
    let server = world.server();
    let first = whole(
        "200 OK",
        "etag: W/\"a1\"\r\nlink: <https://x/2>; rel=\"next\"\r\nx-ratelimit-remaining: 9\r\n",
        b"{\"n\":1}",
    );
    let second = whole("304 Not Modified", "x-ratelimit-remaining: 9\r\n", b"");
    let ask = async {
        let one = server.get("/runs?per_page=100", JSON).await.expect("one");
        world.second.fetch_add(60, Ordering::SeqCst);
        (
            one,
            server.get("/runs?per_page=100", JSON).await.expect("two"),
        )
    };
    let (seen, (one, two)) = futures::join!(world.answers(vec![first, second]), ask);
    assert!(seen[0].starts_with("GET /api/runs?per_page=100 HTTP/1.1"));
    assert!(
        seen[0].contains("authorization: Bearer first-token"),
        "{}",
        seen[0]
    );
    assert!(seen[0].contains("x-version: 2022-11-28"));
    assert!(seen[0].contains(concat!("user-agent: windlass/", env!("CARGO_PKG_VERSION"))));
    assert!(!seen[0].contains("if-none-match"));
    assert!(seen[1].contains("if-none-match: W/\"a1\""), "{}", seen[1]);
    assert!(!one.unchanged && two.unchanged);
    assert_eq!(two.body, one.body);
    assert_eq!(two.link("next").as_deref(), Some("https://x/2"));
    assert_eq!(two.at.duration_since(one.at).as_secs(), 60);
    let budget = server.budget();
    assert_eq!((budget.asked, budget.unchanged), (2, 1));
    assert_eq!(budget.remaining, Some(9));
}

#[tokio::test]
async fn another_token_is_fetched_after_a_refusal_and_is_told_nothing_of_the_first() {
    let world = World::new().await;
    let server = world.server();
    let answers = [
        whole("200 OK", "etag: \"a\"\r\n", b"1"),
        whole("401 Unauthorized", "", b"{\"message\":\"Bad credentials\"}"),
        whole("200 OK", "etag: \"b\"\r\n", b"2"),
    ];
    let ask = async {
        server.get("/x", JSON).await.expect("one");
        world.second.fetch_add(31, Ordering::SeqCst);
        "second-token".clone_into(&mut lock(&world.token));
        server.get("/x", JSON).await
    };
    let (seen, got) = futures::join!(world.answers(answers.into()), ask);
    assert_eq!(got.expect("with the second").body, "2");
    assert!(seen[1].contains("Bearer first-token") && seen[1].contains("if-none-match"));
    assert!(seen[2].contains("Bearer second-token"), "{}", seen[2]);
    assert!(!seen[2].contains("if-none-match"), "{}", seen[2]);
}

#[tokio::test]
async fn a_refused_token_is_not_fetched_again_at_once() {
    let world = World::new().await;
    let server = world.server();
    let refused = whole("401 Unauthorized", "", b"{\"message\":\"Bad credentials\"}");
    let ask = async {
        let one = server.get("/x", JSON).await.expect_err("refused");
        "second-token".clone_into(&mut lock(&world.token));
        let two = server.get("/x", JSON).await.expect_err("refused");
        (one, two)
    };
    let (seen, (one, _)) = futures::join!(world.answers(vec![refused.clone(), refused]), ask);
    assert!(seen[1].contains("first-token"));
    assert_eq!(one.fate(), Fate::Refused);
    assert_eq!(one.state(), crate::model::source::SourceState::Unauthorized);
    assert!(one.sentence().contains("Bad credentials"), "{one}");
}

#[tokio::test]
async fn a_refused_write_is_never_repeated() {
    let world = World::new().await;
    let server = world.server();
    world.second.fetch_add(100, Ordering::SeqCst);
    let refused = whole("401 Unauthorized", "", b"{}");
    let ask = async {
        server.get("/x", JSON).await.expect("one");
        world.second.fetch_add(100, Ordering::SeqCst);
        "second-token".clone_into(&mut lock(&world.token));
        let write = server
            .send_once(Method::POST, "/y", JSON, Bytes::from_static(b"{}"))
            .await;
        (write, server.get("/x", JSON).await)
    };
    let answers = [
        whole("200 OK", "", b"1"),
        refused,
        whole("200 OK", "", b"2"),
    ];
    let (seen, (write, read)) = futures::join!(world.answers(answers.into()), ask);
    assert_eq!(write.expect_err("refused").fate(), Fate::Refused);
    assert_eq!(read.expect("read").body, "2");
    assert!(seen[1].starts_with("POST /api/y"));
    assert!(seen[2].starts_with("GET /api/x") && seen[2].contains("second-token"));
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let world = World::new().await;
    let target = "https://blob.example/log?sig=verysecret";
    let trouble = world
        .get(whole("302 Found", &format!("location: {target}\r\n"), b""))
        .await
        .expect_err("a redirect");
    assert_eq!(trouble.status(), Some(302));
    assert_eq!(trouble.location().expect("location").url(), target);
    assert!(!trouble.sentence().contains("verysecret"));
    assert!(!format!("{trouble:?}").contains("verysecret"));
    let trouble = world
        .post(whole("307 Temporary Redirect", "location: /y\r\n", b""))
        .await
        .expect_err("a redirect");
    assert_eq!(trouble.fate(), Fate::PerhapsSent);
}

#[tokio::test]
async fn elsewhere_gets_no_token_and_no_header_of_ours() {
    let world = World::new().await;
    let other = World::new().await;
    let server = world.server();
    let location = Location(format!("{}log?sig=1", other.base()).into());
    let answer = whole("200 OK", "content-encoding: gzip\r\n", &gzip(b"a log"));
    let (seen, got) = futures::join!(other.answers(vec![answer]), server.get_elsewhere(&location));
    assert_eq!(got.expect("log").body, "a log");
    assert!(seen[0].starts_with("GET /api/log?sig=1"));
    for ours in ["authorization", "cookie", "x-version", "first-token"] {
        assert!(!seen[0].to_lowercase().contains(ours), "{}", seen[0]);
    }
    let far = Location("http://blob.example/log".into());
    let refused = server.get_elsewhere(&far).await.expect_err("plain http");
    assert_eq!(refused.fate(), Fate::CertainlyNotSent);
}

#[tokio::test]
async fn a_link_to_another_origin_is_refused_before_anything_is_sent() {
    let world = World::new().await;
    let other = World::new().await;
    let trouble = world
        .server()
        .follow(&format!("{}x", other.base()), JSON)
        .await
        .expect_err("another origin");
    assert_eq!(trouble.fate(), Fate::CertainlyNotSent);
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_lost() {
    let world = World::new().await;
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\":".to_vec();
    let trouble = world.get(cut).await.expect_err("cut");
    assert!(matches!(trouble.why(), Why::Lost { .. }), "{trouble:?}");
    let mut packed = gzip(b"{\"a\":1}");
    packed.truncate(packed.len() - 6);
    let trouble = world
        .get(whole("200 OK", "content-encoding: gzip\r\n", &packed))
        .await
        .expect_err("cut");
    assert!(matches!(trouble.why(), Why::Lost { .. }), "{trouble:?}");
}

#[tokio::test]
async fn a_packed_answer_is_unpacked_and_a_bomb_is_not() {
    let world = World::new().await;
    let packed = whole("200 OK", "content-encoding: gzip\r\n", &gzip(b"[1,2]"));
    let reply = world.get(packed).await.expect("unpacked");
    assert_eq!(reply.json::<Vec<u8>>().expect("json"), [1, 2]);
    let bomb = gzip(&vec![b' '; 3 << 20]);
    let trouble = world
        .get(whole("200 OK", "content-encoding: gzip\r\n", &bomb))
        .await
        .expect_err("a bomb");
    assert_eq!(*trouble.why(), Why::Bomb { ratio: 100 });
}

#[tokio::test]
async fn a_body_without_end_stops_at_its_limit() {
    let world = World::new().await;
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_vec();
    let trouble = world.get(announced).await.expect_err("too large");
    assert!(matches!(trouble.why(), Why::TooLarge { .. }), "{trouble:?}");
    let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n500000\r\n".to_vec();
    chunked.resize(chunked.len() + 0x50_0000, b'x');
    let trouble = world.get(chunked).await.expect_err("too large");
    assert!(matches!(trouble.why(), Why::TooLarge { .. }), "{trouble:?}");
}

#[tokio::test]
async fn a_body_that_trickles_is_given_up() {
    let world = World::new().await;
    let server = world.server();
    let trickle = async {
        let (mut socket, _) = world.listener.accept().await.expect("accept");
        request(&mut socket).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
        socket.write_all(head).await.expect("write");
        socket
    };
    let (_socket, got) = futures::join!(trickle, server.get("/x", JSON));
    assert!(matches!(
        got.expect_err("slow").why(),
        Why::Timeout { after } if *after == SHORT.idle
    ));
}

#[tokio::test]
async fn a_server_that_says_nothing_was_perhaps_told() {
    let world = World::new().await;
    let server = world.server();
    let silent = async {
        let (mut socket, _) = world.listener.accept().await.expect("accept");
        request(&mut socket).await;
        socket
    };
    let write = server.send_once(Method::POST, "/x", JSON, Bytes::from_static(b"{}"));
    let (_socket, got) = futures::join!(silent, write);
    assert_eq!(got.expect_err("silent").fate(), Fate::PerhapsSent);
}

#[tokio::test]
async fn a_write_whose_time_is_over_never_leaves() {
    let world = World::new().await;
    let server = world.server();
    let by = server.now();
    let write = || server.send_once_by(Method::POST, "/x", JSON, Bytes::from_static(b"{}"), by);
    let answer = whole("200 OK", "", b"{}");
    let (seen, got) = futures::join!(world.answers(vec![answer]), write());
    assert!(got.is_ok() && seen.len() == 1, "{got:?}");
    // The write before this one hangs, and meanwhile the read gets old.
    let turn = server.inner.last_write.lock().await;
    let late = async {
        world.second.fetch_add(1, Ordering::SeqCst);
        drop(turn);
    };
    // Nobody accepts here: a request that left would be a trouble of another kind.
    let (got, ()) = futures::join!(write(), late);
    let trouble = got.expect_err("too late");
    assert_eq!(trouble.why(), &Why::TooLate);
    assert_eq!(trouble.fate(), Fate::CertainlyNotSent);
    assert!(trouble.sentence().contains("read it again"), "{trouble}");
}

#[tokio::test]
async fn a_refused_connection_is_certainly_not_sent_and_a_closed_one_perhaps() {
    let world = World::new().await;
    let trouble = world.post(Vec::new()).await.expect_err("closed");
    assert_eq!(trouble.fate(), Fate::PerhapsSent);
    assert_eq!(
        trouble.state(),
        crate::model::source::SourceState::Unreachable
    );
    let server = world.server();
    drop(world.listener);
    let trouble = server
        .send_once(Method::POST, "/x", JSON, Bytes::from_static(b"{}"))
        .await
        .expect_err("nobody");
    assert_eq!(trouble.fate(), Fate::CertainlyNotSent, "{trouble:?}");
    assert!(
        trouble.sentence().contains("cannot be reached"),
        "{trouble}"
    );
}

#[tokio::test]
async fn a_web_page_is_not_an_api() {
    let world = World::new().await;
    for (more, body) in [
        (
            "content-type: text/html; charset=utf-8\r\n",
            "<!DOCTYPE html><title>Log in",
        ),
        ("", "  <html>"),
    ] {
        let reply = world.get(whole("200 OK", more, body.as_bytes())).await;
        let trouble = reply.expect("an answer").json::<serde_json::Value>();
        let trouble = trouble.expect_err("a page");
        assert!(
            trouble.sentence().contains("not the API: it answered HTML"),
            "{trouble}"
        );
        assert_eq!(
            trouble.state(),
            crate::model::source::SourceState::Malformed
        );
    }
}

#[tokio::test]
async fn a_deep_answer_is_refused_before_it_is_built() {
    let world = World::new().await;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let reply = world.get(whole("200 OK", "", nested(64).as_bytes())).await;
    assert!(
        reply
            .expect("an answer")
            .json::<serde_json::Value>()
            .is_ok()
    );
    let reply = world.get(whole("200 OK", "", nested(65).as_bytes())).await;
    let trouble = reply.expect("an answer").json::<serde_json::Value>();
    assert!(
        trouble
            .expect_err("deep")
            .sentence()
            .contains("nested deeper than 64")
    );
    let quoted = format!("[\"{}\\\"{}\"]", "[".repeat(80), "{".repeat(80));
    let reply = world.get(whole("200 OK", "", quoted.as_bytes())).await;
    assert!(
        reply
            .expect("an answer")
            .json::<serde_json::Value>()
            .is_ok()
    );
}

#[tokio::test]
async fn too_fast_and_not_permitted_are_told_apart() {
    let world = World::new().await;
    let secondary = whole(
        "403 Forbidden",
        "retry-after: 12\r\nx-ratelimit-remaining: 4000\r\n",
        b"{\"message\":\"You have exceeded a secondary rate limit.\"}",
    );
    let server = world.server();
    let ask = async {
        let one = server.get("/x", JSON).await.expect_err("limited");
        let two = server.get("/x", JSON).await.expect_err("held");
        (one, two)
    };
    let (_, (one, two)) = futures::join!(world.answers(vec![secondary]), ask);
    assert_eq!(one.state(), crate::model::source::SourceState::RateLimited);
    assert_eq!(one.retry_after(), Some(Duration::from_secs(12)));
    assert_eq!(two.fate(), Fate::CertainlyNotSent);
    let until = two.held_until().expect("a time");
    assert_eq!(until.duration_since(server.now()).as_secs(), 12);
    assert_eq!(server.budget().held_until, Some(until));

    let forbidden = whole(
        "403 Forbidden",
        "x-ratelimit-remaining: 4000\r\n",
        b"{\"message\":\"Resource not accessible by personal access token\"}",
    );
    let trouble = world.get(forbidden).await.expect_err("forbidden");
    assert_eq!(
        trouble.state(),
        crate::model::source::SourceState::Forbidden
    );
    let plain = whole(
        "429 Too Many Requests",
        "retry-after: soon\r\n",
        b"Retry later\n",
    );
    let trouble = world.get(plain).await.expect_err("limited");
    assert_eq!(trouble.retry_after(), None);
    assert!(trouble.sentence().contains("Retry later"));
}

#[tokio::test]
async fn a_wait_is_seconds_or_a_date_and_never_long() {
    let world = World::new().await;
    for (said, wait) in [
        ("retry-after: 7\r\n", Some(7)),
        ("retry-after: 86400\r\n", Some(300)),
        ("retry-after: -3\r\n", None),
        (
            "date: Tue, 14 Jul 2026 03:33:20 GMT\r\nretry-after: Tue, 14 Jul 2026 03:34:20 GMT\r\n",
            Some(60),
        ),
        (
            "date: Tue, 14 Jul 2026 03:33:20 GMT\r\nretry-after: Tue, 14 Jul 2026 03:30:20 GMT\r\n",
            Some(0),
        ),
    ] {
        let answer = whole("503 Service Unavailable", said, b"busy");
        let trouble = world.get(answer).await.expect_err("busy");
        assert_eq!(trouble.retry_after().map(|w| w.as_secs()), wait, "{said}");
        assert_eq!(trouble.fate(), Fate::PerhapsSent);
    }
}

#[tokio::test]
async fn the_servers_clock_is_compared_with_ours() {
    let world = World::new().await;
    world.second.store(1_784_000_000, Ordering::SeqCst);
    let server = world.server();
    let answer = whole("200 OK", "date: Tue, 14 Jul 2026 03:33:25 GMT\r\n", b"1");
    let (_, got) = futures::join!(world.answers(vec![answer]), server.get("/x", JSON));
    got.expect("an answer");
    assert_eq!(server.ahead_ms(), Some(5_500));
}

#[tokio::test]
async fn what_is_left_is_kept_for_whoever_waits_for_it() {
    let world = World::new().await;
    let server = world.server_with(Limits {
        reserve: 100,
        ..SHORT
    });
    let nearly = whole(
        "200 OK",
        "x-ratelimit-remaining: 100\r\nx-ratelimit-reset: 600\r\n",
        b"1",
    );
    let ask = async {
        server.get("/x", JSON).await.expect("one");
        let held = server.get("/y", JSON).await.expect_err("held");
        (held, server.urgent().get("/z", JSON).await)
    };
    let answers = [nearly, whole("200 OK", "", b"2")];
    let (_, (held, urgent)) = futures::join!(world.answers(answers.into()), ask);
    assert_eq!(held.state(), crate::model::source::SourceState::RateLimited);
    assert_eq!(urgent.expect("urgent").body, "2");
}

#[tokio::test]
async fn a_form_is_encoded_and_may_hold_anything() {
    let world = World::new().await;
    let server = world.server();
    let fields = [("query", "sum by(a) (rate(x[5m])) > 0 & é"), ("time", "1")];
    let (seen, got) = futures::join!(
        world.answers(vec![whole("200 OK", "", b"1")]),
        server.form("/query", &fields)
    );
    got.expect("an answer");
    assert!(seen[0].starts_with("POST /api/query"));
    assert!(seen[0].contains("content-type: application/x-www-form-urlencoded"));
    assert!(
        seen[0].ends_with(
            "query=sum%20by%28a%29%20%28rate%28x%5B5m%5D%29%29%20%3E%200%20%26%20%C3%A9&time=1"
        ),
        "{}",
        seen[0]
    );
}

#[tokio::test]
async fn errors_speak_in_the_servers_words_and_only_in_safe_ones() {
    let world = World::new().await;
    for (body, words) in [
        (
            "{\"message\":\"Validation Failed\",\"errors\":[{\"message\":\"no such env\"}]}",
            "Validation Failed (no such env)",
        ),
        (
            "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}",
            "parse error",
        ),
        (
            "{\"error\":{\"message\":\"Invalid\",\"errors\":[\"a\",\"b\"]}}",
            "Invalid (a; b)",
        ),
        ("\"plain json text\"", "plain json text"),
        ("a\u{1b}[2Jb", "ab"),
        ("<html>secret page</html>", "it answered with a web page"),
        ("", "Unprocessable Entity"),
    ] {
        let trouble = world
            .get(whole("422 Unprocessable Entity", "", body.as_bytes()))
            .await
            .expect_err("refused");
        assert_eq!(trouble.said().expect("said").message, *words, "{body}");
    }
}

#[test]
fn no_token_is_shown_by_anything() {
    let server = Server::new(
        "https://api.example/v3/",
        Credential::None,
        Limits::default(),
        Arc::new(|| Timestamp::UNIX_EPOCH),
    );
    let text = format!("{:?}", server.expect("server"));
    assert_eq!(text, "Server { name: \"api.example\", .. }");
}

#[test]
fn links_are_read_as_they_are_written() {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::LINK,
        HeaderValue::from_static(
            "<https://h/a,b?page=2>; rel=\"next\", <https://h/z>; title=\"x\"; rel=\"last first\"",
        ),
    );
    assert_eq!(
        answer::link(&headers, "next").as_deref(),
        Some("https://h/a,b?page=2")
    );
    assert_eq!(
        answer::link(&headers, "last").as_deref(),
        Some("https://h/z")
    );
    assert_eq!(answer::link(&headers, "prev"), None);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_header_is_read_and_no_wait_is_long(
        text in "[ -~]{0,60}|[<>;,=\"a-z ]{0,60}|[0-9-]{1,25}|[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{1,5} [0-9:]{1,8} (GMT|[+-][0-9]{4})",
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, HeaderValue::from_static("Tue, 14 Jul 2026 03:33:20 GMT"));
        headers.insert(header::RETRY_AFTER, text.parse().expect("printable"));
        headers.insert(header::LINK, text.parse().expect("printable"));
        if let Some(wait) = answer::retry_after(&headers) {
            proptest::prop_assert!(wait <= answer::LONGEST_WAIT);
        }
        // A link is a piece of what was written, never anything else.
        if let Some(link) = answer::link(&headers, "next") {
            let marked = format!("<{link}>");
            proptest::prop_assert!(text.contains(&marked));
        }
        headers.insert(header::DATE, text.parse().expect("printable"));
        let _a_time_or_none = answer::date(&headers);
    }
}
