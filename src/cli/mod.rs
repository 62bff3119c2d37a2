//! The command line, one file a command. A command opens configuration, stores and keys as the service does, and calls
//! the same functions.

pub mod answer;
pub mod client;
pub mod client_options;
pub mod config;
pub mod doctor;
pub mod inspect;
pub mod keys;
pub mod migrate;
mod open;
pub mod serve;
pub mod session;
pub mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app;
use crate::config::{Config, Log, load};
use crate::http::{openapi, routes};

use answer::{Answer, problem};
use open::open;

/// OAuth 2.1 and OpenID Connect token issuing service.
#[derive(Debug, Parser)]
#[command(name = "tokenhouse", version, about)]
struct Arguments {
    /// The configuration file; `tokenhouse.toml` where it exists, if none is named.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Serve(serve::Serve),
    /// Bring the database's schema up.
    Migrate,
    /// People who sign in.
    #[command(subcommand)]
    User(user::User),
    /// Applications that obtain tokens.
    #[command(subcommand)]
    Client(client::Client),
    /// The master key and the signing keys.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Sessions: the tokens of one client for one user.
    #[command(subcommand)]
    Session(session::Session),
    /// Say what a token holds, and why it would be refused.
    Inspect(inspect::Inspect),
    /// Check configuration, stores, keys and clock, and name each fix.
    Doctor,
    /// Check the settings, or print what there is to set.
    #[command(subcommand)]
    Config(config::Command),
    /// Print the OpenAPI document.
    Openapi,
}

/// Parses the arguments, runs the command and prints its answer.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    let outcome = app::block_on(dispatch(arguments));
    app::logging::finish();
    match outcome {
        Ok(answer) => answer.print(json),
        Err(problem) => {
            eprintln!("tokenhouse: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(arguments: Arguments) -> Result<Answer, String> {
    let file = arguments.config.as_deref();
    if let Command::Openapi = arguments.command {
        return Ok(Answer::text(openapi::json(routes::TABLE)));
    }
    if let Command::Config(command) = &arguments.command {
        return config::run(command, file);
    }
    let config = load(file).map_err(problem)?;
    let chatty = matches!(arguments.command, Command::Serve(_));
    app::logging::start(&log_settings(&config, chatty))?;
    match arguments.command {
        Command::Serve(command) => serve::run(command, config).await,
        Command::Migrate => migrate::run(config).await,
        Command::User(command) => user::run(command, &open(config).await?).await,
        Command::Client(command) => client::run(command, &open(config).await?).await,
        Command::Keys(command) => Box::pin(keys::run(command, config)).await,
        Command::Session(command) => session::run(command, &open(config).await?).await,
        Command::Inspect(command) => inspect::run(command, config).await,
        Command::Doctor => Box::pin(doctor::run(config)).await,
        Command::Config(command) => config::run(&command, arguments.config.as_deref()),
        Command::Openapi => Ok(Answer::text(openapi::json(routes::TABLE))),
    }
}

/// Limits the log of every command but `serve` to warnings, because the output of a command is its answer.
fn log_settings(config: &Config, chatty: bool) -> Log {
    let level = if chatty { config.log.level.clone() } else { "warn".to_owned() };
    Log { level, format: config.log.format }
}
