use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use rustix::process::{Pid, Signal as Number, getpid, kill_process};
use rustix::termios::{Termios, tcgetattr};
use tokio::sync::{Mutex as TestLock, MutexGuard as TestGuard};
use tokio::time::timeout;

use super::*;
use crate::model::{
    address::Address,
    text::{sanitise, sanitise_lines},
};

/// There is one terminal in a process, so one test at a time may hold it.
static ONE_TERMINAL: LazyLock<TestLock<()>> = LazyLock::new(|| TestLock::new(()));

/// Far above what anything here takes, for a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(20);

/// The other end of a pseudo-terminal: a keyboard, and a screen that keeps what was sent.
struct Desk {
    master: Option<Box<dyn MasterPty + Send>>,
    keyboard: Option<Box<dyn Write + Send>>,
    path: PathBuf,
    slave: Box<dyn portable_pty::SlavePty + Send>,
}

/// What a terminal was sent so far.
#[derive(Clone, Default)]
struct Sent(Arc<(Mutex<Vec<u8>>, Condvar)>);

impl Sent {
    /// Waits until `text` has been sent after the first `from` bytes; answers where it ends.
    fn wait_for(&self, text: &[u8], from: usize) -> usize {
        let (bytes, more) = &*self.0;
        let mut bytes = bytes.lock().unwrap();
        loop {
            let found = bytes[from..]
                .windows(text.len())
                .position(|window| window == text);
            if let Some(at) = found {
                return from + at + text.len();
            }
            let (waited, result) = more.wait_timeout(bytes, LIMIT).unwrap();
            assert!(
                !result.timed_out(),
                "never sent: {:?}",
                String::from_utf8_lossy(text)
            );
            bytes = waited;
        }
    }

    fn all(&self) -> Vec<u8> {
        self.0.0.lock().unwrap().clone()
    }

    fn screen(&self) -> vt100::Parser {
        let size = |n| std::num::NonZeroU16::new(n).unwrap();
        let mut screen = vt100::Parser::new(size(24), size(80), 0);
        screen.process(&self.all());
        screen
    }
}

impl Desk {
    fn new() -> Self {
        let size = PtySize {
            rows: 24,
            cols: 80,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        Self {
            path: pair.master.tty_name().unwrap(),
            keyboard: Some(pair.master.take_writer().unwrap()),
            master: Some(pair.master),
            slave: pair.slave,
        }
    }

    fn terminal(&self) -> Terminal {
        let open = || tty::open_device(&self.path).unwrap();
        let term = |name: &str| (name == "TERM").then(|| "xterm-256color".to_owned());
        Terminal::on(Tty::on(open(), open()).unwrap(), term, ALL).unwrap()
    }

    fn type_in(&mut self, bytes: &[u8]) {
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(bytes).unwrap();
        keyboard.flush().unwrap();
    }

    fn modes(&self) -> String {
        described(&tcgetattr(tty::open_device(&self.path).unwrap()).unwrap())
    }

    /// Begins to take what is sent: until then the terminal is a slow one.
    fn watch(&self) -> Sent {
        let sent = Sent::default();
        let (mut reader, into) = (
            self.master.as_ref().unwrap().try_clone_reader().unwrap(),
            sent.clone(),
        );
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                into.0.0.lock().unwrap().extend_from_slice(&buffer[..count]);
                into.0.1.notify_all();
            }
        });
        sent
    }

    fn hang_up(&mut self) {
        self.keyboard = None;
        self.master = None;
    }
}

/// `Termios` cannot be compared.
fn described(modes: &Termios) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        modes.input_modes,
        modes.output_modes,
        modes.control_modes,
        modes.local_modes,
        modes.special_codes
    )
}

/// The guard comes first so that it is dropped last.
async fn desk() -> (TestGuard<'static, ()>, Desk, Terminal) {
    let guard = ONE_TERMINAL.lock().await;
    let desk = Desk::new();
    let terminal = desk.terminal();
    (guard, desk, terminal)
}

