//! The cookies of a browser, read from requests and set on responses.
//!
//! Over https each cookie has the prefix `__Host-`, so that no other host, no other path and no plain connection can
//! set it (RFC 6265bis section 4.1.3.2). An issuer without TLS exists on loopback addresses only, where browsers do not
//! store such cookies; the cookies then have names that say so.

use std::future::{Ready, ready};

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use crate::browser_sessions::{Browser, NewBrowserSession};
use crate::ctx;
use crate::error::{Error, Internal};
use crate::http::{Ctx, user_agent};
use crate::model::Secret;

use crate::http::error::PageRefusal;

#[derive(Debug)]
pub struct BrowserCookies {
    pub browser: Browser,
    /// Whether the request came without the cookie that every browser gets.
    is_new: bool,
}

struct Names {
    browser: &'static str,
    browser_session: &'static str,
}

const SECURE: Names =
    Names { browser: "__Host-tokenhouse-browser", browser_session: "__Host-tokenhouse-browser-session" };
const DEVELOPMENT: Names = Names {
    browser: "tokenhouse-insecure-development-browser",
    browser_session: "tokenhouse-insecure-development-browser-session",
};

impl BrowserCookies {
    fn of(request: &HttpRequest, ctx: &ctx::Ctx) -> Self {
        let names = names(ctx);
        let cookies = request.cookies();
        let cookie = |name: &str| {
            let mut sent = cookies.iter().flat_map(|all| all.iter()).filter(|cookie| cookie.name() == name);
            // Of two cookies of one name, one was planted, and nothing distinguishes them (RFC 6265 section 8.6).
            let only = sent.next().filter(|_| sent.next().is_none())?;
            Some(Secret::new(only.value())).filter(is_ours)
        };
        let known = cookie(names.browser);
        let is_new = known.is_none();
        let secret = known.unwrap_or_else(|| Browser::new_secret(ctx));
        let browser = Browser {
            secret,
            session_cookie: cookie(names.browser_session),
            user_agent: user_agent::user_agent(request, &ctx.config),
        };
        Self { browser, is_new }
    }

    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// Sets the browser cookie, if the browser is new.
    #[must_use]
    pub fn greet(&self, ctx: &ctx::Ctx, mut answer: HttpResponse) -> HttpResponse {
        if self.is_new {
            set(&mut answer, &cookie(ctx, names(ctx).browser, self.browser.secret.expose()));
        }
        answer
    }

    #[must_use]
    pub fn signed_in(&self, ctx: &ctx::Ctx, answer: HttpResponse, new: &NewBrowserSession) -> HttpResponse {
        let mut answer = self.greet(ctx, answer);
        let mut browser_session = cookie(ctx, names(ctx).browser_session, new.cookie.expose());
        let lifetime = new.browser_session.ends_at.since(ctx.now()).as_secs();
        browser_session.set_max_age(Duration::seconds(i64::try_from(lifetime).unwrap_or(i64::MAX)));
        set(&mut answer, &browser_session);
        answer
    }

    #[must_use]
    pub fn signed_out(&self, ctx: &ctx::Ctx, answer: HttpResponse) -> HttpResponse {
        let mut answer = self.greet(ctx, answer);
        let mut browser_session = cookie(ctx, names(ctx).browser_session, "");
        browser_session.make_removal();
        set(&mut answer, &browser_session);
        answer
    }
}

impl FromRequest for BrowserCookies {
    type Error = PageRefusal;
    type Future = Ready<Result<Self, PageRefusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let missing = || Error::from(Internal::inconsistent("a handler without a context"));
        ready(match request.app_data::<Ctx>() {
            Some(ctx) => Ok(Self::of(request, ctx)),
            None => Err(missing().into()),
        })
    }
}

fn names(ctx: &ctx::Ctx) -> &'static Names {
    if is_secure(ctx) { &SECURE } else { &DEVELOPMENT }
}

fn is_secure(ctx: &ctx::Ctx) -> bool {
    ctx.config.issuer.starts_with("https://")
}

/// Returns whether a value has the length of 32 bytes in base64url. Every cookie of this server has it.
fn is_ours(value: &Secret) -> bool {
    value.expose().len() == 43
}

/// Builds a cookie with `SameSite=Lax`: the browser sends it when an application redirects here, and not with a form of
/// another site.
fn cookie<'a>(ctx: &ctx::Ctx, name: &'static str, value: &'a str) -> Cookie<'a> {
    Cookie::build(name, value).path("/").http_only(true).secure(is_secure(ctx)).same_site(SameSite::Lax).finish()
}

fn set(answer: &mut HttpResponse, cookie: &Cookie<'_>) {
    if let Err(error) = answer.add_cookie(cookie) {
        tracing::error!(error = %error, "a cookie could not be set");
    }
}
