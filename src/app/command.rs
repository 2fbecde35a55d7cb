//! The command table: every command is declared here once, with its name, words, scope, danger and keys. The keymap,
//! the help, the palette and the README's table are made from it, so none of them can say something else.

use crate::ops::intent::Verb;

/// Everything that can be asked for by key, palette or menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    Down,
    Up,
    Top,
    Bottom,
    PageDown,
    PageUp,
    Open,
    Back,
    NextPane,
    PreviousPane,
    Filter,
    ClearFilter,
    Palette,
    Help,
    Quit,
    NextThatNeedsYou,
    PreviousThatNeedsYou,
    Board,
    Release,
    Inbox,
    Changed,
    Audit,
    Sources,
    Logs,
    History,
    Details,
    Yaml,
    Copy,
    Refresh,
    Later,
    Ring,
    Mark,
    Menu,
    Arm,
    Act(Verb),
    Fault,
    Tour,
    Suspend,
}

/// Where a command means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    Everywhere,
    /// Where a release is selected or open.
    OnRelease,
    /// In the demo and nowhere else: neither bound nor shown outside it.
    Demo,
}

/// Whether it may lead to a request that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Danger {
    Reads,
    /// Opens a plan; nothing is sent without its ceremony.
    OpensPlan,
    /// Changes what this session may do.
    Arms,
}

#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub command: Command,
    /// For the palette: `back-out`.
    pub name: &'static str,
    pub words: &'static str,
    pub scope: Scope,
    pub danger: Danger,
    /// Keys as one would write them: `x`, `G`, `Ctrl-z`, `Enter`. Empty: menu and palette only.
    pub keys: &'static [&'static str],
}

const fn reads(
    command: Command,
    name: &'static str,
    words: &'static str,
    keys: &'static [&'static str],
) -> Spec {
    Spec {
        command,
        name,
        words,
        scope: Scope::Everywhere,
        danger: Danger::Reads,
        keys,
    }
}

const fn in_demo(
    command: Command,
    name: &'static str,
    words: &'static str,
    keys: &'static [&'static str],
) -> Spec {
    Spec {
        command,
        name,
        words,
        scope: Scope::Demo,
        danger: Danger::Reads,
        keys,
    }
}

const fn on_release(
    command: Command,
    name: &'static str,
    words: &'static str,
    keys: &'static [&'static str],
) -> Spec {
    Spec {
        command,
        name,
        words,
        scope: Scope::OnRelease,
        danger: Danger::Reads,
        keys,
    }
}

const fn acts(
    verb: Verb,
    name: &'static str,
    words: &'static str,
    keys: &'static [&'static str],
) -> Spec {
    Spec {
        command: Command::Act(verb),
        name,
        words,
        scope: Scope::OnRelease,
        danger: Danger::OpensPlan,
        keys,
    }
}

