// A cut: the events of each process that are before it; whether it is consistent, and which messages cross it (Mattern 1989).

const MOST_CROSSING = 20;

/** The events of each process in its order, found when they are asked for. */
function eventsOfProcesses(data) {
  if (!data.ofProcess) data.ofProcess = grouped(data.process, data.processes.length);
  return data.ofProcess;
}

/** The last event of a process up to this number, or -1. */
function lastUpTo(data, process, event) {
  const { start, items } = eventsOfProcesses(data);
  const at = lowerBound(items, event + 1, start[process], start[process + 1]);
  return at > start[process] ? items[at - 1] : -1;
}

/** The processes through which the cut goes: those of the two executions that are compared, or all. */
function processesCut({ data, choice }) {
  return Array.from(data.execution, (execution) => !choice.compare || choice.compare.includes(execution));
}

/**
 * What the cut is, with the last event of each process before it (-1: none). A message that is received before the cut and sent
 * after it makes it inconsistent; one that is sent before the cut and received after it is in transit. Frames beneath the channels
 * of an application are none of its messages.
 */
function judgeCut(data, last, isCut) {
  const { process, from, to, beneath } = data;
  const isBefore = (event) => event <= last[process[event]];
  const violations = [], inTransit = [];
  for (let m = 0; m < from.length; m++) {
    const isSent = isBefore(from[m]);
    if (beneath[m] || isSent === isBefore(to[m]) || !isCut[process[from[m]]] || !isCut[process[to[m]]]) continue;
    (isSent ? inTransit : violations).push(m);
  }
  violations.sort((a, b) => to[a] - to[b] || from[a] - from[b]);
  inTransit.sort((a, b) => from[a] - from[b] || to[a] - to[b]);
  const hasFrames = beneath.some(Boolean);
  const unreceived = data.lost.filter((event) => !hasFrames && isBefore(event) && isCut[process[event]]);
  return { isConsistent: violations.length === 0, violations, inTransit, unreceived };
}

/** How many events of a lane are before the cut; of the lane of a program those up to the last one that is. */
function eventsBefore({ layout, cut }, lane) {
  const { inOrder, laneStart } = layout;
  const last = layout.lanes[lane].members
    ? layout.lanes[lane].members.reduce((most, process) => Math.max(most, cut.last[process]), -1)
    : cut.last[layout.lanes[lane].process];
  return lowerBound(inOrder, last + 1, laneStart[lane], laneStart[lane + 1]) - laneStart[lane];
}

const eventsOn = ({ layout }, lane) => layout.laneStart[lane + 1] - layout.laneStart[lane];

/** Moves the cut so that this many events of the lane are before it; the other events move only if their order requires it. */
function cutLane(app, lane, count) {
  const { data, layout, cut } = app;
  const { inOrder, laneStart, lanes } = layout;
  const present = eventsBefore(app, lane), at = laneStart[lane] + count;
  if (count === present) return;
  const processes = lanes[lane].members || [lanes[lane].process];
  for (const process of processes) {
    if (count > present) cut.last[process] = Math.max(cut.last[process], lastUpTo(data, process, inOrder[at - 1]));
    else cut.last[process] = Math.min(cut.last[process], lastUpTo(data, process, inOrder[at] - 1));
  }
}

/** How many events of a lane are left of this place of the axis. */
function eventsLeftOf({ layout }, lane, x) {
  const { inOrder, laneX, laneStart, isUnordered } = layout;
  const [start, end] = [laneStart[lane], laneStart[lane + 1]];
  if (!isUnordered[lane]) return lowerBound(laneX, x, start, end) - start;
  // The clock of this process ran backwards: what is before an event that is left is before the cut, too.
  let at = end;
  while (at > start && layout.x[inOrder[at - 1]] >= x) at--;
  return at - start;
}

/** The cut that is a straight line at this place of the axis. */
function cutStraight(app, x) {
  const { data, layout, cut } = app;
  const reached = new Int32Array(data.processes.length).fill(-2);
  let most = -1;
  layout.lanes.forEach(({ process, members }, lane) => {
    const count = eventsLeftOf(app, lane, x);
    const event = count > 0 ? layout.inOrder[layout.laneStart[lane] + count - 1] : -1;
    most = Math.max(most, event);
    for (const one of members || [process]) reached[one] = Math.max(reached[one], event);
  });
  // Processes without a lane go along in causal order.
  reached.forEach((event, process) => { cut.last[process] = lastUpTo(data, process, event === -2 ? most : event); });
}

/** The next event in causal order enters the cut, or the last one leaves it: a consistent cut stays one. */
function stepCut(app, step) {
  const { data, layout, cut } = app;
  const { visible } = layout;
  const isBefore = (event) => event <= cut.last[data.process[event]];
  const event = step > 0 ? visible.find((e) => !isBefore(e)) : visible.findLast(isBefore);
  if (event === undefined) return -1;
  cut.last[data.process[event]] = step > 0 ? event : data.before[event];
  return event;
}

/** The smallest consistent cut that contains an event: its past and itself. */
function cutAtPast(data, event) {
  const { mark } = relationsOf(data, event);
  const last = new Int32Array(data.processes.length).fill(-1);
  for (let e = 0; e <= event; e++) if (mark[e] === PAST || mark[e] === ITSELF) last[data.process[e]] = e;
  return last;
}

/** The cut as a part of the address: the last event of each process before it, or nothing. */
const cutAddress = ({ last }) => Array.from(last, (event) => (event < 0 ? '' : event)).join(',');

