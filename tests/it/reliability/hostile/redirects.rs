//! T13: redirects. None is followed with anything of ours, a mutation's none at all, and the one that is followed (to
//! where a log is kept) goes without secrets.

use bytes::Bytes;
use http::Method;
use tokio::net::TcpListener;
use windlass::providers::{
    http::{Fate, JSON, Why},
    kubernetes::client::ApiPath,
};

use super::{Hand, SHORT, TOKEN, answering, base, cluster, during, listen, server, whole};

const SECRETS: [&str; 4] = [TOKEN, "canary-tenant-77", "authorization", "cookie"];

/// Where they point: another port, another address, other names of it, a file, and back to itself.
fn targets(here: &TcpListener, other: &TcpListener) -> Vec<String> {
    let (here, port) = (base(here), other.local_addr().unwrap().port());
    vec![
        format!("http://127.0.0.1:{port}/stolen"),
        format!("http://127.0.0.2:{port}/stolen"),
        format!("http://localhost:{port}/stolen"),
        format!("http://api.localhost:{port}/stolen"),
        format!("//127.0.0.1:{port}/stolen"),
        format!("http://user:pass@127.0.0.1:{port}/stolen"),
        "file:///etc/passwd".to_owned(),
        format!("{here}/x"),
        "/x".to_owned(),
        "\\\\evil".to_owned(),
    ]
}

/// What came to the other origin while `asking` ran.
async fn stolen<T>(other: &TcpListener, asking: impl Future<Output = T>) -> (T, Vec<String>) {
    let mut came = Vec::new();
    // It points back: A, then B, then B again.
    let again = whole(
        "302 Again",
        &format!("location: {}/again\r\n", base(other)),
        "",
    );
    let got = {
        let serving = answering(other, &again, |one| came.push(one));
        tokio::select! {
            biased;
            () = serving => unreachable!("it serves for ever"),
            got = asking => got,
        }
    };
    (got, came)
}

#[tokio::test]
async fn t13_no_redirect_takes_a_secret_or_a_mutation_elsewhere() {
    let (here, other) = (listen().await, listen().await);
    let path = ApiPath::new(&["api", "x"]);
    for status in 301..=308_u16 {
        for target in targets(&here, &other) {
            let what = format!("{status} to {target}");
            let answer = whole(
                &format!("{status} Moved"),
                &format!("location: {target}\r\nset-cookie: sid=1\r\n"),
                "",
            );
            let http = server(&base(&here), SHORT, &Hand::new());
            let cluster = cluster(&base(&here));
            let everything = async {
                let body = || Bytes::from_static(b"{}");
                let (read, came) = during(&here, &answer, http.get("/x", JSON)).await;
                assert!(came.len() == 1, "{what}: {came:#?}");
                // 304 says that what was kept still holds, and nothing was kept; the others point away.
                let trouble = read.unwrap_err();
                assert!(
                    status == 304 || matches!(trouble.why(), Why::Redirected { .. }),
                    "{what}: {trouble:?}"
                );
                let form = http.form("/x", &[("a", "b")]);
                let (form, came) = during(&here, &answer, form).await;
                assert!(form.is_err() && came.len() == 1, "{what}: {came:#?}");
                for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                    let write = http.send_once(method, "/x", JSON, body());
                    let (write, came) = during(&here, &answer, write).await;
                    assert_eq!(came.len(), 1, "{what}: {came:#?}");
                    assert_eq!(write.unwrap_err().fate(), Fate::PerhapsSent, "{what}");
                }
                let (read, came) = during(&here, &answer, cluster.get_bytes(&path)).await;
                assert!(read.is_err() && came.len() == 1, "{what}: {came:#?}");
                let merge = "application/merge-patch+json";
                let write = cluster.patch(&path, merge, body());
                let (write, came) = during(&here, &answer, write).await;
                assert!(write.is_err() && came.len() == 1, "{what}: {came:#?}");
                let (lines, came) = during(&here, &answer, cluster.lines(&path)).await;
                assert!(lines.is_err() && came.len() == 1, "{what}: {came:#?}");
            };
            let ((), came) = stolen(&other, Box::pin(everything)).await;
            assert!(
                came.is_empty(),
                "{what}: the other origin was asked: {came:#?}"
            );
        }
    }
}

/// GitHub keeps its logs elsewhere, and says so by a redirect: that one is followed, once, bare.
#[tokio::test]
async fn t13_the_redirect_that_is_followed_goes_without_secrets_and_no_further() {
    let (here, other) = (listen().await, listen().await);
    let http = server(&base(&here), SHORT, &Hand::new());
    let location = format!(
        "location: {}/log?sig=1\r\nset-cookie: sid=1\r\n",
        base(&other)
    );
    let answer = whole("302 Found", &location, "");
    let (got, asked) = during(&here, &answer, http.get("/log", JSON)).await;
    assert!(
        asked[0].contains(TOKEN),
        "the token is sent where it belongs"
    );
    let trouble = got.unwrap_err();
    let (got, came) = stolen(&other, http.get_elsewhere(trouble.location().unwrap())).await;
    assert!(matches!(got.unwrap_err().why(), Why::Redirected { .. }));
    assert_eq!(came.len(), 1, "no further: {came:#?}");
    for secret in SECRETS {
        assert!(
            !came[0].to_lowercase().contains(secret),
            "{secret}: {}",
            came[0]
        );
    }
}
