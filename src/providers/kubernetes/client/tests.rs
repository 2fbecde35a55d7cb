//! The client against a server on loopback that does everything wrong. Limits are parameters, so nothing waits long.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{super::error::Fate, *};
use crate::model::id::EnvironmentName;

const MERGE: &str = "application/merge-patch+json";

const SHORT: Limits = Limits {
    connect: Duration::from_millis(300),
    header: Duration::from_millis(900),
    total: Duration::from_millis(1200),
    body: 1 << 20,
    line: 1 << 12,
    error_body: 1 << 12,
};

fn client(listener: &TcpListener) -> Client {
    let address = listener.local_addr().expect("address");
    let connection = Connection::loopback(EnvironmentName::new("test"), address);
    Client::new(connection, SHORT, Arc::new(|| Timestamp::UNIX_EPOCH)).expect("client")
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("bind")
}

/// Reads one request to the end of its head and body, and returns it.
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

/// One request, one answer that is written as it stands, then the connection is closed.
async fn answer(listener: &TcpListener, bytes: &[u8]) -> String {
    let (mut socket, _) = listener.accept().await.expect("accept");
    let seen = request(&mut socket).await;
    // The client may have had enough before everything was written.
    let _ = socket.write_all(bytes).await;
    let _ = socket.shutdown().await;
    seen
}

