//! Registered clients and the digests of their secrets.

use super::Ledger;
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::model::{Client, ClientId, ClientSecret, ClientState, Page, PageRequest};
use crate::store::StoreError;

impl Ledger {
    /// Adds a client with its secrets.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the identifier is taken.
    pub async fn add_client(&self, client: &Client, entry: &AuditEntry) -> Result<(), StoreError> {
        let _ = (client, entry);
        todo!()
    }

    /// The client with this identifier, with its secrets.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let _ = id;
        todo!()
    }

    /// Clients in the order of their identifiers.
    pub async fn list_clients(&self, page: &PageRequest) -> Result<Page<Client>, StoreError> {
        let _ = page;
        todo!()
    }

    /// Writes everything of the client but its secrets, state, watermark, status index and creation. Where the life
    /// of access tokens changes, the row keeps the former one and when it changed (status lists need it).
    /// `false`: no such client.
    pub async fn update_client(&self, client: &Client, at: Timestamp, entry: &AuditEntry) -> Result<bool, StoreError> {
        let _ = (client, at, entry);
        todo!()
    }

    /// Replaces the secrets. `false`: no such client.
    pub async fn set_client_secrets(
        &self,
        id: &ClientId,
        secrets: &[ClientSecret],
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let _ = (id, secrets, entry);
        todo!()
    }

    /// Sets the state; a disabled client's watermark rises to `at`. `false`: no such client.
    pub async fn set_client_state(
        &self,
        id: &ClientId,
        state: ClientState,
        at: Timestamp,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let _ = (id, state, at, entry);
        todo!()
    }

    /// Raises the client's watermark to `at` (never lowers it). `false`: no such client.
    pub async fn raise_client_watermark(&self, id: &ClientId, at: Timestamp) -> Result<bool, StoreError> {
        let _ = (id, at);
        todo!()
    }

    /// Removes the client's row. `false`: no such client.
    pub async fn remove_client(&self, id: &ClientId, entry: &AuditEntry) -> Result<bool, StoreError> {
        let _ = (id, entry);
        todo!()
    }
}
