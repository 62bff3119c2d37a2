//! Registered clients and the digests of their secrets.

use sqlx::any::AnyRow;

use super::Database;
use super::columns::{Columns, json, millis, one_more, page};
use super::db::{Query, Work, query};
use super::feed::Change;
use super::revoked_indexes::ClientSelection;
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::model::client::MAX_ACCESS_LIFETIME;
use crate::model::{
    Client, ClientId, ClientKind, ClientSecret, ClientState, Page, PageRequest, SigningAlgorithm, TOLD_AFTER_EXPIRY,
};
use crate::protocol::Scope;
use crate::store::StoreError;

/// What an update writes, in the order of [`bind_settings`].
macro_rules! settings {
    () => {
        "id, name, kind, auth_method, trusted, grants, scope, audience, redirect_uris, post_logout_redirect_uris, \
         backchannel_logout_uri, access_token_algorithm, access_lifetime, refresh_lifetime, refresh, sign_on"
    };
}

/// What only its own functions write.
macro_rules! others {
    () => {
        "state, status_index, not_before, created_at, secrets"
    };
}

/// What follows from changes of the others.
macro_rules! previous {
    () => {
        "previous_access_lifetime, access_lifetime_changed_at"
    };
}

/// What becomes of the tokens that a client holds without a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientTokens {
    /// They are as good as before.
    Stay,
    /// They say more than the client may obtain now: they are revoked.
    Revoked,
}

impl Database {
    /// Adds a client with its secrets.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with `UniqueKey::ClientId` when the identifier is taken.
    pub async fn add_client(&self, client: &Client, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(&Change::Client(client.id.clone()), entry.at).await?;
        work.write_unique(insert(client)).await?;
        work.audit(entry).await?;
        work.commit().await
    }

