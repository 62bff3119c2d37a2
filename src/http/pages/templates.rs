//! The templates: `x.html` beside `x.rs`, all of them based on `base.html`. Every value is escaped; the only markup
//! that is added here is the element that `named` puts around names.
//!
//! A template writes `t("sign-in")` for a message without arguments, `t("choose-for", application=…)` for one with
//! arguments, and `named(…)` instead of `t(…)` where the names in it are to stand out.

use std::sync::OnceLock;

use fluent_bundle::FluentArgs;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, HtmlEscape, UndefinedBehavior};

use super::language::Language;
use super::texts;

const TEMPLATES: [(&str, &str); 10] = [
    ("base.html", include_str!("base.html")),
    ("parts.html", include_str!("parts.html")),
    ("sign_in.html", include_str!("sign_in.html")),
    ("choose_account.html", include_str!("choose_account.html")),
    ("consent.html", include_str!("consent.html")),
    ("account.html", include_str!("account.html")),
    ("logout.html", include_str!("logout.html")),
    ("logged_out.html", include_str!("logged_out.html")),
    ("form_post.html", include_str!("form_post.html")),
    ("error_page.html", include_str!("error_page.html")),
];

/// Renders the page `name` in `language`. The error says what is wrong with the template, for the log.
pub(super) fn render(language: Language, name: &str, context: Value) -> Result<String, Error> {
    environment(language).get_template(name)?.render(context)
}

/// Returns the environment of a language. Each language has its own, so that nested macros use it too.
fn environment(language: Language) -> &'static Environment<'static> {
    static ENVIRONMENTS: [OnceLock<Environment<'static>>; 2] = [OnceLock::new(), OnceLock::new()];
    let position = match language {
        Language::English => 0,
        Language::German => 1,
    };
    ENVIRONMENTS[position].get_or_init(|| build(language))
}

fn build(language: Language) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_global("lang", language.tag());
    environment.add_function("t", move |id: &str, args: Kwargs| say_about(language, id, &args));
    environment.add_function("named", move |id: &str, args: Kwargs| say_with_names(language, id, &args));
    for (name, text) in TEMPLATES {
        // A template that cannot be parsed is reported as missing when it is rendered; a test loads each.
        drop(environment.add_template(name, text));
    }
    environment
}

fn say_about(language: Language, id: &str, args: &Kwargs) -> Result<String, Error> {
    let mut given = FluentArgs::new();
    for name in args.args() {
        let value: Value = args.get(name)?;
        match value.as_usize() {
            Some(number) => given.set(name.to_owned(), number),
            None => given.set(name.to_owned(), value.to_string()),
        }
    }
    texts::format(language, id, &given).map_err(wrong)
}

/// Characters that stand for the names while a sentence is formatted and escaped. Unicode gives them no meaning, and
/// they are removed from the names themselves.
const MARK: [char; 2] = ['\u{F0000}', '\u{F0001}'];

/// Formats a sentence with each argument in an element of its own: bold, and with its own writing direction.
fn say_with_names(language: Language, id: &str, args: &Kwargs) -> Result<Value, Error> {
    let mut given = FluentArgs::new();
    let mut names = Vec::new();
    for name in args.args() {
        let value: String = args.get(name)?;
        given.set(name.to_owned(), format!("{}{}{}", MARK[0], names.len(), MARK[1]));
        names.push(value.replace(MARK, ""));
    }
    let mut html = HtmlEscape(&texts::format(language, id, &given).map_err(wrong)?).to_string();
    for (number, name) in names.iter().enumerate() {
        let element = format!("<bdi class=\"name\">{}</bdi>", HtmlEscape(name));
        html = html.replace(&format!("{}{number}{}", MARK[0], MARK[1]), &element);
    }
    Ok(Value::from_safe_string(html))
}

fn wrong(problem: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        for (name, _) in TEMPLATES {
            environment(Language::English).get_template(name).unwrap();
        }
    }

    #[test]
    fn a_name_that_is_markup_is_text_in_its_sentence() {
        let template = "{{ named('sign-in-to', application=name) }}|{{ t('sign-in-to', application=name) }}";
        let context = minijinja::context! { name => "<img src=x onerror=1>" };
        let html = environment(Language::English).render_named_str("x.html", template, context).unwrap();
        assert!(html.starts_with("to continue to <bdi class=\"name\">&lt;img src=x onerror=1&gt;</bdi>|"), "{html}");
        assert!(html.ends_with("|to continue to &lt;img src=x onerror=1&gt;"), "{html}");
    }

    #[test]
    fn a_name_that_holds_our_own_marks_stands_for_no_other_name() {
        let template = "{{ named('consent-asks', application=first, user=second) }}";
        let context = minijinja::context! { first => "\u{F0000}1\u{F0001}", second => "ada" };
        let html = environment(Language::English).render_named_str("x.html", template, context).unwrap();
        assert_eq!(html.matches("ada").count(), 1, "{html}");
    }
}
