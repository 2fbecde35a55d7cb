//! What on the screen has an address, where it leads, and that nothing which lies over it is a link by mistake.

use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

use super::{around, sized, theme, world};
use crate::{
    app::state::State,
    model::text::sanitise,
    ui::{draw_linked, links::Linked},
};

const RUN: &str = "https://github.com/acme/checkout/actions/runs/30437812";
const COMMIT: &str =
    "https://github.com/acme/checkout/commit/9f3c1e2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const RULE: &str = "https://prometheus.example/graph?g0.expr=errors";
const RUNBOOK: &str = "https://runbooks.example/errors";

fn drawn(state: &State) -> (Buffer, Linked) {
    let mut terminal = Terminal::new(TestBackend::new(state.columns, state.rows)).unwrap();
    let mut linked = Linked::default();
    let buffer = terminal
        .draw(|frame| linked = draw_linked(state, &theme(), frame))
        .unwrap()
        .buffer
        .clone();
    (buffer, linked)
}

/// Every link of the screen: what it says, and where it leads.
fn links(state: &State) -> Vec<(String, String)> {
    let (buffer, linked) = drawn(state);
    linked
        .spans()
        .map(|(span, address)| {
            let text = (span.from..span.to).map(|x| buffer[(x, span.y)].symbol());
            (text.collect(), address.as_str().to_owned())
        })
        .collect()
}

#[track_caller]
fn assert_leads(state: &State, text: &str, to: &str) {
    let all = links(state);
    let found = all
        .iter()
        .any(|(says, address)| says == text && address == to);
    assert!(found, "{text:?} does not lead to {to}: {all:#?}");
}

#[test]
fn run_commit_job_alert_and_runbook_of_a_release_lead_to_their_pages() {
    let state = sized(around::opened_around("prod-eu", "checkout"), 160, 48);
    assert_leads(&state, "9f3c1e2", COMMIT);
    assert_leads(&state, "Retry idempotent charges", RUN);
    assert_leads(&state, "smoke", &format!("{RUN}/job/1"));
    assert_leads(&state, "p99 latency high", RULE);
    // The address is whole though its text is cut.
    assert_leads(&state, "https://runbooks.example/e…", RUNBOOK);
    // The commits that it brings.
    let brings = "https://github.com/acme/checkout/commit/51d0aa7000000000000000000000000000000000";
    assert_leads(&state, "51d0aa7", brings);
}

#[test]
fn what_waits_in_the_inbox_leads_to_its_run() {
    let state = sized(around::inbox(1), 160, 48);
    let gate = state.selected_gate().expect("a gate is selected");
    let page = gate.run.page().expect("it has a page");
    let row = format!(
        "{} #{} → {}",
        gate.run.id.repository, gate.run.number, &*gate.gate.environment
    );
    assert_leads(&state, &row, page.as_str());
    assert_leads(&state, &gate.run.title, page.as_str());
}

#[test]
fn what_explains_the_selected_release_of_the_board_leads_to_its_run_and_its_alert() {
    let mut state = sized(around::around(), 160, 48);
    let id = state
        .releases
        .iter()
        .map(|(_, release)| release.rollout.id.clone())
        .find(|id| id.name.as_str() == "checkout" && id.environment.as_str() == "prod-eu");
    state.board.selected.clone_from(&id);
    state.board.explained = id;
    assert_leads(&state, "#4812", RUN);
    assert_leads(&state, "9f3c1e2", COMMIT);
    assert_leads(&state, "p99 latency high", RULE);
}

#[test]
fn what_is_no_address_of_the_web_is_no_link() {
    for state in every_linked_screen() {
        for (text, address) in links(&state) {
            assert!(!address.contains("javascript"), "{text} leads to {address}");
            assert!(!text.trim().is_empty(), "an empty link to {address}");
        }
    }
}

#[test]
fn a_text_that_is_broken_into_lines_is_one_link_in_pieces() {
    let mut state = around::opened_around("prod-eu", "checkout");
    let facts = state.beside.incidents.get_mut(&"prod-eu".into()).unwrap();
    let facts = std::sync::Arc::make_mut(facts);
    let alert = std::sync::Arc::make_mut(&mut facts.alerts[0]);
    let long = "the share of requests that take longer than a second is far above what was agreed";
    alert
        .annotations
        .insert(sanitise("summary"), sanitise(long));
    let state = sized(state, 160, 48);
    let pieces: Vec<String> = links(&state)
        .into_iter()
        .filter(|(text, address)| address == RULE && long.contains(text.as_str()))
        .map(|(text, _)| text)
        .collect();
    assert!(pieces.len() > 1, "{pieces:?}");
    assert_eq!(pieces.join(" "), long);
}

#[test]
fn a_dialog_hides_the_links_that_it_lies_over() {
    let open = || sized(around::opened_around("prod-eu", "checkout"), 160, 48);
    let (under, mut over) = (open(), open());
    over.overlays
        .push(crate::app::state::Overlay::Help { scroll: 0 });
    let (_, before) = drawn(&under);
    let (buffer, after) = drawn(&over);
    let (under, _) = drawn(&under);
    assert!(after.spans().count() < before.spans().count());
    for (span, address) in after.spans() {
        for x in span.from..span.to {
            assert_eq!(
                buffer[(x, span.y)],
                under[(x, span.y)],
                "help leads to {address:?}"
            );
        }
    }
}

fn every_linked_screen() -> Vec<State> {
    let mut all = Vec::new();
    for (columns, rows) in super::SIZES {
        for make in [
            around::around as fn() -> State,
            || around::opened_around("prod-eu", "checkout"),
            || around::opened_around("prod-us", "accounts-us"),
            || around::opened_around("prod-eu", "search"),
            || around::inbox(1),
            around::approving,
            world::fleet,
        ] {
            all.push(sized(make(), columns, rows));
        }
    }
    all
}

#[test]
fn links_stay_on_the_screen_at_every_size() {
    for make in super::every_screen() {
        for (columns, rows) in [(160, 48), (80, 24), (40, 12), (20, 6), (3, 2), (1, 1)] {
            let state = sized(make(), columns, rows);
            let (_, linked) = drawn(&state);
            for (span, address) in linked.spans() {
                assert!(
                    span.y < rows && span.from < span.to && span.to <= columns,
                    "{span:?} {address:?} at {columns}x{rows}"
                );
            }
        }
    }
}
