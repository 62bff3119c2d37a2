//! The program: parse arguments, call the command.

fn main() {}
