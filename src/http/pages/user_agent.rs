//! A user agent in words, from its `User-Agent` header: "Firefox on Linux". Only common browsers and systems are known;
//! any other user agent is shown in its own words.

use super::texts::{Argument, Message};

/// Browsers by the word that identifies them. The first match counts, because most browsers also claim to be those
/// below them.
const BROWSERS: [(&str, &str); 17] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("okhttp/", "okhttp"),
];

/// Systems, matched in the same way.
const SYSTEMS: [(&str, &str); 9] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Ubuntu", "Ubuntu"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

/// The longest user agent that is shown, in characters.
const SHOWN: usize = 60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UserAgentText {
    Ours(Message),
    /// A text that is the same in every language.
    Its(String),
}

pub(super) fn in_words(user_agent: Option<&str>) -> UserAgentText {
    let user_agent = user_agent.unwrap_or_default().trim();
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(word, _)| user_agent.contains(word)).map(|(_, name)| Argument::Text((*name).to_owned()))
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => {
            UserAgentText::Ours(Message { id: "device-on", args: vec![("browser", browser), ("system", system)] })
        }
        (Some(Argument::Text(only)), None) => UserAgentText::Its(only),
        _ if user_agent.is_empty() => UserAgentText::Ours(Message::plain("device-unknown")),
        _ => UserAgentText::Its(cut(user_agent)),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(user_agent: &str) -> String {
        match in_words(Some(user_agent)) {
            UserAgentText::Its(text) => text,
            UserAgentText::Ours(message) if message.args.is_empty() => message.id.to_owned(),
            UserAgentText::Ours(message) => {
                let text = |index: usize| match &message.args[index].1 {
                    Argument::Text(text) => text.clone(),
                    other => panic!("{other:?}"),
                };
                format!("{} on {}", text(0), text(1))
            }
        }
    }

    #[test]
    fn common_browsers_and_systems_are_named() {
        for (user_agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Ubuntu"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            ("curl/8.5.0", "curl"),
        ] {
            assert_eq!(words(user_agent), expected);
        }
    }

    #[test]
    fn anything_else_is_shown_in_its_own_words_cut_short() {
        assert_eq!(words("  "), "device-unknown");
        assert_eq!(words("SmartFridge 3"), "SmartFridge 3");
        assert_eq!(words(&"ü".repeat(61)), format!("{}…", "ü".repeat(60)));
    }
}
