//! The overlays about what is beside the rollout: which gate, what changed, the form of a silence.

use ratatui::{buffer::Buffer, layout::Rect};

use super::ink::Ink;
use crate::{
    app::state::{ChangedOverlay, SilenceForm, State},
    ops::{intent::Verb, subject::GateSubject},
};

pub(super) fn choose_gate(
    _state: &State,
    _verb: Verb,
    _gates: &[GateSubject],
    _selected: usize,
    _area: Rect,
    _buf: &mut Buffer,
    _ink: &Ink,
) {
}

pub(super) fn changed(
    _state: &State,
    _changed: &ChangedOverlay,
    _area: Rect,
    _buf: &mut Buffer,
    _ink: &Ink,
) {
}

pub(super) fn silence(
    _state: &State,
    _form: &SilenceForm,
    _area: Rect,
    _buf: &mut Buffer,
    _ink: &Ink,
) {
}
