//! T28: a server that cannot prove who it is hears nothing of us, one that need not prove it is marked on every screen, and
//! a token travels in the open on this machine only.

use serde_json::json;

use super::{
    identity::{Authority, Wrong},
    road::Road,
    tell,
    user::{TOKEN, User, base64},
};
use crate::{screen::harness::text_of, whole::shop::Shop};

const WRONG: [(Wrong, &str); 5] = [
    (Wrong::SelfSigned, "not signed by"),
    (Wrong::OtherAuthority, "not signed by"),
    (Wrong::Expired, "expired"),
    (Wrong::NotYetValid, "not valid yet"),
    (Wrong::OtherName, "for another name"),
];

/// Nothing of a request was heard, and not because nobody tried.
#[track_caller]
fn assert_heard_nothing(road: &Road, wrong: Wrong) {
    assert!(road.connected() > 0, "{wrong:?}: nobody tried");
    let came = road.came();
    assert!(came.is_empty(), "{wrong:?}: {came:#?}");
}

#[test]
#[ignore = "at night: starts the program a few times for each certificate"]
fn t28_a_cluster_whose_certificate_is_wrong_hears_nothing() {
    let authority = Authority::new();
    let trust = json!({ "certificate-authority-data": base64(authority.pem.as_bytes()) });
    for (wrong, words) in WRONG.into_iter().chain([(Wrong::Nothing, "")]) {
        let shop = Shop::open("canary");
        let road = Road::to(&shop.cluster(), authority.identity(wrong));
        let server = format!("https://127.0.0.1:{}", road.port);
        let user = User::of(shop).at(&server, &trust, &json!({ "token": TOKEN }));
        for command in ["doctor", "status"] {
            let source = user.source(command, "kubernetes");
            if wrong == Wrong::Nothing {
                assert_eq!(source["state"], "live", "{source}");
                continue;
            }
            assert_eq!(source["state"], "unreachable", "{command} {wrong:?}");
            let detail = source["detail"].as_str().unwrap();
            assert!(detail.contains(words), "{command} {wrong:?}: {detail}");
        }
        if wrong == Wrong::Nothing {
            let bearer = format!("Bearer {TOKEN}");
            assert!(road.came().iter().all(|came| came.head.contains(&bearer)));
            assert!(!road.came().is_empty());
        } else {
            assert_heard_nothing(&road, wrong);
        }
    }
    tell("5 wrong certificates of a cluster: 0 requests heard");
}

#[test]
#[ignore = "at night: starts the program a few times for each certificate"]
fn t28_a_metrics_server_whose_certificate_is_wrong_hears_nothing() {
    let authority = Authority::new();
    for (wrong, words) in WRONG.into_iter().chain([(Wrong::Nothing, "")]) {
        let shop = Shop::open("canary");
        let road = Road::to(&shop.hosts().prometheus, authority.identity(wrong));
        let configuration = format!(
            "[environments.prod-eu]\nprometheus = {{ url = \"https://127.0.0.1:{}\", token = {{ env = \"PROM_TOKEN\" }} }}\n",
            road.port
        );
        let user = User::of(shop)
            .configured(&configuration)
            .with("PROM_TOKEN", TOKEN);
        let bundle = user.place("authority.pem");
        std::fs::write(&bundle, &authority.pem).unwrap();
        let user = user.with("SSL_CERT_FILE", bundle.to_str().unwrap());
        let source = user.source("doctor", "prometheus");
        if wrong == Wrong::Nothing {
            assert_eq!(source["state"], "live", "{source}");
            assert!(!road.came().is_empty());
        } else {
            assert_eq!(source["state"], "unreachable", "{wrong:?}: {source}");
            let detail = source["detail"].as_str().unwrap();
            assert!(detail.contains(words), "{wrong:?}: {detail}");
            assert_heard_nothing(&road, wrong);
        }
    }
    tell("5 wrong certificates of a metrics server: 0 requests heard");
}

/// Red in every theme that has colours, and there on every view.
#[test]
#[ignore = "at night: walks through every view"]
fn t28_a_server_that_need_not_prove_itself_is_marked_on_every_view() {
    let shop = Shop::open("canary");
    let road = Road::to(
        &shop.cluster(),
        Authority::new().identity(Wrong::SelfSigned),
    );
    let server = format!("https://127.0.0.1:{}", road.port);
    let anyway = json!({ "insecure-skip-tls-verify": true });
    let user = User::of(shop).at(&server, &anyway, &json!({ "token": TOKEN }));
    let ran = user.run(&["doctor"]);
    assert!(ran.out.contains("TLS IS NOT VERIFIED"), "{}", ran.out);
    let mut seen = 0;
    for size in [(140, 44), (80, 24), (40, 12)] {
        let mut windlass = user.screen_of(env!("CARGO_BIN_EXE_windlass"), &[], size);
        windlass.until("checkout");
        for key in ["1", "2", "3", "8", "9", "1"] {
            windlass.key(key);
            windlass.until_screen("the mark in red", |screen| {
                let text = text_of(screen);
                let header = text.lines().next().unwrap_or_default();
                let Some(place) = header.find("insecure TLS") else {
                    return false;
                };
                let column = u16::try_from(header[..place].chars().count()).unwrap();
                let colour = screen.cell(0, column).map(vt100::Cell::fgcolor);
                matches!(colour, Some(vt100::Color::Rgb(red, green, blue)) if red > 180 && green < 140 && blue < 140)
            });
            seen += 1;
        }
        windlass.key("q");
        assert_eq!(windlass.ended().exit_code(), 0);
    }
    let mut wall = user.screen(&["wall"]);
    wall.until("insecure TLS");
    wall.key("q");
    wall.ended();
    tell(&format!("the mark is red on {seen} of {seen} screens"));
}

/// `0.0.0.0` leads to this machine and is not loopback by name: whoever sent something would be heard.
#[test]
#[ignore = "at night: starts the program a few times"]
fn t28_a_token_goes_over_plain_http_on_this_machine_only() {
    let shop = Shop::open("canary");
    let cluster = Road::to(&shop.cluster(), None);
    let metrics = Road::to(&shop.hosts().prometheus, None);
    let mut user = User::of(shop).with("PROM_TOKEN", TOKEN);
    for (host, may) in [("0.0.0.0", false), ("127.0.0.1", true)] {
        let server = format!("http://{host}:{}", cluster.port);
        let login = json!({ "token": TOKEN });
        user = user.configured("").at(&server, &json!({}), &login);
        let source = user.source("doctor", "kubernetes");
        assert_eq!(source["state"] == "live", may, "{host}: {source}");
        let detail = source["detail"].as_str().unwrap_or_default();
        assert!(may || detail.contains("https"), "{detail}");
        assert!(!detail.contains(TOKEN));
        assert_eq!(cluster.connected() > 0, may, "{host}");
        let prometheus = format!(
            "[environments.prod-eu]\nprometheus = {{ url = \"http://{host}:{}\", token = {{ env = \"PROM_TOKEN\" }} }}\n",
            metrics.port
        );
        user = user.configured(&prometheus);
        let ran = user.run(&["doctor"]);
        let words = if may { "prometheus" } else { "https" };
        let ran = ran.exits(if may { 0 } else { 2 }).says(words);
        assert!(!ran.err.contains(TOKEN) && !ran.out.contains(TOKEN));
        assert_eq!(metrics.connected() > 0, may, "{host}");
    }
    tell("a token over plain http: 0 connections to another host");
}
