//! Generates the documentation of every setting from the declarations.

use std::fmt::Write as _;

use super::declare::Setting;
use super::settings::Config;
use super::shape::{Described, Shape, Table, written};

const HEAD: &str = "\
# Configuration

Tokenhouse runs without any. What is to be different stands in `tokenhouse.toml` (or the file that `--config` names):

```toml
issuer = \"https://id.example.com\"
trusted_proxies = [\"10.0.0.0/8\"]

[tokens]
access_lifetime = \"10m\"
```

Each setting can also come from the environment, which wins over the file: `TOKENHOUSE__SECTION__KEY`, so
`tokens.access_lifetime` is `TOKENHOUSE__TOKENS__ACCESS_LIFETIME`. Some have a short name as well, given below. Lists
are separated by commas there. An empty variable counts as not set.

Names that do not exist are refused, in the file and among the variables that begin with `TOKENHOUSE_` (except those that
Kubernetes makes for a Service of that name). All problems are reported at once, before anything starts;
`tokenhouse config check` reports them without starting anything.

`tokenhouse config schema` prints a JSON schema of the file, by which editors complete and check it.

Durations are a number and a unit: `500ms`, `30s`, `5m`, `24h`, `30d`.
";

/// Returns the documentation in Markdown, as in `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut text = format!("{HEAD}\n## Without a section\n");
    if let Some(settings) = Config::shape().section() {
        add_section(&mut text, "", settings);
    }
    text
}

/// Adds the settings of a section, and then its subsections. `prefix` is its full name with a dot at the end.
pub(super) fn add_section(text: &mut String, prefix: &str, section: &Table) {
    let (sections, settings): (Vec<_>, Vec<_>) =
        section.settings.iter().partition(|setting| setting.shape.section().is_some());
    text.push('\n');
    text.extend(settings.iter().map(|setting| line(setting, &settings)));
    for inner in sections {
        let Some(section) = inner.shape.section() else { continue };
        let name = format!("{prefix}{}", inner.name);
        let heading = match inner.shape {
            Shape::List(_) => format!("[[{name}]]"),
            Shape::Table(_) | Shape::Scalar(_) => format!("[{name}]"),
        };
        let _ = write!(text, "\n## `{heading}`\n\n{}\n", section.about);
        add_section(text, &format!("{name}."), section);
    }
}

fn line(setting: &Described, siblings: &[&Described]) -> String {
    let default = match &setting.default {
        Some(default) => format!("`{}`", written(default)),
        None if setting.is_required => "must be set".to_owned(),
        None => "not set".to_owned(),
    };
    let mut line = format!("- **`{}`** ({default}): {}", setting.name, setting.documentation());
    if let Some(variable) = setting.variable {
        let file = format!("{variable}_FILE");
        let is_setting = siblings.iter().any(|sibling| sibling.variable == Some(&file));
        let from_file = if setting.shape.is_secret() && !is_setting {
            format!("; or `{file}`, a file that holds it")
        } else {
            String::new()
        };
        let _ = write!(line, " Short name: `{variable}`{from_file}.");
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load::assemble;
    use crate::config::shape;

    const WRITTEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");

    #[test]
    #[expect(clippy::disallowed_methods, reason = "asks whether to write the documentation anew")]
    fn the_written_documentation_is_that_of_the_program() {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(Path::new(WRITTEN).parent().unwrap()).unwrap();
            std::fs::write(WRITTEN, reference()).unwrap();
        }
        let written = std::fs::read_to_string(WRITTEN).unwrap_or_default();
        assert!(written == reference(), "docs/configuration.md is stale: run UPDATE_DOCS=1 cargo test --lib config");
    }

    #[test]
    fn every_setting_is_described_with_its_default() {
        let text = reference();
        let shape = Config::shape();
        assert!(shape.settings().len() > 60, "a section is missing");
        for (name, setting) in shape.settings() {
            assert!(text.contains(&format!("- **`{}`** (", setting.name)), "{name}");
            assert!(setting.about.ends_with('.'), "{name}");
        }
        for shown in
            ["`access_lifetime`** (`5m`)", "`lost_response_window`** (not set)", "(`sqlite://data/tokenhouse.db`)"]
        {
            assert!(text.contains(shown), "{shown}");
        }
    }

    #[test]
    fn the_defaults_that_are_shown_are_those_that_apply() {
        for (name, setting) in Config::shape().settings() {
            let Some(default) =
                setting.default.as_ref().map(written).filter(|default| !default.starts_with(['"', '[']))
            else {
                continue;
            };
            let variables = [(shape::variable(&name).into(), default.into())];
            let config = assemble(None, variables, |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
            assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()), "{name}");
        }
    }

    #[test]
    fn the_example_can_be_used_as_it_stands() {
        let example = HEAD.split("```").nth(1).unwrap().trim_start_matches("toml");
        let config = assemble(Some(example), [], |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
        assert_eq!(config.issuer, "https://id.example.com");
    }
}
