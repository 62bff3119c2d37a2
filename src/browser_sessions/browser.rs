//! Browsers, as this server tells them apart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ctx::Ctx;
use crate::digest;
use crate::error::Error;
use crate::model::{Secret, UserAgent};

#[derive(Debug)]
pub struct Browser {
    /// The cookie that every browser gets. It binds an interaction to the browser that began it.
    pub secret: Secret,
    pub session_cookie: Option<Secret>,
    pub user_agent: UserAgent,
}

impl Browser {
    /// Creates a value for the cookie that every browser gets: 256 random bits.
    #[must_use]
    pub fn new_secret(ctx: &Ctx) -> Secret {
        Secret::random(&ctx.random)
    }

    /// Returns the stored form of the cookie that every browser gets.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        digest::sha256(self.secret.expose().as_bytes())
    }

    /// Returns the token that this browser's forms carry, so that no other site can send them.
    #[must_use]
    pub fn form_token(&self, ctx: &Ctx) -> String {
        URL_SAFE_NO_PAD.encode(ctx.keys.derive("form of a browser", &self.digest()))
    }

    /// Checks that a form came from a page of this server in this browser.
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
