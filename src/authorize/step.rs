//! Decides the next step of an authorization request: a pure function of the request and of what is known about the
//! user.

use std::time::Duration;

use super::request::Request;
use crate::model::{BrowserSession, Client, User};
use crate::protocol::{ErrorCode, Prompt, Scope};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Prompt(PromptPage),
    Issue,
    Refuse(ErrorCode),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptPage {
    SignIn,
    /// Whether to continue with the account that is signed in.
    Account,
    Consent,
}

#[derive(Debug, Clone)]
pub(super) struct StepInput<'a> {
    pub browser_session: &'a BrowserSession,
    pub user: &'a User,
    /// The user as the client knows them (`sub`).
    pub subject: String,
    /// The scope of the user's consent to the client.
    pub agreed: Option<&'a Scope>,
    /// Whether the request has waited for the user; otherwise it has just arrived.
    pub waited: bool,
    /// Whether the user chose in this interaction to keep this account.
    pub chosen: bool,
}

/// Decides the next step from what is known alone, so that no order of pages can skip one.
pub(super) fn next(client: &Client, request: &Request, known: Option<StepInput<'_>>) -> Step {
    let Some(known) = known else { return ask(request, PromptPage::SignIn, ErrorCode::LoginRequired) };
    // A sign-in within this interaction satisfies everything that demands one. No clocks are compared: the browser
    // session differs from the one that the browser had when the request arrived, or it was renewed.
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

/// Returns whether other programs on the user's device could receive this redirect too (RFC 8252 section 8.6). Then no
/// code is sent there without a question to the user.
fn is_anybodys(client: &Client, request: &Request) -> bool {
    client.is_public() && !request.return_to.redirect_uri().starts_with("https://")
}

fn needs_consent(client: &Client, request: &Request, agreed: Option<&Scope>) -> bool {
    if request.prompts(Prompt::Consent) || client.metadata.unverified {
        return true;
    }
    !client.metadata.trusted && !agreed.is_some_and(|agreed| request.to_agree_to().is_within(agreed))
}
