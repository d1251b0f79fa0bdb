//! A script without its comments and without the white space that means nothing. Pure.
//!
//! Strings, templates and regular expressions are copied as they are. Of white space goes what stands beside a sign that needs none; a
//! line's end stays unless the sign before or after it shows that the statement goes on, so that no semicolon is needed that was not there.

/// Beside these no space is needed. Not beside `+`, `-` and `/`, which make other signs together.
const SIGNS: &str = "{}()[];,:?=<>&|!*";
/// A statement does not end behind these.
const GOES_ON_BEHIND: &str = "{([;,:?=&|";
/// None begins with these, and what stands before a closing one ends there anyhow.
const GOES_ON_BEFORE: &str = ")]},;:?=&|.";
/// Behind these a `/` begins a regular expression, and behind all others it divides. (None of ours stands behind a `return`.)
const REGEX_BEHIND: &str = "{([;,:?=&|!\n";

/// What does not end: a comment, a string, a template, a regular expression; or a template in a template, which we do not read.
pub(super) type Unended = &'static str;

pub(super) fn squeeze(text: &str) -> Result<String, Unended> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // White space since the last sign: none, within a line, or over a line's end.
    let mut gap = "";
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            gap = if first == '\n' || gap == "\n" { "\n" } else { " " };
            rest = &rest[first.len_utf8()..];
        } else if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").ok_or("a comment")?;
            gap = if rest[..end].contains('\n') || gap == "\n" { "\n" } else { " " };
            rest = &rest[end + 2..];
        } else {
            let before = out.chars().next_back().unwrap_or('\n');
            if gap == "\n" && !(GOES_ON_BEHIND.contains(before) || GOES_ON_BEFORE.contains(first) || out.is_empty()) {
                out.push('\n');
            } else if gap == " " && !(SIGNS.contains(before) || SIGNS.contains(first)) {
                out.push(' ');
            }
            let behind = if gap == "\n" { '\n' } else { before };
            gap = "";
            let end = match first {
                '\'' | '"' => quoted(rest, first).ok_or("a string")?,
                '`' => template(rest)?,
                '/' if REGEX_BEHIND.contains(behind) || REGEX_BEHIND.contains(before) => {
                    quoted(rest, '/').ok_or("a regular expression")?
                }
                _ => first.len_utf8(),
            };
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    Ok(out)
}

/// The length of what is between two such signs, with both, on one line. (No class of our regular expressions has a `/` in it.)
fn quoted(rest: &str, sign: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == sign => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn template(rest: &str) -> Result<usize, Unended> {
    let (mut escaped, mut depth, mut last) = (false, 0_u32, ' ');
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' if depth > 0 || last == '$' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '`' if depth > 0 => return Err("a template in a template"),
            '`' => return Ok(at + 1),
            _ => {}
        }
        last = c;
    }
    Err("a template")
}
