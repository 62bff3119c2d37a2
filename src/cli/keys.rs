//! `tokenhouse keys …`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::answer::{Answer, problem};
use super::open::open;
use crate::audit::Actor;
use crate::clock::Random;
use crate::config::Config;
use crate::keys::{self, KeySummary, Ripeness, WriteOutcome};

/// The master key and the signing keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// List signing keys, removed ones too.
    List,
    /// Make the next keys sign.
    Rotate {
        /// Even if verifiers may not know them yet.
        #[arg(long)]
        now: bool,
    },
    /// Import a private key (PEM); it enters as next.
    Import {
        /// PKCS#8, PKCS#1 or SEC1.
        file: PathBuf,
    },
    /// Take a key out of the JWKS at once.
    Remove {
        /// Its `kid`, which may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Make a master key and write it to `keys.master_key_file`, unless one is there.
    Master,
}

pub async fn run(command: Keys, config: Config) -> Result<Answer, String> {
    let by = Actor::CommandLine;
    match command {
        Keys::Master => master(&config),
        Keys::List => {
            let keys = open(config).await?.keys.list().await.map_err(problem)?;
            Ok(Answer::list(&keys, line))
        }
        Keys::Rotate { now } => {
            let ripeness = if now { Ripeness::Ignored } else { Ripeness::Required };
            let keys = open(config).await?.keys.rotate(ripeness, by).await.map_err(problem)?;
            Ok(Answer::list(&keys, line))
        }
        Keys::Import { file } => {
            let pem = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let key = open(config).await?.keys.import(&pem, by).await.map_err(problem)?;
            Ok(Answer::new(format!("Imported {}", line(&key)), &key))
        }
        Keys::Remove { kid } => {
            let removed = open(config).await?.keys.remove(&kid, by).await.map_err(problem)?;
            if !removed {
                return Err(format!("there is no key `{kid}`, or it was removed before"));
            }
            Ok(Answer::new(
                "Removed; running instances stop publishing it within a second.",
                &json!({ "removed": kid }),
            ))
        }
    }
}

fn master(config: &Config) -> Result<Answer, String> {
    let random = Random::default();
    let path = &config.keys.master_key_file;
    let written = keys::write_master_key(path, &keys::make_master_key(&random), &random).map_err(problem)?;
    let file = path.display();
    let words = match written {
        WriteOutcome::New => {
            format!("Wrote a master key to {file}. Keep a copy somewhere safe: without it no sealed key can be opened.")
        }
        WriteOutcome::Existed => format!("{file} exists already and is left as it is."),
    };
    Ok(Answer::new(words, &json!({ "file": path, "made": written == WriteOutcome::New })))
}

fn line(key: &KeySummary) -> String {
    let since = key.removed_at.or(key.retired_at).or(key.activated_at).unwrap_or(key.published_at);
    let ripe = key.ripe_at.map(|at| format!(", ripe at {at}")).unwrap_or_default();
    format!("{} {} {} since {since}{ripe}", key.kid, key.algorithm, key.state.as_str())
}
