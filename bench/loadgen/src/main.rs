//! Generates HTTP/1.1 load on one loopback server, with virtual clients that rotate tokens. Prints one JSON line.

mod expected;
mod http;
mod message;
mod process;
mod run;
mod stats;

use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use expected::Expected;
use message::{Format, Message};
use run::{Plan, Runner, Token};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Subcommand)]
enum Mode {
    /// GET one URL repeatedly.
    Get(Single),
    /// POST one body repeatedly.
    Post(Single),
    /// Each virtual client sends its token and keeps the one that it gets back.
    Rotate(Rotate),
}

#[derive(Args)]
struct Single {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    expected: Expected,
    #[command(flatten)]
    load: Load,
}

#[derive(Args)]
struct Rotate {
    #[command(flatten)]
    request: Request,
    /// JSON pointer to the next token in an answer.
    #[arg(long)]
    pointer: String,
    /// Where a virtual client gets its first token, at the same pointer.
    #[arg(long)]
    seed_url: String,
    /// What it sends there.
    #[arg(long)]
    seed_body: String,
    /// Virtual clients, spread over the connections; at least one each.
    #[arg(long, default_value_t = 0)]
    clients: usize,
    #[command(flatten)]
    load: Load,
}

#[derive(Args)]
struct Request {
    url: String,
    /// HTTP Basic, `user:password`.
    #[arg(long)]
    basic: Option<String>,
    /// An additional header, `name: value`; may be repeated.
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// The body is JSON, not a form.
    #[arg(long)]
    json: bool,
    /// The body; {token} and {n} are filled in.
    #[arg(long)]
    body: Option<String>,
}

#[derive(Args)]
struct Load {
    /// Open connections.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds measured.
    #[arg(long, default_value_t = 5.0)]
    duration: f64,
    /// Seconds of the same load before that.
    #[arg(long, default_value_t = 1.0)]
    warmup: f64,
    /// The most requests in all.
    #[arg(long, default_value_t = 10_000_000)]
    most: u32,
    /// Poll for answers without sleeping: then waking this program costs the server nothing. For a core that nothing
    /// else needs.
    #[arg(long)]
    spin: bool,
    /// The server's process: the report then contains the processor time that it spent on a request.
    #[arg(long)]
    pid: Option<u32>,
}

fn main() -> Result<()> {
    let plan = plan(Arguments::parse().mode);
    let outcome = Runner::new(&plan)?.run()?;
    println!("{}", outcome.report());
    Ok(())
}

fn plan(mode: Mode) -> Plan {
    match mode {
        Mode::Get(single) => Plan { expected: single.expected, ..with_load(single.request.message(), &single.load) },
        Mode::Post(single) => {
            let mut message = single.request.message();
            message.body.get_or_insert_default();
            Plan { expected: single.expected, ..with_load(message, &single.load) }
        }
        Mode::Rotate(rotate) => {
            let message = rotate.request.message();
            let seed = Message { url: rotate.seed_url, body: Some(rotate.seed_body), ..message.clone() };
            let clients = rotate.clients;
            let plan = with_load(message, &rotate.load);
            let clients = clients.max(plan.connections);
            Plan { token: Some(Token { seed, pointer: rotate.pointer, clients }), ..plan }
        }
    }
}

fn with_load(message: Message, load: &Load) -> Plan {
    Plan {
        message,
        expected: Expected::default(),
        token: None,
        connections: load.connections.max(1),
        warmup: Duration::from_secs_f64(load.warmup),
        duration: Duration::from_secs_f64(load.duration),
        most: load.most,
        pid: load.pid,
        patience: if load.spin { Duration::ZERO } else { Duration::from_millis(20) },
    }
}

impl Request {
    fn message(self) -> Message {
        let format = if self.json { Format::Json } else { Format::Form };
        Message { url: self.url, basic: self.basic, headers: self.headers, body: self.body, format }
    }
}
