//! The page parameters of lists, parsed strictly from the query.

use actix_web::error::QueryPayloadError;
use actix_web::web::{Query, QueryConfig};
use serde::Deserialize;

use super::body::without_values;
use crate::error::Error;
use crate::http::error::ProblemRefusal;
use crate::model::PageRequest;

/// The longest identifier after which a page can begin, in bytes.
const MAX_INDEX: usize = 128;

/// The identifier after which a page begins. It need not exist, because the item may have been removed since.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct PageKey(String);

impl TryFrom<String> for PageKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = text.len() <= MAX_INDEX && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err("after is no identifier") }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// The `next` of the previous page.
    #[param(value_type = Option<String>)]
    after: Option<PageKey>,
    /// The number of items, 1 to 500; 100 where absent.
    limit: Option<u32>,
}

#[must_use]
pub fn page(after: Option<PageKey>, limit: Option<u32>) -> PageRequest {
    PageRequest::new(after.map(|PageKey(text)| text), limit)
}

impl From<Query<Paging>> for PageRequest {
    fn from(paging: Query<Paging>) -> Self {
        let Paging { after, limit } = paging.into_inner();
        page(after, limit)
    }
}

/// Answers a malformed query with problem details, like every other refusal.
#[must_use]
pub fn query_config() -> QueryConfig {
    QueryConfig::default().error_handler(|error, _| {
        let why = match &error {
            QueryPayloadError::Deserialize(error) => without_values(error, "a parameter is not of the right form"),
            _ => "it cannot be read".to_owned(),
        };
        ProblemRefusal::from(Error::invalid_request(format!("the query does not fit: {why}"))).into()
    })
}
