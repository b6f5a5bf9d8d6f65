// Two executions beside each other, each with its own lanes, from the same start; the events that only one of them has are marked.

const MOST_EDITS = 600, MOST_EXECUTIONS = 200;

/** The executions with a name each: that of the run, or the first of the processes. */
function executionsOf(data) {
  const found = new Map();
  data.execution.forEach((execution, process) => {
    if (!found.has(execution)) found.set(execution, []);
    found.get(execution).push(process);
  });
  const all = [...found].map(([number, processes]) => ({ number, processes, name: data.runs[processes[0]] || data.processes[processes[0]] }));
  const times = new Map();
  for (const { name } of all) times.set(name, (times.get(name) || 0) + 1);
  for (const execution of all) {
    const { name, processes } = execution;
    const first = times.get(name) > 1 ? `${name}, with ${data.processes[processes[0]]}` : name;
    execution.name = `${shortened(first, 60)} (${processes.length === 1 ? '1 process' : `${processes.length} processes`})`;
  }
  return all;
}

/** The lanes of both executions, with the processes that have the same name in the same order. */
function comparedOrder(data, { compare, processes }, order) {
  const of = (execution) => order.filter((process) => data.execution[process] === execution && processes[process]);
  const [a, b] = compare.map(of);
  const place = new Map(a.map((process, i) => [data.nodes[process], i]));
  const placeOfNode = (process) => (place.has(data.nodes[process]) ? place.get(data.nodes[process]) : Infinity);
  return [...a, ...b.sort((one, other) => {
    const [x, y] = [placeOfNode(one), placeOfNode(other)];
    return x === y ? 0 : x - y;
  })];
}

/** Each lane knows the one of the other execution with its name. */
function pairLanes(data, { compare }, layout) {
  const first = new Map();
  layout.lanes.forEach((lane, index) => {
    lane.side = data.execution[lane.process] === compare[0] ? 0 : 1;
    lane.pair = -1;
    const key = `${data.nodes[lane.process]}\n${lane.thread >= 0 ? lane.name : ''}`;
    if (lane.side === 0) {
      if (!first.has(key)) first.set(key, index);
      return;
    }
    if (!first.has(key)) return;
    lane.pair = first.get(key);
    layout.lanes[lane.pair].pair = index;
    first.delete(key);
  });
}

/** What two events have in common: their words, without the ports, durations and files that differ in each run. */
function signatures(data) {
  const known = new Map();
  const words = data.texts.map((text) => text
    .replace(/(\d{1,3}(?:\.\d{1,3}){3}|\]):\d+/g, '$1').replace(/\d+(\.\d+)?\s?(ns|µs|ms|s)\b/g, '#')
    .replace(/--(log|config|ready-file)[ =]\S+/g, '--$1'));
  return Int32Array.from({ length: data.n }, (_, e) => {
    // The role of an event in a log with vector clocks follows from what others have logged.
    const key = words[data.what[e]] || data.kind[e];
    if (!known.has(key)) known.set(key, known.size);
    return known.get(key);
  });
}

/** The events of both executions that the other one does not have, by number. */
function differencesOf(data, [a, b]) {
  const signature = signatures(data);
  const eventsOf = (execution) => {
    const byNode = new Map();
    for (let e = 0; e < data.n; e++) {
      if (data.execution[data.process[e]] !== execution) continue;
      const node = data.nodes[data.process[e]];
      if (!byNode.has(node)) byNode.set(node, []);
      byNode.get(node).push(e);
    }
    return byNode;
  };
  const [ofA, ofB] = [eventsOf(a), eventsOf(b)];
  const marked = [];
  for (const node of new Set([...ofA.keys(), ...ofB.keys()])) {
    marked.push(...unmatched(ofA.get(node) || [], ofB.get(node) || [], signature));
  }
  return Int32Array.from(marked).sort();
}

/** The events that are in no longest common subsequence (Myers 1986); very different sequences are compared as sets. */
function unmatched(a, b, signature) {
  let start = 0, endA = a.length, endB = b.length;
  const same = (i, j) => signature[a[i]] === signature[b[j]];
  while (start < endA && start < endB && same(start, start)) start++;
  while (endA > start && endB > start && same(endA - 1, endB - 1)) { endA--; endB--; }
  const [restA, restB] = [a.slice(start, endA), b.slice(start, endB)];
  const edits = shortestEdits(restA, restB, signature);
  return edits || [...surplus(restA, restB, signature), ...surplus(restB, restA, signature)];
}

function surplus(a, b, signature) {
  const left = new Map();
  for (const event of b) left.set(signature[event], (left.get(signature[event]) || 0) + 1);
  return a.filter((event) => {
    const count = left.get(signature[event]) || 0;
    left.set(signature[event], count - 1);
    return count <= 0;
  });
}

