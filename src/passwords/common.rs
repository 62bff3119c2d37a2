//! The most common passwords.
//!
//! The list comes from Django (`django/contrib/auth/common-passwords.txt.gz`, BSD licence, reproduced at the head of
//! `common.txt`), where Royce Williams compiled it from the counts of "Have I Been Pwned". Two kinds of entries are
//! left out here: those of fewer than four characters, and those that are another entry with digits and signs around
//! it, which `choice` recognises.

const FILE: &str = include_str!("common.txt");

/// Whether `word`, in lower case, is on the list.
///
/// It searches by bisection in the text itself, which is sorted by bytes. The list takes no memory until the first
/// search, and only a few pages then.
pub(super) fn contains(word: &str) -> bool {
    let (mut low, mut high) = (list_start(), FILE.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = FILE.as_bytes()[low..middle].iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
        let line = FILE[start..].lines().next().unwrap_or_default();
        match line.cmp(word) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = start + line.len() + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

/// Returns the offset behind the licence, which ends with the first empty line.
fn list_start() -> usize {
    FILE.find("\n\n").map_or(0, |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> impl Iterator<Item = &'static str> {
        FILE[list_start()..].lines()
    }

    #[test]
    fn the_list_is_sorted_small_and_in_small_letters() {
        assert!(list().is_sorted_by(|one, other| one < other));
        assert!(list().all(|word| !word.is_empty() && word == word.to_lowercase()));
        assert!(list().count() > 10_000 && FILE.len() < 150_000);
        assert!(FILE.starts_with("# ") && !list().any(|word| word.starts_with("# ")));
    }

    #[test]
    fn every_entry_is_found_and_nothing_else() {
        assert!(list().all(contains));
        for word in ["", " ", "gravel-teapot-91", "zzzzzzzzzzzzzzzzzzzz", "ÿ", "# Copyright", "passwor", "password\n"]
        {
            assert!(!contains(word), "{word}");
        }
    }
}
