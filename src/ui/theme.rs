//! Provisional colours; replaced by the themes when they land.
use ratatui::style::{Color, Style};

#[derive(Clone, Debug)]
pub struct Theme {
    pub base: Style,
    pub head: Style,
    pub selection: Style,
    pub text: Style,
    pub dim: Style,
    pub ghost: Style,
    pub line: Style,
    pub accent: Style,
    pub ok: Style,
    pub moving: Style,
    pub waiting: Style,
    pub bad: Style,
}

const fn rgb(hex: u32) -> Color {
    Color::from_u32(hex)
}

impl Theme {
    pub fn dark() -> Self {
        let fg = |hex| Style::new().fg(rgb(hex));
        Self {
            base: Style::new().fg(rgb(0x00c8_d0da)).bg(rgb(0x0010_1318)),
            head: Style::new().bg(rgb(0x0016_1b22)),
            selection: Style::new().bg(rgb(0x001b_2230)),
            text: fg(0x00c8_d0da),
            dim: fg(0x009a_a5b3),
            ghost: fg(0x007f_8b99),
            line: fg(0x002b_323c),
            accent: fg(0x0082_aaff),
            ok: fg(0x008f_bf7f),
            moving: fg(0x005f_b8d6),
            waiting: fg(0x00e6_b45c),
            bad: fg(0x00f0_717f),
        }
    }

    pub fn light() -> Self {
        let fg = |hex| Style::new().fg(rgb(hex));
        Self {
            base: Style::new().fg(rgb(0x0026_2b33)).bg(rgb(0x00fb_faf7)),
            head: Style::new().bg(rgb(0x00f1_efe9)),
            selection: Style::new().bg(rgb(0x00e9_eefb)),
            text: fg(0x0026_2b33),
            dim: fg(0x0054_5d68),
            ghost: fg(0x0062_6b76),
            line: fg(0x00de_dad2),
            accent: fg(0x002f_5fd0),
            ok: fg(0x003a_7431),
            moving: fg(0x0014_6f8f),
            waiting: fg(0x0098_5600),
            bad: fg(0x00b3_263a),
        }
    }
}
