//! The command `trace`: reads, checks and draws.

use std::io;

use common::{
    event::{Event, Level, Verdict},
    exit::{Exit, Failure, Summary},
    files,
    journal::Journal,
    process::{
        property::Property,
        report::{Show, line},
    },
    text::{plural, visible_path},
};

use super::{
    args::TraceArgs, computation::Computation, exports, layouts::Layout, page, runs, svg, terminal,
};
use crate::{config::Cli, trace_flags::Axis};

/// The most events of an SVG: no viewer opens a larger one, and nothing could be recognised in it.
const MOST_DRAWN: usize = 20_000;

/// Runs the command; exit code 1 with `--check` when a property is violated.
///
/// # Errors
/// When a file cannot be read or written, or none holds an event (exit code 2).
pub fn run(cli: &Cli, args: &TraceArgs, journal: &Journal) -> Result<Summary, Failure> {
    let layout = Layout {
        fields: args.fields.clone(),
        all_findings: args.all_findings,
        ..Layout::new(args.regex.as_deref(), args.delimiter.as_deref())?
    };
    let mut computation = Computation::read(&args.files, &layout)?;
    computation.runs = runs::check(&computation);
    let trace = &computation.trace;
    if trace.events.is_empty() {
        let found = trace.findings.words(Property::WellFormed);
        let first = found.split("; ").next().unwrap_or_default();
        let what = visible_path(&args.files[0]);
        let none = match computation.passed_over.as_slice() {
            [] => "no event in it".to_owned(),
            [(what, why), ..] => format!("no event in it; {what}: passed over, {why}"),
        };
        let (place, why) = first.split_once(": ").unwrap_or((&what, &none));
        // The line says little about a file in which nothing is read.
        let of_first = place.strip_prefix(&what);
        let is_first = of_first.is_some_and(|line| line.is_empty() || line.starts_with(':'));
        let what = if is_first { &what } else { place };
        return Err(Failure::could_not_run(what, why));
    }
    for (what, why) in &computation.passed_over {
        let text = format!("{what}: passed over, {why}");
        journal.record(Event::error(Level::Warn, text));
    }
    let summary = computation.summary();
    if args.check {
        report(&computation, &summary, journal);
    } else {
        warn(&computation, journal);
    }
    let written = pictures(&computation, args, journal)?;
    if cli.options.show.is_some() || !args.check && !written {
        draw(&computation, cli.options.show, args, journal);
    }
    Ok(match args.check {
        true => summary,
        false => summary.exit(Exit::Done),
    })
}

/// Reports the verdict.
fn report(computation: &Computation, summary: &Summary, journal: &Journal) {
    for (property, verdict, why) in computation.verdict() {
        journal.record(Event::check(property.name(), verdict, why));
    }
    let traffic = &computation.traffic;
    let mut text = format!(
        "{} sent, {} received, each copy counted: {} lost, {} duplicates, {} reordered",
        traffic.sent, traffic.received, traffic.lost, traffic.duplicates, traffic.reordered
    );
    for (count, words) in [
        (traffic.unlogged, "to processes without a log"),
        (traffic.inferred, "inferred"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {words}"));
        }
    }
    // A log with vector clocks identifies no messages.
    if traffic.sent + traffic.received > 0 || computation.trace.carried.is_empty() {
        journal.record(line(format!("messages: {text}")));
    }
    journal.record(Event::report(summary));
}

/// Violations and warnings are reported also without `--check`.
fn warn(computation: &Computation, journal: &Journal) {
    for (property, verdict, why) in computation.verdict() {
        if verdict >= Verdict::Warn {
            journal.record(Event::error(Level::Warn, format!("{property}: {why}")));
        }
    }
}

