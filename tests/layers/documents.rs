//! The tests that a document names.

use crate::rules::lies_in;

/// Each test in the last column of the table of weaknesses: positions with a colon behind, and names in backticks.
pub(crate) fn named_tests(document: &str) -> Vec<(&str, &str)> {
    let table = document.lines().skip_while(|line| !line.ends_with("| proved by |")).skip(2);
    let mut found = Vec::new();
    for row in table.take_while(|line| line.starts_with('|')) {
        for proof in row.rsplit('|').nth(1).unwrap_or_default().split(';') {
            let (position, names) = proof.split_once(':').unwrap_or(("", proof));
            found.extend(names.split('`').skip(1).step_by(2).map(|name| (position.trim(), name)));
        }
    }
    found
}

/// Each test that the `text` of the document names and that is not among `files`, at that position and by that name.
pub(crate) fn missing_tests(document: &str, text: &str, files: &[(String, String)]) -> Vec<String> {
    let is_there = |position: &str, name: &str| {
        let declared = format!("fn {name}(");
        files.iter().any(|(path, text)| lies_in(path, position) && text.contains(&declared))
    };
    let missing = named_tests(text).into_iter().filter(|(position, name)| !is_there(position, name));
    missing.map(|(position, name)| format!("{document}: there is no test `{name}` in {position}")).collect()
}

#[test]
fn a_test_that_is_named_and_not_there_is_found() {
    let files = [("api/refresh.rs".to_owned(), "async fn it_ends() {}".to_owned())];
    let missing = |proof: &str| {
        let table = format!("| weakness | here | proved by |\n|---|---|---|\n| a | b | {proof} |\n\n`elsewhere`");
        missing_tests("docs/threats.md", &table, &files)
    };
    assert_eq!(missing("api/refresh: `it_ends`; no test: by hand").len(), 0);
    assert_eq!(missing("api: `it_ends`").len(), 0);
    assert_eq!(missing("api/simplejwt: `it_ends`"), ["docs/threats.md: there is no test `it_ends` in api/simplejwt"]);
    assert_eq!(missing("api/refresh: `it_ends`, `it_end`, `it_…`; refresh: `it_ends`; `it_ends`").len(), 4);
}
