//! An authorization request: as it came, and once it was checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::model::{BrowserSessionId, ClientId, Confirmation};
use crate::protocol::{ClaimsRequest, CodeChallenge, Prompt, ResponseMode, Scope};

/// The parameters as they came, by GET or POST.
#[derive(Debug, Default)]
pub struct Parameters {
    /// Those that came once. Empty ones are absent (RFC 6749 section 3.1).
    pub once: BTreeMap<String, String>,
    /// The names of those that came more than once.
    pub repeated: BTreeSet<String>,
    /// Every `resource`, the one parameter that may (RFC 8707 section 2).
    pub resource: Vec<String>,
}

impl Parameters {
    /// Reads a query or a form.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut parameters = Self::default();
        for (name, value) in url::form_urlencoded::parse(text) {
            if value.is_empty() {
                continue;
            }
            if name == "resource" {
                parameters.resource.push(value.into_owned());
            } else if let Some(_previous) = parameters.once.insert(name.clone().into_owned(), value.into_owned()) {
                parameters.repeated.insert(name.into_owned());
            }
        }
        for name in &parameters.repeated {
            parameters.once.remove(name);
        }
        parameters
    }

    /// The parameter of this name, if it came once.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.once.get(name).map(String::as_str)
    }
}

/// Where an answer goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnTo {
    /// To the application, by way of the browser.
    Redirect {
        /// As it was sent; compared with what was registered.
        redirect_uri: String,
        /// How.
        mode: ResponseMode,
        /// The application's own mark.
        state: Option<String>,
    },
}

impl ReturnTo {
    /// The redirect URI that the answer goes to.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        let Self::Redirect { redirect_uri, .. } = self;
        redirect_uri
    }
}

/// A request that passed the table of checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub return_to: ReturnTo,
    /// What can be granted of what was asked for.
    pub scope: Scope,
    /// Whom the access tokens will be for.
    pub audience: Vec<String>,
    /// The challenge that the code is bound to.
    pub challenge: Option<CodeChallenge>,
    /// Repeated in the ID token.
    pub nonce: Option<String>,
    /// What the person must be asked.
    pub prompt: BTreeSet<Prompt>,
    /// Within how many seconds the person must have proved who they are.
    pub max_age: Option<u64>,
    /// Claims asked for by name.
    pub claims: ClaimsRequest,
    /// The key that the code, and all that comes of it, is bound to. No parameter asks for one yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// The one person who may answer, as the application knows them.
    pub subject: Option<String>,
    /// Whom the application takes the person for.
    pub login_hint: Option<String>,
    /// The languages that it would like.
    pub ui_locales: Option<String>,
    /// When it came.
    pub began_at: Timestamp,
    /// The browser session that the browser had then, and when its user had proved who they are.
    pub seen: Option<(BrowserSessionId, Timestamp)>,
}

impl Request {
    /// Whether the person must be asked for `prompt`.
    #[must_use]
    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }

    /// What the person has to agree to: the scope, and those scopes that ask for the claims which the application asks
    /// for by name.
    #[must_use]
    pub fn to_agree_to(&self) -> Scope {
        self.scope.and(&self.claims.scope())
    }

    pub(super) fn wants_choice(&self) -> bool {
        self.prompts(Prompt::SelectAccount)
    }
}
