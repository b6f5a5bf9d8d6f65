//! Logs that a submission wrote: each check of `lamport trace` is a requirement.

use std::{fs, io::Read, path::Path, process::Stdio};

use common::{
    event::{Event, Kind, Record, Verdict},
    exit::{Failure, why},
    sys::processes::quoted,
    text::visible_path,
};

use crate::{
    own,
    picture::{self, Form},
    requirement::Status,
    results::{Graded, Part},
};

/// The longest output that is read, in bytes.
const LONGEST: u64 = 64 << 20;
/// How much of each log is searched for the algorithm, in bytes.
const BEGINNING: u64 = 64 << 10;
/// What each check is worth.
const POINTS: u32 = 1;

/// Checks the logs in a folder, and draws them into the folder of the pictures where something is wrong with them; with an algorithm, that they are of a run of it too.
///
/// # Errors
/// When they cannot be read (exit code 2).
pub fn grade(
    folder: &Path,
    algorithm: Option<&str>,
    pictures: Option<&Path>,
) -> Result<Part, Failure> {
    let failed = |why: String| Failure::could_not_run(visible_path(folder), why);
    let mut command = own::lamport(&own::file()?);
    command
        .args(["trace", "--check", "--json", "--quiet"])
        .arg(folder);
    // Its errors are this program's: both are on one terminal.
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| failed(why(&error)))?;
    let mut printed = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let read = stdout.take(LONGEST).read_to_end(&mut printed);
        read.map_err(|error| failed(why(&error)))?;
    }
    let ended = child
        .wait_with_output()
        .map_err(|error| failed(why(&error)))?;
    if !matches!(ended.status.code(), Some(0 | 1)) {
        let complaint = String::from_utf8_lossy(&ended.stderr);
        let last = complaint.lines().last().unwrap_or("they cannot be read");
        let last = last.trim_start_matches("lamport: ");
        return Err(failed(common::text::visible(last.as_bytes())));
    }
    let printed = String::from_utf8_lossy(&printed);
    let events = printed
        .lines()
        .filter_map(|line| Some(Record::parse(line).ok()?.event));
    let checks: Vec<Event> = events.filter(|event| event.kind == Kind::Check).collect();
    let again = format!(
        "lamport trace {} --check",
        quoted(&folder.to_string_lossy())
    );
    let mut graded: Vec<Graded> = Vec::new();
    for check in &checks {
        let name = check.check.as_deref().unwrap_or_default();
        let text = check.text.as_deref().unwrap_or_default();
        graded.push(requirement(name, check.verdict, text, &again));
    }
    if let Some(algorithm) = algorithm {
        let is_there = has(folder, algorithm);
        let (verdict, no) = if is_there {
            (Verdict::Ok, "a")
        } else {
            (Verdict::Fail, "no")
        };
        let text = format!("{no} process of {algorithm} has logged");
        graded.push(requirement("algorithm", Some(verdict), &text, &again));
    }
    let is_wrong = |graded: &Graded| graded.status != Status::Pass;
    if let Some(pictures) = pictures
        && graded.iter().any(is_wrong)
        && let Some(picture) = picture::draw(&own::file()?, folder, Form::Html)
    {
        let path = picture.write(pictures, "logs")?;
        for graded in graded.iter_mut().filter(|graded| is_wrong(graded)) {
            graded.picture = Some(path.clone());
        }
    }
    Ok(Part::new("logs", &again, graded))
}

/// Whether a process of this algorithm has logged that it is ready: one of its first events.
fn has(folder: &Path, algorithm: &str) -> bool {
    let field = format!("\"algorithm\":\"{algorithm}\"");
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths = files.map(|file| file.path()).filter(|path| path.is_file());
    paths.any(|path| {
        let mut beginning = Vec::new();
        let file = fs::File::open(path);
        // What cannot be read has been reported as such.
        let _ = file.and_then(|file| file.take(BEGINNING).read_to_end(&mut beginning));
        String::from_utf8_lossy(&beginning)
            .replace(' ', "")
            .contains(&field)
    })
}

/// A check as a requirement. One that is open is worth nothing: the logs do not decide it.
fn requirement(name: &str, verdict: Option<Verdict>, text: &str, again: &str) -> Graded {
    let (status, of) = match verdict {
        Some(Verdict::Fail) => (Status::WrongAnswer, POINTS),
        Some(Verdict::Ok | Verdict::Warn) => (Status::Pass, POINTS),
        _ => (Status::Pass, 0),
    };
    let is_met = status == Status::Pass;
    Graded {
        id: name.replace(' ', "-"),
        sentence: if is_met {
            text.to_owned()
        } else {
            name.to_owned()
        },
        source: "docs/reference/trace.md: checks".into(),
        status,
        points: if is_met { of } else { 0 },
        of,
        passed: u32::from(is_met),
        runs: 1,
        elapsed_ms: 0,
        hidden: false,
        what: (!is_met).then(|| text.to_owned()),
        sent: None,
        received: None,
        expected: None,
        stderr: None,
        limit: None,
        picture: None,
        reproduce: again.to_owned(),
    }
}
