//! Keyset paging: a page begins after the last identifier of the one before.

use serde::Serialize;

/// Which page is wanted.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// The identifier after which the page begins; the first page has none.
    pub after: Option<String>,
    /// The most items on the page, 1 to [`PageRequest::MAX`].
    pub limit: u32,
}

impl PageRequest {
    /// The largest page.
    pub const MAX: u32 = 500;
    /// The page size when none is asked for.
    pub const DEFAULT: u32 = 100;

    /// A page of `limit` items after `after`; the limit is brought into its bounds.
    #[must_use]
    pub fn new(after: Option<String>, limit: Option<u32>) -> Self {
        Self { after, limit: limit.unwrap_or(Self::DEFAULT).clamp(1, Self::MAX) }
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// The items, in the order of their identifiers.
    pub items: Vec<T>,
    /// Pass it as `after` to get the next page; absent on the last.
    pub next: Option<String>,
}
