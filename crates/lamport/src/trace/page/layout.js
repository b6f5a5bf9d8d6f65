// The layout: lanes, the three axes with their collapsed idle intervals, and the view's zoom and position.

const AXIS_HEIGHT = 30, OVERVIEW_HEIGHT = 26, SCROLLBAR_WIDTH = 12, EDGE = 30;
const LEAST_LANE = 30, MOST_LANE = 220;
const OVERVIEW_COLUMNS = 200;

/** Computes the positions of everything that passes the filters. Units of x: columns, Lamport time or microseconds. */
function arrange(data, choice) {
  const layout = { axis: choice.axis, lanes: lanesOf(data, choice), gaps: [], minX: 0, maxX: 0 };
  placeInLanes(data, choice, layout);
  layout.x = new Float64Array(data.n);
  if (choice.axis === 'order') layout.visible.forEach((event, rank) => { layout.x[event] = rank; });
  if (choice.axis === 'logical') layout.x.set(data.lamport);
  if (choice.axis === 'wall') placeByTime(data, choice, layout);
  layout.messages = Int32Array.from(data.from.keys()).filter((m) => (
    layout.laneOf[data.from[m]] >= 0 && layout.laneOf[data.to[m]] >= 0));
  layout.lost = data.lost.filter((event) => layout.laneOf[event] >= 0);
  layout.alarms = data.alarms.filter((event) => layout.laneOf[event] >= 0);
  layout.bars = data.bars.filter((bar) => layout.laneOfThread[bar.thread] >= 0);
  sortLanes(layout);
  measure(layout);
  return layout;
}

function lanesOf(data, choice) {
  const lanes = [];
  data.processes.forEach((name, process) => {
    if (!choice.processes[process]) return;
    if (choice.lanes === 'process') {
      lanes.push({ process, thread: -1, name });
      return;
    }
    data.threads.forEach((thread, index) => {
      if (thread.process === process) lanes.push({ process, thread: index, name: thread.name });
    });
  });
  return lanes;
}

function placeInLanes(data, choice, layout) {
  const ofThread = new Int32Array(data.threads.length).fill(-1);
  layout.lanes.forEach((lane, index) => {
    data.threads.forEach((thread, t) => {
      if (lane.thread === t || (lane.thread < 0 && lane.process === thread.process)) ofThread[t] = index;
    });
  });
  layout.laneOfThread = ofThread;
  layout.laneOf = new Int32Array(data.n).fill(-1);
  layout.rank = new Int32Array(data.n).fill(-1);
  const visible = new Int32Array(data.n);
  let count = 0;
  for (let e = 0; e < data.n; e++) {
    const lane = ofThread[data.thread[e]];
    if (lane < 0 || !choice.kinds[data.kind[e]]) continue;
    layout.laneOf[e] = lane;
    layout.rank[e] = count;
    visible[count++] = e;
  }
  layout.visible = visible.slice(0, count);
}

function placeByTime(data, choice, layout) {
  const times = Float64Array.from(layout.visible, (e) => data.time[e] - data.epoch).sort();
  if (choice.collapse) layout.gaps = collapsedGaps(times);
  for (const e of layout.visible) layout.x[e] = xOfTime(layout, data.time[e] - data.epoch);
}

/** The idle intervals to collapse: much longer than the median gap, and at least 2% of the total time. */
function collapsedGaps(times) {
  const total = times.length ? times[times.length - 1] - times[0] : 0;
  const lengths = new Float64Array(Math.max(times.length - 1, 0));
  for (let i = 0; i < lengths.length; i++) lengths[i] = times[i + 1] - times[i];
  const positive = lengths.filter((length) => length > 0).sort();
  const median = positive.length ? positive[positive.length >> 1] : 0;
  const long = Array.from(lengths.keys()).filter((i) => lengths[i] > 5 * median && lengths[i] >= 0.02 * total);
  const busy = total - long.reduce((sum, i) => sum + lengths[i], 0);
  const width = Math.max(5 * median, busy * 0.02);
  let removed = 0;
  return long.filter((i) => lengths[i] > 2 * width).map((i) => {
    const gap = { from: times[i], until: times[i + 1], x: times[i] - removed, width };
    removed += lengths[i] - width;
    return { ...gap, removed };
  });
}

