//! T26: a secret in every place that may hold one, servers that repeat it in every error, and a search through everything
//! that tells: what is printed, the screen, the log at its loudest, the audit log and all else in the state directory, the
//! report, a panic, the command lines and the variables of everything that is started. Nothing is found.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    road::{Came, Road, Then, said},
    tell,
    user::{User, script},
};
use crate::{
    screen::harness::Program,
    whole::shop::{Hosts, Ran, Shop},
};

const KUBECONFIG: &str = "canary-kubeconfig-2b1f";
const PLUGIN: &str = "canary-plugin-91aa";
const ENVIRONMENT: &str = "canary-environment-c3d0";
const FILE: &str = "canary-file-77e2";
const COMMAND: &str = "canary-command-05b9";
const COOKIE: &str = "canary-cookie-f00d";
const REDIRECT: &str = "canary-redirect-aa12";
const USERINFO: &str = "canary-userinfo-6c6c";
const PROXY: &str = "canary-proxy-b4b4";

const ALL: [&str; 9] = [
    KUBECONFIG,
    PLUGIN,
    ENVIRONMENT,
    FILE,
    COMMAND,
    COOKIE,
    REDIRECT,
    USERINFO,
    PROXY,
];

/// Everything that told something, and what of it must not have.
#[derive(Default)]
struct Search {
    looked: usize,
    bytes: usize,
    hits: Vec<String>,
}

impl Search {
    fn look(&mut self, place: &str, bytes: &[u8]) {
        self.looked += 1;
        self.bytes += bytes.len();
        for canary in ALL {
            let found = bytes
                .windows(canary.len())
                .position(|window| window == canary.as_bytes());
            if let Some(at) = found {
                let around = &bytes[at.saturating_sub(100)..(at + 60).min(bytes.len())];
                let around = String::from_utf8_lossy(around).escape_debug().to_string();
                self.hits.push(format!("{canary} in {place}: …{around}…"));
            }
        }
    }

    fn ran(&mut self, place: &str, ran: &Ran) {
        self.look(&format!("{place}, standard output"), ran.out.as_bytes());
        self.look(&format!("{place}, standard error"), ran.err.as_bytes());
    }

    fn folder(&mut self, place: &str, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => self.folder(place, &path),
                false => self.look(
                    &format!("{place}, {}", path.display()),
                    &fs::read(&path).unwrap(),
                ),
            }
        }
    }
}

/// How a server answers that repeats what it was sent.
#[derive(Clone, Copy, Debug)]
enum Repeats {
    /// It does not; it sets a cookie.
    Nothing,
    Status(&'static str),
    /// As a page for people.
    Page,
    Redirect,
    /// Within JSON that ends in the middle.
    Cut,
    /// In the head, as the name of a reason and in a header.
    Head,
}

fn answer(repeats: Repeats, came: &Came) -> Then {
    let cookie = format!("Set-Cookie: session={COOKIE}; Path=/\r\n");
    let body = json!({ "kind": "Status", "status": "Failure", "message": came.head, "error": came.head, "errorType": "internal" });
    let first_line = came
        .head
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("authorization"));
    let first_line = first_line.unwrap_or_default();
    Then::Say(match repeats {
        Repeats::Nothing => return Then::Forward,
        Repeats::Status(status) => said(status, &cookie, &body.to_string()),
        Repeats::Page => said("200 OK", &cookie, &format!("<html>{}</html>", came.head)),
        Repeats::Redirect => {
            let location = format!("Location: http://127.0.0.1:9/?token={REDIRECT}\r\n");
            said("302 Found", &format!("{cookie}{location}"), "")
        }
        Repeats::Cut => {
            let whole = body.to_string();
            said("200 OK", &cookie, &whole[..whole.len() - 20])
        }
        Repeats::Head => said(
            &format!("401 {first_line}"),
            &format!("{cookie}WWW-Authenticate: Bearer realm=\"{first_line}\"\r\n"),
            "",
        ),
    })
}

const REPEATS: [Repeats; 9] = [
    Repeats::Nothing,
    Repeats::Status("401 Unauthorized"),
    Repeats::Status("403 Forbidden"),
    Repeats::Status("429 Too Many Requests"),
    Repeats::Status("500 Internal Server Error"),
    Repeats::Page,
    Repeats::Redirect,
    Repeats::Cut,
    Repeats::Head,
];

