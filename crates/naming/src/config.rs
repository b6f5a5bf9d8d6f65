//! What the program can be told and asked.

use std::path::PathBuf;

use clap::Subcommand;
use common::exit::Failure;

use crate::names::Path;

const EXAMPLES: &str = "\
Examples:
  naming                                        the handout's two answers
  naming flat server1 server2                   two flat names
  naming structured region1/server1             one structured name; also: region1 server1
  naming flat server1 --short                   the bare address, for a script
  naming list --names lab.json                  every name in a file";

/// Resolves flat and structured names
#[derive(Debug, clap::Parser)]
#[command(name = "naming", after_help = EXAMPLES)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
    /// What is asked.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What is asked.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Resolve flat names
    #[command(after_help = "Example:\n  naming flat server1 server2 --short")]
    Flat {
        /// Names without structure, such as server1
        #[arg(required = true, value_name = "NAME")]
        flat: Vec<String>,
    },
    /// Resolve structured names
    #[command(after_help = "Example:\n  naming structured region1/server1 region2/server3")]
    Structured {
        /// Paths such as region1/server1, or the components of one path: region1 server1
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
    },
    /// List every name with its address
    #[command(after_help = "Example:\n  naming list --names lab.json")]
    List,
}

common::options! {
    /// The program's options.
    pub struct Options of Cli = "naming" {
        /// Names from a JSON file: texts are flat names, objects regions [default: the handout's]
        #[arg(value_name = "FILE")]
        names: PathBuf,
        /// Print only the address
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL")]
        short: bool,
    }
}

/// One question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Query {
    /// The address of a flat name.
    Flat(String),
    /// The address of a structured name.
    Structured(Path),
    /// Every name.
    Everything,
}

impl Cli {
    /// Whether the names are listed.
    pub fn lists(&self) -> bool {
        matches!(self.command, Some(Command::List))
    }

    /// The questions asked; without a command the handout's two.
    ///
    /// # Errors
    /// For a path with an empty component (exit code 2).
    pub fn queries(&self) -> Result<Vec<Query>, Failure> {
        Ok(match &self.command {
            None => vec![
                Query::Flat("server1".into()),
                Query::Structured(Path::new(["region1", "server1"])?),
            ],
            Some(Command::Flat { flat }) => flat.iter().cloned().map(Query::Flat).collect(),
            // Without a slash anywhere the words are the components of one path, as the handout prints it.
            Some(Command::Structured { paths }) if !paths.iter().any(|path| path.contains('/')) => {
                vec![Query::Structured(Path::new(paths)?)]
            }
            Some(Command::Structured { paths }) => {
                let paths = paths
                    .iter()
                    .map(|path| Path::new(path.split('/')).map(Query::Structured));
                paths.collect::<Result<_, _>>()?
            }
            Some(Command::List) => vec![Query::Everything],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_with_slashes_or_as_words() {
        let queries = |paths: &[&str]| {
            let paths = paths.iter().map(ToString::to_string).collect();
            Cli {
                options: Options::default(),
                command: Some(Command::Structured { paths }),
            }
            .queries()
        };
        let query = |components: [&str; 2]| Query::Structured(Path::new(components).unwrap());
        assert_eq!(
            queries(&["region1/server1"]),
            Ok(vec![query(["region1", "server1"])])
        );
        assert_eq!(
            queries(&["region1", "server1"]),
            Ok(vec![query(["region1", "server1"])])
        );
        let two = Ok(vec![
            query(["region1", "server1"]),
            query(["region2", "server3"]),
        ]);
        assert_eq!(queries(&["region1/server1", "region2/server3"]), two);
    }
}
