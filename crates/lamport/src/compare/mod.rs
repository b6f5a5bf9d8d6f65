//! The command `compare`: the messages that algorithms of one kind need, against the number of processes, as measured and as
//! published.
//!
//! | module | job |
//! | --- | --- |
//! | [`topic`], [`counts`] | what is compared; the numbers of processes |
//! | [`row`] | what is measured of an algorithm |
//! | [`mutex`] | the messages of an entry to the critical section |

pub mod counts;
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

use self::{counts::Counts, row::Row, topic::Topic};
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
        }
    }

    /// What is counted.
    fn unit(self) -> &'static str {
        match self {
            Self::Mutex => "messages an entry",
        }
    }

    /// The two cases that are measured.
    fn cases(self) -> [&'static str; 2] {
        match self {
            Self::Mutex => ["one requests", "all request"],
        }
    }

    fn measure(self, algorithm: Algorithm, processes: usize, seed: u64) -> Row {
        match self {
            Self::Mutex => mutex::measure(algorithm, processes, seed),
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
    let head = Row::head(topic.unit(), topic.cases());
    head.into_iter()
        .for_each(|line| record(Event::new(Kind::Output).text(line)));
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
        measured.iter().for_each(|row| record(row.event()));
        rows.extend(measured);
    }
    if let Some(path) = &settings.plot {
        picture(topic, &rows).draw(path)?;
        record(Event::new(Kind::Write).text(visible_path(path)));
    }
    Ok(Summary::done(String::new()).count("rows", rows.len() as u64))
}

/// A panel for each case, a line for each algorithm.
fn picture(topic: Topic, rows: &[Row]) -> Picture<'static> {
    let panel = |case: usize| {
        let algorithms = topic.algorithms().iter().zip(COLOURS.into_iter().cycle());
        let line = |(algorithm, colour): (&Algorithm, (u8, u8, u8))| Line {
            name: algorithm.word(),
            colour,
            points: rows
                .iter()
                .filter(|row| row.algorithm == *algorithm)
                .map(|row| (row.processes as u64, row.measured[case]))
                .collect(),
        };
        (topic.cases()[case], algorithms.map(line).collect())
    };
    Picture {
        title: topic.unit(),
        height: 940,
        axis: Axis {
            what: "processes",
            plus: 1,
        },
        panels: (0..2).map(panel).collect(),
    }
}
