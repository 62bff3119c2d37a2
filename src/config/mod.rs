//! Reads one file and the environment into one checked struct. No other module reads the environment.
//!
//! Each setting is declared once, in `sections/` (those without a section in `settings.rs`): documentation, type,
//! default and check side by side. `check.rs` checks several settings together. The names of environment variables,
//! `docs/configuration.md` ([`reference`]) and the JSON schema ([`schema`]) follow from the declarations.
//!
//! The files use each other in one direction: `load` uses `check`, `environment`, `file` and `settings`; these use
//! `sections`; a section uses `declare` and the types of values.

mod allowed_host;
mod check;
mod colour;
mod declare;
mod duration;
mod environment;
mod file;
mod issuer;
mod load;
mod nearest;
#[cfg(test)]
mod nesting_tests;
mod network;
mod rate;
mod reader;
mod reference;
mod schema;
mod section;
mod sections;
mod settings;
mod shape;
#[cfg(test)]
mod tests;
mod values;

pub use allowed_host::AllowedHost;
pub use colour::Colour;
pub use duration::Duration;
pub use load::{ConfigError, load};
pub use network::Network;
pub use rate::Rate;
pub use reference::reference;
pub use schema::schema;
pub use sections::{
    Audit, Branding, BrowserSessions, Clients, Database, Keys, Limits, Log, LogFormat, OAuth, Outbound, Passwords,
    PkceFor, Redis, Refresh, Sessions, Shutdown, SimpleJwt, Tls, Tokens,
};
pub use settings::Config;
