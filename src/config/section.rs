//! Sections: settings that are themselves tables of settings.

use toml::{Table, Value};

use super::declare::{Declared, Section, Setting, SettingHandler};
use super::reader::Reader;
use super::shape::{self, Described, Shape};

impl<T: Section> Setting for T {
    type Checked = Self;

    fn shape() -> Shape {
        let mut descriptions = Descriptions(Vec::new());
        drop(T::visit(&mut descriptions));
        Shape::Table(shape::Table { about: shape::joined(T::ABOUT), settings: descriptions.0 })
    }

    fn read(value: Value, reader: &mut Reader) -> Option<Self> {
        let Value::Table(table) = value else {
            let heading = heading(reader.name());
            reader.problem(format_args!("is a section, write {heading}"));
            return None;
        };
        let mut reading = SectionReader { reader, table, known: Vec::new() };
        let section = T::visit(&mut reading);
        reading.refuse_the_rest();
        section
    }

    fn write(&self) -> Option<Value> {
        None
    }

    fn checked(&self) -> Option<&Self> {
        Some(self)
    }
}

/// Writes the TOML heading of section `name`: without list indexes, and in double brackets for an item of a list.
fn heading(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect();
    let heading = parts.join(".");
    if name.ends_with(']') { format!("[[{heading}]]") } else { format!("[{heading}]") }
}

struct Descriptions(Vec<Described>);

impl SettingHandler for Descriptions {
    fn setting<T: Setting>(&mut self, declared: Declared<T>) -> Option<T> {
        self.0.push(declared.describe());
        declared.default
    }
}

struct SectionReader<'reader, 'load> {
    reader: &'reader mut Reader<'load>,
    table: Table,
    known: Vec<&'static str>,
}

impl SettingHandler for SectionReader<'_, '_> {
    /// Returns the value that was set, or the default, so that the other settings can still be checked.
    fn setting<T: Setting>(&mut self, declared: Declared<T>) -> Option<T> {
        self.known.push(declared.name);
        let value = self.table.remove(declared.name);
        self.reader.under(declared.name, |reader| {
            let read = match value {
                Some(value) => T::read(value, reader),
                None if declared.default.is_none() => {
                    reader.problem("must be set");
                    None
                }
                None => None,
            };
            if let Some(problem) = read.as_ref().and_then(|value| declared.problem(value)) {
                reader.problem(problem);
            }
            read.or(declared.default)
        })
    }
}

impl SectionReader<'_, '_> {
    fn refuse_the_rest(self) {
        let Self { reader, table, known } = self;
        for (name, _) in table {
            reader.under(&name, |reader| {
                let section = reader.name().strip_suffix(&name).unwrap_or_default().to_owned();
                reader.unknown(known.iter().map(|known| format!("{section}{known}")));
            });
        }
    }
}