/// What a program that was started by ours tells of itself: its command line and its variables.
fn telling(folder: &Path, name: &str, says: &str) -> PathBuf {
    let path = folder.join(name);
    script(
        &path,
        &format!(
            "tr '\\0' '\\n' < /proc/$$/cmdline > \"$0.cmdline.$$\"\ntr '\\0' '\\n' < /proc/$$/environ > \"$0.environ.$$\"\ncat {says}"
        ),
    );
    path
}

/// Somebody with a secret in every place; `plugin`: the login of the cluster is a program's, not the kubeconfig's own.
fn machine(plugin: bool) -> (User, Vec<Road>) {
    let shop = Shop::open("canary");
    let Hosts {
        github,
        prometheus,
        alertmanager,
    } = shop.hosts();
    let bases = [shop.cluster(), github, prometheus, alertmanager];
    let roads: Vec<Road> = bases.iter().map(|base| Road::to(base, None)).collect();
    let programs = shop.place("programs");
    fs::create_dir(&programs).unwrap();
    // What they print is in files: it would stand in the scripts themselves otherwise.
    fs::write(shop.place("command.secret"), COMMAND).unwrap();
    fs::write(shop.place("file.secret"), FILE).unwrap();
    let credential = json!({ "kind": "ExecCredential", "status": { "token": PLUGIN } });
    fs::write(shop.place("plugin.secret"), credential.to_string()).unwrap();
    let secret = |name: &str| shop.place(name).display().to_string();
    let token = telling(&programs, "token", &secret("command.secret"));
    let login = telling(&programs, "login", &secret("plugin.secret"));
    let configuration = format!(
        "[environments.prod-eu]\n\
         prometheus = {{ url = \"{}\", token = {{ env = \"PROM_TOKEN\" }} }}\n\
         alertmanager = {{ url = \"{}\", token = {{ file = \"{}\" }} }}\n\
         [sources.github]\nhost = \"{}\"\ntoken = {{ command = [\"{}\"] }}\n\
         [services.\"*\"]\nrepository = \"acme/{{service}}\"\nworkflow = \"release.yml\"\nalerts = {{ service = \"{{service}}\" }}\n",
        roads[2].plain(),
        roads[3].plain(),
        secret("file.secret"),
        roads[1].plain(),
        token.display()
    );
    let exec = json!({ "exec": { "apiVersion": "client.authentication.k8s.io/v1", "command": login, "interactiveMode": "Never" } });
    let of_the_cluster = match plugin {
        true => exec,
        false => json!({ "token": KUBECONFIG }),
    };
    let log = secret("log");
    let user = User::of(shop)
        .configured(&configuration)
        .at(&roads[0].plain(), &json!({}), &of_the_cluster)
        .with("PROM_TOKEN", ENVIRONMENT)
        .with("WINDLASS_LOG", &log)
        .with("WINDLASS_LOG_LEVEL", "trace")
        .with("RUST_BACKTRACE", "full");
    (user, roads)
}

fn everything(user: &User, case: &str, search: &mut Search) {
    for command in [
        &["status"][..],
        &["status", "checkout", "--json"],
        &["doctor"],
        &["inbox"],
        &["history", "checkout"],
        &["promote", "checkout", "--dry-run"],
        &[
            "abort",
            "checkout",
            "--write",
            "--yes",
            "--confirm",
            "prod-eu",
            "--no-wait",
        ],
        &["config", "check"],
        &["audit", "export"],
        &["report", "--output", "report.txt"],
    ] {
        let place = format!("{case}, {}", command.join(" "));
        search.ran(&place, &user.run(command));
    }
    let report = user.place("report.txt");
    search.look(&format!("{case}, the report"), &fs::read(&report).unwrap());
    fs::remove_file(report).unwrap();
    let mut windlass = user.screen(&["--write=prod-eu"]);
    windlass.until("prod-eu");
    for key in ["9", "2", "4", "1", "x", "\x1b", "\r"] {
        windlass.key(key);
        for _ in 0..6 {
            windlass.beat();
        }
    }
    let cmdline = fs::read(format!("/proc/{}/cmdline", windlass.pid())).unwrap();
    search.look(&format!("{case}, the command line"), &cmdline);
    windlass.key("\x03");
    windlass.ended();
    search.look(&format!("{case}, the screen"), &windlass.last_words());
}

