//! Measures the server beside the bare ceilings of the same machine, in one run. `bench/run` starts it.

mod ask;
mod browser;
mod ceilings;
mod empty;
mod server;
mod load;
mod propagation;
mod redis_parts;
mod report;
mod scenarios;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use ceilings::Part;
use report::Report;

#[derive(Parser)]
#[command(name = "bench/run", about = "Measures Tokenhouse beside bare ceilings; see bench/README.md")]
struct Arguments {
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
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Subcommand)]
enum Mode {
    /// How soon verifiers refuse what was revoked.
    Propagation(Propagation),
    /// The empty handler, which the run starts for itself.
    #[command(hide = true)]
    Empty {
        /// Where it listens.
        address: String,
        /// Where Redis is.
        redis: String,
    },
    /// One part, alone in a process on the server's core.
    #[command(hide = true)]
    Alone {
        /// Which one.
        part: Part,
        /// For how long.
        seconds: f64,
        /// Where Redis is.
        redis: String,
    },
}

#[derive(Args)]
struct Propagation {
    /// Services that verify.
    #[arg(long, default_value_t = 20)]
    verifiers: u32,
    /// Revocations, each way.
    #[arg(long, default_value_t = 50)]
    rounds: u32,
}

/// What a run needs to know.
struct Run {
    rounds: u32,
    seconds: f64,
    connections: u32,
    only: String,
    /// The core of the server; everything else runs where this program runs.
    core: String,
    /// Where `tokenhouse` and `loadgen` are.
    programs: PathBuf,
    scratch: PathBuf,
    database: String,
    redis: String,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match &arguments.mode {
        Some(Mode::Empty { address, redis }) => empty::serve(address, redis),
        Some(Mode::Alone { part, seconds, redis }) => {
            println!("{}", part.measure(*seconds, redis)?);
            Ok(())
        }
        Some(Mode::Propagation(wanted)) => with_run(&arguments, |run| propagation::measure(run, wanted)),
        None => with_run(&arguments, |run| {
            let mut report = Report::default();
            scenarios::measure(run, &mut report)?;
            report.print();
            Ok(())
        }),
    }
}

fn with_run(arguments: &Arguments, measure: impl FnOnce(&Run) -> Result<()>) -> Result<()> {
    let run = Run::new(arguments)?;
    let measured = measure(&run);
    std::fs::remove_dir_all(&run.scratch).with_context(|| format!("removing {}", run.scratch.display()))?;
    measured
}

impl Run {
    #[expect(clippy::disallowed_methods, reason = "this is not the server: bench/run tells it by the environment")]
    fn new(arguments: &Arguments) -> Result<Self> {
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

    fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }
}
