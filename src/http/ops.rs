//! The operators' endpoints: liveness, readiness and metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

use super::route::resource;
use crate::ctx::SharedCtx;

pub struct Operations {
    pub ctx: SharedCtx,
    pub draining: Arc<AtomicBool>,
    pub metrics: PrometheusHandle,
}

pub fn mount(config: &mut ServiceConfig) {
    config
        .service(resource("/health/live").route(web::get().to(live)))
        .service(resource("/health/ready").route(web::get().to(ready)))
        .service(resource("/metrics").route(web::get().to(metrics)));
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

/// Reports ready when both stores answer, a key may sign, and the service is not shutting down.
async fn ready(state: Data<Operations>) -> HttpResponse {
    let draining = state.draining.load(Ordering::SeqCst);
    let database = state.ctx.store.database.ping().await.is_ok();
    let ephemeral = state.ctx.store.ephemeral.ping().await.is_ok();
    let keys = state.ctx.keys.can_sign();
    let ready = database && ephemeral && keys && !draining;
    let body = json!({ "ready": ready, "database": database, "ephemeral_store": ephemeral, "signing_key": keys, "draining": draining });
    if ready { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

async fn metrics(state: Data<Operations>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(state.metrics.render())
}
