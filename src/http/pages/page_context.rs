//! The context of a page: language, brand and request id. Every page is rendered and answered here, so that none lacks
//! a header.

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY};
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, ResponseError};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::brand::Brand;
use super::language::Language;
use super::policy::Policy;
use super::templates;
use super::texts::{self, Message};
use crate::http::request_log;

#[derive(Debug, Clone)]
pub struct PageContext {
    pub(super) brand: Arc<Brand>,
    pub(super) language: Language,
    pub(super) request_id: Option<String>,
}

impl PageContext {
    #[must_use]
    pub fn new(brand: Arc<Brand>, language: Language, request_id: Option<String>) -> Self {
        Self { brand, language, request_id }
    }

    /// Switches to the language that the application asks for, if the pages support it.
    #[must_use]
    pub fn with_ui_locales(mut self, ui_locales: Option<&str>) -> Self {
        if let Some(language) = ui_locales.and_then(Language::of_ui_locales) {
            self.language = language;
        }
        self
    }

    pub(super) fn say(&self, message: &Message) -> String {
        texts::say(self.language, message).unwrap_or_else(|problem| {
            tracing::error!(problem, "a message could not be said");
            message.id.to_owned()
        })
    }

    /// Answers with the template `name`, rendered with `page`.
    pub(super) fn answer(
        &self,
        status: StatusCode,
        name: &str,
        page: &impl Serialize,
        policy: &Policy,
    ) -> HttpResponse {
        let context = context! { page => Value::from(Serde(page)), brand => self.brand_model() };
        match templates::render(self.language, name, context) {
            Ok(html) => HttpResponse::build(status)
                .insert_header((CACHE_CONTROL, "no-store"))
                .insert_header((CONTENT_SECURITY_POLICY, policy.to_string()))
                .insert_header(("X-Frame-Options", "DENY"))
                .insert_header(("Referrer-Policy", "no-referrer"))
                .insert_header((CONTENT_LANGUAGE, self.language.tag()))
                .content_type("text/html; charset=utf-8")
                .body(html),
            Err(error) => HttpResponse::from_error(RenderError(error)),
        }
    }

    fn brand_model(&self) -> Value {
        let brand = &self.brand;
        let asset = |name: &str| format!("{}/assets/{name}", brand.base);
        let own_style = brand.own_style.as_ref().map(|style| asset(&style.name));
        context! {
            name => brand.name.clone(),
            base => brand.base.clone(),
            policy_uri => brand.policy_uri.clone(),
            terms_uri => brand.terms_uri.clone(),
            logo => asset(&brand.logo.name),
            styles => [Some(asset(&brand.style.name)), own_style].into_iter().flatten().collect::<Vec<_>>(),
        }
    }
}

impl FromRequest for PageContext {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl PageContext {
    pub(in crate::http) fn of(request: &HttpRequest) -> Result<Self, Error> {
        let accepted = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = accepted.and_then(Language::of_accept_language).unwrap_or_default();
        let Some(brand) = request.app_data::<Data<Brand>>() else {
            return Err(ErrorInternalServerError("no brand was mounted"));
        };
        Ok(Self::new(brand.clone().into_inner(), language, Some(request_log::id_of(request))))
    }
}

/// A page that could not be rendered because of a mistake in a template. The log has the cause.
#[derive(Debug)]
struct RenderError(minijinja::Error);

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the page could not be written: {:#}", self.0)
    }
}

impl ResponseError for RenderError {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::InternalServerError()
            .insert_header((CACHE_CONTROL, "no-store"))
            .content_type("text/plain; charset=utf-8")
            .body("Something is wrong on our side; the log has it under this request's id.")
    }
}
