//! The options of the model checker.

use common::{
    config::in_range,
    exit::Failure,
    process::check::{
        args::CheckArgs,
        system::{MOST_COMMANDS, MOST_PROCESSES},
    },
};

use super::Cli;
use crate::{
    check::Settings,
    location::schemes::{Group, LocationScheme},
};

impl Cli {
    /// What is checked. Without look-ups it is how a ring changes: a process joins, another crashes.
    ///
    /// # Errors
    /// When something is out of range (exit code 2).
    pub fn check(&self, scheme: LocationScheme) -> Result<Settings, Failure> {
        let options = &self.options;
        if !scheme.is_ring() {
            let of_a_ring = ["--successors", "--rules", "--joins", "--rounds"];
            let why = "is of a ring alone: chord, chord-iterative";
            options.given.refuse(&of_a_ring, why)?;
        }
        let least = u16::from(!scheme.is_ring());
        let look_ups = in_range("--count", options.count.unwrap_or(least), least, 10)?;
        let changes = scheme.is_ring() && look_ups == 0;
        let joins = options.joins.unwrap_or(usize::from(changes));
        let joins = in_range("--joins", joins, 0, MOST_PROCESSES - 1)?;
        let processes = options.processes.unwrap_or(3 + joins);
        let processes = in_range("--processes", processes, joins + 1, MOST_PROCESSES)?;
        let check_args = CheckArgs {
            may_lose: options.may_lose,
            may_duplicate: options.may_duplicate,
            may_reorder: options.may_reorder,
            may_crash: options.may_crash.or(changes.then_some(1)),
            may_suspect: None,
            states: options.states,
            memory: options.memory,
            workers: options.workers,
        };
        let budget = check_args.budget(processes)?;
        let rounds = in_range(
            "--rounds",
            options.rounds.unwrap_or(u16::from(changes)),
            0,
            100,
        )?;
        let moves = options.moves.unwrap_or(u64::from(look_ups > 0));
        let settings = Settings {
            scheme,
            group: Group {
                fanout: 2,
                successors: self.successors(2)?,
                rules: options.rules.unwrap_or_default(),
                maintain: rounds > 0,
                ..Group::of(processes)
            },
            joins,
            look_ups,
            moves: in_range("--moves", moves, 0, 10)? as u16,
            early: in_range("--early", options.early.unwrap_or(0), 0, 100)?,
            rounds,
            budget,
            limits: check_args.limits()?,
            logs: options.logs.clone(),
        };
        if settings.look_ups == 0 && !settings.looks_at_the_ring() {
            let why = "nothing is checked: no look-ups, and a ring that does not change; give --joins or --rounds";
            return Err(Failure::could_not_run("--count 0", why));
        }
        if settings.look_ups == 0 && settings.moves > 0 {
            return Err(Failure::could_not_run(
                "--moves",
                "without look-ups nobody asks where the entity is; give --count",
            ));
        }
        let commands = settings.commands().len();
        if commands > MOST_COMMANDS {
            let why = format!(
                "{commands} look-ups, moves and joins of all processes are more than {MOST_COMMANDS}"
            );
            return Err(Failure::could_not_run("--count", why));
        }
        Ok(settings)
    }
}
