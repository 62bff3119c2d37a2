//! The documentation of every setting, made from the table in `settings.rs` and from the defaults.

use std::fmt::Write as _;

use super::settings::{SETTINGS, Setting};

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
are separated by commas there. An empty variable counts as not set. Names that do not exist are refused, in the file
and among the variables that begin with `TOKENHOUSE_` (except those that Kubernetes makes for a Service of that name);
all problems are reported at once, before anything starts.

Lengths of time are a number and a unit: `500ms`, `30s`, `5m`, `24h`, `30d`.
";

/// The documentation in Markdown, as it stands in `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    let mut section = None;
    text.push_str("\n## Without a section\n\n");
    for setting in SETTINGS {
        if setting.section() != section {
            section = setting.section();
            let _ = write!(text, "\n## `[{}]`\n\n", section.unwrap_or_default());
        }
        text.push_str(&line(setting));
    }
    text
}

fn line(setting: &Setting) -> String {
    let default = setting.default_text().map_or("not set".to_owned(), |default| format!("`{default}`"));
    let mut line = format!("- **`{}`** ({default}): {}", setting.key(), setting.says);
    if let Some(short) = setting.short {
        let _ = write!(line, " Short name: `{short}`");
        let file = setting.file_variable().map(|file| format!("; or `{file}`, a file that holds it"));
        let _ = write!(line, "{}.", file.unwrap_or_default());
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load::assemble;

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
        for setting in SETTINGS {
            assert!(text.contains(&format!("- **`{}`** (", setting.key())), "{}", setting.name);
            assert!(setting.says.ends_with('.'), "{}", setting.name);
        }
        for shown in
            ["`access_lifetime`** (`5m`)", "`lost_response_window`** (not set)", "(`sqlite://data/tokentokenhouse.db`)"]
        {
            assert!(text.contains(shown), "{shown}");
        }
    }

    #[test]
    fn the_defaults_that_are_shown_are_those_that_apply() {
        for setting in SETTINGS {
            let Some(default) = setting.default_text().filter(|default| !default.starts_with(['"', '['])) else {
                continue;
            };
            let variables = [(setting.long().into(), default.into())];
            let config = assemble(None, variables, |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
            let json = |config| serde_json::to_value(config).unwrap();
            assert_eq!(json(config), json(crate::config::Config::default()), "{}", setting.name);
        }
    }

    #[test]
    fn the_example_can_be_used_as_it_stands() {
        let example = HEAD.split("```").nth(1).unwrap().trim_start_matches("toml");
        let config = assemble(Some(example), [], |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
        assert_eq!(config.issuer, "https://id.example.com");
    }
}
