//! `tokenhouse user …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, applied_words, problem, secret_from_stdin};
use crate::app::feed_follower;
use crate::audit::Actor;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{self, PageRequest, UserId};
use crate::sessions::Applied;
use crate::users::{self, NewUser, ProfileChange, UserChange};

/// People who sign in.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Add a user; with `--password-stdin` the password is the first line of standard input.
    Add(Box<Add>),
    /// Change a user; what is not named stays. Other roles and groups are in every live session's next tokens.
    Set(Box<Set>),
    /// List users.
    List,
    /// Show a user.
    Show(UserArgument),
    /// Set a password (the first line of standard input) and end the user's sessions.
    Passwd(Passwd),
    /// Stop a user from signing in and end the user's sessions.
    Disable(UserArgument),
    /// Let a user sign in again.
    Enable(UserArgument),
    /// Remove a user for good and end the user's sessions.
    Remove(UserArgument),
    /// Add users with the hashes of another system: one JSON object a line.
    Import {
        /// Lines of `{"username", "email", "email_verified", "roles", "groups", "profile", "password_hash"}`.
        file: PathBuf,
    },
}

/// Which user.
#[derive(Debug, Args)]
pub struct UserArgument {
    /// Name, electronic mail address or identifier.
    user: String,
}

/// A new user.
#[derive(Debug, Args)]
pub struct Add {
    /// The name to sign in with.
    name: String,
    /// Electronic mail address.
    #[arg(long)]
    email: Option<String>,
    /// The address was proven to belong to the user.
    #[arg(long)]
    email_verified: bool,
    /// May call the admin API.
    #[arg(long)]
    admin: bool,
    /// Claim `roles`; may be repeated.
    #[arg(long = "role")]
    roles: Vec<String>,
    /// Claim `groups`; may be repeated.
    #[arg(long = "group")]
    groups: Vec<String>,
    /// A standard claim of OpenID Connect: `name="Alice Doe"`, `address.locality=Paris`; may be repeated.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    claims: Vec<(String, String)>,
    /// Read the password from standard input. Without it the user cannot sign in until one is set.
    #[arg(long)]
    password_stdin: bool,
}

/// What is to be changed of a user.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches")]
pub struct Set {
    /// Name, electronic mail address or identifier.
    user: String,
    /// Electronic mail address. Another one counts as not verified without `--email-verified`.
    #[arg(long)]
    email: Option<String>,
    /// Take the address away.
    #[arg(long, conflicts_with_all = ["email", "email_verified"])]
    no_email: bool,
    /// The address was proven to belong to the user.
    #[arg(long)]
    email_verified: bool,
    /// May call the admin API.
    #[arg(long)]
    admin: bool,
    /// May not call the admin API; ends sessions that could.
    #[arg(long, conflicts_with = "admin")]
    no_admin: bool,
    /// Claim `roles`; may be repeated. All roles are replaced.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Take all roles away.
    #[arg(long, conflicts_with = "roles")]
    no_roles: bool,
    /// Claim `groups`; may be repeated. All groups are replaced.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Take all groups away.
    #[arg(long, conflicts_with = "groups")]
    no_groups: bool,
    /// A standard claim of OpenID Connect: `name="Alice Doe"`, `address.locality=Paris`; `name=` takes it away; may be
    /// repeated.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    claims: Vec<(String, String)>,
}

/// A new password.
#[derive(Debug, Args)]
pub struct Passwd {
    /// Name, electronic mail address or identifier.
    user: String,
    /// Read the password from standard input (there is no other way, so that it is in no list of processes).
    #[arg(long, required = true)]
    password_stdin: bool,
}

