//! Opens stores and keys for a command.

use super::answer::problem;
use crate::app::{self, Purpose};
use crate::clock::Clock;
use crate::config::Config;
use crate::ctx::Ctx;

pub(super) async fn open(config: Config) -> Result<Ctx, String> {
    app::open(config, Clock::system(), Purpose::Command).await.map_err(problem)
}
