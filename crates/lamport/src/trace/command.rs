//! The command `trace`: reads, judges, draws.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use common::{
    event::{Event, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    text::visible_path,
};

use super::{
    Trace,
    asked::Asked,
    computation::Computation,
    exports,
    findings::{Rule, Weight},
    layouts::Layout,
    page, svg, terminal,
};
use crate::{
    config::{Cli, Show},
    reporting::line,
};

/// The most events of a picture that is no page: more would be a black bar, and nothing could open it.
const MOST_DRAWN: usize = 20_000;

/// Does what it is asked to; exit code 1 when the logs are judged and cannot be of one run.
///
/// # Errors
/// When a file cannot be read or written, or none holds an event (exit code 2).
pub fn run(cli: &Cli, asked: &Asked, journal: &Journal) -> Result<Summary, Failure> {
    let layout = Layout::new(asked.regex.as_deref(), asked.delimiter.as_deref())?;
    let computation = Computation::read(&asked.files, &layout)?;
    let trace = &computation.trace;
    if trace.events.is_empty() {
        let found = trace.findings.of(Rule::WellFormed).words();
        let first = found.split("; ").next().unwrap_or_default().to_owned();
        let what = visible_path(&asked.files[0]);
        let why = match first.strip_prefix(&format!("{what}:")) {
            _ if first.is_empty() => "no event in it".to_owned(),
            Some(rest) => rest
                .split_once(": ")
                .map_or(rest, |(_, why)| why)
                .to_owned(),
            None => first,
        };
        return Err(Failure::could_not_run(what, why));
    }
    let summary = computation.summary();
    if asked.check {
        judge(&computation, &summary, journal);
    } else {
        warn(trace, journal);
    }
    let written = files(&computation, asked, journal)?;
    if cli.options.show.is_some() || !asked.check && !written {
        draw(&computation, cli.options.show, asked, journal);
    }
    Ok(match asked.check {
        true => summary,
        false => summary.exit(Exit::Done),
    })
}

/// Tells the verdict.
fn judge(computation: &Computation, summary: &Summary, journal: &Journal) {
    for (rule, word, why) in computation.verdict() {
        let check = Event::new(common::event::Kind::Check).resolved(rule.words(), word);
        journal.record(check.text(why));
    }
    let traffic = &computation.traffic;
    let mut text = format!(
        "{} sent, {} received, each copy counted: {} lost, {} doubled, {} overtaken",
        traffic.sent, traffic.received, traffic.lost, traffic.doubled, traffic.overtaken
    );
    for (count, words) in [
        (traffic.unheard, "to processes whose logs are not here"),
        (traffic.inferred, "inferred"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {words}"));
        }
    }
    // A log of vector clocks names no messages.
    if traffic.sent + traffic.received > 0 || computation.trace.carried.is_empty() {
        journal.record(line(format!("messages: {text}")));
    }
    journal.record(Event::report(summary));
}

/// What is wrong is told also when nobody asked for a verdict.
fn warn(trace: &Trace, journal: &Journal) {
    for rule in Rule::ALL {
        let found = trace.findings.of(rule);
        if found.worst >= Some(Weight::Warn) {
            let text = format!("{rule}: {}", found.words());
            journal.record(Event::error(Level::Warn, text));
        }
    }
}

/// Writes what is asked for; whether anything was.
fn files(computation: &Computation, asked: &Asked, journal: &Journal) -> Result<bool, Failure> {
    type Write<'a> = &'a dyn Fn(&mut dyn io::Write) -> io::Result<()>;
    let drawn = drawn(computation, asked, journal);
    let picture = || svg::Picture {
        computation,
        events: drawn.clone(),
        axis: asked.axis.unwrap_or_default(),
        lanes: asked.lanes.unwrap_or_default(),
    };
    let outputs: [(&str, &Option<std::path::PathBuf>, Write<'_>); 6] = [
        ("--html", &asked.html, &|out| page::write(computation, out)),
        ("--svg", &asked.svg, &|out| picture().write(out)),
        ("--shiviz", &asked.shiviz, &|out| {
            exports::shiviz::write(computation, out)
        }),
        ("--mermaid", &asked.mermaid, &|out| {
            exports::mermaid::write(computation, out)
        }),
        ("--perfetto", &asked.perfetto, &|out| {
            exports::perfetto::write(computation, out)
        }),
        ("--dot", &asked.dot, &|out| {
            exports::dot::write(computation, out)
        }),
    ];
    let mut written = false;
    for (flag, path, write) in outputs {
        let Some(path) = path else {
            continue;
        };
        to_file(path, write).map_err(|error| {
            Failure::could_not_run(format!("{flag} {}", visible_path(path)), why(&error))
        })?;
        written = true;
        journal.record(Event::new(common::event::Kind::Ready).text(visible_path(path)));
    }
    Ok(written)
}

fn to_file(path: &Path, write: &dyn Fn(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    write(&mut file)?;
    file.flush()
}

/// The places in the order of what an SVG shows.
fn drawn(computation: &Computation, asked: &Asked, journal: &Journal) -> std::ops::Range<usize> {
    let events = computation.order.sequence.len();
    let range = asked.range.map_or(0..events, |range| range.of(events));
    if asked.svg.is_none() || range.len() <= MOST_DRAWN {
        return range;
    }
    let text = format!(
        "--svg draws the newest {MOST_DRAWN} of {} events; --range draws others, --html all",
        range.len()
    );
    journal.record(Event::error(Level::Warn, text));
    range.end - MOST_DRAWN..range.end
}

fn draw(computation: &Computation, show: Option<Show>, asked: &Asked, journal: &Journal) {
    let events = computation.order.sequence.len();
    let window = terminal::Window::present();
    let range = match (asked.range, show) {
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
