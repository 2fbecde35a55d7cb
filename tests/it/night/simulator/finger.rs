//! What an operator does: looks at what lies on the screen and presses what it asks for, now and then too early, twice, or
//! something else.

use std::{rc::Rc, time::Duration};

use tokio::time::sleep;
use windlass::{
    app::{
        dialog::Stage,
        key::{Code, Key},
        state::{Overlay, State, View},
    },
    ops::{ceremony::Ceremony, guard::Arming, intent::Verb},
};

use super::seat::Seat;

/// What lies on top.
pub(super) enum Top {
    /// An open release may be one that is no more: from the Board one looks anew.
    Nothing {
        armed: bool,
        selected: bool,
    },
    Elsewhere,
    Arm,
    Reason,
    /// What the dialog asks for, if it takes anything now.
    Plan {
        verb: Verb,
        asks: Option<Ceremony>,
        over: bool,
    },
    Other,
}

pub(super) fn top(state: &State) -> Top {
    match state.overlays.last() {
        None if state.view != View::Board => Top::Elsewhere,
        None => Top::Nothing {
            armed: state
                .environments
                .values()
                .all(|it| matches!(it.arming, Arming::Armed { .. })),
            selected: state.target().is_some(),
        },
        Some(Overlay::Arm { .. }) => Top::Arm,
        Some(Overlay::Reason { .. }) => Top::Reason,
        Some(Overlay::Plan(dialog)) => Top::Plan {
            verb: dialog.intent.verb,
            asks: dialog.ceremony(),
            over: matches!(dialog.stage, Stage::Refused(_) | Stage::Dead { .. }),
        },
        Some(_) => Top::Other,
    }
}

pub(super) async fn works(seat: Rc<Seat>) {
    let world = Rc::clone(&seat.world);
    let dice = &world.dice;
    loop {
        let at_a_dialog = matches!(top(&seat.state.borrow()), Top::Plan { .. } | Top::Arm);
        sleep(if at_a_dialog {
            dice.millis(200, 4_000)
        } else {
            dice.millis(300, 9_000)
        })
        .await;
        if world.calm.get() {
            return;
        }
        let seen = top(&seat.state.borrow());
        match seen {
            Top::Nothing {
                selected: false, ..
            } => seat.press(Key::char('j')),
            Top::Nothing { armed: false, .. } => seat.press(Key::char('W')),
            Top::Nothing { .. } => {
                let key = dice.pick(&['p', 'p', 'p', 'z', 'u', 'x', 'A', 'R', 'R']);
                seat.press(Key::char(key));
            }
            Top::Plan {
                verb: Verb::Promote,
                asks: Some(_),
                ..
            } if dice.one_in(6) => {
                seat.press(Key::ctrl('f'));
            }
            Top::Plan { over: true, .. } => {
                seat.press(if dice.one_in(2) {
                    Key::char('r')
                } else {
                    Key::plain(Code::Esc)
                });
            }
            Top::Plan { .. } if dice.one_in(12) => seat.press(Key::plain(Code::Esc)),
            Top::Plan { asks: None, .. } => {}
            Top::Plan { asks: Some(_), .. } if dice.one_in(8) => {
                // Goes for a coffee with the dialog open.
                sleep(dice.millis(5_000, 90_000)).await;
            }
            Top::Plan {
                asks: Some(asks), ..
            } => confirms(&seat, &asks, dice.one_in(4)).await,
            Top::Arm => confirms(&seat, &Ceremony::Yes, false).await,
            Top::Reason => {
                for key in "why".chars() {
                    seat.press(Key::char(key));
                }
                seat.press(Key::plain(Code::Enter));
            }
            Top::Elsewhere | Top::Other => seat.press(Key::plain(Code::Esc)),
        }
    }
}

/// Does what a ceremony asks for. Twice, where the finger is nervous.
pub(super) async fn confirms(seat: &Seat, asks: &Ceremony, nervous: bool) {
    let key = Duration::from_millis(30);
    let times = if nervous { 2 } else { 1 };
    match asks {
        Ceremony::Yes => {
            for _ in 0..times {
                seat.press(Key::char('Y'));
            }
        }
        Ceremony::Environment { text, .. } | Ceremony::Target { text } => {
            // What may stand there from an earlier try.
            seat.press(Key::ctrl('u'));
            sleep(Duration::from_millis(520)).await;
            for letter in text.chars() {
                seat.press(Key::char(letter));
                sleep(key).await;
            }
            if asks.asks_reason() {
                seat.press(Key::plain(Code::Tab));
                for letter in "why".chars() {
                    seat.press(Key::char(letter));
                }
                seat.press(Key::plain(Code::Tab));
            }
            for _ in 0..times {
                seat.press(Key::plain(Code::Enter));
            }
        }
    }
}
