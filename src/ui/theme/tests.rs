use super::*;

const DEPTHS: [Depth; 4] = [Depth::None, Depth::Ansi, Depth::Indexed, Depth::True];
const STATES: [Role; 4] = [Role::Ok, Role::Moving, Role::Waiting, Role::Bad];

fn theme(built_in: BuiltIn, depth: Depth) -> Theme {
    Theme::new(&built_in.palette(), depth)
}

/// Of a colour whose look does not depend on the terminal.
fn rgb(colour: Option<Color>) -> Option<Rgb> {
    match colour? {
        Color::Rgb(r, g, b) => Some(Rgb(r, g, b)),
        Color::Indexed(index @ 16..) => Some(colour::of_index(index)),
        _ => None,
    }
}

fn assert_readable(built_in: BuiltIn, depth: Depth, least: f64) {
    let theme = theme(built_in, depth);
    for ground in Role::GROUNDS {
        for text in Role::TEXTS {
            let ink = rgb(theme.style(text).fg).unwrap();
            let paper = rgb(theme.style(ground).bg).unwrap();
            let contrast = ink.contrast(paper);
            assert!(
                contrast >= least,
                "{} on {} of {}: {contrast:.2} ({depth:?})",
                text.name(),
                ground.name(),
                built_in.name()
            );
        }
    }
}

#[test]
fn every_text_can_be_read_on_every_ground() {
    for depth in [Depth::True, Depth::Indexed] {
        for built_in in [BuiltIn::Dark, BuiltIn::Light, BuiltIn::ColourBlind] {
            assert_readable(built_in, depth, 4.5);
        }
    }
}

#[test]
fn high_contrast_is_high() {
    assert_readable(BuiltIn::HighContrast, Depth::True, 7.0);
    assert_readable(BuiltIn::HighContrast, Depth::Indexed, 4.5);
}

#[test]
fn the_selected_row_can_be_told_in_every_theme_and_depth() {
    for built_in in BuiltIn::ALL {
        for depth in DEPTHS {
            let theme = theme(built_in, depth);
            let row = theme.style(Role::Background).patch(theme.style(Role::Text));
            let selected = theme.selected(row);
            let marked =
                selected.add_modifier.contains(Modifier::REVERSED) || selected.bg != row.bg;
            assert!(marked, "{} {depth:?}", built_in.name());
            assert_eq!(selected.fg, row.fg);
        }
    }
}

#[test]
fn states_have_different_colours_wherever_there_are_colours() {
    for built_in in BuiltIn::ALL {
        for depth in [Depth::Ansi, Depth::Indexed, Depth::True] {
            let theme = theme(built_in, depth);
            for (at, one) in STATES.into_iter().enumerate() {
                for other in STATES.into_iter().skip(at + 1) {
                    let (ours, theirs) = (theme.style(one).fg, theme.style(other).fg);
                    assert_ne!(
                        ours,
                        theirs,
                        "{} and {} of {} {depth:?}",
                        one.name(),
                        other.name(),
                        built_in.name()
                    );
                }
            }
        }
    }
}

#[test]
fn without_colours_there_are_attributes_and_no_colour() {
    for built_in in BuiltIn::ALL {
        let theme = theme(built_in, Depth::None);
        for role in Role::ALL {
            let style = theme.style(role);
            assert!(
                style.fg.is_none_or(|fg| fg == Color::Reset)
                    && style.bg.is_none_or(|bg| bg == Color::Reset)
            );
        }
        for role in [Role::Waiting, Role::Bad] {
            assert!(theme.style(role).add_modifier.contains(Modifier::BOLD));
        }
        assert!(
            theme
                .style(Role::Selection)
                .add_modifier
                .contains(Modifier::REVERSED)
        );
        assert!(
            theme
                .selected(theme.style(Role::Bad))
                .add_modifier
                .contains(Modifier::REVERSED)
        );
    }
}