function readCut(data, text) {
  if (text === null) return null;
  const parts = text.split(',');
  if (parts.length !== data.processes.length) return null;
  const last = parts.map((part) => (part === '' ? -1 : /^\d+$/.test(part) ? Number(part) : NaN));
  const isOne = last.every((event, process) => event === -1 || (event < data.n && data.process[event] === process));
  return isOne ? Int32Array.from(last) : null;
}

/** The process of an event as the sentence about the cut names it: filters may hide it. */
function placeInCut({ data, choice }, event) {
  return `${placeOf(data, event)}${choice.processes[data.process[event]] ? '' : ', hidden by the filters'}`;
}

function cutInWords(app) {
  const { data } = app;
  const { isConsistent, violations, inTransit } = app.cut.verdict;
  const transit = `${inTransit.length === 0 ? 'no message' : counted(inTransit.length, 'message')} in transit`;
  if (isConsistent) return `✓ Consistent cut, ${transit}: all that is received before it was sent before it.`;
  const [from, to] = [data.from[violations[0]], data.to[violations[0]]];
  const more = violations.length > 1 ? `; ${violations.length - 1} more like it` : '';
  const words = shortened(data.texts[data.what[to]] || data.kinds[data.kind[to]], 80);
  return `✗ Inconsistent cut: event ${to} (${placeInCut(app, to)} ${words}) is before it, its send (event ${from} of ${placeInCut(app, from)}) `
    + `after it${more}.`;
}

/** The channel of a message, and its words. */
function messageInCut({ data }, message) {
  const [from, to] = [data.from[message], data.to[message]];
  const words = data.texts[data.what[from]] || data.texts[data.what[to]];
  return `${placeOf(data, from)} → ${placeOf(data, to)}: ${words}`;
}

function crossingList(app, title, messages, id) {
  if (messages.length === 0) return [];
  const { data, layout } = app;
  const list = make('div', '', { id });
  list.append(...messages.slice(0, MOST_CROSSING).map((message) => make('button', shortened(messageInCut(app, message), 120), {
    type: 'button', className: 'link', title: 'Show this message',
    onclick: () => {
      select(data.from[message], { still: true });
      centreWith(layout, data.from[message], data.to[message]);
    },
  })));
  const rest = messages.length > MOST_CROSSING ? [make('p', `and ${messages.length - MOST_CROSSING} more`)] : [];
  return [make('h3', `${title} (${messages.length})`), list, ...rest];
}

/** The part of the panel about the cut, and the line above the diagram. */
function showCut(app) {
  const { cut, selected, data } = app;
  const parts = [byId('cut-words'), byId('cut-details')];
  for (const part of parts) part.hidden = !cut;
  byId('cut').setAttribute('aria-pressed', String(Boolean(cut)));
  if (!cut) return;
  const words = cutInWords(app);
  const { isConsistent, violations, inTransit, unreceived } = cut.verdict;
  byId('cut-words').textContent = words;
  byId('cut-words').title = words;
  byId('cut-words').className = isConsistent ? 'ok' : 'FAIL';
  const preset = (text, id, lastOf) => make('button', text, { type: 'button', id, className: 'link', onclick: () => setCut(app, lastOf()) });
  const presets = data.cuts.slice(0, MOST_CROSSING).map(({ name, last: recorded }, i) => (
    preset(`Cut of snapshot ${name}`, `cut-recorded-${i}`, () => recorded.slice())));
  if (selected >= 0) presets.push(preset(`Cut at the past of event ${selected}`, 'cut-past', () => cutAtPast(data, selected)));
  const never = unreceived.length === 0 ? [] : [
    make('p', `${counted(unreceived.length, 'message')} sent before the cut and never received: lost, or in flight at the end.`)];
  byId('cut-details').replaceChildren(
    make('h2', 'Cut'), make('p', words, { className: isConsistent ? 'ok' : 'FAIL' }),
    ...crossingList(app, 'Received before the cut, sent after it', violations, 'cut-violations'),
    ...crossingList(app, 'In transit: the state of the channels', inTransit, 'cut-transit'),
    ...never, ...(presets.length > 0 ? [make('h3', 'Other cuts'), ...presets] : []),
  );
}

/** The cut for other programs: messages as pairs of a send and a receive. */
function cutAsData({ data, cut }) {
  const { isConsistent, violations, inTransit, unreceived } = cut.verdict;
  const pairs = (messages) => messages.map((message) => [data.from[message], data.to[message]]);
  return {
    last: Array.from(cut.last), consistent: isConsistent, violations: pairs(violations), inTransit: pairs(inTransit),
    unreceived: Array.from(unreceived),
  };
}

/** Judges the cut after a move. */
function cutMoved(app) {
  app.cut.verdict = judgeCut(app.data, app.cut.last, processesCut(app));
  showCut(app);
  noteAddress();
  requestFrame();
}

/** Shows this cut; null: none. */
function setCut(app, last) {
  app.cut = last ? { last, verdict: null, focus: ALL_LANES } : null;
  app.layout.cutAt = null;
  byId('cut-handles').hidden = !last;
  if (last) {
    byId('hint').hidden = true;
    cutMoved(app);
    return;
  }
  showCut(app);
  noteAddress();
  requestFrame();
}

/** Shows a straight cut through the middle of the view, or none. */
function toggleCut(app) {
  if (app.cut || app.data.n === 0) {
    setCut(app, null);
    byId('live').textContent = 'no cut';
    return;
  }
  setCut(app, new Int32Array(app.data.processes.length).fill(-1));
  const middle = xAtPixel(view.gutter + plotWidth() / 2);
  cutStraight(app, middle);
  app.layout.cutAt = new Float64Array(app.layout.lanes.length).fill(middle);
  cutMoved(app);
  byId('live').textContent = cutInWords(app);
}
