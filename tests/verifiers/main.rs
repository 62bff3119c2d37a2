//! Services that verify offline, by `tokenhouse-verifier`, and real instances that they follow: what is revoked is
//! refused whatever breaks, and honest tokens are accepted.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests have no configuration and no `Ctx`")]
#![allow(dead_code, reason = "the server speaks more verbs than these tests use")]

mod balancer;
mod cut_off;
#[path = "../api/test_server.rs"]
mod server;
mod keys;
#[path = "../faults/process.rs"]
mod process;
#[path = "../faults/proxy.rs"]
mod proxy;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod cluster;
#[path = "../faults/wire.rs"]
mod wire;
mod monitor;
