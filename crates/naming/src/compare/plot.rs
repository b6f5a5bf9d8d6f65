//! The comparison as a picture: hops and messages of a look-up against the number of nodes, a line a scheme.

use std::{fs, path::Path};

use common::{
    exit::{Failure, why},
    files,
    text::{grouped, visible_path},
};
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{measure::Row, schemes::SchemeName, settings::Settings};

const SIZE: (u32, u32) = (1000, 940);

/// The room right of the lines for their names, in pixels.
const NAMES: u32 = 190;

/// How far apart two names are at least, as a share of the height.
const APART: f64 = 0.052;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Checks that the picture can be written, before what is drawn is measured.
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
pub fn draw(path: &Path, settings: &Settings, rows: &[Row]) -> Result<(), Failure> {
    let mut svg = String::new();
    picture(&mut svg, settings, rows).map_err(|error| failure(path, &error.to_string()))?;
    files::write("--plot", path, |file| writeln!(file, "{}", svg.trim_end()))
}

fn failure(path: &Path, why: &str) -> Failure {
    Failure::could_not_run(format!("--plot {}", visible_path(path)), why)
}

/// Colours that differ enough: one for each scheme, and a paler one for its variant.
fn colour(scheme: SchemeName) -> RGBColor {
    match scheme {
        SchemeName::Broadcast => RGBColor(0x7f, 0x7f, 0x7f),
        SchemeName::Forwarding => RGBColor(0xb0, 0x30, 0x30),
        SchemeName::ForwardingShortened => RGBColor(0xe3, 0x8a, 0x7e),
        SchemeName::Home => RGBColor(0x2c, 0x8c, 0x3c),
        SchemeName::Chord => RGBColor(0x1f, 0x57, 0xa8),
        SchemeName::ChordIterative => RGBColor(0x7a, 0xa9, 0xdd),
        SchemeName::Hierarchical => RGBColor(0x8a, 0x3f, 0xa0),
        SchemeName::Iterative => RGBColor(0xc4, 0x77, 0x10),
        SchemeName::Recursive => RGBColor(0xe8, 0xb4, 0x5a),
        SchemeName::IterativeCached => RGBColor(0x0f, 0x8b, 0x8d),
        SchemeName::RecursiveCached => RGBColor(0x6f, 0xc7, 0xc8),
    }
}

fn picture(svg: &mut String, settings: &Settings, rows: &[Row]) -> Drawn {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!(
        "{} names, {} look-ups, {} moves",
        grouped(settings.names as u64),
        grouped(settings.lookups),
        grouped(settings.moves)
    );
    let root = root.titled(&title, ("sans-serif", 20))?;
    let (above, below) = root.split_vertically(SIZE.1 / 2 - 10);
    panel(&above, settings, rows, "Hops of a look-up, mean", |row| {
        row.hops.mean
    })?;
    panel(
        &below,
        settings,
        rows,
        "Messages of a look-up, mean",
        |row| row.messages.mean,
    )?;
    root.present()?;
    Ok(())
}

