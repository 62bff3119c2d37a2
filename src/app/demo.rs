//! Demo users and clients with published credentials, which `serve --dev` adds. A start without `--dev` on the same
//! database disables them.

use crate::audit::Actor;
use crate::clients::{self, NewClient};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{ClientId, ClientMetadata, ClientState, PageRequest, Secret, User, UserState};
use crate::protocol::{GrantType, RedirectUri, Scope};
use crate::store::sql::Dialect;
use crate::users::{self, NewUser, ProfileChange};

/// Name and password of a demo user.
pub const USER: (&str, &str) = ("demo", "correct horse battery");

/// Name and password of a demo user who may call the admin API.
pub const ADMIN: (&str, &str) = ("demo-admin", "staple battery correct");

/// Client id and secret of a demo service.
pub const SERVICE: (&str, &str) = ("demo-service", "demo-service-secret-that-everybody-knows");

/// The applications of `cargo run --example two-apps`: client id, name, and port on 127.0.0.1.
pub const APPLICATIONS: [(&str, &str, u16); 2] = [("demo-notes", "Notes", 8081), ("demo-photos", "Photos", 8082)];

/// Adds the demo users and clients that are missing, and enables those that were disabled.
///
/// # Errors
/// `invalid_request` for a database other than SQLite, or one that contains real users.
pub async fn add(ctx: &Ctx) -> Result<(), Error> {
    if ctx.store.database.dialect() != Dialect::Sqlite {
        return Err(Error::invalid_request(
            "--dev adds users whose passwords everybody knows, so it works on SQLite alone; unset DATABASE_URL, or name a file \
             apart, as in DATABASE_URL=sqlite://data/dev.db",
        ));
    }
    refuse_real_users(ctx).await?;
    for ((name, password), admin) in [(USER, false), (ADMIN, true)] {
        add_user(ctx, name, password, admin).await?;
    }
    add_client(ctx, service()?).await?;
    for application in APPLICATIONS {
        add_client(ctx, self::application(application)?).await?;
    }
    Ok(())
}

/// Refuses a database that contains real users, because a production service may be using it.
async fn refuse_real_users(ctx: &Ctx) -> Result<(), Error> {
    let first = ctx.store.database.list_users(&PageRequest::new(None, None)).await?;
    let demo = [USER.0, ADMIN.0];
    if first.items.iter().all(|user| demo.contains(&user.username.as_str())) {
        return Ok(());
    }
    Err(Error::invalid_request(
        "--dev adds users whose passwords everybody knows, and this database has users of its own; start without --dev, or name \
         another file, as in DATABASE_URL=sqlite://data/dev.db",
    ))
}

async fn add_user(ctx: &Ctx, name: &str, password: &str, admin: bool) -> Result<(), Error> {
    if let Some((user, _)) = ctx.store.database.user_to_sign_in(name).await? {
        let stopped = user.state == UserState::Disabled && is_untouched(&user);
        return if stopped { users::enable(ctx, user.id, Actor::System).await } else { Ok(()) };
    }
    let (given_name, family_name) = if admin { ("Grace", "Demo") } else { ("Ada", "Demo") };
    let mut profile = ProfileChange::default();
    profile.set("name", &format!("{given_name} {family_name}"))?;
    profile.set("given_name", given_name)?;
    profile.set("family_name", family_name)?;
    profile.set("zoneinfo", "Europe/Paris")?;
    profile.set("locale", "en-GB")?;
    let new = NewUser {
        username: name.to_owned(),
        email: Some(format!("{name}@example.com")),
        email_verified: true,
        admin,
        roles: vec!["demo".to_owned()],
        profile,
        password: Some(Secret::new(password)),
        ..NewUser::default()
    };
    users::add(ctx, new, Actor::System).await.map(|_| ())
}

async fn add_client(ctx: &Ctx, new: NewClient) -> Result<(), Error> {
    match ctx.store.database.client(&new.id).await? {
        None => clients::add(ctx, new, Actor::System).await.map(|_| ()),
        Some(client) if client.state == ClientState::Disabled => clients::enable(ctx, &new.id, Actor::System).await,
        Some(_) => Ok(()),
    }
}

