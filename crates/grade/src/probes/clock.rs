//! The clock of experiment 6: requests as lines of JSON on its standard input, answers as lines on its standard output.
//!
//! | request | answer |
//! | --- | --- |
//! | `{"event":"send"}` | `{"time":1}`: the time of the message |
//! | `{"event":"receive","time":5}` | `{"time":6}`: the time after the receive |

use std::time::Instant;

use common::sys::processes::is_no_command;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use super::{Role, connection::quoted, tidy};
use crate::{
    bench::Bench,
    picture::{Exchange, Side},
    program::{Ended, Program},
    requirement::{Finding, Probed, Requirement, Status},
    stack_trace,
};

/// How many events the long chain has.
const CHAIN: usize = 500;
/// How many events are drawn, up to the wrong one.
const DRAWN: usize = 12;
/// What messages of a clock travel over in a picture.
const OVER: &str = "memory";

/// An event of a process with a clock.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    Receive(u64),
}

impl Step {
    fn request(self) -> String {
        match self {
            Self::Send => "{\"event\":\"send\"}\n".into(),
            Self::Receive(time) => format!("{{\"event\":\"receive\",\"time\":{time}}}\n"),
        }
    }

    /// The rule of the handout, and the same in words.
    fn after(self, time: u64) -> (u64, String) {
        match self {
            Self::Send => (time + 1, format!("{} = {time} + 1", time + 1)),
            Self::Receive(received) => {
                let next = time.max(received) + 1;
                (next, format!("{next} = max({time}, {received}) + 1"))
            }
        }
    }
}

/// The clock, being probed: each probe starts it anew, at 0.
#[derive(Debug)]
pub struct ClockRole<'a> {
    bench: &'a Bench<'a>,
    random: Pcg64Mcg,
}

impl<'a> ClockRole<'a> {
    /// A clock that was not started yet.
    pub fn new(bench: &'a Bench<'a>) -> Self {
        Self {
            bench,
            random: Pcg64Mcg::seed_from_u64(bench.seed()),
        }
    }

    /// Lets a new clock take these steps, and compares each answer.
    fn steps(&self, steps: &[Step]) -> Result<Program, Finding> {
        let mut answers = Vec::new();
        let stepped = self.compare(steps, &mut answers);
        stepped.map_err(|finding| match self.bench.draws() {
            true if finding.status != Status::GraderFault => {
                let picture = drawn(steps, &answers).draw(self.bench.grader());
                finding.picture(picture)
            }
            _ => finding,
        })
    }

    /// The same; what is answered is added to the answers.
    fn compare(&self, steps: &[Step], answers: &mut Vec<u64>) -> Result<Program, Finding> {
        let mut program = self.bench.start()?;
        let requests: String = steps.iter().map(|step| step.request()).collect();
        program.type_in(&requests);
        let enough =
            |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count() >= steps.len();
        // A line is whole once its end is there.
        let is_whole = |text: &str| text.ends_with('\n') && enough(text);
        // The first answer has the time of a start, all others that of an answer.
        let has_begun = |text: &str| text.contains('\n');
        if program.wait_printed(self.bench.start_deadline(), has_begun) {
            let _ = program.wait_printed(self.bench.deadline(), is_whole);
        }
        let printed = program.printed();
        let mut lines = printed.lines().filter(|line| !line.trim().is_empty());
        let mut time = 0;
        for (number, step) in steps.iter().enumerate() {
            let (next, rule) = step.after(time);
            let sent = format!(
                "{}, event {} of a clock at {time}",
                step.request().trim(),
                number + 1
            );
            let expected = format!("{{\"time\":{next}}}: {rule}");
            let failed = |status, what: &str, received: String| {
                let finding = Finding::new(status, what).sent(sent).received(received);
                finding.expected(expected)
            };
            let Some(line) = lines.next() else {
                let what = "it does not answer";
                let finding = program.explain(failed(Status::Timeout, what, "nothing".into()));
                let ended = program.ended();
                return Err(match (finding.limit, ended) {
                    (None, Some(Ended::Code(code))) if is_no_command(code) => Finding {
                        status: Status::NotStarted,
                        ..finding
                    },
                    _ => finding,
                });
            };
            let answer = answer(line);
            answers.extend(answer);
            match answer {
                Some(answer) if answer == next => time = next,
                Some(_) => {
                    let what = "its clock is wrong";
                    return Err(failed(Status::WrongAnswer, what, quoted(line.as_bytes())));
                }
                None => {
                    let what = "its answer has no time";
                    let finding = failed(Status::WrongAnswer, what, quoted(line.as_bytes()));
                    return Err(match stack_trace::find(&printed) {
                        Some(_) => program.explain(finding),
                        None => finding,
                    });
                }
            }
        }
        if let Some(line) = lines.next() {
            let finding = Finding::new(Status::WrongAnswer, "it answers more than it is asked");
            let finding = finding.received(quoted(line.as_bytes()));
            return Err(finding.expected("one line for each request"));
        }
        Ok(program)
    }

