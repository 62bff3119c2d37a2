//! Measures the server beside the ceilings of the same machine, in one run. `bench/run` starts it.

mod ask;
mod browser;
mod ceilings;
mod empty;
mod server;
mod load;
mod propagation;
mod redis_parts;
mod report;
mod run;
mod scenarios;
mod times;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use ceilings::Part;
use propagation::Propagation;
use report::Report;
use run::{Run, RunArguments};

#[derive(Parser)]
#[command(name = "bench/run", about = "Measures Tokenhouse beside bare ceilings; see bench/README.md")]
struct Arguments {
    #[command(flatten)]
    run: RunArguments,
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
    let run = Run::new(&arguments.run)?;
    let measured = measure(&run);
    std::fs::remove_dir_all(&run.scratch).with_context(|| format!("removing {}", run.scratch.display()))?;
    measured
}
