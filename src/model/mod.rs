//! The types of the domain and their states. The modules above decide what may be done with them.

pub mod acr;
pub mod client;
pub mod client_metadata;
pub mod confirmation;
pub mod consent;
pub mod user_agent;
pub mod ids;
pub mod browser_session;
pub mod backchannel_logout;
pub mod page;
pub mod status_index;
pub mod profile;
pub mod rotation;
mod seconds;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod user;

pub use acr::Acr;
pub use backchannel_logout::BackchannelLogout;
pub use browser_session::{BrowserSession, CookieDigest};
pub use client::{Client, ClientSecret, ClientState};
pub use client_metadata::{ClientMetadata, Pkce, RefreshPolicy, RepeatedRefresh, SubjectType};
pub use confirmation::{Confirmation, PossessionProof, Thumbprint};
pub use consent::Consent;
pub use ids::{BrowserSessionId, ClientId, SessionId, UserId};
pub use page::{Page, PageRequest};
pub use profile::{Address, Profile};
pub use rotation::{Ancestor, Generation, LiveSession, RotationRecord, RotationState, SessionGrant};
pub use secret::Secret;
pub use session::{EndReason, Ended, EndedSession, Session, SessionFilter};
pub use signing_key::{KeyState, SigningAlgorithm, SigningKeyRecord};
pub use status_index::{ClientStatusIndex, LIST_LENGTH, LIST_LIFETIME, RevokedIndex, StatusIndex, TOLD_AFTER_EXPIRY};
pub use user::{User, UserState};
pub use user_agent::UserAgent;
