//! Text from outside made safe to show, and the nearest known name to a mistyped one.

use std::{borrow::Cow, cmp::Ordering, fmt::Write, path::Path, time::Duration};

/// Bytes from the network as one line of text that cannot steer a terminal or forge another line.
///
/// Control characters, invalid UTF-8 and the invisible characters that reorder or break lines are escaped
/// (`\n`, `\x1b`, `\u{202e}`); everything else stays as it is, backslashes too.
///
/// ```
/// use common::text::visible;
/// assert_eq!(visible("Grüße".as_bytes()), "Grüße");
/// assert_eq!(visible(b"a\x1b[2Jb\r\n\xff"), r"a\x1b[2Jb\r\n\xff");
/// ```
pub fn visible(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\n' => shown.push_str("\\n"),
                '\r' => shown.push_str("\\r"),
                '\t' => shown.push_str("\\t"),
                ' '..='~' => shown.push(letter),
                '\0'..='\x7f' => push_byte(&mut shown, letter as u8),
                _ if letter.is_control() || misleads(letter) => {
                    shown.extend(letter.escape_unicode())
                }
                _ => shown.push(letter),
            }
        }
        for byte in chunk.invalid() {
            push_byte(&mut shown, *byte);
        }
    }
    shown
}

/// The longest name of a process, in bytes.
pub const LONGEST_NAME: usize = 64;

/// Whether a process may be called so: a name stands in logs, in the identities of messages and in stamps.
///
/// # Errors
/// What is wrong with it.
///
/// ```
/// use common::text::check_name;
/// assert_eq!(check_name("p1"), Ok(()));
/// assert_eq!(check_name("p 1"), Err("'p 1' is not 1 to 64 letters, digits or - _ . :".into()));
/// ```
pub fn check_name(name: &str) -> Result<(), String> {
    let plain = |letter: char| letter.is_alphanumeric() || "-_.:".contains(letter);
    if (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(format!(
        "'{}' is not 1 to {LONGEST_NAME} letters, digits or - _ . :",
        visible(name.as_bytes())
    ))
}

/// The first `most` characters of a text, [`visible`]; `…` stands for the rest.
pub fn beginning(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => visible(text.as_bytes()),
        Some((end, _)) => format!("{}…", visible(&text.as_bytes()[..end])),
    }
}

/// The longest content of a message that is shown whole to people, in characters as they are shown.
pub const LONGEST_SHOWN: usize = 256;

/// How many characters are shown of a longer one.
const BEGINNING: usize = 64;

/// The content of a message for people: whole, or of a long one the beginning and its length. `shown` is the content as
/// [`visible`] shows it; without `bytes`, its number of bytes, its characters are counted. Logs and `--json` have the whole
/// content.
///
/// ```
/// use common::text::content;
/// assert_eq!(content("Hello server", Some(12)), "Hello server");
/// assert_eq!(content(&"x".repeat(1400), Some(1400)), "x".repeat(64) + "… (1400 bytes)");
/// ```
pub fn content(shown: &str, bytes: Option<u64>) -> Cow<'_, str> {
    // Most are short, and need no count.
    if shown.len() <= LONGEST_SHOWN || shown.chars().count() <= LONGEST_SHOWN {
        return shown.into();
    }
    let end = shown.char_indices().nth(BEGINNING);
    let (end, _) = end.expect("it is longer than its beginning");
    let length = match bytes {
        Some(bytes) => plural(bytes, "byte"),
        None => plural(shown.chars().count() as u64, "character"),
    };
    format!("{}… ({length})", &shown[..end]).into()
}

/// A path as it is shown: [`visible`].
pub fn visible_path(path: &Path) -> String {
    visible(path.as_os_str().as_encoded_bytes())
}

fn push_byte(shown: &mut String, byte: u8) {
    write!(shown, "\\x{byte:02x}").expect("a String takes all that is written");
}

