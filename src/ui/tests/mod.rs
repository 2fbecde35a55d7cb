//! What the screen says, at the sizes people use and at those they do not.

mod demo;
mod faults;
mod incidents;
mod keys;
mod links;
mod mouse;
mod wall;
mod world;

use proptest::prelude::*;
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::Buffer,
    style::{Color, Modifier, Style},
};

use super::{
    draw,
    theme::{BuiltIn, Depth, Role, Theme},
};
use crate::{
    app::{
        dialog::Stage,
        state::{Notice, Overlay, State, Tone, View},
    },
    model::{
        id::WorkloadKind,
        rollout::{Phase, Workload},
        source::SourceState,
    },
    ops::guard::Arming,
};
use world::{ago, beside as around, now, sized};

const SIZES: [(u16, u16); 4] = [(160, 48), (120, 36), (80, 24), (40, 12)];

fn theme() -> Theme {
    Theme::new(&BuiltIn::Dark.palette(), Depth::True)
}

fn painted(state: &State) -> Buffer {
    let backend = TestBackend::new(state.columns, state.rows);
    let mut terminal = Terminal::new(backend).unwrap();
    let theme = theme();
    terminal
        .draw(|frame| draw(state, &theme, frame))
        .unwrap()
        .buffer
        .clone()
}

fn lines(buffer: &Buffer) -> Vec<String> {
    (0..buffer.area.height)
        .map(|y| {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..buffer.area.width {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let symbol = buffer[(x, y)].symbol();
                skip = crate::model::text::width(symbol).saturating_sub(1);
                line.push_str(symbol);
            }
            line.trim_end().to_owned()
        })
        .collect()
}

fn text(state: &State) -> String {
    lines(&painted(state)).join("\n")
}

/// The style in which `words` stand in the first line that has them.
fn style_of(buffer: &Buffer, words: &str) -> Style {
    let (y, line) = lines(buffer)
        .into_iter()
        .enumerate()
        .find(|(_, line)| line.contains(words))
        .unwrap_or_else(|| {
            panic!(
                "{words:?} is not on the screen:\n{}",
                lines(buffer).join("\n")
            )
        });
    let before = line.split(words).next().unwrap();
    let x = crate::model::text::width(before);
    buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())].style()
}

fn colour(role: Role) -> Option<Color> {
    theme().style(role).fg
}

fn snapshots(name: &str, make: impl Fn() -> State) {
    for (columns, rows) in SIZES {
        let state = sized(make(), columns, rows);
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), text(&state));
    }
}

macro_rules! looks {
    ($($name:ident: $make:expr;)*) => {
        $(
            #[test]
            fn $name() {
                snapshots(stringify!($name), || $make);
            }
        )*
    };
}

