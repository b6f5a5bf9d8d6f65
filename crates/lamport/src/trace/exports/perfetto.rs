//! Chrome's trace event JSON, which Perfetto opens: a slice for each event, a flow arrow for each message.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::trace::{
    EventId,
    computation::Computation,
    connections::served,
    order::LogicalTime,
    words::{Fields, words_of},
};

/// The least time between two events of a process, in nanoseconds: Perfetto orders events only by time.
const LEAST: i64 = 1;

/// The length of a slice, if the next event is not earlier, in nanoseconds.
const SLICE: i64 = 1000;

/// Writes the trace.
///
/// # Errors
/// Those of the writer.
pub fn write(computation: &Computation, out: &mut dyn Write) -> io::Result<()> {
    let trace = &computation.trace;
    let times = times(computation);
    let mut list = List { out, first: true };
    list.out
        .write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n")?;
    for (number, process) in trace.processes.iter().enumerate() {
        let args = json!({"name": process.name});
        list.put(&json!({"ph": "M", "name": "process_name", "pid": number + 1, "args": args}))?;
    }
    for (number, thread) in trace.threads.iter().enumerate() {
        let args = json!({"name": thread.name});
        let pid = thread.process + 1;
        list.put(
            &json!({"ph": "M", "name": "thread_name", "pid": pid, "tid": number + 1, "args": args}),
        )?;
    }
    let at = |id: EventId| {
        let event = &trace.events[id];
        json!({"pid": event.process + 1, "tid": event.thread + 1, "ts": micros(times[id])})
    };
    for id in 0..trace.events.len() {
        let fields = Fields::of(trace, id);
        let mut args = serde_json::Map::new();
        args.insert("event".into(), computation.order.rank[id].into());
        match computation.order.shown_time(trace, id) {
            Some(LogicalTime::Carried(time)) => args.insert("lamport".into(), time.into()),
            Some(LogicalTime::Computed(time)) => {
                args.insert("computed_lamport".into(), time.into())
            }
            None => None,
        };
        args.insert("line".into(), trace.place_of(id).into());
        args.extend(
            fields
                .iter()
                .map(|(name, value)| (name.to_owned(), value.into())),
        );
        let room = trace
            .after(id)
            .map_or(SLICE, |after| times[after] - times[id]);
        let mut slice = at(id);
        slice["ph"] = "X".into();
        slice["name"] = words_of(trace, id, &fields).into();
        slice["cat"] = trace.events[id].kind.word().into();
        slice["dur"] = micros(room.min(SLICE));
        slice["args"] = args.into();
        list.put(&slice)?;
    }
    for (number, link) in computation.links.all().iter().enumerate() {
        for (phase, id) in [("s", link.from), ("f", link.to)] {
            let mut flow = at(id);
            flow["ph"] = phase.into();
            flow["id"] = (number + 1).into();
            flow["cat"] = "message".into();
            flow["name"] = if link.inferred { "inferred" } else { "message" }.into();
            if phase == "f" {
                flow["bp"] = "e".into();
            }
            list.put(&flow)?;
        }
    }
    for (number, bar) in served(trace).iter().enumerate() {
        for (phase, id) in [("b", bar.from), ("e", bar.until)] {
            let mut span = at(id);
            span["tid"] = (bar.thread + 1).into();
            span["ph"] = phase.into();
            span["id"] = (number + 1).into();
            span["cat"] = "connection".into();
            span["name"] = bar.peer.as_str().into();
            list.put(&span)?;
        }
    }
    list.out.write_all(b"\n]}\n")
}

/// The time of each event, in nanoseconds since the first one; strictly increasing in each process.
fn times(computation: &Computation) -> Vec<i64> {
    let trace = &computation.trace;
    let first = trace.events.iter().filter_map(|event| event.time).min();
    let mut times = vec![0; trace.events.len()];
    for id in 0..times.len() {
        let time = match trace.events[id].time.zip(first) {
            Some((time, first)) => time.saturating_sub(first).saturating_mul(1000),
            None => i64::from(computation.order.chain[id]) * 10 * SLICE,
        };
        let least = trace
            .before(id)
            .map_or(0, |before| i64::saturating_add(times[before], LEAST));
        times[id] = time.max(least);
    }
    times
}

/// A time in microseconds, the format's unit, with nanoseconds as decimals.
fn micros(nanos: i64) -> Value {
    json!(nanos as f64 / 1000.0)
}

struct List<'o> {
    out: &'o mut dyn Write,
    first: bool,
}

impl List<'_> {
    fn put(&mut self, value: &Value) -> io::Result<()> {
        if !std::mem::take(&mut self.first) {
            self.out.write_all(b",\n")?;
        }
        serde_json::to_writer(&mut self.out, value)?;
        Ok(())
    }
}
