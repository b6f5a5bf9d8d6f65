//! What a person types, or whoever manages the process.

use common::text::{did_you_mean, visible};

use super::wire::LONGEST_TEXT;
use crate::{
    algorithms::Algorithm,
    process::{Command, Names, ProcessId},
};

/// A line that was typed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Typed {
    /// For the process.
    Do(Command),
    /// What time its clock shows.
    Clock,
    /// What waits in it.
    Queue,
    /// What can be typed.
    Help,
    /// The end.
    Quit,
    /// Nothing.
    Nothing,
}

/// Understands a line.
pub(super) fn understand(line: &str, names: &Names, me: ProcessId) -> Result<Typed, String> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    if rest.len() > LONGEST_TEXT {
        return Err(format!("longer than {LONGEST_TEXT} bytes"));
    }
    let typed = match word {
        "" => Typed::Nothing,
        "local" => Typed::Do(Command::Local),
        "lock" => Typed::Do(Command::Lock),
        "unlock" => Typed::Do(Command::Unlock),
        "clock" => Typed::Clock,
        "queue" => Typed::Queue,
        "help" | "?" => Typed::Help,
        "quit" | "exit" => Typed::Quit,
        "multicast" if !rest.is_empty() => Typed::Do(Command::Multicast(rest.to_owned())),
        "multicast" => return Err("multicast what?".into()),
        "send" => {
            let (to, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            return send(to, text.trim(), names, me);
        }
        _ => {
            let known = [
                "local",
                "lock",
                "unlock",
                "clock",
                "queue",
                "help",
                "quit",
                "multicast",
                "send",
            ];
            let shown: String = word.chars().take(64).collect();
            let near = did_you_mean(&shown, known);
            let shown = visible(shown.as_bytes());
            return Err(format!(
                "no command '{shown}'{near}; help says what there is"
            ));
        }
    };
    Ok(typed)
}

fn send(to: &str, text: &str, names: &Names, me: ProcessId) -> Result<Typed, String> {
    match names.process(to) {
        Some(process) if process != me => Ok(Typed::Do(Command::Send(process, text.to_owned()))),
        _ => {
            let others = names.all().filter(|name| *name != names.of(me));
            let others: Vec<_> = others.collect();
            let shown: String = to.chars().take(64).collect();
            let shown = visible(shown.as_bytes());
            Err(format!("no peer '{shown}'; there is {}", others.join(", ")))
        }
    }
}

/// What can be typed, a line each.
pub(super) fn help(algorithm: Algorithm) -> Vec<String> {
    let of = |command: &&str| {
        let what = match *command {
            "send PEER TEXT" => "send a message; it takes the clock's time with it",
            "local" => "something happens here, and the clock moves",
            "lock" => "ask for the critical section",
            "unlock" => "leave it",
            "multicast +100" => "pay 100 into every copy of the account",
            "multicast +1%" => "add interest to every copy",
            _ => "say something to all",
        };
        format!("{command:<16} {what}")
    };
    let of_all = [
        format!("{:<16} what time it is here", "clock"),
        format!("{:<16} what waits here, and for what", "queue"),
        format!("{:<16} end this process", "quit"),
    ];
    algorithm.commands().iter().map(of).chain(of_all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood_or_refused_with_a_hint() {
        let names = Names::numbered(3);
        let me = ProcessId(0);
        let understand = |line: &str| understand(line, &names, me);
        let hello = Command::Send(ProcessId(1), "hello there".into());
        assert_eq!(understand(" send p2  hello there "), Ok(Typed::Do(hello)));
        assert_eq!(understand("lock"), Ok(Typed::Do(Command::Lock)));
        assert_eq!(understand(""), Ok(Typed::Nothing));
        let pay = Command::Multicast("+100".into());
        assert_eq!(understand("multicast +100"), Ok(Typed::Do(pay)));
        for (line, why) in [
            (
                "lok",
                "no command 'lok'; did you mean lock?; help says what there is",
            ),
            ("send p9 hello", "no peer 'p9'; there is p2, p3"),
            ("send p1 hello", "no peer 'p1'; there is p2, p3"),
            ("multicast", "multicast what?"),
            ("\x1b[2J", r"no command '\x1b[2J'; help says what there is"),
        ] {
            assert_eq!(understand(line), Err(why.to_owned()));
        }
        assert!(understand(&format!("multicast {}", "x".repeat(1025))).is_err());
    }
}
