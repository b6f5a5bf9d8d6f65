//! The network of `wireless`, as `--links` and `--capacities` give it.

use common::{exit::Failure, process::ids::ProcessId, text::visible};

use super::{Cli, Command, MOST};
use crate::algorithms::{Algorithm, wireless::network::Given};

impl Cli {
    /// Makes what `--links` and `--capacities` say the network of all processes.
    ///
    /// # Errors
    /// When one is wrong, or not for this algorithm (exit code 2).
    pub fn set_network(&self) -> Result<(), Failure> {
        let options = &self.options;
        // The lab gives it to a node.
        if let Some(Command::Node { stdio: true, .. }) = self.command {
            return Ok(());
        }
        if self.algorithm() != Some(Algorithm::Wireless) {
            let why = "only with wireless, whose processes reach their neighbours only";
            return options.given.refuse(&["--links", "--capacities"], why);
        }
        // How many processes there are, if the command line says it.
        let is_known =
            !matches!(self.command, Some(Command::Node { .. })) && options.replay.is_none();
        let count = is_known.then(|| self.processes(MOST.0)).transpose()?;
        let mut flags = String::new();
        // Nodes of anybody are n1, n2, …
        let letter = if options.node.is_some() { 'n' } else { 'p' };
        let links = options.links.as_deref().map(|text| {
            flags += &format!(" --links {text}");
            links(text, (letter, count.unwrap_or(MOST.0))).map_err(|why| {
                Failure::could_not_run(format!("--links {}", visible(text.as_bytes())), why)
            })
        });
        let capacities = options.capacities.as_deref().map(|text| {
            flags += &format!(" --capacities {text}");
            capacities(text, count).map_err(|why| {
                Failure::could_not_run(format!("--capacities {}", visible(text.as_bytes())), why)
            })
        });
        Given {
            links: links.transpose()?,
            capacities: capacities.transpose()?,
            flags,
        }
        .set();
        Ok(())
    }
}

/// The links of N processes, whose names begin with this letter.
fn links(
    text: &str,
    (letter, count): (char, usize),
) -> Result<Vec<(ProcessId, ProcessId)>, String> {
    let process = |name: &str| {
        let number = name
            .strip_prefix(letter)
            .and_then(|number| number.parse().ok());
        let number = number.filter(|number| (1..=count).contains(number));
        let place = number.map(|number: usize| ProcessId::at(number - 1));
        place.ok_or_else(|| {
            format!("no process is called '{name}'; there are {letter}1 to {letter}{count}")
        })
    };
    let link = |link: &str| {
        let ends = link.split_once('-');
        let (one, other) =
            ends.ok_or_else(|| format!("'{link}' is no link, such as {letter}1-{letter}2"))?;
        match (process(one)?, process(other)?) {
            (one, other) if one == other => {
                Err(format!("'{link}': a process reaches itself anyway"))
            }
            ends => Ok(ends),
        }
    };
    text.split(',').map(link).collect()
}

/// The capacities of N processes, if it is known how many there are.
fn capacities(text: &str, count: Option<usize>) -> Result<Vec<u32>, String> {
    let capacity = |text: &str| {
        let number = text.parse();
        number.map_err(|_| format!("'{text}' is no capacity: a number, at most {}", u32::MAX))
    };
    let all: Vec<_> = text.split(',').map(capacity).collect::<Result<_, _>>()?;
    match count {
        Some(count) if count != all.len() => {
            Err(format!("{} capacities for {count} processes", all.len()))
        }
        _ => Ok(all),
    }
}
