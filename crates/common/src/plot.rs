//! Figures against the number of processes or nodes, a line a thing that is compared, as SVG. Both axes are logarithmic.

use std::{fs, path::Path};

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::{
    exit::{Failure, why},
    files,
    text::{grouped, visible_path},
};

/// The width of the picture, in pixels.
const WIDTH: u32 = 1000;

/// The room right of the lines for their names, in pixels.
const NAMES: u32 = 190;

/// How far apart two names are at least, as a share of the height.
const APART: f64 = 0.052;

/// The least figure that is drawn.
const LEAST: f64 = 0.1;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// A line: its name, its colour in red, green and blue, and its points from left to right.
#[derive(Clone, Debug)]
pub struct Line {
    /// The name, which stands at its end.
    pub name: &'static str,
    /// The colour.
    pub colour: (u8, u8, u8),
    /// Each number of processes, and the figure there.
    pub points: Vec<(u64, f64)>,
}

/// The axis of the numbers.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// What is counted: `nodes`.
    pub what: &'static str,
    /// The labels are powers of two and this.
    pub plus: u64,
}

/// A picture: its title, its height in pixels, and its panels, one below the other, each with a caption and its lines.
#[derive(Clone, Debug)]
pub struct Picture<'a> {
    /// The title.
    pub title: &'a str,
    /// The height, in pixels.
    pub height: u32,
    /// The axis of all panels.
    pub axis: Axis,
    /// The panels.
    pub panels: Vec<(&'static str, Vec<Line>)>,
}

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

/// The failure to draw into this file.
pub fn failure(path: &Path, why: &str) -> Failure {
    Failure::could_not_run(format!("--plot {}", visible_path(path)), why)
}

impl Picture<'_> {
    /// Draws it into the file, as SVG; `-` is standard output.
    ///
    /// # Errors
    /// `--plot FILE: why` (exit code 2).
    pub fn draw(&self, path: &Path) -> Result<(), Failure> {
        let mut svg = String::new();
        let drawn = self.picture(&mut svg);
        drawn.map_err(|error| failure(path, &error.to_string()))?;
        files::write("--plot", path, |file| writeln!(file, "{}", svg.trim_end()))
    }

    fn picture(&self, svg: &mut String) -> Drawn {
        let root = SVGBackend::with_string(svg, (WIDTH, self.height)).into_drawing_area();
        root.fill(&WHITE)?;
        let root = root.titled(self.title, ("sans-serif", 20))?;
        let areas = root.split_evenly((self.panels.len(), 1));
        for (area, (caption, lines)) in areas.iter().zip(&self.panels) {
            panel(area, caption, self.axis, lines)?;
        }
        root.present()?;
        Ok(())
    }
}

fn colour(line: &Line) -> RGBColor {
    let (red, green, blue) = line.colour;
    RGBColor(red, green, blue)
}

fn panel(area: &Area<'_>, caption: &str, axis: Axis, lines: &[Line]) -> Drawn {
    let x = |number: u64| (number.saturating_sub(axis.plus).max(1) as f64).log2();
    let y = |figure: f64| figure.max(LEAST).log10();
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let numbers = || points().map(|(number, _)| number);
    let first = numbers().min().map_or(0.0, x);
    let last = numbers().max().map_or(1.0, x).max(first + 1.0);
    let (least, most) = points()
        .map(|(_, figure)| y(figure))
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
        .x_labels(((last - first).round() as usize + 1).clamp(2, 16))
        .x_label_formatter(&|power| match power.fract().abs() < 1e-9 {
            true => grouped(power.exp2().round() as u64 + axis.plus),
            false => String::new(),
        })
        .disable_y_mesh()
        .y_labels(0)
        .x_desc(axis.what)
        .draw()?;
    for step in steps(bottom, top) {
        let line = vec![(first, step), (last, step)];
        chart.draw_series([PathElement::new(line, BLACK.mix(0.1))])?;
        let (right, y) = chart.backend_coord(&(first, step));
        let base = area.get_base_pixel();
        let at = (right - base.0 - 8, y - base.1);
        let style = ("sans-serif", 12).into_font().color(&BLACK);
        let style = style.pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(label(10_f64.powf(step)), at, style))?;
    }
    let mut ends = Vec::new();
    for line in lines {
        let own = || line.points.iter().copied();
        let points = || own().map(|(number, figure)| (x(number), y(figure)));
        chart.draw_series(LineSeries::new(points(), colour(line).stroke_width(2)))?;
        chart.draw_series(points().map(|point| Circle::new(point, 3, colour(line).filled())))?;
        ends.extend(own().next_back().map(|(_, figure)| (y(figure), line)));
    }
    let place = |y: f64| chart.backend_coord(&(last, y));
    names(area, place, ends, (bottom, top))
}

/// Writes the name of each line behind its end, and moves those apart that would cover one another.
fn names(
    area: &Area<'_>,
    place_of: impl Fn(f64) -> (i32, i32),
    mut ends: Vec<(f64, &Line)>,
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
    for ((y, named), place) in ends.iter().zip(places) {
        let end = place_of(*y);
        let name = place_of(place);
        let style = ("sans-serif", 13).into_font().color(&colour(named));
        let base = area.get_base_pixel();
        let at = |(x, y): (i32, i32), right: i32| (x - base.0 + right, y - base.1);
        let line = [at(end, 4), at(name, 16)];
        area.draw(&PathElement::new(line, colour(named).stroke_width(1)))?;
        let (x, y) = at(name, 20);
        area.draw(&Text::new(named.name, (x, y - 7), style))?;
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
fn label(figure: f64) -> String {
    match figure {
        figure if figure < 0.95 => format!("{figure:.1}"),
        figure => grouped(figure.round() as u64),
    }
}