pub async fn run(command: User, ctx: &Ctx) -> Result<Answer, String> {
    let by = Actor::CommandLine;
    match command {
        User::Add(new) => add(*new, ctx).await,
        User::Set(wanted) => set(*wanted, ctx).await,
        User::List => list(ctx).await,
        User::Show(named) => {
            let user = find(ctx, &named.user).await?;
            Ok(Answer::new(details(&user), &user))
        }
        User::Passwd(passwd) => {
            let user = find(ctx, &passwd.user).await?;
            let password = secret_from_stdin("password")?;
            let applied = users::change_password(ctx, user.id, &password, by).await.map_err(problem)?;
            Ok(Answer::new(
                format!("Password set; sessions ended {}.", applied_words(applied)),
                &json!({ "applied": applied }),
            ))
        }
        User::Disable(named) => {
            let user = find(ctx, &named.user).await?;
            let applied = users::disable(ctx, user.id, by).await.map_err(problem)?;
            Ok(Answer::new(
                format!("Disabled; sessions ended {}.", applied_words(applied)),
                &json!({ "applied": applied }),
            ))
        }
        User::Enable(named) => {
            let user = find(ctx, &named.user).await?;
            users::enable(ctx, user.id, by).await.map_err(problem)?;
            Ok(Answer::new("Enabled.", &json!({})))
        }
        User::Remove(named) => {
            let user = find(ctx, &named.user).await?;
            let applied = users::remove(ctx, user.id, by).await.map_err(problem)?;
            Ok(Answer::new(
                format!("Removed; sessions ended {}.", applied_words(applied)),
                &json!({ "applied": applied }),
            ))
        }
        User::Import { file } => import(ctx, &file).await,
    }
}

async fn add(new: Add, ctx: &Ctx) -> Result<Answer, String> {
    let password = if new.password_stdin { Some(secret_from_stdin("password")?) } else { None };
    let new = NewUser {
        username: new.name,
        email: new.email,
        email_verified: new.email_verified,
        admin: new.admin,
        roles: new.roles,
        groups: new.groups,
        profile: profile(&new.claims)?,
        password,
    };
    let user = users::add(ctx, new, Actor::CommandLine).await.map_err(problem)?;
    let hint = match user.password_changed_at {
        Some(_) => String::new(),
        None => format!("\nNo password yet: set one with `tokenhouse user passwd {} --password-stdin`", user.username),
    };
    let words = format!("Added {}{hint}", line(&user));
    Ok(Answer::new(words, &user))
}

async fn set(wanted: Set, ctx: &Ctx) -> Result<Answer, String> {
    let named = wanted.user;
    let change = UserChange {
        email: if wanted.no_email { Some(None) } else { wanted.email.map(Some) },
        email_verified: wanted.email_verified.then_some(true),
        admin: if wanted.no_admin { Some(false) } else { wanted.admin.then_some(true) },
        roles: said(wanted.roles, wanted.no_roles),
        groups: said(wanted.groups, wanted.no_groups),
        profile: if wanted.claims.is_empty() { None } else { Some(Some(profile(&wanted.claims)?)) },
    };
    if change == UserChange::default() {
        return Err("name what is to change; see `tokenhouse user set --help`".to_owned());
    }
    let user = find(ctx, &named).await?;
    // Redis answers no read of a session before recent ends were replayed into it. If Redis does not answer, the
    // database is changed all the same, and the answer says what is pending.
    let _ = feed_follower::catch_up(ctx).await;
    let (user, applied) = users::change(ctx, user.id, change, Actor::CommandLine).await.map_err(problem)?;
    let mut words = format!("Changed {}", details(&user));
    if applied == Applied::Pending {
        words.push_str("\nSessions ended ");
        words.push_str(applied_words(applied));
    }
    Ok(Answer::new(words, &user))
}

/// Returns the change of a list: `None` keeps it, `Some(None)` empties it, `Some(Some(_))` replaces it.
#[expect(clippy::option_option, reason = "absent and none are two things")]
fn said(words: Vec<String>, none: bool) -> Option<Option<Vec<String>>> {
    match (none, words.is_empty()) {
        (true, _) => Some(None),
        (false, true) => None,
        (false, false) => Some(Some(words)),
    }
}

