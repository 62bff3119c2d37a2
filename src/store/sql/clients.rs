//! Registered clients and the digests of their secrets.

use sqlx::any::AnyRow;

use super::Database;
use super::columns::{Columns, json, millis, one_more, page};
use super::db::{Query, Work, query};
use super::revoked_indexes::ClientSelection;
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::model::{Client, ClientId, ClientSecret, ClientState, Page, PageRequest};
use crate::store::StoreError;
use crate::store::change::Change;

/// The columns that are read. `backchannel_logout_uri` is not among them: it repeats a part of the metadata for SQL
/// queries.
macro_rules! columns {
    () => {
        "id, metadata, state, status_index, not_before, created_at, previous_access_lifetime, \
         access_lifetime_changed_at, secrets"
    };
}

/// The effect of a change on the tokens that a client holds without a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientTokens {
    Stay,
    /// They allow more than the client may obtain now, and are revoked.
    Revoked,
}

impl Database {
    /// Adds a client with its secrets. Fails with [`StoreError::Conflict`] if the identifier is taken.
    pub async fn add_client(&self, client: &Client, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(Change::Client(client.id.clone()), entry.at).await?;
        work.write_unique(insert(client)).await?;
        work.audit(entry).await?;
        work.commit().await
    }

    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.db.read_one(select_one(id)).await?.as_ref().map(read).transpose()
    }

    pub async fn list_clients(&self, page: &PageRequest) -> Result<Page<Client>, StoreError> {
        let text = concat!("select ", columns!(), "\nfrom clients\nwhere id > $1\norder by id\nlimit $2");
        let clients = query(text).bind(page.after.clone().unwrap_or_default()).bind(one_more(page));
        let clients = self.db.read(clients).await?.iter().map(read).collect::<Result<_, _>>()?;
        Ok(self::page(clients, page, |client: &Client| client.id.to_string()))
    }

    /// Changes a client by `decide`, which sees it under a lock, so that no concurrent change is lost.
    ///
    /// Secrets, state, `not_before` and creation time stay. The client gets another status index if its own tokens are
    /// revoked. If the access token lifetime changes, the row keeps the previous one and the time of the change, which
    /// the status lists need. Returns the client before and after the change; `None` if there is no such client. If
    /// `decide` fails, nothing is written.
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
        after.previous_access_lifetime = before.previous_access_lifetime_after(&after.metadata, entry.at);
        work.write(update(&after)).await?;
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

    /// Replaces the secrets by those that `decide` returns. `decide` sees the client under a lock, so that no
    /// concurrent change is lost. Returns `false` if there is no such client. If `decide` fails, nothing is written.
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

    /// Sets the state. When a client is disabled, its `not_before` rises to `at`, and it gets another status index.
    /// Returns `false` if there is no such client.
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

    /// Raises the client's `not_before` to `mark` (never lowers it). If `client_tokens` is `Revoked`, the client gets
    /// another status index, because the tokens that it holds at the time `at` are revoked. Returns `false` if there is
    /// no such client.
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

    /// Removes the client's row and the users' consents for it. A later client with the same identifier is a different
    /// client with another status index. Returns `false` if there is no such client.
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
    /// Announces a change to the client and reads it. The feed's lock prevents other changes until the commit.
    async fn client_to_change(&mut self, id: &ClientId, at: Timestamp) -> Result<Option<Client>, StoreError> {
        self.announce(Change::Client(id.clone()), at).await?;
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

fn update(client: &Client) -> Query {
    let previous = client.previous_access_lifetime;
    let change = query(
        "update clients
         set metadata = $2,
           backchannel_logout_uri = $3,
           previous_access_lifetime = $4,
           access_lifetime_changed_at = $5
         where id = $1",
    );
    bind_metadata(change, client)
        .bind(previous.map(|(life, _)| millis(life)))
        .bind(previous.map(|(_, changed)| changed.millis()))
}

fn select_one(id: &ClientId) -> Query {
    query(concat!("select ", columns!(), "\nfrom clients\nwhere id = $1")).bind(id.as_str().to_owned())
}

fn insert(client: &Client) -> Query {
    let text = "insert into clients
           (id, metadata, backchannel_logout_uri, state, status_index, not_before, created_at, secrets)
         values ($1, $2, $3, $4, $5, $6, $7, $8)";
    bind_metadata(query(text), client)
        .bind(state_word(client.state))
        .bind(client.status_index)
        .bind(client.not_before.millis())
        .bind(client.created_at.millis())
        .bind(json(&client.secrets))
}

fn bind_metadata(query: Query, client: &Client) -> Query {
    query
        .bind(client.id.as_str().to_owned())
        .bind(json(&client.metadata))
        .bind(client.metadata.backchannel_logout_uri.clone())
}

fn read(row: &AnyRow) -> Result<Client, StoreError> {
    let columns = Columns::of(row, "clients", "id")?;
    Ok(Client {
        id: columns.word("id", |id| id.parse().ok())?,
        metadata: columns.json("metadata")?,
        state: columns.word("state", state)?,
        status_index: columns.number("status_index")?,
        not_before: columns.time("not_before")?,
        created_at: columns.time("created_at")?,
        previous_access_lifetime: columns
            .span_if("previous_access_lifetime")?
            .zip(columns.time_if("access_lifetime_changed_at")?),
        secrets: columns.json("secrets")?,
    })
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
