//! The command `compare`: the same names, look-ups and moves through every location scheme.
//!
//! | module | job |
//! | --- | --- |
//! | [`range`] | the numbers of nodes |
//! | [`settings`], [`schemes`] | what is compared; the schemes by name |
//! | [`workload`] | names, look-ups, moves |
//! | [`world`] | drives the processes of a scheme |
//! | [`mod@measure`] | what a scheme costs |
//! | [`table`], [`plot`], [`progress`] | what is seen of it |

pub mod measure;
pub mod plot;
pub mod progress;
pub mod range;
pub mod schemes;
pub mod settings;
pub mod table;
pub mod workload;
pub mod world;

use std::sync::Arc;

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary},
    journal::Journal,
    parallel,
    shutdown::Shutdown,
    text::{plural, visible_path},
};

pub use self::settings::Settings;
use self::{
    measure::{Row, Task, measure},
    progress::Overall,
    workload::Names,
};

/// Runs the command. The same settings print the same bytes.
///
/// # Errors
/// When the picture cannot be written, or a signal ends it (exit code 2).
pub fn run(
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
    show_progress: bool,
) -> Result<Summary, Failure> {
    if let Some(path) = &settings.plot {
        plot::check(path)?;
    }
    let names = Arc::new(Names::new(settings.names));
    let weights = settings.nodes.iter().map(|nodes| *nodes as u64);
    let schemes = settings.schemes.len() as u64;
    let overall = Overall::new(
        show_progress,
        weights.map(|nodes| (nodes + settings.names as u64) * schemes),
    );
    let mut rows = Vec::new();
    table::head(journal);
    for nodes in &settings.nodes {
        let tasks: Vec<Task> = settings
            .schemes
            .iter()
            .map(|scheme| Task {
                scheme: *scheme,
                nodes: *nodes,
                names: Arc::clone(&names),
                lookups: settings.lookups,
                moves: settings.moves,
                delay: settings.delay,
                seed: settings.seed,
            })
            .collect();
        let measured = parallel::each("compare", parallel::processors(), tasks.iter(), |task| {
            let what = format!("{} of {} nodes", task.scheme, task.nodes);
            let progress = overall.of(&what, (task.nodes + settings.names) as u64);
            measure(task, &progress, shutdown)
        });
        let Some(measured) = measured.into_iter().collect::<Option<Vec<Row>>>() else {
            overall.end();
            return Err(Failure::could_not_run("compare", "interrupted"));
        };
        overall.hide(|| measured.iter().for_each(|row| table::row(row, journal)));
        rows.extend(measured);
    }
    overall.end();
    if let Some(path) = &settings.plot {
        plot::draw(path, settings, &rows)?;
        journal.record(Event::new(Kind::Write).text(visible_path(path)));
    }
    let text = format!(
        "{}, {}, {}",
        plural(settings.names as u64, "name"),
        plural(settings.lookups, "look-up"),
        plural(settings.moves, "move")
    );
    Ok(Summary::done(text).count("rows", rows.len() as u64))
}
