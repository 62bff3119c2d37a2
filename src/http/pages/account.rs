//! The account page: browser sessions, applications with access, and the password.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::application::{self, Application};
use super::page_context::PageContext;
use super::policy::Policy;
use super::problem::{self, Problem};
use super::relative_time;
use super::scopes;
use super::texts::{Argument, Message};
use super::user_agent::{self, UserAgentText};
use crate::clock::Timestamp;
use crate::model::UserAgent;

#[derive(Debug, Clone, Default)]
pub struct Account {
    pub csrf: String,
    pub user: String,
    pub browser_sessions: Vec<SignedInBrowser>,
    pub applications: Vec<ConnectedApplication>,
    pub minimum_length: usize,
    pub done: Option<AccountNotice>,
    pub problem: Option<PasswordProblem>,
    /// Why a form was not accepted.
    pub stopped: Option<Problem>,
    pub now: Timestamp,
}

#[derive(Debug, Clone)]
pub struct SignedInBrowser {
    pub id: String,
    pub user_agent: UserAgent,
    pub since: Timestamp,
    pub last_used: Timestamp,
    /// Whether the page was requested under it.
    pub is_this: bool,
}

#[derive(Debug, Clone)]
pub struct ConnectedApplication {
    /// `client_id`
    pub id: String,
    pub application: Application,
    pub scopes: Vec<String>,
    /// When access was granted.
    pub since: Timestamp,
    /// When the access was last used, if the application holds any tokens.
    pub last_used: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountNotice {
    BrowserSessionEnded,
    OthersEnded,
    Withdrawn,
    PasswordChanged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem {
    Missing,
    WrongCurrent,
    /// The two entries of the new password differ.
    NotTheSame,
    /// The new password has fewer characters than this.
    TooShort(usize),
    TooLong,
    LikeTheName,
    Common,
    /// A problem that the sign-in page shows too.
    Other(Problem),
}

#[must_use]
pub fn account(page_context: &PageContext, page: &Account) -> HttpResponse {
    let shown = PageModel {
        csrf: &page.csrf,
        user: &page.user,
        browser_sessions: page
            .browser_sessions
            .iter()
            .map(|browser_session| signed_in(page_context, browser_session, page.now))
            .collect(),
        has_others: page.browser_sessions.iter().any(|browser_session| !browser_session.is_this),
        applications: page
            .applications
            .iter()
            .map(|entry| connected_application(page_context, entry, page.now))
            .collect(),
        minimum_length: page.minimum_length,
        done: page.done.map(|done| page_context.say(&done.message())),
        stopped: page.stopped.map(|problem| page_context.say(&problem.message())),
        problem: page.problem.map(|problem| page_context.say(&problem.message())),
        problem_in: page.problem.map_or("", PasswordProblem::field),
    };
    let logos = page.applications.iter().filter_map(|entry| entry.application.logo_address());
    let policy = Policy::default().with_images(logos).with_forms_here();
    let (status, other) = match page.problem {
        None => (problem::status(page.stopped), page.stopped),
        Some(PasswordProblem::Other(problem)) => (problem.status(), Some(problem)),
        Some(PasswordProblem::WrongCurrent) => (StatusCode::FORBIDDEN, None),
        Some(_) => (StatusCode::BAD_REQUEST, None),
    };
    problem::with_wait(page_context.answer(status, "account.html", &shown, &policy), other)
}

#[derive(Serialize)]
struct PageModel<'a> {
    csrf: &'a str,
    user: &'a str,
    browser_sessions: Vec<BrowserSessionRow<'a>>,
    has_others: bool,
    applications: Vec<ApplicationRow<'a>>,
    minimum_length: usize,
    done: Option<String>,
    stopped: Option<String>,
    problem: Option<String>,
    problem_in: &'static str,
}

#[derive(Serialize)]
struct BrowserSessionRow<'a> {
    id: &'a str,
    user_agent: String,
    address: Option<&'a str>,
    since: String,
    since_at: Timestamp,
    last_used: String,
    last_used_at: Timestamp,
    is_this: bool,
}

#[derive(Serialize)]
struct ApplicationRow<'a> {
    id: &'a str,
    application: application::ApplicationModel<'a>,
    scopes: Vec<scopes::ScopeModel<'a>>,
    since: String,
    since_at: Timestamp,
    last_used: Option<String>,
    last_used_at: Option<Timestamp>,
}

fn signed_in<'a>(
    page_context: &PageContext,
    browser_session: &'a SignedInBrowser,
    now: Timestamp,
) -> BrowserSessionRow<'a> {
    BrowserSessionRow {
        id: &browser_session.id,
        user_agent: match user_agent::in_words(browser_session.user_agent.name.as_deref()) {
            UserAgentText::Ours(message) => page_context.say(&message),
            UserAgentText::Its(text) => text,
        },
        address: browser_session.user_agent.address.as_deref(),
        since: page_context.say(&at("account-browser-session-since", browser_session.since, now)),
        since_at: browser_session.since,
        last_used: page_context.say(&at("account-browser-session-used", browser_session.last_used, now)),
        last_used_at: browser_session.last_used,
        is_this: browser_session.is_this,
    }
}

fn connected_application<'a>(
    page_context: &PageContext,
    entry: &'a ConnectedApplication,
    now: Timestamp,
) -> ApplicationRow<'a> {
    ApplicationRow {
        id: &entry.id,
        application: entry.application.shown(),
        scopes: scopes::in_words(&entry.scopes),
        since: page_context.say(&at("account-application-since", entry.since, now)),
        since_at: entry.since,
        last_used: entry.last_used.map(|used| page_context.say(&at("account-application-used", used, now))),
        last_used_at: entry.last_used,
    }
}

fn at(id: &'static str, moment: Timestamp, now: Timestamp) -> Message {
    let when = relative_time::in_words(moment, now);
    Message { id, args: vec![("when", Argument::Message(Box::new(when)))] }
}

impl AccountNotice {
    const ALL: [Self; 4] = [Self::BrowserSessionEnded, Self::OthersEnded, Self::Withdrawn, Self::PasswordChanged];

    /// Returns the name that an address has for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BrowserSessionEnded => "browser_session",
            Self::OthersEnded => "others",
            Self::Withdrawn => "withdrawn",
            Self::PasswordChanged => "password",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|done| done.name() == name)
    }

    fn message(self) -> Message {
        match self {
            Self::BrowserSessionEnded => Message::plain("done-browser-session-ended"),
            Self::OthersEnded => Message::plain("done-others-ended"),
            Self::Withdrawn => Message::plain("done-withdrawn"),
            Self::PasswordChanged => Message::plain("done-password-changed"),
        }
    }
}

impl PasswordProblem {
    fn message(self) -> Message {
        match self {
            Self::Missing => Message::plain("password-missing"),
            Self::WrongCurrent => Message::plain("password-wrong"),
            Self::NotTheSame => Message::plain("password-not-same"),
            Self::TooShort(least) => {
                Message::counting("password-too-short", "length", u64::try_from(least).unwrap_or(u64::MAX))
            }
            Self::TooLong => Message::plain("password-too-long"),
            Self::LikeTheName => Message::plain("password-like-name"),
            Self::Common => Message::plain("password-common"),
            Self::Other(problem) => problem.message(),
        }
    }

    /// Returns the field that it concerns: `current`, `new`, or none.
    fn field(self) -> &'static str {
        match self {
            Self::WrongCurrent | Self::Missing => "current",
            Self::NotTheSame | Self::TooShort(_) | Self::TooLong | Self::LikeTheName | Self::Common => "new",
            Self::Other(_) => "",
        }
    }
}
