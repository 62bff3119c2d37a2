//! The language of a page: what the application asks for, else what the browser accepts, else English.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    #[default]
    English,
    German,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Returns the tag for `<html lang>` (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Returns the first language of `ui_locales` (OpenID Connect Core section 3.1.2.1) that the pages support.
    #[must_use]
    pub fn of_ui_locales(ui_locales: &str) -> Option<Self> {
        ui_locales.split(' ').find_map(Self::of_tag)
    }

    /// Returns the supported language that has the highest weight in `Accept-Language` (RFC 9110 section 12.5.4).
    #[must_use]
    pub fn of_accept_language(header: &str) -> Option<Self> {
        let mut heaviest = None;
        for (tag, weight) in header.split(',').map(weighed) {
            let language = Self::of_tag(tag).filter(|_| weight > 0.0);
            // Of equal weights, the first wins.
            if let Some(language) = language.filter(|_| heaviest.is_none_or(|(_, most)| weight > most)) {
                heaviest = Some((language, weight));
            }
        }
        heaviest.map(|(language, _)| language)
    }

    /// Matches the primary subtag: `de-AT` is German too (RFC 4647 section 3.4).
    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

/// Splits `de;q=0.8` into tag and weight. The weight is 1 where absent, and 0 where malformed.
fn weighed(item: &str) -> (&str, f32) {
    let (tag, parameters) = item.split_once(';').unwrap_or((item, ""));
    let quality = parameters.trim().strip_prefix("q=");
    (tag, quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_the_browser_that_weighs_most_is_spoken() {
        for (header, expected) in [
            ("de", Some(Language::German)),
            ("de-AT,en;q=0.5", Some(Language::German)),
            ("en-GB, de;q=0.9", Some(Language::English)),
            ("fr-CH, fr;q=0.9, en;q=0.7, de;q=0.8, *;q=0.5", Some(Language::German)),
            ("DE;q=0.5, en; q=0.4", Some(Language::German)),
            ("de;q=0, en;q=0.1", Some(Language::English)),
            ("de;q=nonsense", None),
            ("fr", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(Language::of_accept_language(header), expected, "{header}");
        }
    }

    #[test]
    fn the_first_language_that_the_application_asks_for_and_we_speak_is_spoken() {
        assert_eq!(Language::of_ui_locales("fr-CA de-CH en"), Some(Language::German));
        assert_eq!(Language::of_ui_locales("fr"), None);
        assert_eq!(Language::of_ui_locales(""), None);
    }
}
