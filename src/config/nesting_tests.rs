//! Sections in sections and lists of sections, with settings that only these tests have.

use serde_json::json;

use super::declare::{Setting as _, require, settings};
use super::duration::Duration;
use super::load::Source;
use super::reference::add_section;
use super::schema::of_shape;
use crate::model::Secret;

settings! {
    /// Everything.
    struct Everything {
        /// A name.
        name: String = "federation".to_owned();
        upstream: Vec<Upstream> = Vec::new();
        cache: Cache = Cache::default();
    }
}

settings! {
    /// Services that sign users in.
    struct Upstream {
        /// Who signs the tokens.
        issuer: String, check https;
        /// The secret there.
        client_secret: Option<Secret> = None;
        /// Words.
        scopes: Vec<String> = vec!["openid".to_owned()];
        retry: Retry = Retry::default();
    }
}

settings! {
    /// What is kept.
    struct Cache {
        /// How much.
        size: u32 = 10, in 1..=100;
        retry: Retry = Retry::default();
    }
}

settings! {
    /// Additional attempts.
    struct Retry {
        /// How long to wait.
        wait: Duration = Duration::seconds(1), in Duration::millis(1)..=Duration::minutes(1);
    }
}

fn https(url: &str) -> Result<(), String> {
    require(url.starts_with("https://"), "must be an https URL")
}

const TWO: &str = "
    [cache.retry]
    wait = '3s'
    [[upstream]]
    issuer = 'https://one'
    [[upstream]]
    issuer = 'https://two'
    retry.wait = '5s'
";

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Everything, Vec<String>> {
    let mut problems = Vec::new();
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let from_file = |_: &std::path::Path| Ok("hush\n".to_owned());
    let everything = Source::collect::<Everything>(text, variables, from_file, &mut problems).read(&mut problems);
    if problems.is_empty() { Ok(everything.unwrap()) } else { Err(problems) }
}

fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    read(text, variables).unwrap_err()
}

#[test]
fn sections_nest_and_repeat() {
    let read = read(TWO, &[]).unwrap();

    let issuers: Vec<&str> = read.upstream.iter().map(|upstream| upstream.issuer.as_str()).collect();
    assert_eq!(issuers, ["https://one", "https://two"]);
    assert_eq!(read.upstream[0].scopes, ["openid"]);
    assert_eq!(read.upstream[0].retry.wait, Duration::seconds(1));
    assert_eq!(read.upstream[1].retry.wait, Duration::seconds(5));
    assert_eq!(read.cache.retry.wait, Duration::seconds(3));
    assert_eq!((read.cache.size, read.name.as_str()), (10, "federation"));
}

