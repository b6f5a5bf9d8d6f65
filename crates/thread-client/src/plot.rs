//! A load as a picture: the latencies, and the throughput over time.

use std::{fs, path::Path};

use common::{
    exit::{Failure, why},
    files,
    text::{micros, visible_path},
};
use plotters::prelude::*;

use crate::report::{Counts, QUANTILES};

const SIZE: (u32, u32) = (900, 720);
const BAR: RGBColor = RGBColor(0x33, 0x66, 0x99);
const MARK: RGBColor = RGBColor(0xb0, 0x30, 0x30);

/// Bars per factor of ten of the latency.
const BARS: f64 = 20.0;

/// Checks that the picture can be written, before the load whose picture it is.
///
/// # Errors
/// `--plot FILE: why` (exit code 2).
pub fn check(path: &Path) -> Result<(), Failure> {
    if files::is_standard(path) {
        return Ok(());
    }
    let file = fs::OpenOptions::new().create(true).append(true).open(path);
    file.map(drop).map_err(|error| failure(path, &why(&error)))
}

/// Draws it into the file, as SVG; `-` is standard output.
///
/// # Errors
/// `--plot FILE: why` (exit code 2).
pub fn draw(path: &Path, title: &str, counts: &Counts) -> Result<(), Failure> {
    let mut svg = String::new();
    picture(&mut svg, title, counts).map_err(|error| failure(path, &error.to_string()))?;
    files::write("--plot", path, |file| writeln!(file, "{}", svg.trim_end()))
}

fn failure(path: &Path, why: &str) -> Failure {
    Failure::could_not_run(format!("--plot {}", visible_path(path)), why)
}

fn picture(
    svg: &mut String,
    title: &str,
    counts: &Counts,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.titled(title, ("sans-serif", 20))?;
    let (above, below) = root.split_vertically(350);
    latencies(&above, counts)?;
    throughput(&below, counts)?;
    root.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// The share of the exchanges in each span of latencies; the spans grow with the latency.
fn latencies(area: &Area<'_>, counts: &Counts) -> Drawn {
    let latency = &counts.latency;
    let place = |micros: u64| (micros.max(1) as f64).log10() * BARS;
    let (first, last) = (
        place(latency.min()).floor(),
        place(latency.max()).floor() + 1.0,
    );
    let mut bars = vec![0; (last - first) as usize];
    for value in latency.iter_recorded() {
        let bar = (place(value.value_iterated_to()) - first) as usize;
        let bar = bar.min(bars.len() - 1);
        bars[bar] += value.count_at_value();
    }
    let percent = |count: u64| count as f64 / latency.len().max(1) as f64 * 100.0;
    let highest = percent(bars.iter().copied().max().unwrap_or_default()).max(1.0);
    let mut chart = ChartBuilder::on(area)
        .caption("Latency of the exchanges", ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(60)
        .build_cartesian_2d(first..last, 0.0..highest * 1.25)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(8)
        .x_label_formatter(&|place| micros(10_f64.powf(place / BARS).round() as u64))
        .y_label_formatter(&|percent| format!("{percent:.0} %"))
        .x_desc("latency, on a logarithmic scale")
        .y_desc("share of the exchanges")
        .draw()?;
    chart.draw_series(bars.iter().enumerate().map(|(bar, count)| {
        let left = first + bar as f64;
        Rectangle::new(
            [(left + 0.08, 0.0), (left + 0.92, percent(*count))],
            BAR.filled(),
        )
    }))?;
    for (number, (name, quantile)) in QUANTILES.into_iter().enumerate() {
        let value = latency.value_at_quantile(quantile);
        let at = place(value).clamp(first, last);
        chart.draw_series(LineSeries::new([(at, 0.0), (at, highest * 1.25)], MARK))?;
        // Below each other, and on the side with room.
        let height = highest * (1.22 - 0.075 * number as f64);
        let text = format!("{name} {}", micros(value));
        let width = text.len() as f64 * (last - first) / 118.0;
        let left = if at + width > last { at - width } else { at };
        let label = Text::new(
            text,
            (left + (last - first) / 200.0, height),
            ("sans-serif", 12).into_font().color(&MARK),
        );
        chart.draw_series([label])?;
    }
    Ok(())
}

/// The throughput over time.
fn throughput(area: &Area<'_>, counts: &Counts) -> Drawn {
    let slice = counts.answered.slice.as_secs_f64();
    let rates: Vec<f64> = counts
        .answered
        .counts
        .iter()
        .map(|count| *count as f64 / slice)
        .collect();
    let end = slice * rates.len().max(1) as f64;
    let highest = rates.iter().copied().fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption("Throughput", ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..end, 0.0..highest * 1.1)?;
    let decimals = usize::from(end < 10.0) + usize::from(end < 1.0);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(10)
        .x_label_formatter(&|seconds| format!("{seconds:.decimals$}"))
        .y_label_formatter(&|rate| format!("{rate:.0}"))
        .x_desc("seconds from the start of the load")
        .y_desc("answers per second")
        .draw()?;
    chart.draw_series(rates.iter().enumerate().map(|(number, rate)| {
        let left = number as f64 * slice;
        Rectangle::new([(left, 0.0), (left + slice, *rate)], BAR.filled())
    }))?;
    Ok(())
}
