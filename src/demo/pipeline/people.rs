//! Who works in the demo's shop, and what they write into their commits.
//!
//! Must never be taken for real people: the addresses end in `.example`.

#[derive(Debug, PartialEq, Eq)]
pub(in crate::demo) struct Person {
    pub(in crate::demo) login: &'static str,
    pub(in crate::demo) name: &'static str,
    pub(in crate::demo) id: u64,
    pub(in crate::demo) bot: bool,
}

const fn person(login: &'static str, name: &'static str, id: u64) -> Person {
    Person {
        login,
        name,
        id,
        bot: false,
    }
}

/// Whose token it is.
pub(in crate::demo) static YOU: Person = person("you", "You", 583_231);

pub(in crate::demo) static ACTIONS: Person = Person {
    login: "github-actions[bot]",
    name: "github-actions[bot]",
    id: 41_898_282,
    bot: true,
};

static RENOVATE: Person = Person {
    login: "renovate[bot]",
    name: "renovate[bot]",
    id: 29_139_614,
    bot: true,
};

static AUTHORS: [Person; 8] = [
    person("mara-lindqvist", "Mara Lindqvist", 7_120_441),
    person("tkowalczyk", "Tomasz Kowalczyk", 2_204_918),
    person("aiko-s", "佐藤 愛子", 11_380_007),
    person("dosei", "Kwame Osei", 5_518_230),
    person("lcardoso", "Luísa Cardoso", 9_004_312),
    person("henrikb", "Henrik Bø", 1_377_604),
    person("noorvdm", "Noor van der Meer", 14_220_981),
    person("rafael-q", "Rafael Quiroga", 3_618_540),
];

static TITLES: [&str; 30] = [
    "fix: keep the idempotency key across retries",
    "feat: show the delivery window before payment",
    "perf: one query for all line items instead of one each",
    "refactor: move the currency table out of the handler",
    "fix: a timeout is not a refusal",
    "chore(deps): update tokio to 1.54.2",
    "test: orders that cross midnight in Lisbon",
    "feat(api): page the history by cursor",
    "fix: log the order, not the card",
    "docs: what to do when the queue is full",
    "build: smaller image, 212 MB -> 84 MB 🎉",
    "fix: round half to even, as finance does",
    "revert: \"perf: cache the stock level\"",
    "feat: 日本語の住所を正しく並べる",
    "fix: do not retry what cannot succeed",
    "chore: bump base image to 2026.11",
    "fix(ui): the button said Cancel twice",
    "feat: feature flag for the new carrier 🚚",
    "ci: run the contract tests against staging",
    "fix: release the lock before calling out",
    "metrics: label requests with the route, not the path",
    "fix: accept postcodes with a space",
    "refactor: one clock for the whole service",
    "feat: retry budget shared by all clients",
    "fix: empty basket is 200 with nothing, not 404",
    "chore(deps): update serde monorepo",
    "fix: connections leaked when the peer hung up 🩹",
    "feat: warn before a voucher runs out",
    "test: pin the time zone",
    "fix: größere Beträge wurden abgeschnitten",
];

/// What a terminal must survive: it clears the screen and renames the window where it is printed as it is.
pub(super) const HOSTILE: &str =
    "fix: quote what users type \u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}txt.exe in the log";

pub(super) static BRANCHES: [&str; 6] = [
    "feature/cursor-paging",
    "fix/flaky-clock-test",
    "renovate/serde-monorepo",
    "spike/größere-pakete",
    "aiko/address-order",
    "release-notes",
];

pub(super) fn author(place: u64) -> &'static Person {
    pick(&AUTHORS, place).unwrap_or(&YOU)
}

pub(super) fn author_of(title: &str, place: u64) -> &'static Person {
    if title.starts_with("chore(deps)") {
        &RENOVATE
    } else {
        author(place)
    }
}

pub(super) fn title(place: u64) -> &'static str {
    pick(&TITLES, place).copied().unwrap_or_default()
}

pub(super) fn branch(place: u64) -> &'static str {
    pick(&BRANCHES, place).copied().unwrap_or_default()
}

fn pick<T>(from: &[T], place: u64) -> Option<&T> {
    let length = u64::try_from(from.len()).unwrap_or(1);
    from.get(usize::try_from(place.checked_rem(length)?).ok()?)
}