/// One figure of all schemes; both axes are logarithmic.
fn panel(
    area: &Area<'_>,
    settings: &Settings,
    rows: &[Row],
    caption: &str,
    figure: impl Fn(&Row) -> f64,
) -> Drawn {
    let x = |nodes: usize| (nodes as f64).log2();
    let y = |row: &Row| figure(row).max(0.1).log10();
    let nodes = || settings.nodes.iter().copied();
    let first = nodes().min().map_or(0.0, x);
    let last = nodes().max().map_or(1.0, x).max(first + 1.0);
    let (least, most) = rows
        .iter()
        .map(&y)
        .fold((0.0, 1.0), |(least, most): (f64, f64), y| {
            (least.min(y), most.max(y))
        });
    let (bottom, top) = (least - 0.05, most + 0.1);
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin(12)
        .margin_right(NAMES)
        .x_label_area_size(36)
        .y_label_area_size(60)
        .build_cartesian_2d(first..last, bottom..top)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.1))
        .x_labels(settings.nodes.len().clamp(2, 16))
        .x_label_formatter(&|power| match power.fract().abs() < 1e-9 {
            true => grouped(power.exp2().round() as u64),
            false => String::new(),
        })
        .disable_y_mesh()
        .y_labels(0)
        .x_desc("nodes")
        .draw()?;
    for step in steps(bottom, top) {
        let line = vec![(first, step), (last, step)];
        chart.draw_series([PathElement::new(line, BLACK.mix(0.1))])?;
        let (right, y) = chart.backend_coord(&(first, step));
        let base = area.get_base_pixel();
        let at = (right - base.0 - 8, y - base.1);
        let style = ("sans-serif", 12).into_font().color(&BLACK);
        let style = style.pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(number(10_f64.powf(step)), at, style))?;
    }
    let mut ends: Vec<(f64, SchemeName)> = Vec::new();
    for scheme in &settings.schemes {
        let own = || rows.iter().filter(|row| row.scheme == *scheme);
        let points = own().map(|row| (x(row.nodes), y(row)));
        chart.draw_series(LineSeries::new(points, colour(*scheme).stroke_width(2)))?;
        let points = own().map(|row| (x(row.nodes), y(row)));
        chart.draw_series(points.map(|point| Circle::new(point, 3, colour(*scheme).filled())))?;
        ends.extend(own().next_back().map(|row| (y(row), *scheme)));
    }
    let place = |y: f64| chart.backend_coord(&(last, y));
    names(area, place, ends, (bottom, top))
}

/// Writes the name of each line behind its end, and moves those apart that would cover one another.
fn names(
    area: &Area<'_>,
    place_of: impl Fn(f64) -> (i32, i32),
    mut ends: Vec<(f64, SchemeName)>,
    (bottom, top): (f64, f64),
) -> Drawn {
    ends.sort_by(|one, other| other.0.total_cmp(&one.0));
    let apart = (top - bottom) * APART;
    // Downwards, and where there is no room left upwards again.
    let mut places: Vec<f64> = Vec::new();
    for (y, _) in &ends {
        let lowest = places.last().map_or(f64::INFINITY, |above| above - apart);
        places.push(y.min(lowest));
    }
    let mut highest = bottom;
    for place in places.iter_mut().rev() {
        *place = place.max(highest);
        highest = *place + apart;
    }
    for ((y, scheme), place) in ends.iter().zip(places) {
        let end = place_of(*y);
        let name = place_of(place);
        let style = ("sans-serif", 13).into_font().color(&colour(*scheme));
        let base = area.get_base_pixel();
        let at = |(x, y): (i32, i32), right: i32| (x - base.0 + right, y - base.1);
        let line = [at(end, 4), at(name, 16)];
        area.draw(&PathElement::new(line, colour(*scheme).stroke_width(1)))?;
        let (x, y) = at(name, 20);
        area.draw(&Text::new(scheme.word(), (x, y - 7), style))?;
    }
    Ok(())
}

/// Where the axis has numbers: 1, 2, 5, 10, …, or of a long one 1, 10, 100, …
fn steps(bottom: f64, top: f64) -> Vec<f64> {
    let parts: &[f64] = match top - bottom < 2.5 {
        true => &[1.0, 2.0, 5.0],
        false => &[1.0],
    };
    let powers = bottom.floor() as i32..=top.ceil() as i32;
    let steps = powers.flat_map(|power| {
        parts
            .iter()
            .map(move |part| part.log10() + f64::from(power))
    });
    steps.filter(|step| (bottom..top).contains(step)).collect()
}

/// A number of the axis.
fn number(figure: f64) -> String {
    match figure {
        figure if figure < 0.95 => format!("{figure:.1}"),
        figure => grouped(figure.round() as u64),
    }
}