    /// The client with this identifier, with its secrets.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.db.read_one(select_one(id)).await?.as_ref().map(read).transpose()
    }

    /// Clients in the order of their identifiers.
    pub async fn list_clients(&self, page: &PageRequest) -> Result<Page<Client>, StoreError> {
        let text = concat!(
            "select ",
            settings!(),
            ", ",
            others!(),
            ", ",
            previous!(),
            "\nfrom clients\nwhere id > $1\norder by id\nlimit $2"
        );
        let clients = query(text).bind(page.after.clone().unwrap_or_default()).bind(one_more(page));
        let clients = self.db.read(clients).await?.iter().map(read).collect::<Result<_, _>>()?;
        Ok(self::page(clients, page, |client: &Client| client.id.to_string()))
    }

    /// Changes a client by `decide`, which sees it under a lock, so that of two changes at once none is lost. Secrets,
    /// state, `not_before` and creation stay; it gets another status index where its own tokens are revoked. Where the
    /// life of access tokens changes, the row keeps the previous one and when it changed (status lists need it).
    /// Returns the client before and after; `None`: no such client.
    ///
    /// # Errors
    /// That of `decide`, and then nothing was written.
    pub async fn edit_client(
        &self,
        id: &ClientId,
        entry: &AuditEntry,
        decide: impl FnOnce(Client) -> Result<(Client, ClientTokens), Error> + Send,
    ) -> Result<Option<(Client, Client)>, Error> {
        let mut work = self.db.begin().await?;
        let Some(before) = work.client_to_change(id, entry.at).await? else {
            work.rollback().await?;
            return Ok(None);
        };
        let (mut after, client_tokens) = match decide(before.clone()) {
            Ok(decided) => decided,
            Err(refusal) => {
                work.rollback().await?;
                return Err(refusal);
            }
        };
        work.write(update(&after, entry.at)).await?;
        if client_tokens == ClientTokens::Revoked {
            work.revoke_index_of(&before, entry.at).await?;
            if let Some(row) = work.read_one(select_one(id)).await? {
                after.status_index = read(&row)?.status_index;
            }
        }
        work.audit(entry).await?;
        work.commit().await?;
        Ok(Some((before, after)))
    }

    /// Replaces the secrets by those that `decide` names. It sees the client under a lock, so that of two changes at
    /// once none is lost. `false`: no such client.
    ///
    /// # Errors
    /// That of `decide`, and then nothing was written.
    pub async fn edit_client_secrets(
        &self,
        id: &ClientId,
        entry: &AuditEntry,
        decide: impl FnOnce(&Client) -> Result<Vec<ClientSecret>, Error> + Send,
    ) -> Result<bool, Error> {
        let mut work = self.db.begin().await?;
        let Some(client) = work.client_to_change(id, entry.at).await? else {
            work.rollback().await?;
            return Ok(false);
        };
        let secrets = match decide(&client) {
            Ok(secrets) => secrets,
            Err(refusal) => {
                work.rollback().await?;
                return Err(refusal);
            }
        };
        let change = query(
            "update clients
             set secrets = $2
             where id = $1",
        )
        .bind(id.as_str().to_owned())
        .bind(json(&secrets));
        work.write(change).await?;
        work.audit(entry).await?;
        work.commit().await?;
        Ok(true)
    }

    /// Sets the state; a disabled client's `not_before` rises to `at`, and it gets another status index. `false`: no
    /// such client.
    pub async fn set_client_state(
        &self,
        id: &ClientId,
        state: ClientState,
        at: Timestamp,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let change = query(
            "update clients
             set state = $2,
               not_before = case when $2 = 'disabled' and not_before < $3 then $3 else not_before end
             where id = $1",
        )
        .bind(id.as_str().to_owned())
        .bind(state_word(state))
        .bind(at.millis());
        let mut work = self.db.begin().await?;
        let Some(client) = work.client_to_change(id, at).await? else {
            work.rollback().await?;
            return Ok(false);
        };
        match state {
            ClientState::Active => {}
            ClientState::Disabled => work.revoke_index_of(&client, at).await?,
        }
        work.write(change).await?;
        work.audit(entry).await?;
        work.commit().await?;
        Ok(true)
    }

    /// Raises the client's `not_before` to `mark` (never lowers it). Where tokens that it holds at this moment, `at`,
    /// are revoked by that, it gets another status index. `false`: no such client.
    pub async fn raise_client_not_before(
        &self,
        id: &ClientId,
        mark: Timestamp,
        at: Timestamp,
        client_tokens: ClientTokens,
    ) -> Result<bool, StoreError> {
        let change = query(
            "update clients
             set not_before = case when not_before < $2 then $2 else not_before end
             where id = $1",
        )
        .bind(id.as_str().to_owned())
        .bind(mark.millis());
        let mut work = self.db.begin().await?;
        let Some(client) = work.client_to_change(id, at).await? else {
            work.rollback().await?;
            return Ok(false);
        };
        if client_tokens == ClientTokens::Revoked {
            work.revoke_index_of(&client, at).await?;
        }
        work.write(change).await?;
        work.commit().await?;
        Ok(true)
    }

    /// Removes the client's row, and what people have agreed to with it: a later client of the same identifier is
    /// another one, at another status index. `false`: no such client.
    pub async fn remove_client(&self, id: &ClientId, entry: &AuditEntry) -> Result<bool, StoreError> {
        let mut work = self.db.begin().await?;
        let Some(client) = work.client_to_change(id, entry.at).await? else {
            work.rollback().await?;
            return Ok(false);
        };
        work.revoke_index_of(&client, entry.at).await?;
        work.write(query("delete from clients where id = $1").bind(id.as_str().to_owned())).await?;
        let consents = query("delete from consents where client_id = $1").bind(id.as_str().to_owned());
        work.write(consents).await?;
        work.audit(entry).await?;
        work.commit().await?;
        Ok(true)
    }
}

impl Work {
    /// Announces a change to the client and reads it; the feed's lock keeps it as it is until the commit.
    async fn client_to_change(&mut self, id: &ClientId, at: Timestamp) -> Result<Option<Client>, StoreError> {
        self.announce(&Change::Client(id.clone()), at).await?;
        self.read_one(select_one(id)).await?.as_ref().map(read).transpose()
    }

    /// Retires the client's status index, unless that was done when the client was disabled.
    async fn revoke_index_of(&mut self, client: &Client, at: Timestamp) -> Result<(), StoreError> {
        match client.state {
            ClientState::Active => self.revoke_indexes(ClientSelection::One(&client.id), at).await,
            ClientState::Disabled => Ok(()),
        }
    }
}

