//! Bodies of the SimpleJWT-compatible API: JSON or a form, with errors in the form of Django REST framework.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};

use crate::http::error::RequestError;
use crate::http::form::{Form, media_type, read_body};
use crate::http::{Ctx, error};
use crate::model::Secret;

/// The most fields that are read. Each is compared with all before it.
const MAX_FIELDS: usize = 32;

pub enum Fields {
    Form(Form),
    Json(Vec<(String, Value)>),
}

#[derive(Debug)]
pub enum SimpleJwtRefusal {
    /// 400 `{field: [reason], …}`: fields are missing or of the wrong type.
    Fields(Vec<(&'static str, &'static str)>),
    /// 400 `{detail, code: "parse_error"}`: the body is not a JSON object.
    Malformed(&'static str),
    /// 415: the body is neither JSON nor a form.
    UnsupportedMediaType,
    NoActiveAccount,
    TokenNotValid,
    /// 404: the API is disabled.
    SwitchedOff,
    Other(RequestError),
}

impl Fields {
    /// Returns the texts in `names`.
    ///
    /// # Errors
    /// [`SimpleJwtRefusal::Fields`] with each field that is missing, blank or not a string.
    pub fn texts<const N: usize>(&self, names: [&'static str; N]) -> Result<[Secret; N], SimpleJwtRefusal> {
        let found = names.map(|name| (name, self.read(name).and_then(|text| text.ok_or("This field is required."))));
        let wrong: Vec<_> = found.iter().filter_map(|(name, text)| Some((*name, *text.as_ref().err()?))).collect();
        if !wrong.is_empty() {
            return Err(SimpleJwtRefusal::Fields(wrong));
        }
        // No field is wrong, so each has a value.
        Ok(found.map(|(_, text)| text.unwrap_or_else(Secret::new)))
    }

    /// Returns the text in `name`, if present; [`SimpleJwtRefusal::Fields`] where it is blank or not a string.
    pub fn optional(&self, name: &'static str) -> Result<Option<Secret>, SimpleJwtRefusal> {
        self.read(name).map_err(|why| SimpleJwtRefusal::Fields(vec![(name, why)]))
    }

    fn read(&self, name: &str) -> Result<Option<Secret>, &'static str> {
        match self {
            Self::Form(form) => Ok(form.secret(name)),
            Self::Json(fields) => match fields.iter().find(|(field, _)| field == name) {
                None => Ok(None),
                Some((_, Value::String(text))) if text.is_empty() => Err("This field may not be blank."),
                Some((_, Value::String(text))) => Ok(Some(Secret::new(text.clone()))),
                Some((_, Value::Null)) => Err("This field may not be null."),
                Some(_) => Err("Not a valid string."),
            },
        }
    }
}

impl FromRequest for Fields {
    type Error = SimpleJwtRefusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, SimpleJwtRefusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_open = request.app_data::<Ctx>().is_some_and(|ctx| ctx.config.simplejwt.enabled);
        let media_type = media_type(request);
        let body = read_body(request.clone(), payload.take());
        Box::pin(async move {
            if !is_open {
                return Err(SimpleJwtRefusal::SwitchedOff);
            }
            let body = body.await?;
            match media_type.as_str() {
                "application/json" => {
                    let Object(fields) = serde_json::from_slice(&body).map_err(|_| {
                        SimpleJwtRefusal::Malformed("JSON parse error: the body is one object, each field once")
                    })?;
                    Ok(Self::Json(fields))
                }
                "application/x-www-form-urlencoded" => Ok(Self::Form(Form::parse(&body)?)),
                "" if body.is_empty() => Ok(Self::Form(Form::default())),
                _ => Err(SimpleJwtRefusal::UnsupportedMediaType),
            }
        })
    }
}

/// A JSON object in which no name occurs twice.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if fields.len() == MAX_FIELDS {
                        return Err(serde::de::Error::custom("there are too many fields"));
                    }
                    if fields.iter().any(|(known, _)| *known == name) {
                        return Err(serde::de::Error::custom("a field is given twice"));
                    }
                    fields.push((name, value));
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl<E: Into<RequestError>> From<E> for SimpleJwtRefusal {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl fmt::Display for SimpleJwtRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(wrong) => wrong.iter().try_for_each(|(name, why)| write!(f, "{name}: {why} ")),
            Self::Malformed(why) => f.write_str(why),
            Self::UnsupportedMediaType => f.write_str("the body is neither JSON nor a form"),
            Self::NoActiveAccount => f.write_str("no active account with these credentials"),
            Self::TokenNotValid => f.write_str("the token is not valid"),
            Self::SwitchedOff => f.write_str("the SimpleJWT-compatible API is switched off"),
            Self::Other(error) => error::for_the_log(error, f),
        }
    }
}

impl ResponseError for SimpleJwtRefusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Fields(_) | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoActiveAccount | Self::TokenNotValid => StatusCode::UNAUTHORIZED,
            Self::SwitchedOff => StatusCode::NOT_FOUND,
            Self::Other(error) => error::code_and_status(error).1,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = match self {
            Self::Other(error) => error::refusal(error),
            _ => HttpResponse::build(self.status_code()),
        };
        response.insert_header(("Cache-Control", "no-store"));
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"api\""));
        }
        response.json(match self {
            Self::Fields(wrong) => wrong.iter().map(|(name, why)| (*name, json!([why]))).collect(),
            Self::Malformed(why) => json!({ "detail": why, "code": "parse_error" }),
            Self::UnsupportedMediaType => json!({
                "detail": "The body is application/json or application/x-www-form-urlencoded",
                "code": "unsupported_media_type",
            }),
            Self::NoActiveAccount => json!({
                "detail": "No active account found with the given credentials",
                "code": "no_active_account",
            }),
            Self::TokenNotValid => json!({ "detail": "Token is invalid or expired", "code": "token_not_valid" }),
            Self::SwitchedOff => json!({ "detail": "Not found.", "code": "not_found" }),
            Self::Other(error) => {
                json!({ "detail": error::description(error), "code": error::code_and_status(error).0 })
            }
        })
    }
}
