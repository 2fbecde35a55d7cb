//! Frames as bytes: what is rendered, and what of it the terminal does not show yet.
//!
//! Owns the way from a render function to the fewest bytes (canvas, then encoder), and nothing of the device. Must do no
//! I/O, so that what a frame costs can be counted without a terminal.

use ratatui::Frame;
use ratatui::layout::Size;

use super::canvas::Canvas;
use super::encoder::Encoder;
use super::erase::Erase;
use crate::ui::links::Linked;

/// See the module's head.
#[derive(Debug)]
pub struct Frames {
    canvas: ratatui::Terminal<Canvas>,
    encoder: Encoder,
}

impl Frames {
    /// For a terminal of this `TERM` and size in columns and rows, whose screen is in any state, and which is sent links or
    /// not.
    pub fn new(term: &str, size: (u16, u16), links: bool) -> Self {
        let size = of(size);
        let canvas = match ratatui::Terminal::new(Canvas { size, cursor: None }) {
            Ok(canvas) => canvas,
            Err(never) => match never {},
        };
        Self {
            canvas,
            encoder: Encoder::new(Erase::of_term(term), links),
        }
    }

    /// Forgets everything about the screen: the next frame is painted in full.
    pub fn forget(&mut self) {
        self.encoder.forget();
    }

    /// The bytes that make a terminal of this size show what `render` draws, and know what it says of links: none where
    /// nothing changed.
    pub fn draw(
        &mut self,
        size: (u16, u16),
        render: impl FnOnce(&mut Frame<'_>) -> Linked,
    ) -> &[u8] {
        self.canvas.backend_mut().size = of(size);
        let mut linked = Linked::default();
        match self.canvas.draw(|frame| linked = render(frame)) {
            Ok(frame) => self.encoder.paint(frame.buffer, &linked),
            Err(never) => match never {},
        }
        let cursor = self.canvas.backend().cursor;
        self.encoder.finish(cursor)
    }
}

const fn of((width, height): (u16, u16)) -> Size {
    Size { width, height }
}
