//! The regular expressions of layouts, as in JavaScript, and so in ShiViz.

use regex::{Regex, RegexBuilder};

/// The required groups.
pub(super) const REQUIRED: [&str; 3] = ["event", "host", "clock"];

/// Compiles a layout: a regular expression with the groups `event`, `host` and `clock`. As in JavaScript, and so in ShiViz, a
/// brace that is not a quantifier is a literal, and `^` and `$` match at line boundaries.
///
/// # Errors
/// Why it is invalid.
pub(super) fn layout(pattern: &str) -> Result<Regex, String> {
    let regex = expression(pattern)?;
    for group in REQUIRED {
        if !regex.capture_names().flatten().any(|name| name == group) {
            return Err(format!("has no group (?<{group}>…)"));
        }
    }
    Ok(regex)
}

/// Compiles a regular expression.
///
/// # Errors
/// Why it is invalid.
pub(super) fn expression(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(&with_plain_braces(pattern))
        .multi_line(true)
        .build();
    regex.map_err(|error| {
        // The last line is the reason; the lines before it show the position.
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        last.trim_start_matches("error: ").to_owned()
    })
}

/// Escapes the braces that are literals in JavaScript.
fn with_plain_braces(pattern: &str) -> String {
    let mut plain = String::new();
    let mut rest = pattern;
    let mut escaped = false;
    while let Some(letter) = rest.chars().next() {
        let is_quantifier = || {
            let inside = rest[1..].split_once('}').map(|(inside, _)| inside);
            inside.is_some_and(|inside| {
                let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
                !least.is_empty() && digits(least) && digits(most)
            })
        };
        if letter == '{' && !escaped && !is_quantifier() {
            plain.push('\\');
        }
        escaped = letter == '\\' && !escaped;
        plain.push(letter);
        rest = &rest[letter.len_utf8()..];
        // A Unicode class, \p{L}, keeps its braces.
        if escaped && (rest.starts_with("p{") || rest.starts_with("P{")) {
            let end = rest.find('}').map_or(rest.len(), |end| end + 1);
            plain.push_str(&rest[..end]);
            rest = &rest[end..];
            escaped = false;
        }
    }
    plain
}
