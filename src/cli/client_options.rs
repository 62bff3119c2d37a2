//! The metadata of a client as options: `client add` gives them, `client set` changes those that are named. Each option
//! is a member of a merge patch, under the member's name.

use std::str::FromStr;

use clap::Args;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::answer::problem;
use crate::config;
use crate::model::{Pkce, SigningAlgorithm, SubjectType};
use crate::protocol::{GrantType, MergePatch, RedirectUri, ResponseMode, Scope};

/// Client metadata as options. What has no option can be given by `--metadata`.
#[derive(Debug, Args, Serialize)]
pub struct MetadataOptions {
    /// Client metadata as JSON, or a file that holds it, by the names of RFC 7591, as `client show` prints it; `null`
    /// takes away. The other options count where both name something.
    #[arg(long, value_name = "JSON|FILE")]
    #[serde(skip)]
    metadata: Option<String>,
    /// The name that people see.
    #[arg(long = "name")]
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<String>,
    /// An address that it may redirect to, compared byte by byte; may be repeated.
    #[arg(long = "redirect-uri", value_name = "URI", value_parser = RedirectUri::parse)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    redirect_uris: Vec<RedirectUri>,
    /// An address to return to after sign-out; may be repeated.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI", value_parser = RedirectUri::parse)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where to send logout tokens (back-channel logout).
    #[arg(long, value_name = "URI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    backchannel_logout_uri: Option<Text>,
    /// What it may present: `authorization_code`, `client_credentials`, `refresh_token`; may be repeated.
    #[arg(long = "grant", value_name = "GRANT")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    grant_types: Vec<GrantType>,
    /// The most it may be granted, as one text: "a b c".
    #[arg(long, value_parser = Scope::parse)]
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
    /// The `aud` of its access tokens; may be repeated. The issuer where absent; for users who sign in to a client that
    /// is not trusted, the client itself.
    #[arg(long = "audience", value_name = "AUDIENCE")]
    #[serde(rename = "tokenhouse_audience", skip_serializing_if = "Vec::is_empty")]
    audience: Vec<String>,
    /// First-party: no consent page.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(rename = "tokenhouse_trusted", skip_serializing_if = "Option::is_none")]
    trusted: Option<bool>,
    /// How long its access tokens live, as in `10m`; the server's where absent.
    #[arg(long = "access-lifetime", value_name = "TIME")]
    #[serde(rename = "tokenhouse_access_token_lifetime", skip_serializing_if = "Option::is_none")]
    access_token_lifetime: Option<Life>,
    /// How long its refresh tokens live, as in `24h`; the server's where absent.
    #[arg(long = "refresh-lifetime", value_name = "TIME")]
    #[serde(rename = "tokenhouse_refresh_token_lifetime", skip_serializing_if = "Option::is_none")]
    refresh_token_lifetime: Option<Life>,
    /// Its home page.
    #[arg(long, value_name = "URI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<Text>,
    /// Its picture, shown on the pages.
    #[arg(long, value_name = "URI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<Text>,
    /// What it does with what it learns of people.
    #[arg(long, value_name = "URI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_uri: Option<Text>,
    /// Its terms of service.
    #[arg(long, value_name = "URI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tos_uri: Option<Text>,
    /// Its operator is not verified: users are asked for consent at every authorization.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(rename = "tokenhouse_unverified", skip_serializing_if = "Option::is_none")]
    unverified: Option<bool>,
    /// How answers reach it: `query`, `form_post`; may be repeated. Every way where absent.
    #[arg(long = "response-mode", value_name = "MODE", value_parser = response_mode)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    response_modes: Vec<ResponseMode>,
    /// Whether it must use PKCE: `required` or `optional`; the server's rule where absent.
    #[arg(long, value_name = "RULE", value_parser = word::<Pkce>)]
    #[serde(rename = "tokenhouse_pkce", skip_serializing_if = "Option::is_none")]
    pkce: Option<Word<Pkce>>,
    /// What its ID tokens are signed with; the server's algorithm where absent.
    #[arg(long = "id-token-alg", value_name = "ALGORITHM", value_parser = word::<SigningAlgorithm>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token_signed_response_alg: Option<Word<SigningAlgorithm>>,
    /// What answers of userinfo are signed with; plain JSON where absent.
    #[arg(long = "userinfo-alg", value_name = "ALGORITHM", value_parser = word::<SigningAlgorithm>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_signed_response_alg: Option<Word<SigningAlgorithm>>,
    /// By which name it knows people: `public` or `pairwise`.
    #[arg(long, value_name = "TYPE", value_parser = word::<SubjectType>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_type: Option<Word<SubjectType>>,
    /// The host for which pairwise names are made; that of its redirect URIs where absent.
    #[arg(long, value_name = "HOST")]
    #[serde(rename = "tokenhouse_sector_identifier", skip_serializing_if = "Option::is_none")]
    sector_identifier: Option<Text>,
    /// People must have proved who they are within this time, as in `1h`.
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    default_max_age: Option<Life>,
    /// Where others may send people to sign in to it.
    #[arg(long, value_name = "URI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    initiate_login_uri: Option<Text>,
    /// It needs to know which session is over.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    backchannel_logout_session_required: Option<bool>,
    /// A page of it that is loaded in the browser that signs out.
    #[arg(long, value_name = "URI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    frontchannel_logout_uri: Option<Text>,
    /// The page needs the parameters `iss` and `sid`, which say which session of which issuer is over.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    frontchannel_logout_session_required: Option<bool>,
}

/// A text option. An empty text removes the member.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
struct Text(Option<String>);

/// A duration option, in JSON as whole seconds. An empty text removes the member.
#[derive(Debug, Clone, Copy)]
struct Life(Option<config::Duration>);

/// An option with the same spelling as the JSON value. An empty text removes the member.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
struct Word<T>(Option<T>);

impl MetadataOptions {
    /// Builds the merge patch: `--metadata`, overridden by the other options. An empty text removes a member.
    pub fn patch(self) -> Result<MergePatch, String> {
        let options: Map<String, Value> =
            serde_json::to_value(&self).and_then(serde_json::from_value).map_err(problem)?;
        let given = self.metadata.as_deref().map(read_metadata).transpose()?.unwrap_or_default();
        Ok(options.into_iter().fold(given, |patch, (name, value)| patch.with(&name, value)))
    }
}

fn read_metadata(text: &str) -> Result<MergePatch, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| format!("--metadata: {error}"));
    }
    let file = std::fs::read_to_string(text).map_err(|error| format!("--metadata: {text}: {error}"))?;
    serde_json::from_str(&file).map_err(|error| format!("--metadata: {text}: {error}"))
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl FromStr for Life {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(Self(None)) } else { text.parse().map(|span| Self(Some(span))) }
    }
}

impl Serialize for Life {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.map(|span| span.get().as_secs()).serialize(serializer)
    }
}

/// Parses a value as the JSON string of the same spelling.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<Word<T>, String> {
    if text.is_empty() {
        return Ok(Word(None));
    }
    serde_json::from_value(Value::from(text)).map(|word| Word(Some(word))).map_err(|error| error.to_string())
}

fn response_mode(text: &str) -> Result<ResponseMode, String> {
    ResponseMode::named(text).ok_or_else(|| "it is query or form_post".to_owned())
}
