//! `tokenhouse user …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, applied_words, problem, secret_from_stdin};
use crate::audit::Actor;
use crate::ctx::Ctx;
use crate::model::{self, PageRequest, UserId};
use crate::users::{self, ImportedUser, NewUser};

/// People who sign in.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Add a user; with `--password-stdin` the password is the first line of standard input.
    Add(Add),
    /// List users.
    List,
    /// Show a user.
    Show(Named),
    /// Set a password (the first line of standard input) and end the user's sessions.
    Passwd(Passwd),
    /// Stop a user from signing in and end the user's sessions.
    Disable(Named),
    /// Let a user sign in again.
    Enable(Named),
    /// Remove a user for good and end the user's sessions.
    Remove(Named),
    /// Add users with the hashes of another system: one JSON object a line.
    Import {
        /// Lines of `{"username", "email", "roles", "groups", "password_hash"}`.
        file: PathBuf,
    },
}

/// Which user.
#[derive(Debug, Args)]
pub struct Named {
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
    /// May call the admin API.
    #[arg(long)]
    admin: bool,
    /// Claim `roles`; may be repeated.
    #[arg(long = "role")]
    roles: Vec<String>,
    /// Claim `groups`; may be repeated.
    #[arg(long = "group")]
    groups: Vec<String>,
    /// Read the password from standard input. Without it the user cannot sign in until one is set.
    #[arg(long)]
    password_stdin: bool,
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

/// Runs the command.
///
/// # Errors
/// A sentence that says what is wrong.
pub async fn run(command: User, ctx: &Ctx) -> Result<Answer, String> {
    let by = Actor::CommandLine;
    match command {
        User::Add(new) => add(new, ctx).await,
        User::List => list(ctx).await,
        User::Show(named) => {
            let user = find(ctx, &named.user).await?;
            Ok(Answer::new(line(&user), &user))
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
        admin: new.admin,
        roles: new.roles,
        groups: new.groups,
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

async fn list(ctx: &Ctx) -> Result<Answer, String> {
    let mut page = PageRequest::new(None, Some(PageRequest::MAX));
    let mut all = Vec::new();
    loop {
        let found = ctx.store.ledger.list_users(&page).await.map_err(problem)?;
        all.extend(found.items);
        page.after = found.next;
        if page.after.is_none() {
            return Ok(Answer::list(&all, line));
        }
    }
}

/// Adds line after line; a line that cannot be taken is reported and the others are added.
async fn import(ctx: &Ctx, file: &std::path::Path) -> Result<Answer, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut added = 0_u64;
    let mut problems = Vec::new();
    for (place, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let read: Result<ImportedUser, _> = serde_json::from_str(text);
        let done = match read {
            Ok(user) => users::import(ctx, user, Actor::CommandLine).await.map_err(problem),
            Err(error) => Err(format!("not as expected at column {}", error.column())),
        };
        match done {
            Ok(_) => {
                added += 1;
                if added.is_multiple_of(1000) {
                    eprintln!("{added} users added");
                }
            }
            Err(problem) => problems.push(format!("line {}: {problem}", place + 1)),
        }
    }
    let mut words = format!("{added} users added.");
    for problem in &problems {
        words.push_str("\n  ");
        words.push_str(problem);
    }
    let answer = Answer::new(words, &json!({ "added": added, "problems": problems }));
    Ok(if problems.is_empty() { answer } else { answer.failed() })
}

/// The user of this identifier, name or address.
pub(super) async fn find(ctx: &Ctx, wanted: &str) -> Result<model::User, String> {
    let by_id = match wanted.parse::<UserId>() {
        Ok(id) => ctx.store.ledger.user(id).await.map_err(problem)?,
        Err(_) => None,
    };
    if let Some(user) = by_id {
        return Ok(user);
    }
    let found = ctx.store.ledger.user_to_sign_in(wanted).await.map_err(problem)?;
    found.map(|(user, _)| user).ok_or_else(|| format!("there is no user `{wanted}`"))
}

fn line(user: &model::User) -> String {
    let state = match user.state {
        model::UserState::Active => "active",
        model::UserState::Disabled => "disabled",
    };
    let admin = if user.admin { " admin" } else { "" };
    format!("{} {} {state}{admin}", user.id, user.username)
}