async fn next(terminal: &mut Terminal) -> Vec<Input> {
    timeout(LIMIT, terminal.next())
        .await
        .expect("something happens")
}

/// Everything up to and with the first input that `last` accepts.
async fn until(terminal: &mut Terminal, last: impl Fn(&Input) -> bool) -> Vec<Input> {
    let mut all = Vec::new();
    while !all.iter().any(&last) {
        all.extend(next(terminal).await);
    }
    all
}

fn text(text: &str) -> impl FnOnce(&mut Frame<'_>) {
    move |frame| frame.render_widget(Paragraph::new(Line::from(text.to_owned())), frame.area())
}

fn noise(seed: u32) -> impl FnOnce(&mut Frame<'_>) {
    move |frame| {
        for (at, cell) in (0_u32..).zip(&mut frame.buffer_mut().content) {
            let mixed = (at ^ seed).wrapping_mul(2_654_435_761);
            cell.set_char(char::from_u32(0x21 + mixed % 90).unwrap());
            cell.set_fg(ratatui::style::Color::Indexed(mixed.to_be_bytes()[1]));
        }
    }
}

/// All of it a link.
fn linked_noise(seed: u32) -> impl FnOnce(&mut Frame<'_>) -> Linked {
    move |frame| {
        noise(seed)(frame);
        let address = Address::new(&format!("https://a.example/{seed}/{}", "x".repeat(1_500)));
        let mut linked = Linked::default();
        for y in 0..frame.area().height {
            linked.add(y, 0, frame.area().width, address.as_ref().unwrap());
        }
        linked
    }
}

fn key(code: Code) -> Input {
    Input::Key(Key::plain(code))
}

/// Everything that can be asked of a terminal, so that all of it is given back.
const ALL: Options = Options {
    mouse: true,
    clipboard: true,
    links: Links::On,
    notices: Notices::Bell,
};

#[tokio::test]
async fn everything_typed_so_far_comes_in_one_go() {
    let (_one, mut desk, mut terminal) = desk().await;
    let typed = b"jk\x1b[A\x1b[200~Y\r\x1b[201~q";
    desk.type_in(typed);
    let waiting = || rustix::io::ioctl_fionread(&terminal.tty.input).unwrap();
    while waiting() < typed.len() as u64 {
        thread::yield_now();
    }
    let expected = vec![
        key(Code::Char('j')),
        key(Code::Char('k')),
        key(Code::Up),
        Input::Paste(sanitise_lines("Y\n")),
        key(Code::Char('q')),
    ];
    assert_eq!(next(&mut terminal).await, expected);
}

#[tokio::test]
async fn a_lone_escape_comes_by_itself() {
    let (_one, mut desk, mut terminal) = desk().await;
    desk.type_in(b"\x1b");
    assert_eq!(next(&mut terminal).await, [key(Code::Esc)]);
}

#[tokio::test]
async fn an_idle_terminal_has_nothing_to_wait_for_but_the_world() {
    let (_one, mut desk, mut terminal) = desk().await;
    desk.type_in(b"j");
    next(&mut terminal).await;
    assert_eq!(terminal.next().now_or_never(), None);
    assert_eq!(terminal.patience, None, "no timer runs");
}

#[tokio::test]
async fn a_hang_up_is_told_once_and_at_once() {
    let (_one, mut desk, mut terminal) = desk().await;
    desk.hang_up();
    assert_eq!(
        until(&mut terminal, |input| *input == Input::Gone).await,
        [Input::Gone]
    );
    assert_eq!(
        terminal.next().now_or_never(),
        None,
        "a dead terminal is not asked again"
    );
    assert_eq!(terminal.draw(text("late")), Drawn::Gone);
    assert!(
        terminal.restore().is_ok(),
        "there is nothing left to give back"
    );
}

#[tokio::test]
async fn drawing_on_a_dead_terminal_tells_that_it_is_gone() {
    let (_one, mut desk, mut terminal) = desk().await;
    desk.hang_up();
    assert_eq!(terminal.draw(text("late")), Drawn::Gone);
    assert_eq!(next(&mut terminal).await, [Input::Gone]);
}

