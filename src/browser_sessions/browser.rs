//! A browser, as far as this server can tell it from others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ctx::Ctx;
use crate::digest;
use crate::error::Error;
use crate::model::{Secret, UserAgent};

/// A browser that opens the pages.
#[derive(Debug)]
pub struct Browser {
    /// The cookie that every browser gets: what was begun in one browser cannot be ended in another.
    pub secret: Secret,
    /// The cookie of the browser session, where there is one.
    pub session_cookie: Option<Secret>,
    /// What it is and where.
    pub user_agent: UserAgent,
}

impl Browser {
    /// A new value for the cookie that every browser gets: 256 random bits.
    #[must_use]
    pub fn new_secret(ctx: &Ctx) -> Secret {
        Secret::random(&ctx.random)
    }

    /// What is kept of the cookie that every browser gets.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        digest::sha256(self.secret.expose().as_bytes())
    }

    /// The token that a form of this browser carries, so that no other site can send it.
    #[must_use]
    pub fn form_token(&self, ctx: &Ctx) -> String {
        URL_SAFE_NO_PAD.encode(ctx.keys.derive("form of a browser", &self.digest()))
    }

    /// Whether a form came from a page of this server in this browser.
    ///
    /// # Errors
    /// `invalid_request` otherwise.
    pub fn check_form_token(&self, ctx: &Ctx, presented: Option<&str>) -> Result<(), Error> {
        let own = digest::sha256(self.form_token(ctx).as_bytes());
        let presented = digest::sha256(presented.unwrap_or_default().as_bytes());
        if digest::equal(&own, &presented) {
            Ok(())
        } else {
            Err(Error::invalid_request(
                "the form is out of date, or this browser keeps no cookies; go back and try again",
            ))
        }
    }
}
