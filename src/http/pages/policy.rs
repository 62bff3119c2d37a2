//! The content security policy of a page (level 3): only what the page itself needs may be loaded.

use std::fmt;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::digest::sha256;

/// The only script of the server. It submits the form of `form_post.html`.
pub(super) const SEND: &str = "document.forms[0].submit()";

/// The exceptions from `default-src 'none'`.
#[derive(Debug, Clone, Default)]
pub(super) struct Policy {
    /// Logos of applications. An address that is not http or https is left out.
    images: Vec<String>,
    /// Front-channel logout pages of applications.
    frames: Vec<String>,
    script: Script,
    forms: Forms,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Script {
    #[default]
    None,
    Send,
}

/// Where forms may lead. Chromium applies `form-action` also to every redirect that follows a form. A page whose form
/// may end at an application must therefore not restrict it: the application may redirect on to any address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Forms {
    #[default]
    Anywhere,
    Here,
}

impl Policy {
    /// Restricts the forms of the page to this server.
    pub(super) fn with_forms_here(mut self) -> Self {
        self.forms = Forms::Here;
        self
    }

    pub(super) fn with_images<'a>(mut self, addresses: impl IntoIterator<Item = &'a str>) -> Self {
        self.images = addresses.into_iter().filter_map(source).collect();
        self.images.sort_unstable();
        self.images.dedup();
        self
    }

    pub(super) fn with_frames<'a>(mut self, addresses: impl IntoIterator<Item = &'a str>) -> Self {
        self.frames = addresses.into_iter().filter_map(source).collect();
        self
    }

    pub(super) fn with_the_sending_script(mut self) -> Self {
        self.script = Script::Send;
        self
    }
}

/// Returns the address without credentials, query and fragment. `;` and `,` are encoded, because they would end the
/// entry.
fn source(address: &str) -> Option<String> {
    let mut url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    url.set_query(None);
    url.set_fragment(None);
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url.as_str().replace(';', "%3B").replace(',', "%2C").replace('\'', "%27"))
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("default-src 'none'; style-src 'self'; img-src 'self'")?;
        self.images.iter().try_for_each(|image| write!(f, " {image}"))?;
        if !self.frames.is_empty() {
            write!(f, "; frame-src {}", self.frames.join(" "))?;
        }
        if self.script == Script::Send {
            write!(f, "; script-src '{}'", hash_of_the_script())?;
        }
        if self.forms == Forms::Here {
            f.write_str("; form-action 'self'")?;
        }
        f.write_str("; base-uri 'none'; frame-ancestors 'none'")
    }
}

fn hash_of_the_script() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| format!("sha256-{}", STANDARD.encode(sha256(SEND.as_bytes()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_needs_nothing_may_load_nothing_from_elsewhere() {
        let expected = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
        assert_eq!(Policy::default().to_string(), expected);
    }

    #[test]
    fn no_address_adds_a_rule_of_its_own() {
        let odd = ["https://a.example/x;script-src *,y'z?q#f", "javascript:alert(1)", "data:text/html,x", "nonsense"];
        let policy = Policy::default().with_images(odd).with_frames(["https://u:p@b.example/out?sid=1"]).to_string();
        assert!(policy.contains("img-src 'self' https://a.example/x%3Bscript-src%20*%2Cy%27z;"), "{policy}");
        assert!(policy.contains("; frame-src https://b.example/out;"), "{policy}");
    }
}
