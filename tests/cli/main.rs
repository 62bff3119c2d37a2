//! The command line: the real program in a folder of its own.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]

mod clients;
mod doctor;
mod inspect;
mod keys;
mod sessions;
mod setup;
mod serve;
mod users;

use test_support as support;