#[test]
fn sixteen_colours_are_the_terminal_s_own_and_greys_are_attributes() {
    let dark = theme(BuiltIn::Dark, Depth::Ansi);
    assert_eq!(dark.style(Role::Background).bg, Some(Color::Reset));
    assert_eq!(dark.style(Role::Text).fg, Some(Color::Reset));
    assert!(dark.style(Role::Ghost).add_modifier.contains(Modifier::DIM));
    assert_eq!(
        STATES.map(|role| dark.style(role).fg),
        [Color::Green, Color::Cyan, Color::Yellow, Color::Red].map(Some)
    );
    for built_in in BuiltIn::ALL {
        for role in Role::ALL {
            let style = theme(built_in, Depth::Ansi).style(role);
            for colour in [style.fg, style.bg].into_iter().flatten() {
                assert!(
                    !matches!(colour, Color::Rgb(..) | Color::Indexed(_)),
                    "{} of {}",
                    role.name(),
                    built_in.name()
                );
            }
        }
    }
}

#[test]
fn true_colours_are_those_of_the_table() {
    let dark = theme(BuiltIn::Dark, Depth::True);
    assert_eq!(
        dark.style(Role::Waiting),
        Style::new().fg(Color::Rgb(0xe6, 0xb4, 0x5c))
    );
    let light = theme(BuiltIn::Light, Depth::True);
    assert_eq!(
        light.style(Role::Selection).bg,
        Some(Color::Rgb(0xe9, 0xee, 0xfb))
    );
}

#[test]
fn what_needs_a_decision_is_bold_and_never_dim() {
    for built_in in BuiltIn::ALL {
        for depth in DEPTHS {
            for role in Role::TEXTS {
                let strong = theme(built_in, depth).strong(role);
                assert!(
                    strong.add_modifier.contains(Modifier::BOLD)
                        && !strong.add_modifier.contains(Modifier::DIM)
                );
            }
        }
    }
}

/// What an eye without one kind of cone sees (Machado, Oliveira and Fernandes 2009, full severity).
const DEFICIENCIES: [[[f64; 3]; 3]; 3] = [
    [
        [0.152_286, 1.052_583, -0.204_868],
        [0.114_503, 0.786_281, 0.099_216],
        [-0.003_882, -0.048_116, 1.051_998],
    ],
    [
        [0.367_322, 0.860_646, -0.227_968],
        [0.280_085, 0.672_501, 0.047_413],
        [-0.011_820, 0.042_940, 0.968_881],
    ],
    [
        [1.255_528, -0.076_749, -0.178_779],
        [-0.078_411, 0.930_809, 0.147_602],
        [0.004_733, 0.691_367, 0.303_900],
    ],
];

/// The least distance between two states for the eye that sees them worst.
fn least_difference(built_in: BuiltIn) -> f64 {
    let theme = theme(built_in, Depth::True);
    let seen = |role: Role, [r, g, b]: [[f64; 3]; 3]| {
        let Rgb(red, green, blue) = rgb(theme.style(role).fg).unwrap();
        let colour = [red, green, blue].map(f64::from);
        [r, g, b].map(|weights| {
            weights
                .iter()
                .zip(colour)
                .map(|(weight, channel)| weight * channel)
                .sum::<f64>()
        })
    };
    let mut least = f64::MAX;
    for eye in DEFICIENCIES {
        for (at, one) in STATES.into_iter().enumerate() {
            for other in STATES.into_iter().skip(at + 1) {
                let squares = seen(one, eye)
                    .into_iter()
                    .zip(seen(other, eye))
                    .map(|(ours, theirs)| (ours - theirs).powi(2));
                least = least.min(squares.sum::<f64>().sqrt());
            }
        }
    }
    least
}

#[test]
fn colour_blind_keeps_the_states_apart_for_every_kind_of_eye() {
    let (safe, dark) = (
        least_difference(BuiltIn::ColourBlind),
        least_difference(BuiltIn::Dark),
    );
    println!("least difference of two states: colour-blind {safe:.0}, dark {dark:.0}");
    assert!(
        safe >= 100.0 && safe > dark,
        "colour-blind {safe:.0}, dark {dark:.0}"
    );
}
