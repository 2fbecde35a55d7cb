use std::{collections::HashMap, fs, path::Path};

use super::*;

const CLUSTERS: &str = r"
clusters:
- name: prod
  cluster: {server: 'https://prod.example:6443'}
- name: plain
  cluster: {server: 'http://plain.example:8080'}
- name: local
  cluster: {server: 'http://127.0.0.1:8080'}
- name: blind
  cluster: {server: 'https://blind.example', insecure-skip-tls-verify: true}
- name: proxied
  cluster: {server: 'https://far.example', proxy-url: 'http://user:pw@proxy.example:3128'}
users:
- name: token
  user: {token: SECRET}
- name: plugin
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: aws
      args: [eks, get-token]
      env: [{name: AWS_PROFILE, value: prod}]
      interactiveMode: IfAvailable
- name: old
  user: {auth-provider: {name: gcp, config: {cmd-path: gcloud}}}
contexts:
- name: arn:aws:eks:eu-west-1:1234:cluster/prod
  context: {cluster: prod, user: plugin, namespace: shop}
- name: plain
  context: {cluster: plain, user: token}
- name: local
  context: {cluster: local, user: token}
- name: blind
  context: {cluster: blind, user: nobody}
- name: proxied
  context: {cluster: proxied, user: token}
- name: old
  context: {cluster: prod, user: old}
- name: broken
  context: {cluster: nowhere, user: token}
current-context: plain
";

fn variables<'a>(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + use<'a> {
    let map: HashMap<String, String> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    move |name| map.get(name).cloned()
}

fn read_text(text: &str, more: &[(&str, &str)]) -> Result<Contexts, Problem> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config");
    fs::write(&path, text).expect("write");
    let path = path.display().to_string();
    let mut pairs = vec![("KUBECONFIG", path.as_str())];
    pairs.extend_from_slice(more);
    read(&variables(&pairs))
}

fn connection(name: &str, more: &[(&str, &str)]) -> Result<Connection, Problem> {
    let contexts = read_text(CLUSTERS, more).expect("contexts");
    contexts.connection(contexts.find(name).expect("context"))
}

#[test]
fn several_files_are_merged_and_the_first_one_wins() {
    let folder = tempfile::tempdir().expect("folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("write");
        path.display().to_string()
    };
    let first = write(
        "a",
        "current-context: a\ncontexts:\n- {name: a, context: {cluster: one, namespace: mine}}\nclusters:\n- {name: one, cluster: {server: 'https://first'}}\n",
    );
    let second = write(
        "b",
        "current-context: b\ncontexts:\n- {name: a, context: {cluster: one, namespace: theirs}}\n- {name: b, context: {cluster: one}}\nclusters:\n- {name: one, cluster: {server: 'https://second'}}\n",
    );
    let list = format!("{first}:/does/not/exist::{second}");
    let contexts = read(&variables(&[("KUBECONFIG", &list)])).expect("contexts");
    assert_eq!(contexts.all().len(), 2);
    let a = contexts.current().expect("current");
    assert_eq!((a.name.as_str(), a.namespace.as_str()), ("a", "mine"));
    let b = contexts.find("b").expect("b");
    assert_eq!(b.namespace.as_str(), "default");
    let connection = contexts.connection(b).expect("connection");
    assert_eq!(connection.config.cluster_url.host(), Some("first"));
    assert!(!connection.insecure);
}

#[test]
fn the_home_folder_is_used_without_the_variable() {
    let home = tempfile::tempdir().expect("folder");
    fs::create_dir(home.path().join(".kube")).expect("mkdir");
    fs::write(home.path().join(".kube/config"), CLUSTERS).expect("write");
    let home = home.path().display().to_string();
    let contexts = read(&variables(&[("HOME", &home)])).expect("contexts");
    assert_eq!(contexts.current().expect("current").name, "plain");
}

