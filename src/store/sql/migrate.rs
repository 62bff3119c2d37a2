//! Migrates the schema. Many instances may start at once. A schema newer than this program is refused.
//!
//! The SQL texts are in `migrations/`, one folder per database, with the same names in both. All missing migrations run
//! in one transaction under one lock, so a crash midway leaves the previous schema.

use std::time::Duration;

use sqlx::any::AnyRow;

use super::columns::Columns;
use super::db::{Limits, Work, query};
use super::{Database, Dialect};
use crate::clock::Clock;
use crate::store::StoreError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    pub applied: Vec<String>,
    pub version: i64,
}

struct Migration {
    version: i64,
    name: &'static str,
    postgres: &'static str,
    sqlite: &'static str,
}

/// All migrations, oldest first. A released migration is never changed.
const MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "0001_schema",
    postgres: include_str!("../../../migrations/postgres/0001_schema.sql"),
    sqlite: include_str!("../../../migrations/sqlite/0001_schema.sql"),
}];

/// The limits of a migration, which may take long, as may waiting for another instance's.
const PATIENCE: Limits = Limits { acquire: Duration::from_secs(30), operation: Duration::from_mins(10) };

/// The number of attempts to begin. SQLite waits by its `busy_timeout`, which is only as long as one statement may
/// take.
const TRIES: u32 = 10;

struct Applied {
    version: i64,
    name: String,
    checksum: String,
}

impl Database {
    /// Applies the missing migrations. Fails with [`StoreError::Corrupt`] if the schema is newer than this program or
    /// an applied migration was changed.
    pub async fn migrate(&self) -> Result<Migrated, StoreError> {
        let mut work = self.begin_migration().await?;
        let before = applied(&mut work).await?;
        check(&before, self.dialect())?;
        let mut done = Vec::new();
        for migration in &MIGRATIONS[before.len()..] {
            work.script(migration.text(self.dialect())).await?;
            let row = query(
                "insert into schema_migrations (version, name, checksum, applied_at)
                 values ($1, $2, $3, $4)",
            )
            .bind(migration.version)
            .bind(migration.name)
            .bind(checksum(migration.text(self.dialect())))
            .bind(Clock::system().now().millis());
            work.write(row).await?;
            done.push(migration.name.to_owned());
        }
        work.commit().await?;
        Ok(Migrated { applied: done, version: newest() })
    }

    /// Fails unless the schema is exactly the one that this program knows.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let tables = match self.dialect() {
            Dialect::Postgres => {
                "select count(*) as tables from pg_tables where tablename = 'schema_migrations' and schemaname = current_schema()"
            }
            Dialect::Sqlite => "select count(*) as tables from sqlite_master where name = 'schema_migrations'",
        };
        let row = self.db.read_one(query(tables)).await?;
        let exists = row.map_or(Ok(0), |row| Columns::of_only(&row, "schema_migrations").number("tables"))? > 0;
        let before = if exists { read_all(&self.db.read(select()).await?)? } else { Vec::new() };
        check(&before, self.dialect())?;
        match MIGRATIONS.get(before.len()) {
            None => Ok(()),
            Some(missing) => Err(StoreError::Corrupt(format!(
                "the database's schema is older than this program: migration {} is missing (run `tokenhouse migrate`)",
                missing.name
            ))),
        }
    }

    /// Begins a transaction in which no other instance migrates.
    async fn begin_migration(&self) -> Result<Work, StoreError> {
        let mut tries = 1;
        let mut work = loop {
            match self.db.begin_within(PATIENCE).await {
                Err(StoreError::Unavailable { .. }) if tries < TRIES => tries += 1,
                begun => break begun?,
            }
        };
        if self.dialect() == Dialect::Postgres {
            let patience = query(
                "select
                   set_config('statement_timeout', '0', true),
                   set_config('lock_timeout', '0', true)",
            );
            work.read(patience).await?;
            // The lock number is arbitrary, but must have no other use in this database: "tokenhou" in ASCII.
            work.read(query("select pg_advisory_xact_lock($1)").bind(0x746f_6b65_6e68_6f75_i64)).await?;
        }
        Ok(work)
    }
}

impl Migration {
    const fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Postgres => self.postgres,
            Dialect::Sqlite => self.sqlite,
        }
    }
}

fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

async fn applied(work: &mut Work) -> Result<Vec<Applied>, StoreError> {
    work.script(
        "create table if not exists schema_migrations (
           version bigint primary key,
           name text not null,
           checksum text not null,
           applied_at bigint not null
         )",
    )
    .await?;
    read_all(&work.read(select()).await?)
}

fn select() -> super::db::Query {
    query(
        "select version, name, checksum
         from schema_migrations
         order by version",
    )
}

fn read_all(rows: &[AnyRow]) -> Result<Vec<Applied>, StoreError> {
    rows.iter()
        .map(|row| {
            let columns = Columns::of_only(row, "schema_migrations");
            Ok(Applied {
                version: columns.number("version")?,
                name: columns.text("name")?.to_owned(),
                checksum: columns.text("checksum")?.to_owned(),
            })
        })
        .collect()
}

/// Checks that the applied migrations are the first ones that this program knows.
fn check(applied: &[Applied], dialect: Dialect) -> Result<(), StoreError> {
    for (position, row) in applied.iter().enumerate() {
        let name = &row.name;
        let Some(known) = MIGRATIONS.get(position) else {
            return Err(StoreError::Corrupt(format!(
                "the database's schema is newer than this program: it does not know migration {name}"
            )));
        };
        if known.version != row.version || known.name != name {
            return Err(StoreError::Corrupt(format!(
                "the database's schema is another: migration {name} stands where this program knows {}",
                known.name
            )));
        }
        if checksum(known.text(dialect)) != row.checksum {
            return Err(StoreError::Corrupt(format!("migration {name} was changed after it had been applied")));
        }
    }
    Ok(())
}

/// Computes FNV-1a, 64 bits. It detects mistakes, not forgery.
fn checksum(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_in_order_and_named_alike_in_both_databases() {
        for (position, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(usize::try_from(migration.version).unwrap(), position + 1);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)));
        }
        for folder in ["postgres", "sqlite"] {
            let mut files: Vec<String> =
                std::fs::read_dir(format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR")))
                    .unwrap()
                    .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                    .collect();
            files.sort();
            let names: Vec<String> = MIGRATIONS.iter().map(|migration| format!("{}.sql", migration.name)).collect();
            assert_eq!(files, names);
        }
    }

    #[test]
    fn the_checksum_is_fnv_1a() {
        assert_eq!(checksum(""), "cbf29ce484222325");
        assert_eq!(checksum("a"), "af63dc4c8601ec8c");
    }
}
