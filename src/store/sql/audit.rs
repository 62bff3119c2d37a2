//! Audit entries, which are only added, listed and pruned.

use super::Database;
use super::columns::{Columns, json, one_more, page};
use super::db::{Query, Work, query};
use crate::audit::{AuditEntry, AuditRecord};
use crate::model::{Page, PageRequest};
use crate::store::StoreError;

impl Database {
    /// Writes an entry that belongs to no other change.
    pub async fn record(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.db.write(insert(entry)).await.map(drop)
    }

    /// Lists entries, newest first; `after` is the identifier of the last one seen.
    pub async fn list_audit(&self, page: &PageRequest) -> Result<Page<AuditRecord>, StoreError> {
        let mut newest_first = super::filter::Statement::new("select id, at, actor, event\nfrom audit");
        if let Some(after) = &page.after {
            newest_first.text("\nwhere id < ", after);
        }
        newest_first.number("\norder by id desc\nlimit ", one_more(page));
        let rows = self.db.read(newest_first.query()).await?;
        let records = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(self::page(records, page, |record: &AuditRecord| record.id.clone()))
    }
}

impl Work {
    pub(super) async fn audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.write(insert(entry)).await.map(drop)
    }
}

fn insert(entry: &AuditEntry) -> Query {
    query(
        "insert into audit (id, at, actor, event)
         values ($1, $2, $3, $4)",
    )
    .bind(entry.id.to_string())
    .bind(entry.at.millis())
    .bind(json(&entry.actor))
    .bind(json(&entry.event))
}

fn read(row: &sqlx::any::AnyRow) -> Result<AuditRecord, StoreError> {
    let columns = Columns::of(row, "audit", "id")?;
    Ok(AuditRecord {
        id: columns.text("id")?.to_owned(),
        at: columns.time("at")?,
        actor: columns.json("actor")?,
        event: columns.json("event")?,
    })
}
