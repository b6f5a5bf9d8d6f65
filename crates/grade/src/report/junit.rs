//! JUnit's XML: a test suite for each submission, a test case for each requirement.

use std::fmt::Write as _;

use super::text::details;
use crate::{requirement::Status, results::Results};

/// The document.
pub fn document(results: &Results) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for submission in &results.submissions {
        let all = || submission.graded().map(|(_, graded)| graded);
        let faults = all()
            .filter(|graded| graded.status == Status::GraderFault)
            .count();
        let passed = all().filter(|graded| graded.status == Status::Pass).count();
        let time: u64 = all().map(|graded| graded.elapsed_ms).sum();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{faults}\" time=\"{}\">",
            escaped(&submission.name),
            all().count(),
            all().count() - passed - faults,
            seconds(time)
        );
        for (part, graded) in submission.graded() {
            let _ = write!(
                xml,
                "    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{}\"",
                escaped(&submission.name),
                escaped(&part.part),
                escaped(&graded.id),
                seconds(graded.elapsed_ms)
            );
            let element = match graded.status {
                Status::Pass => {
                    xml.push_str("/>\n");
                    continue;
                }
                Status::GraderFault => "error",
                _ => "failure",
            };
            let _ = writeln!(
                xml,
                ">\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>",
                graded.status.word(),
                escaped(graded.what.as_deref().unwrap_or_default()),
                escaped(&details(graded))
            );
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>");
    xml
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// Text as XML has it. Control characters, which XML has not, were made visible before.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(letter),
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn text_cannot_leave_its_element() {
        assert_eq!(
            escaped("</a> & \"b\"\u{1}\n"),
            "&lt;/a&gt; &amp; &quot;b&quot;\u{fffd}\n"
        );
    }
}
