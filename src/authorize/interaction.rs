//! A request that waits for a person: kept in the ephemeral store, bound to the browser that began it, finished once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::request::Request;
use crate::authentication;
use crate::browser_sessions::Browser;
use crate::ctx::Ctx;
use crate::digest;
use crate::error::{Error, Internal};
use crate::model::BrowserSessionId;
use crate::store::TakeOutcome;

/// The largest request that waits for a person, in bytes.
const LARGEST: usize = 16 * 1024;

/// How long a person may take.
const KEPT: Duration = Duration::from_mins(30);

/// Names an interaction: 128 random bits. It is no secret; the browser's cookie is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct InteractionId(String);

impl InteractionId {
    /// As it stands in addresses and forms.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(&self) -> String {
        format!("authorization:{}", self.0)
    }
}

impl TryFrom<String> for InteractionId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        if text.len() == 22 && URL_SAFE_NO_PAD.decode(&text).is_ok() {
            Ok(Self(text))
        } else {
            Err(Error::invalid_request("this is not the name of a authorization"))
        }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredRequest {
    request: Request,
    /// SHA-256 of the cookie of the browser.
    browser: [u8; 32],
}

pub(super) async fn keep(ctx: &Ctx, browser: &Browser, request: &Request) -> Result<InteractionId, Error> {
    let id = InteractionId(URL_SAFE_NO_PAD.encode(ctx.random.bytes::<16>()));
    let kept = StoredRequest { request: request.clone(), browser: browser.digest() };
    let kept = serde_json::to_string(&kept).map_err(|error| Internal::new("a request cannot be written", error))?;
    if kept.len() > LARGEST {
        return Err(Error::invalid_request("the request is larger than 16 KiB"));
    }
    authentication::count_request(ctx, browser.user_agent.address.as_deref()).await?;
    ctx.store.ephemeral.put_once(&id.key(), &kept, KEPT).await?;
    Ok(id)
}

/// The request of an interaction of this browser.
pub(super) async fn find(ctx: &Ctx, browser: &Browser, id: &InteractionId) -> Result<Request, Error> {
    let gone =
        || Error::invalid_request("this authorization took too long; go back to the application and begin again");
    let kept = ctx.store.ephemeral.peek(&id.key()).await?.ok_or_else(gone)?;
    let kept: StoredRequest = serde_json::from_str(&kept).map_err(|_| gone())?;
    if !digest::equal(&kept.browser, &browser.digest()) {
        return Err(Error::invalid_request("this sign-in was begun in another browser"));
    }
    Ok(kept.request)
}

/// Takes the interaction: it is answered once, whichever of several tabs comes first.
pub(super) async fn finish(ctx: &Ctx, id: &InteractionId) -> Result<(), Error> {
    match ctx.store.ephemeral.take_once(&id.key()).await? {
        TakeOutcome::First(_) => Ok(()),
        TakeOutcome::Again(_) | TakeOutcome::Absent => {
            Err(Error::invalid_request("this authorization is finished; go back to the application"))
        }
    }
}

/// Notes that the person keeps the account of this browser session.
pub(super) async fn note_choice(ctx: &Ctx, id: &InteractionId, browser_session: BrowserSessionId) -> Result<(), Error> {
    ctx.store.ephemeral.remember(&choice(id, browser_session), KEPT).await?;
    Ok(())
}

pub(super) async fn is_chosen(ctx: &Ctx, id: &InteractionId, browser_session: BrowserSessionId) -> Result<bool, Error> {
    Ok(ctx.store.ephemeral.remembers(&choice(id, browser_session)).await?)
}

fn choice(id: &InteractionId, browser_session: BrowserSessionId) -> String {
    format!("account:{}:{browser_session}", id.0)
}
