//! T12: servers that take all the time there is. Each is given up at its deadline, whatever it drips, and nobody else is
//! kept waiting by it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::sleep,
};
use windlass::{
    model::source::SourceState,
    providers::{
        http::{Fate, JSON},
        kubernetes::client::ApiPath,
    },
};

use super::{Hand, SHORT, base, cluster, during, listen, request, server, whole};

/// A twentieth of a second a byte: as hopeless as a second, and over sooner.
const DRIP: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug)]
enum Slow {
    /// It accepts and reads, and never says a word.
    Silent,
    Head,
    Body,
    /// It stops in the middle.
    Stalls,
}

const ALL: [Slow; 4] = [Slow::Silent, Slow::Head, Slow::Body, Slow::Stalls];

async fn drips(socket: &mut TcpStream) {
    while socket.write_all(b"a").await.is_ok() {
        sleep(DRIP).await;
    }
}

async fn be(listener: &TcpListener, slow: Slow) {
    let (mut socket, _) = listener.accept().await.unwrap();
    request(&mut socket).await;
    let head: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{";
    match slow {
        Slow::Silent => {}
        Slow::Head => {
            socket.write_all(b"HTTP/1.1 200 OK\r\nx-").await.unwrap();
            drips(&mut socket).await;
        }
        Slow::Body => {
            socket.write_all(head).await.unwrap();
            drips(&mut socket).await;
        }
        Slow::Stalls => socket.write_all(head).await.unwrap(),
    }
    std::future::pending::<()>().await;
}

async fn against<T>(listener: &TcpListener, slow: Slow, ask: impl Future<Output = T>) -> T {
    let since = Instant::now();
    let got = tokio::select! {
        got = ask => got,
        () = be(listener, slow) => unreachable!("it never ends"),
    };
    // The whole request has one limit; the rest is a busy machine's.
    assert!(
        since.elapsed() < SHORT.total * 4,
        "{slow:?}: {:?}",
        since.elapsed()
    );
    got
}

#[tokio::test]
async fn t12_a_server_that_drips_is_given_up_and_a_write_to_it_is_unknown() {
    for slow in ALL {
        let listener = listen().await;
        let http = server(&base(&listener), SHORT, &Hand::new());
        let trouble = against(&listener, slow, http.get("/x", JSON))
            .await
            .unwrap_err();
        assert_eq!(
            trouble.state(),
            SourceState::Unreachable,
            "{slow:?}: {trouble}"
        );
        let write = http.send_once(Method::POST, "/x", JSON, Bytes::from_static(b"{}"));
        let trouble = against(&listener, slow, write).await.unwrap_err();
        assert_eq!(trouble.fate(), Fate::PerhapsSent, "{slow:?}: {trouble}");
    }
}

#[tokio::test]
async fn t12_an_api_server_that_drips_is_given_up() {
    for slow in ALL {
        let listener = listen().await;
        let cluster = cluster(&base(&listener));
        let path = ApiPath::new(&["api", "x"]);
        let error = against(&listener, slow, cluster.get_bytes(&path))
            .await
            .unwrap_err();
        assert_eq!(error.state(), SourceState::Unreachable, "{slow:?}: {error}");
    }
}

/// One that hangs takes its own time and nobody else's: another server, asked meanwhile, answers at once.
#[tokio::test]
async fn t12_whoever_waits_for_one_server_does_not_wait_for_another() {
    let (slow, quick) = (listen().await, listen().await);
    let hand = Hand::new();
    let (hangs, works) = (
        server(&base(&slow), SHORT, &hand),
        server(&base(&quick), SHORT, &hand),
    );
    let fine = whole("200 OK", "", "{}");
    let hanging = against(&slow, Slow::Silent, hangs.get("/x", JSON));
    let working = during(&quick, &fine, async {
        let mut answers = 0;
        for _ in 0..20 {
            works.get("/x", JSON).await.unwrap();
            answers += 1;
        }
        answers
    });
    tokio::pin!(hanging);
    tokio::select! {
        // The twenty take some milliseconds, the one takes its limit.
        (answers, _) = working => assert_eq!(answers, 20),
        got = &mut hanging => panic!("the slow one came first: {got:?}"),
    }
    hanging.await.unwrap_err();
}

/// A watch that stalls is late after its deadline, and is said to be.
#[test]
fn t12_a_watch_that_stalls_is_late_by_its_deadline() {
    use windlass::providers::kubernetes::watch::{
        Ask, Chance, Condition, Line, StreamsLists, Watch,
    };
    let mut chance = Chance::seeded(3);
    let mut watch = Watch::new(ApiPath::new(&["x"]), false, StreamsLists::default());
    watch.opened(Duration::from_secs(1));
    let end = Line::Bookmark {
        version: "10",
        initial_events_end: true,
    };
    watch.line(Duration::from_secs(2), end);
    assert_eq!(*watch.condition(), Condition::Live);
    let deadline = watch.deadline();
    assert!(deadline <= Duration::from_secs(2 + 75), "{deadline:?}");
    watch.overdue();
    assert_eq!(*watch.condition(), Condition::Late);
    // It goes on from where it was instead of waiting for the rest of ten minutes.
    let asked = watch.next(deadline, &mut chance);
    assert!(
        matches!(&asked, Ask::Stream(path) if path.to_string().contains("resourceVersion=10")),
        "{asked:?}"
    );
}
