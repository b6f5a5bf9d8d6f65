//! The interactive page: one HTML file that needs nothing else.
//!
//! The page itself is in `page/`; this module writes the computation as the JSON that it reads. Events are columns of numbers in
//! causal order, and every text is once in a table.

use std::io::{self, Write};

use common::{
    event::{Kind, Level},
    process::property::Property,
    text::visible,
};
use hashbrown::HashMap;
use serde_json::json;

use super::{
    EventId, Trace,
    computation::Computation,
    connections::served,
    cut,
    lane_order::lane_order,
    order::LogicalTime,
    spans,
    words::{Fields, words_of},
};

const SHELL: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// Each script uses the ones before it; the last one starts the page.
const SCRIPTS: [&str; 21] = [
    include_str!("page/data.js"),
    include_str!("page/lanes.js"),
    include_str!("page/layout.js"),
    include_str!("page/shapes.js"),
    include_str!("page/messages.js"),
    include_str!("page/labels.js"),
    include_str!("page/spans.js"),
    include_str!("page/cut.js"),
    include_str!("page/cut_line.js"),
    include_str!("page/draw.js"),
    include_str!("page/frame.js"),
    include_str!("page/why.js"),
    include_str!("page/motifs.js"),
    include_str!("page/compare.js"),
    include_str!("page/panel.js"),
    include_str!("page/tooltip.js"),
    include_str!("page/legend.js"),
    include_str!("page/filters.js"),
    include_str!("page/input.js"),
    include_str!("page/print.js"),
    include_str!("page/controls.js"),
];

/// The fields with a separate column, beside the clock, which is the Lamport time; a log of another tool can have any number
/// of other fields.
const FIELDS: [&str; 12] = [
    "message",
    "peer",
    "bytes",
    "mode",
    "anomaly",
    "message_type",
    "meaning",
    "timestamp",
    "name",
    "value",
    "algorithm",
    "counts",
];

