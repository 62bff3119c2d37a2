//! An application whose users sign in with Tokenhouse.

mod app;
mod handlers;
mod page;
mod provider;
mod sign_out_notice;

use std::net::TcpListener;

use actix_web::{HttpServer, dev::Server, web};

pub(crate) use app::App;

pub(crate) fn serve(app: App, listener: TcpListener) -> std::io::Result<Server> {
    let app = web::Data::new(app);
    let server = HttpServer::new(move || actix_web::App::new().app_data(app.clone()).configure(handlers::all));
    Ok(server.workers(1).listen(listener)?.run())
}
