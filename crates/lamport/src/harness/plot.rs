//! The latencies of a run and its requests over time, with the faults shaded, as SVG.

use std::{ops::Range, path::Path, time::Duration};

use common::{
    exit::Failure,
    files,
    plot::failure,
    text::{micros, visible},
};
use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
};

use super::{
    lab::Outcome,
    settings::names,
    statistics::{Asked, Ending},
};

const SIZE: (u32, u32) = (900, 720);
const OK: RGBColor = RGBColor(0x33, 0x66, 0x99);
const ERROR: RGBColor = RGBColor(0xd0, 0x80, 0x20);
const NONE: RGBColor = RGBColor(0xb0, 0x30, 0x30);
/// How much a fault covers; two at a time are darker.
const FAULT: f64 = 0.15;

/// How many bars the requests have over time.
const BARS: usize = 60;

/// The most points; of more requests every nth is drawn.
const MOST_POINTS: usize = 20_000;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Draws it into the file; `-` is standard output.
///
/// # Errors
/// `--plot FILE: why` (exit code 2).
pub(super) fn draw(path: &Path, title: &str, outcome: &Outcome) -> Result<(), Failure> {
    let mut svg = String::new();
    let title: String = visible(title.as_bytes()).chars().take(90).collect();
    picture(&mut svg, &title, outcome).map_err(|error| failure(path, &error.to_string()))?;
    files::write("--plot", path, |file| writeln!(file, "{}", svg.trim_end()))
}

fn picture(svg: &mut String, title: &str, outcome: &Outcome) -> Drawn {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.titled(title, ("sans-serif", 18))?;
    let (above, below) = root.split_vertically(400);
    let faults = faults(outcome);
    latencies(&above, outcome, &faults)?;
    requests(&below, outcome, &faults)?;
    root.present()?;
    Ok(())
}

/// A fault: its begin and its end in seconds, and its name.
struct Shade {
    from: f64,
    until: f64,
    name: String,
}

/// The faults that have times, the cuts of one time together.
fn faults(outcome: &Outcome) -> Vec<Shade> {
    let names = names(outcome.is_whole.len());
    let of = |process| names.of(process);
    let mut all: Vec<(Duration, Duration, String)> = Vec::new();
    for partition in &outcome.faults.partitions {
        let name = format!("{}>{}", of(partition.cut.from), of(partition.cut.to));
        let time = (partition.from, partition.until);
        let mut others = all.iter_mut();
        match others.find(|other| (other.0, other.1) == time) {
            Some(other) => other.2 += &format!(" {name}"),
            None => all.push((time.0, time.1, format!("cut {name}"))),
        }
    }
    for crash in &outcome.faults.crashes {
        let what = match crash.until {
            Duration::MAX => "kill",
            _ => "pause",
        };
        let name = format!("{what} {}", of(crash.process));
        all.push((crash.from, crash.until, name));
    }
    for restart in &outcome.faults.restarts {
        let name = format!("restart {}", of(restart.process));
        all.push((restart.from, restart.until, name));
    }
    let end = outcome.end;
    let begun = all.into_iter().filter(|fault| fault.0 < end);
    let shade = |(from, until, name): (Duration, Duration, String)| Shade {
        from: from.as_secs_f64(),
        until: until.min(end).as_secs_f64(),
        name: name.chars().take(60).collect(),
    };
    begun.map(shade).collect()
}

fn colour(ending: Ending) -> RGBColor {
    match ending {
        Ending::Ok => OK,
        Ending::Error => ERROR,
        Ending::None => NONE,
    }
}

/// Each request as a point: when it was made, and how long it took.
fn latencies(area: &Area<'_>, outcome: &Outcome, faults: &[Shade]) -> Drawn {
    let requests = &outcome.statistics.requests;
    let height = |asked: &Asked| (asked.took.as_micros().max(1) as f64).log10();
    let heights = requests.iter().map(height);
    let (least, most) = heights.fold((3.0, 3.5), |(least, most): (f64, f64), height| {
        (least.min(height), most.max(height))
    });
    let (bottom, top) = (least.floor(), most.ceil());
    let end = outcome.end.as_secs_f64().max(0.001);
    let caption = "Latency of each request; orange: an error, red: no answer, shaded: faults";
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 14))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, bottom..top)?;
    shade(&mut chart, faults, bottom..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .y_labels((top - bottom) as usize + 1)
        .y_label_formatter(&|place| micros(10_f64.powf(*place).round() as u64))
        .x_desc("seconds from the start of the load")
        .y_desc("latency")
        .draw()?;
    let step = requests.len().div_ceil(MOST_POINTS).max(1);
    chart.draw_series(requests.iter().step_by(step).map(|asked| {
        let place = (asked.at.as_secs_f64(), height(asked));
        Circle::new(place, 2, colour(asked.ending).filled())
    }))?;
    // Below each other.
    chart.draw_series(faults.iter().enumerate().map(|(number, fault)| {
        let below = 0.02 + 0.05 * (number % 10) as f64;
        let at = (fault.from, top - (top - bottom) * below);
        Text::new(fault.name.clone(), at, ("sans-serif", 12))
    }))?;
    Ok(())
}

/// How many requests ended in each span of time, by how they ended.
fn requests(area: &Area<'_>, outcome: &Outcome, faults: &[Shade]) -> Drawn {
    let end = outcome.end.as_secs_f64().max(0.001);
    let span = end / BARS as f64;
    let mut bars = [[0_u32; 3]; BARS];
    for asked in &outcome.statistics.requests {
        let ended = (asked.at + asked.took).as_secs_f64();
        let bar = ((ended / span) as usize).min(BARS - 1);
        bars[bar][asked.ending as usize] += 1;
    }
    let rate = |count: u32| f64::from(count) / span;
    let rates = bars.iter().map(|bar| rate(bar.iter().sum()));
    let highest = rates.fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption("Requests per second", ("sans-serif", 14))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, 0.0..highest)?;
    shade(&mut chart, faults, 0.0..highest)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .y_label_formatter(&|rate| format!("{rate:.0}"))
        .x_desc("seconds from the start of the load")
        .y_desc("requests per second")
        .draw()?;
    let endings = [Ending::Ok, Ending::Error, Ending::None];
    for (place, ending) in endings.into_iter().enumerate() {
        chart.draw_series(bars.iter().enumerate().map(|(number, bar)| {
            let below: u32 = bar[..place].iter().sum();
            let left = number as f64 * span;
            let corners = [(left, rate(below)), (left + span, rate(below + bar[place]))];
            Rectangle::new(corners, colour(ending).filled())
        }))?;
    }
    Ok(())
}

fn shade(chart: &mut Chart<'_, '_>, faults: &[Shade], range: Range<f64>) -> Drawn {
    chart.draw_series(faults.iter().map(|fault| {
        let corners = [(fault.from, range.start), (fault.until, range.end)];
        Rectangle::new(corners, NONE.mix(FAULT).filled())
    }))?;
    Ok(())
}
