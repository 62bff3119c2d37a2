//! The texts of the pages, by language. Every sentence is in `texts/`, none in this code or in a template.

use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

use super::language::Language;

const ENGLISH: &str = include_str!("texts/en.ftl");
const GERMAN: &str = include_str!("texts/de.ftl");

/// A message that is yet to be formatted in some language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// The message id in `texts/`.
    pub id: &'static str,
    pub args: Vec<(&'static str, Argument)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Argument {
    /// A number, on which the wording may depend.
    Number(u64),
    Text(String),
    Message(Box<Message>),
}

impl Message {
    /// A message without arguments.
    #[must_use]
    pub(super) const fn plain(id: &'static str) -> Self {
        Self { id, args: Vec::new() }
    }

    #[must_use]
    pub(super) fn counting(id: &'static str, name: &'static str, number: u64) -> Self {
        Self { id, args: vec![(name, Argument::Number(number))] }
    }

    #[must_use]
    pub(super) fn naming(id: &'static str, name: &'static str, text: &str) -> Self {
        Self { id, args: vec![(name, Argument::Text(text.to_owned()))] }
    }
}

pub(super) fn say(language: Language, message: &Message) -> Result<String, String> {
    let mut args = FluentArgs::new();
    for (name, argument) in &message.args {
        match argument {
            Argument::Number(number) => args.set(*name, *number),
            Argument::Text(text) => args.set(*name, text.clone()),
            Argument::Message(inner) => args.set(*name, say(language, inner)?),
        }
    }
    format(language, message.id, &args)
}

/// Formats the message `id` with `args`.
///
/// # Errors
/// A sentence for the log: there is no such message, or an argument is missing.
pub(super) fn format(language: Language, id: &str, args: &FluentArgs<'_>) -> Result<String, String> {
    let bundle = bundle(language);
    let pattern = bundle.get_message(id).and_then(|message| message.value());
    let pattern = pattern.ok_or_else(|| format!("{}: there is no message `{id}`", language.tag()))?;
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(args), &mut errors);
    match errors.first() {
        None => Ok(text.into_owned()),
        Some(error) => Err(format!("{}: message `{id}`: {error}", language.tag())),
    }
}

fn bundle(language: Language) -> &'static FluentBundle<FluentResource> {
    static BUNDLES: [OnceLock<FluentBundle<FluentResource>>; 2] = [OnceLock::new(), OnceLock::new()];
    let (position, text) = match language {
        Language::English => (0, ENGLISH),
        Language::German => (1, GERMAN),
    };
    BUNDLES[position].get_or_init(|| read(language, text))
}

/// Reads the valid messages of a text; tests check that all of them are valid.
fn read(language: Language, text: &str) -> FluentBundle<FluentResource> {
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(readable, _)| readable);
    let mut bundle = FluentBundle::new_concurrent(language.tag().parse().into_iter().collect());
    // Names have elements of their own (`<bdi>`), which isolate their writing direction.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    /// Returns every message of a file with the names of its arguments.
    fn messages(text: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut current = None;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with(|first: char| first.is_ascii_alphabetic()) {
                let id = line.split(" =").next().unwrap();
                assert!(found.insert(id, BTreeSet::new()).is_none(), "{id} stands there twice");
                current = Some(id);
            }
            let names = line.split("{ $").skip(1).map(|rest| rest.split(' ').next().unwrap());
            if let Some(id) = current {
                found.get_mut(id).unwrap().extend(names);
            }
        }
        found
    }

    #[test]
    fn every_language_has_the_same_messages_about_the_same_things() {
        assert_eq!(messages(ENGLISH), messages(GERMAN));
    }

    #[test]
    fn every_message_can_be_read_and_said() {
        for (language, text) in [(Language::English, ENGLISH), (Language::German, GERMAN)] {
            assert!(FluentResource::try_new(text.to_owned()).is_ok(), "{}", language.tag());
            for (id, names) in messages(text) {
                let mut args = FluentArgs::new();
                for name in names {
                    args.set(name, "x");
                }
                assert!(!format(language, id, &args).unwrap().is_empty(), "{id}");
            }
        }
    }

    #[test]
    fn every_message_is_used() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/pages");
        let mut sources = String::new();
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            // Tests use message ids for other purposes too.
            if entry.path().is_file() && !entry.path().ends_with("gallery.rs") {
                let source = std::fs::read_to_string(entry.path()).unwrap();
                sources.push_str(source.split("#[cfg(test)]\nmod tests").next().unwrap());
            }
        }
        let unused: Vec<&str> =
            messages(ENGLISH).into_keys().filter(|id| !sources.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }

    #[test]
    fn what_cannot_be_said_is_an_error_and_no_half_sentence() {
        let nothing = FluentArgs::new();
        assert!(format(Language::English, "nonsense", &nothing).unwrap_err().contains("no message `nonsense`"));
        assert!(format(Language::English, "sign-in-to", &nothing).is_err());
    }

    #[test]
    fn a_sentence_can_speak_about_what_another_says() {
        let ago = Message::counting("moment-minutes", "minutes", 5);
        let used =
            Message { id: "account-browser-session-used", args: vec![("when", Argument::Message(Box::new(ago)))] };
        assert_eq!(say(Language::English, &used).unwrap(), "last used 5 minutes ago");
        assert_eq!(say(Language::German, &used).unwrap(), "zuletzt benutzt vor 5 Minuten");
    }
}
