//! Generates the JSON schema of the settings (draft 2020-12), for editors.

use serde_json::{Map, Value, json};

use super::declare::Setting;
use super::settings::Config;
use super::shape::{Described, Kind, Shape};

#[must_use]
pub fn schema() -> Value {
    let mut schema = of_shape(&Config::shape());
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Configuration of Tokenhouse".into();
    schema
}

pub(super) fn of_shape(shape: &Shape) -> Value {
    match shape {
        Shape::Scalar(scalar) => {
            let mut schema = match scalar.kind {
                Kind::Text => json!({ "type": "string" }),
                Kind::Secret => json!({ "type": "string", "writeOnly": true }),
                Kind::Number => json!({ "type": "integer", "minimum": 0 }),
                Kind::Switch => json!({ "type": "boolean" }),
            };
            if let Some(pattern) = scalar.pattern {
                schema["pattern"] = pattern.into();
            }
            if !scalar.words.is_empty() {
                schema["enum"] = scalar.words.clone().into();
            }
            schema
        }
        Shape::List(item) => json!({ "type": "array", "items": of_shape(item) }),
        Shape::Table(section) => {
            let settings = &section.settings;
            let properties: Map<String, Value> =
                settings.iter().map(|setting| (setting.name.to_owned(), of_setting(setting))).collect();
            let required: Vec<&str> =
                settings.iter().filter(|setting| setting.is_required).map(|setting| setting.name).collect();
            json!({
                "type": "object",
                "description": section.about,
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            })
        }
    }
}

fn of_setting(setting: &Described) -> Value {
    let mut schema = of_shape(&setting.shape);
    if !setting.about.is_empty() {
        schema["description"] = setting.documentation().into();
    }
    if let Some(default) = &setting.default {
        schema["default"] = json!(default);
    }
    if let Some((least @ toml::Value::Integer(_), most)) = &setting.range {
        schema["minimum"] = json!(least);
        schema["maximum"] = json!(most);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(schema: &Value, prefix: &str, found: &mut Vec<(String, Value)>) {
        for (name, schema) in schema["properties"].as_object().unwrap() {
            let name = format!("{prefix}{name}");
            match schema["type"].as_str() {
                Some("object") => settings(schema, &format!("{name}."), found),
                _ => found.push((name, schema.clone())),
            }
        }
    }

    #[test]
    fn every_setting_is_in_the_schema_with_its_documentation() {
        let mut found = Vec::new();
        settings(&schema(), "", &mut found);
        let shape = Config::shape();
        assert_eq!(found.len(), shape.settings().len());
        for (name, setting) in shape.settings() {
            let (_, schema) = found.iter().find(|(found, _)| *found == name).expect(&name);
            assert_eq!(schema["description"], setting.documentation(), "{name}");
            assert_eq!(
                schema.get("default"),
                setting.default.as_ref().map(|default| json!(default)).as_ref(),
                "{name}"
            );
            assert_eq!(schema["writeOnly"] == true, setting.shape.is_secret(), "{name}");
        }
    }

    #[test]
    fn values_are_described_as_they_are_written() {
        let schema = schema();
        let of = |section: &str, key: &str| &schema["properties"][section]["properties"][key];
        assert_eq!(of("log", "format")["enum"], json!(["text", "json"]));
        assert_eq!(of("keys", "additional_algorithms")["items"]["enum"][4], "EdDSA");
        assert_eq!(of("database", "migrate_at_start")["type"], "boolean");
        assert_eq!(of("passwords", "queue")["maximum"], 10_000);
        assert_eq!(of("tokens", "access_lifetime")["pattern"], "^([0-9]+(ms|s|m|h|d)|0)$");
    }
}
