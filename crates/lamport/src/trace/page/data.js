// The trace as typed arrays: decoding the page's data, and computing happened-before.
'use strict';

const CONCURRENT = 0, PAST = 1, ITSELF = 2, FUTURE = 3;
const RELATION_WORDS = ['concurrent', 'past', 'selected', 'future'];

/** Invisible characters, and those that reorder text, are written as escapes. */
function printable(text) {
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (character) => {
    const code = character.codePointAt(0).toString(16);
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** The origin of an event's logical time: it has none; its log carries it; it is computed. */
const CLOCKS = ['', 'Lamport time', 'computed Lamport time'];

function decode(json) {
  const raw = JSON.parse(json);
  const events = raw.events;
  const n = events.thread.length;
  const threads = raw.threads.map(([process, name]) => ({ process, name: printable(name) }));
  const data = {
    n,
    title: printable(raw.title),
    verdict: (raw.verdict || []).map(({ property, value, text }) => ({ property: printable(property), value: printable(value), text: printable(text) })),
    unchecked: (raw.unchecked || []).map(printable),
    processes: raw.processes.map(printable),
    nodes: (raw.nodes || raw.processes).map(printable),
    runs: (raw.runs || raw.processes.map(() => '')).map(printable),
    order: column('order', raw.order || [...raw.processes.keys()], raw.processes.length, raw.processes.length),
    execution: column('executions', raw.executions || raw.processes.map(() => 0), raw.processes.length, raw.processes.length),
    threads,
    kinds: raw.kinds.map(printable),
    computation: Uint8Array.from(raw.computation),
    texts: raw.texts.map(printable),
    thread: column('thread', events.thread, n, threads.length),
    kind: column('kind', events.kind, n, raw.kinds.length),
    entry: events.entry ? Int32Array.from(events.entry) : null,
    what: column('what', events.what, n, raw.texts.length),
    lamport: Float64Array.from(events.lamport),
    clock: column('clock', events.clock, n, CLOCKS.length),
    time: events.time ? summed(events.time) : null,
    fields: Object.entries(raw.fields || {}).map(([name, values]) => (
      { name: printable(name), column: column(name, values, n, raw.texts.length, -1) })),
    from: column('messages.from', raw.messages.from, raw.messages.from.length, n),
    to: column('messages.to', raw.messages.to, raw.messages.from.length, n),
    inferred: Uint8Array.from(raw.messages.inferred),
    beneath: raw.messages.beneath ? Uint8Array.from(raw.messages.beneath) : new Uint8Array(raw.messages.from.length),
    lost: column('lost', raw.lost || [], (raw.lost || []).length, n),
    cuts: (raw.cuts || []).map(([name, last]) => ({ name: printable(name), last: column('cuts', last, raw.processes.length, n, -1) })),
    spans: (raw.spans || []).map(([kind, from, until, text]) => ({ kind, from, until, text })),
    bars: (raw.bars || []).map(([thread, from, until, text]) => ({ thread, from, until, text })),
  };
  requireCausalOrder(data);
  addOrder(data);
  addPrograms(data, (raw.programs || raw.processes).map(printable));
  data.alarms = alarmsOf(data);
  data.epoch = data.time ? least(data.time) : 0;
  return data;
}

/** A column as a typed array, after checking its length and range. */
function column(name, values, length, end, begin = 0) {
  if (values.length !== length) throw new Error(`the column “${name}” has ${values.length} values in place of ${length}`);
  const typed = Int32Array.from(values);
  for (let i = 0; i < length; i++) {
    if (typed[i] < begin || typed[i] >= end) throw new Error(`the column “${name}” has ${values[i]} at ${i}, out of range`);
  }
  return typed;
}

function summed(deltas) {
  const times = Float64Array.from(deltas);
  for (let i = 1; i < times.length; i++) times[i] += times[i - 1];
  return times;
}

function least(values) {
  let found = Infinity;
  for (const value of values) if (value < found) found = value;
  return found;
}

/** The traversals visit the events once, by number: this requires every cause before its effect. */
function requireCausalOrder(data) {
  for (let m = 0; m < data.from.length; m++) {
    if (data.from[m] >= data.to[m]) throw new Error(`message ${m} goes back from event ${data.from[m]} to ${data.to[m]}`);
  }
}

function addOrder(data) {
  const { n, thread, threads } = data;
  data.process = new Int32Array(n);
  for (let e = 0; e < n; e++) data.process[e] = threads[thread[e]].process;
  data.threadsByProcess = data.processes.map(() => []);
  threads.forEach(({ process }, t) => data.threadsByProcess[process].push(t));
  data.before = new Int32Array(n).fill(-1);
  data.after = new Int32Array(n).fill(-1);
  const last = new Int32Array(data.processes.length).fill(-1);
  for (let e = 0; e < n; e++) {
    const previous = last[data.process[e]];
    data.before[e] = previous;
    if (previous >= 0) data.after[previous] = e;
    last[data.process[e]] = e;
  }
  data.sentBy = grouped(data.from, n);
  data.receivedBy = grouped(data.to, n);
}

/** The programs, and that of each process by its number. */
function addPrograms(data, names) {
  const numbers = new Map();
  data.program = Int32Array.from(names, (name) => {
    if (!numbers.has(name)) numbers.set(name, numbers.size);
    return numbers.get(name);
  });
  data.programs = [...numbers.keys()];
  data.programSizes = new Int32Array(data.programs.length);
  for (const program of data.program) data.programSizes[program]++;
}

/** The indices of equal keys side by side: those of key k are items[start[k]] up to items[start[k + 1]]. */
function grouped(keys, count) {
  const start = new Int32Array(count + 1);
  for (const key of keys) start[key + 1]++;
  for (let k = 0; k < count; k++) start[k + 1] += start[k];
  const next = start.slice(0, count);
  const items = new Int32Array(keys.length);
  for (let i = 0; i < keys.length; i++) items[next[keys[i]]++] = i;
  return { start, items };
}

/** Events that are highlighted: errors, and events with the level warn or error. */
function alarmsOf(data) {
  const level = data.fields.find((field) => field.name === 'level');
  const error = data.kinds.indexOf('error');
  const found = [];
  for (let e = 0; e < data.n; e++) {
    const text = level && level.column[e] >= 0 ? data.texts[level.column[e]] : '';
    if (data.kind[e] === error || text === 'warn' || text === 'error') found.push(e);
  }
  return Int32Array.from(found);
}

/** The relation of every event to this one, the number of events in each, and the vector timestamp. */
function relationsOf(data, event) {
  const mark = new Uint8Array(data.n);
  mark[event] = ITSELF;
  const past = markPast(data, event, mark);
  const future = markFuture(data, event, mark);
  const vector = new Int32Array(data.processes.length);
  for (let e = 0; e <= event; e++) {
    if (mark[e] === CONCURRENT) continue;
    // A log with vector clocks contains the entry of each event, and may start late.
    if (data.entry) vector[data.process[e]] = data.entry[e];
    else vector[data.process[e]] += data.computation[data.kind[e]];
  }
  return { mark, past, future, concurrent: data.n - 1 - past - future, vector };
}

function markPast(data, event, mark) {
  const { before, from } = data;
  const { start, items } = data.receivedBy;
  let count = 0;
  for (let e = event; e >= 0; e--) {
    if (mark[e] === CONCURRENT) continue;
    if (e !== event) count++;
    if (before[e] >= 0) mark[before[e]] = PAST;
    for (let i = start[e]; i < start[e + 1]; i++) mark[from[items[i]]] = PAST;
  }
  return count;
}

function markFuture(data, event, mark) {
  const { after, to, n } = data;
  const { start, items } = data.sentBy;
  let count = 0;
  for (let e = event; e < n; e++) {
    if (mark[e] !== FUTURE && e !== event) continue;
    if (e !== event) count++;
    if (after[e] >= 0) mark[after[e]] = FUTURE;
    for (let i = start[e]; i < start[e + 1]; i++) mark[to[items[i]]] = FUTURE;
  }
  return count;
}

/** The events in this relation to an event, by number. */
function eventsRelated(data, event, relation) {
  const { mark } = relationsOf(data, event);
  const found = [];
  for (let e = 0; e < data.n; e++) if (mark[e] === relation) found.push(e);
  return found;
}

function causesByMessage(data, event) {
  const { start, items } = data.receivedBy;
  return Array.from(items.subarray(start[event], start[event + 1]), (message) => data.from[message]);
}

function effectsByMessage(data, event) {
  const { start, items } = data.sentBy;
  return Array.from(items.subarray(start[event], start[event + 1]), (message) => data.to[message]);
}

/** “p2/main”, or “p2” if the process has only one thread. */
function placeOf(data, event) {
  const process = data.process[event];
  const name = data.processes[process];
  return data.threadsByProcess[process].length > 1 ? `${name}/${data.threads[data.thread[event]].name}` : name;
}

/** A time in UTC with microseconds; a Date has only milliseconds. */
function isoOf(microseconds) {
  const milliseconds = Math.floor(microseconds / 1000);
  const rest = String(Math.round(microseconds - milliseconds * 1000)).padStart(3, '0');
  return new Date(milliseconds).toISOString().replace('Z', `${rest}Z`);
}

/** A duration, in a suitable unit. */
function durationOf(microseconds) {
  const size = Math.abs(microseconds);
  if (size >= 1e6) return `${trimmed(microseconds / 1e6, 6)} s`;
  if (size >= 1e3) return `${trimmed(microseconds / 1e3, 3)} ms`;
  return `${trimmed(microseconds, 0)} µs`;
}

function trimmed(number, digits) {
  return String(Number(number.toFixed(digits)));
}

/** All fields of an event, as pairs of name and text. */
function factsOf(data, event) {
  const facts = [
    ['process', data.processes[data.process[event]]],
    ['thread', data.threads[data.thread[event]].name],
  ];
  if (CLOCKS[data.clock[event]]) facts.push([CLOCKS[data.clock[event]], String(data.lamport[event])]);
  if (data.time) {
    facts.push(['wall clock', isoOf(data.time[event])], ['since first', durationOf(data.time[event] - data.epoch)]);
  }
  for (const field of data.fields) {
    if (field.column[event] >= 0) facts.push([field.name, data.texts[field.column[event]]]);
  }
  return facts;
}

function counted(count, thing) {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

function shortened(text, length) {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
