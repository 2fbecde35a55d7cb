//! Stands between a screen and its world, hands on every byte, and adds changes of its own to the watch of the rollouts: a
//! world that changes as fast as somebody likes. Keeps the lines of the requests.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

const METHODS: [&str; 3] = ["GET ", "POST ", "PATCH "];
const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1/rollouts";

#[derive(Default)]
struct Passed {
    requests: Vec<String>,
    /// To the screen, where it watches the rollouts.
    watch: Option<Arc<Mutex<TcpStream>>>,
}

pub(crate) struct Relay {
    pub(crate) kubeconfig: PathBuf,
    passed: Arc<Mutex<Passed>>,
    rollouts: Vec<Value>,
    told: usize,
}

impl Relay {
    /// Before the cluster of this kubeconfig.
    pub(crate) fn before(kubeconfig: &Path, home: &Path) -> Self {
        let text = fs::read_to_string(kubeconfig).unwrap();
        let server = text.split("http://").nth(1).unwrap();
        let address = server.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ':');
        let world: SocketAddr = address.into_iter().next().unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = listener.local_addr().unwrap();
        let relayed = home.join("relayed.yaml");
        fs::write(
            &relayed,
            text.replace(&world.to_string(), &ours.to_string()),
        )
        .unwrap();
        let passed: Arc<Mutex<Passed>> = Arc::default();
        let kept = Arc::clone(&passed);
        std::thread::spawn(move || {
            for screen in listener.incoming() {
                hand_on(screen.unwrap(), TcpStream::connect(world).unwrap(), &kept);
            }
        });
        Self {
            kubeconfig: relayed,
            passed,
            rollouts: rollouts(world),
            told: 0,
        }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.passed.lock().unwrap().requests.clone()
    }

    /// So many changes at once, each of the next release, each to be seen in its row.
    pub(crate) fn change(&mut self, count: usize) {
        let mut lines = Vec::new();
        for _ in 0..count {
            let number = self.told;
            self.told += 1;
            let at = number % self.rollouts.len();
            let rollout = &mut self.rollouts[at];
            let ready = json!(number / 7 % 9);
            rollout["status"]["readyReplicas"] = ready.clone();
            rollout["status"]["availableReplicas"] = ready;
            let line = format!("{}\n", json!({"type": "MODIFIED", "object": rollout}));
            write!(lines, "{:x}\r\n{line}\r\n", line.len()).unwrap();
        }
        let watch = self.passed.lock().unwrap().watch.clone();
        // Between two chunks, since the world says nothing.
        watch.unwrap().lock().unwrap().write_all(&lines).unwrap();
    }

    /// The same at an even pace.
    pub(crate) fn changes(&mut self, a_second: usize, time: Duration) {
        const STEPS: u32 = 50;
        let begun = Instant::now();
        let mut step = 0;
        while begun.elapsed() < time {
            self.change(a_second / STEPS as usize);
            step += 1;
            let next = begun + Duration::from_secs(1) / STEPS * step;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
}

fn hand_on(screen: TcpStream, world: TcpStream, passed: &Arc<Mutex<Passed>>) {
    let answers = Arc::new(Mutex::new(screen.try_clone().unwrap()));
    let (mut from_world, mut to_world) = (world.try_clone().unwrap(), world);
    let mut from_screen = screen;
    let (kept, to_screen) = (Arc::clone(passed), Arc::clone(&answers));
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = from_screen.read(&mut buffer) {
            note(&buffer[..count], &kept, &to_screen);
            if to_world.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        // Either side may have closed it already.
        let _ = to_world.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = from_world.read(&mut buffer) {
            if answers.lock().unwrap().write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = answers.lock().unwrap().shutdown(Shutdown::Both);
    });
}

/// A request begins what is read: nobody sends one before the one before was answered.
fn note(bytes: &[u8], passed: &Mutex<Passed>, to_screen: &Arc<Mutex<TcpStream>>) {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().next().unwrap_or_default();
    if !METHODS.iter().any(|method| line.starts_with(method)) {
        return;
    }
    let mut passed = passed.lock().unwrap();
    passed.requests.push(line.to_owned());
    if line.contains(ROLLOUTS) && line.contains("watch=") {
        passed.watch = Some(Arc::clone(to_screen));
    }
}

/// What is there, without what a screen does not look at.
fn rollouts(world: SocketAddr) -> Vec<Value> {
    let mut connection = TcpStream::connect(world).unwrap();
    let request = format!("GET {ROLLOUTS} HTTP/1.0\r\nHost: world\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let list: Value = serde_json::from_str(body).unwrap();
    let mut items = list["items"].as_array().unwrap().clone();
    for item in &mut items {
        item["apiVersion"] = json!("argoproj.io/v1alpha1");
        item["kind"] = json!("Rollout");
        item["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
    }
    items
}
