//! Declares settings: each once, with its documentation, type, default and check side by side.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;

use toml::Value;

use super::reader::Reader;
use super::shape::{Described, Shape, joined};

/// A type that a setting can have.
pub(super) trait Setting: Sized {
    /// What a check of this setting receives: text for text, and the inner value of an optional one.
    type Checked: ?Sized;

    fn shape() -> Shape;

    /// Reads a value, or reports the problem to `reader`.
    fn read(value: Value, reader: &mut Reader) -> Option<Self>;

    /// The value in TOML, where it has one. Only defaults are written, so a secret may be exposed here.
    fn write(&self) -> Option<Value>;

    /// The value as checks receive it; `None` where it is not set.
    fn checked(&self) -> Option<&Self::Checked>;
}

/// A table of settings, as [`settings!`] declares it.
pub(super) trait Section: Sized {
    const ABOUT: &'static [&'static str];

    /// Passes each setting to `handler`, and builds the section if every setting has a value.
    fn visit(handler: &mut impl SettingHandler) -> Option<Self>;
}

pub(super) trait SettingHandler {
    fn setting<T: Setting>(&mut self, declared: Declared<T>) -> Option<T>;
}

/// Checks a value and returns the problem, if there is one.
type Check<T> = Box<dyn Fn(&<T as Setting>::Checked) -> Result<(), String>>;

pub(super) struct Declared<T: Setting> {
    pub(super) name: &'static str,
    pub(super) default: Option<T>,
    about: String,
    variable: Option<&'static str>,
    range: Option<(Value, Value)>,
    checks: Vec<Check<T>>,
}

impl<T: Setting> Declared<T> {
    /// Declares a setting with the lines of its documentation.
    pub(super) fn new(name: &'static str, lines: &[&str]) -> Self {
        Self { name, default: None, about: joined(lines), variable: None, range: None, checks: Vec::new() }
    }

    /// Sets the default. A setting without a default is required.
    pub(super) fn or(self, default: T) -> Self {
        Self { default: Some(default), ..self }
    }

    pub(super) fn env(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }

    pub(super) fn within(self, range: RangeInclusive<T>) -> Self
    where
        T: Setting<Checked = T> + PartialOrd + Display + 'static,
    {
        let bounds = range.start().write().zip(range.end().write());
        let check = move |value: &T| {
            let problem = || format!("{value} is not between {} and {}", range.start(), range.end());
            if range.contains(value) { Ok(()) } else { Err(problem()) }
        };
        Self { range: bounds, ..self.check(check) }
    }

    pub(super) fn check(mut self, check: impl Fn(&T::Checked) -> Result<(), String> + 'static) -> Self {
        self.checks.push(Box::new(check));
        self
    }

    pub(super) fn problem(&self, value: &T) -> Option<String> {
        let value = value.checked()?;
        self.checks.iter().find_map(|check| check(value).err())
    }

    /// Describes the setting for the environment, the documentation and the schema.
    pub(super) fn describe(&self) -> Described {
        Described {
            name: self.name,
            about: self.about.clone(),
            default: self.default.as_ref().and_then(T::write),
            is_required: self.default.is_none(),
            variable: self.variable,
            range: self.range.clone(),
            shape: T::shape(),
        }
    }
}

/// Declares a section: the struct, its defaults, and what the reader, the documentation and the schema need to know.
///
/// ```text
/// settings! {
///     /// What the section is about.
///     pub struct Name {
///         /// What the setting does; this is its documentation.
///         setting: Type = default, env "SHORT_NAME", in least..=most, check function;
///     }
/// }
/// ```
///
/// Everything after the type is optional. A setting without a default is required. `check` receives a
/// [`Setting::Checked`]. The type may be another section or a list of sections; these are documented where they are
/// declared.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        $visibility:vis struct $section:ident {
            $(
                $(#[doc = $line:literal])*
                $name:ident: $type:ty
                    $(= $default:expr)? $(, env $variable:literal)? $(, in $range:expr)? $(, check $check:expr)?;
            )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        $visibility struct $section {
            $( $(#[doc = $line])* $visibility $name: $type, )*
        }

        impl $crate::config::declare::Section for $section {
            const ABOUT: &'static [&'static str] = &[$($about),+];

            fn visit(handler: &mut impl $crate::config::declare::SettingHandler) -> Option<Self> {
                $(
                    let declared = $crate::config::declare::Declared::<$type>::new(stringify!($name), &[$($line),*])
                        $(.or($default))? $(.env($variable))? $(.within($range))? $(.check($check))?;
                    let $name = handler.setting(declared);
                )*
                Some(Self { $( $name: $name?, )* })
            }
        }

        $crate::config::declare::settings!(@default $section { $( $name $(= $default)?; )* });
    };
    (@default $section:ident { $( $name:ident = $default:expr; )* }) => {
        impl Default for $section {
            fn default() -> Self {
                Self { $( $name: $default, )* }
            }
        }
    };
    // A section with a required setting has no default.
    (@default $section:ident { $($other:tt)* }) => {};
}

pub(super) use settings;

/// Fails with `problem` unless the condition is met.
pub(super) fn require(is_met: bool, problem: &str) -> Result<(), String> {
    if is_met { Ok(()) } else { Err(problem.to_owned()) }
}

pub(super) fn not_empty(path: &Path) -> Result<(), String> {
    require(path != Path::new(""), "must not be empty")
}
