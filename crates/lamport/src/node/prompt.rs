//! The lines that a person types at the prompt.

use common::{
    process::{
        Command, Outcome,
        ids::{Names, ProcessId},
        node::wire::LONGEST_TEXT,
    },
    text::{did_you_mean, visible},
};

use crate::algorithms::Algorithm;

/// A typed line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Typed {
    /// A command for the process.
    Command(Command),
    /// Print the clock.
    Clock,
    /// Print the queue.
    Queue,
    /// Print the commands.
    Help,
    /// End the process.
    Quit,
    /// An empty line.
    Nothing,
}

/// Parses a line.
pub(super) fn parse(line: &str, names: &Names, me: ProcessId) -> Result<Typed, String> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    if rest.len() > LONGEST_TEXT {
        return Err(format!("text longer than {LONGEST_TEXT} bytes"));
    }
    let typed = match word {
        "" => Typed::Nothing,
        "local" => Typed::Command(Command::Local),
        "lock" => Typed::Command(Command::Lock),
        "unlock" => Typed::Command(Command::Unlock),
        "elect" => Typed::Command(Command::Elect),
        "sync" => Typed::Command(Command::Synchronize),
        "begin" => Typed::Command(Command::Begin),
        "commit" => Typed::Command(Command::Vote(Outcome::Commit)),
        "abort" => Typed::Command(Command::Vote(Outcome::Abort)),
        "snapshot" => Typed::Command(Command::Snapshot),
        "transfer" => {
            let (to, amount) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let to = peer(to, names, me)?;
            let amount = amount.trim().parse().ok().filter(|amount| *amount > 0);
            let why = "an amount is a whole number from 1 on: transfer p2 30";
            return Ok(Typed::Command(Command::Transfer(to, amount.ok_or(why)?)));
        }
        "clock" => Typed::Clock,
        "queue" => Typed::Queue,
        "help" | "?" => Typed::Help,
        "quit" | "exit" => Typed::Quit,
        "multicast" if !rest.is_empty() => Typed::Command(Command::Multicast(rest.to_owned())),
        "multicast" => return Err("nothing to multicast: type multicast and the payload".into()),
        "send" => {
            let (to, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let to = peer(to, names, me)?;
            return Ok(Typed::Command(Command::Send(to, text.trim().to_owned())));
        }
        _ => {
            let known = [
                "local",
                "lock",
                "unlock",
                "elect",
                "sync",
                "begin",
                "commit",
                "abort",
                "clock",
                "queue",
                "help",
                "quit",
                "multicast",
                "send",
                "snapshot",
                "transfer",
            ];
            let shown: String = word.chars().take(64).collect();
            let near = did_you_mean(&shown, known);
            let shown = visible(shown.as_bytes());
            return Err(format!(
                "unknown command '{shown}'{near}; type help for a list"
            ));
        }
    };
    Ok(typed)
}

/// Another process.
fn peer(to: &str, names: &Names, me: ProcessId) -> Result<ProcessId, String> {
    match names.process(to) {
        Some(process) if process != me => Ok(process),
        _ => {
            let others = names.all().filter(|name| *name != names.of(me));
            let others: Vec<_> = others.collect();
            let shown: String = to.chars().take(64).collect();
            let shown = visible(shown.as_bytes());
            Err(format!(
                "unknown peer '{shown}'; the peers are {}",
                others.join(", ")
            ))
        }
    }
}

/// The commands, a line for each.
pub(super) fn help(algorithm: Algorithm) -> Vec<String> {
    let line = |command: &&str| {
        let help = match *command {
            "send PEER TEXT" => "send a message; it carries the clock's time",
            "local" => "have a local event; the clock advances by one",
            "lock" => "request the critical section",
            "unlock" => "exit the critical section",
            "elect" => "start an election of the leader",
            "sync" => "ask for the time, and adjust the clock",
            "begin" => "begin a transaction, at the coordinator p1",
            "commit" => "vote to commit the transaction",
            "abort" => "vote to abort the transaction",
            "transfer PEER AMOUNT" => "transfer money to another process",
            "snapshot" => "initiate a snapshot of all processes and channels",
            "multicast +100" => "deposit 100 on all replicas of the account",
            "multicast +1%" => "add 1% interest on all replicas",
            _ => "send a text to all processes",
        };
        format!("{command:<16} {help}")
    };
    let common = [
        format!("{:<16} print the time of this process's clock", "clock"),
        format!("{:<16} print the queue of this process", "queue"),
        format!("{:<16} end this process", "quit"),
    ];
    algorithm
        .commands()
        .iter()
        .map(line)
        .chain(common)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_parsed_or_rejected_with_a_hint() {
        let names = Names::numbered(3);
        let me = ProcessId(0);
        let parse = |line: &str| parse(line, &names, me);
        let hello = Command::Send(ProcessId(1), "hello there".into());
        assert_eq!(parse(" send p2  hello there "), Ok(Typed::Command(hello)));
        assert_eq!(parse("lock"), Ok(Typed::Command(Command::Lock)));
        assert_eq!(parse(""), Ok(Typed::Nothing));
        let pay = Command::Multicast("+100".into());
        assert_eq!(parse("multicast +100"), Ok(Typed::Command(pay)));
        for (line, why) in [
            (
                "lok",
                "unknown command 'lok'; did you mean lock?; type help for a list",
            ),
            ("send p9 hello", "unknown peer 'p9'; the peers are p2, p3"),
            ("send p1 hello", "unknown peer 'p1'; the peers are p2, p3"),
            (
                "transfer p2 0",
                "an amount is a whole number from 1 on: transfer p2 30",
            ),
            ("transfer p9 10", "unknown peer 'p9'; the peers are p2, p3"),
            (
                "multicast",
                "nothing to multicast: type multicast and the payload",
            ),
            (
                "\x1b[2J",
                r"unknown command '\x1b[2J'; type help for a list",
            ),
        ] {
            assert_eq!(parse(line), Err(why.to_owned()));
        }
        assert!(parse(&format!("multicast {}", "x".repeat(1025))).is_err());
    }
}
