//! The command `compare`: the messages that algorithms of one kind need, against the number of processes, as measured and as
//! published.
//!
//! | module | job |
//! | --- | --- |
//! | [`topic`], [`counts`] | what is compared; the numbers of processes |
//! | [`row`] | what is measured of an algorithm |
//! | [`mutex`] | the messages of an entry to the critical section |
//! | [`election`] | the messages of an election |

pub mod counts;
pub mod election;
pub mod mutex;
pub mod row;
pub mod topic;

use std::{path::PathBuf, time::UNIX_EPOCH};

use common::{
    config::in_range,
    event::{Event, Kind, Time},
    exit::{Failure, Summary},
    journal::Journal,
    parallel,
    plot::{self, Axis, Line, Picture},
    shutdown::Shutdown,
    text::visible_path,
};

use self::{
    counts::Counts,
    row::{AVERAGE, BEST, Columns, Row, WORST},
    topic::Topic,
};
use crate::{algorithms::Algorithm, config::Cli};

/// The most processes that are compared.
pub const MOST: usize = 100;

/// The numbers of processes unless others are given.
pub const DEFAULT: Counts = Counts::new(3, 33);

impl Topic {
    /// The algorithms of this kind.
    fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Mutex => &mutex::ALGORITHMS,
            Self::Election => &election::ALGORITHMS,
        }
    }

    /// What is measured and published of each.
    fn columns(self) -> Columns {
        match self {
            Self::Mutex => Columns {
                unit: "messages an entry",
                measured: &["one requests", "all request"],
                published: &[BEST, WORST],
                width: 14,
            },
            Self::Election => Columns {
                unit: "messages an election",
                measured: &["best", "average", "worst"],
                published: &[BEST, AVERAGE, WORST],
                width: 9,
            },
        }
    }

    fn measure(self, algorithm: Algorithm, processes: usize, seed: u64) -> Row {
        match self {
            Self::Mutex => mutex::measure(algorithm, processes, seed),
            Self::Election => election::measure(algorithm, processes, seed),
        }
    }
}

/// Colours that differ enough.
const COLOURS: [(u8, u8, u8); 6] = [
    (0x1f, 0x57, 0xa8),
    (0x7a, 0xa9, 0xdd),
    (0x2c, 0x8c, 0x3c),
    (0xb0, 0x30, 0x30),
    (0x8a, 0x3f, 0xa0),
    (0xc4, 0x77, 0x10),
];

/// The settings of a comparison.
#[derive(Clone, Debug)]
pub struct Settings {
    topic: Topic,
    processes: Vec<usize>,
    seed: u64,
    plot: Option<PathBuf>,
}

impl Settings {
    /// Validates the options.
    ///
    /// # Errors
    /// When `--processes` is out of range, or the picture cannot be written (exit code 2).
    pub fn new(cli: &Cli, topic: Topic) -> Result<Self, Failure> {
        let counts = cli.options.processes.unwrap_or(DEFAULT);
        let (from, to) = counts.bounds();
        in_range("--processes", from, 2, MOST)?;
        in_range("--processes", to, 2, MOST)?;
        let plot = cli.options.plot.clone();
        plot.as_deref().map(plot::check).transpose()?;
        Ok(Self {
            topic,
            processes: counts.numbers().collect(),
            seed: cli.options.seed.unwrap_or(1),
            plot,
        })
    }
}

/// Runs the command. The same settings print the same bytes.
///
/// # Errors
/// When the picture cannot be written, or a signal ends it (exit code 2).
pub fn run(
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let topic = settings.topic;
    let record = |event: Event| {
        let time = Time::new(UNIX_EPOCH);
        journal.record(Event { time, ..event });
    };
    let columns = topic.columns();
    let head = columns.head().into_iter();
    head.for_each(|line| record(Event::new(Kind::Output).text(line)));
    let mut rows = Vec::new();
    for processes in &settings.processes {
        if shutdown.requested() {
            return Err(Failure::could_not_run("compare", "interrupted"));
        }
        let algorithms = topic.algorithms().iter();
        let threads = parallel::processors();
        let measured = parallel::each("compare", threads, algorithms, |algorithm| {
            topic.measure(*algorithm, *processes, settings.seed)
        });
        measured.iter().for_each(|row| record(row.event(&columns)));
        rows.extend(measured);
    }
    if let Some(path) = &settings.plot {
        picture(topic, &rows).draw(path)?;
        record(Event::new(Kind::Write).text(visible_path(path)));
    }
    Ok(Summary::done(String::new()).count("rows", rows.len() as u64))
}

/// The height of a panel, in pixels.
const PANEL: u32 = 470;

/// A panel for each case, a line for each algorithm.
fn picture(topic: Topic, rows: &[Row]) -> Picture<'static> {
    let columns = topic.columns();
    let panel = |(case, name): (usize, &&'static str)| {
        // Colours far apart, as many as there are.
        let step = (COLOURS.len() / topic.algorithms().len()).max(1);
        let colours = COLOURS.into_iter().step_by(step).cycle();
        let algorithms = topic.algorithms().iter().zip(colours);
        let line = |(algorithm, colour): (&Algorithm, (u8, u8, u8))| Line {
            name: algorithm.word(),
            colour,
            points: rows
                .iter()
                .filter(|row| row.algorithm == *algorithm)
                .map(|row| (row.processes as u64, row.measured[case]))
                .collect(),
        };
        (*name, algorithms.map(line).collect())
    };
    Picture {
        title: columns.unit,
        height: PANEL * columns.measured.len() as u32,
        axis: Axis {
            what: "processes",
            plus: 1,
        },
        panels: columns.measured.iter().enumerate().map(panel).collect(),
    }
}
