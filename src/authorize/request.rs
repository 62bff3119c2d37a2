//! Authorization requests: the parameters as they arrive, and the checked request.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::model::{BrowserSessionId, ClientId, Confirmation};
use crate::protocol::{ClaimsRequest, CodeChallenge, Prompt, ResponseMode, Scope};

#[derive(Debug, Default)]
pub struct Parameters {
    /// Those that came once. Empty ones count as absent (RFC 6749 section 3.1).
    pub once: BTreeMap<String, String>,
    /// The names of those that came more than once.
    pub repeated: BTreeSet<String>,
    /// Every `resource`, the only parameter that may be repeated (RFC 8707 section 2).
    pub resource: Vec<String>,
}

impl Parameters {
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

    /// Returns the parameter of this name, if it came once.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.once.get(name).map(String::as_str)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnTo {
    Redirect {
        /// As it was sent, once it has been compared with the registered ones.
        redirect_uri: String,
        mode: ResponseMode,
        state: Option<String>,
    },
}

impl ReturnTo {
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        let Self::Redirect { redirect_uri, .. } = self;
        redirect_uri
    }
}

/// A request that has passed the checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub client_id: ClientId,
    pub return_to: ReturnTo,
    /// The part of the requested scope that can be granted.
    pub scope: Scope,
    pub audience: Vec<String>,
    pub challenge: Option<CodeChallenge>,
    /// Repeated in the ID token.
    pub nonce: Option<String>,
    pub prompt: BTreeSet<Prompt>,
    /// The maximum age of the user's authentication, in seconds.
    pub max_age: Option<u64>,
    pub claims: ClaimsRequest,
    /// The key that the code and everything issued from it is bound to. No parameter sets it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// The only user who may answer (`sub`), as the client knows them.
    pub subject: Option<String>,
    pub login_hint: Option<String>,
    pub ui_locales: Option<String>,
    pub began_at: Timestamp,
    /// The browser session at that time, and its `auth_time`.
    pub seen: Option<(BrowserSessionId, Timestamp)>,
}

impl Request {
    #[must_use]
    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }

    /// Returns the scope that the user has to consent to. It includes the scopes that cover the claims which are
    /// requested by name.
    #[must_use]
    pub fn to_agree_to(&self) -> Scope {
        self.scope.and(&self.claims.scope())
    }

    pub(super) fn wants_choice(&self) -> bool {
        self.prompts(Prompt::SelectAccount)
    }
}