looks! {
    the_board: world::fleet();
    the_board_while_an_action_is_news: world::acted();
    every_source_state_has_its_own_words: world::failing();
    a_canary: world::opened("prod-eu", "checkout");
    a_blue_green_release: world::opened("prod-us", "payments");
    a_deployment: world::opened("prod-us", "images");
    a_plan_that_y_confirms: world::promote_yes();
    a_plan_that_is_typed: world::promote_typed();
    a_plan_that_asks_why: world::promote_fully();
    an_emergency: world::back_out();
    a_preview_that_cannot_be_sent: world::preview();
    a_refusal: world::refused();
    a_plan_that_died: world::dead();
    the_menu: world::menu();
    the_help: world::help();
    the_palette: world::palette();
    the_history: world::history();
    the_logs: world::logs();
    the_yaml: world::yaml();
    the_audit_log: world::audit();
    the_sources: world::sources();
    the_board_with_what_is_beside: around::around();
    the_board_after_an_action: around::acted_around();
    the_inbox: around::inbox(1);
    the_inbox_with_a_rollout_selected: around::inbox(2);
    the_inbox_with_something_joined_to_nothing: around::inbox(0);
    the_empty_inbox: around::empty_inbox();
    which_gate: around::choosing_a_gate();
    what_changed_before: around::what_changed();
    a_silence: around::silencing(true);
    a_silence_of_everything: around::silencing(false);
    the_plan_of_an_approval: around::approving();
    the_menu_with_pipeline_and_alerts: around::menu_around(14);
    the_sources_beside_the_clusters: around::sources_around(6);
    sources_that_fail_beside_the_clusters: around::sources_of(around::failing_around());
    a_release_with_everything_around_it: around::opened_around("prod-eu", "checkout");
    a_finished_release_with_alerts: around::opened_around("prod-us", "accounts-us");
    a_release_whose_pipeline_failed: around::opened_around("prod-eu", "search");
    a_release_that_waits_at_a_gate: around::opened_around("prod-eu", "accounts");
    a_release_whose_repository_cannot_be_read: around::opened_around("prod-eu", "cart");
    a_release_whose_workflow_never_ran: around::opened_around("prod-eu", "billing");
    a_release_without_numbers: around::without_numbers();
    a_release_beside_sources_that_fail: around::open_in(around::failing_around(), "prod-eu", "checkout");
    arming: world::arming();
    the_reason_afterwards: world::reason();
    the_faults_of_the_demo: demo::faults();
    leaving_with_something_under_way: world::leaving();
    intents_without_an_outcome: world::open_intents();
}

fn every_screen() -> Vec<fn() -> State> {
    vec![
        world::empty_state,
        world::fleet,
        world::acted,
        world::failing,
        || world::opened("prod-eu", "checkout"),
        || world::opened("prod-us", "payments"),
        || world::opened("prod-us", "images"),
        || world::opened("prod-ap", "profile"),
        world::promote_yes,
        world::promote_typed,
        world::promote_fully,
        world::back_out,
        world::preview,
        world::refused,
        world::dead,
        world::menu,
        world::help,
        world::palette,
        world::history,
        world::logs,
        world::yaml,
        world::audit,
        world::sources,
        world::arming,
        world::reason,
        world::leaving,
        world::open_intents,
        around::around,
        around::acted_around,
        || around::opened_around("prod-eu", "checkout"),
        || around::opened_around("prod-us", "accounts-us"),
        || around::opened_around("prod-eu", "search"),
        around::without_numbers,
        || around::open_in(around::failing_around(), "prod-eu", "checkout"),
        || around::inbox(1),
        || around::inbox(4),
        around::empty_inbox,
        around::choosing_a_gate,
        around::what_changed,
        || around::silencing(true),
        around::approving,
        || around::menu_around(14),
        || around::sources_around(6),
    ]
}

#[test]
fn a_release_of_a_source_that_fails_is_old_and_never_green() {
    let buffer = painted(&sized(world::fleet(), 160, 48));
    let all = lines(&buffer);
    let y = all
        .iter()
        .position(|line| line.contains("profile"))
        .unwrap();
    assert!(all[y].contains("v5.1.0 as of 4m ago"), "{}", all[y]);
    assert!(
        all[y].contains("prod-ap unreachable: connection refused, next try in 12 s"),
        "{}",
        all[y]
    );
    for x in 0..160 {
        let style = buffer[(x, u16::try_from(y).unwrap())].style();
        assert_ne!(style.fg, colour(Role::Ok), "column {x} is green");
    }
}

#[test]
fn what_hurts_waits_and_moves_has_its_own_colour() {
    let buffer = painted(&sized(world::fleet(), 160, 48));
    for (words, role) in [
        ("aborted, v3.1.0 serves 100 %", Role::Bad),
        ("waits for you", Role::Waiting),
        ("analysis runs", Role::Moving),
        ("healthy", Role::Ok),
        ("prod-ap unreachable: conn", Role::Dim),
    ] {
        let state = style_of(&buffer, words);
        // The header says "wait for you" as well; the row is what is meant.
        assert_eq!(state.fg, colour(role), "{words}");
    }
}

