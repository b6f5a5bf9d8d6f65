//! Runs the subcommand of the command line.

use std::io;

use common::{
    exit::{Failure, Summary},
    files,
    journal::Journal,
    process::node::transport::BoundSocket,
    shutdown::Shutdown,
    sys::terminal,
};

use crate::{
    check, compare,
    config::{Cli, Command},
    handout, harness,
    harness::workload::Subject,
    node::{self, command::Plan},
    run, simulate,
    trace::{self, args::TraceArgs},
};

/// What a node on standard input and output is told over it, or does not have.
const REFUSED_WITH_STDIO: [&str; 21] = [
    "--json",
    "--listen",
    "--ready-file",
    "--peer",
    "--transport",
    "--clock",
    "--for",
    "--seed",
    "--loss",
    "--duplicate",
    "--reorder",
    "--delay",
    "--partition",
    "--slow",
    "--links",
    "--capacities",
    "--clock-offset",
    "--clock-drift",
    "--clock-jump",
    "--faults",
    "--name",
];

/// The input of a subcommand that reads typed commands.
///
/// # Errors
/// When standard input is not there, or already read (exit code 2).
pub fn input(cli: &Cli) -> Result<Option<terminal::Input>, Failure> {
    let reads = matches!(cli.command, Some(Command::Node { .. }));
    reads
        .then(|| files::standard_input("typed commands"))
        .transpose()
}

/// Runs the subcommand, or the handout's two clocks. `shutdown` makes the signals end the run; `bind` binds the socket of a
/// node.
///
/// # Errors
/// When it cannot run so (exit code 2).
pub fn run<'app>(
    cli: &Cli,
    typed: Option<terminal::Input>,
    journal: &Journal,
    shutdown: &dyn Fn() -> Result<&'app Shutdown, Failure>,
    bind: impl FnOnce(&Cli) -> Result<BoundSocket, Failure>,
) -> Result<Summary, Failure> {
    cli.set_network()?;
    match &cli.command {
        None => handout::run(journal).map_err(|overflow| Failure::no("clock", overflow)),
        // It holds nothing that a signal could lose, and may wait for a pipe.
        Some(Command::Trace(files)) => {
            let args = TraceArgs::new(files, &cli.options)?;
            trace::command::run(cli, &args, journal)
        }
        Some(Command::Simulate { algorithm }) => {
            simulate::command::run(cli, *algorithm, journal, shutdown()?)
        }
        Some(Command::Check { algorithm }) => {
            check::command::run(cli, *algorithm, journal, shutdown()?)
        }
        Some(Command::Explore { algorithm }) => {
            check::explore::run(cli, *algorithm, journal, shutdown()?)
        }
        Some(Command::Compare { topic }) => {
            let settings = compare::Settings::new(cli, *topic)?;
            compare::run(&settings, journal, shutdown()?)
        }
        Some(Command::Run { algorithm }) => match (&cli.options.node, algorithm) {
            (Some(node), subject) => {
                let settings = harness::Settings::new(cli, subject.workload(), node)?;
                harness::run(&settings, journal, shutdown()?)
            }
            (None, Subject::Algorithm(algorithm)) => {
                let settings = run::Settings::new(cli, *algorithm)?;
                run::run(&settings, journal, shutdown()?)
            }
            (None, Subject::Workload(workload)) => {
                let why =
                    "a workload of nodes: add --node COMMAND, or take an algorithm of this program";
                Err(Failure::could_not_run(workload.word(), why))
            }
        },
        Some(Command::Node {
            algorithm,
            stdio: true,
            ..
        }) => {
            let why = "means nothing with --stdio: the other side of the pipe decides it";
            cli.options.given.refuse(&REFUSED_WITH_STDIO, why)?;
            let typed = typed.expect("a node reads its input");
            let what = (*algorithm, cli.bug(*algorithm)?);
            node::stdio::run(what, (typed, &io::stdout()), journal, shutdown()?)
        }
        Some(Command::Node {
            algorithm, managed, ..
        }) => {
            let plan = Plan::new(cli, *algorithm, *managed)?;
            let bound = bind(cli)?;
            let typed = typed.expect("a node reads typed commands");
            plan.run(cli, &bound, typed, journal, shutdown()?)
        }
    }
}
