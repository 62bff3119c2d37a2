//! The program: parse arguments, call the command.

use std::process::ExitCode;

fn main() -> ExitCode {
    tokenhouse::cli::run()
}
