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
    text::{plural, visible_path},
};

use super::{
    Trace,
    asked::Asked,
    blocks, exports,
    findings::{Rule, Weight},
    layouts,
    matching::{self, Links},
    merge::merge,
    order::{self, Order},
    page, skew, sources, svg, terminal,
    traffic::{self, Traffic},
    vectors,
    verify::{self, LookedAt},
};
use crate::{
    config::{Cli, Show},
    reporting::line,
};

/// The most events of a picture that is no page: more would be a black bar, and nothing could open it.
const MOST_DRAWN: usize = 20_000;

/// A computation that was read, ordered and judged.
#[derive(Debug)]
pub struct Computation {
    /// Its events.
    pub trace: Trace,
    /// What follows from what in another process.
    pub links: Links,
    /// Their order.
    pub order: Order,
    /// What became of the messages.
    pub traffic: Traffic,
    /// What was looked at.
    pub looked_at: LookedAt,
    /// Of how many pairs of events one could have caused the other.
    pub ordered_pairs: u64,
}

impl Computation {
    /// Reads it from these files.
    ///
    /// # Errors
    /// When a file cannot be read (exit code 2).
    pub fn read(files: &[std::path::PathBuf], regex: Option<&str>) -> Result<Self, Failure> {
        let layout = regex.map(|regex| {
            layouts::layout(regex).map_err(|error| Failure::could_not_run("--regex", error))
        });
        let layout = layout.transpose()?;
        let found = sources::find(files)?;
        let blocks = blocks::read(&found, layout.as_ref())?;
        let shown = found.into_iter().map(|source| source.shown).collect();
        Ok(Self::of(merge(shown, blocks)))
    }

    /// Orders and judges the events.
    pub fn of(mut trace: Trace) -> Self {
        let mut matched = matching::by_identity(&mut trace);
        matched.links.extend(vectors::links(&mut trace));
        let links = Links::new(trace.events.len(), matched.links);
        let (order, links) = order::order(&mut trace, links);
        verify::orphans(&mut trace, &matched.orphans);
        let clocks = verify::clocks(&mut trace, &links, &order);
        let vectors = vectors::check(&mut trace, &links, &order);
        let wall = skew::check(&mut trace, &links);
        let mut ordered_pairs = 0;
        order::walk(&trace, &links, &order, |_, vector| {
            ordered_pairs += vector.iter().map(|known| u64::from(*known)).sum::<u64>() - 1;
        });
        let traffic = traffic::count(&trace, &links);
        let looked_at = LookedAt {
            events: trace.events.len() as u64,
            received: traffic.received,
            clocks,
            vectors,
            wall,
        };
        Self {
            trace,
            links,
            order,
            traffic,
            looked_at,
            ordered_pairs,
        }
    }

    /// How much of all pairs of events could have happened the other way round, in percent.
    fn concurrent(&self) -> u64 {
        let events = self.looked_at.events;
        let pairs = events * events.saturating_sub(1) / 2;
        let concurrent = pairs.saturating_sub(self.ordered_pairs);
        (concurrent * 100).checked_div(pairs).unwrap_or(0)
    }

    /// What it comes to.
    pub fn summary(&self) -> Summary {
        let traffic = &self.traffic;
        let (trace, longest) = (&self.trace, self.order.lamport.iter().max());
        let longest = u64::from(longest.copied().unwrap_or(0));
        let wrong = trace.findings.worst() == Some(Weight::Wrong);
        let text = format!(
            "{}, {}; the longest chain of causes has {longest}, and {}% of all pairs are concurrent",
            verify::plural_es(trace.processes.len(), "process"),
            plural(self.looked_at.events, "event"),
            self.concurrent(),
        );
        Summary::done(text)
            .count("processes", trace.processes.len() as u64)
            .count("events", self.looked_at.events)
            .count("sent", traffic.sent)
            .count("received", traffic.received)
            .count("inferred", traffic.inferred)
            .count("lost", traffic.lost)
            .count("doubled", traffic.doubled)
            .count("overtaken", traffic.overtaken)
            .count("unheard", traffic.unheard)
            .count("longest_chain", longest)
            .count("concurrent_percent", self.concurrent())
            .count("broken", broken(trace))
            .exit(if wrong { Exit::No } else { Exit::Done })
    }

    /// Each rule with its verdict: the word, and why.
    pub fn verdict(&self) -> Vec<(Rule, &'static str, String)> {
        let rules = Rule::ALL.into_iter();
        let judged = rules.filter_map(|rule| {
            let found = self.trace.findings.of(rule);
            match found.worst {
                Some(worst) => Some((rule, worst.word(), found.words())),
                None => Some((rule, "ok", self.looked_at.words(&self.trace, rule)?)),
            }
        });
        judged.collect()
    }
}

/// How many rules are broken.
fn broken(trace: &Trace) -> u64 {
    let worst = |rule: &Rule| trace.findings.of(*rule).worst == Some(Weight::Wrong);
    Rule::ALL.iter().filter(|rule| worst(rule)).count() as u64
}

/// Does what it is asked to; exit code 1 when the logs are judged and cannot be of one run.
///
/// # Errors
/// When a file cannot be read or written, or none holds an event (exit code 2).
pub fn run(cli: &Cli, asked: &Asked, journal: &Journal) -> Result<Summary, Failure> {
    let computation = Computation::read(&asked.files, asked.regex.as_deref())?;
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
        "{} sent, {} received: {} lost, {} doubled, {} overtaken",
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
    journal.record(line(format!("messages: {text}")));
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
        text.push_str("; --show all and --range FROM..UNTIL show others");
    }
    journal.record(line(text));
}
