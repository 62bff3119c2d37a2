//! Users and their password hashes.

use sqlx::any::AnyRow;

use super::Database;
use super::columns::{Columns, json, one_more, page};
use super::db::{Query, Work, query};
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::model::{Page, PageRequest, User, UserId, UserState};
use crate::store::change::Change;
use crate::store::{StoreError, UniqueKey};

/// Every column except the password hash.
macro_rules! columns {
    () => {
        "id, username, email, email_verified, state, admin, roles, groups, profile, not_before, created_at, \
         password_changed_at, last_login_at"
    };
}

/// Sets the password `$2` of the user `$1` at `$3`. Their `not_before` rises to `$3`, unless it is later already.
macro_rules! new_password {
    () => {
        "update users
         set password_hash = $2,
           password_changed_at = $3,
           not_before = case when not_before < $3 then $3 else not_before end
         where id = $1"
    };
}

/// A user who has proved a password, and its hash, both as read at that time.
#[derive(Debug)]
pub struct ProvenPassword<'a> {
    pub user: &'a User,
    pub password_hash: &'a str,
}

impl Database {
    /// Adds a user. Fails with [`StoreError::Conflict`] if the name or the address (in canonical form: lower case) is
    /// the name or the address of another user.
    pub async fn add_user(
        &self,
        user: &User,
        password_hash: Option<&str>,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(Change::User(user.id), entry.at).await?;
        // No other name or address can be added in between: each transaction that adds one holds the feed's lock.
        work.refuse_taken(&user.username, user.id, UniqueKey::Username).await?;
        if let Some(email) = &user.email {
            work.refuse_taken(email, user.id, UniqueKey::Email).await?;
        }
        work.write_unique(insert(user, password_hash)).await?;
        work.audit(entry).await?;
        work.commit().await
    }

    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.db.read_one(select(id)).await?.as_ref().map(read).transpose()
    }

    /// Returns the user whose name or address is `identifier` (compared in canonical form), with the password hash.
    pub async fn user_to_sign_in(&self, identifier: &str) -> Result<Option<(User, Option<String>)>, StoreError> {
        // No user has such a name, and PostgreSQL would refuse the statement.
        if identifier.contains('\0') {
            return Ok(None);
        }
        let user = query(concat!(
            "select ",
            columns!(),
            ", password_hash\nfrom users\nwhere username_key = $1\nor email_key = $1"
        ))
        .bind(canonical(identifier));
        let Some(row) = self.db.read_one(user).await? else { return Ok(None) };
        let hash = Columns::of(&row, "users", "id")?.text_if("password_hash")?.map(str::to_owned);
        Ok(Some((read(&row)?, hash)))
    }

    pub async fn list_users(&self, page: &PageRequest) -> Result<Page<User>, StoreError> {
        let users = query(concat!("select ", columns!(), "\nfrom users\nwhere id > $1\norder by id\nlimit $2"))
            .bind(page.after.clone().unwrap_or_default())
            .bind(one_more(page));
        let users = self.db.read(users).await?.iter().map(read).collect::<Result<_, _>>()?;
        Ok(self::page(users, page, |user: &User| user.id.to_string()))
    }

    /// Changes a user by `decide`, which sees it under a lock, so that no concurrent change is lost.
    ///
    /// Address, `admin`, roles, groups and profile are written, with the entry that `decide` returns. If nothing
    /// differs, nothing is written. Returns the user after the change, or the error of `decide`; `None` if there is no
    /// such user. Fails with [`StoreError::Conflict`] if the address is taken. Nothing is written then, nor if `decide`
    /// fails.
    pub async fn edit_user(
        &self,
        id: UserId,
        at: Timestamp,
        decide: impl FnOnce(&User) -> Result<(User, AuditEntry), Error> + Send,
    ) -> Result<Result<Option<User>, Error>, StoreError> {
        let mut work = self.db.begin().await?;
        // Each transaction that changes these columns holds the feed's lock.
        work.announce(Change::User(id), at).await?;
        let Some(before) = work.read_one(select(id)).await?.as_ref().map(read).transpose()? else {
            work.rollback().await?;
            return Ok(Ok(None));
        };
        let edited = work.edit(&before, at, decide).await;
        match edited {
            Ok(Ok(Some(_))) => work.commit().await?,
            Ok(Ok(None) | Err(_)) | Err(_) => work.rollback().await?,
        }
        Ok(edited?.map(|after| Some(after.unwrap_or(before))))
    }

    /// Sets the password and raises the user's `not_before` to `at`. Returns `false` if there is no such user.
    pub async fn set_password(
        &self,
        id: UserId,
        hash: &str,
        at: Timestamp,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let change = query(new_password!()).bind(id.to_string()).bind(hash.to_owned()).bind(at.millis());
        self.change_user(id, change, at, Some(entry)).await
    }

    /// As [`set_password`](Self::set_password), for a user who has proved the previous password. Returns `false` if
    /// another password was set meanwhile, or if the user may no longer sign in.
    pub async fn change_password(
        &self,
        proven: &ProvenPassword<'_>,
        hash: &str,
        at: Timestamp,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let change = query(concat!(
            new_password!(),
            "
             and state = 'active'
             and not_before = $4
             and password_hash = $5"
        ))
        .bind(proven.user.id.to_string())
        .bind(hash.to_owned())
        .bind(at.millis())
        .bind(proven.user.not_before.millis())
        .bind(proven.password_hash.to_owned());
        self.change_user(proven.user.id, change, at, Some(entry)).await
    }

    /// Replaces exactly `old` by a hash with newer parameters, without `not_before` and audit entry. Returns `false` if
    /// the hash changed meanwhile.
    pub async fn replace_password_hash(&self, id: UserId, old: &str, new: &str) -> Result<bool, StoreError> {
        let change = query(
            "update users
             set password_hash = $3
             where id = $1
             and password_hash = $2",
        )
        .bind(id.to_string())
        .bind(old.to_owned())
        .bind(new.to_owned());
        Ok(self.db.write(change).await? == 1)
    }

    /// Sets the state. When a user is disabled, their `not_before` rises to `at`. Returns `false` if there is no such
    /// user.
    pub async fn set_user_state(
        &self,
        id: UserId,
        state: UserState,
        at: Timestamp,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let change = query(
            "update users
             set state = $2,
               not_before = case when $2 = 'disabled' and not_before < $3 then $3 else not_before end
             where id = $1",
        )
        .bind(id.to_string())
        .bind(state_word(state))
        .bind(at.millis());
        self.change_user(id, change, at, Some(entry)).await
    }

    /// Raises the user's `not_before` to `at` (never lowers it). Returns `false` if there is no such user.
    pub async fn raise_user_not_before(&self, id: UserId, at: Timestamp) -> Result<bool, StoreError> {
        let change = query(
            "update users
             set not_before = case when not_before < $2 then $2 else not_before end
             where id = $1",
        )
        .bind(id.to_string())
        .bind(at.millis());
        self.change_user(id, change, at, None).await
    }

    /// Removes the user's row and consents. The user's sessions keep the identifier. Returns `false` if there is no
    /// such user.
    pub async fn remove_user(&self, id: UserId, entry: &AuditEntry) -> Result<bool, StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(Change::User(id), entry.at).await?;
        if work.write(query("delete from users where id = $1").bind(id.to_string())).await? == 0 {
            work.rollback().await?;
            return Ok(false);
        }
        work.write(query("delete from consents where user_id = $1").bind(id.to_string())).await?;
        work.audit(entry).await?;
        work.commit().await?;
        Ok(true)
    }

    async fn change_user(
        &self,
        id: UserId,
        change: Query,
        at: Timestamp,
        entry: Option<&AuditEntry>,
    ) -> Result<bool, StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(Change::User(id), at).await?;
        if work.write(change).await? == 0 {
            work.rollback().await?;
            return Ok(false);
        }
        if let Some(entry) = entry {
            work.audit(entry).await?;
        }
        work.commit().await?;
        Ok(true)
    }
}

