//! `[outbound]`

use std::path::PathBuf;

use crate::config::allowed_host::AllowedHost;
use crate::config::declare::{not_empty, settings};

settings! {
    /// Requests that the service makes.
    pub struct Outbound {
        /// Networks (`10.0.0.0/8`), addresses and hosts that the service may call although they are not public: where it
        /// reports logouts to applications inside your own network. A loopback address that is named may be called without
        /// TLS. A list.
        allow: Vec<AllowedHost> = Vec::new();
        /// PEM file with certificates that are trusted for such calls beside those of the system: your own authority.
        extra_ca_file: Option<PathBuf> = None, check not_empty;
    }
}
