//! The offsets and delays of clock synchronization over time, as SVG.

use std::{ops::Range, path::Path};

use common::{
    exit::Failure,
    files,
    plot::failure,
    process::{
        Meaning,
        faults::Faults,
        ids::{Names, ProcessId},
        physical::{ClockAction, ClockEvent},
        run_event::RunEvent,
    },
};
use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
};

use crate::algorithms::berkeley::COORDINATOR;

const SIZE: (u32, u32) = (1000, 760);

/// How the room is divided: the offsets above, the delays below.
const OFFSETS: u32 = 440;

/// The colours of processes, from the second one on.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x1f, 0x5f, 0xa8),
    RGBColor(0xc8, 0x5a, 0x11),
    RGBColor(0x2b, 0x84, 0x3b),
    RGBColor(0x8a, 0x3f, 0xa0),
    RGBColor(0x8a, 0x6d, 0x00),
    RGBColor(0x0a, 0x7f, 0x86),
];

/// The colour of the coordinator.
const COORDINATORS: RGBColor = RGBColor(0x55, 0x55, 0x55);

/// The most points of a process; of more every nth is drawn.
const MOST_POINTS: usize = 2_000;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// What is drawn of a process; times in seconds, the others in milliseconds.
#[derive(Debug, Default)]
struct Clock {
    /// After each adjustment: when, how far the clock is ahead of the one that it follows, and how far it may be.
    errors: Vec<(f64, f64, f64)>,
    /// The delay of each sample.
    delays: Vec<(f64, f64)>,
}

/// Draws the clocks of a run of this algorithm or workload into the file; `-` is standard output.
///
/// # Errors
/// `--plot FILE: why` (exit code 2).
pub fn draw(
    path: &Path,
    what: &str,
    names: &Names,
    events: &[RunEvent],
    faults: &Faults,
) -> Result<(), Failure> {
    let mut svg = String::new();
    let clocks = clocks(names.count(), events);
    let drawn = picture(&mut svg, what, names, &clocks, faults);
    drawn.map_err(|error| failure(path, &error.to_string()))?;
    files::write("--plot", path, |file| writeln!(file, "{}", svg.trim_end()))
}

fn clock_of(event: &RunEvent) -> Option<&ClockEvent> {
    match &event.meaning {
        Some(Meaning::Clock(clock)) => Some(&**clock),
        _ => None,
    }
}

/// The clocks of all processes. What each is compared with is the coordinator's or time server's, as it was last known.
fn clocks(processes: usize, events: &[RunEvent]) -> Vec<Clock> {
    let mut clocks: Vec<Clock> = Vec::new();
    clocks.resize_with(processes, Clock::default);
    let all = || events.iter().filter_map(clock_of);
    let begin = all().map(|clock| clock.reading.true_time()).min();
    let begin = begin.unwrap_or(0);
    let mut followed = None;
    for event in events {
        let Some(clock) = clock_of(event) else {
            continue;
        };
        let at = (clock.reading.true_time() - begin) as f64 / 1e9;
        let millis = |nanos: i64| nanos as f64 / 1e6;
        let process = event.process;
        let of = &mut clocks[process.index()];
        match clock.action {
            ClockAction::Sample { delay, .. } => of.delays.push((at, millis(delay))),
            ClockAction::Adjust { bound, .. } if process != COORDINATOR => {
                if let Some(followed) = followed {
                    let error = millis(clock.ahead() - followed);
                    of.errors.push((at, error, millis(bound)));
                }
            }
            ClockAction::Adjust { .. } | ClockAction::Report if process == COORDINATOR => {
                followed = Some(clock.ahead());
            }
            _ => {}
        }
    }
    clocks
}

