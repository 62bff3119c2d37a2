//! The next step of the browser: a page, or back to the application.

use actix_web::HttpResponse;

use crate::authorize::{Answer, Next, PromptPage};
use crate::ctx;
use crate::http::pages::{self, FormPost, PageContext};
use crate::http::redirect::see_other;
use crate::protocol::ResponseMode;

#[must_use]
pub(super) fn show(ctx: &ctx::Ctx, page_context: &PageContext, next: Next) -> HttpResponse {
    match next {
        Next::Prompt(ask, id) => {
            see_other(&ctx.config.path_to(&format!("{}?interaction={}", page_of(ask), id.as_str())))
        }
        Next::Answer(answer) => answer_to(page_context, answer),
    }
}

const fn page_of(ask: PromptPage) -> &'static str {
    match ask {
        PromptPage::SignIn => "/login",
        PromptPage::Account => "/login/account",
        PromptPage::Consent => "/consent",
    }
}

fn answer_to(page_context: &PageContext, answer: Answer) -> HttpResponse {
    match answer.mode {
        ResponseMode::Query => see_other(&answer.location()),
        ResponseMode::FormPost => {
            let fields = answer.parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            pages::form_post(page_context, &FormPost { action: answer.redirect_uri, fields, application: None })
        }
    }
}