fn service() -> Result<NewClient, Error> {
    let (id, secret) = SERVICE;
    Ok(NewClient {
        id: id.parse()?,
        metadata: ClientMetadata {
            client_name: Some("Demo service".to_owned()),
            grant_types: vec![GrantType::ClientCredentials],
            scope: Scope::parse("reports:read reports:write tokenhouse:introspect")?,
            ..ClientMetadata::default()
        },
        secret: Some(Secret::new(secret)),
    })
}

fn application((id, name, port): (&str, &str, u16)) -> Result<NewClient, Error> {
    let base = format!("http://127.0.0.1:{port}");
    Ok(NewClient {
        id: id.parse()?,
        metadata: ClientMetadata {
            client_name: Some(name.to_owned()),
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            scope: Scope::parse("openid profile email offline_access roles groups")?,
            redirect_uris: vec![RedirectUri::parse(&format!("{base}/callback"))?],
            post_logout_redirect_uris: vec![RedirectUri::parse(&format!("{base}/"))?],
            backchannel_logout_uri: Some(format!("{base}/backchannel-logout")),
            ..ClientMetadata::default()
        },
        secret: Some(Secret::new(secret_of(id))),
    })
}

fn secret_of(client: &str) -> String {
    format!("{client}-secret-that-everybody-knows")
}

/// Disables the demo users and clients of an earlier `--dev`, whose credentials are published. A demo user whose
/// password was changed stays enabled.
pub async fn stop(ctx: &Ctx) -> Result<(), Error> {
    for (name, _) in [USER, ADMIN] {
        let Some((user, _)) = ctx.store.database.user_to_sign_in(name).await? else { continue };
        if user.state == UserState::Active && is_untouched(&user) {
            tracing::warn!(user = name, "a demo user of an earlier `serve --dev` was disabled");
            users::disable(ctx, user.id, Actor::System).await?;
        }
    }
    for id in [SERVICE.0, APPLICATIONS[0].0, APPLICATIONS[1].0] {
        stop_client(ctx, &id.parse()?, &secret_of(id)).await?;
    }
    Ok(())
}

async fn stop_client(ctx: &Ctx, id: &ClientId, secret: &str) -> Result<(), Error> {
    let Some(client) = ctx.store.database.client(id).await? else { return Ok(()) };
    let digest = crate::digest::sha256(secret.as_bytes());
    if client.state == ClientState::Active && client.secrets.iter().any(|kept| kept.digest == digest) {
        tracing::warn!(client = %id, "the demo client of an earlier `serve --dev` was disabled");
        clients::disable(ctx, id, Actor::System).await?;
    }
    Ok(())
}

/// Whether this is a user that `--dev` created, with the published password.
fn is_untouched(user: &User) -> bool {
    user.roles == ["demo"] && user.password_changed_at == Some(user.created_at)
}

#[must_use]
pub fn lines(base: &str) -> String {
    let (user, password) = USER;
    let (admin, admin_password) = ADMIN;
    let (service, secret) = SERVICE;
    format!(
        r#"
Tokenhouse answers at {base} with demo credentials. Try:

  # A pair of tokens for the user {user}
  curl -s {base}/api/token/ -H 'Content-Type: application/json' -d '{{"username":"{user}","password":"{password}"}}'

  # The next pair (put the refresh token in)
  curl -s {base}/api/token/refresh/ -d refresh=REFRESH_TOKEN

  # A token for the service {service}
  curl -s {base}/oauth2/token -u {service}:{secret} -d grant_type=client_credentials

  # The keys with which every other service verifies them, offline
  curl -s {base}/.well-known/jwks.json

  # A token for the admin API (user {admin})
  curl -s {base}/api/token/ -H 'Content-Type: application/json' \
    -d '{{"username":"{admin}","password":"{admin_password}","scope":"tokenhouse:admin"}}'

  # Two applications, http://127.0.0.1:8081 and http://127.0.0.1:8082, that share one sign-in
  cargo run --release --example two-apps
"#
    )
}