#[test]
fn the_selected_row_has_a_bar_and_a_ground_of_its_own() {
    let buffer = painted(&sized(world::fleet(), 80, 24));
    let all = lines(&buffer);
    let y = all.iter().position(|line| line.starts_with('▌')).unwrap();
    assert!(all[y].contains("checkout"));
    let ground = theme().style(Role::Selection).bg;
    for x in 0..80 {
        assert_eq!(buffer[(x, u16::try_from(y).unwrap())].style().bg, ground);
    }
}

#[test]
fn waits_for_you_is_said_only_to_someone_who_may_act() {
    let mut state = sized(world::fleet(), 160, 48);
    for environment in state.environments.values_mut() {
        environment.access.clear();
    }
    let said = text(&state);
    assert!(!said.contains("for you"), "{said}");
    assert!(said.contains("waits for a human"));
}

#[test]
fn keys_that_would_be_refused_are_grey_and_armed_ones_are_not() {
    let read_only = painted(&sized(world::fleet(), 160, 48));
    assert_eq!(
        style_of(&read_only, "x back out to v2.30.4   z").fg,
        colour(Role::Ghost)
    );
    assert_eq!(
        style_of(&read_only, "W arm for 30 min").fg,
        colour(Role::Accent)
    );
    let mut state = world::fleet();
    world::arm(&mut state, "prod-eu");
    let armed = painted(&sized(state, 160, 48));
    assert_eq!(
        style_of(&armed, "x back out to v2.30.4   z").fg,
        colour(Role::Accent)
    );
    assert!(!lines(&armed).join("\n").contains("W arm"));
}

#[test]
fn back_out_comes_first_on_the_key_bar_at_every_size() {
    for (columns, rows) in SIZES {
        let all = lines(&painted(&sized(world::fleet(), columns, rows)));
        assert!(
            all.last().unwrap().starts_with(" x back out"),
            "{columns}x{rows}"
        );
    }
}

#[test]
fn writing_is_loud_and_reading_is_quiet() {
    let mut state = world::fleet();
    world::arm(&mut state, "prod-eu");
    let loud = style_of(&painted(&sized(state, 160, 48)), "WRITE prod-eu 28m");
    assert!(loud.add_modifier.contains(Modifier::REVERSED));
    let quiet = style_of(&painted(&sized(world::fleet(), 160, 48)), "read-only");
    assert_eq!(quiet.fg, colour(Role::Dim));
    assert!(!quiet.add_modifier.contains(Modifier::REVERSED));
}

#[test]
fn the_demo_says_so_on_every_screen_at_every_size() {
    for make in every_screen() {
        let mut state = make();
        state.session.demo = true;
        for (columns, rows) in SIZES {
            state.columns = columns;
            state.rows = rows;
            let said = text(&state);
            assert!(said.contains("DEMO"), "{columns}x{rows}\n{said}");
        }
    }
}

#[test]
fn an_unverified_server_is_said_in_red_as_long_as_it_is_so() {
    let mut state = sized(world::fleet(), 80, 24);
    state
        .environments
        .get_mut(&"staging".into())
        .unwrap()
        .insecure = true;
    assert_eq!(
        style_of(&painted(&state), "insecure TLS").fg,
        colour(Role::Bad)
    );
}

#[test]
fn a_dialog_that_does_not_listen_yet_is_grey_and_nothing_moves() {
    let listening = sized(world::promote_yes(), 160, 48);
    let mut deaf = sized(world::promote_yes(), 160, 48);
    if let Some(Overlay::Plan(dialog)) = deaf.overlays.last_mut() {
        dialog.shown = Some(now());
    }
    let (before, after) = (painted(&deaf), painted(&listening));
    assert_eq!(lines(&before), lines(&after));
    assert_eq!(style_of(&before, "Y promotes").fg, colour(Role::Ghost));
    assert_eq!(style_of(&after, "Y promotes").fg, colour(Role::Accent));
}

