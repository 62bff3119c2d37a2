//! Runs the load generator.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::run::Run;
use crate::server::Process;

/// The results of the load generator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) requests_a_second: f64,
    pub(crate) p50_millis: f64,
    pub(crate) p99_millis: f64,
    /// The processor time of the server for one request, in microseconds.
    pub(crate) micros: f64,
}

/// The server to load, and how.
pub(crate) struct Target<'run> {
    pub(crate) server: &'run Process,
    pub(crate) connections: u32,
    /// Whether the generator may use its core alone.
    pub(crate) spin: bool,
}

/// Loads a server for the time of the run. `arguments` tell the generator what to send.
pub(crate) fn load(run: &Run, target: &Target<'_>, arguments: &[String]) -> Result<Load> {
    let mut command = Command::new(run.programs.join("loadgen"));
    command.args(arguments);
    command.arg("--connections").arg(target.connections.to_string()).arg("--duration").arg(run.seconds.to_string());
    command.arg("--warmup").arg((run.seconds / 4.0).to_string()).arg("--pid").arg(target.server.pid().to_string());
    if target.spin {
        command.arg("--spin");
    }
    let output = command.output().context("starting loadgen")?;
    ensure!(output.status.success(), "loadgen: {}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).context("what loadgen says")?;
    ensure!(seen["errors"] == 0, "refused under load: {}", seen["first_error"]);
    let number = |name: &str| seen[name].as_f64().with_context(|| format!("{name} in {seen}"));
    Ok(Load {
        requests_a_second: number("rps")?,
        p50_millis: number("p50_ms")?,
        p99_millis: number("p99_ms")?,
        micros: number("cpu_us")?,
    })
}
