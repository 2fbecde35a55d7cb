//! T11: bodies without an end, strings of 300 MB, a million rows, and archives that unpack to a thousand times their size.
//! Each is given up at the limit of 64 MiB, says so, and costs the program no more than twice that.

use std::{
    fs,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use rustix::process::Pid;

use super::{
    amount,
    road::{Road, Then},
    tell,
    user::{TOKEN, User, opens_and_leaves_help},
};
use crate::{
    screen::harness::{Windlass, text_of},
    whole::shop::{Hosts, Shop},
};

const LIMIT: u64 = 64 << 20;
/// What lies between the two ends of a connection on this machine, and is written without having been read.
const BETWEEN: u64 = 16 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bomb {
    /// 100 MB of white space in chunks.
    Chunks,
    /// 10 GB of it.
    Endless,
    /// One string of 300 MB, of an announced length.
    String,
    /// A million rows in one list.
    Rows,
    /// 1 GB of zeros as gzip.
    Gzip,
    /// The same, said to be packed in ways that nobody asked for.
    Brotli,
    Zstd,
}

const ALL: [Bomb; 7] = [
    Bomb::Chunks,
    Bomb::Endless,
    Bomb::String,
    Bomb::Rows,
    Bomb::Gzip,
    Bomb::Brotli,
    Bomb::Zstd,
];

/// Counts what was taken.
struct Counted<'a> {
    out: &'a mut dyn Write,
    taken: &'a AtomicU64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn head(out: &mut dyn Write, more: &str) -> io::Result<()> {
    write!(
        out,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n{more}\r\n"
    )
}

fn chunks(out: &mut dyn Write, piece: &[u8], count: u64) -> io::Result<()> {
    head(out, "Transfer-Encoding: chunked\r\n")?;
    for _ in 0..count {
        write!(out, "{:x}\r\n", piece.len())?;
        out.write_all(piece)?;
        out.write_all(b"\r\n")?;
    }
    out.write_all(b"0\r\n\r\n")
}

fn pour(bomb: Bomb, packed: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let mebibyte = vec![b' '; 1 << 20];
    match bomb {
        Bomb::Chunks => chunks(out, &mebibyte, 100),
        Bomb::Endless => chunks(out, &mebibyte, 10 << 10),
        Bomb::String => {
            head(out, &format!("Content-Length: {}\r\n", (300 << 20) + 2))?;
            out.write_all(b"\"")?;
            for _ in 0..300 {
                out.write_all(&vec![b'a'; 1 << 20])?;
            }
            out.write_all(b"\"")
        }
        Bomb::Rows => {
            head(out, "")?;
            out.write_all(b"{\"kind\":\"List\",\"items\":[")?;
            let row = b"{\"kind\":\"Rollout\",\"metadata\":{\"name\":\"x\",\"namespace\":\"shop\",\"uid\":\"u\"},\"spec\":{},\"status\":{}},";
            let many = row.repeat(1_000);
            for _ in 0..1_000 {
                out.write_all(&many)?;
            }
            out.write_all(b"{}]}")
        }
        Bomb::Gzip | Bomb::Brotli | Bomb::Zstd => {
            let name = match bomb {
                Bomb::Gzip => "gzip",
                Bomb::Brotli => "br",
                _ => "zstd",
            };
            let length = packed.len();
            head(
                out,
                &format!("Content-Encoding: {name}\r\nContent-Length: {length}\r\n"),
            )?;
            out.write_all(packed)
        }
    }?;
    out.flush()
}

/// 1 GB of zeros, packed to about a megabyte.
fn packed() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..1024 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

/// A line of `/proc/PID/status`, in bytes.
pub(super) fn memory(pid: Pid, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes << 10
}

const KINDS: [&str; 4] = ["kubernetes", "github", "prometheus", "alertmanager"];

/// Somebody with one of the four behind a road.
fn behind(kind: &str) -> (User, Road) {
    let shop = Shop::open("canary");
    let Hosts {
        github,
        prometheus,
        alertmanager,
    } = shop.hosts();
    let road = Road::to(
        &match kind {
            "kubernetes" => shop.cluster(),
            "github" => github,
            "prometheus" => prometheus,
            _ => alertmanager,
        },
        None,
    );
    let address = road.plain();
    let shop = shop.behind(|hosts| match kind {
        "github" => hosts.github = address,
        "prometheus" => hosts.prometheus = address,
        "alertmanager" => hosts.alertmanager = address,
        _ => {}
    });
    let user = User::of(shop);
    let user = match kind {
        "kubernetes" => {
            let server = road.plain();
            let login = serde_json::json!({ "token": TOKEN });
            user.at(&server, &serde_json::json!({}), &login)
        }
        _ => user,
    };
    (user, road)
}

