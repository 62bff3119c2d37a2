//! What the settings mean together: values of the right type that cannot be right all the same.

use super::Config;

/// Makes the issuer follow the listener, for a service that nobody outside this machine can reach anyway.
pub(super) fn follow_listen(config: &mut Config, problems: &mut Vec<String>) {
    let _ = (config, problems);
}

/// Adds every problem of `config`.
pub(super) fn check(config: &Config, problems: &mut Vec<String>) {
    let _ = (config, problems);
}