fn whole(status: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{more}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn get(bytes: &[u8]) -> Result<serde_json::Value, Error> {
    let listener = listen().await;
    let client = client(&listener);
    let path = ApiPath::new(&["api"]);
    let (_, got) = futures::join!(answer(&listener, bytes), client.get(&path));
    got
}

async fn patch(bytes: &[u8]) -> (String, Result<Bytes, Error>) {
    let listener = listen().await;
    let client = client(&listener);
    let path = ApiPath::new(&["api", "x"]);
    let body = Bytes::from_static(b"{\"spec\":{}}");
    futures::join!(answer(&listener, bytes), client.patch(&path, MERGE, body))
}

#[tokio::test]
async fn a_write_says_who_wrote_and_of_which_kind_the_patch_is() {
    let (seen, got) = patch(&whole("200 OK", "", "{}")).await;
    assert!(got.is_ok());
    assert!(
        seen.starts_with("PATCH /api/x?fieldManager=windlass HTTP/1.1"),
        "{seen}"
    );
    assert!(
        seen.contains("content-type: application/merge-patch+json"),
        "{seen}"
    );
    assert!(seen.ends_with("{\"spec\":{}}"), "{seen}");
}

#[tokio::test]
async fn a_server_that_is_not_there_means_that_nothing_was_sent() {
    let listener = listen().await;
    let client = client(&listener);
    drop(listener);
    let error = client.get_bytes(&ApiPath::new(&["api"])).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert_eq!(error.fate(), Fate::NotSent);
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_tls_handshake_that_never_ends_means_that_nothing_was_sent() {
    let listener = listen().await;
    let address = listener.local_addr().expect("address");
    let mut connection = Connection::loopback(EnvironmentName::new("test"), address);
    connection.config.cluster_url = format!("https://{address}").parse().expect("url");
    let client =
        Client::new(connection, SHORT, Arc::new(|| Timestamp::UNIX_EPOCH)).expect("client");
    let silent = async {
        let (_socket, _) = listener.accept().await.expect("accept");
        std::future::pending::<()>().await;
    };
    let path = ApiPath::new(&["api"]);
    let error = tokio::select! {
        got = client.get_bytes(&path) => got.unwrap_err(),
        () = silent => unreachable!(),
    };
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_unknown_whatever_the_way_it_was_lost() {
    let ways: [&[u8]; 6] = [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"cut",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"cut",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n",
    ];
    for bytes in ways {
        let (seen, got) = patch(bytes).await;
        assert!(seen.starts_with("PATCH"), "{seen}");
        let error = got.unwrap_err();
        assert_eq!(error.fate(), Fate::Unknown, "{error:?}");
    }
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_the_answer() {
    for status in [
        "429 Too Many Requests",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        let listener = listen().await;
        let client = client(&listener);
        let path = ApiPath::new(&["api"]);
        let bytes = whole(status, "", "");
        let (_, got) = futures::join!(
            answer(&listener, &bytes),
            client.patch(&path, MERGE, Bytes::new())
        );
        assert!(got.is_err());
        let second = timeout(Duration::from_millis(60), listener.accept()).await;
        assert!(second.is_err(), "{status}: asked again");
    }
}

#[tokio::test]
async fn one_that_accepts_and_never_answers_is_given_up() {
    let listener = listen().await;
    let client = client(&listener);
    let path = ApiPath::new(&["api"]);
    let silent = async {
        let (mut socket, _) = listener.accept().await.expect("accept");
        request(&mut socket).await;
        std::future::pending::<()>().await;
    };
    let error = tokio::select! {
        got = client.get_bytes(&path) => got.unwrap_err(),
        () = silent => unreachable!(),
    };
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(error.fate(), Fate::Unknown);
}

#[tokio::test]
async fn a_body_that_drips_ends_at_the_deadline_of_the_whole_request() {
    let listener = listen().await;
    let client = client(&listener);
    let path = ApiPath::new(&["api"]);
    let drip = async {
        let (mut socket, _) = listener.accept().await.expect("accept");
        request(&mut socket).await;
        socket
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            .await
            .expect("head");
        loop {
            let _ = socket.write_all(b" ").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let error = tokio::select! {
        got = client.get_bytes(&path) => got.unwrap_err(),
        () = drip => unreachable!(),
    };
    assert_eq!(error, Error::Timeout { after: SHORT.total });
}

#[tokio::test]
async fn a_body_without_end_is_cut_at_the_limit() {
    let listener = listen().await;
    let client = client(&listener);
    let path = ApiPath::new(&["api"]);
    let flood = async {
        let (mut socket, _) = listener.accept().await.expect("accept");
        request(&mut socket).await;
        let _ = socket
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            .await;
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let mut sent = 0usize;
        while socket.write_all(chunk.as_bytes()).await.is_ok() && sent < 100 << 20 {
            sent += chunk.len();
        }
        sent
    };
    let (sent, got) = futures::join!(flood, client.get_bytes(&path));
    assert!(matches!(got.unwrap_err(), Error::TooLarge { .. }));
    assert!(sent < 50 << 20, "{sent} bytes were taken");
}

#[tokio::test]
async fn a_web_page_with_200_is_named_and_a_wrong_type_is_malformed() {
    let page = get(&whole(
        "200 OK",
        "content-type: text/html\r\n",
        "<html>login</html>",
    ))
    .await;
    assert!(page.unwrap_err().to_string().contains("web page"));
    for body in ["", "nonsense", "[1,", "{\"a\":1e999}", "\u{feff}{}"] {
        let error = get(&whole("200 OK", "", body)).await.unwrap_err();
        assert!(
            matches!(error, Error::Malformed { .. }),
            "{body}: {error:?}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(get(&whole("200 OK", "", &deep)).await.is_err());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = listen().await;
    let to = other.local_addr().expect("address");
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let error = get(&whole(
            status,
            &format!("location: http://{to}/api\r\n"),
            "",
        ))
        .await
        .unwrap_err();
        assert!(error.to_string().contains("redirect"), "{error}");
    }
    let visit = timeout(Duration::from_millis(60), other.accept()).await;
    assert!(visit.is_err(), "somebody went there");
}

#[tokio::test]
async fn an_error_with_an_endless_body_is_still_that_error() {
    let body = "x".repeat(1 << 16);
    let error = get(&whole("403 Forbidden", "", &body)).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
    let cut = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 500\r\n\r\n{\"mess";
    assert!(matches!(get(cut).await.unwrap_err(), Error::Forbidden(_)));
}

async fn lines(bytes: &[u8]) -> (Vec<String>, Option<Error>) {
    let listener = listen().await;
    let client = client(&listener);
    let path = ApiPath::new(&["api"]);
    let read = async {
        let mut lines = client.lines(&path).await.expect("lines");
        let mut seen = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) => seen.push(String::from_utf8_lossy(&line).into_owned()),
                Ok(None) => return (seen, None),
                Err(error) => return (seen, Some(error)),
            }
        }
    };
    futures::join!(answer(&listener, bytes), read).1
}

#[tokio::test]
async fn a_stream_comes_as_whole_lines_and_a_cut_one_is_an_error() {
    let (seen, error) = lines(&whole("200 OK", "", "one\r\ntwo\n\nthree\n")).await;
    assert_eq!(seen, ["one", "two", "", "three"]);
    assert_eq!(error, None);
    let text = "{\"type\":\"ADDED\"}";
    for end in 1..text.len() {
        let (seen, error) = lines(&whole("200 OK", "", text.get(..end).expect("ascii"))).await;
        assert!(seen.is_empty());
        assert!(
            matches!(error, Some(Error::Lost { .. })),
            "{end}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_line_without_end_is_cut_at_the_limit() {
    let (_, error) = lines(&whole("200 OK", "", &"x".repeat(1 << 14))).await;
    assert!(matches!(error, Some(Error::TooLarge { .. })), "{error:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_plugins_token_is_sent_and_its_failure_means_that_nothing_was() {
    let listener = listen().await;
    let with = |script: &str| {
        let address = listener.local_addr().expect("address");
        let mut connection = Connection::loopback(EnvironmentName::new("test"), address);
        connection.plugin = Some(Plugin {
            command: "sh".to_owned(),
            args: vec!["-c".to_owned(), script.to_owned()],
            ..Plugin::default()
        });
        Client::new(connection, SHORT, Arc::new(|| Timestamp::UNIX_EPOCH)).expect("client")
    };
    let path = ApiPath::new(&["api"]);
    let good = with("echo '{\"status\":{\"token\":\"T0\"}}'");
    let bytes = whole("200 OK", "", "{}");
    let (seen, got) = futures::join!(answer(&listener, &bytes), good.get_bytes(&path));
    assert!(got.is_ok());
    assert!(seen.contains("authorization: Bearer T0"), "{seen}");
    let bad = with("echo 'run gcloud auth login' >&2; exit 1");
    let error = bad.patch(&path, MERGE, Bytes::new()).await.unwrap_err();
    assert_eq!(error.fate(), Fate::NotSent);
    assert!(error.to_string().contains("gcloud auth login"), "{error}");
}
