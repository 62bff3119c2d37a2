//! The settings and paths of one run.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

/// What may be said of a run.
#[derive(Args)]
pub(crate) struct RunArguments {
    /// One short round of everything: for a look, not for a record.
    #[arg(long)]
    quick: bool,
    /// Rounds of every scenario; the one in the middle counts.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds a scenario and round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Connections of the load generator.
    #[arg(long, default_value_t = 32)]
    connections: u32,
    /// Only scenarios whose name holds this text.
    #[arg(long, default_value = "")]
    only: String,
}

pub(crate) struct Run {
    pub(crate) rounds: u32,
    pub(crate) seconds: f64,
    pub(crate) connections: u32,
    pub(crate) only: String,
    /// The core of the server; everything else runs where this program runs.
    pub(crate) core: String,
    /// The folder of `tokenhouse` and `loadgen`.
    pub(crate) programs: PathBuf,
    pub(crate) scratch: PathBuf,
    pub(crate) database: String,
    pub(crate) redis: String,
}

impl Run {
    #[expect(clippy::disallowed_methods, reason = "this is not the server: bench/run tells it by the environment")]
    pub(crate) fn new(arguments: &RunArguments) -> Result<Self> {
        let told = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set: start bench/run"));
        let program = std::env::current_exe().context("where this program is")?;
        let scratch = std::env::temp_dir().join(format!("tokenhouse-bench-{}", std::process::id()));
        std::fs::create_dir_all(&scratch).with_context(|| format!("making {}", scratch.display()))?;
        Ok(Self {
            rounds: if arguments.quick { 1 } else { arguments.rounds.max(1) },
            seconds: if arguments.quick { 1.0 } else { arguments.seconds },
            connections: arguments.connections,
            only: arguments.only.clone(),
            core: told("BENCH_SERVER_CORE")?,
            programs: program.parent().context("a folder")?.to_owned(),
            scratch,
            database: told("TEST_DATABASE_URL")?,
            redis: told("TEST_REDIS_URL")?,
        })
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }
}