/// Writes the page.
///
/// # Errors
/// Those of the writer.
pub fn write(computation: &Computation, out: &mut dyn Write) -> io::Result<()> {
    let mut rest = SHELL;
    for (marker, part) in [
        ("/*STYLE*/", Part::Text(vec![STYLE])),
        ("__TRACE__", Part::Data),
        ("/*SCRIPT*/", Part::Text(SCRIPTS.to_vec())),
    ] {
        let (before, after) = rest.split_once(marker).expect("the page has the marker");
        out.write_all(before.as_bytes())?;
        match part {
            Part::Text(texts) => {
                for text in texts {
                    out.write_all(text.as_bytes())?;
                }
            }
            Part::Data => data(computation, out)?,
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

enum Part {
    Text(Vec<&'static str>),
    Data,
}

/// Texts by number.
#[derive(Default)]
struct Texts {
    numbers: HashMap<String, usize>,
    texts: Vec<String>,
}

impl Texts {
    fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.numbers.insert(text.to_owned(), self.texts.len());
        self.texts.push(text.to_owned());
        self.texts.len() - 1
    }
}

fn data(computation: &Computation, out: &mut dyn Write) -> io::Result<()> {
    let (trace, order) = (&computation.trace, &computation.order);
    let sequence = &order.sequence;
    let rank = |id: EventId| order.rank[id];
    let mut texts = Texts::default();
    let mut columns: Vec<(String, Vec<i64>)> = Vec::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut what = Vec::with_capacity(sequence.len());
    let mut put = |texts: &mut Texts, row: usize, name: &str, value: &str| {
        let column = *by_name.entry(name.to_owned()).or_insert_with(|| {
            columns.push((name.to_owned(), Vec::new()));
            columns.len() - 1
        });
        let column = &mut columns[column].1;
        column.resize(row, -1);
        column.push(texts.number(value) as i64);
    };
    for (row, id) in sequence.iter().enumerate() {
        let fields = Fields::of(trace, *id);
        what.push(texts.number(&words_of(trace, *id, &fields)));
        let is_carried = matches!(order.shown_time(trace, *id), Some(LogicalTime::Carried(_)));
        let mut others = Vec::new();
        for (name, value) in fields.iter() {
            // The words of the event contain its text, and its clock is the Lamport time.
            if name == "text" || (name == "clock" && is_carried) {
                continue;
            }
            if FIELDS.contains(&name) {
                put(&mut texts, row, name, value);
            } else {
                others.push(format!("{name}: {value}"));
            }
        }
        if !others.is_empty() {
            put(&mut texts, row, "other fields", &others.join(", "));
        }
        let level = trace.events[*id].level;
        if level != Level::Info {
            put(&mut texts, row, "level", level.word());
        }
        put(&mut texts, row, "line", &trace.place_of(*id));
    }
    for (_, column) in &mut columns {
        column.resize(sequence.len(), -1);
    }
    let reported = computation.verdict();
    let verdict: Vec<_> = reported
        .iter()
        .map(|(property, verdict, text)| json!({"property": property.name(), "value": verdict, "text": text}))
        .collect();
    let is_unchecked =
        |property: &Property| reported.iter().all(|(checked, _, _)| checked != property);
    let unchecked = Property::OF_LOGS.into_iter().filter(is_unchecked);
    let unchecked: Vec<_> = unchecked.map(Property::name).collect();
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    let processes: Vec<&str> = trace.processes.iter().map(|it| it.name.as_str()).collect();
    // A log's own text, which may hold letters that a terminal or a browser obeys.
    let shown = |text: &String| visible(text.as_bytes());
    let nodes: Vec<_> = trace.processes.iter().map(|it| shown(&it.node)).collect();
    let runs: Vec<_> = trace.processes.iter().map(|it| shown(&it.run)).collect();
    let programs: Vec<_> = programs(trace).iter().map(shown).collect();
    let threads: Vec<_> = trace
        .threads
        .iter()
        .map(|it| json!([it.process, it.name]))
        .collect();
    let bars: Vec<_> = served(trace)
        .into_iter()
        .map(|bar| {
            let peer = texts.number(&bar.peer);
            json!([bar.thread, rank(bar.from), rank(bar.until), peer])
        })
        .collect();
    let sections = spans::sections(trace, sequence).into_iter();
    let sections = sections.map(|(from, until)| ("section", from, until, ""));
    let terms = spans::terms(trace, sequence);
    let terms = terms
        .iter()
        .map(|term| ("term", term.from, term.until, term.number.as_str()));
    let spans: Vec<_> = sections
        .chain(terms)
        .map(|(kind, from, until, text)| {
            let until = until.map_or(-1, |until| i64::from(rank(until)));
            json!([kind, rank(from), until, texts.number(text)])
        })
        .collect();
    let cuts = cut::recorded(computation);
    let cuts: Vec<_> = cuts
        .iter()
        .map(|recorded| {
            let frontier = &recorded.cut.frontier;
            let last = (0..trace.processes.len() as u32).map(|process| {
                let last = frontier.get(&process).copied().flatten();
                last.map_or(-1, |last| i64::from(rank(last)))
            });
            json!([recorded.snapshot, last.collect::<Vec<_>>()])
        })
        .collect();
    let lost: Vec<u32> = computation
        .traffic
        .lost_sends
        .iter()
        .map(|id| rank(*id))
        .collect();
    // The columns of a million events are written directly, without a tree of values.
    let mut json = Json { out, first: true };
    json.begin()?;
    json.entry("title", &computation.summary().text)?;
    json.entry("verdict", &verdict)?;
    json.entry("unchecked", &unchecked)?;
    json.entry("processes", &processes)?;
    json.entry("nodes", &nodes)?;
    json.entry("runs", &runs)?;
    json.entry("programs", &programs)?;
    json.entry("executions", &computation.executions)?;
    json.entry("order", &lane_order(trace, &computation.links))?;
    json.entry("threads", &threads)?;
    json.entry("kinds", &kinds)?;
    let computation_kinds = Kind::ALL.map(|kind| u8::from(kind.is_computation()));
    json.entry("computation", &computation_kinds)?;
    json.object("events")?;
    let events = || sequence.iter().map(|id| &trace.events[*id]);
    json.column("thread", events().map(|event| i64::from(event.thread)))?;
    json.column(
        "kind",
        sequence.iter().map(|id| computation.role(*id) as i64),
    )?;
    let timed = events().all(|event| event.time.is_some());
    if timed {
        let mut last = 0;
        json.column(
            "time",
            events().map(|event| {
                let time = event.time.unwrap_or(0);
                let since = time - last;
                last = time;
                since
            }),
        )?;
    } else {
        json.entry("time", &serde_json::Value::Null)?;
    }
    json.column(
        "lamport",
        sequence
            .iter()
            .map(|id| order.time[*id].try_into().unwrap_or(i64::MAX)),
    )?;
    json.column(
        "clock",
        sequence
            .iter()
            .map(|id| match order.shown_time(trace, *id) {
                None => 0,
                Some(LogicalTime::Carried(_)) => 1,
                Some(LogicalTime::Computed(_)) => 2,
            }),
    )?;
    if trace.processes.iter().any(|process| process.vectors) {
        json.column(
            "entry",
            sequence.iter().map(|id| trace.own_entry(*id).into()),
        )?;
    }
    json.column("what", what.iter().map(|text| *text as i64))?;
    json.end()?;
    json.object("fields")?;
    for (name, column) in &columns {
        json.column(name, column.iter().copied())?;
    }
    json.end()?;
    json.object("messages")?;
    let links = computation.links.all();
    json.column("from", links.iter().map(|link| rank(link.from).into()))?;
    json.column("to", links.iter().map(|link| rank(link.to).into()))?;
    json.column("inferred", links.iter().map(|link| link.inferred.into()))?;
    let beneath = cut::Beneath::of(computation);
    if beneath.are_there() {
        json.column("beneath", links.iter().map(|link| beneath.has(link).into()))?;
    }
    json.end()?;
    json.entry("lost", &lost)?;
    json.entry("bars", &bars)?;
    json.entry("spans", &spans)?;
    json.entry("cuts", &cuts)?;
    json.entry("texts", &texts.texts)?;
    json.end()
}

/// The program of each process: its start says it, and otherwise its name without its number.
fn programs(trace: &Trace) -> Vec<String> {
    let program = |process: &super::Process| {
        let first = process.events.start;
        let is_start = !process.events.is_empty() && trace.events[first].kind == Kind::Start;
        let start = is_start.then(|| Fields::of(trace, first));
        let command = start.as_ref().and_then(|start| start.get("text"));
        let named = command.and_then(|command| command.split_whitespace().next());
        let numbers = |letter: char| letter.is_ascii_digit() || "-_.: #".contains(letter);
        let stem = process.node.trim_end_matches(numbers);
        let by_name = if stem.is_empty() { &process.node } else { stem };
        named.unwrap_or(by_name).to_owned()
    };
    trace.processes.iter().map(program).collect()
}

/// Writes one object in which no text can end the script element around it.
struct Json<'o> {
    out: &'o mut dyn Write,
    first: bool,
}

impl Json<'_> {
    fn begin(&mut self) -> io::Result<()> {
        self.first = true;
        self.out.write_all(b"{")
    }

    fn end(&mut self) -> io::Result<()> {
        self.first = false;
        self.out.write_all(b"}")
    }

    fn key(&mut self, name: &str) -> io::Result<()> {
        if !std::mem::take(&mut self.first) {
            self.out.write_all(b",\n")?;
        }
        self.value(&name)?;
        self.out.write_all(b":")
    }

    fn value(&mut self, value: &(impl serde::Serialize + ?Sized)) -> io::Result<()> {
        let json = serde_json::to_string(value)?;
        // Only texts contain such characters.
        let safe = json
            .replace('<', "\\u003c")
            .replace('\u{2028}', "\\u2028")
            .replace('\u{2029}', "\\u2029");
        self.out.write_all(safe.as_bytes())
    }

    fn entry(&mut self, name: &str, value: &(impl serde::Serialize + ?Sized)) -> io::Result<()> {
        self.key(name)?;
        self.value(value)
    }

    fn object(&mut self, name: &str) -> io::Result<()> {
        self.key(name)?;
        self.begin()
    }

    fn column(&mut self, name: &str, numbers: impl Iterator<Item = i64>) -> io::Result<()> {
        self.key(name)?;
        self.out.write_all(b"[")?;
        for (index, number) in numbers.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(self.out, "{comma}{number}")?;
        }
        self.out.write_all(b"]")
    }
}
