//! A fresh, migrated database in PostgreSQL.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tokenhouse::store::Database;

/// A migrated database.
pub struct PostgresDatabase {
    pub database: Database,
    pub url: String,
    name: String,
}

impl PostgresDatabase {
    pub async fn fresh() -> Self {
        let name = create_database().await;
        let url = url_of(&name);
        let database = Database::connect(&super::sqlite::settings(&url)).await.unwrap();
        database.migrate().await.unwrap();
        Self { database, url, name }
    }

    /// Drops the database. (What a failed test leaves behind goes with the private server.)
    pub async fn drop(self) {
        self.database.close().await;
        drop_database(&self.name).await;
    }
}

/// Creates an empty database and returns its name.
pub async fn create_database() -> String {
    let database = super::fresh_name("tokenhouse_test");
    run(format!("create database {database} template template0")).await;
    database
}

/// Drops a database, although connections to it may be open.
pub async fn drop_database(database: &str) {
    run(format!("drop database if exists {database} with (force)")).await;
}

fn admin() -> String {
    super::server("TEST_DATABASE_URL")
}

/// How to connect to a database of this name.
pub fn url_of(database: &str) -> String {
    let mut url = url::Url::parse(&admin()).unwrap();
    url.set_path(database);
    url.into()
}

async fn run(statement: String) {
    let options: PgConnectOptions = admin().parse().unwrap();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}
