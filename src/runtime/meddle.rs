//! The way from the screen to whoever can make things go wrong: the demo's world. Only the demo's session has one, so
//! nothing that the reducer asks for can reach a real system this way. Must never decide what goes wrong.

use std::rc::Rc;

use crate::app::faults::{Change, InForce};

/// Carries out a change and tells what is in force after it.
#[derive(Clone)]
pub struct Meddle(Rc<dyn Fn(Change) -> InForce>);

impl Meddle {
    pub fn new(carry_out: impl Fn(Change) -> InForce + 'static) -> Self {
        Self(Rc::new(carry_out))
    }

    pub(super) fn with(&self, change: Change) -> InForce {
        (self.0)(change)
    }
}

impl std::fmt::Debug for Meddle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meddle").finish_non_exhaustive()
    }
}
