//! Builds `where` clauses from the parts of a filter that are set.
//!
//! A single text with `($1 is null or user_id = $1)` would be too slow: SQLite plans a statement without its values,
//! and would read every session to end those of one user.

use super::db::{Query, composed};
use crate::model::SessionFilter;

/// A statement under construction: its text, and the values of its placeholders.
pub(super) struct Statement {
    text: String,
    values: Vec<Value>,
}

enum Value {
    Text(String),
    Number(i64),
}

impl Statement {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    pub(super) fn then(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(super) fn text(&mut self, text: &str, value: impl Into<String>) -> &mut Self {
        self.value(text, Value::Text(value.into()))
    }

    pub(super) fn number(&mut self, text: &str, value: i64) -> &mut Self {
        self.value(text, Value::Number(value))
    }

    /// Appends an `and` clause for each part of `filter`, except `live_only`, which the caller handles.
    pub(super) fn matching(&mut self, filter: &SessionFilter) -> &mut Self {
        if let Some(session) = filter.session {
            self.text("\nand id = ", session.to_string());
        }
        if let Some(user) = filter.user {
            self.text("\nand user_id = ", user.to_string());
        }
        if let Some(client) = &filter.client {
            self.text("\nand client_id = ", client.as_str());
        }
        if let Some(browser_session) = filter.browser_session {
            self.text("\nand browser_session_id = ", browser_session.to_string()).then("\nand offline = 0");
        }
        if let Some(moment) = filter.issued_before {
            self.number("\nand created_at < ", moment.millis());
        }
        self
    }

    pub(super) fn query(self) -> Query {
        self.values.into_iter().fold(composed(self.text), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
    }

    fn value(&mut self, text: &str, value: Value) -> &mut Self {
        self.values.push(value);
        self.text.push_str(text);
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }
}
