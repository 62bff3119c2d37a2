//! `[tls]`

use std::path::PathBuf;

use crate::config::declare::settings;

settings! {
    /// TLS of the service itself: both settings, or neither.
    pub struct Tls {
        /// PEM file with the certificate chain; without it, a proxy in front does TLS.
        cert: Option<PathBuf> = None;
        /// PEM file with the certificate's private key.
        key: Option<PathBuf> = None;
    }
}