function shortestEdits(a, b, signature) {
  const most = Math.min(a.length + b.length, MOST_EDITS);
  const reached = new Map([[1, 0]]);
  const history = [];
  for (let d = 0; d <= most; d++) {
    history.push(new Map(reached));
    for (let k = -d; k <= d; k += 2) {
      const [left, right] = [reached.has(k - 1) ? reached.get(k - 1) : -1, reached.has(k + 1) ? reached.get(k + 1) : -1];
      let x = k === -d || (k !== d && left < right) ? right : left + 1;
      while (x < a.length && x - k < b.length && signature[a[x]] === signature[b[x - k]]) x++;
      reached.set(k, x);
      if (x >= a.length && x - k >= b.length) return editsBack(a, b, history, d);
    }
  }
  return null;
}

function editsBack(a, b, history, steps) {
  const edits = [];
  let x = a.length, y = b.length;
  for (let d = steps; d > 0; d--) {
    const before = history[d];
    const get = (k) => (before.has(k) ? before.get(k) : -1);
    const k = x - y;
    const isInsertion = k === -d || (k !== d && get(k - 1) < get(k + 1));
    const previous = isInsertion ? k + 1 : k - 1;
    x = get(previous);
    y = x - previous;
    edits.push(isInsertion ? b[y] : a[x]);
  }
  return edits;
}

function setUpCompare(app) {
  const { data } = app;
  const all = executionsOf(data);
  const shown = all.slice(0, MOST_EXECUTIONS);
  byId('compare-none').hidden = all.length > 1;
  byId('compare-choice').hidden = all.length < 2;
  if (all.length < 2) return;
  const options = () => shown.map(({ number, name }) => make('option', name, { value: String(number) }));
  byId('compare-a').replaceChildren(...options());
  byId('compare-b').replaceChildren(...options());
  byId('compare-b').selectedIndex = 1;
  const chosen = () => [Number(byId('compare-a').value), Number(byId('compare-b').value)];
  byId('compare-a').onchange = byId('compare-b').onchange = () => {
    if (app.choice.compare) compareExecutions(app, chosen());
  };
  byId('compare-on').onclick = () => compareExecutions(app, app.choice.compare ? null : chosen());
  byId('difference-next').onclick = () => goToDifference(app, 1);
  byId('difference-previous').onclick = () => goToDifference(app, -1);
  showCompare(app);
}

/** Shows these two executions only; null: all together. */
function compareExecutions(app, pair) {
  const { data, choice } = app;
  if (pair && pair[0] === pair[1]) {
    byId('compare-result').textContent = 'Choose two different executions.';
    return;
  }
  choice.compare = pair;
  app.differences = pair ? differencesOf(data, pair) : new Int32Array(0);
  app.differs = new Uint8Array(data.n);
  for (const event of app.differences) app.differs[event] = 1;
  if (pair && data.time) {
    data.epochs = new Map();
    for (let e = 0; e < data.n; e++) {
      const execution = data.execution[data.process[e]];
      data.epochs.set(execution, Math.min(data.epochs.has(execution) ? data.epochs.get(execution) : Infinity, data.time[e]));
    }
  }
  showCompare(app);
  changeLayout();
  fitBeginning(app.layout);
  noteAddress();
  requestFrame();
}

function showCompare(app) {
  const { data, choice, differences } = app;
  const isOn = Boolean(choice.compare);
  byId('compare-on').textContent = isOn ? 'Show all together' : 'Compare';
  byId('difference-next').disabled = byId('difference-previous').disabled = !isOn || differences.length === 0;
  byId('compare-state').textContent = isOn ? ' (on)' : '';
  if (isOn) [byId('compare-a').value, byId('compare-b').value] = choice.compare.map(String);
  const count = (execution) => differences.filter((event) => data.execution[data.process[event]] === execution).length;
  byId('compare-result').textContent = !isOn ? '' : differences.length === 0
    ? 'Both have the same events on each process.'
    : `${counted(count(choice.compare[0]), 'event')} only in A, ${count(choice.compare[1])} only in B.`;
}

function goToDifference(app, step) {
  const events = app.differences.filter((event) => app.layout.laneOf[event] >= 0);
  const next = neighbourIn(events, app.selected, step);
  if (next >= 0) select(next);
}

/** A dashed diamond around each event that only one of the executions has. */
function drawDifferences(ctx, app) {
  if (!app.choice.compare) return;
  ctx.strokeStyle = colours.alarm;
  ctx.lineWidth = 1.8;
  for (const [x, y] of spreadPoints(app, app.differences, 8)) paintDifference(ctx, x, y);
}

function paintDifference(ctx, x, y) {
  ctx.beginPath();
  [[0, -11], [11, 0], [0, 11], [-11, 0]].forEach(([right, down], i) => (
    i === 0 ? ctx.moveTo(x + right, y + down) : ctx.lineTo(x + right, y + down)));
  ctx.closePath();
  ctx.stroke();
}
