//! `tokenhouse client …`

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, applied_words, problem, secret_from_stdin};
use super::client_options::MetadataOptions;
use crate::audit::Actor;
use crate::clients::{self, NewClient, PreviousSecret};
use crate::ctx::Ctx;
use crate::model::{self, ClientId, PageRequest, Secret};
use crate::protocol::AuthMethod;

/// Applications that obtain tokens.
#[derive(Debug, Subcommand)]
pub enum Client {
    /// Add a client; prints its secret, once, where it has one.
    Add(Box<Add>),
    /// Change what is named of a client, and nothing else.
    Set(Box<Set>),
    /// List clients.
    List,
    /// Show a client.
    Show(ClientArgument),
    /// Remove a client and end its sessions.
    Remove(ClientArgument),
    /// Stop a client and end its sessions.
    Disable(ClientArgument),
    /// Let a client obtain tokens again.
    Enable(ClientArgument),
    /// Make a new secret; the old one stays good for `clients.secret_overlap`, and until then there is no other.
    RotateSecret {
        /// `client_id`.
        id: ClientId,
        /// Even if the secret before the current one is still good: it ends at once.
        #[arg(long)]
        now: bool,
    },
}

/// Which client.
#[derive(Debug, Args)]
pub struct ClientArgument {
    /// `client_id`.
    id: ClientId,
}

/// A new client.
#[derive(Debug, Args)]
pub struct Add {
    /// `client_id`: 1 to 128 of A-Z a-z 0-9 . _ ~ : -
    id: ClientId,
    /// Cannot keep a secret: runs on a person's device.
    #[arg(long)]
    public: bool,
    /// `client_secret_basic` (where absent), `client_secret_post`, or `none` for a public client.
    #[arg(long, value_name = "METHOD")]
    auth_method: Option<AuthMethod>,
    /// Take the secret from standard input instead of making one: 32 to 512 characters of A-Z a-z 0-9 - . _ ~ on one
    /// line, for instance from `openssl rand -hex 32`.
    #[arg(long)]
    secret_stdin: bool,
    #[command(flatten)]
    metadata: MetadataOptions,
}

/// A change of a client. What is not named stays; an empty text takes away what a client need not have.
#[derive(Debug, Args)]
pub struct Set {
    /// `client_id`.
    id: ClientId,
    #[command(flatten)]
    metadata: MetadataOptions,
}

pub async fn run(command: Client, ctx: &Ctx) -> Result<Answer, String> {
    let by = Actor::CommandLine;
    match command {
        Client::Add(new) => add(*new, ctx).await,
        Client::Set(change) => set(*change, ctx).await,
        Client::List => list(ctx).await,
        Client::Show(named) => {
            let client = find(ctx, &named.id).await?;
            Ok(Answer::new(serde_json::to_string_pretty(&client).unwrap_or_default(), &client))
        }
        Client::Remove(named) => {
            let applied = clients::remove(ctx, &named.id, by).await.map_err(problem)?;
            Ok(Answer::new(
                format!("Removed; sessions ended {}.", applied_words(applied)),
                &json!({ "applied": applied }),
            ))
        }
        Client::Disable(named) => {
            let applied = clients::disable(ctx, &named.id, by).await.map_err(problem)?;
            Ok(Answer::new(
                format!("Disabled; sessions ended {}.", applied_words(applied)),
                &json!({ "applied": applied }),
            ))
        }
        Client::Enable(named) => {
            clients::enable(ctx, &named.id, by).await.map_err(problem)?;
            Ok(Answer::new("Enabled.", &json!({})))
        }
        Client::RotateSecret { id, now } => {
            let previous = if now { PreviousSecret::Ends } else { PreviousSecret::Stays };
            let (secret, old_ends) = clients::rotate_secret(ctx, &id, previous, by).await.map_err(problem)?;
            let words = format!("New secret (shown once): {}\nThe old one is good until {old_ends}.", secret.expose());
            Ok(Answer::new(words, &json!({ "client_secret": secret.expose(), "old_secret_ends": old_ends })))
        }
    }
}

async fn add(new: Add, ctx: &Ctx) -> Result<Answer, String> {
    let mut members = new.metadata.patch()?.with("client_id", new.id.as_str());
    members = match (new.public, new.auth_method) {
        (true, None | Some(AuthMethod::None)) => members.with("token_endpoint_auth_method", AuthMethod::None.as_str()),
        (true, Some(_)) => {
            return Err("a public client authenticates with none, a confidential one does not".to_owned());
        }
        (false, Some(method)) => members.with("token_endpoint_auth_method", method.as_str()),
        (false, None) => members,
    };
    let mut new_client = NewClient::try_from(members).map_err(problem)?;
    if new.secret_stdin {
        new_client.secret = Some(secret_from_stdin("secret")?);
    }
    let (client, secret) = clients::add(ctx, new_client, Actor::CommandLine).await.map_err(problem)?;
    let mut words = format!("Added {}", line(&client));
    if let Some(secret) = &secret {
        words.push_str("\nSecret (shown once): ");
        words.push_str(secret.expose());
    }
    words.push_str(&warnings(&client));
    Ok(Answer::new(words, &json!({ "client": client, "client_secret": secret.as_ref().map(Secret::expose) })))
}

async fn set(wanted: Set, ctx: &Ctx) -> Result<Answer, String> {
    let patch = wanted.metadata.patch()?;
    if patch.is_empty() {
        return Err("name what is to change; see `tokenhouse client set --help`".to_owned());
    }
    let may_narrow = clients::may_narrow(&patch);
    let (client, applied) = clients::change(ctx, &wanted.id, patch, Actor::CommandLine).await.map_err(problem)?;
    let ended =
        if may_narrow { format!("; sessions beyond it ended {}.", applied_words(applied)) } else { String::new() };
    let words = format!("Changed {}{ended}{}", line(&client), warnings(&client));
    Ok(Answer::new(words, &json!({ "client": client, "applied": applied })))
}

async fn list(ctx: &Ctx) -> Result<Answer, String> {
    let mut page = PageRequest::new(None, Some(PageRequest::MAX));
    let mut all = Vec::new();
    loop {
        let found = ctx.store.database.list_clients(&page).await.map_err(problem)?;
        all.extend(found.items);
        page.after = found.next;
        if page.after.is_none() {
            return Ok(Answer::list(&all, line));
        }
    }
}

pub(super) async fn find(ctx: &Ctx, id: &ClientId) -> Result<model::Client, String> {
    let client = ctx.store.database.client(id).await.map_err(problem)?;
    client.ok_or_else(|| format!("there is no client `{id}`"))
}

/// Warns of settings that are allowed but probably unintended.
fn warnings(client: &model::Client) -> String {
    let mut words = String::new();
    if client.metadata.grant_types.is_empty() {
        words.push_str("\nWithout a grant it can obtain no token; see --grant in `tokenhouse client set --help`");
    }
    if client.metadata.scope.iter().any(|word| word.contains(',')) {
        words.push_str("\nA word of its scope holds a comma; words are separated by spaces: --scope \"a b\"");
    }
    words
}

fn line(client: &model::Client) -> String {
    let kind = if client.is_public() { "public" } else { "confidential" };
    let state = match client.state {
        model::ClientState::Active => "active",
        model::ClientState::Disabled => "disabled",
    };
    let grants: Vec<&str> = client.metadata.grant_types.iter().map(|grant| grant.as_str()).collect();
    format!("{} {kind} {state} [{}] \"{}\"", client.id, grants.join(" "), client.metadata.scope)
}
