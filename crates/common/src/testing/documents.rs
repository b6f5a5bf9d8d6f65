//! What a program prints of its own command line: completions, which real shells are asked, and manual pages.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use super::{
    command_line::check_refusals,
    environment::have_program,
    files::Folder,
    program::{self, Running, run},
};
use crate::config::{self, CommandLine, EVERYWHERE, ROOT};

/// Prints what bash offers after each line of its input, which are a command line's words.
const BASH: &str = r#"
source "$FILE"
while read -r line; do
    COMP_WORDS=($line) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
    "$FUNCTION" "${COMP_WORDS[0]}" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
    echo "${COMPREPLY[*]}"
done
"#;

/// The same of fish.
const FISH: &str = r#"
source $FILE
while read --local line
    complete --do-complete "$line" | string split --fields 1 \t | string join " "
end
"#;

/// The same of zsh, which completes only at a terminal: one that it makes, where what is offered is printed instead.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty offer zsh -f -i
zpty -w offer 'PS1= PROMPT_EOL_MARK=; stty -echo; autoload -U compinit; compinit -u -D; source $FILE
    compadd() {
        local -a offered
        builtin compadd -O offered "$@"
        (( $#offered )) && print -r -- $'\''\n'\''"offered: $offered"
        builtin compadd "$@"
    }
    _ask() { _main_complete; print "end of offers"; compstate[insert]= compstate[list]= }
    zle -C ask complete-word _ask; bindkey "^T" ask; print begin""ning'
zpty -r offer said '*beginning*'
while read -r line; do
    zpty -w -n offer $'\x15'"$line"$'\x14'
    zpty -r offer said '*end of offers*'
    said=(${${(M)${(f)${said//$'\r'/}}:#offered: *}#offered: })
    echo ${(j: :)said}
done
zpty -d offer
"#;

/// Checks what the program at `path` prints of its own command line:
///
/// - `--completions` for each shell; bash, fish and zsh, where they are installed, are asked for the flags after the
///   program's name and after each subcommand, and offer those that its help shows;
/// - `--man`, for the program and for each subcommand: mandoc, where it is installed, warns of nothing, and each flag of
///   the help is there;
/// - another shell is refused, and nobody to read it is no fault.
pub fn check_documents<C: CommandLine>(path: &str) {
    let invalid = "usage: invalid value 'tcsh' for '--completions <SHELL>'";
    check_refusals(path, &[(&["--completions", "tcsh"], invalid)]);
    for document in [&["--completions", "bash"][..], &["--man"]] {
        let command = program::command(path, document);
        let finished = Running::start_with_closed_out(command).finish();
        assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    }
    let offered = config::command::<C>();
    let commands: Vec<_> = config::commands(&offered)
        .into_iter()
        .map(|(name, taken, _)| (name, taken.into_iter().collect::<BTreeSet<_>>()))
        .collect();
    check_completions::<C>(path, &commands);
    for (name, taken) in &commands {
        check_manual_page::<C>(path, name, taken);
    }
}

fn printed(path: &str, words: &[&str]) -> String {
    let finished = run(path, words);
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    finished.out
}

fn check_completions<C: CommandLine>(path: &str, commands: &[(&str, BTreeSet<&str>)]) {
    let folder = Folder::new();
    // A name that is a line's beginning, and what is offered after it.
    let lines = commands.iter().map(|(name, _)| match *name {
        ROOT => format!("{} --", C::PROGRAM),
        name => format!("{} {name} --", C::PROGRAM),
    });
    let lines: Vec<String> = lines.collect();
    let function = format!("_{}", C::PROGRAM.replace('-', "__"));
    let shells: [(&str, &[&str]); 3] = [
        ("bash", &["--norc", "-c", BASH]),
        ("fish", &["--no-config", "-c", FISH]),
        ("zsh", &["-f", "-c", ZSH]),
    ];
    for (shell, arguments) in shells {
        let file = folder.path(shell);
        fs::write(&file, printed(path, &["--completions", shell])).expect("a folder");
        if !have_program(shell) {
            continue;
        }
        let mut asked = Command::new(shell);
        asked
            .args(arguments)
            .envs([("FILE", &file), ("FUNCTION", &function)])
            .env("HOME", folder.path(""));
        let answers = filter(asked, &lines.join("\n"));
        assert_eq!(answers.lines().count(), lines.len(), "{shell}: {answers}");
        for (answer, (name, taken)) in answers.lines().zip(commands) {
            let longs = answer
                .split(' ')
                .filter_map(|flag| flag.strip_prefix("--"))
                // zsh offers `--json=` where a value may stand behind it.
                .map(|flag| flag.trim_end_matches('='))
                .filter(|flag| !["help", "version"].contains(flag));
            let longs: BTreeSet<&str> = longs.collect();
            let shown: BTreeSet<&str> = taken.iter().copied().chain(EVERYWHERE).collect();
            assert_eq!(longs, shown, "{shell}: {name}: {answer}");
        }
    }
    let powershell = printed(path, &["--completions", "powershell"]);
    for (name, taken) in commands {
        for flag in taken {
            let line = format!("[CompletionResult]::new('--{flag}', '--{flag}', ");
            assert!(powershell.contains(&line), "{name} --{flag}");
        }
    }
}

fn check_manual_page<C: CommandLine>(path: &str, name: &str, taken: &BTreeSet<&str>) {
    let words = [name, "--man"];
    let page = printed(path, &words[usize::from(name == ROOT)..]);
    let title = match name {
        ROOT => C::PROGRAM.to_owned(),
        name => format!("{}-{name}", C::PROGRAM),
    };
    let heading = format!(".TH \"{}\" \"1\" ", title.to_uppercase());
    assert!(page.contains(&heading), "{heading}\n{page}");
    for flag in taken {
        let bold = format!(r"\fB\-\-{}\fR", flag.replace('-', r"\-"));
        assert!(page.contains(&bold), "{title} --{flag}:\n{page}");
    }
    assert!(page.contains("EXAMPLES"), "{page}");
    if have_program("mandoc") {
        let mut lint = Command::new("mandoc");
        lint.args(["-Tlint", "-Wwarning"]);
        let warnings = filter(lint, &page);
        // A date would differ from build to build.
        let warnings = warnings
            .lines()
            .filter(|line| !line.contains("missing date"));
        let warnings: Vec<&str> = warnings.collect();
        assert!(warnings.is_empty(), "{title}: {warnings:?}");
    }
}

/// What a command prints, with this on its standard input.
fn filter(mut command: Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("piped");
    let written = stdin
        .write_all(input.as_bytes())
        .and_then(|()| stdin.write_all(b"\n"));
    drop(stdin);
    let output = child.wait_with_output().expect("a child of this process");
    let program = Path::new(command.get_program()).display();
    written.unwrap_or_else(|error| panic!("{program}: {error}"));
    String::from_utf8(output.stdout).expect("UTF-8")
}
