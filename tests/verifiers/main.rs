//! Services that verify offline, by `tokenhouse-verifier`, and real instances that they follow: what is revoked is
//! refused whatever breaks, and honest tokens are accepted.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests have no configuration and no `Ctx`")]
#![allow(dead_code, reason = "the server speaks more verbs than these tests use")]

#[path = "../support/balancer.rs"]
mod balancer;
mod cut_off;
#[path = "../support/test_server.rs"]
mod server;
mod keys;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/proxy.rs"]
mod proxy;
mod sessions;
#[path = "../support/lib.rs"]
mod support;
#[path = "deployment.rs"]
mod cluster;
#[path = "../support/wire.rs"]
mod wire;
mod monitor;
