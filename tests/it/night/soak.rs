//! T22: a hundred events a second for as long as a night takes. Memory does not rise, descriptors and threads stay as many
//! as they were, every pane goes on, and a key is answered at any time; the wallboard as well.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{amount, bombs::memory, tell};
use crate::{
    screen::harness::{Windlass, text_of},
    whole::shop::Shop,
};

/// One connection that is kept, to change the world over.
struct Line {
    reader: BufReader<TcpStream>,
    host: String,
}

impl Line {
    fn to(base: &str) -> Self {
        let host = base.strip_prefix("http://").unwrap().to_owned();
        let reader = BufReader::new(TcpStream::connect(&host).unwrap());
        Self { reader, host }
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> String {
        let host = &self.host;
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: somebody\r\nContent-Type: application/merge-patch+json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.reader.get_mut().write_all(text.as_bytes()).unwrap();
        let mut length = 0;
        let mut first = String::new();
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).unwrap();
            if first.is_empty() {
                first.clone_from(&line);
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        let text = String::from_utf8(body).unwrap();
        assert!(first.contains(" 200 "), "{method} {path}: {first}{text}");
        text
    }
}

/// Changes the Rollouts of a world, one after the other, so many times a second.
struct Storm {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1";

impl Storm {
    fn over(base: &str, rate: u64) -> Self {
        let mut line = Line::to(base);
        let list = line.ask("GET", &format!("{ROLLOUTS}/rollouts"), "");
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let paths: Vec<String> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                let word = |name: &str| item["metadata"][name].as_str().unwrap().to_owned();
                format!(
                    "{ROLLOUTS}/namespaces/{}/rollouts/{}",
                    word("namespace"),
                    word("name")
                )
            })
            .collect();
        let (stop, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (ended, counted) = (Arc::clone(&stop), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            let mut count = 0;
            while !ended.load(Ordering::Relaxed) {
                let due = began + Duration::from_millis(count * 1_000 / rate);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let path = &paths[usize::try_from(count).unwrap() % paths.len()];
                let body = json!({ "metadata": { "annotations": { "soak.example/n": count.to_string() } } });
                line.ask("PATCH", path, &body.to_string());
                count += 1;
                counted.store(count, Ordering::Relaxed);
            }
        });
        Self {
            stop,
            done,
            thread: Some(thread),
        }
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic is a world that is gone, and told by the test itself.
            let _ = thread.join();
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    seconds: f64,
    /// In MiB.
    memory: f64,
    descriptors: usize,
    threads: usize,
}

fn sample(windlass: &Windlass, began: Instant) -> Sample {
    let pid = windlass.pid();
    let count = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
    #[expect(clippy::cast_precision_loss, reason = "a few MiB")]
    let memory = memory(pid, "VmRSS:") as f64 / f64::from(1 << 20);
    Sample {
        seconds: began.elapsed().as_secs_f64(),
        memory,
        descriptors: count("fd"),
        threads: count("task"),
    }
}

/// MiB an hour, by least squares.
fn slope(samples: &[Sample]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let count = samples.len() as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (time, memory) = (mean(|one| one.seconds), mean(|one| one.memory));
    let (mut up, mut down) = (0.0, 0.0);
    for one in samples {
        up += (one.seconds - time) * (one.memory - memory);
        down += (one.seconds - time).powi(2);
    }
    up / down * 3_600.0
}

/// What a rise may be: a mebibyte an hour, or what an allocator does in a quarter of an hour without a reason.
#[track_caller]
fn assert_steady(name: &str, samples: &[Sample], events: u64) {
    let hours = samples.last().unwrap().seconds / 3_600.0;
    // The first fifth is the start: tables grow to what there is.
    let after = &samples[samples.len() / 5..];
    let (slope, half) = (slope(after), after.len() / 2);
    let rise = slope * hours;
    let most = |of: fn(&Sample) -> usize, part: &[Sample]| part.iter().map(of).max().unwrap();
    let (early, late) = after.split_at(half);
    let descriptors = (
        most(|one| one.descriptors, early),
        most(|one| one.descriptors, late),
    );
    let threads = (
        most(|one| one.threads, early),
        most(|one| one.threads, late),
    );
    tell(&format!(
        "{name}: {hours:.2} h, {events} events; {:.1} MiB, {slope:+.2} MiB/h; descriptors {} then {}, threads {} then {}",
        after.last().unwrap().memory,
        descriptors.0,
        descriptors.1,
        threads.0,
        threads.1
    ));
    assert!(rise <= hours.max(1.5), "{rise:.2} MiB in {hours:.2} h");
    // A poll that happens to be under way, with its connection.
    assert!(descriptors.1 <= descriptors.0 + 3, "{descriptors:?}");
    assert!(threads.1 <= threads.0 + 1, "{threads:?}");
}

/// A whole morning of forty services; without optimisation its past takes a minute to play, and another one is as good.
fn scenario() -> String {
    std::env::var("WINDLASS_NIGHT_SCENARIO").unwrap_or_else(|_| "morning".to_owned())
}

fn length() -> Duration {
    Duration::from_secs(amount("WINDLASS_NIGHT_SOAK_SECONDS", 600))
}

fn for_a_while(windlass: &Windlass, seconds: u64) {
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(seconds) {
        windlass.beat();
    }
}

#[test]
#[ignore = "at night: as long as WINDLASS_NIGHT_SOAK_SECONDS says"]
fn t22_a_screen_that_is_left_on_stays_as_it_was() {
    let shop = Shop::at_speed(&scenario(), 1.0);
    let storm = Storm::over(&shop.cluster(), amount("WINDLASS_NIGHT_RATE", 100));
    let mut windlass = shop.screen_with(&[]);
    windlass.until_live();
    let began = Instant::now();
    let mut samples = Vec::new();
    let mut round = 0_u64;
    while began.elapsed() < length() {
        for_a_while(&windlass, 3);
        samples.push(sample(&windlass, began));
        // Every pane is looked at in turn, and says what only it says; every source is live.
        let (key, words) = [("9", "SOURCE"), ("2", "prod-eu"), ("1", "SERVICE")]
            [usize::try_from(round % 3).unwrap()];
        windlass.key(key);
        windlass.until(words);
        windlass.until_live();
        windlass.key("1");
        windlass.key(if round.is_multiple_of(2) { "j" } else { "k" });
        round += 1;
    }
    let events = storm.done.load(Ordering::Relaxed);
    windlass.key("1");
    windlass.until("checkout");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert_steady("the screen", &samples, events);
}

#[test]
#[ignore = "at night: as long as WINDLASS_NIGHT_SOAK_SECONDS says"]
fn t22_a_wallboard_that_is_left_on_goes_on_turning() {
    let shop = Shop::at_speed(&scenario(), 1.0);
    let storm = Storm::over(&shop.cluster(), amount("WINDLASS_NIGHT_RATE", 100));
    let mut windlass = shop.screen_with(&["wall", "--every", "2s"]);
    windlass.until("page 1 of");
    let began = Instant::now();
    let mut samples = Vec::new();
    let page = |screen: &vt100::Screen| {
        let text = text_of(screen);
        let at = text.find("page ")?;
        let words = &text[at + 5..];
        words[..words.find(' ')?].parse::<u32>().ok()
    };
    let mut turned = 0_u64;
    while began.elapsed() < length() {
        let was = windlass.screen(page);
        windlass.until_screen("the page to turn", |screen| page(screen) != was);
        turned += 1;
        for_a_while(&windlass, 2);
        samples.push(sample(&windlass, began));
    }
    // What turns fifteen times a minute at least has not stood still.
    assert!(turned >= length().as_secs() / 8, "{turned} pages");
    let events = storm.done.load(Ordering::Relaxed);
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert_steady(&format!("the wall, {turned} pages"), &samples, events);
}
