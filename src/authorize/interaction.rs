//! Authorization requests that wait for the user: kept in the ephemeral store, bound to the browser that began them,
//! finished once.
//!
//! [`Interaction::open`] reads the stored request once; every later question of a page or a form uses what was read.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::check::is_registered;
use super::consent;
use super::progress::{Arrival, issue, next_step, nobody};
use super::request::Request;
use super::step::{PromptPage, Step};
use crate::authentication;
use crate::browser_sessions::{self, Browser, LiveBrowserSession};
use crate::ctx::Ctx;
use crate::digest;
use crate::error::{Error, Internal};
use crate::model::{BrowserSessionId, Client, ClientState, UserId};
use crate::protocol::{ErrorCode, GrantType};
use crate::store::TakeOutcome;

/// The maximum size of a stored request, in bytes.
const LARGEST: usize = 16 * 1024;

const KEPT: Duration = Duration::from_mins(30);

/// The identifier of an interaction: 128 random bits. It is not secret; the browser's cookie is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct InteractionId(String);

impl InteractionId {
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
            Err(Error::invalid_request("this is not the name of an authorization request"))
        }
    }
}

#[derive(Debug)]
pub enum Next {
    Prompt(PromptPage, InteractionId),
    Answer(Answer),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredInteraction {
    request: Request,
    /// SHA-256 of the browser's cookie.
    browser: [u8; 32],
    /// The browser session whose account the user has chosen to keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chosen: Option<BrowserSessionId>,
}

impl StoredInteraction {
    fn encode(&self) -> Result<String, Error> {
        let text = serde_json::to_string(self);
        text.map_err(|error| Internal::new("an interaction cannot be written", error).into())
    }
}

/// Stores a request until the user has answered.
pub(super) async fn keep(ctx: &Ctx, browser: &Browser, request: Request) -> Result<InteractionId, Error> {
    let id = InteractionId(URL_SAFE_NO_PAD.encode(ctx.random.bytes::<16>()));
    let text = StoredInteraction { request, browser: browser.digest(), chosen: None }.encode()?;
    if text.len() > LARGEST {
        return Err(Error::invalid_request("the request is larger than 16 KiB"));
    }
    authentication::count_request(ctx, browser.user_agent.address.as_deref()).await?;
    ctx.store.ephemeral.put_once(&id.key(), &text, KEPT).await?;
    Ok(id)
}

/// An interaction as it was read for one request of the browser: the stored request, its client, the browser session,
/// and the next step.
#[derive(Debug)]
pub struct Interaction<'b> {
    browser: &'b Browser,
    id: InteractionId,
    stored: StoredInteraction,
    /// `stored` as the ephemeral store has it, for compare-and-set.
    text: String,
    client: Arc<Client>,
    signed_in: Option<LiveBrowserSession>,
    step: Step,
}

impl<'b> Interaction<'b> {
    /// Opens an interaction of this browser.
    ///
    /// # Errors
    /// `invalid_request` when it has expired, was begun in another browser, or its client no longer has this
    /// registration; [`Error::Unavailable`].
    pub async fn open(ctx: &Ctx, browser: &'b Browser, id: InteractionId) -> Result<Self, Error> {
        let (stored, text) = find(ctx, browser, &id).await?;
        let client = application(ctx, &stored.request).await?;
        let signed_in = browser_sessions::find(ctx, browser.session_cookie.as_ref()).await?;
        let mut interaction =
            Self { browser, id, stored, text, client, signed_in, step: Step::Prompt(PromptPage::SignIn) };
        interaction.step = interaction.next_step(ctx).await?;
        Ok(interaction)
    }

