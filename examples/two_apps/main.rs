//! Two small applications, Notes and Photos, that share one sign-in. Run `tokenhouse serve --dev` beside them.
//!
//! ```sh
//! cargo run --release --example two-apps
//! ```
//!
//! The application is in `apps/`: `provider.rs` talks to Tokenhouse through the `openidconnect` crate, `handlers.rs`
//! has its five URLs. Its state is in memory, and is lost when it ends.

mod apps;

use std::net::TcpListener;

use apps::App;

const ISSUER: &str = "http://127.0.0.1:8080";

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let notes = App::new(ISSUER, "Notes", "http://127.0.0.1:8081");
    let photos = App::new(ISSUER, "Photos", "http://127.0.0.1:8082");
    let (at_notes, at_photos) = (TcpListener::bind("127.0.0.1:8081")?, TcpListener::bind("127.0.0.1:8082")?);
    println!(
        "
Notes   {}
Photos  {}

Open both. Sign in at one of them as `demo` with the password `correct horse battery`; the other then needs no
password. Sign out at one, and you are out of both. (Tokenhouse has to run: cargo run --release -- serve --dev)
",
        notes.address, photos.address
    );
    let photos = actix_web::rt::spawn(apps::serve(photos, at_photos)?);
    apps::serve(notes, at_notes)?.await?; // until Ctrl-C, which both of them hear
    photos.await.map_err(std::io::Error::other)?
}
