//! `tokenhouse serve`: runs the service until SIGTERM or SIGINT.

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::answer::{Answer, problem};
use crate::app::demo;
use crate::app::serve::{Mode, start};
use crate::clock::Clock;
use crate::config::Config;

/// Run the service.
#[derive(Debug, Args)]
pub struct Serve {
    /// Add demo users and clients with published credentials, and print lines to try. Loopback only.
    #[arg(long)]
    dev: bool,
}

pub async fn run(command: Serve, config: Config) -> Result<Answer, String> {
    let mode = if command.dev { Mode::Development } else { Mode::Production };
    let mut terminate = signal(SignalKind::terminate()).map_err(problem)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(problem)?;
    let running = start(config, Clock::system(), mode).await?;
    if mode == Mode::Development {
        println!("{}", demo::lines(&format!("http://{}", running.address)));
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    Ok(Answer::text(""))
}