#[test]
fn contexts_are_chosen_by_their_name_or_by_the_environment() {
    let contexts = read_text(CLUSTERS, &[]).expect("contexts");
    let asked = [
        "prod".to_owned(),
        "arn:aws:eks:eu-west-1:1234:cluster/prod".to_owned(),
    ];
    let chosen = contexts.select(&asked).expect("both are one");
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].environment.as_str(), "prod");
    assert_eq!(chosen[0].namespace.as_str(), "shop");
    assert_eq!(chosen[0].user.as_deref(), Some("plugin"));
    assert_eq!(contexts.select(&[]).expect("current")[0].name, "plain");
}

#[test]
fn an_unknown_context_names_the_nearest() {
    let contexts = read_text(CLUSTERS, &[]).expect("contexts");
    let problem = contexts.find("plan").unwrap_err();
    assert_eq!(
        problem.to_string(),
        "there is no context \"plan\" in the kubeconfig; the nearest: plain"
    );
    let none = read_text("contexts:\n- {name: x, context: {cluster: y}}\n", &[]).expect("contexts");
    let problem = none.current().unwrap_err().to_string();
    assert!(problem.contains("--context (x)"), "{problem}");
}

#[test]
fn a_malformed_file_is_answered_with_file_and_line_and_without_its_secrets() {
    let text = "clusters:\n- name: a\n  cluster: {server: 'https://x'}\nusers:\n- name: u\n  user: {token: SECRET}\ncontexts: 7\n";
    let problem = read_text(text, &[]).unwrap_err();
    let Problem::Malformed { line, .. } = &problem else {
        panic!("{problem:?}")
    };
    assert_eq!(*line, Some(7));
    let words = problem.to_string();
    assert!(words.contains("config, line 7: "), "{words}");
    assert!(!words.contains("SECRET"), "{words}");
    let problem = read_text("users:\n- name: u\n  user: {token: [SECRET\n", &[]).unwrap_err();
    assert!(
        !format!("{problem:?} {problem}").contains("SECRET"),
        "{problem}"
    );
}

#[test]
fn without_a_kubeconfig_it_says_where_it_looked() {
    let problem = read(&variables(&[("KUBECONFIG", "/does/not/exist")])).unwrap_err();
    assert!(problem.to_string().contains("/does/not/exist"), "{problem}");
    let problem = read(&variables(&[])).unwrap_err();
    assert!(problem.to_string().contains("KUBECONFIG"), "{problem}");
}

#[test]
fn inside_of_a_pod_the_service_account_is_used() {
    let folder = tempfile::tempdir().expect("folder");
    let made = rcgen::generate_simple_self_signed(["x".to_owned()]).expect("certificate");
    fs::write(folder.path().join("token"), "t").expect("write");
    fs::write(folder.path().join("namespace"), "shop\n").expect("write");
    fs::write(folder.path().join("ca.crt"), made.cert.pem()).expect("write");
    let service = variables(&[
        ("KUBERNETES_SERVICE_HOST", "fd00::1"),
        ("KUBERNETES_SERVICE_PORT", "443"),
    ]);
    let contexts = in_cluster(&service, folder.path(), connect::ProxyVariables::default())
        .expect("a service account");
    let context = contexts.current().expect("current");
    assert_eq!(context.namespace.as_str(), "shop");
    let connection = contexts.connection(context).expect("connection");
    assert_eq!(
        connection.config.cluster_url.to_string(),
        "https://[fd00::1]:443/"
    );
    assert!(
        in_cluster(
            &service,
            Path::new("/none"),
            connect::ProxyVariables::default()
        )
        .is_none()
    );
}

#[test]
fn a_token_over_plain_http_is_refused_unless_it_stays_on_this_machine() {
    let problem = connection("plain", &[]).unwrap_err().to_string();
    assert!(problem.contains("in the open"), "{problem}");
    assert!(connection("local", &[]).is_ok());
}

#[test]
fn an_unchecked_server_certificate_is_flagged() {
    assert!(connection("blind", &[]).expect("connection").insecure);
}

