//! What has to happen next: a pure function of the request and of what is known.

use std::time::Duration;

use super::request::Request;
use crate::model::{BrowserSession, Client, User};
use crate::protocol::{ErrorCode, Prompt, Scope};

/// What has to happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The person is asked something.
    Prompt(PromptPage),
    /// Everything is known: a code.
    Issue,
    /// The application is told why not.
    Refuse(ErrorCode),
}

/// What a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptPage {
    /// To prove who they are.
    SignIn,
    /// Whether to go on with the account that is signed in.
    Account,
    /// Whether the application may have what it asks for.
    Consent,
}

/// What is known of the person in the browser.
#[derive(Debug, Clone)]
pub(super) struct StepInput<'a> {
    pub browser_session: &'a BrowserSession,
    pub user: &'a User,
    /// As the application knows them.
    pub subject: String,
    /// What they have agreed to with the application.
    pub agreed: Option<&'a Scope>,
    /// The request has waited for them; otherwise it has only just come.
    pub waited: bool,
    /// They said in this interaction that they keep this account.
    pub chosen: bool,
}

/// The next step. Nothing but what is known counts, so no order of pages can skip one.
pub(super) fn next(client: &Client, request: &Request, known: Option<StepInput<'_>>) -> Step {
    let Some(known) = known else { return ask(request, PromptPage::SignIn, ErrorCode::LoginRequired) };
    // A sign-in within this interaction has answered whatever asked for one. No clocks are compared: it is another
    // browser session than the browser had when the request came, or the same one renewed.
    let just_signed_in =
        known.waited && request.seen != Some((known.browser_session.id, known.browser_session.auth_time));
    if request.subject.as_ref().is_some_and(|subject| *subject != known.subject) {
        let other = ErrorCode::LoginRequired;
        return if just_signed_in { Step::Refuse(other) } else { ask(request, PromptPage::SignIn, other) };
    }
    if !just_signed_in && (request.prompts(Prompt::Login) || is_too_old(request, known.browser_session)) {
        return ask(request, PromptPage::SignIn, ErrorCode::LoginRequired);
    }
    if request.wants_choice() && !just_signed_in && !known.chosen {
        return ask(request, PromptPage::Account, ErrorCode::AccountSelectionRequired);
    }
    if request.scope.concerns_this_server() && !known.user.admin {
        return Step::Refuse(ErrorCode::AccessDenied);
    }
    let silently = !just_signed_in && is_anybodys(client, request);
    if silently || needs_consent(client, request, known.agreed) {
        return ask(request, PromptPage::Consent, ErrorCode::ConsentRequired);
    }
    Step::Issue
}

fn ask(request: &Request, page: PromptPage, otherwise: ErrorCode) -> Step {
    if request.prompts(Prompt::None) { Step::Refuse(otherwise) } else { Step::Prompt(page) }
}

fn is_too_old(request: &Request, browser_session: &BrowserSession) -> bool {
    request.max_age.is_some_and(|most| request.began_at.since(browser_session.auth_time) > Duration::from_secs(most))
}

/// Whether other programs on the person's device could come back to this address too (RFC 8252 section 8.6): then no
/// code goes there without the person.
fn is_anybodys(client: &Client, request: &Request) -> bool {
    client.is_public() && !request.return_to.redirect_uri().starts_with("https://")
}

fn needs_consent(client: &Client, request: &Request, agreed: Option<&Scope>) -> bool {
    if request.prompts(Prompt::Consent) || client.metadata.unverified {
        return true;
    }
    !client.metadata.trusted && !agreed.is_some_and(|agreed| request.to_agree_to().is_within(agreed))
}