#[test]
fn an_emergency_has_the_border_of_one_and_stays_open() {
    let buffer = painted(&sized(world::back_out(), 160, 48));
    assert_eq!(
        style_of(&buffer, "┌─ Back out images in prod-us").fg,
        colour(Role::Bad)
    );
    let said = lines(&buffer).join("\n");
    assert!(said.contains("stays open, reads again every 2 s"));
    assert!(said.contains("the reason is asked afterwards"));
}

#[test]
fn a_preview_offers_no_key_that_would_send_it() {
    for (columns, rows) in SIZES {
        let said = text(&sized(world::preview(), columns, rows));
        assert!(!said.contains("Y promotes"), "{said}");
        assert!(!said.contains("Type prod-eu"), "{said}");
        assert!(said.contains("cannot be sent"), "{said}");
    }
}

#[test]
fn hidden_values_are_shown_only_when_they_were_asked_for() {
    let mut state = sized(world::back_out(), 160, 48);
    assert!(text(&state).contains("env[CACHE_MB] changed"));
    assert!(!text(&state).contains("512"));
    if let Some(Overlay::Plan(dialog)) = state.overlays.last_mut() {
        dialog.reveal = true;
    }
    assert!(text(&state).contains("512 → 256"));
}

#[test]
fn every_reason_is_on_the_screen_at_once() {
    for (columns, rows) in [(160, 48), (80, 24)] {
        let said = text(&sized(world::refused(), columns, rows));
        assert!(said.contains("it is not aborted: there is nothing to retry"));
        assert!(said.contains("not permitted: patch rollouts/status in shop"));
    }
}

#[test]
fn without_colours_the_words_and_marks_are_all_there() {
    let theme = Theme::new(&BuiltIn::Terminal.palette(), Depth::None);
    let state = sized(world::fleet(), 80, 24);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let plain = terminal
        .draw(|frame| draw(&state, &theme, frame))
        .unwrap()
        .buffer
        .clone();
    assert_eq!(lines(&plain), lines(&painted(&state)));
    for mark in ["✖ catalog", "◆ checkout", "▸ media", "? profile", "✔ cart"] {
        assert!(
            lines(&plain).iter().any(|line| line.contains(mark)),
            "{mark}"
        );
    }
}

#[test]
fn a_notice_moves_nothing() {
    let quiet = sized(world::fleet(), 80, 24);
    let mut told = sized(world::fleet(), 80, 24);
    told.notice = Some(Notice {
        words: "nothing needs you".to_owned(),
        tone: Tone::Plain,
        at: now(),
    });
    let (before, after) = (lines(&painted(&quiet)), lines(&painted(&told)));
    let changed: Vec<usize> = (0..24).filter(|y| before[*y] != after[*y]).collect();
    assert_eq!(changed, [22]);
    assert!(after[22].contains("nothing needs you"));
}

#[test]
fn while_the_selection_moves_the_box_below_is_quiet() {
    let mut state = sized(world::fleet(), 160, 48);
    state.board.explained = None;
    let said = text(&state);
    assert!(!said.contains("CanaryPauseStep"));
    assert!(said.contains("Enter opens it"));
}

#[test]
fn two_long_names_that_differ_at_one_end_never_look_the_same() {
    let mut state = world::empty_state();
    let names = [
        "payments-gateway-settlement-reconciliation-worker-blue",
        "payments-gateway-settlement-reconciliation-worker-gold",
        "accounts-gateway-settlement-reconciliation-worker-gold",
    ];
    for name in names {
        world::add(&mut state, world::healthy("prod-eu", name, "v1.0.0", 4_000));
    }
    world::arrange(&mut state);
    for (columns, rows) in SIZES {
        state.columns = columns;
        state.rows = rows;
        let shown: std::collections::BTreeSet<String> = lines(&painted(&state))
            .into_iter()
            .filter(|line| line.contains("prod-eu ") && line.contains('…'))
            .map(|line| line.replace('▌', " "))
            .collect();
        assert!(
            columns == 160 || shown.len() >= 3,
            "{columns}x{rows}: {shown:?}"
        );
    }
}

