//! Colours in the configuration: `#1f6f5c`, or `#fff`.

use std::fmt;
use std::str::FromStr;

use super::values::text_setting;

/// An opaque colour (sRGB).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
}

impl Colour {
    #[must_use]
    pub const fn of(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }
}

impl FromStr for Colour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a colour: write `#` and six hexadecimal digits, as in `#1f6f5c`");
        let digits = text.strip_prefix('#').ok_or_else(wrong)?;
        let digits: Option<Vec<u8>> =
            digits.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        match digits.ok_or_else(wrong)?[..] {
            [red, green, blue] => Ok(Self::of(red * 17, green * 17, blue * 17)),
            [r, ed, g, reen, b, lue] => Ok(Self::of(r * 16 + ed, g * 16 + reen, b * 16 + lue)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

text_setting!(Colour, Some("^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_three_or_six_hexadecimal_digits() {
        assert_eq!("#1F6f5c".parse(), Ok(Colour::of(0x1f, 0x6f, 0x5c)));
        assert_eq!("#fa0".parse(), Ok(Colour::of(0xff, 0xaa, 0)));
        assert_eq!(Colour::of(1, 0xa0, 255).to_string(), "#01a0ff");
        for text in ["", "#", "1f6f5c", "#1f6f5", "#1f6f5c00", "red", "#ggg", "#é12", "rgb(1,2,3)"] {
            assert!(text.parse::<Colour>().is_err(), "{text}");
        }
    }
}
