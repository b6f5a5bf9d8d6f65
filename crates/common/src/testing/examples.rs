//! The examples of a program's help: each is run, and ends as its words say.

use std::{path::Path, process::Command};

use super::{environment::start_in_namespace, files::Folder};
use crate::{
    config::{self, CommandLine},
    parallel,
};

/// How many examples each help has at least.
const LEAST: usize = 3;

/// Shell commands for [`check_examples`] that make a network card with a default route, as a laptop has it.
pub const NETWORK_CARD: &str = "
ip link add eth0 type veth peer name switch
ip link set switch up
ip addr add 192.0.2.2/24 dev eth0
ip link set eth0 up
ip route add default via 192.0.2.1
";

/// An example: a command line, and what the help says of it.
#[derive(Debug)]
struct Example {
    command: String,
    words: String,
}

impl Example {
    /// The examples of a help's last part: the indented lines below `Examples`, each a command and, two spaces or a line
    /// apart, its words. What stands behind the heading, such as `each until Ctrl-C`, is said of all of them.
    fn of(help: &str) -> Vec<Self> {
        let mut lines = help.lines();
        let Some(heading) = lines.find(|line| line.starts_with("Example")) else {
            return Vec::new();
        };
        let mut examples: Vec<Self> = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let row = line.trim_start();
            match (line.len() - row.len(), examples.last_mut()) {
                (2, _) => {
                    let (command, words) = row.split_once("  ").unwrap_or((row, ""));
                    let words = format!("{heading} {}", words.trim_start());
                    let command = command.to_owned();
                    examples.push(Self { command, words });
                }
                (_, Some(last)) => last.words += &format!(" {row}"),
                (_, None) => panic!("{line:?} is no example"),
            }
        }
        examples
    }

    /// The exit code that its words name; otherwise 0.
    fn code(&self) -> i32 {
        let named = self.words.split("exit code ").nth(1);
        let digits = named.and_then(|rest| rest.split(|letter: char| !letter.is_numeric()).next());
        digits.map_or(0, |digits| digits.parse().expect("an exit code"))
    }

    /// Runs it after `prepare`, and returns what is wrong.
    fn run(&self, path: &Path, prepare: &str) -> Option<String> {
        const EXAMPLE: &str = "example is process ";
        let folder = Folder::new();
        let programs = path.parent().expect("a folder").to_str();
        let programs = programs.expect("a plain name");
        // The example keeps the test's standard input; the shell gives a background process none.
        let script = format!(
            "PATH={programs}:$PATH; peers=; exec 3<&0\n{prepare}\n<&3 3<&- {} &\nexample=$!; exec 3<&-\n\
             echo {EXAMPLE}$example >&2; set +e; wait $example; code=$?\nfor peer in $peers; do kill $peer; done\n\
             exit $code",
            self.command
        );
        let mut running = start_in_namespace(&script, &[("EXAMPLE", &self.command)], &folder)?;
        let started = running.err_line_or_end(EXAMPLE);
        if self.words.contains("Ctrl-C") {
            let ready = started.and_then(|line| {
                running.err_line_or_end("listening on ")?;
                Some(line)
            });
            if let Some(line) = ready {
                let process = line.trim_start_matches(EXAMPLE);
                let sent = Command::new("kill").args(["-INT", process]).status();
                assert!(sent.is_ok_and(|status| status.success()), "{line}");
            }
        } else {
            running.close_stdin();
        }
        let finished = running.finish();
        let right = finished.code == Some(self.code());
        (!right).then(|| format!("{}\n  ({})\n{finished:?}", self.command, self.words))
    }
}

/// Runs every example in the help of the program at `path` and of its subcommands, each in a network namespace of its own
/// and an empty folder, after the shell commands `prepare`, which find the example in `$EXAMPLE` and add to `peers` the
/// processes to end afterwards. An example has to end with exit code 0, or with `exit code N` of its words; where these
/// say `Ctrl-C`, it is interrupted once it listens. Each help has three examples at least.
pub fn check_examples<C: CommandLine>(path: &str, prepare: &str) {
    let command = config::command::<C>();
    let mut examples = Vec::new();
    for command in [&command].into_iter().chain(command.get_subcommands()) {
        let help = command.get_after_help().map(ToString::to_string);
        let found = Example::of(&help.unwrap_or_default());
        let name = command.get_name();
        assert!(found.len() >= LEAST, "{name} has {} examples", found.len());
        let of_this = match name == C::PROGRAM {
            true => name.to_owned(),
            false => format!("{} {name}", C::PROGRAM),
        };
        for example in &found {
            assert!(example.command.starts_with(&of_this), "{name}: {example:?}");
        }
        examples.extend(found);
    }
    let threads = 2 * parallel::processors();
    let run = |example: &Example| example.run(Path::new(path), prepare);
    let wrong = parallel::each("example", threads, examples.iter(), run);
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_read_with_their_words() {
        let help = "Models:\n  pool  workers\n\nExamples, each until Ctrl-C:\n  serve              a server\n  \
                    serve --port 0\n                     a free port; exit code 1: none\n\nEvery flag\n";
        let examples = Example::of(help);
        let commands = examples.iter().map(|example| example.command.as_str());
        assert_eq!(commands.collect::<Vec<_>>(), ["serve", "serve --port 0"]);
        assert_eq!(examples[0].words, "Examples, each until Ctrl-C: a server");
        assert_eq!([examples[0].code(), examples[1].code()], [0, 1]);
    }
}