#[test]
fn an_object_that_took_a_name_over_is_not_shown_as_the_old_one() {
    let mut state = sized(world::opened("prod-eu", "checkout"), 80, 24);
    state.open.as_mut().unwrap().uid = "another".into();
    let said = text(&state);
    assert!(said.contains("another object has its name now"), "{said}");
    assert!(!said.contains("waits for you 4m"));
}

#[test]
fn a_filter_without_a_match_says_what_it_hides() {
    let mut state = sized(world::fleet(), 80, 24);
    state.board.filter = "nonesuch".to_owned();
    world::arrange(&mut state);
    let said = text(&state);
    assert!(
        said.contains("Nothing matches /nonesuch: 42 releases are hidden by it."),
        "{said}"
    );
}

#[test]
fn the_views_can_be_told_apart_in_their_tabs() {
    for (view, name) in [
        (View::Board, "Board"),
        (View::Audit, "Audit"),
        (View::Sources, "Sources"),
    ] {
        let mut state = sized(world::fleet(), 160, 48);
        state.view = view;
        assert!(
            style_of(&painted(&state), name)
                .add_modifier
                .contains(Modifier::BOLD)
        );
    }
}

#[test]
fn a_release_on_which_an_alert_fires_is_never_called_healthy() {
    for (columns, rows) in SIZES {
        let board = text(&sized(around::around(), columns, rows));
        let row = board
            .lines()
            .find(|line| line.contains("accounts-us"))
            .unwrap();
        assert!(!row.contains("healthy"), "{row}");
        let release = sized(
            around::opened_around("prod-us", "accounts-us"),
            columns,
            rows,
        );
        let said = text(&release).to_lowercase();
        assert!(!said.contains("healthy"), "{columns}x{rows}\n{said}");
    }
}

#[test]
fn no_word_beside_a_rollout_sounds_like_a_verdict() {
    for make in every_screen() {
        let state = make();
        // The plan and the menu name verbs; the rest only tells.
        if !state.beside.is_configured() || !state.overlays.is_empty() {
            continue;
        }
        let said = text(&sized(state, 160, 48));
        for word in ["HOLD", "PROMOTE", "ROLL BACK", "worse", "better", "verdict"] {
            assert!(!said.contains(word), "{word}\n{said}");
        }
    }
}

#[test]
fn only_success_of_a_pipeline_is_green() {
    let buffer = painted(&sized(around::opened_around("prod-eu", "search"), 160, 48));
    for (words, role) in [
        ("✔ build ", Role::Ok),
        ("✖ integration tests", Role::Bad),
        ("– deploy", Role::Dim),
        ("? lint", Role::Dim),
        ("warming_up", Role::Dim),
        ("◆ production waits for you", Role::Waiting),
    ] {
        assert_eq!(style_of(&buffer, words).fg, colour(role), "{words}");
    }
}

#[test]
fn waits_for_you_at_a_gate_is_said_only_where_the_host_said_so() {
    let others = text(&sized(
        around::opened_around("prod-eu", "accounts"),
        160,
        48,
    ));
    assert!(
        others.contains("waits for release-managers or bob"),
        "{others}"
    );
    assert!(!others.contains("waits for you"), "{others}");
}

#[test]
fn an_alert_source_that_fails_never_looks_like_peace() {
    let state = around::open_in(around::failing_around(), "prod-eu", "cart");
    let said = text(&sized(state, 160, 48));
    assert!(said.contains("Alertmanager unreachable"), "{said}");
    assert!(
        said.contains("whether one fires is not known now"),
        "{said}"
    );
    assert!(!said.contains("no alert of it fires"), "{said}");
}

