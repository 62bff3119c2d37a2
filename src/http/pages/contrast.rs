//! Contrast of colours: measures it and adjusts a colour (WCAG 2.2, 1.4.3 and 1.4.11).

use crate::config::Colour;

const BLACK: Colour = Colour::of(0, 0, 0);
const WHITE: Colour = Colour::of(255, 255, 255);

/// Returns black or white, whichever is readable on `ground`. One of them always is, with a contrast of 4.58 or more.
#[must_use]
pub(super) fn readable_on(ground: Colour) -> Colour {
    if ratio(WHITE, ground) >= 4.5 { WHITE } else { BLACK }
}

/// Makes `colour` darker or lighter until its contrast to `ground` is `least`.
#[must_use]
pub(super) fn apart(colour: Colour, ground: Colour, least: f64) -> Colour {
    let away = if luminance(ground) > 0.18 { BLACK } else { WHITE };
    let shades = (0..STEPS).map(|step| mixed(colour, away, step));
    shades.into_iter().find(|shade| ratio(*shade, ground) >= least).unwrap_or(away)
}

/// Returns the contrast ratio, 1 to 21.
#[must_use]
pub(super) fn ratio(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: Colour) -> f64 {
    let part = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(colour.red) + 0.7152 * part(colour.green) + 0.0722 * part(colour.blue)
}

const STEPS: u16 = 64;

fn mixed(colour: Colour, other: Colour, step: u16) -> Colour {
    let part = |one: u8, other: u8| {
        let sum = u16::from(one) * (STEPS - step) + u16::from(other) * step;
        u8::try_from(sum / STEPS).unwrap_or(u8::MAX)
    };
    Colour::of(part(colour.red, other.red), part(colour.green, other.green), part(colour.blue, other.blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many() -> impl Iterator<Item = Colour> {
        let parts = || (0..=255).step_by(17);
        parts()
            .flat_map(move |red| parts().flat_map(move |green| parts().map(move |blue| Colour::of(red, green, blue))))
    }

    #[test]
    fn the_contrast_ratio_is_that_of_the_standard() {
        assert!((ratio(WHITE, BLACK) - 21.0).abs() < 1e-9);
        assert!((ratio(Colour::of(0x77, 0x77, 0x77), WHITE) - 4.48).abs() < 0.01);
        assert!((ratio(Colour::of(255, 0, 0), WHITE) - 4.0).abs() < 0.01);
    }

    #[test]
    fn on_every_colour_text_can_be_read() {
        assert!(many().all(|ground| ratio(readable_on(ground), ground) >= 4.5));
    }

    #[test]
    fn every_colour_can_be_told_apart_from_every_ground() {
        for ground in [WHITE, BLACK, Colour::of(0xee, 0xf2, 0xf4), Colour::of(0x18, 0x22, 0x2b)] {
            assert!(many().all(|colour| ratio(apart(colour, ground, 4.5), ground) >= 4.5));
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let blue = Colour::of(0x1d, 0x5f, 0x8a);
        assert_eq!(apart(blue, WHITE, 4.5), blue);
    }
}
