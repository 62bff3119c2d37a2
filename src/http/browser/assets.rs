//! `GET /assets/{name}`: the style sheets and the logo, under names that change with their content.

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};

use crate::http::error;
use crate::http::pages::brand::{Asset, Brand};

/// Returns a file that pages load.
#[utoipa::path(get, path = "/assets/{name}", tag = "Pages", params(("name" = String, Path)),
    responses((status = 200, description = "a style sheet or a picture"), (status = 404)))]
pub async fn asset(brand: web::Data<Brand>, name: web::Path<String>) -> HttpResponse {
    let Some(asset) = brand.assets().find(|asset| is_one_of(asset, &name)) else {
        return error::problem(StatusCode::NOT_FOUND, "there is nothing at this address");
    };
    // While instances of two versions run side by side, a page of one may ask the other for its files. The file of the
    // other version is better than none, but must not be cached.
    let caching = if asset.name == *name { "public, max-age=31536000, immutable" } else { "no-store" };
    HttpResponse::Ok().insert_header((CACHE_CONTROL, caching)).content_type(asset.content_type).body(asset.body.clone())
}

/// Returns whether both names belong to the same file, whatever its content.
fn is_one_of(asset: &Asset, name: &str) -> bool {
    let stem = |name: &str| name.split('.').next().map(str::to_owned);
    let ending = |name: &str| name.rsplit('.').next().map(str::to_owned);
    stem(&asset.name) == stem(name) && ending(&asset.name) == ending(name)
}
