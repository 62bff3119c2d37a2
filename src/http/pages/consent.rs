//! Consent: may this application use the account?

use actix_web::HttpResponse;
use serde::Serialize;

use super::application::{self, Application};
use super::look::Look;
use super::policy::Policy;
use super::problem::{self, Problem};
use super::scopes;

/// What the page is about.
#[derive(Debug, Clone, Default)]
pub struct Consent {
    /// The transaction that goes on afterwards.
    pub transaction: Option<String>,
    /// The token of this form.
    pub csrf: String,
    /// Who asks.
    pub application: Application,
    /// Whose account it is about.
    pub user: String,
    /// The same, as the form says it: whoever answers must be the one who was asked.
    pub user_id: String,
    /// What it asks for.
    pub scopes: Vec<String>,
    /// Why the form comes back.
    pub problem: Option<Problem>,
}

#[derive(Serialize)]
struct Shown<'a> {
    transaction: Option<&'a str>,
    csrf: &'a str,
    application: application::Shown<'a>,
    user: &'a str,
    user_id: &'a str,
    scopes: Vec<scopes::Shown<'a>>,
    problem: Option<String>,
}

/// The page.
#[must_use]
pub fn consent(look: &Look, page: &Consent) -> HttpResponse {
    let shown = Shown {
        transaction: page.transaction.as_deref(),
        csrf: &page.csrf,
        application: page.application.shown(),
        user: &page.user,
        user_id: &page.user_id,
        scopes: scopes::in_words(&page.scopes),
        problem: page.problem.map(|problem| look.say(&problem.message())),
    };
    let policy = Policy::default().with_images(page.application.logo_address());
    problem::with_wait(look.answer(problem::status(page.problem), "consent.html", &shown, &policy), page.problem)
}
