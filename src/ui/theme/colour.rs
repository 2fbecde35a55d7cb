//! Arithmetic on colours.
//!
//! Owns contrast and the nearest of xterm's 256. Must not know roles.

/// WCAG's lowest contrast for text.
pub(super) const READABLE: f64 = 4.5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// `#rrggbb`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_, r, g, b] = number.to_be_bytes();
        Some(Self(r, g, b))
    }

    /// WCAG's contrast ratio, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// Squared, and weighted as the eye weighs the three.
    fn distance(self, other: Self) -> i32 {
        let square = |one: u8, two: u8| (i32::from(one) - i32::from(two)).pow(2);
        2 * square(self.0, other.0) + 4 * square(self.1, other.1) + 3 * square(self.2, other.2)
    }
}

/// The nearest of xterm's colour cube and grey ramp among those that `fits` lets through. The 16 below them are left
/// out: they look as the user has set them.
pub(super) fn nearest(wanted: Rgb, fits: impl Fn(Rgb) -> bool) -> u8 {
    (16..=u8::MAX)
        .filter(|index| fits(of_index(*index)))
        .min_by_key(|index| of_index(*index).distance(wanted))
        .unwrap_or(if wanted.luminance() > 0.5 { 231 } else { 16 })
}

/// What xterm shows for an index from 16 on.
pub(super) fn of_index(index: u8) -> Rgb {
    let Some(above_cube) = index.checked_sub(232) else {
        let cube = index.saturating_sub(16);
        let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
        return Rgb(level(cube / 36), level(cube / 6 % 6), level(cube % 6));
    };
    let grey = 8 + 10 * above_cube;
    Rgb(grey, grey, grey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_wcag_s() {
        let (black, white) = (Rgb(0, 0, 0), Rgb(255, 255, 255));
        assert!((black.contrast(white) - 21.0).abs() < 1e-9);
        assert!((Rgb(0x76, 0x76, 0x76).contrast(white) - 4.54).abs() < 0.01);
    }

    #[test]
    fn the_cube_and_the_ramp_are_xterm_s() {
        for (index, rgb) in [
            (16, Rgb(0, 0, 0)),
            (110, Rgb(135, 175, 215)),
            (231, Rgb(255, 255, 255)),
            (232, Rgb(8, 8, 8)),
            (255, Rgb(238, 238, 238)),
        ] {
            assert_eq!(of_index(index), rgb);
            assert_eq!(nearest(rgb, |_| true), index);
        }
        assert_eq!(
            nearest(Rgb(0x10, 0x13, 0x18), |_| true),
            233,
            "a near black goes to the grey ramp"
        );
    }
}