#[test]
fn the_five_outcomes_of_a_question_have_five_words() {
    let said = text(&sized(around::without_numbers(), 160, 48));
    for words in [
        "no traffic",
        "no such series",
        "nothing since 14:02",
        "failed",
        "22.22 %",
        "incomplete: the store of 3 days was not asked",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

#[test]
fn only_links_of_the_web_are_shown() {
    let said = text(&sized(
        around::opened_around("prod-eu", "checkout"),
        160,
        48,
    ));
    assert!(said.contains("runbook https://"), "{said}");
    assert!(!said.contains("javascript"), "{said}");
}

#[test]
fn without_sources_beside_it_a_release_looks_as_it_did() {
    let said = text(&sized(world::opened("prod-eu", "checkout"), 160, 48));
    assert!(said.contains("┌─ Pods ") && said.contains("┌─ Analysis "));
    assert!(!said.contains("Pipeline") && !said.contains("Incidents"));
}

fn tiny_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z]{1,8}(-[a-z]{1,12}){0,5}",
        Just("東京-決済-サービス-本番環境-ワーカー".to_owned()),
        Just("e\u{301}e\u{301}".to_owned()),
    ]
}

#[derive(Clone, Debug)]
struct Wild {
    screen: usize,
    name: String,
    message: String,
    index: i32,
    weight: i32,
    replicas: i32,
    phase: u8,
    kind: u8,
    scroll: usize,
    source: u8,
    top: usize,
    notice: bool,
    filtering: bool,
}