#[test]
#[ignore = "at night: everything that tells, nine times over"]
fn t26_no_secret_is_in_anything_that_tells() {
    let mut search = Search::default();
    for plugin in [false, true] {
        let (user, roads) = machine(plugin);
        for repeats in REPEATS {
            for road in &roads {
                road.now(move |came| answer(repeats, came));
            }
            everything(&user, &format!("{repeats:?}"), &mut search);
        }
        // They were on their way, or nothing was proved.
        let heads: Vec<String> = roads
            .iter()
            .flat_map(Road::came)
            .map(|came| came.head)
            .collect();
        let sent = |canary: &str| heads.iter().any(|head| head.contains(canary));
        let of_the_cluster = if plugin { PLUGIN } else { KUBECONFIG };
        for canary in [of_the_cluster, ENVIRONMENT, FILE, COMMAND] {
            assert!(sent(canary), "{canary} was never sent");
        }
        assert!(!sent(COOKIE), "a cookie is kept");
        search.look("the log", &fs::read(user.place("log")).unwrap());
        search.folder("the state", &user.place("state"));
        let told = fs::read_dir(user.place("programs")).unwrap().count();
        assert!(told > 4, "nothing was started");
        search.folder("what was started", &user.place("programs"));
    }
    finish(&search);
}

fn finish(search: &Search) {
    tell(&format!(
        "{} places, {} MiB searched for {} secrets: {} hits",
        search.looked,
        search.bytes >> 20,
        ALL.len(),
        search.hits.len()
    ));
    assert!(search.hits.is_empty(), "{:#?}", search.hits);
}

/// Where a secret does not belong: it is refused without being repeated.
#[test]
#[ignore = "at night: beside the other of its number"]
fn t26_a_secret_in_an_address_or_in_a_proxy_is_not_repeated() {
    let mut search = Search::default();
    let user = User::of(Shop::open("canary")).configured(&format!(
        "[environments.prod-eu]\nprometheus = {{ url = \"http://me:{USERINFO}@127.0.0.1:9/\" }}\n"
    ));
    for command in [&["config", "check"][..], &["status"], &["doctor"]] {
        search.ran("an address with a user", &user.run(command));
    }
    for server in [
        format!("https://me:{USERINFO}@world.invalid"),
        "https://world.invalid".to_owned(),
    ] {
        let user = User::of(Shop::open("canary"))
            .configured("")
            .at(&server, &json!({}), &json!({ "token": KUBECONFIG }))
            .with("HTTPS_PROXY", &format!("http://me:{PROXY}@127.0.0.1:9"))
            .with("WINDLASS_LOG_LEVEL", "trace");
        let log = user.place("log");
        let user = user.with("WINDLASS_LOG", log.to_str().unwrap());
        for command in [
            &["status"][..],
            &["doctor"],
            &["report", "--output", "report.txt"],
        ] {
            search.ran(&format!("{server} {command:?}"), &user.run(command));
        }
        search.look("the report", &fs::read(user.place("report.txt")).unwrap());
        search.look("the log", &fs::read(log).unwrap());
    }
    finish(&search);
}

/// A panic tells where and why, and not what the process was given.
#[test]
#[ignore = "at night: beside the others of its number"]
fn t26_a_panic_tells_no_variable() {
    let mut search = Search::default();
    for case in ["drawing", "loop", "twice"] {
        let program = Program {
            columns: 200,
            rows: 50,
            arguments: [
                "--exact",
                "--ignored",
                "--nocapture",
                "reliability::terminal::t18_a_program_that_panics",
            ]
            .map(str::to_owned)
            .into(),
            variables: [
                ("WINDLASS_TEST_CASE", case),
                ("PROM_TOKEN", ENVIRONMENT),
                ("RUST_BACKTRACE", "full"),
                ("COLORBT_SHOW_HIDDEN", "1"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        };
        let this = std::env::current_exe().unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut windlass = program.start_as(this.as_os_str(), home, PathBuf::new());
        windlass.ended();
        let raw = windlass.last_words();
        assert!(String::from_utf8_lossy(&raw).contains("a panic that a test wants"));
        search.look(case, &raw);
    }
    finish(&search);
}
