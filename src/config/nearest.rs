//! Suggests the setting that an unknown name stands for.

/// Returns the name that `name` most likely stands for: one with that key, or one that differs in few letters.
pub(super) fn nearest<'names>(name: &str, names: &'names [String]) -> Option<&'names str> {
    let by_key = names.iter().find(|known| known.rsplit_once('.').is_some_and(|(_, key)| key == name));
    let by_distance = || {
        let (distance, found) = names.iter().map(|known| (distance(known, name), known)).min()?;
        (distance <= name.len() / 3).then_some(found)
    };
    by_key.or_else(by_distance).map(String::as_str)
}

/// Counts the letters to add, remove or replace to make `one` into `other` (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = line;
        row[0] = line + 1;
        for (column, candidate) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *candidate);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let names = ["tokens.access_lifetime", "tokens", "log.level"].map(str::to_owned);
        assert_eq!(nearest("tokens.acces_lifetime", &names), Some("tokens.access_lifetime"));
        assert_eq!(nearest("access_lifetime", &names), Some("tokens.access_lifetime"));
        assert_eq!(nearest("token", &names), Some("tokens"));
        assert_eq!(nearest("something.else", &names), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