    #[must_use]
    pub const fn id(&self) -> &InteractionId {
        &self.id
    }

    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.stored.request
    }

    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    #[must_use]
    pub const fn signed_in(&self) -> Option<&LiveBrowserSession> {
        self.signed_in.as_ref()
    }

    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// Continues: shows a page, or returns to the client with an answer.
    ///
    /// # Errors
    /// `invalid_request` when the interaction is finished; [`Error::Unavailable`].
    pub async fn resume(&self, ctx: &Ctx) -> Result<Next, Error> {
        match (self.step, &self.signed_in) {
            (Step::Prompt(page), _) => Ok(Next::Prompt(page, self.id.clone())),
            (Step::Refuse(error), _) => self.refuse(ctx, error).await,
            (Step::Issue, Some(signed_in)) => self.issue(ctx, signed_in).await,
            (Step::Issue, None) => Err(nobody()),
        }
    }

    pub async fn keep_account(mut self, ctx: &Ctx) -> Result<Next, Error> {
        let Some(keeps) = self.signed_in.as_ref().map(|on| on.browser_session.id) else {
            return self.resume(ctx).await;
        };
        if !self.note_choice(ctx, keeps).await? {
            // Another tab has changed or finished the interaction in the meantime.
            self = Self::open(ctx, self.browser, self.id).await?;
            if self.stored.chosen != Some(keeps) && !self.note_choice(ctx, keeps).await? {
                return Err(finished());
            }
        }
        self.resume(ctx).await
    }

    /// Grants the client what it requests. `asked` is the user whom the page has asked: if another user has signed in
    /// since, in another tab, that user is asked.
    pub async fn allow(&self, ctx: &Ctx, asked: UserId) -> Result<Next, Error> {
        let Some(signed_in) = self.may_answer(asked) else { return self.resume(ctx).await };
        consent::give(ctx, &signed_in.user, &self.client, &self.request().to_agree_to()).await?;
        self.issue(ctx, signed_in).await
    }

    /// Denies the client what it requests. `asked` is as for [`Interaction::allow`].
    pub async fn deny(&self, ctx: &Ctx, asked: UserId) -> Result<Next, Error> {
        match self.may_answer(asked) {
            Some(_) => self.refuse(ctx, ErrorCode::AccessDenied).await,
            None => self.resume(ctx).await,
        }
    }

    /// Returns the browser session that answers the question for consent. `None` if the user has signed out or changed,
    /// or if another question comes first.
    fn may_answer(&self, asked: UserId) -> Option<&LiveBrowserSession> {
        match self.step {
            Step::Prompt(PromptPage::Consent) | Step::Issue => {
                self.signed_in.as_ref().filter(|signed_in| signed_in.user.id == asked)
            }
            Step::Prompt(PromptPage::SignIn | PromptPage::Account) | Step::Refuse(_) => None,
        }
    }

    async fn refuse(&self, ctx: &Ctx, error: ErrorCode) -> Result<Next, Error> {
        self.finish(ctx).await?;
        Ok(Next::Answer(Answer::refusal(ctx, self.request(), error)))
    }

    async fn issue(&self, ctx: &Ctx, signed_in: &LiveBrowserSession) -> Result<Next, Error> {
        self.finish(ctx).await?;
        issue(ctx, &self.client, self.request(), signed_in, self.browser).await.map(Next::Answer)
    }

    /// Takes the interaction, so that only the first of several tabs answers it.
    async fn finish(&self, ctx: &Ctx) -> Result<(), Error> {
        match ctx.store.ephemeral.take_once(&self.id.key()).await? {
            TakeOutcome::First(_) => Ok(()),
            TakeOutcome::Again(_) | TakeOutcome::Absent => Err(finished()),
        }
    }

    /// Stores the choice to keep the account of this browser session. `false`: the interaction was changed since it was
    /// read.
    async fn note_choice(&mut self, ctx: &Ctx, keeps: BrowserSessionId) -> Result<bool, Error> {
        let noted = StoredInteraction { chosen: Some(keeps), ..self.stored.clone() };
        let text = noted.encode()?;
        if !ctx.store.ephemeral.update_once(&self.id.key(), &self.text, &text).await? {
            return Ok(false);
        }
        (self.stored, self.text) = (noted, text);
        self.step = self.next_step(ctx).await?;
        Ok(true)
    }

    async fn next_step(&self, ctx: &Ctx) -> Result<Step, Error> {
        let arrival = Arrival::Waited(self.stored.chosen);
        next_step(ctx, &self.client, self.request(), self.signed_in.as_ref(), arrival).await
    }
}

async fn find(ctx: &Ctx, browser: &Browser, id: &InteractionId) -> Result<(StoredInteraction, String), Error> {
    let gone =
        || Error::invalid_request("this authorization took too long; go back to the application and begin again");
    let text = ctx.store.ephemeral.peek(&id.key()).await?.ok_or_else(gone)?;
    let stored: StoredInteraction = serde_json::from_str(&text).map_err(|_| gone())?;
    if !digest::equal(&stored.browser, &browser.digest()) {
        return Err(Error::invalid_request("this sign-in was begun in another browser"));
    }
    Ok((stored, text))
}

/// Loads the client, if it is active and still registered for this redirect URI and the grant.
async fn application(ctx: &Ctx, request: &Request) -> Result<Arc<Client>, Error> {
    let may_go_on = |client: &Arc<Client>| {
        client.state == ClientState::Active
            && client.may_use(GrantType::AuthorizationCode)
            && is_registered(client, request.return_to.redirect_uri())
    };
    let gone = || Error::invalid_request("the application is not registered like this any more");
    ctx.store.client(&request.client_id).await?.filter(may_go_on).ok_or_else(gone)
}

fn finished() -> Error {
    Error::invalid_request("this authorization is finished; go back to the application")
}
