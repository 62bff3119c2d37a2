//! The cost of the web framework alone: handlers that only read the same form and answer with as many bytes as the
//! server does. One of them makes a request to Redis before it answers.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::error::ErrorInternalServerError;
use actix_web::web::{self, Data, Form};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Result;
use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::sync::OnceCell;

use crate::redis_parts;

/// As long as the JWKS of a new server, with a key and its successor for ES256 and for RS256; a pair of tokens is a
/// little shorter.
const ANSWER: &str = const {
    match str::from_utf8(&[b'{'; 1324]) {
        Ok(text) => text,
        Err(_) => "",
    }
};

/// The path of the handler that makes a request to Redis.
pub(crate) const TRIP: &str = "/trip";

/// The worker's connection to Redis. It lives on the thread of the worker, which is the shortest way there is.
struct Line {
    redis: redis::Client,
    connection: OnceCell<MultiplexedConnection>,
}

/// Serves until it is killed.
pub(crate) fn serve(address: &str, redis: &str) -> Result<()> {
    let redis = redis::Client::open(redis)?;
    let app = move || {
        App::new()
            .app_data(Data::new(Line { redis: redis.clone(), connection: OnceCell::new() }))
            .route("/", web::get().to(get))
            .route("/", web::post().to(post))
            .route(TRIP, web::get().to(trip))
    };
    // One worker, as the server has on one core, and the times that the server grants (`src/http/mod.rs`).
    let server = HttpServer::new(app)
        .workers(1)
        .client_request_timeout(Duration::from_secs(5))
        .keep_alive(Duration::from_secs(75))
        .bind(address)?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

async fn get() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(ANSWER)
}

async fn post(form: Form<BTreeMap<String, String>>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(&ANSWER[form.len()..])
}

async fn trip(line: Data<Line>) -> actix_web::Result<HttpResponse> {
    let kept = line.keep().await.map_err(ErrorInternalServerError)?;
    Ok(if kept { get().await } else { HttpResponse::Conflict().finish() })
}

impl Line {
    async fn keep(&self) -> RedisResult<bool> {
        let connect = || self.redis.get_multiplexed_async_connection();
        let mut connection = self.connection.get_or_try_init(connect).await?.clone();
        redis_parts::keep_code().query_async(&mut connection).await
    }
}
