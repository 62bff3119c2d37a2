//! `[keys]`

use std::path::PathBuf;

use crate::config::declare::{not_empty, require, settings};
use crate::config::duration::Duration;
use crate::model::{Secret, SigningAlgorithm};

settings! {
    /// The master key and the signing keys.
    pub struct Keys {
        /// The folder from which PEM keys are imported at the start.
        folder: PathBuf = "keys".into(), check not_empty;
        /// The key under which signing keys are sealed, as `tokenhouse keys master` makes it. Takes precedence over the
        /// file.
        master_key: Option<Secret> = None, env "TOKENHOUSE_MASTER_KEY";
        /// The file that holds the master key (mode 0600).
        master_key_file: PathBuf = "keys/master.key".into(), env "TOKENHOUSE_MASTER_KEY_FILE", check not_empty;
        /// The previous master key, for as long as something is still sealed or signed under it.
        master_key_previous: Option<Secret> = None, env "TOKENHOUSE_MASTER_KEY_PREVIOUS";
        /// Signs ID tokens: `RS256`, `PS256`, `ES256`, `ES384` or `EdDSA`. Every OpenID Connect client understands `RS256`.
        id_token_algorithm: SigningAlgorithm = SigningAlgorithm::Rs256;
        /// Signs access tokens where the client does not say otherwise.
        access_token_algorithm: SigningAlgorithm = SigningAlgorithm::Es256;
        /// Algorithms that single clients may choose besides these two. A list.
        additional_algorithms: Vec<SigningAlgorithm> = Vec::new(), check each_once;
        /// How long a signing key signs before the next takes over.
        rotate_every: Duration = Duration::days(30);
        /// How long others may keep the published keys (`Cache-Control: max-age`).
        jwks_max_age: Duration = Duration::minutes(5), in Duration::seconds(0)..=Duration::days(1);
    }
}

fn each_once(algorithms: &[SigningAlgorithm]) -> Result<(), String> {
    let is_repeated = |index: &usize| algorithms[..*index].contains(&algorithms[*index]);
    let repeated: Vec<&str> =
        (0..algorithms.len()).filter(is_repeated).map(|index| algorithms[index].as_str()).collect();
    require(repeated.is_empty(), &format!("names {} more than once", repeated.join(", ")))
}