#[tokio::test]
async fn an_unchanged_frame_sends_nothing() {
    let (_one, desk, mut terminal) = desk().await;
    let sent = desk.watch();
    assert_eq!(terminal.draw(text("checkout")), Drawn::Written(FrameNo(1)));
    let before = sent.wait_for(b"\x1b[?2026l", 0);
    assert_eq!(
        terminal.draw(text("checkout")),
        Drawn::Unchanged(FrameNo(1))
    );
    assert_eq!(terminal.draw(text("checkouT")), Drawn::Written(FrameNo(2)));
    sent.wait_for(b"T", before);
    assert_eq!(sent.all()[before..], *b"\x08T");
    assert!(sent.screen().screen().contents().contains("checkouT"));
}

#[tokio::test]
async fn a_slow_terminal_gets_one_frame_at_a_time_and_then_the_newest() {
    let (_one, mut desk, mut terminal) = desk().await;
    let begun = (1..100)
        .find_map(|seed| match terminal.draw(noise(seed)) {
            Drawn::Begun(frame) => Some(frame),
            Drawn::Written(_) => None,
            other => panic!("{other:?}"),
        })
        .expect("a terminal that nobody reads is full before long");
    assert_eq!(terminal.draw(noise(1_000)), Drawn::Busy);
    assert!(terminal.written() < begun);
    desk.type_in(b"q");
    assert_eq!(
        next(&mut terminal).await,
        [key(Code::Char('q'))],
        "keys come though nothing can be shown"
    );
    let sent = desk.watch();
    until(&mut terminal, |input| *input == Input::Written(begun)).await;
    assert_eq!(terminal.written(), begun);
    while !matches!(terminal.draw(text("the newest")), Drawn::Unchanged(_)) {
        if terminal.is_busy() {
            next(&mut terminal).await;
        }
    }
    sent.wait_for(b"newest", 0);
    let all = sent.all();
    let frames = |mark: &[u8]| {
        all.windows(mark.len())
            .filter(|window| *window == mark)
            .count()
    };
    assert_eq!(
        frames(b"\x1b[?2026h"),
        frames(b"\x1b[?2026l"),
        "no frame is torn"
    );
    assert!(sent.screen().screen().contents().contains("the newest"));
}

#[tokio::test]
async fn another_size_is_told_and_drawn_in_full() {
    let (_one, desk, mut terminal) = desk().await;
    let sent = desk.watch();
    let _ = terminal.draw(text("checkout"));
    let size = PtySize {
        rows: 10,
        cols: 30,
        pixel_width: 0,
        pixel_height: 0,
    };
    desk.master.as_ref().unwrap().resize(size).unwrap();
    kill_process(getpid(), Number::WINCH).unwrap();
    assert_eq!(next(&mut terminal).await, [Input::Resize(30, 10)]);
    let before = sent.wait_for(b"\x1b[?2026l", 0);
    assert!(matches!(terminal.draw(text("checkout")), Drawn::Written(_)));
    sent.wait_for(b"\x1b[2J", before);
}

#[tokio::test]
async fn a_wish_to_end_is_told_and_not_obeyed() {
    let (_one, _desk, mut terminal) = desk().await;
    for (signal, ended) in [
        (Number::TERM, Ended::Terminate),
        (Number::HUP, Ended::HangUp),
        (Number::INT, Ended::Interrupt),
    ] {
        kill_process(getpid(), signal).unwrap();
        assert_eq!(next(&mut terminal).await, [Input::Ended(ended)]);
    }
}

