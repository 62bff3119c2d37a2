//! What each setting means; the documentation is made from it.

/// The configuration reference as Markdown.
#[must_use]
pub fn reference() -> String {
    todo!()
}
