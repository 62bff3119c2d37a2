//! `tokenhouse session …`

use clap::{Args, Subcommand};

use super::answer::{Answer, applied_words, problem};
use super::{client, user};
use crate::app::feed_follower;
use crate::audit::Actor;
use crate::ctx::Ctx;
use crate::model::{ClientId, EndReason, PageRequest, SessionFilter, SessionId};
use crate::sessions::{self, Receipt, SessionView};

/// Sessions: the tokens of one client for one user.
#[derive(Debug, Subcommand)]
pub enum Session {
    /// List sessions in the order of their creation.
    List(List),
    /// End sessions.
    Revoke(Revoke),
}

/// Which sessions are listed.
#[derive(Debug, Args)]
pub struct List {
    /// Those of one user (name, address or identifier).
    #[arg(long)]
    user: Option<String>,
    /// Those of one client.
    #[arg(long)]
    client: Option<ClientId>,
    /// Only those that are neither ended nor over.
    #[arg(long)]
    live: bool,
}

/// Which sessions end. Something must be named.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Revoke {
    /// One session.
    #[arg(value_parser = session_id)]
    sid: Option<SessionId>,
    /// Those of one user (name, address or identifier).
    #[arg(long)]
    user: Option<String>,
    /// Those of one client.
    #[arg(long)]
    client: Option<ClientId>,
    /// Everything.
    #[arg(long, conflicts_with_all = ["sid", "user", "client"])]
    all: bool,
}

pub async fn run(command: Session, ctx: &Ctx) -> Result<Answer, String> {
    match command {
        Session::List(wanted) => list(wanted, ctx).await,
        Session::Revoke(wanted) => revoke(wanted, ctx).await,
    }
}

fn session_id(text: &str) -> Result<SessionId, &'static str> {
    text.parse().map_err(|_| "a session's identifier is a UUID; see `tokenhouse session list`")
}

async fn list(wanted: List, ctx: &Ctx) -> Result<Answer, String> {
    let user = match &wanted.user {
        Some(name) => Some(user::find(ctx, name).await?.id),
        None => None,
    };
    let filter = SessionFilter { user, client: wanted.client, live_only: wanted.live, ..SessionFilter::default() };
    // If the ephemeral store does not answer, the list lacks only how often each session was refreshed.
    let _ = feed_follower::catch_up(ctx).await;
    let mut page = PageRequest::new(None, Some(PageRequest::MAX));
    let mut all = Vec::new();
    loop {
        let found = ctx.store.database.list_sessions(&filter, &page, ctx.now()).await.map_err(problem)?;
        for session in found.items {
            all.push(sessions::describe(ctx, session).await);
        }
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    // The ended sessions of a removed client are listed, so only an empty list may mean a misspelt client.
    if all.is_empty() {
        check_client(ctx, filter.client.as_ref()).await?;
    }
    Ok(Answer::list(&all, line))
}

async fn revoke(wanted: Revoke, ctx: &Ctx) -> Result<Answer, String> {
    let user = match &wanted.user {
        Some(name) => Some(user::find(ctx, name).await?.id),
        None => None,
    };
    check_client(ctx, wanted.client.as_ref()).await?;
    // If this fails, the receipt assumes the longest lifetime that an access token may have.
    let _ = feed_follower::catch_up(ctx).await;
    let filter = SessionFilter { session: wanted.sid, user, client: wanted.client, ..SessionFilter::default() };
    let receipt = sessions::end_matching(ctx, &filter, EndReason::Admin, Actor::CommandLine).await.map_err(problem)?;
    Ok(Answer::new(words(&receipt), &receipt))
}

/// Refuses an unknown client: a misspelt identifier matches no session, which would look like a success.
async fn check_client(ctx: &Ctx, named: Option<&ClientId>) -> Result<(), String> {
    match named {
        Some(id) => client::find(ctx, id).await.map(drop),
        None => Ok(()),
    }
}

fn words(receipt: &Receipt) -> String {
    let sessions = match receipt.sessions_ended {
        0 => return "No live session matches; nothing was ended.".to_owned(),
        1 => "1 session".to_owned(),
        many => format!("{many} sessions"),
    };
    let (applied, by) = (applied_words(receipt.applied), receipt.access_tokens_expire_by);
    let offline = receipt.offline_refused_by;
    let told = match receipt.backchannel_logouts {
        0 => String::new(),
        told => format!(" The running service tells applications of it (back-channel logouts: {told})."),
    };
    format!(
        "{sessions} ended {applied}; services that follow the status lists refuse the access tokens by {offline}, and the last \
         of them expires at {by}.{told}"
    )
}

fn line(view: &SessionView) -> String {
    let session = &view.session;
    let state = match session.ended {
        Some(ended) => format!("ended at {} ({})", ended.at, ended.reason.as_str()),
        None => format!("until {}", view.effective_end),
    };
    format!("{} user {} client {} {state}", session.id, session.user_id, session.client_id)
}
