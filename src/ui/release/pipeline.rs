//! The pipeline pane: the run that made this version, its jobs, what it brings, and what is on its way.

use super::{Ink, Sheet, Shown};

pub(super) fn content(shown: &Shown<'_>, sheet: &mut Sheet<'_>, ink: &Ink) {
    let Some(pipeline) = shown.state.beside.pipeline(shown.release) else {
        sheet.wrapped(0, "nothing joins a pipeline to it", ink.ghost);
        return;
    };
    sheet.wrapped(0, &pipeline.because, ink.dim);
}
