//! The context of the rules, as endpoints get it.

use actix_web::web;

/// The context.
pub type Ctx = web::Data<crate::ctx::Ctx>;
