//! The parts of a client as options: `client add` gives them, `client set` changes those that are named.

use std::str::FromStr;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::problem;
use crate::clients::{ClientChange, Edit};
use crate::config;
use crate::model::{Pkce, SignOnChange, SigningAlgorithm, SubjectType};
use crate::protocol::{GrantType, RedirectUri, ResponseMode, Scope};

/// What a client is registered with.
#[derive(Debug, Args)]
pub struct Parts {
    /// The name that people see.
    #[arg(long)]
    pub name: Option<String>,
    /// An address that it may redirect to, compared byte by byte; may be repeated.
    #[arg(long = "redirect-uri", value_name = "URI", value_parser = RedirectUri::parse)]
    pub redirect_uris: Vec<RedirectUri>,
    /// An address to return to after sign-out; may be repeated.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI", value_parser = RedirectUri::parse)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where to report sign-outs.
    #[arg(long, value_name = "URI")]
    pub backchannel_logout_uri: Option<String>,
    /// What it may present: `authorization_code`, `client_credentials`, `refresh_token`; may be repeated.
    #[arg(long = "grant", value_name = "GRANT")]
    pub grants: Vec<GrantType>,
    /// The most it may be granted, as one text: "a b c".
    #[arg(long, value_parser = Scope::parse)]
    pub scope: Option<Scope>,
    /// The `aud` of its access tokens; may be repeated. The issuer where absent; for people whom it signs on without
    /// being trusted, the client itself.
    #[arg(long = "audience", value_name = "AUDIENCE")]
    pub audience: Vec<String>,
    /// First-party: no consent page.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub trusted: Option<bool>,
    /// How long its access tokens live, as in `10m`; the server's where absent.
    #[arg(long, value_name = "TIME")]
    pub access_lifetime: Option<Life>,
    /// How long its refresh tokens live, as in `24h`; the server's where absent.
    #[arg(long, value_name = "TIME")]
    pub refresh_lifetime: Option<Life>,
    /// About sign-in and logout.
    #[command(flatten)]
    pub sign_on: SignOnParts,
}

/// What it is registered with about sign-in and logout.
#[derive(Debug, Args)]
pub struct SignOnParts {
    /// Its home page.
    #[arg(long, value_name = "URI")]
    client_uri: Option<String>,
    /// Its picture, shown on the pages.
    #[arg(long, value_name = "URI")]
    logo_uri: Option<String>,
    /// What it does with what it learns of people.
    #[arg(long, value_name = "URI")]
    policy_uri: Option<String>,
    /// Its terms of service.
    #[arg(long, value_name = "URI")]
    tos_uri: Option<String>,
    /// Nobody vouches for who runs it: people are asked at every authorization.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    unverified: Option<bool>,
    /// How answers reach it: `query`, `form_post`; may be repeated. Every way where absent.
    #[arg(long = "response-mode", value_name = "MODE", value_parser = response_mode)]
    response_modes: Vec<ResponseMode>,
    /// Whether it must use PKCE: `required` or `optional`; the server's rule where absent.
    #[arg(long, value_name = "RULE", value_parser = word::<Pkce>)]
    pkce: Option<Word<Pkce>>,
    /// What its ID tokens are signed with; the server's algorithm where absent.
    #[arg(long, value_name = "ALGORITHM", value_parser = word::<SigningAlgorithm>)]
    id_token_alg: Option<Word<SigningAlgorithm>>,
    /// What answers of userinfo are signed with; plain JSON where absent.
    #[arg(long, value_name = "ALGORITHM", value_parser = word::<SigningAlgorithm>)]
    userinfo_alg: Option<Word<SigningAlgorithm>>,
    /// By which name it knows people: `public` or `pairwise`.
    #[arg(long, value_name = "TYPE", value_parser = word::<SubjectType>)]
    subject_type: Option<Word<SubjectType>>,
    /// The host for which pairwise names are made; that of its redirect URIs where absent.
    #[arg(long, value_name = "HOST")]
    sector_identifier: Option<String>,
    /// People must have proved who they are within this time, as in `1h`.
    #[arg(long, value_name = "TIME")]
    default_max_age: Option<Life>,
    /// Where others may send people to signs in to it.
    #[arg(long, value_name = "URI")]
    initiate_login_uri: Option<String>,
    /// It needs to know which session is over.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    backchannel_logout_session_required: Option<bool>,
    /// A page of it that is loaded in the browser that signs out.
    #[arg(long, value_name = "URI")]
    frontchannel_logout_uri: Option<String>,
    /// That page is told which session of which issuer is over.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    frontchannel_logout_session_required: Option<bool>,
}

