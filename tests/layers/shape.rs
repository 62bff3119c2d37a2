//! The shape of the code: no file over 400 lines, no function over 60, no function with more than five parameters.
//!
//! `self` is not counted among the parameters. The rule is for `src/` and `verifier/src/`. Tests may be longer, because a
//! table of cases reads better in one piece: functions marked `#[test]` and the programs under `tests/`.

use crate::lexer::{Token, tokens, without_comments_and_texts};

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 60;
const MAX_PARAMETERS: usize = 5;

/// Each file and function of a source text that is larger than it may be.
pub(crate) fn oversized(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_FILE_LINES {
        found.push(format!("{path} has {lines} lines; at most {MAX_FILE_LINES}"));
    }
    for function in functions(text) {
        let Function { name, line, lines, parameters } = function;
        if lines > MAX_FUNCTION_LINES {
            found.push(format!("{path}:{line}: `{name}` has {lines} lines; at most {MAX_FUNCTION_LINES}"));
        }
        if parameters > MAX_PARAMETERS {
            found.push(format!("{path}:{line}: `{name}` has {parameters} parameters; at most {MAX_PARAMETERS}"));
        }
    }
    found
}

#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    line: usize,
    /// From the line of its name to that of its last brace.
    lines: usize,
    parameters: usize,
}

fn functions(text: &str) -> Vec<Function> {
    let tokens = tokens(&without_comments_and_texts(text));
    let starts = (0..tokens.len()).filter(|at| tokens[*at].text == "fn" && !is_test(&tokens[..*at]));
    starts.filter_map(|at| Reader { tokens: &tokens, at: at + 1 }.function()).collect()
}

/// Whether an attribute of the function that begins after these tokens marks it as a test.
fn is_test(before: &[Token]) -> bool {
    let own = before.iter().rev().take_while(|token| !matches!(token.text.as_str(), ";" | "{" | "}"));
    own.into_iter().any(|token| token.text == "test")
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Reader<'_> {
    fn text(&self) -> &str {
        self.tokens.get(self.at).map_or("", |token| &token.text)
    }

    /// Reads a function from its name on; `None` for the type `fn(…)` and for a function without a body.
    fn function(mut self) -> Option<Function> {
        let Token { line, text: name } = self.tokens.get(self.at)?;
        if !name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
            return None;
        }
        self.at += 1;
        if self.text() == "<" {
            self.bracketed();
        }
        let parameters = self.bracketed();
        while !matches!(self.text(), "{" | ";" | "") {
            // A type in the result may hold a `;`, as `[u8; 32]` does.
            if matches!(self.text(), "(" | "[") { _ = self.bracketed() } else { self.at += 1 }
        }
        if self.text() != "{" {
            return None;
        }
        self.bracketed();
        let end = self.tokens[self.at - 1].line;
        Some(Function { name: name.clone(), line: *line, lines: end - line + 1, parameters })
    }

    /// Reads all that stands between a bracket and the one that closes it, and counts what commas separate in there;
    /// `self` is not counted.
    fn bracketed(&mut self) -> usize {
        let is_code = self.text() == "{";
        let (mut depth, mut items, mut item_is_empty) = (0_usize, 0, true);
        while self.at < self.tokens.len() {
            let is_arrow = self.at > 0 && matches!(self.tokens[self.at - 1].text.as_str(), "-" | "=");
            match self.text() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                // In code these are comparisons.
                "<" if !is_code => depth += 1,
                ">" if !is_code && !is_arrow => depth -= 1,
                "," if depth == 1 => item_is_empty = true,
                "self" if depth == 1 && item_is_empty => item_is_empty = false,
                "&" | "mut" => {}
                _ if depth == 1 && item_is_empty => {
                    items += 1;
                    item_is_empty = false;
                }
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        items
    }
}

// --- planted violations ---

fn found(text: &str) -> Vec<String> {
    oversized("a.rs", text)
}

#[test]
fn a_long_file_is_found() {
    assert_eq!(found(&"\n".repeat(400)), Vec::<String>::new());
    assert_eq!(found(&"\n".repeat(401)), ["a.rs has 401 lines; at most 400"]);
}

#[test]
fn a_long_function_is_found() {
    let body = |lines: usize| format!("\nimpl A {{\n    fn a() -> [u8; 2] {{{}}}\n}}\n", "\n".repeat(lines - 1));
    assert_eq!(found(&body(60)), Vec::<String>::new());
    assert_eq!(found(&body(61)), ["a.rs:3: `a` has 61 lines; at most 60"]);
}

#[test]
fn a_long_test_passes() {
    let lines = "\n".repeat(61);
    assert_eq!(found(&format!("#[test]\nfn a() {{{lines}}}")), Vec::<String>::new());
    assert_eq!(found(&format!("#[actix_web::test]\nasync fn a() {{{lines}}}")), Vec::<String>::new());
    assert_eq!(found(&format!("#[test]\nfn a() {{}}\nfn b() {{{lines}}}")).len(), 1);
}

#[test]
fn a_function_with_many_parameters_is_found() {
    for fits in [
        "fn f(a: u8, b: u8, c: u8, d: u8, e: u8) {}",
        "fn f(&mut self, a: u8, b: u8, c: u8, d: u8, e: u8,) { g(1, 2, 3, 4, 5, 6) }",
        "fn f(mut self, a: (u8, u8), b: [u8; 2], c: HashMap<u8, u8>, d: impl Fn(u8, u8) -> u8, e: u8) {}",
        "fn f<A, B: Fn(u8) -> u8, C, D, E, F>() {}",
        "fn f(f: fn(u8, u8, u8, u8, u8, u8)) { a < b }",
    ] {
        assert_eq!(found(fits), Vec::<String>::new(), "{fits}");
    }
    for exceeds in [
        "fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}",
        "async fn f<A: Fn(u8) -> u8>(&self, a: u8, (b, c): (u8, u8), d: &A, e: u8, f: u8, g: u8) where A: B {}",
    ] {
        assert_eq!(found(exceeds), ["a.rs:1: `f` has 6 parameters; at most 5"], "{exceeds}");
    }
}

#[test]
fn functions_in_functions_are_found_too() {
    let lines = "\n".repeat(61);
    let both = ["a.rs:1: `a` has 62 lines; at most 60", "a.rs:1: `b` has 62 lines; at most 60"];
    assert_eq!(found(&format!("fn a() {{ fn b() {{{lines}}} }}")), both);
}
