//! `[oauth]`

use serde::{Deserialize, Serialize};

use crate::config::declare::settings;
use crate::config::duration::Duration;
use crate::config::values::word_setting;
use crate::model::Pkce;

settings! {
    /// Authorization requests.
    pub struct OAuth {
        /// Which clients must prove with PKCE that an authorization code is theirs: `all`, or only the `public` ones, for
        /// the sake of older applications. Single clients can be exempted by their own setting.
        pkce: PkceFor = PkceFor::All;
        /// How long an authorization code is good. A code that is found in a log or a history comes too late (RFC 9700
        /// section 2.1.1).
        code_lifetime: Duration = Duration::seconds(60), in Duration::seconds(1)..=Duration::minutes(1);
    }
}

/// Which clients must use PKCE, where the client does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PkceFor {
    /// Every client.
    All,
    /// Public clients.
    Public,
}

word_setting!(PkceFor);

impl PkceFor {
    const ALL: [Self; 2] = [Self::All, Self::Public];

    /// The rule for a confidential client.
    #[must_use]
    pub const fn rule(self) -> Pkce {
        match self {
            Self::All => Pkce::Required,
            Self::Public => Pkce::Optional,
        }
    }
}