    fn twenty(&self) -> Probed {
        use Step::{Receive, Send};
        let vectors = [
            Receive(0),
            Send,
            Receive(1),
            Receive(2),
            Receive(5),
            Receive(5),
            Send,
            Send,
            Receive(9),
            Receive(10),
            Receive(11),
            Receive(3),
            Receive(100),
            Receive(99),
            Receive(101),
            Receive(102),
            Send,
            Receive(1_000_000),
            Receive(0),
            Send,
        ];
        self.steps(&vectors).map(drop)
    }

    fn chain(&mut self) -> Probed {
        let mut time = 0;
        let mut steps = Vec::new();
        for _ in 0..CHAIN {
            let around = |random: &mut Pcg64Mcg| random.random_range(0..=time + 3);
            let step = match self.random.random_range(0..5) {
                0 => Step::Send,
                1 => Step::Receive(time),
                2 => Step::Receive(time + 1),
                3 => Step::Receive(around(&mut self.random)),
                _ => Step::Receive(time + self.random.random_range(2..50)),
            };
            time = step.after(time).0;
            steps.push(step);
        }
        self.steps(&steps).map(drop)
    }

    fn ends(&self) -> Probed {
        let mut program = self.steps(&[Step::Send])?;
        program.close_stdin();
        let sent = "one request, and the end of standard input";
        match program.wait_ended(self.bench.deadline()) {
            Some(Ended::Code(0)) => Ok(()),
            None => {
                let finding = Finding::new(Status::Timeout, "it does not end").sent(sent);
                Err(finding.expected("it ends with exit code 0"))
            }
            Some(_) => {
                let finding = Finding::new(Status::Crash, "at the end of its input").sent(sent);
                Err(program.explain(finding.expected("it ends with exit code 0")))
            }
        }
    }

    fn tidy(&self) -> Probed {
        let program = self.steps(&[Step::Send])?;
        tidy::check(self.bench, &program)
    }
}

