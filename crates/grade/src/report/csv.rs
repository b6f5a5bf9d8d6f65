//! A table for spreadsheets (RFC 4180): a row for each submission.

use super::text::faults;
use crate::results::Results;

/// The document: name, points, what is not met, and the points of each requirement.
pub fn document(results: &Results) -> String {
    let mut columns: Vec<String> = Vec::new();
    for submission in &results.submissions {
        for (part, graded) in submission.graded() {
            let column = format!("{}/{}", part.part, graded.id);
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    let head = ["submission", "points", "of", "faults"].map(str::to_owned);
    let mut lines = vec![line(head.into_iter().chain(columns.iter().cloned()))];
    for submission in &results.submissions {
        let points = columns.iter().map(|column| {
            let mut graded = submission.graded();
            let found =
                graded.find(|(part, graded)| format!("{}/{}", part.part, graded.id) == *column);
            found.map_or_else(String::new, |(_, graded)| graded.points.to_string())
        });
        let first = [
            submission.name.clone(),
            submission.points.to_string(),
            submission.of.to_string(),
            faults(submission),
        ];
        lines.push(line(first.into_iter().chain(points)));
    }
    lines.join("\r\n")
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells
        .map(|cell| quoted(&cell))
        .collect::<Vec<_>>()
        .join(",")
}

fn quoted(cell: &str) -> String {
    // A spreadsheet takes what begins so for a formula.
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t']) {
        "'"
    } else {
        ""
    };
    if guard.is_empty() && !cell.contains([',', '"', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_cell_is_quoted_where_it_has_to_be() {
        assert_eq!(quoted("alice"), "alice");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
    }
}