impl Work {
    /// Writes what `decide` makes of the user, unless it refuses. Returns `None` if nothing differs.
    async fn edit(
        &mut self,
        before: &User,
        at: Timestamp,
        decide: impl FnOnce(&User) -> Result<(User, AuditEntry), Error> + Send,
    ) -> Result<Result<Option<User>, Error>, StoreError> {
        let (after, entry) = match decide(before) {
            Ok(decided) => decided,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if after == *before {
            return Ok(Ok(None));
        }
        if let Some(email) = &after.email {
            self.refuse_taken(email, after.id, UniqueKey::Email).await?;
        }
        let rights_changed = after.roles != before.roles || after.groups != before.groups;
        self.write(update(&after, rights_changed.then_some(at))).await?;
        self.audit(&entry).await?;
        Ok(Ok(Some(after)))
    }

    async fn refuse_taken(&mut self, name: &str, own: UserId, key: UniqueKey) -> Result<(), StoreError> {
        let taken = query(
            "select id
             from users
             where (username_key = $1 or email_key = $1)
             and id <> $2",
        )
        .bind(canonical(name))
        .bind(own.to_string());
        match self.read_one(taken).await? {
            None => Ok(()),
            Some(_) => Err(StoreError::Conflict(key)),
        }
    }
}

fn select(id: UserId) -> Query {
    query(concat!("select ", columns!(), "\nfrom users\nwhere id = $1")).bind(id.to_string())
}

fn update(user: &User, rights_changed_at: Option<Timestamp>) -> Query {
    query(
        "update users
         set email = $2, email_key = $3, email_verified = $4, admin = $5, roles = $6, groups = $7, profile = $8,
           rights_changed_at = coalesce(cast($9 as bigint), rights_changed_at)
         where id = $1",
    )
    .bind(user.id.to_string())
    .bind(user.email.clone())
    .bind(user.email.as_deref().map(canonical))
    .bind(i64::from(user.email_verified))
    .bind(i64::from(user.admin))
    .bind(json(&user.roles))
    .bind(json(&user.groups))
    .bind(json(&user.profile))
    .bind(rights_changed_at.map(Timestamp::millis))
}

fn insert(user: &User, password_hash: Option<&str>) -> Query {
    let text = concat!(
        "insert into users\n  (",
        columns!(),
        ", username_key, email_key, password_hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
    );
    query(text)
        .bind(user.id.to_string())
        .bind(user.username.clone())
        .bind(user.email.clone())
        .bind(i64::from(user.email_verified))
        .bind(state_word(user.state))
        .bind(i64::from(user.admin))
        .bind(json(&user.roles))
        .bind(json(&user.groups))
        .bind(json(&user.profile))
        .bind(user.not_before.millis())
        .bind(user.created_at.millis())
        .bind(user.password_changed_at.map(Timestamp::millis))
        .bind(user.last_login_at.map(Timestamp::millis))
        .bind(canonical(&user.username))
        .bind(user.email.as_deref().map(canonical))
        .bind(password_hash.map(str::to_owned))
}

fn read(row: &AnyRow) -> Result<User, StoreError> {
    let columns = Columns::of(row, "users", "id")?;
    Ok(User {
        id: columns.word("id", |id| id.parse().ok())?,
        username: columns.text("username")?.to_owned(),
        email: columns.text_if("email")?.map(str::to_owned),
        email_verified: columns.flag("email_verified")?,
        state: columns.word("state", state)?,
        admin: columns.flag("admin")?,
        roles: columns.json("roles")?,
        groups: columns.json("groups")?,
        profile: columns.json("profile")?,
        not_before: columns.time("not_before")?,
        created_at: columns.time("created_at")?,
        password_changed_at: columns.time_if("password_changed_at")?,
        last_login_at: columns.time_if("last_login_at")?,
    })
}

/// Returns the form in which names and addresses are compared.
fn canonical(text: &str) -> String {
    text.trim().to_lowercase()
}

const fn state_word(state: UserState) -> &'static str {
    match state {
        UserState::Active => "active",
        UserState::Disabled => "disabled",
    }
}

fn state(word: &str) -> Option<UserState> {
    [UserState::Active, UserState::Disabled].into_iter().find(|state| state_word(*state) == word)
}