function xOfTime(layout, time) {
  let removed = 0;
  for (const gap of layout.gaps) {
    if (time < gap.until) break;
    removed = gap.removed;
  }
  return time - removed;
}

/** Sorts the events of each lane by x, because clocks may run backwards. */
function sortLanes(layout) {
  const { laneOf, x, visible, lanes } = layout;
  const { start, items } = grouped(visible.map((e) => laneOf[e]), lanes.length);
  layout.laneStart = start;
  layout.laneEvents = items.map((i) => visible[i]);
  for (let lane = 0; lane < lanes.length; lane++) {
    const own = layout.laneEvents.subarray(start[lane], start[lane + 1]);
    if (own.some((e, i) => i > 0 && x[own[i - 1]] > x[e])) own.sort((a, b) => x[a] - x[b] || a - b);
  }
  layout.laneX = Float64Array.from(layout.laneEvents, (e) => x[e]);
}

function measure(layout) {
  const { x, visible } = layout;
  layout.minX = visible.length ? Infinity : 0;
  layout.maxX = visible.length ? -Infinity : 0;
  for (const e of visible) {
    if (x[e] < layout.minX) layout.minX = x[e];
    if (x[e] > layout.maxX) layout.maxX = x[e];
  }
  layout.overview = new Int32Array(OVERVIEW_COLUMNS);
  for (const e of visible) layout.overview[overviewColumn(layout, e)]++;
}

function overviewColumn({ x, minX, maxX }, event) {
  return Math.floor((x[event] - minX) / (maxX - minX || 1) * (OVERVIEW_COLUMNS - 1));
}

/** The first index in [from, until) whose value is not below this one. */
function lowerBound(values, value, from, until) {
  while (from < until) {
    const middle = (from + until) >> 1;
    if (values[middle] < value) from = middle + 1; else until = middle;
  }
  return from;
}

const view = { width: 0, height: 0, gutter: 120, left: 0, scale: 1, scrollY: 0, laneHeight: LEAST_LANE };

const plotWidth = () => Math.max(view.width - view.gutter - SCROLLBAR_WIDTH, 50);
const plotBottom = () => view.height - OVERVIEW_HEIGHT;
const plotHeight = () => Math.max(plotBottom() - AXIS_HEIGHT, 20);
const pixelOf = (x) => view.gutter + (x - view.left) * view.scale;
const xAtPixel = (pixel) => view.left + (pixel - view.gutter) / view.scale;
const laneMiddle = (lane) => AXIS_HEIGHT + (lane + 0.5) * view.laneHeight - view.scrollY;
const laneAtPixel = (y) => Math.floor((y - AXIS_HEIGHT + view.scrollY) / view.laneHeight);

function sizeLanes(layout) {
  const fitting = Math.floor(plotHeight() / Math.max(layout.lanes.length, 1));
  view.laneHeight = Math.min(Math.max(fitting, LEAST_LANE), MOST_LANE);
}

function fittingScale(layout) {
  const span = layout.maxX - layout.minX;
  return span > 0 ? Math.min((plotWidth() - 2 * EDGE) / span, mostScale(layout)) : mostScale(layout) / 2;
}

function mostScale(layout) {
  return layout.axis === 'wall' ? 60 : 200;
}

function keepInside(layout) {
  view.scale = Math.min(Math.max(view.scale, fittingScale(layout)), mostScale(layout));
  const margin = Math.min(plotWidth() / 2, EDGE * 4) / view.scale;
  const most = Math.max(layout.maxX + margin - plotWidth() / view.scale, layout.minX - EDGE / view.scale);
  view.left = Math.min(Math.max(view.left, layout.minX - margin), most);
  const overhang = layout.lanes.length * view.laneHeight - plotHeight();
  view.scrollY = Math.min(Math.max(view.scrollY, 0), Math.max(overhang, 0));
}

function fitRange(layout, from, until) {
  view.scale = until > from ? (plotWidth() - 2 * EDGE) / (until - from) : fittingScale(layout);
  view.left = from - EDGE / view.scale;
  keepInside(layout);
}

