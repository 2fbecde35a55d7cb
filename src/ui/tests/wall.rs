//! What the wallboard says, at the sizes of a TV, of a laptop and of none at all.

use jiff::SignedDuration;
use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

use super::{colour, lines, theme, world};
use crate::{
    app::{
        msg::Msg,
        state::State,
        wall::{Letters, Page, Wall},
    },
    model::{release::Group, source::SourceState, text::sanitise},
    ui::theme::Role,
};

const SIZES: [(u16, u16); 5] = [(160, 48), (120, 36), (80, 24), (40, 12), (1, 1)];

fn wall_of(mut state: State, columns: u16, rows: u16) -> Wall {
    state = world::sized(state, columns, rows);
    state.board.order_is_stale();
    state.open = None;
    let mut wall = Wall::new(state, SignedDuration::from_secs(15), Letters::Blocks);
    wall.settle();
    wall
}

fn around(columns: u16, rows: u16) -> Wall {
    wall_of(world::beside::around(), columns, rows)
}

fn painted(wall: &Wall) -> Buffer {
    let backend = TestBackend::new(wall.state.columns, wall.state.rows);
    let mut terminal = Terminal::new(backend).unwrap();
    let theme = theme();
    terminal
        .draw(|frame| crate::ui::wall::draw(wall, &theme, frame))
        .unwrap()
        .buffer
        .clone()
}

fn text(wall: &Wall) -> String {
    lines(&painted(wall)).join("\n")
}

fn snapshots(name: &str, page: impl Fn(&Wall) -> Page) {
    for (columns, rows) in SIZES {
        let mut wall = around(columns, rows);
        wall.page = page(&wall);
        insta::assert_snapshot!(format!("wall_{name}_{columns}x{rows}"), text(&wall));
    }
}

#[test]
fn the_overview() {
    snapshots("overview", |_| Page::Overview);
}

#[test]
fn what_is_broken() {
    snapshots("broken", |_| Page::Broken);
}

#[test]
fn what_waits() {
    snapshots("waits", |_| Page::Waits);
}

#[test]
fn what_moves() {
    snapshots("moving", |_| Page::Moving);
}

#[test]
fn a_release_that_hurts() {
    snapshots("release", |wall| {
        Page::Release(wall.of(Group::Broken).next().unwrap())
    });
}

#[test]
fn what_hurts_comes_first_and_stays_twice_as_long() {
    let mut wall = around(120, 36);
    assert_eq!(wall.page, Page::Broken);
    let begun = wall.state.now;
    let mut seen = vec![(wall.page.clone(), 0)];
    for second in 1..=600 {
        let now = begun + SignedDuration::from_secs(second);
        for environment in wall.state.environments.values_mut() {
            environment.health.heard = environment.is_fresh().then_some(now);
        }
        wall.update(now, Msg::Tick);
        if seen.last().is_some_and(|(page, _)| *page != wall.page) {
            seen.push((wall.page.clone(), second));
        }
    }
    let pages = wall.pages();
    for (nth, pair) in seen.windows(2).enumerate() {
        let stayed = pair[1].1 - pair[0].1;
        let hurts = matches!(pair[0].0, Page::Broken | Page::Release(_));
        assert_eq!(stayed, if hurts { 30 } else { 15 }, "{:?}", pair[0].0);
        assert_eq!(pair[0].0, pages[nth % pages.len()]);
    }
    assert!(seen.len() > pages.len(), "it goes round");
}

#[test]
fn a_page_whose_release_is_gone_makes_room() {
    let mut wall = around(120, 36);
    let id = wall.of(Group::Broken).next().unwrap();
    wall.page = Page::Release(id.clone());
    wall.settle();
    assert_eq!(wall.page, Page::Release(id.clone()));
    wall.state.releases = crate::app::releases::Releases::default();
    wall.state.board.order_is_stale();
    wall.settle();
    assert!(wall.pages().contains(&wall.page), "{:?}", wall.page);
    assert_ne!(wall.page, Page::Release(id));
}

#[test]
fn a_source_that_fails_is_said_right_across_the_screen() {
    let mut wall = around(120, 36);
    let name = wall.state.environments.keys().next().unwrap().clone();
    let health = &mut wall.state.environments.get_mut(&name).unwrap().health;
    health.state = SourceState::Unreachable;
    health.detail = sanitise("connection refused");
    let buffer = painted(&wall);
    let all = lines(&buffer);
    let y = all
        .iter()
        .position(|line| line.contains("unreachable: connection refused"))
        .unwrap_or_else(|| panic!("{}", all.join("\n")));
    assert!(all[y].contains(&name.as_str().to_uppercase()));
    assert!(all[y].contains("what is shown of it is"));
    for x in 0..120 {
        let style = buffer[(x, u16::try_from(y).unwrap())].style();
        assert_eq!(style.fg, colour(Role::Bad), "column {x}");
        assert!(
            style
                .add_modifier
                .contains(ratatui::style::Modifier::REVERSED)
        );
    }
    assert!(all[0].contains("OLD"), "{}", all[0]);
}

#[test]
fn numbers_that_nobody_told_are_not_zero() {
    let mut state = world::empty_state();
    for environment in state.environments.values_mut() {
        environment.health.heard = None;
        environment.health.state = SourceState::Connecting;
    }
    let mut wall = wall_of(state, 40, 12);
    wall.page = Page::Overview;
    let said = text(&wall);
    assert!(said.contains("? BROKEN"), "{said}");
    let numbers = said.split_once('\n').unwrap().1;
    assert!(!numbers.contains('0'), "{said}");
}

#[test]
fn without_blocks_the_letters_are_ascii() {
    let mut wall = around(160, 48);
    wall.letters = Letters::Ascii;
    wall.page = Page::Overview;
    let said = text(&wall);
    assert!(said.contains("##"), "{said}");
    assert!(!said.contains(['█', '▀', '▄', '▌']), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_size_is_too_small_for_any_page(columns in 0_u16..90, rows in 0_u16..30, at in 0_usize..8) {
        let mut wall = around(columns, rows);
        let pages = wall.pages();
        wall.page = pages[at % pages.len()].clone();
        let _ = painted(&wall);
    }
}