#[tokio::test]
async fn the_terminal_is_given_back_as_it_was_found() {
    let guard = ONE_TERMINAL.lock().await;
    let desk = Desk::new();
    let found = desk.modes();
    let mut terminal = desk.terminal();
    let sent = desk.watch();
    let _ = terminal.draw(|frame| frame.set_cursor_position((3, 3)));
    sent.wait_for(b"\x1b[?2026l", 0);
    assert!(sent.screen().screen().alternate_screen());
    assert!(sent.screen().screen().bracketed_paste());
    assert_ne!(desk.modes(), found);
    drop(terminal);
    assert_eq!(desk.modes(), found);
    sent.wait_for(b"\x1b[?1049l", 0);
    assert_left(&sent);
    drop(guard);
}

fn assert_left(sent: &Sent) {
    let screen = sent.screen();
    assert!(!screen.screen().alternate_screen());
    assert!(!screen.screen().hide_cursor());
    assert!(!screen.screen().bracketed_paste());
    assert_eq!(screen.screen().fgcolor(), vt100::Color::Default);
    let all = String::from_utf8_lossy(&sent.all()).into_owned();
    let last = |mark: &str| all.rfind(mark);
    assert!(
        last("\u{1b}[?2026l") >= last("\u{1b}[?2026h"),
        "a synchronised update was left open"
    );
    assert!(
        last("\u{1b}[?1000h") < last("\u{1b}[?1000l")
            && last("\u{1b}[?1006h") < last("\u{1b}[?1006l"),
        "reports of the mouse were left on"
    );
    assert!(
        last("\u{1b}[?1004l") > last("\u{1b}[?1004h"),
        "focus reports were left on"
    );
    assert!(
        last("\u{1b}]8;;\u{1b}\\") >= last("\u{1b}]8;id="),
        "a link was left open"
    );
}

#[tokio::test]
async fn a_panic_gives_the_terminal_back_and_drawing_does_not_take_it_again() {
    let guard = ONE_TERMINAL.lock().await;
    let desk = Desk::new();
    let found = desk.modes();
    let mut terminal = desk.terminal();
    let sent = desk.watch();
    restore_on_panic();
    assert!(matches!(terminal.draw(text("checkout")), Drawn::Written(_)));
    let panicked = tokio::spawn(async { panic!("in a task of its own, as a test wants it") }).await;
    assert!(panicked.unwrap_err().is_panic());
    sent.wait_for(b"\x1b[?1049l", 0);
    assert_eq!(desk.modes(), found);
    assert_left(&sent);
    assert_eq!(terminal.draw(text("over the panic")), Drawn::GivenBack);
    drop(terminal);
    assert_eq!(desk.modes(), found, "giving back twice changes nothing");
    drop(guard);
}

#[tokio::test]
async fn a_frame_cut_short_is_cancelled_before_the_terminal_is_given_back() {
    let (_one, desk, mut terminal) = desk().await;
    let cut_short = (1..100).any(|seed| matches!(terminal.draw(noise(seed)), Drawn::Begun(_)));
    assert!(
        cut_short,
        "a terminal that nobody reads is full before long"
    );
    let sent = desk.watch();
    drop(terminal);
    let end = sent.wait_for(b"\x1b[?1049l", 0);
    assert!(sent.all()[..end].contains(&0x18));
    assert_left(&sent);
}

#[tokio::test]
async fn a_link_cut_short_is_closed_before_the_terminal_is_given_back() {
    let (_one, desk, mut terminal) = desk().await;
    let cut_short =
        (1..100).any(|seed| matches!(terminal.draw_linked(linked_noise(seed)), Drawn::Begun(_)));
    assert!(
        cut_short,
        "a terminal that nobody reads is full before long"
    );
    let sent = desk.watch();
    drop(terminal);
    let end = sent.wait_for(b"\x1b[?1049l", 0);
    let all = String::from_utf8_lossy(&sent.all()[..end]).into_owned();
    let (_, left) = all.rsplit_once('\u{18}').expect("it is cancelled");
    assert!(left.starts_with("\u{1b}]8;;\u{1b}\\"), "{left:?}");
    assert_left(&sent);
}

