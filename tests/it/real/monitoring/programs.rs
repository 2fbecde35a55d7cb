//! The programs: an exporter inside of this process, and the vendors' two on free ports in a folder of their own. Ended
//! with the test; and, should this process be killed, by a time limit of their own.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use windlass::providers::{
    alertmanager::read::{self as alertmanager, Alertmanager},
    http::{Credential, Server},
    prometheus::read::{self as prometheus, Prometheus},
};

pub(in crate::real) const PROMETHEUS: &str = "/usr/bin/prometheus";
pub(in crate::real) const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";

/// Whether they are there. Says so where not.
pub(in crate::real) fn are_installed() -> bool {
    let missing: Vec<&str> = [PROMETHEUS, ALERTMANAGER]
        .into_iter()
        .filter(|program| !Path::new(program).exists())
        .collect();
    if missing.is_empty() {
        return true;
    }
    assert!(
        env::var_os("WINDLASS_REQUIRE").is_none(),
        "not installed: {missing:?}"
    );
    eprintln!("skipped: {missing:?} are not installed");
    false
}

/// Ended when it is dropped.
pub(in crate::real) struct Program {
    child: Child,
    _folder: TempDir,
    pub(in crate::real) port: u16,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

impl Program {
    pub(in crate::real) fn end(&mut self) {
        // To `timeout`, which passes it on; killing that would leave the program behind.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }

    pub(in crate::real) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Nobody holds it for the moment between this and the program's own listening; a race that loses says so loudly.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn start(
    program: &str,
    files: &[(&str, &str)],
    arguments: impl FnOnce(&Path, u16) -> Vec<String>,
) -> Program {
    let folder = tempfile::Builder::new()
        .prefix("windlass-monitoring-")
        .tempdir()
        .unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let port = free_port();
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let child = Command::new("timeout")
        .args(["300", program])
        .args(arguments(folder.path(), port))
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    Program {
        child,
        _folder: folder,
        port,
    }
}

/// Scrapes and evaluates each second.
pub(in crate::real) fn start_prometheus(exporter: &Exporter, alertmanager: Option<u16>) -> Program {
    let mut targets = String::new();
    for (path, labels) in exporter.targets() {
        let port = exporter.port;
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!(", {name}: {value:?}"))
            .collect();
        targets += &format!(
            "      - targets: ['127.0.0.1:{port}']\n        labels: {{__metrics_path__: '/{path}'{}}}\n",
            labels.concat()
        );
    }
    let alerting = alertmanager.map_or_else(String::new, |port| {
        format!(
            "alerting:\n  alertmanagers:\n    - static_configs:\n        - targets: ['127.0.0.1:{port}']\n"
        )
    });
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{cluster: lab}}}}\n\
         rule_files: [rules.yml]\n{alerting}\
         scrape_configs:\n  - job_name: shop\n    static_configs:\n{targets}"
    );
    let rules = "groups:\n  - name: shop\n    rules:\n\
        \x20     - {alert: CheckoutErrors, expr: broken > 0, labels: {severity: critical}, annotations: {summary: checkout fails}}\n\
        \x20     - {alert: CheckoutSlow, expr: broken > 0, labels: {severity: warning}}\n\
        \x20     - {alert: Watchdog, expr: vector(1), labels: {severity: none}}\n";
    let files = [("prometheus.yml", config.as_str()), ("rules.yml", rules)];
    start(PROMETHEUS, &files, |folder, port| {
        vec![
            "--config.file=prometheus.yml".to_owned(),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            // What fires before the Alertmanager was found is told again only after this.
            "--rules.alert.resend-delay=1s".to_owned(),
        ]
    })
}

pub(in crate::real) fn start_alertmanager() -> Program {
    let config = "route: {receiver: nobody, group_by: [alertname], group_wait: 1s, group_interval: 1s}\n\
        receivers: [{name: nobody}]\n\
        inhibit_rules:\n  - {source_matchers: ['severity=\"critical\"'], target_matchers: ['severity=\"warning\"'], equal: [service]}\n";
    start(ALERTMANAGER, &[("am.yml", config)], |folder, port| {
        vec![
            "--config.file=am.yml".to_owned(),
            format!("--storage.path={}", folder.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            // No cluster of one's own, and no port for it.
            "--cluster.listen-address=".to_owned(),
        ]
    })
}

pub(in crate::real) fn to_prometheus(program: &Program) -> Prometheus {
    let now = Arc::new(Timestamp::now);
    let server = Server::new(&program.base(), Credential::None, prometheus::limits(), now);
    Prometheus::new("prometheus/lab".into(), server.unwrap())
}

pub(in crate::real) fn to_alertmanager(program: &Program) -> Alertmanager {
    let now = Arc::new(Timestamp::now);
    let server = Server::new(
        &program.base(),
        Credential::None,
        alertmanager::limits(),
        now,
    );
    Alertmanager::new("alertmanager/lab".into(), "lab".into(), server.unwrap())
}

/// Asks again until it says what it has to, or it is too late.
pub(in crate::real) async fn until<T, F: Future<Output = Result<T, String>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let late = Instant::now() + Duration::from_secs(60);
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(why) => assert!(Instant::now() < late, "{what}: {why}"),
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// What counts: pages of metrics, changed only by the test, and how often each was fetched.
pub(in crate::real) struct Exporter {
    pub(in crate::real) port: u16,
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
}

#[derive(Clone, Default)]
struct Page {
    labels: Vec<(&'static str, String)>,
    /// `None`: it is down.
    text: Option<String>,
    fetched: usize,
}

impl Exporter {
    pub(in crate::real) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let pages: Arc<Mutex<BTreeMap<String, Page>>> = Arc::default();
        let served = Arc::clone(&pages);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                std::thread::spawn(move || serve(stream, &served));
            }
        });
        Self { port, pages }
    }

    /// A target under this path, down to begin with.
    pub(in crate::real) fn add(&self, path: &str, labels: &[(&'static str, &str)]) {
        let page = Page {
            labels: labels
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            ..Page::default()
        };
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    fn targets(&self) -> Vec<(String, Vec<(&'static str, String)>)> {
        let pages = self.pages.lock().unwrap();
        let target = |(path, page): (&String, &Page)| (path.clone(), page.labels.clone());
        pages.iter().map(target).collect()
    }

    pub(in crate::real) fn set(&self, path: &str, text: Option<String>) {
        self.pages.lock().unwrap().get_mut(path).unwrap().text = text;
    }

    fn fetched(&self, path: &str) -> usize {
        self.pages.lock().unwrap()[path].fetched
    }

    /// Sets it, and waits until what was set has been fetched three times: the first may have been under way before, and
    /// a second lies between the others, so that a grid of seconds has a point of it.
    pub(in crate::real) async fn let_fetch(&self, path: &str, text: String) {
        self.set(path, Some(text));
        let before = self.fetched(path);
        until("a scrape", || async {
            let fetched = self.fetched(path);
            match fetched >= before + 3 {
                true => Ok(()),
                false => Err(format!("{path} was fetched {} times", fetched - before)),
            }
        })
        .await;
    }
}

fn serve(mut stream: TcpStream, pages: &Mutex<BTreeMap<String, Page>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match reader.read_line(&mut head) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default();
        let text = {
            let mut pages = pages.lock().unwrap();
            let page = pages.get_mut(path.trim_start_matches('/'));
            page.and_then(|page| {
                page.fetched += 1;
                page.text.clone()
            })
        };
        let (status, text) = text.map_or(("503 Down", String::new()), |text| ("200 OK", text));
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
