//! One file a section.

mod audit;
mod branding;
mod browser_sessions;
mod clients;
mod database;
mod keys;
mod limits;
mod log;
mod oauth;
mod outbound;
mod passwords;
mod redis;
mod refresh;
mod sessions;
mod shutdown;
mod simplejwt;
mod tls;
mod tokens;

pub use audit::Audit;
pub use branding::Branding;
pub use browser_sessions::BrowserSessions;
pub use clients::Clients;
pub use database::Database;
pub use keys::Keys;
pub use limits::Limits;
pub use log::{Log, LogFormat};
pub use oauth::{OAuth, PkceFor};
pub use outbound::Outbound;
pub use passwords::Passwords;
pub use redis::Redis;
pub use refresh::Refresh;
pub use sessions::Sessions;
pub use shutdown::Shutdown;
pub use simplejwt::SimpleJwt;
pub use tls::Tls;
pub use tokens::Tokens;