#[tokio::test]
async fn a_terminal_that_is_sent_no_links_hears_of_none() {
    let _one = ONE_TERMINAL.lock().await;
    let desk = Desk::new();
    let open = || tty::open_device(&desk.path).unwrap();
    let options = Options {
        links: Links::Off,
        ..ALL
    };
    let mut terminal = Terminal::on(Tty::on(open(), open()).unwrap(), |_| None, options).unwrap();
    let sent = desk.watch();
    let _ = terminal.draw_linked(|frame| {
        text("checkout")(frame);
        let mut linked = Linked::default();
        linked.add(0, 0, 8, &Address::new("https://a.example").unwrap());
        linked
    });
    drop(terminal);
    sent.wait_for(b"\x1b[?1049l", 0);
    let all = String::from_utf8_lossy(&sent.all()).into_owned();
    assert!(
        all.contains("checkout") && !all.contains("\u{1b}]8"),
        "{all:?}"
    );
}

#[tokio::test]
async fn a_copy_goes_to_the_clipboard_of_the_terminal() {
    let (_one, desk, mut terminal) = desk().await;
    let sent = desk.watch();
    assert_eq!(terminal.copy(&sanitise("foo")), Copied::Sent);
    sent.wait_for(b"\x1b]52;c;Zm9v\x07", 0);
}

#[tokio::test]
async fn a_second_terminal_is_refused() {
    let (_one, desk, _terminal) = desk().await;
    let open = || tty::open_device(&desk.path).unwrap();
    let second = Terminal::on(Tty::on(open(), open()).unwrap(), |_| None, ALL);
    assert!(
        matches!(second, Err(OpenError::Use(error)) if error.kind() == io::ErrorKind::AlreadyExists)
    );
}

/// Run by the test below, in a session of its own.
#[tokio::test]
#[ignore = "a program for another test, and of no use without a terminal"]
async fn a_program_in_a_terminal() {
    let before = described(&tcgetattr(rustix::stdio::stdin().as_fd()).unwrap());
    let mut terminal = Terminal::open(|name| std::env::var(name).ok(), ALL).unwrap();
    let _ = terminal.draw(text("ready"));
    'program: loop {
        for input in next(&mut terminal).await {
            match input {
                Input::Key(Key {
                    code: Code::Char('q'),
                    ..
                }) => break 'program,
                Input::Key(Key {
                    code: Code::Char('z'),
                    ctrl: true,
                    ..
                }) => {
                    let stopped = terminal.suspend();
                    let _ = terminal.draw(text(if stopped { "stopped" } else { "stays" }));
                }
                Input::Resumed => {
                    let _ = terminal.draw(text("back again"));
                }
                _ => {}
            }
        }
    }
    terminal.restore().unwrap();
    assert_eq!(
        described(&tcgetattr(rustix::stdio::stdin().as_fd()).unwrap()),
        before
    );
    println!("as found");
}

/// Giving the terminal back comes before stopping, and a signal to go on in between would be lost.
fn is_stopped(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.contains("State:\tT")
}

#[test]
fn a_stopped_program_gives_the_terminal_back_and_takes_it_again() {
    let mut desk = Desk::new();
    let sent = desk.watch();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "--ignored",
        "--nocapture",
        "runtime::terminal::tests::a_program_in_a_terminal",
    ]);
    command.env("TERM", "xterm-256color");
    let mut child = desk.slave.spawn_command(command).unwrap();
    let at = sent.wait_for(b"ready", 0);

    desk.type_in(b"\x1a");
    let at = sent.wait_for(b"stays", at);

    let pid = Pid::from_raw(i32::try_from(child.process_id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Number::TSTP).unwrap();
    let at = sent.wait_for(b"\x1b[?1049l", at);
    while !is_stopped(pid) {
        thread::yield_now();
    }
    kill_process(pid, Number::CONT).unwrap();
    let at = sent.wait_for(b"\x1b[?1049h", at);
    let at = sent.wait_for(b"back again", at);

    desk.type_in(b"q");
    sent.wait_for(b"as found", at);
    assert!(child.wait().unwrap().success());
    assert_left(&sent);
}
