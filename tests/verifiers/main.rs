//! Services that verify offline, by `tokenhouse-verifier`, and real instances that they follow: what is revoked is
//! refused whatever breaks, and honest tokens are accepted.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests have no configuration and no `Ctx`")]

mod cut_off;
mod keys;
mod sessions;
mod deployment;
mod monitor;

use test_support as support;
use test_support::{process, proxy, test_server as server};