fn picture(
    svg: &mut String,
    what: &str,
    names: &Names,
    clocks: &[Clock],
    faults: &Faults,
) -> Drawn {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!(
        "{} processes of {what}: clocks after each adjustment, and delays",
        names.count()
    );
    let root = root.titled(&title, ("sans-serif", 20))?;
    let (above, below) = root.split_vertically(OFFSETS);
    let times = clocks.iter().flat_map(|clock| {
        let errors = clock.errors.iter().map(|point| point.0);
        errors.chain(clock.delays.iter().map(|point| point.0))
    });
    let end = times.fold(0.0, f64::max).max(0.001) * 1.02;
    let shades: Vec<_> = faults
        .slow
        .iter()
        .map(|slow| {
            let until = slow.of.until.as_secs_f64().min(end);
            slow.of.from.as_secs_f64().min(end)..until
        })
        .collect();
    errors(&above, end, names, clocks, &shades)?;
    delays(&below, end, clocks, &shades)?;
    root.present()?;
    Ok(())
}

fn colour(process: usize) -> RGBColor {
    match process.checked_sub(1) {
        Some(number) => COLOURS[number % COLOURS.len()],
        None => COORDINATORS,
    }
}

/// Every nth point, so that they are not too many.
fn some<T>(points: &[T]) -> impl Iterator<Item = &T> + Clone {
    points
        .iter()
        .step_by(points.len().div_ceil(MOST_POINTS).max(1))
}

/// The times at which links are slow.
fn shade(chart: &mut Chart<'_, '_>, shades: &[Range<f64>], y: &Range<f64>) -> Drawn {
    let area = |shade: &Range<f64>| {
        let corners = [(shade.start, y.start), (shade.end, y.end)];
        Rectangle::new(corners, BLACK.mix(0.06).filled())
    };
    chart.draw_series(shades.iter().map(area))?;
    Ok(())
}

fn errors(
    area: &Area<'_>,
    end: f64,
    names: &Names,
    clocks: &[Clock],
    shades: &[Range<f64>],
) -> Drawn {
    let points = clocks.iter().flat_map(|clock| &clock.errors);
    let most = points.fold(0.1, |most: f64, (_, error, bound)| {
        most.max(error.abs()).max(*bound)
    });
    let y = -1.15 * most..1.15 * most;
    let slow = if shades.is_empty() {
        ""
    } else {
        "; shaded: a slow link"
    };
    let caption = format!(
        "Error against the clock of {}, in ms: points; how large it can be: lines above and below{slow}",
        names.of(COORDINATOR)
    );
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 15))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, y.clone())?;
    shade(&mut chart, shades, &y)?;
    axes(&mut chart, "error")?;
    for (process, clock) in clocks.iter().enumerate().skip(1) {
        let colour = colour(process);
        for sign in [-1.0, 1.0] {
            let bounds = some(&clock.errors).map(|(at, _, bound)| (*at, sign * bound));
            chart.draw_series(LineSeries::new(bounds, colour.mix(0.6)))?;
        }
        let points = some(&clock.errors).map(|(at, error, _)| (*at, *error));
        let points = points.map(|point| Circle::new(point, 3, colour.filled()));
        let name = names.of(ProcessId::at(process));
        let drawn = chart.draw_series(points)?.label(name);
        drawn.legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    let mut legend = chart.configure_series_labels();
    let legend = legend.position(SeriesLabelPosition::UpperLeft);
    let legend = legend
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.2));
    legend.label_font(("sans-serif", 13)).draw()?;
    Ok(())
}

fn delays(area: &Area<'_>, end: f64, clocks: &[Clock], shades: &[Range<f64>]) -> Drawn {
    let points = clocks.iter().flat_map(|clock| &clock.delays);
    let most = points.fold(0.1, |most: f64, (_, delay)| most.max(*delay));
    let y = 0.0..1.1 * most;
    let mut chart = ChartBuilder::on(area)
        .caption(
            "Delay of each sample, in ms: the round trip",
            ("sans-serif", 15),
        )
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, y.clone())?;
    shade(&mut chart, shades, &y)?;
    axes(&mut chart, "delay")?;
    for (process, clock) in clocks.iter().enumerate() {
        let colour = colour(process);
        let points = some(&clock.delays).map(|point| Circle::new(*point, 3, colour.filled()));
        chart.draw_series(points)?;
    }
    Ok(())
}

fn axes(chart: &mut Chart<'_, '_>, what: &str) -> Drawn {
    let mut mesh = chart.configure_mesh();
    let mesh = mesh
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.1));
    mesh.x_desc("seconds of true time").y_desc(what).draw()?;
    Ok(())
}
