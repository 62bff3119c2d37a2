//! Takes Rust apart into tokens, without comments, strings and characters.

pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) text: String,
}

pub(crate) fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if rest.starts_with("::") {
                2
            } else if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            tokens.push(Token { line: number + 1, text: rest[..length].to_owned() });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// The text with comments, strings and characters blanked out, line by line as it was.
pub(crate) fn without_comments_and_texts(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let in_a_name = code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let length = blank_length(rest, in_a_name);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push(' ');
            code.extend(rest[..length].chars().filter(|c| *c == '\n'));
            rest = &rest[length..];
        }
    }
    code
}

/// How many bytes at the start of `rest` are a comment, a string, a character or a lifetime's tick; 0 for code.
fn blank_length(rest: &str, in_a_name: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if let Some(text) = rest.strip_prefix('"') {
        return 1 + closing_quote(text, '"');
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    if !in_a_name {
        let raw = rest.trim_start_matches(['b', 'c']);
        let prefix = rest.len() - raw.len();
        if prefix <= 1 {
            let hashes = raw.strip_prefix('r').map(|raw| raw.len() - raw.trim_start_matches('#').len());
            if let Some(hashes) = hashes.filter(|hashes| raw[1 + hashes..].starts_with('"')) {
                let start = prefix + 1 + hashes + 1;
                let end = format!("\"{}", "#".repeat(hashes));
                return rest[start..].find(&end).map_or(rest.len(), |found| start + found + end.len());
            }
        }
    }
    0
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// How far it is to the end of the closing quote, past escaped ones.
fn closing_quote(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

/// `'x'` and `'\n'` are characters; the tick of `'static` is blanked alone.
fn character(rest: &str) -> usize {
    let mut following = rest[1..].chars();
    match (following.next(), following.next()) {
        (Some('\\'), _) => 1 + closing_quote(&rest[1..], '\''),
        (Some(c), Some('\'')) => 1 + c.len_utf8() + 1,
        _ => 1,
    }
}
