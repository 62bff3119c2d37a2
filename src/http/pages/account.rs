//! Account: where I am signed in, which applications have access, and my password.

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

/// What the page is about.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// The token of these forms.
    pub csrf: String,
    /// Whose account it is.
    pub user: String,
    /// Where they are signed in.
    pub browser_sessions: Vec<SignedInBrowser>,
    /// What has access.
    pub applications: Vec<ConnectedApplication>,
    /// The fewest characters of a new password.
    pub minimum_length: usize,
    /// What was just done.
    pub done: Option<AccountNotice>,
    /// Why the password was not changed.
    pub problem: Option<PasswordProblem>,
    /// Why nothing was done.
    pub stopped: Option<Problem>,
    /// The time.
    pub now: Timestamp,
}

/// A sign-in of some browser.
#[derive(Debug, Clone)]
pub struct SignedInBrowser {
    /// Its identifier.
    pub id: String,
    /// Where it is.
    pub user_agent: UserAgent,
    /// When it began.
    pub since: Timestamp,
    /// When it was last used.
    pub last_used: Timestamp,
    /// Whether this very page was asked for with it.
    pub is_this: bool,
}

/// An application with access.
#[derive(Debug, Clone)]
pub struct ConnectedApplication {
    /// `client_id`
    pub id: String,
    /// Who it is.
    pub application: Application,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Since when.
    pub since: Timestamp,
    /// When it last used its access, if it holds any tokens.
    pub last_used: Option<Timestamp>,
}

/// What was just done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountNotice {
    /// One sign-in was ended.
    BrowserSessionEnded,
    /// All but this one were ended.
    OthersEnded,
    /// An application has no access any more.
    Withdrawn,
    /// The password is another one.
    PasswordChanged,
}

/// Why a password was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem {
    /// A field was left empty.
    Missing,
    /// The current one is not right.
    WrongCurrent,
    /// The new one was typed in two ways.
    NotTheSame,
    /// The new one has fewer characters than these.
    TooShort(usize),
    /// The new one is beyond all measure.
    TooLong,
    /// The new one is the user's name.
    LikeTheName,
    /// Everybody has the new one.
    Common,
    /// Any that the sign-in page may show as well.
    Other(Problem),
}

/// The page.
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

    /// What an address calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BrowserSessionEnded => "browser_session",
            Self::OthersEnded => "others",
            Self::Withdrawn => "withdrawn",
            Self::PasswordChanged => "password",
        }
    }

    /// What the address means.
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

    /// Which field it lies in: `current`, `new`, or neither.
    fn field(self) -> &'static str {
        match self {
            Self::WrongCurrent | Self::Missing => "current",
            Self::NotTheSame | Self::TooShort(_) | Self::TooLong | Self::LikeTheName | Self::Common => "new",
            Self::Other(_) => "",
        }
    }
}