/// The screen with one bomb behind one of its sources, until it has met it and said so; the most memory it took.
fn meets(kind: &str, bomb: Bomb, packed: &Arc<Vec<u8>>) -> (u64, u64) {
    let (user, road) = behind(kind);
    let most = Arc::new(AtomicU64::new(0));
    let (seen, packed) = (Arc::clone(&most), Arc::clone(packed));
    let is_cluster = kind == "kubernetes";
    road.now(move |came| {
        if is_cluster && !came.path.contains("/rollouts") {
            return Then::Forward;
        }
        let (seen, packed) = (Arc::clone(&seen), Arc::clone(&packed));
        Then::Pour(Box::new(move |out| {
            let taken = AtomicU64::new(0);
            let mut counted = Counted { out, taken: &taken };
            let poured = pour(bomb, &packed, &mut counted);
            seen.fetch_max(taken.into_inner(), Ordering::SeqCst);
            poured
        }))
    });
    let mut windlass = user.screen(&[]);
    windlass.key("9");
    until_it_failed(&windlass, kind, bomb, &most);
    // Keys are answered, and what does not fail is there.
    windlass.key("1");
    windlass.until(if is_cluster { "prod-eu" } else { "checkout" });
    let memory = memory(windlass.pid(), "VmHWM:");
    windlass.key("q");
    windlass.ended();
    (memory, most.load(Ordering::SeqCst))
}

fn until_it_failed(windlass: &Windlass, kind: &str, bomb: Bomb, most: &AtomicU64) {
    windlass.until_screen(&format!("{kind} to fail over {bomb:?}"), |screen| {
        most.load(Ordering::SeqCst) > 0
            && text_of(screen).lines().any(|line| {
                line.contains(if kind == "kubernetes" {
                    "prod-eu  "
                } else {
                    kind
                }) && ["malformed", "unreachable", "stale"]
                    .iter()
                    .any(|word| line.contains(word))
            })
    });
}

#[test]
#[ignore = "at night: pours gigabytes"]
fn t11_what_is_too_large_is_given_up_at_the_limit_and_costs_no_more_than_twice_that() {
    let packed = Arc::new(packed());
    let quiet = {
        let user = User::of(Shop::open("canary"));
        let windlass = user.screen(&[]);
        windlass.until_live();
        memory(windlass.pid(), "VmHWM:")
    };
    let mut worst = (0, String::new());
    let mut wrong = Vec::new();
    for kind in KINDS {
        for bomb in ALL {
            let (memory, taken) = meets(kind, bomb, &packed);
            let rise = memory.saturating_sub(quiet);
            println!(
                "{kind} {bomb:?}: {} MiB more, {} MiB taken at once",
                rise >> 20,
                taken >> 20
            );
            if rise > 2 * LIMIT || taken > LIMIT + BETWEEN {
                wrong.push(format!("{kind} {bomb:?}: {rise} B more, {taken} B taken"));
            }
            if rise >= worst.0 {
                worst = (rise, format!("{kind} {bomb:?}"));
            }
        }
    }
    tell(&format!(
        "{} bombs: at most {} MiB more ({}), of {} MiB",
        KINDS.len() * ALL.len(),
        worst.0 >> 20,
        worst.1,
        quiet >> 20
    ));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Rows that come one by one as changes of a watch have no body that could be too long, and there is no limit to their
/// number: each costs what is kept of it, and keys are answered meanwhile.
#[test]
#[ignore = "at night: a million rows"]
fn t11_rows_that_come_one_by_one_cost_no_more_than_what_is_kept_of_them() {
    let rows = amount("WINDLASS_NIGHT_ROWS", 1_000_000);
    let (user, road) = behind("kubernetes");
    let sent = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    road.now(move |came| {
        if !came.path.contains("/rollouts") {
            return Then::Forward;
        }
        let counted = Arc::clone(&counted);
        Then::Pour(Box::new(move |out| {
            head(out, "")?;
            let mut out = io::BufWriter::with_capacity(1 << 16, out);
            for row in 0..rows {
                writeln!(out, "{{\"type\":\"ADDED\",\"object\":{{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"metadata\":{{\"name\":\"row-{row}\",\"namespace\":\"shop\",\"uid\":\"u-{row}\",\"resourceVersion\":\"{}\"}},\"spec\":{{\"replicas\":1}},\"status\":{{}}}}}}", row + 1)?;
                counted.fetch_max(row + 1, Ordering::Relaxed);
            }
            out.flush()?;
            // Until the other side has enough, or the test is over.
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }))
    });
    let mut windlass = user.screen(&[]);
    windlass.key("9");
    let since = Instant::now();
    let (mut most, mut last) = (0, 0);
    let failed = |screen: &vt100::Screen| {
        text_of(screen)
            .lines()
            .any(|line| line.contains("prod-eu  ") && line.contains("malformed"))
    };
    while since.elapsed() < Duration::from_secs(180) && !windlass.screen(failed) {
        windlass.beat();
        most = most.max(memory(windlass.pid(), "VmHWM:"));
        last = sent.load(Ordering::Relaxed);
        if last >= rows {
            break;
        }
    }
    // Keys are answered all the while.
    opens_and_leaves_help(&mut windlass);
    most = most.max(memory(windlass.pid(), "VmHWM:"));
    tell(&format!(
        "a watch of {rows} rows: {last} were taken in {} s, {} MiB at most",
        since.elapsed().as_secs(),
        most >> 20
    ));
    assert!(last > 1_000, "{last} rows prove nothing");
    assert!(most < (96 << 20) + last * 3_072, "{} MiB", most >> 20);
    windlass.key("q");
    windlass.ended();
}
