//! The results of one submission in the forms that services read: Gradescope's results.json, and the report of GitHub
//! Classroom's autograding.

use serde_json::{Value, json};

use super::text::details;
use crate::{
    requirement::Status,
    results::{Graded, Part, Submission},
};

/// Gradescope's results.json (gradescope-autograders.readthedocs.io, specifications).
pub fn gradescope(submission: &Submission) -> Value {
    let tests: Vec<Value> = submission
        .graded()
        .map(|(part, graded)| gradescope_test(part, graded))
        .collect();
    json!({
        "score": submission.points,
        "output": format!("{} of {} points", submission.points, submission.of),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    })
}

fn gradescope_test(part: &Part, graded: &Graded) -> Value {
    json!({
        "name": format!("{}/{}: {}", part.part, graded.id, graded.sentence),
        "score": graded.points,
        "max_score": graded.of,
        "status": if graded.status == Status::Pass { "passed" } else { "failed" },
        "output": details(graded),
        "visibility": if graded.hidden { "hidden" } else { "visible" },
        "tags": [graded.status.word()],
    })
}

/// The report of one runner of GitHub Classroom's autograding, version 1 (classroom-resources/autograding-grading-reporter,
/// which takes it in base64).
pub fn github(submission: &Submission) -> Value {
    let worst = submission.graded().map(|(_, graded)| graded.status).max();
    let tests: Vec<Value> = submission
        .graded()
        .map(|(part, graded)| github_test(part, graded))
        .collect();
    json!({
        "version": 1,
        "status": worst.map_or("pass", github_status),
        "max_score": submission.of,
        "tests": tests,
    })
}

fn github_status(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::GraderFault => "error",
        _ => "fail",
    }
}

fn github_test(part: &Part, graded: &Graded) -> Value {
    json!({
        "name": format!("{}/{}: {}", part.part, graded.id, graded.sentence),
        "status": github_status(graded.status),
        "score": graded.points,
        "message": details(graded),
        "test_code": if graded.hidden { "" } else { graded.reproduce.as_str() },
        "filename": "",
        "line_no": 0,
        "execution_time": format!("{}ms", graded.elapsed_ms),
    })
}