fn wild() -> impl Strategy<Value = Wild> {
    (
        (
            0..every_screen().len(),
            tiny_text(),
            tiny_text(),
            -3..20,
            -5..205,
        ),
        (-2..40, 0_u8..6, 0_u8..5, 0_usize..300, 0_u8..9),
        (0_usize..60, any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(
                (screen, name, message, index, weight),
                (replicas, phase, kind, scroll, source),
                (top, notice, filtering),
            )| Wild {
                screen,
                name,
                message,
                index,
                weight,
                replicas,
                phase,
                kind,
                scroll,
                source,
                top,
                notice,
                filtering,
            },
        )
}

fn wild_state(wild: &Wild) -> State {
    let mut state = every_screen()[wild.screen]();
    let workload = match wild.kind {
        0 => Workload::ArgoRollout(Box::new(world::argo(
            world::canary(wild.index, wild.weight),
            false,
        ))),
        1 => world::blue_green("prod-eu").workload,
        2 => Workload::Deployment { paused: true },
        3 => Workload::StatefulSet,
        _ => Workload::ArgoRollout(Box::new(world::argo(
            crate::model::rollout::ArgoStrategy::Unknown,
            true,
        ))),
    };
    let mut sample = world::rolling("prod-eu", "x", ("v1", "v2"), Phase::Healthy, 100, workload);
    sample.id = world::id("prod-eu", &wild.name, WorkloadKind::ArgoRollout);
    sample.phase = match wild.phase {
        0 => Phase::Healthy,
        1 => Phase::Progressing,
        2 => Phase::Paused,
        3 => Phase::Degraded,
        _ => Phase::Unknown(world::safe(&wild.message)),
    };
    sample.replicas = world::replicas(wild.replicas, wild.replicas / 2, wild.replicas - 1);
    world::add(&mut state, sample);
    if let Some(environment) = state.environments.values_mut().next() {
        environment.health.state = [
            SourceState::Connecting,
            SourceState::Live,
            SourceState::Stale,
            SourceState::Unreachable,
            SourceState::Unauthorized,
            SourceState::Forbidden,
            SourceState::RateLimited,
            SourceState::Malformed,
            SourceState::NotConfigured,
        ][usize::from(wild.source)];
        environment.health.detail = world::safe(&wild.message);
        environment.arming = Arming::Forbidden {
            because: wild.message.clone(),
        };
    }
    if state.beside.is_configured() {
        let number = i64::from(wild.weight) * 1_000_003;
        world::wild::go_wild(&mut state, &wild.message, number, wild.top);
        around::settle(&mut state);
    }
    world::arrange(&mut state);
    state.board.top = wild.top;
    state.board.filtering = wild.filtering;
    if wild.filtering {
        state.board.filter.clone_from(&wild.message);
    }
    if wild.notice {
        state.notice = Some(Notice {
            words: wild.message.clone(),
            tone: Tone::Bad,
            at: ago(1),
        });
    }
    if let Some(open) = &mut state.open {
        open.scroll = [wild.scroll; 6];
        open.pane = crate::app::release_view::Pane::ALL[wild.scroll % 6];
    }
    state.audit.selected = wild.scroll;
    state.sources.selected = wild.scroll;
    scroll_overlay(&mut state, wild);
    state
}

fn scroll_overlay(state: &mut State, wild: &Wild) {
    match state.overlays.last_mut() {
        Some(Overlay::Plan(dialog)) => {
            dialog.scroll = u16::try_from(wild.scroll).unwrap();
            dialog.typed.clone_from(&wild.name);
            dialog.hint = wild.notice.then(|| wild.message.clone());
            if let Stage::Ready { plan, .. } = &mut dialog.stage {
                plan.next.clone_from(&wild.message);
            }
        }
        Some(Overlay::Help { scroll }) => *scroll = u16::try_from(wild.scroll).unwrap(),
        Some(Overlay::Palette { selected, typed }) => {
            *selected = wild.scroll;
            typed.clone_from(&wild.name);
        }
        Some(Overlay::Menu { selected, .. }) => *selected = wild.scroll,
        Some(Overlay::History(history)) => history.selected = wild.scroll,
        Some(Overlay::Logs(logs)) => {
            logs.up = wild.scroll;
            logs.filter.clone_from(&wild.message);
            logs.filtering = wild.filtering;
        }
        Some(Overlay::Yaml { scroll, .. }) => *scroll = wild.scroll,
        Some(Overlay::Faults(faults)) => faults.selected = wild.scroll,
        Some(Overlay::Reason { typed, .. }) => typed.clone_from(&wild.message),
        Some(Overlay::ChooseGate { selected, .. }) => *selected = wild.scroll,
        Some(Overlay::Changed(changed)) => changed.selected = wild.scroll,
        Some(Overlay::Silence(form)) => {
            form.selected = wild.scroll;
            form.comment.clone_from(&wild.message);
        }
        Some(Overlay::Arm { .. } | Overlay::Leaving | Overlay::OpenIntents) | None => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_state_at_any_size_panics(wild in wild(), columns in 0_u16..200, rows in 0_u16..70) {
        let mut state = wild_state(&wild);
        state.columns = columns;
        state.rows = rows;
        painted(&state);
    }

    #[test]
    fn the_selected_release_is_on_the_screen(
        place in 0_usize..43, from in 0_usize..43, columns in 30_u16..170, rows in 5_u16..60,
    ) {
        let mut state = world::fleet();
        state.board.top = from;
        state.board.select_place(place, &state.releases, now());
        let state = sized(state, columns, rows);
        let all = lines(&painted(&state));
        prop_assert!(all.iter().any(|line| line.starts_with('▌')), "{columns}x{rows} {place} top {}\n{}", state.board.top, all.join("\n"));
    }

    #[test]
    fn the_confirming_line_is_on_the_screen_however_far_one_has_scrolled(
        scroll in 0_u16..80, columns in 26_u16..170, rows in 8_u16..60,
    ) {
        for (mut state, words) in [(world::promote_yes(), "Y promotes"), (world::promote_typed(), "> prod"), (world::back_out(), "Y backs out")] {
            if let Some(Overlay::Plan(dialog)) = state.overlays.last_mut() {
                dialog.scroll = scroll;
            }
            let said = text(&sized(state, columns, rows));
            prop_assert!(said.contains(words), "{columns}x{rows} {words}\n{said}");
        }
    }
}