#[test]
fn a_plugin_is_taken_over_from_kube_and_obeys_kuberc() {
    let found = connection("prod", &[]).expect("connection");
    assert!(found.config.auth_info.exec.is_none());
    let plugin = found.plugin.expect("plugin");
    assert_eq!(plugin.command, "aws");
    assert_eq!(plugin.args, ["eks", "get-token"]);
    assert_eq!(plugin.env, [("AWS_PROFILE".to_owned(), "prod".to_owned())]);

    let folder = tempfile::tempdir().expect("folder");
    let kuberc = folder.path().join("kuberc");
    let path = kuberc.display().to_string();
    let with = |text: &str| {
        fs::write(&kuberc, text).expect("write");
        connection("prod", &[("KUBERC", &path)])
    };
    let head = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";
    let refused = with(&format!("{head}credentialPluginPolicy: DenyAll\n"));
    assert!(refused.unwrap_err().to_string().contains("kuberc"));
    let list = "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n";
    assert!(with(&format!("{head}{list}- name: aws\n")).is_ok());
    assert!(with(&format!("{head}{list}- name: gcloud\n")).is_err());
}

#[test]
fn what_cannot_work_is_said_before_it_is_tried() {
    let old = connection("old", &[]).unwrap_err().to_string();
    assert!(old.contains("1.26"), "{old}");
    let broken = connection("broken", &[]).unwrap_err().to_string();
    assert!(broken.contains("nowhere"), "{broken}");
}

#[test]
fn a_login_in_a_servers_address_is_refused_without_quoting_it_and_an_at_sign_in_its_path_is_not() {
    let of = |server: &str| {
        let text = format!(
            "current-context: a\ncontexts:\n- {{name: a, context: {{cluster: c}}}}\nclusters:\n- {{name: c, cluster: {{server: '{server}'}}}}\n"
        );
        let contexts = read_text(&text, &[]).expect("a kubeconfig");
        let context = contexts.current().expect("a context");
        let found = contexts.connection(context);
        found.map(|found| found.config.cluster_url)
    };
    for server in [
        "https://user:hunter2@api.example",
        "user:hunter2@api.example",
        "https://hunter2@api.example/path",
    ] {
        let why = of(server).expect_err("refused").to_string();
        assert!(why.contains("a user or a password"), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
    }
    assert!(of("https://proxy.example/clusters/a@b").is_ok());
}

#[test]
fn the_clusters_own_proxy_counts_and_the_environments_has_exceptions() {
    let proxied = connection("proxied", &[("NO_PROXY", "*")]).expect("connection");
    assert_eq!(
        proxied.config.proxy_url.expect("proxy").host(),
        Some("proxy.example")
    );
    let https = ("HTTPS_PROXY", "proxy.example:8080");
    let host = |more: &[(&str, &str)]| {
        let found = connection("blind", more).expect("connection");
        found
            .config
            .proxy_url
            .and_then(|uri| uri.host().map(str::to_owned))
    };
    assert_eq!(host(&[https]).as_deref(), Some("proxy.example"));
    assert_eq!(host(&[https, ("NO_PROXY", "a, .example")]), None);
    assert_eq!(
        host(&[https, ("no_proxy", "10.0.0.0/8,other.example")]).as_deref(),
        Some("proxy.example")
    );
    assert_eq!(
        connection("local", &[("HTTP_PROXY", "p:1")])
            .expect("ok")
            .config
            .proxy_url,
        None
    );
}

#[test]
fn a_version_1_client_certificate_is_refused_in_words() {
    // A shape is enough: the version is all that is read here.
    let der: &[u8] = &[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x07];
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        base64::encode(der)
    );
    let text = CLUSTERS.replace(
        "user: {token: SECRET}",
        &format!(
            "user: {{client-certificate-data: {}, client-key-data: eA==}}",
            base64::encode(pem.as_bytes())
        ),
    );
    let contexts = read_text(&text, &[]).expect("contexts");
    let problem = contexts
        .connection(contexts.find("plain").expect("context"))
        .unwrap_err();
    assert!(problem.to_string().contains("X.509 version 1"), "{problem}");
}

#[test]
fn debug_output_holds_no_secret() {
    let contexts = read_text(CLUSTERS, &[]).expect("contexts");
    let found = contexts.connection(contexts.find("local").expect("context"));
    let proxied = contexts.connection(contexts.find("proxied").expect("context"));
    let text = format!("{contexts:?} {found:?} {proxied:?}");
    assert!(!text.contains("SECRET") && !text.contains("pw@"), "{text}");
}