/// Marks, embeddings, overrides and isolates of the Unicode Bidirectional Algorithm (UAX #9), and the line and
/// paragraph separators: invisible, and able to make a line look like another one.
fn misleads(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The candidate that `name` was most likely meant to be, if one is near: at most a third of its letters wrong.
/// Of equally near ones the first.
///
/// ```
/// use common::text::closest;
/// assert_eq!(closest("serevr1", ["server2", "server1"]), Some("server1"));
/// assert_eq!(closest("printer", ["server2", "server1"]), None);
/// ```
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance costs the product of both lengths, and no mistyped word is a page long.
    const LONGEST: usize = 64;
    // Nor does anybody wait for a hint: a large name space is searched only this far.
    const MOST: usize = 10_000;
    let letters = name.chars().count();
    let limit = (letters / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| {
            letters <= LONGEST && candidate.chars().count().abs_diff(letters) <= limit
        })
        .take(MOST)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean NAME?` for the nearest candidate, or nothing: the tail of an error line.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    closest(name, candidates).map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

/// The order of names as people sort them: a number within a name counts as a number.
///
/// ```
/// use common::text::natural;
/// let mut names = ["p10", "p2", "p", "p02"];
/// names.sort_by(|a, b| natural(a, b));
/// assert_eq!(names, ["p", "p02", "p2", "p10"]);
/// ```
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut rest_of_a, mut rest_of_b) = (a, b);
    loop {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (in_a, in_b) = (digits(rest_of_a), digits(rest_of_b));
        let order = if in_a > 0 && in_b > 0 {
            let (number_a, number_b) = (&rest_of_a[..in_a], &rest_of_b[..in_b]);
            (rest_of_a, rest_of_b) = (&rest_of_a[in_a..], &rest_of_b[in_b..]);
            let (x, y) = (
                number_a.trim_start_matches('0'),
                number_b.trim_start_matches('0'),
            );
            // Without zeros before it the longer one is the larger one, however long.
            x.len().cmp(&y.len()).then(x.cmp(y))
        } else {
            let (mut letters_of_a, mut letters_of_b) = (rest_of_a.chars(), rest_of_b.chars());
            let (x, y) = (letters_of_a.next(), letters_of_b.next());
            (rest_of_a, rest_of_b) = (letters_of_a.as_str(), letters_of_b.as_str());
            if x.is_none() && y.is_none() {
                // Only zeros before numbers can differ now.
                return a.cmp(b);
            }
            x.cmp(&y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// A count with its thousands apart: `2,912`.
///
/// ```
/// use common::text::grouped;
/// assert_eq!([912, 2_912, 1_002_912].map(grouped), ["912", "2,912", "1,002,912"]);
/// ```
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 client`, `2 clients`, `2 processes`: a count with its noun.
pub fn plural(count: u64, noun: &str) -> String {
    let ending = match count {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{count} {noun}{ending}")
}

/// Reads a number, or a range of numbers, `FROM..TO`, both included: its first and last number.
///
/// # Errors
/// When it is neither, such as in the example, or the range ends before it begins.
pub fn range<N: Copy + PartialOrd>(
    text: &str,
    example: &str,
    number: impl Fn(&str) -> Option<N>,
) -> Result<(N, N), String> {
    let shown = visible(text.as_bytes());
    let bounds = match text.split_once("..") {
        Some((from, to)) => number(from).zip(number(to)),
        None => number(text).map(|number| (number, number)),
    };
    match bounds {
        None => Err(format!(
            "'{shown}' is no number, nor a range, such as {example}"
        )),
        Some((from, to)) if from > to => Err(format!("'{shown}' ends before it begins")),
        Some(bounds) => Ok(bounds),
    }
}

/// A length of time in whole microseconds.
pub fn whole_micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A length of time given in microseconds, to three digits: `61 µs`, `1.25 ms`, `2.5 s`.
///
/// ```
/// use common::text::micros;
/// assert_eq!([61, 1_254, 12_340, 999_999, 2_500_000].map(micros), ["61 µs", "1.25 ms", "12.3 ms", "1 s", "2.5 s"]);
/// ```
pub fn micros(count: u64) -> String {
    let (mut scaled, mut unit) = (count as f64, "µs");
    for larger in ["ms", "s"] {
        if scaled >= 999.5 {
            (scaled, unit) = (scaled / 1000.0, larger);
        }
    }
    let decimals = match scaled {
        ..9.995 if unit != "µs" => 2,
        ..99.95 if unit != "µs" => 1,
        _ => 0,
    };
    let digits = format!("{scaled:.decimals$}");
    let digits = if decimals > 0 {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        &digits
    };
    format!("{digits} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_gets_through() {
        assert_eq!(
            visible("\u{9b}31m \u{202e}evil\u{2028}\x7f\0".as_bytes()),
            "\\u{9b}31m \\u{202e}evil\\u{2028}\\x7f\\x00"
        );
        assert_eq!(visible(b"\xe2\x82 \xf0\x9f\x98"), r"\xe2\x82 \xf0\x9f\x98");
    }

    #[test]
    fn every_byte_is_shown_on_one_printable_line() {
        let every: Vec<u8> = (0..=255).collect();
        assert!(visible(&every).chars().all(|letter| !letter.is_control()));
    }
}