/// Writes the requested files; returns whether there are any.
fn pictures(
    computation: &Computation,
    args: &TraceArgs,
    journal: &Journal,
) -> Result<bool, Failure> {
    type Write<'a> = &'a dyn Fn(&mut dyn io::Write) -> io::Result<()>;
    let drawn = drawn(computation, args, journal);
    let mermaid = mermaid(computation, args, journal);
    let picture = || svg::Picture {
        computation,
        events: drawn.clone(),
        axis: args.axis.unwrap_or_default(),
        lanes: args.lanes.unwrap_or_default(),
    };
    let outputs: [(&str, &Option<std::path::PathBuf>, Write<'_>); 6] = [
        ("--html", &args.html, &|out| page::write(computation, out)),
        ("--svg", &args.svg, &|out| picture().write(out)),
        ("--shiviz", &args.shiviz, &|out| {
            exports::shiviz::write(computation, out)
        }),
        ("--mermaid", &args.mermaid, &|out| {
            out.write_all(mermaid.as_bytes())
        }),
        ("--perfetto", &args.perfetto, &|out| {
            exports::perfetto::write(computation, out)
        }),
        ("--dot", &args.dot, &|out| {
            exports::dot::write(computation, out)
        }),
    ];
    let mut written = false;
    for (flag, path, write) in outputs {
        let Some(path) = path else {
            continue;
        };
        files::write(flag, path, |out| write(out))?;
        written = true;
        journal.record(Event::new(common::event::Kind::Write).text(visible_path(path)));
    }
    Ok(written)
}

/// The diagram for Mermaid, if it is requested; a warning if Mermaid does not draw it.
fn mermaid(computation: &Computation, args: &TraceArgs, journal: &Journal) -> String {
    if args.mermaid.is_none() {
        return String::new();
    }
    let events = computation.order.sequence.len();
    let range = args.range.map_or(0..events, |range| range.of(events));
    let text = exports::mermaid::text(computation, range.clone());
    let characters = text.encode_utf16().count();
    if characters > exports::mermaid::LIMIT {
        // About as many events as the limit allows, the newest ones.
        let fit = range.len() * exports::mermaid::LIMIT / characters * 9 / 10;
        let warning = format!(
            "--mermaid: {characters} characters, and Mermaid draws at most {} by default: --range {}..{} draws about as many \
             events as fit, or maxTextSize in its configuration allows more",
            exports::mermaid::LIMIT,
            range.end - fit.min(range.len()),
            range.end.saturating_sub(1),
        );
        journal.record(Event::error(Level::Warn, warning));
    }
    text
}

/// The events that an SVG shows, by their positions in causal order.
fn drawn(computation: &Computation, args: &TraceArgs, journal: &Journal) -> std::ops::Range<usize> {
    let events = computation.order.sequence.len();
    let range = args.range.map_or(0..events, |range| range.of(events));
    if args.svg.is_some() && args.axis == Some(Axis::Wall) {
        warn_of_times(computation, range.clone(), journal);
    }
    if args.svg.is_none() || range.len() <= MOST_DRAWN {
        return range;
    }
    let text = format!(
        "--svg draws the newest {MOST_DRAWN} of {} events; --range draws others, --html all",
        range.len()
    );
    journal.record(Event::error(Level::Warn, text));
    range.end - MOST_DRAWN..range.end
}

/// Warns of events without a time, which logs of other tools may have.
fn warn_of_times(computation: &Computation, range: std::ops::Range<usize>, journal: &Journal) {
    let drawn = &computation.order.sequence[range];
    let events = &computation.trace.events;
    let without = drawn.iter().filter(|id| events[**id].time.is_none());
    let without = without.count() as u64;
    if without > 0 {
        let (without, drawn) = (without, plural(drawn.len() as u64, "event"));
        let text = format!(
            "--axis wall: {without} of {drawn} without a wall-clock time: drawn at the left"
        );
        journal.record(Event::error(Level::Warn, text));
    }
}

fn draw(computation: &Computation, show: Option<Show>, args: &TraceArgs, journal: &Journal) {
    let events = computation.order.sequence.len();
    let window = terminal::Window::present();
    let range = match (args.range, show) {
        (Some(range), show) => {
            let range = range.of(events);
            let most = show.map_or(usize::MAX, |show| show.0);
            range.end - range.len().min(most)..range.end
        }
        (None, show) => {
            let most = show.map_or_else(|| window.events(), |show| show.0);
            events - events.min(most)..events
        }
    };
    let before = range.start;
    terminal::draw(computation, range, &window, journal);
    let summary = computation.summary();
    let mut text = summary.text;
    if before > 0 {
        text.push_str("; --show all shows all");
    }
    journal.record(line(text));
}