impl Role for ClockRole<'_> {
    const REQUIREMENTS: &'static [Requirement] = &[
        Requirement {
            id: "answers",
            points: 1,
            sentence: "answers a request with a line of JSON",
            source: "the page of grade: the clock's protocol",
            needs: None,
            when: None,
        },
        Requirement {
            id: "send",
            points: 2,
            sentence: "starts at 0, and adds 1 for a send",
            source: "experiment 6, lamport_clock.py: send_message",
            needs: Some("answers"),
            when: None,
        },
        Requirement {
            id: "above",
            points: 2,
            sentence: "receives a time above its own",
            source: "experiment 6, lamport_clock.py: max(self.time, received_time) + 1",
            needs: Some("answers"),
            when: None,
        },
        Requirement {
            id: "equal",
            points: 2,
            sentence: "receives a time equal to its own",
            source: "experiment 6, lamport_clock.py: max(self.time, received_time) + 1",
            needs: Some("send"),
            when: None,
        },
        Requirement {
            id: "below",
            points: 2,
            sentence: "receives a time below its own",
            source: "experiment 6, lamport_clock.py: max(self.time, received_time) + 1",
            needs: Some("send"),
            when: None,
        },
        Requirement {
            id: "vectors",
            points: 2,
            sentence: "takes twenty events one after another",
            source: "experiment 6, lamport_clock.py",
            needs: Some("answers"),
            when: None,
        },
        Requirement {
            id: "chain",
            points: 2,
            sentence: "takes 500 events by chance",
            source: "experiment 6, lamport_clock.py",
            needs: Some("vectors"),
            when: None,
        },
        Requirement {
            id: "ends",
            points: 1,
            sentence: "ends with exit code 0 when its input ends",
            source: "the page of grade: the clock's protocol",
            needs: Some("send"),
            when: None,
        },
        tidy::requirement(Some("send")),
    ];

    fn probe(&mut self, id: &str) -> Probed {
        use Step::{Receive, Send};
        match id {
            "answers" => {
                // Which time is another requirement's.
                let mut program = self.bench.start()?;
                program.type_in(&Send.request());
                let begun = Instant::now();
                let is_answer = |text: &str| text.lines().any(|line| answer(line).is_some());
                if program.wait_printed(self.bench.start_deadline(), is_answer) {
                    return Ok(());
                }
                let printed = program.printed();
                let (status, received) = match printed.trim() {
                    "" => (Status::Timeout, "nothing".to_owned()),
                    printed => (Status::WrongAnswer, quoted(printed.as_bytes())),
                };
                let what = match status {
                    Status::Timeout => {
                        format!("no answer within {:.1} s", begun.elapsed().as_secs_f64())
                    }
                    _ => "what it prints has no time: a line {\"time\":1}, or the number alone"
                        .into(),
                };
                let finding = Finding::new(status, what).sent(Send.request().trim());
                let finding = finding.received(received).expected("{\"time\":1}");
                match program.ended() {
                    Some(ended @ Ended::Code(code)) if code == 0 || is_no_command(code) => {
                        Err(program.explain_end(
                            ended,
                            Finding {
                                what: "before it answers".into(),
                                ..finding
                            },
                        ))
                    }
                    _ => Err(program.explain(finding)),
                }
            }
            "send" => self.steps(&[Send, Send, Send]).map(drop),
            "above" => self.steps(&[Receive(10), Receive(20)]).map(drop),
            "equal" => self
                .steps(&[Send, Send, Send, Receive(3), Receive(4)])
                .map(drop),
            "below" => self
                .steps(&[Send, Send, Send, Receive(2), Receive(0)])
                .map(drop),
            "vectors" => self.twenty(),
            "chain" => self.chain(),
            "ends" => self.ends(),
            "tidy" => self.tidy(),
            _ => Err(Finding::grader(format!("there is no probe of {id}"))),
        }
    }
}

/// The messages of the last steps that were answered, and of the one that was not.
fn drawn(steps: &[Step], answers: &[u64]) -> Exchange {
    let mut exchange = Exchange::new("clock");
    let first = answers.len().saturating_sub(DRAWN);
    for (number, step) in steps.iter().enumerate().skip(first) {
        let answer = answers.get(number).copied();
        match (step, answer) {
            (Step::Send, Some(time)) => {
                let sent = exchange.send(Side::Submission, OVER, &format!("time {time}"), answer);
                exchange.receive(&sent, None);
            }
            (Step::Receive(time), _) => {
                let sent = exchange.send(Side::Grader, OVER, &format!("time {time}"), None);
                if answer.is_some() {
                    exchange.receive(&sent, answer);
                }
            }
            (Step::Send, None) => {}
        }
        if answer.is_none() {
            break;
        }
    }
    exchange
}

/// The time in an answer: `{"time": 1}`, or a number alone.
fn answer(line: &str) -> Option<u64> {
    let value: Value = serde_json::from_str(line.trim()).ok()?;
    value.as_u64().or_else(|| value.get("time")?.as_u64())
}

#[cfg(test)]
mod tests {
    use super::{Step, answer};

    #[test]
    fn the_rule_is_the_handouts() {
        assert_eq!(Step::Send.after(0).0, 1);
        let after = |time, received| Step::Receive(received).after(time).0;
        assert_eq!([after(1, 5), after(5, 5), after(5, 1)], [6, 6, 6]);
        assert_eq!(
            [answer("{\"time\": 3}"), answer("3"), answer("three")],
            [Some(3), Some(3), None]
        );
    }
}
