//! Reading of rows. An error names the table, the row and the column, and never shows the value.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{Any, ColumnIndex, Decode, Row, Type};

use crate::clock::Timestamp;
use crate::model::{Page, PageRequest};
use crate::store::StoreError;

pub(super) struct Columns<'r> {
    row: &'r AnyRow,
    table: &'static str,
    id: &'r str,
}

impl<'r> Columns<'r> {
    /// Wraps a row of `table` whose identifier is in the column `id`.
    pub(super) fn of(row: &'r AnyRow, table: &'static str, id: &'static str) -> Result<Self, StoreError> {
        let mut columns = Self { row, table, id: "" };
        columns.id = columns.text(id)?;
        Ok(columns)
    }

    /// Wraps a row without an identifier: of a table with one row, or of an expression.
    pub(super) const fn of_only(row: &'r AnyRow, table: &'static str) -> Self {
        Self { row, table, id: "" }
    }

    pub(super) fn text(&self, column: &'static str) -> Result<&'r str, StoreError> {
        self.get(column)
    }

    pub(super) fn text_if(&self, column: &'static str) -> Result<Option<&'r str>, StoreError> {
        self.get(column)
    }

    pub(super) fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(super) fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        self.number(column).map(|number| number != 0)
    }

    pub(super) fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.get(column)
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.number(column).map(Timestamp::from_millis)
    }

    pub(super) fn time_if(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.get::<Option<i64>>(column)?.map(Timestamp::from_millis))
    }

    pub(super) fn span_if(&self, column: &'static str) -> Result<Option<Duration>, StoreError> {
        let millis: Option<i64> = self.get(column)?;
        millis
            .map(|millis| u64::try_from(millis).map(Duration::from_millis).map_err(|_| self.corrupt(column)))
            .transpose()
    }

    pub(super) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        self.word(column, |text| serde_json::from_str(text).ok())
    }

    pub(super) fn word<T>(&self, column: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        read(self.text(column)?).ok_or_else(|| self.corrupt(column))
    }

    pub(super) fn word_if<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.text_if(column)?.map(|text| read(text).ok_or_else(|| self.corrupt(column))).transpose()
    }

    pub(super) fn corrupt(&self, column: &str) -> StoreError {
        let (table, id) = (self.table, self.id);
        StoreError::Corrupt(format!("{table} {id}: the column {column} cannot be read"))
    }

    fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'r, Any> + Type<Any>,
        &'static str: ColumnIndex<AnyRow>,
    {
        self.row.try_get(column).map_err(|_| self.corrupt(column))
    }
}

#[expect(clippy::expect_used, reason = "our own lists and structs of text and numbers always become JSON")]
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data becomes JSON")
}

pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the number of rows to read: one more than the page holds shows whether there is a next page.
pub(super) fn one_more(page: &PageRequest) -> i64 {
    i64::from(page.limit.max(1)) + 1
}

pub(super) fn page<T>(mut items: Vec<T>, request: &PageRequest, id: impl Fn(&T) -> String) -> Page<T> {
    let limit = usize::try_from(request.limit.max(1)).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(id) } else { None };
    Page { items, next }
}
