//! The operators' listener: is the process alive, may it get requests, and what does it count.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

use super::route::resource;
use crate::ctx::SharedCtx;

/// What the operators' endpoints look at.
pub struct Operations {
    /// The context.
    pub ctx: SharedCtx,
    /// Whether the service is shutting down.
    pub draining: Arc<AtomicBool>,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
}

/// Mounts the endpoints.
pub fn mount(config: &mut ServiceConfig) {
    config
        .service(resource("/health/live").route(web::get().to(live)))
        .service(resource("/health/ready").route(web::get().to(ready)))
        .service(resource("/metrics").route(web::get().to(metrics)));
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

/// Ready: both stores answer, a key may sign, and nobody asked the service to stop.
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