fn update(client: &Client, at: Timestamp) -> Query {
    // Of two changes within the longest that an access token lives, the longer of the previous lives counts. Where one
    // of them was the server's, the server remembers it.
    let change = query(
        "update clients
             set name = $2, kind = $3, auth_method = $4, trusted = $5, grants = $6, scope = $7, audience = $8,
               redirect_uris = $9, post_logout_redirect_uris = $10, backchannel_logout_uri = $11,
               access_token_algorithm = $12,
               previous_access_lifetime = case
                 when access_lifetime is not distinct from $13 then previous_access_lifetime
                 when access_lifetime_changed_at > $18 and previous_access_lifetime > coalesce(access_lifetime, 0)
                   then previous_access_lifetime
                 else access_lifetime
               end,
               access_lifetime_changed_at = case
                 when access_lifetime is not distinct from $13 then access_lifetime_changed_at
                 else $17
               end,
               access_lifetime = $13,
               refresh_lifetime = $14, refresh = $15, sign_on = $16
             where id = $1",
    );
    // As long as `Client::longest_access_lifetime` reads it.
    let remembered = at.minus(MAX_ACCESS_LIFETIME + TOLD_AFTER_EXPIRY);
    bind_settings(change, client).bind(at.millis()).bind(remembered.millis())
}

fn select_one(id: &ClientId) -> Query {
    query(concat!("select ", settings!(), ", ", others!(), ", ", previous!(), "\nfrom clients\nwhere id = $1"))
        .bind(id.as_str().to_owned())
}

fn insert(client: &Client) -> Query {
    let text = concat!(
        "insert into clients\n  (",
        settings!(),
        ", ",
        others!(),
        ")
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"
    );
    bind_settings(query(text), client)
        .bind(state_word(client.state))
        .bind(client.status_index)
        .bind(client.not_before.millis())
        .bind(client.created_at.millis())
        .bind(json(&client.secrets))
}

fn bind_settings(query: Query, client: &Client) -> Query {
    query
        .bind(client.id.as_str().to_owned())
        .bind(client.name.clone())
        .bind(kind_word(client.kind))
        .bind(client.auth_method.as_str())
        .bind(i64::from(client.trusted))
        .bind(json(&client.grants))
        .bind(client.scope.as_str().to_owned())
        .bind(json(&client.audience))
        .bind(json(&client.redirect_uris))
        .bind(json(&client.post_logout_redirect_uris))
        .bind(client.backchannel_logout_uri.clone())
        .bind(client.access_token_algorithm.map(SigningAlgorithm::as_str))
        .bind(client.access_lifetime.map(millis))
        .bind(client.refresh_lifetime.map(millis))
        .bind(json(&client.refresh))
        .bind(json(&client.sign_on))
}

fn read(row: &AnyRow) -> Result<Client, StoreError> {
    let columns = Columns::of(row, "clients", "id")?;
    Ok(Client {
        id: columns.word("id", |id| id.parse().ok())?,
        name: columns.text("name")?.to_owned(),
        kind: columns.word("kind", kind)?,
        auth_method: columns.word("auth_method", |word| word.parse().ok())?,
        state: columns.word("state", state)?,
        trusted: columns.flag("trusted")?,
        grants: columns.json("grants")?,
        scope: columns.word("scope", |text| Scope::parse(text).ok())?,
        audience: columns.json("audience")?,
        redirect_uris: columns.json("redirect_uris")?,
        post_logout_redirect_uris: columns.json("post_logout_redirect_uris")?,
        backchannel_logout_uri: columns.text_if("backchannel_logout_uri")?.map(str::to_owned),
        access_token_algorithm: columns.word_if("access_token_algorithm", |word| word.parse().ok())?,
        access_lifetime: columns.span_if("access_lifetime")?,
        previous_access_lifetime: columns
            .span_if("previous_access_lifetime")?
            .zip(columns.time_if("access_lifetime_changed_at")?),
        refresh_lifetime: columns.span_if("refresh_lifetime")?,
        refresh: columns.json("refresh")?,
        sign_on: columns.json("sign_on")?,
        status_index: columns.number("status_index")?,
        not_before: columns.time("not_before")?,
        created_at: columns.time("created_at")?,
        secrets: columns.json("secrets")?,
    })
}

const fn kind_word(kind: ClientKind) -> &'static str {
    match kind {
        ClientKind::Public => "public",
        ClientKind::Confidential => "confidential",
    }
}

fn kind(word: &str) -> Option<ClientKind> {
    [ClientKind::Public, ClientKind::Confidential].into_iter().find(|kind| kind_word(*kind) == word)
}

const fn state_word(state: ClientState) -> &'static str {
    match state {
        ClientState::Active => "active",
        ClientState::Disabled => "disabled",
    }
}

fn state(word: &str) -> Option<ClientState> {
    [ClientState::Active, ClientState::Disabled].into_iter().find(|state| state_word(*state) == word)
}
