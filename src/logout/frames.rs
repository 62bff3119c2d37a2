//! The client pages that a browser loads when it signs out (OpenID Connect Front-Channel Logout 1.0 section 2).

use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{BrowserSessionId, Client, Session};
use crate::protocol::web_uri::with_parameters;

/// The maximum number of sessions whose clients are notified through the browser. Back-channel logout has no such
/// limit.
const MOST: u32 = 50;

/// Returns the distinct pages for the live sessions of a browser session, including those that outlive it.
pub(super) async fn of(ctx: &Ctx, browser_session: BrowserSessionId) -> Result<Vec<String>, Error> {
    let mut frames = Vec::new();
    for session in ctx.store.database.sessions_of_browser_session(browser_session, ctx.now(), MOST).await? {
        let Some(client) = ctx.store.client(&session.client_id).await? else { continue };
        if let Some(page) = page(ctx, &client, &session)
            && !frames.contains(&page)
        {
            frames.push(page);
        }
    }
    Ok(frames)
}

/// Adds both parameters or neither (section 2).
fn page(ctx: &Ctx, client: &Client, session: &Session) -> Option<String> {
    let address = client.metadata.frontchannel_logout_uri.as_ref()?;
    if !client.metadata.frontchannel_logout_session_required {
        return Some(address.clone());
    }
    Some(with_parameters(address, &[("iss", &ctx.config.issuer), ("sid", &session.id.to_string())]))
}
