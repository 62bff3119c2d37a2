//! Setting types from the standard library and the model. The types of this module have files of their own.

use std::path::{Path, PathBuf};

use toml::Value;

use super::declare::Setting;
use super::reader::Reader;
use super::shape::{Kind, Shape};
use crate::model::{Secret, SigningAlgorithm};

/// Makes `$type` a setting type: what checks receive, its shape, and how it is read and written.
macro_rules! scalar_setting {
    ($type:ty as $checked:ty, $shape:expr, read $read:expr, write $write:expr) => {
        impl $crate::config::declare::Setting for $type {
            type Checked = $checked;

            fn shape() -> $crate::config::shape::Shape {
                $shape
            }

            fn read(value: ::toml::Value, reader: &mut $crate::config::reader::Reader) -> Option<Self> {
                $read(reader, value)
            }

            fn write(&self) -> Option<::toml::Value> {
                $write(self)
            }

            fn checked(&self) -> Option<&$checked> {
                Some(self)
            }
        }
    };
}

/// Makes a type that is read from text and written as text a setting type. The optional pattern is for editors.
macro_rules! text_setting {
    ($type:ty, $pattern:expr) => {
        $crate::config::values::scalar_setting!(
            $type as $type,
            $crate::config::shape::Shape::text($pattern),
            read $crate::config::reader::Reader::parsed,
            write |value: &$type| Some(value.to_string().into())
        );
    };
}

/// Makes an enum of words a setting type. `ALL` lists the words, and serde defines how each is written.
macro_rules! word_setting {
    ($type:ty) => {
        $crate::config::values::scalar_setting!(
            $type as $type,
            $crate::config::shape::Shape::words(&Self::ALL),
            read $crate::config::reader::Reader::word,
            write |word| ::toml::Value::try_from(word).ok()
        );
    };
}

/// Makes an unsigned number type a setting type.
macro_rules! number_setting {
    ($type:ty) => {
        scalar_setting!(
            $type as $type,
            Shape::of(Kind::Number),
            read |reader: &mut Reader, value| {
                let number = reader.of_kind(Kind::Number, &value)?.as_integer()?;
                let wrong = if number < 0 { "is less than 0" } else { "is too large" };
                reader.or_problem(number.try_into().map_err(|_| format!("{number} {wrong}")))
            },
            write |number: &$type| i64::try_from(*number).ok().map(Value::from)
        );
    };
}

scalar_setting!(String as str, Shape::of(Kind::Text), read Reader::text, write |text: &str| Some(text.into()));
scalar_setting!(
    PathBuf as Path,
    Shape::of(Kind::Text),
    read |reader: &mut Reader, value| reader.text(value).map(PathBuf::from),
    write |path: &Path| path.to_str().map(Value::from)
);
// A default is not secret, because it is part of the source.
scalar_setting!(
    Secret as Secret,
    Shape::of(Kind::Secret),
    read |reader: &mut Reader, value| reader.text(value).map(Secret::new),
    write |secret: &Secret| Some(secret.expose().into())
);
scalar_setting!(
    bool as bool,
    Shape::of(Kind::Switch),
    read |reader: &mut Reader, value| reader.of_kind(Kind::Switch, &value)?.as_bool(),
    write |switch: &bool| Some(Value::from(*switch))
);
number_setting!(u32);
number_setting!(usize);
word_setting!(SigningAlgorithm);

impl<T: Setting> Setting for Option<T> {
    type Checked = T::Checked;

    fn shape() -> Shape {
        T::shape()
    }

    fn read(value: Value, reader: &mut Reader) -> Option<Self> {
        T::read(value, reader).map(Some)
    }

    fn write(&self) -> Option<Value> {
        self.as_ref().and_then(T::write)
    }

    fn checked(&self) -> Option<&T::Checked> {
        self.as_ref().and_then(T::checked)
    }
}

impl<T: Setting> Setting for Vec<T> {
    type Checked = [T];

    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }

    /// Fails for the whole list if an item cannot be read, so that the other items keep their numbers.
    fn read(value: Value, reader: &mut Reader) -> Option<Self> {
        let shape = T::shape();
        let Value::Array(items) = value else {
            let problem = match shape.section() {
                Some(_) => format!("is a list of sections, write [[{}]]", reader.name()),
                None => "must be a list".to_owned(),
            };
            reader.problem(problem);
            return None;
        };
        let count = items.len();
        let read = items.into_iter().enumerate().filter_map(|(index, item)| match &shape {
            Shape::Scalar(scalar) if !scalar.kind.admits(&item) => {
                reader.problem(format_args!("item {} must be {}", index + 1, scalar.kind.form()));
                None
            }
            Shape::Scalar(_) => T::read(item, reader),
            Shape::List(_) | Shape::Table(_) => reader.under(&format!("[{index}]"), |reader| T::read(item, reader)),
        });
        let read: Vec<T> = read.collect();
        (read.len() == count).then_some(read)
    }

    fn write(&self) -> Option<Value> {
        Some(Value::Array(self.iter().filter_map(T::write).collect()))
    }

    fn checked(&self) -> Option<&[T]> {
        Some(self)
    }
}

pub(super) use {scalar_setting, text_setting, word_setting};
