//! Whatever reads text that a person or a system wrote reads any text: it is understood or refused in words, and nothing
//! panics, hangs or grows. What is fed is half noise and half good text with a bite taken out of it.

use proptest::prelude::*;
use windlass::{
    config,
    model::text,
    providers::{github::logs, kubernetes::kubeconfig, prometheus::wire},
    ui::theme::Palette,
};

const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- name: c\n  cluster:\n    server: \
    https://h:6443\n    certificate-authority-data: AAAA\nusers:\n- name: u\n  user:\n    token: t\n    exec:\n      command: \
    aws\n      args: [a, b]\ncontexts:\n- name: a\n  context: {cluster: c, user: u, namespace: n}\n";

const THEME: &str = "base = \"dark\"\n[colours]\ngood = \"#00ff00\"\nbad = \"196\"\n";

const LOG: &str = "2026-01-20T09:42:40.1234567Z ##[group]\u{1b}[36;1mRun \u{1b}[38;2;1;2;3mmake\u{1b}[0m ##[error]no";

/// Noise, or `good` with something cut out of it and something else put in.
fn bitten(good: &'static str) -> impl Strategy<Value = String> {
    let characters = good.chars().count();
    let bite = (0..=characters, 0..20_usize, any::<String>()).prop_map(move |(at, length, new)| {
        let head = good.chars().take(at);
        head.chain(new.chars())
            .chain(good.chars().skip(at + length))
            .collect()
    });
    prop_oneof![1 => any::<String>(), 4 => bite]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_configuration_is_read_or_refused_with_its_line(text in bitten(config::sample())) {
        if let Err(problems) = config::parse(&text, "windlass.toml") {
            prop_assert!(!problems.to_string().trim().is_empty());
        }
    }

    #[test]
    fn any_theme_is_read_or_refused(text in bitten(THEME)) {
        let _read_or_refused = Palette::parse("mine.toml", &text);
    }

    #[test]
    fn any_kubeconfig_is_read_or_refused(text in bitten(KUBECONFIG)) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, &text).unwrap();
        let named = file.display().to_string();
        match kubeconfig::read(&|name| (name == "KUBECONFIG").then(|| named.clone())) {
            Ok(contexts) => {
                for context in contexts.all() {
                    let _connected_or_refused = contexts.connection(context);
                }
            }
            Err(problem) => prop_assert!(!problem.sentence().is_empty()),
        }
    }

    #[test]
    fn any_line_of_a_log_is_read_as_text(text in bitten(LOG)) {
        let read = logs::parse(&text);
        for span in &read.spans {
            prop_assert!(!span.text.chars().any(text::is_forbidden), "{:?}", span.text);
        }
    }

    #[test]
    fn any_duration_is_read_or_none(text in "[0-9a-zé .]{0,12}|([0-9]{1,22}(ms|s|m|h|d|w|y)){0,4}") {
        if let Some(millis) = wire::duration_ms(&text) {
            prop_assert!(text.bytes().any(|byte| byte.is_ascii_digit()), "{text:?} is {millis}");
        }
    }
}