fn claim(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a claim is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn profile(claims: &[(String, String)]) -> Result<ProfileChange, String> {
    let mut profile = ProfileChange::default();
    for (name, value) in claims {
        if let Some(option) = option_for(name) {
            return Err(format!("{name} is no claim of the profile; use {option}"));
        }
        profile.set(name, value).map_err(problem)?;
    }
    Ok(profile)
}

/// Returns the option for a claim that is not part of the profile.
fn option_for(claim: &str) -> Option<&'static str> {
    match claim {
        "email" => Some("--email"),
        "email_verified" => Some("--email-verified"),
        "roles" => Some("--role"),
        "groups" => Some("--group"),
        _ => None,
    }
}

async fn list(ctx: &Ctx) -> Result<Answer, String> {
    let mut page = PageRequest::new(None, Some(PageRequest::MAX));
    let mut all = Vec::new();
    loop {
        let found = ctx.store.database.list_users(&page).await.map_err(problem)?;
        all.extend(found.items);
        page.after = found.next;
        if page.after.is_none() {
            return Ok(Answer::list(&all, line));
        }
    }
}

/// Adds a user for each line. A line that is refused is reported, and the others are added.
async fn import(ctx: &Ctx, file: &std::path::Path) -> Result<Answer, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut added = 0_u64;
    let mut problems = Vec::new();
    let tell = |line, done| match done {
        Ok(_) => {
            added += 1;
            if added.is_multiple_of(1000) {
                eprintln!("{added} users added");
            }
        }
        Err(error @ Error::Unavailable(_)) => {
            problems
                .push(format!("line {line}: {}; this line and those after it are still to be added", problem(error)));
        }
        Err(error) => problems.push(format!("line {line}: {}", problem(error))),
    };
    users::import_lines(ctx, &text, Actor::CommandLine, tell).await;
    let mut words = format!("{added} users added.");
    for problem in &problems {
        words.push_str("\n  ");
        words.push_str(problem);
    }
    let answer = Answer::new(words, &json!({ "added": added, "problems": problems }));
    Ok(if problems.is_empty() { answer } else { answer.failed() })
}

/// Finds a user by identifier, name or email address.
pub(super) async fn find(ctx: &Ctx, wanted: &str) -> Result<model::User, String> {
    let by_id = match wanted.parse::<UserId>() {
        Ok(id) => ctx.store.database.user(id).await.map_err(problem)?,
        Err(_) => None,
    };
    if let Some(user) = by_id {
        return Ok(user);
    }
    let found = ctx.store.database.user_to_sign_in(wanted).await.map_err(problem)?;
    found.map(|(user, _)| user).ok_or_else(|| format!("there is no user `{wanted}`"))
}

/// Formats a user in several lines, without the attributes that are not set.
fn details(user: &model::User) -> String {
    let mut words = line(user);
    let mut tell = |what: &str, text: &str| {
        if !text.is_empty() {
            words.extend(["\n  ", what, ": ", text]);
        }
    };
    let verified = if user.email_verified { " (verified)" } else { "" };
    tell("email", &user.email.as_ref().map(|email| format!("{email}{verified}")).unwrap_or_default());
    tell("roles", &user.roles.join(" "));
    tell("groups", &user.groups.join(" "));
    let claims = serde_json::to_value(&user.profile).unwrap_or_default();
    for claim in model::Profile::CLAIMS {
        match &claims[claim] {
            serde_json::Value::Null => {}
            serde_json::Value::String(text) => tell(claim, text),
            other => tell(claim, &other.to_string()),
        }
    }
    words
}

fn line(user: &model::User) -> String {
    let state = match user.state {
        model::UserState::Active => "active",
        model::UserState::Disabled => "disabled",
    };
    let admin = if user.admin { " admin" } else { "" };
    format!("{} {} {state}{admin}", user.id, user.username)
}