/** Shows the beginning, with a scale at which events are distinct. */
function fitBeginning(layout) {
  // Only on the order axis does each event take a column of its own.
  const shared = layout.axis === 'order' ? 1 : Math.max(1, layout.lanes.length / 3);
  const last = Math.min(layout.visible.length, Math.round(plotWidth() / 16 * shared)) - 1;
  let until = layout.minX;
  for (let rank = 0; rank <= last; rank++) until = Math.max(until, layout.x[layout.visible[rank]]);
  fitRange(layout, layout.minX, until);
}

function zoomAt(layout, pixel, factor) {
  const fixed = xAtPixel(pixel);
  view.scale = Math.min(Math.max(view.scale * factor, fittingScale(layout)), mostScale(layout));
  view.left = fixed - (pixel - view.gutter) / view.scale;
  keepInside(layout);
}

function moveBy(layout, right, down) {
  view.left += right / view.scale;
  view.scrollY += down;
  keepInside(layout);
}

function isInView(layout, event) {
  if (event < 0 || layout.laneOf[event] < 0) return false;
  const pixel = pixelOf(layout.x[event]), middle = laneMiddle(layout.laneOf[event]);
  return pixel > view.gutter && pixel < view.gutter + plotWidth() && middle > AXIS_HEIGHT && middle < plotBottom();
}

/** Moves the view by the least distance that shows the event with some margin. */
function bringIntoView(layout, event) {
  const lane = layout.laneOf[event];
  if (lane < 0) return;
  const pixel = pixelOf(layout.x[event]);
  const room = Math.min(80, plotWidth() / 4);
  const right = view.gutter + plotWidth();
  if (pixel < view.gutter - plotWidth() || pixel > right + plotWidth()) {
    view.left = layout.x[event] - plotWidth() / 2 / view.scale;
  } else if (pixel < view.gutter + room) {
    view.left -= (view.gutter + room - pixel) / view.scale;
  } else if (pixel > right - room) {
    view.left += (pixel - right + room) / view.scale;
  }
  const middle = laneMiddle(lane);
  const half = view.laneHeight / 2;
  if (middle - half < AXIS_HEIGHT) view.scrollY -= AXIS_HEIGHT - middle + half;
  if (middle + half > plotBottom()) view.scrollY += middle + half - plotBottom();
  keepInside(layout);
}

/** The range on the new axis of the events that were in view on the old one. */
function sameRange(before, after) {
  const from = view.left, until = xAtPixel(view.gutter + plotWidth());
  let low = Infinity, high = -Infinity;
  for (const e of after.visible) {
    if (before.laneOf[e] < 0 || before.x[e] < from || before.x[e] > until) continue;
    low = Math.min(low, after.x[e]);
    high = Math.max(high, after.x[e]);
  }
  return low <= high ? [low, high] : [after.minX, after.maxX];
}

/** A round step for ticks that are at least this far apart. */
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least);
}

/** The ticks in view: position and text. */
function ticksOf(data, layout) {
  const from = xAtPixel(view.gutter), until = xAtPixel(view.gutter + plotWidth());
  const least = 90 / view.scale;
  if (layout.axis === 'wall') return timeTicks(layout, from, until, least);
  const step = Math.max(roundStep(least), 1);
  const ticks = [];
  for (let x = Math.ceil(Math.max(from, layout.minX) / step) * step; x <= Math.min(until, layout.maxX); x += step) {
    ticks.push({ x, text: String(layout.axis === 'order' ? layout.visible[x] : x) });
  }
  return ticks;
}

/** Each interval between collapsed ones has ticks at round times. */
function timeTicks(layout, from, until, least) {
  const step = Math.max(roundStep(least), 1);
  const ticks = [];
  let removed = 0;
  let begin = layout.minX;
  for (const gap of [...layout.gaps, { x: layout.maxX, width: 0, removed: 0 }]) {
    const low = Math.max(begin, from) + removed, high = Math.min(gap.x, until) + removed;
    for (let time = Math.ceil(low / step) * step; time <= high; time += step) {
      ticks.push({ x: time - removed, text: durationOf(time) });
    }
    removed = gap.removed;
    begin = gap.x + gap.width;
  }
  return ticks;
}