/// In the order of help and palette. Capitals only where a slip would cost: Caps Lock must trigger nothing.
pub const COMMANDS: &[Spec] = &[
    acts(
        Verb::BackOut,
        "back-out",
        "the last version that served everything does so again",
        &["x"],
    ),
    acts(Verb::Pause, "pause", "hold it where it is", &["z"]),
    acts(Verb::Resume, "resume", "end a pause made by hand", &["u"]),
    acts(Verb::Promote, "promote", "one step further", &["p"]),
    acts(
        Verb::Rollback,
        "roll-back",
        "to a revision chosen from the history",
        &["b"],
    ),
    acts(
        Verb::PromoteFull,
        "promote-fully",
        "to the end, skipping pauses and analyses",
        &[],
    ),
    acts(
        Verb::Abort,
        "abort",
        "the vendor's abort: stable serves everything",
        &[],
    ),
    acts(
        Verb::Retry,
        "retry",
        "an aborted release starts again from its first step",
        &[],
    ),
    acts(
        Verb::Restart,
        "restart",
        "new pods of the same version",
        &[],
    ),
    acts(
        Verb::Approve,
        "approve",
        "a gate of its pipeline that waits for you",
        &["a"],
    ),
    acts(Verb::Reject, "reject", "a gate: its run fails", &[]),
    acts(
        Verb::Cancel,
        "cancel",
        "the run of its pipeline that is under way",
        &[],
    ),
    acts(
        Verb::Rerun,
        "re-run",
        "the run of its pipeline, with the same commit",
        &[],
    ),
    acts(
        Verb::RerunFailed,
        "re-run-failed",
        "only what failed in it",
        &[],
    ),
    acts(
        Verb::Silence,
        "silence",
        "what fires on it, for a while",
        &[],
    ),
    acts(
        Verb::Expire,
        "end-silence",
        "what fires on it is told again",
        &[],
    ),
    Spec {
        command: Command::Arm,
        name: "arm",
        words: "allow writing to this environment for a while",
        scope: Scope::OnRelease,
        danger: Danger::Arms,
        keys: &["W"],
    },
    on_release(
        Command::Menu,
        "menu",
        "every verb, and why it is refused",
        &["m"],
    ),
    on_release(
        Command::Open,
        "open",
        "the release, or what is selected",
        &["Enter"],
    ),
    on_release(
        Command::Logs,
        "logs",
        "of its pods, or of its pipeline's jobs",
        &["l"],
    ),
    on_release(
        Command::Changed,
        "what-changed",
        "before the incident, nearest first",
        &["t"],
    ),
    on_release(
        Command::History,
        "history",
        "revisions and what differs",
        &["h"],
    ),
    on_release(
        Command::Details,
        "details",
        "events, pods and analysis runs",
        &["d"],
    ),
    on_release(Command::Yaml, "yaml", "the object as it is stored", &["y"]),
    on_release(
        Command::Copy,
        "copy",
        "its identity to the clipboard",
        &["c"],
    ),
    on_release(
        Command::Ring,
        "ring",
        "ring me when it waits, fails or is done",
        &["."],
    ),
    on_release(
        Command::Mark,
        "mark",
        "for one plan after another",
        &["space"],
    ),
    reads(
        Command::NextThatNeedsYou,
        "next",
        "release that needs you",
        &["n"],
    ),
    reads(
        Command::PreviousThatNeedsYou,
        "previous",
        "release that needs you",
        &["N"],
    ),
    reads(
        Command::Filter,
        "filter",
        "by service, environment, version or state",
        &["/"],
    ),
    reads(
        Command::ClearFilter,
        "clear-filter",
        "show everything",
        &["0"],
    ),
    reads(Command::Refresh, "refresh", "read again", &["r"]),
    reads(Command::Board, "board", "all releases", &["1"]),
    reads(Command::Release, "release", "the selected release", &["2"]),
    reads(
        Command::Inbox,
        "inbox",
        "everything that waits for a human",
        &["3"],
    ),
    reads(
        Command::Audit,
        "audit",
        "what was done, by this program on this machine",
        &["8"],
    ),
    reads(Command::Sources, "sources", "health of each source", &["9"]),
    reads(Command::Palette, "palette", "any command by name", &[":"]),
    reads(Command::Help, "help", "keys", &["?"]),
    reads(Command::Down, "down", "next row", &["j", "Down"]),
    reads(Command::Up, "up", "previous row", &["k", "Up"]),
    reads(
        Command::PageDown,
        "page-down",
        "a page down",
        &["PageDown", "Ctrl-d"],
    ),
    reads(
        Command::PageUp,
        "page-up",
        "a page up",
        &["PageUp", "Ctrl-u"],
    ),
    reads(Command::Top, "top", "first row", &["g", "Home"]),
    reads(Command::Bottom, "bottom", "last row", &["G", "End"]),
    reads(Command::NextPane, "next-pane", "the next pane", &["Tab"]),
    reads(
        Command::PreviousPane,
        "previous-pane",
        "the previous pane",
        &["BackTab"],
    ),
    reads(Command::Back, "back", "leave, close, clear", &["Esc"]),
    reads(Command::Quit, "quit", "leave windlass", &["q", "Ctrl-c"]),
    in_demo(
        Command::Fault,
        "fault",
        "demo only: what goes wrong on the way",
        &["F"],
    ),
    in_demo(
        Command::Tour,
        "tour",
        "demo only: what to press, step by step",
        &["Ctrl-t"],
    ),
    reads(
        Command::Suspend,
        "suspend",
        "to the shell, until fg",
        &["Ctrl-z"],
    ),
    in_demo(
        Command::Later,
        "later",
        "demo only: with --still, lets ten seconds pass",
        &[">"],
    ),
];

/// The declaration of a command.
pub fn spec(command: Command) -> Option<&'static Spec> {
    COMMANDS.iter().find(|spec| spec.command == command)
}
