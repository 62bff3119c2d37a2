//! The context of the rules, as endpoints extract it.

use actix_web::web;

pub type Ctx = web::Data<crate::ctx::Ctx>;
