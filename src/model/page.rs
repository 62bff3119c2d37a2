//! Keyset pagination: a page begins after the last identifier of the previous page.

use serde::Serialize;

#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// The identifier after which the page begins; the first page has none.
    pub after: Option<String>,
    /// The most items on the page, 1 to [`PageRequest::MAX`].
    pub limit: u32,
}

impl PageRequest {
    pub const MAX: u32 = 500;
    /// The page size where none is requested.
    pub const DEFAULT: u32 = 100;

    /// Creates a request and clamps `limit` to its bounds.
    #[must_use]
    pub fn new(after: Option<String>, limit: Option<u32>) -> Self {
        Self { after, limit: limit.unwrap_or(Self::DEFAULT).clamp(1, Self::MAX) }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// The items, in the order of their identifiers.
    pub items: Vec<T>,
    /// The value of `after` for the next page; absent on the last page.
    pub next: Option<String>,
}
