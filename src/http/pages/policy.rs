//! What a browser may load for a page (Content Security Policy, level 3): nothing but what the page itself needs.

use std::fmt;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::digest::sha256;

/// The one script of the server: it sends the answer of `form_post.html` on its way.
pub(super) const SEND: &str = "document.forms[0].submit()";

/// Exceptions from "nothing".
#[derive(Debug, Clone, Default)]
pub(super) struct Policy {
    /// Logos of applications; any other address is not one.
    images: Vec<String>,
    /// Pages of applications that sign people out there.
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

/// Where forms lead. Chromium also judges by this where the answer to a form redirects to, however often, so a page
/// whose form may end at an application must not say anything: that application may redirect on to anywhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Forms {
    #[default]
    Anywhere,
    Here,
}

impl Policy {
    /// The forms of the page lead to this server and nowhere else.
    pub(super) fn with_forms_here(mut self) -> Self {
        self.forms = Forms::Here;
        self
    }

    /// The page shows these pictures.
    pub(super) fn with_images<'a>(mut self, addresses: impl IntoIterator<Item = &'a str>) -> Self {
        self.images = addresses.into_iter().filter_map(source).collect();
        self.images.sort_unstable();
        self.images.dedup();
        self
    }

    /// The page frames these pages.
    pub(super) fn with_frames<'a>(mut self, addresses: impl IntoIterator<Item = &'a str>) -> Self {
        self.frames = addresses.into_iter().filter_map(source).collect();
        self
    }

    /// The page runs [`SEND`].
    pub(super) fn with_the_sending_script(mut self) -> Self {
        self.script = Script::Send;
        self
    }
}

/// The address without query and fragment, which a policy does not know; `;` and `,` would end the entry.
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
