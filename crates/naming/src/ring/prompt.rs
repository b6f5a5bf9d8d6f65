//! The lines that a person types.

use common::{
    process::{
        Command,
        ids::{Names, ProcessId},
    },
    text::{beginning, did_you_mean, visible},
};

/// The commands, a line for each.
pub(crate) const HELP: &str = "\
put NAME         the entity with this name is here: the ring gets its record
look NAME        look up where the entity with this name is
move NAME PEER   hand the entity over to another node
delete NAME      the entity does not exist any more
state            print neighbours and records
leave            hand all records over, leave the ring, and end
quit             end without leaving, as in a crash";

const WORDS: [&str; 8] = [
    "put", "look", "move", "delete", "state", "leave", "quit", "help",
];

/// A typed line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Typed {
    /// A command for the process.
    Command(Command),
    /// Print what it knows.
    State,
    /// Print the commands.
    Help,
    /// End the process.
    Quit,
    /// An empty line.
    Nothing,
}

/// Parses a line.
pub(crate) fn parse(line: &str, names: &Names, me: ProcessId) -> Result<Typed, String> {
    let shown = |text: &str| visible(beginning(text, 64).as_bytes());
    let words: Vec<&str> = line.split_whitespace().collect();
    let peer = |name: &str| {
        names.process(name).ok_or_else(|| {
            let others = names.all().filter(|other| *other != names.of(me));
            let others: Vec<_> = others.collect();
            format!(
                "no node '{}'; the others are {}",
                shown(name),
                others.join(", ")
            )
        })
    };
    let command = match words[..] {
        [] => return Ok(Typed::Nothing),
        ["state"] => return Ok(Typed::State),
        ["help" | "?"] => return Ok(Typed::Help),
        ["quit" | "exit"] => return Ok(Typed::Quit),
        ["leave"] => Command::Leave,
        ["join", name] => Command::Join(peer(name)?),
        ["put", name] => Command::Insert(name.to_owned(), String::new()),
        ["look", name] => Command::LookUp(name.to_owned()),
        ["delete", name] => Command::Delete(name.to_owned()),
        ["move", name, to] => Command::Move(name.to_owned(), peer(to)?),
        [word, ..] if WORDS.contains(&word) => {
            let mut lines = HELP.lines();
            let usage = lines.find(|line| line.starts_with(word)).unwrap_or(word);
            let usage = usage.split("  ").next().unwrap_or_default();
            return Err(format!("not the form of {word}; type {usage}"));
        }
        [word, ..] => {
            let near = did_you_mean(&beginning(word, 64), WORDS);
            let shown = shown(word);
            return Err(format!(
                "unknown command '{shown}'{near}; type help for a list"
            ));
        }
    };
    Ok(Typed::Command(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_parsed_or_rejected_with_a_hint() {
        let names = Names::numbered(3);
        let parse = |line: &str| parse(line, &names, ProcessId(0));
        let put = Command::Insert("server1".into(), String::new());
        assert_eq!(parse(" put  server1 "), Ok(Typed::Command(put)));
        let handed = Command::Move("server1".into(), ProcessId(2));
        assert_eq!(parse("move server1 p3"), Ok(Typed::Command(handed)));
        assert_eq!(
            (parse(""), parse("?")),
            (Ok(Typed::Nothing), Ok(Typed::Help))
        );
        for (line, why) in [
            (
                "loook x",
                "unknown command 'loook'; did you mean look?; type help for a list",
            ),
            ("put", "not the form of put; type put NAME"),
            ("look a b", "not the form of look; type look NAME"),
            ("move a p9", "no node 'p9'; the others are p2, p3"),
            (
                "\x1b[2J",
                r"unknown command '\x1b[2J'; type help for a list",
            ),
        ] {
            assert_eq!(parse(line), Err(why.to_owned()));
        }
    }
}
