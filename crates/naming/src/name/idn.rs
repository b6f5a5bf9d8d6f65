//! Internationalised names (RFC 5890, UTS #46): `grüße` and `xn--gre-6ka8l` are one name. It is kept as it reads, in lowercase
//! and in Normalization Form C (the U-label), and DNS has it in ASCII (the A-label).

use std::borrow::Cow;

use common::text::visible;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// The longest name, in bytes: a label of DNS.
pub const LONGEST_NAME: usize = 63;

/// What an A-label begins with.
const PREFIX: &str = "xn--";

/// The U-label and the A-label of a name; None when it has none of its own: a name of ASCII, or one that no A-label stands
/// for, which DNS has byte for byte.
fn labels(text: &str) -> Option<(String, String)> {
    let is_a_label = text
        .get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    // A dot separates labels in every form of a name, but here it can be part of one.
    if (text.is_ascii() && !is_a_label) || text.contains('.') {
        return None;
    }
    let (rules, deny, hyphens) = (Uts46::new(), AsciiDenyList::EMPTY, Hyphens::Allow);
    let (unicode, read) = rules.to_unicode(text.as_bytes(), deny, hyphens);
    read.ok()?;
    let ascii = rules
        .to_ascii(unicode.as_bytes(), deny, hyphens, DnsLength::Ignore)
        .ok()?;
    let (back, read) = rules.to_unicode(ascii.as_bytes(), deny, hyphens);
    let fits = |label: &str| (1..=LONGEST_NAME).contains(&label.len());
    let is_name = !unicode.is_ascii()
        && !unicode.contains(['.', '/'])
        && !ascii.contains(['.', '/'])
        && visible(unicode.as_bytes()) == *unicode;
    (read.is_ok() && back == unicode && is_name && fits(&unicode) && fits(&ascii))
        .then(|| (unicode.to_string(), ascii.to_string()))
}

/// The name as it is kept.
pub(super) fn unicode(text: &str) -> Option<String> {
    labels(text).map(|(unicode, _)| unicode)
}

/// The label that DNS has for a name.
pub(crate) fn ascii(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return name.into();
    }
    match labels(name) {
        Some((unicode, ascii)) if unicode == name => ascii.into(),
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_two_forms() {
        for (text, kept, label) in [
            ("grüße", "grüße", "xn--gre-6ka8l"),
            ("GRÜßE", "grüße", "xn--gre-6ka8l"),
            ("xn--gre-6ka8l", "grüße", "xn--gre-6ka8l"),
            ("XN--GRE-6KA8L", "grüße", "xn--gre-6ka8l"),
            // Decomposed.
            ("gru\u{308}ße", "grüße", "xn--gre-6ka8l"),
            ("日本", "日本", "xn--wgv71a"),
            ("_täst", "_täst", "xn--_tst-moa"),
        ] {
            let found = unicode(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.as_str(), &*ascii(&found)), (kept, label), "{text}");
        }
        let long = "ü".repeat(31) + "日";
        for text in [
            "server1",
            "a.b",
            "ä.b",
            "xn--",
            "xn--a",
            "xn--\u{e4}",
            "*",
            &long,
        ] {
            if let Some(found) = unicode(text) {
                assert_eq!(unicode(&ascii(&found)), Some(found), "{text}");
            } else {
                assert_eq!(ascii(text), text);
            }
        }
    }
}