/// A length of time, or none.
#[derive(Debug, Clone, Copy)]
pub struct Life(Option<config::Duration>);

/// A word that JSON knows too, or none.
#[derive(Debug, Clone, Copy)]
struct Word<T>(Option<T>);

impl Parts {
    /// The change of what is named.
    ///
    /// # Errors
    /// A sentence when the parts cannot be put together.
    pub fn change(self) -> Result<ClientChange, String> {
        let listed = |grants: Vec<GrantType>| (!grants.is_empty()).then_some(grants);
        Ok(ClientChange {
            name: self.name,
            trusted: self.trusted,
            grants: listed(self.grants),
            scope: self.scope,
            audience: (!self.audience.is_empty()).then_some(self.audience),
            redirect_uris: (!self.redirect_uris.is_empty()).then_some(self.redirect_uris),
            post_logout_redirect_uris: (!self.post_logout_redirect_uris.is_empty())
                .then_some(self.post_logout_redirect_uris),
            backchannel_logout_uri: match self.backchannel_logout_uri {
                None => Edit::Keep,
                Some(uri) if uri.is_empty() => Edit::Clear,
                Some(uri) => Edit::Set(uri),
            },
            sign_on: self.sign_on.change()?,
            access_token_algorithm: Edit::Keep,
            access_lifetime: self.access_lifetime.map_or(Edit::Keep, Life::edit),
            refresh_lifetime: self.refresh_lifetime.map_or(Edit::Keep, Life::edit),
            refresh: None,
        })
    }
}

impl SignOnParts {
    /// The change of what is named.
    ///
    /// # Errors
    /// A sentence when the parts cannot be put together.
    pub fn change(self) -> Result<SignOnChange, String> {
        let mut parts = Map::new();
        let mut name = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                parts.insert(name.to_owned(), value);
            }
        };
        name("client_uri", text(self.client_uri));
        name("logo_uri", text(self.logo_uri));
        name("policy_uri", text(self.policy_uri));
        name("tos_uri", text(self.tos_uri));
        name("unverified", self.unverified.map(Value::from));
        name("response_modes", (!self.response_modes.is_empty()).then(|| json(&self.response_modes)));
        name("pkce", self.pkce.map(|Word(word)| json(&word)));
        name("id_token_signed_response_alg", self.id_token_alg.map(|Word(word)| json(&word)));
        name("userinfo_signed_response_alg", self.userinfo_alg.map(|Word(word)| json(&word)));
        name("subject_type", self.subject_type.map(|Word(word)| json(&word)));
        name("sector_identifier", text(self.sector_identifier));
        name("default_max_age", self.default_max_age.map(|life| json(&life.seconds())));
        name("initiate_login_uri", text(self.initiate_login_uri));
        name("backchannel_logout_session_required", self.backchannel_logout_session_required.map(Value::from));
        name("frontchannel_logout_uri", text(self.frontchannel_logout_uri));
        name("frontchannel_logout_session_required", self.frontchannel_logout_session_required.map(Value::from));
        SignOnChange::try_from(parts).map_err(problem)
    }
}

impl Life {
    /// Whole seconds.
    #[must_use]
    pub fn seconds(self) -> Option<u64> {
        self.0.map(|span| span.get().as_secs())
    }

    fn edit(self) -> Edit<u64> {
        self.seconds().map_or(Edit::Clear, Edit::Set)
    }
}

impl FromStr for Life {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(Self(None)) } else { text.parse().map(|span| Self(Some(span))) }
    }
}

/// Reads a word that stands in JSON as it is typed.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<Word<T>, String> {
    if text.is_empty() {
        return Ok(Word(None));
    }
    serde_json::from_value(Value::from(text)).map(|word| Word(Some(word))).map_err(|error| error.to_string())
}

fn response_mode(text: &str) -> Result<ResponseMode, String> {
    ResponseMode::named(text).ok_or_else(|| "it is query or form_post".to_owned())
}

/// An empty text stands for none.
fn text(text: Option<String>) -> Option<Value> {
    text.map(|text| if text.is_empty() { Value::Null } else { Value::from(text) })
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
