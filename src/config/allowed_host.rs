//! Hosts that the server may call in addition to public addresses.

use std::fmt;
use std::str::FromStr;

use super::network::Network;
use super::values::text_setting;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHost {
    Network(Network),
    /// Every address to which this name resolves.
    Host(String),
}

impl FromStr for AllowedHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        // A last label of digits would be parsed as an address.
        let is_name = text.len() <= 253
            && text.split('.').all(is_label)
            && text.rsplit('.').next().is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_alphabetic()));
        if is_name {
            return Ok(Self::Host(text.to_ascii_lowercase()));
        }
        Err(format!("`{text}` is neither a network (`10.0.0.0/8`), nor an address, nor the name of a host"))
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Host(host) => f.write_str(host),
        }
    }
}

text_setting!(AllowedHost, None);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_addresses_and_names_are_told_apart() {
        assert!(matches!("10.0.0.0/8".parse(), Ok(AllowedHost::Network(_))));
        assert!(matches!("::1".parse(), Ok(AllowedHost::Network(_))));
        assert_eq!("App.Internal".parse(), Ok(AllowedHost::Host("app.internal".to_owned())));
        assert_eq!("localhost".parse(), Ok(AllowedHost::Host("localhost".to_owned())));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "*", ".internal", "a..b", "https://app.internal", "app.internal:443", "10.0.0.0/33", "1.2.3"] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
    }
}
