//! Starts the screen over a session, and leaves it in order: the terminal first, then what is still under way.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::mpsc;

use super::{
    audit, clock,
    effects::Effects,
    meddle::Meddle,
    screen::{Left, Screen},
    session::{self, Session, Variables},
    terminal::{self, Links, Notices, OpenError, Terminal},
};
use crate::{
    app::{
        beside::Beside,
        board::Board,
        keymap::Keymap,
        state::{Environment, Game, Notice, OpenIntent, Overlay, State, Tone},
    },
    config,
    model::{
        id::ReleaseId,
        text::{sanitise, sanitise_line},
    },
    ui::symbols::Symbols,
    ui::theme::{BuiltIn, Depth, Palette, Theme},
};

/// From so many rows on a notice covers no keys.
const ROOMY: u16 = 20;

/// How the screen is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub demo: bool,
    pub read_only: bool,
    /// Opened at once, as soon as it is known.
    pub open: Option<ReleaseId>,
    /// The tour begins at once.
    pub tour: bool,
    /// A game is played over this session: how fast its time goes.
    pub game: Option<f64>,
    /// Who carries out what is to go wrong: the demo.
    pub meddle: Option<Meddle>,
}

/// Why there is no screen.
#[derive(Debug, thiserror::Error)]
pub enum NoScreen {
    #[error("{0}; windlass status prints the same without a terminal")]
    Terminal(#[from] OpenError),
    #[error("{0}")]
    Theme(String),
}

/// Runs the screen until it is left. Must be called inside a `LocalSet`.
pub async fn screen(
    session: &Session,
    options: Options,
    variables: Variables<'_>,
) -> Result<Left, NoScreen> {
    let theme = theme(&session.config.ui, variables)?;
    let (result_sender, results) = mpsc::channel(256);
    let (source_sender, sources) = mpsc::channel(64);
    let mut effects = Effects::new(
        session.clusters(),
        std::rc::Rc::clone(&session.besides),
        session.recorder.clone(),
        result_sender,
        source_sender,
    );
    let terminal = Terminal::open(variables, wanted_of(&session.config.ui))?;
    let (columns, rows) = terminal.size();
    let state = first_state(session, &options, columns, rows);
    // After the terminal is taken: what a source says first must find somebody who shows it.
    effects.watch_all();
    let screen = Screen {
        state,
        terminal,
        theme,
        effects,
        results,
        sources,
        meddle: options.meddle,
    };
    let (left, effects) = screen.run().await;
    effects.finish().await;
    session.save();
    Ok(left)
}

/// What the configuration wants of the terminal.
fn wanted_of(ui: &config::Ui) -> terminal::Options {
    terminal::Options {
        mouse: ui.mouse,
        clipboard: ui.clipboard,
        links: match ui.links {
            config::Links::Auto => Links::Auto,
            config::Links::On => Links::On,
            config::Links::Off => Links::Off,
        },
        notices: match ui.notice {
            config::Notice::Bell => Notices::Bell,
            config::Notice::Osc9 => Notices::Osc9,
            config::Notice::Osc777 => Notices::Osc777,
            config::Notice::Off => Notices::Off,
        },
    }
}

pub(super) fn theme(ui: &config::Ui, variables: Variables<'_>) -> Result<Theme, NoScreen> {
    let name = ui.theme.as_str();
    let palette = match BuiltIn::by_name(name) {
        Some(built_in) => built_in.palette(),
        None => {
            let text = std::fs::read_to_string(name).map_err(|error| {
                let known: Vec<&str> = BuiltIn::ALL.iter().map(|theme| theme.name()).collect();
                NoScreen::Theme(format!("[ui] theme {name:?} is neither a file that can be read ({error}) nor one of {}", known.join(", ")))
            })?;
            Palette::parse(name, &text).map_err(|error| NoScreen::Theme(error.to_string()))?
        }
    };
    let symbols = match ui.symbols {
        config::Symbols::Auto => Symbols::detect(variables),
        config::Symbols::Unicode => Symbols::Unicode,
        config::Symbols::Blocks => Symbols::WithoutBraille,
        config::Symbols::Ascii => Symbols::Ascii,
    };
    Ok(Theme::new(&palette, Depth::detect(variables)).with_symbols(symbols))
}

fn first_state(session: &Session, options: &Options, columns: u16, rows: u16) -> State {
    let now = clock::now();
    let environments: BTreeMap<_, _> = session
        .environments
        .iter()
        .map(|ready| {
            let environment = Environment {
                name: ready.name.clone(),
                context: ready.context.clone(),
                tier: ready.tier,
                arming: ready.arming.clone(),
                health: session::first_health(ready.cluster.as_ref().err(), now),
                who: None,
                access: HashMap::new(),
                asked: std::collections::HashSet::new(),
                wrote: false,
                insecure: ready.insecure,
                without_rollouts: false,
            };
            (ready.name.clone(), environment)
        })
        .collect();
    let open_intents = open_intents(session);
    let told = crate::app::state::Session {
        demo: options.demo,
        still: clock::is_still(),
        read_only: options.read_only,
        game: options.game.map(|speed| Game { began: now, speed }),
        armed_minutes: session.config.write.minutes,
        clock: session.config.ui.clock,
        zone: match clock::is_still() {
            // Another place must not make another picture.
            true => jiff::tz::TimeZone::UTC,
            false => jiff::tz::TimeZone::system(),
        },
        id: session.id.clone(),
        keys: Keymap::new(&session.config.keys).in_demo(options.demo),
        next_intent: 0,
        open_intents: open_intents.clone(),
    };
    let beside = Beside::new(session.besides.services.clone(), session.besides.sources());
    let mut state = State::new(now, (columns, rows), told, environments, beside);
    state.board = Board::wanting(options.open.clone());
    state.notice = session.warnings.first().map(|warning| Notice {
        words: warning.clone(),
        tone: Tone::Waiting,
        at: now,
    });
    if options.tour {
        state.begin_tour();
    } else if options.demo && state.notice.is_none() && state.rows >= ROOMY {
        state.notice = Some(Notice {
            words: "new here? Ctrl-t begins a tour of a few steps".to_owned(),
            tone: Tone::Plain,
            at: now,
        });
    }
    if !open_intents.is_empty() {
        state.overlays.push(Overlay::OpenIntents);
    }
    state
}

/// Intents that an earlier session left without an outcome.
fn open_intents(session: &Session) -> Vec<OpenIntent> {
    match audit::open_intents(&session.state_dir) {
        Ok(open) => open
            .iter()
            .map(|intent| OpenIntent {
                id: sanitise_line(&intent.id, 64),
                at: Some(intent.at),
                words: sanitise(&open_words(intent)),
            })
            .collect(),
        Err(error) => {
            tracing::warn!(%error, "the audit log could not be read at the start");
            Vec::new()
        }
    }
}

/// What is said of an intent without an outcome.
pub fn open_words(intent: &audit::OpenIntent) -> String {
    match intent.sent {
        0 => format!("{}: recorded, and nothing was sent", intent.words),
        1 => format!(
            "{}: one request was sent or perhaps sent, and its outcome is not known: look at the release before anything else",
            intent.words
        ),
        count => format!(
            "{}: {count} requests were sent or perhaps sent, and the outcome is not known: look at the release before anything else",
            intent.words
        ),
    }
}
