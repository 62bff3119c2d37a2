//! Former status indexes of clients. Tokens without a session share their client's status index. When they are revoked,
//! the client gets another index in the same transaction, so that the previous one revokes these tokens and no later
//! one.

use sqlx::any::AnyRow;

use super::Database;
use super::columns::Columns;
use super::db::{Work, query};
use super::filter::Statement;
use crate::clock::Timestamp;
use crate::model::{ClientId, ClientStatusIndex, RevokedIndex};
use crate::store::StoreError;
use crate::store::change::Change;

#[derive(Debug, Clone, Copy)]
pub(super) enum ClientSelection<'a> {
    One(&'a ClientId),
    /// The active clients. (The status index of a disabled client was retired when it was disabled.)
    All,
}

impl Database {
    pub async fn revoked_indexes(&self, since: Timestamp) -> Result<Vec<RevokedIndex>, StoreError> {
        let retired = query(
            "select status_index, client_id, revoked_at
             from revoked_indexes
             where revoked_at >= $1
             order by status_index",
        )
        .bind(since.millis());
        self.db.read(retired).await?.iter().map(read).collect()
    }

    pub async fn prune_revoked_indexes(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.db.write(query("delete from revoked_indexes where revoked_at < $1").bind(before.millis())).await
    }
}

impl Work {
    /// Gives clients new status indexes instead of their present ones, whose tokens are revoked at the time `at`, and
    /// writes a feed row for each. Call it after [`Work::announce`], which takes the feed's lock.
    pub(super) async fn revoke_indexes(
        &mut self,
        holders: ClientSelection<'_>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut retire = Statement::new("insert into revoked_indexes (status_index, client_id, revoked_at)");
        retire.number("\nselect status_index, id, ", at.millis()).then("\nfrom clients");
        let mut retire = of(retire, holders);
        retire.then("\nreturning status_index, client_id, revoked_at");
        let rows = self.read(retire.query()).await?;
        for row in &rows {
            self.collect(Change::IndexRevoked(read(row)?));
        }
        let retired = rows.len() as u64;
        if retired == 0 {
            return Ok(());
        }
        let numbers = self.next_numbers(retired).await?;
        let mut announce = Statement::new("insert into feed (seq, kind, subject, at)");
        announce.number("\nselect ", numbers.start).then(" - 1 + row_number() over (order by id), 'status_index'");
        announce.number(", cast(status_index as text) || ' ' || id, ", at.millis()).then("\nfrom clients");
        self.write(of(announce, holders).query()).await?;
        let indexes = self.lease_indexes(retired).await?;
        let mut give = Statement::new("update clients");
        give.number("\nset status_index = ", indexes.start).then(" - 1 + fresh.nth");
        give.then("\nfrom (\nselect id, row_number() over (order by id) as nth\nfrom clients");
        let mut give = of(give, holders);
        give.then("\n) as fresh\nwhere clients.id = fresh.id");
        self.write(give.query()).await.map(drop)
    }
}

fn of(mut statement: Statement, holders: ClientSelection<'_>) -> Statement {
    match holders {
        ClientSelection::One(client) => statement.text("\nwhere id = ", client.as_str()),
        ClientSelection::All => statement.then("\nwhere state = 'active'"),
    };
    statement
}

/// Returns the subject of a feed row, in the form that [`Work::revoke_indexes`] also writes.
pub(super) fn subject(index: &ClientStatusIndex) -> String {
    format!("{} {}", index.status_index, index.client_id)
}

pub(super) fn read_subject(subject: &str) -> Option<ClientStatusIndex> {
    let (index, client) = subject.split_once(' ')?;
    Some(ClientStatusIndex { client_id: client.parse().ok()?, status_index: index.parse().ok()? })
}

fn read(row: &AnyRow) -> Result<RevokedIndex, StoreError> {
    let columns = Columns::of_only(row, "revoked_indexes");
    let client_id = columns.word("client_id", |id| id.parse().ok())?;
    let index = ClientStatusIndex { client_id, status_index: columns.number("status_index")? };
    Ok(RevokedIndex { index, at: columns.time("revoked_at")? })
}
