//! `tokenhouse config`: checks the settings, and prints their JSON schema. No store is opened.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use super::answer::{Answer, problem};
use crate::app::{logging, tls};
use crate::config::{self, Config, ConfigError};
use crate::http::pages::Brand;
use crate::outbound::Outbound;

/// The settings.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the settings, and the files that they name, as `serve` does.
    Check,
    /// Print a JSON schema of the configuration file, for editors.
    Schema,
}

pub fn run(command: &Command, file: Option<&Path>) -> Result<Answer, String> {
    match command {
        Command::Check => check(file),
        Command::Schema => Ok(Answer::text(format!("{:#}", config::schema()))),
    }
}

fn check(file: Option<&Path>) -> Result<Answer, String> {
    let config = config::load(file).map_err(problem)?;
    let problems = unusable_files(&config);
    if problems.is_empty() {
        Ok(Answer::new("ok", &json!({ "ok": true })))
    } else {
        Err(problem(ConfigError { problems }))
    }
}

/// Checks the log filter and the files that the settings name, as `serve` does before it opens a store.
fn unusable_files(config: &Config) -> Vec<String> {
    let tls = match (&config.tls.cert, &config.tls.key) {
        (Some(cert), Some(key)) => tls::load(cert, key).map(drop),
        _ => Ok(()),
    };
    let checks =
        [logging::start(&config.log), tls, Brand::load(config).map(drop), Outbound::new(&config.outbound).map(drop)];
    checks.into_iter().filter_map(Result::err).collect()
}