#[test]
fn every_problem_in_every_section_of_a_list_is_named_by_its_place() {
    let file = "
        cache.retry.wait = '2m'
        [[upstream]]
        isuer = 'https://one'
        [[upstream]]
        issuer = 'http://two'
        scopes = ['openid', 7]
        retry = '5s'
        [[upstream]]
        issuer = 3
        retry.wait = 'soon'
        [upstream.retries]
        wait = '1s'
    ";
    let mut found = problems(file, &[]);
    found.sort();
    let expected = [
        "cache.retry.wait: 2m is not between 1ms and 1m",
        "upstream[0].issuer: must be set",
        "upstream[0].isuer: there is no such setting; is upstream[0].issuer meant?",
        "upstream[1].issuer: must be an https URL",
        "upstream[1].retry: is a section, write [upstream.retry]",
        "upstream[1].scopes: item 2 must be text in quotation marks",
        "upstream[2].issuer: must be text in quotation marks",
        "upstream[2].retries: there is no such setting; is upstream[2].retry meant?",
        "upstream[2].retry.wait: `soon` is not a length of time",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (problem, expected) in found.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{expected}: {found:#?}");
    }
}

#[test]
fn a_list_of_sections_is_not_one_section_and_its_items_are_sections() {
    assert_eq!(problems("[upstream]\nissuer = 'x'", &[]), ["upstream: is a list of sections, write [[upstream]]"]);
    assert_eq!(problems("upstream = ['x']", &[]), ["upstream[0]: is a section, write [[upstream]]"]);
    assert_eq!(problems("[cache]\nretry = 3", &[]), ["cache.retry: is a section, write [cache.retry]"]);
}

#[test]
fn the_environment_sets_what_stands_in_nested_sections_and_by_number_in_lists() {
    let read = read(
        TWO,
        &[
            ("TOKENHOUSE__CACHE__RETRY__WAIT", "4s"),
            ("TOKENHOUSE__UPSTREAM__1__SCOPES", "openid,email"),
            ("TOKENHOUSE__UPSTREAM__0__CLIENT_SECRET_FILE", "/run/secrets/one"),
            ("TOKENHOUSE__UPSTREAM__2__ISSUER", "https://three"),
            ("TOKENHOUSE__UPSTREAM__2__RETRY__WAIT", "6s"),
        ],
    )
    .unwrap();

    assert_eq!(read.cache.retry.wait, Duration::seconds(4));
    assert_eq!(read.upstream[1].scopes, ["openid", "email"]);
    assert_eq!(read.upstream[0].client_secret.as_ref().unwrap().expose(), "hush");
    assert_eq!(read.upstream[2].issuer, "https://three");
    assert_eq!(read.upstream[2].retry.wait, Duration::seconds(6));
}

#[test]
fn what_the_environment_cannot_set_in_a_list_is_refused_with_the_reason() {
    let set = |variable: &str| problems(TWO, &[(variable, "x")]).join("\n");
    assert_eq!(
        set("TOKENHOUSE__UPSTREAM__0__ISSUER"),
        "upstream[0].issuer (TOKENHOUSE__UPSTREAM__0__ISSUER): must be an https URL"
    );
    assert_eq!(
        set("TOKENHOUSE__UPSTREAM__3__ISSUER"),
        "upstream[3].issuer (TOKENHOUSE__UPSTREAM__3__ISSUER): there are only 2 of these sections, numbered from 0"
    );
    assert!(set("TOKENHOUSE__UPSTREAM").contains("is a list of sections: name one by its number"));
    assert!(set("TOKENHOUSE__CACHE__RETRY").contains("is a section: name a setting in it"));
    assert!(set("TOKENHOUSE__UPSTREAM__ISSUER").contains("there is no such setting"));
    assert!(set("TOKENHOUSE__UPSTREAM__0__SCOPES__0").contains("there is no such setting"));
    assert!(set("TOKENHOUSE__UPSTREAM__0").contains("upstream[0] (TOKENHOUSE__UPSTREAM__0): is a section"));
}

#[test]
fn what_belongs_into_a_list_is_not_judged_when_the_file_cannot_be_read() {
    let found = problems("[[upstream]", &[("TOKENHOUSE__UPSTREAM__1__SCOPES", "email")]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn nested_sections_and_lists_are_documented() {
    let mut text = String::new();
    add_section(&mut text, "", Everything::shape().section().unwrap());
    assert_eq!(
        text,
        "
- **`name`** (`federation`): A name.

## `[[upstream]]`

Services that sign users in.

- **`issuer`** (must be set): Who signs the tokens.
- **`client_secret`** (not set): The secret there.
- **`scopes`** (`[\"openid\"]`): Words.

## `[upstream.retry]`

Additional attempts.

- **`wait`** (`1s`): How long to wait. Between 1ms and 1m.

## `[cache]`

What is kept.

- **`size`** (`10`): How much. Between 1 and 100.

## `[cache.retry]`

Additional attempts.

- **`wait`** (`1s`): How long to wait. Between 1ms and 1m.
"
    );
}

#[test]
fn nested_sections_and_lists_are_in_the_schema() {
    let schema = of_shape(&Everything::shape());
    let upstream = &schema["properties"]["upstream"];
    assert_eq!(upstream["type"], "array");
    assert_eq!(upstream["items"]["required"], json!(["issuer"]));
    assert_eq!(upstream["items"]["additionalProperties"], false);
    assert_eq!(upstream["items"]["properties"]["client_secret"]["writeOnly"], true);
    assert_eq!(upstream["items"]["properties"]["scopes"]["default"], json!(["openid"]));
    let size = &schema["properties"]["cache"]["properties"]["size"];
    assert_eq!((&size["minimum"], &size["maximum"], &size["default"]), (&json!(1), &json!(100), &json!(10)));
}
