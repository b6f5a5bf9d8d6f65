//! The picture beside a verdict: the messages between the grader and a submission, or of a run, as `lamport trace` draws them.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    process::Stdio,
};

use common::{
    exit::{Failure, why},
    message::MessageId,
    text::visible_path,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{own::lamport, scratch::Scratch};

/// The longest picture that is kept, in bytes.
pub const LONGEST: u64 = 8 << 20;

/// The form of a picture.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// An image, for few events.
    Svg,
    /// An interactive page.
    Html,
}

impl Form {
    /// The ending of its file, which is also the flag of `lamport trace`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Html => "html",
        }
    }
}

/// A picture.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Picture {
    /// Its form.
    pub form: Form,
    /// Its text.
    pub content: String,
}

impl Picture {
    /// Writes it into this folder under this name; its path, as it is shown.
    ///
    /// # Errors
    /// When it cannot be written (exit code 2).
    pub fn write(&self, folder: &Path, name: &str) -> Result<String, Failure> {
        make_folder(folder)?;
        let path = folder.join(format!("{name}.{}", self.form.word()));
        fs::write(&path, &self.content).map_err(|error| failed(folder, &error))?;
        Ok(visible_path(&path))
    }
}

/// Makes the folder of the pictures, unless it is there.
///
/// # Errors
/// When it cannot be made (exit code 2).
pub fn make_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))
}

fn failed(folder: &Path, error: &io::Error) -> Failure {
    Failure::could_not_run(format!("--pictures {}", visible_path(folder)), why(error))
}

/// Draws the logs in a folder; nothing where they have no event, or the picture is too long. `grader` is this very program.
pub fn draw(grader: &Path, logs: &Path, form: Form) -> Option<Picture> {
    let folder = Scratch::new().ok()?;
    let path = folder.path().join("picture");
    let mut command = lamport(grader);
    command.args(["trace", "--quiet"]).arg(logs);
    command.arg(format!("--{}", form.word())).arg(&path);
    // What it finds in the logs is in the verdict, or in the picture.
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.ok()?;
    let file = fs::File::open(&path).ok()?;
    let mut content = String::new();
    let length = file.take(LONGEST + 1).read_to_string(&mut content).ok()?;
    (1..=LONGEST)
        .contains(&(length as u64))
        .then_some(Picture { form, content })
}

/// The messages between the grader and a submission, as the two would have logged them.
#[derive(Debug)]
pub struct Exchange {
    /// The submission's name in the picture.
    name: &'static str,
    /// The events of the grader, and those of the submission.
    events: [Vec<Value>; 2],
    messages: u64,
    /// How many events there were: their times are their order.
    moments: u64,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// The grader.
    Grader,
    /// The submission.
    Submission,
}

/// A message that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    id: String,
    to: Side,
}

impl Exchange {
    /// No message yet.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            events: [Vec::new(), Vec::new()],
            messages: 0,
            moments: 0,
        }
    }

    /// One of them sends a text to the other; `clock` is its clock then, where it has one. `over` is how.
    pub fn send(&mut self, from: Side, over: &str, text: &str, clock: Option<u64>) -> Sent {
        self.messages += 1;
        let to = match from {
            Side::Grader => Side::Submission,
            Side::Submission => Side::Grader,
        };
        let id = format!(
            "{over}:{}>{}#{}",
            self.name_of(from),
            self.name_of(to),
            self.messages
        );
        debug_assert!(id.parse::<MessageId>().is_ok(), "{id}");
        self.event(from, "send", &id, Some(text), clock);
        Sent { id, to }
    }

    /// The other one receives it.
    pub fn receive(&mut self, sent: &Sent, clock: Option<u64>) {
        self.event(sent.to, "receive", &sent.id, None, clock);
    }

    fn name_of(&self, side: Side) -> &'static str {
        match side {
            Side::Grader => "grader",
            Side::Submission => self.name,
        }
    }

    fn event(&mut self, side: Side, event: &str, id: &str, text: Option<&str>, clock: Option<u64>) {
        let node = self.name_of(side);
        let events = &mut self.events[side as usize];
        self.moments += 1;
        let (seconds, micros) = (self.moments / 1_000_000, self.moments % 1_000_000);
        let mut line = json!({
            "v": 1, "run": "grade", "node": node, "thread": "main", "seq": events.len(),
            "time": format!("2000-01-01T00:{:02}:{:02}.{micros:06}Z", seconds / 60 % 60, seconds % 60),
            "level": "info", "event": event, "message": id,
        });
        if let Some(text) = text {
            line["text"] = json!(text);
        }
        if let Some(clock) = clock {
            line["clock"] = json!(clock);
        }
        events.push(line);
    }

    /// The picture of it; nothing where there was no message.
    pub fn draw(&self, grader: &Path) -> Option<Picture> {
        if self.messages == 0 {
            return None;
        }
        let logs = Scratch::new().ok()?;
        for (side, events) in [Side::Grader, Side::Submission].iter().zip(&self.events) {
            let name = self.name_of(*side);
            let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
            fs::write(logs.path().join(format!("{name}.jsonl")), lines).ok()?;
        }
        draw(grader, logs.path(), Form::Svg)
    }
}
