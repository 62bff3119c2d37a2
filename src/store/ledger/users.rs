//! Users and their password hashes.

use super::Ledger;
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::model::{Page, PageRequest, User, UserId, UserState};
use crate::store::StoreError;

impl Ledger {
    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name or the address (in canonical form: lower case) is taken, by either.
    pub async fn add_user(
        &self,
        user: &User,
        password_hash: Option<&str>,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let _ = (user, password_hash, entry);
        todo!()
    }

    /// The user with this identifier.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let _ = id;
        todo!()
    }

    /// The user whose name or address is `identifier` (compared in canonical form), with the password hash.
    pub async fn user_to_sign_in(&self, identifier: &str) -> Result<Option<(User, Option<String>)>, StoreError> {
        let _ = identifier;
        todo!()
    }

    /// Users in the order of their identifiers.
    pub async fn list_users(&self, page: &PageRequest) -> Result<Page<User>, StoreError> {
        let _ = page;
        todo!()
    }

    /// Sets the password and raises the user's watermark (`not_before`) to `at`. `false`: no such user.
    pub async fn set_password(
        &self,
        id: UserId,
        hash: &str,
        at: Timestamp,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let _ = (id, hash, at, entry);
        todo!()
    }

    /// Puts a hash with newer parameters in the place of exactly `old`; no watermark, no audit. `false`: it changed meanwhile.
    pub async fn replace_password_hash(&self, id: UserId, old: &str, new: &str) -> Result<bool, StoreError> {
        let _ = (id, old, new);
        todo!()
    }

    /// Sets the state; a disabled user's watermark rises to `at`. `false`: no such user.
    pub async fn set_user_state(
        &self,
        id: UserId,
        state: UserState,
        at: Timestamp,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let _ = (id, state, at, entry);
        todo!()
    }

    /// Raises the user's watermark to `at` (never lowers it). `false`: no such user.
    pub async fn raise_user_watermark(&self, id: UserId, at: Timestamp) -> Result<bool, StoreError> {
        let _ = (id, at);
        todo!()
    }

    /// Removes the user's row. Their sessions keep its identifier. `false`: no such user.
    pub async fn remove_user(&self, id: UserId, entry: &AuditEntry) -> Result<bool, StoreError> {
        let _ = (id, entry);
        todo!()
    }
}
