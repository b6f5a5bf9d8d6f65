// The layout: the three axes with their collapsed idle intervals, and the view's zoom and position.

const AXIS_HEIGHT = 30, OVERVIEW_HEIGHT = 26, SCROLLBAR_WIDTH = 12, EDGE = 30;
const LEAST_LANE = 36, MOST_LANE = 220;
const OVERVIEW_COLUMNS = 200;

/** Computes the positions of everything that passes the filters. Units of x: columns, Lamport time or microseconds. */
function arrange(data, choice) {
  const layout = { axis: choice.axis, isCompared: Boolean(choice.compare), lanes: lanesOf(data, choice), gaps: [], minX: 0, maxX: 0, cutAt: null };
  placeInLanes(data, choice, layout);
  if (choice.compare) pairLanes(data, choice, layout);
  layout.x = new Float64Array(data.n);
  if (choice.axis === 'order') placeInOrder(data, choice, layout);
  if (choice.axis === 'logical') layout.x.set(data.lamport);
  if (choice.axis === 'wall') placeByTime(data, choice, layout);
  layout.messages = Int32Array.from(data.from.keys()).filter((m) => (
    layout.laneOf[data.from[m]] >= 0 && layout.laneOf[data.to[m]] >= 0));
  layout.lost = data.lost.filter((event) => layout.laneOf[event] >= 0);
  layout.alarms = data.alarms.filter((event) => layout.laneOf[event] >= 0);
  layout.bars = data.bars.filter((bar) => layout.laneOfThread[bar.thread] >= 0);
  layout.spans = data.spans.filter(({ from }) => layout.laneOf[from] >= 0);
  sortLanes(layout);
  measure(layout);
  return layout;
}

/** Each event has its own column; each of two executions begins at the left. */
function placeInOrder(data, choice, layout) {
  const next = new Map();
  for (const event of layout.visible) {
    const execution = choice.compare ? data.execution[data.process[event]] : -1;
    const rank = next.get(execution) || 0;
    layout.x[event] = rank;
    next.set(execution, rank + 1);
  }
}

function placeByTime(data, choice, layout) {
  const epochOf = (e) => (choice.compare ? data.epochs.get(data.execution[data.process[e]]) : data.epoch);
  const times = Float64Array.from(layout.visible, (e) => data.time[e] - epochOf(e)).sort();
  if (choice.collapse) layout.gaps = collapsedGaps(times);
  for (const e of layout.visible) layout.x[e] = xOfTime(layout, data.time[e] - epochOf(e));
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

/** Sorts the events of each lane by x, because clocks may run backwards; `inOrder` has them in causal order. */
function sortLanes(layout) {
  const { laneOf, x, visible, lanes } = layout;
  const { start, items } = grouped(visible.map((e) => laneOf[e]), lanes.length);
  layout.laneStart = start;
  layout.laneEvents = items.map((i) => visible[i]);
  layout.inOrder = layout.laneEvents.slice();
  layout.isUnordered = new Uint8Array(lanes.length);
  for (let lane = 0; lane < lanes.length; lane++) {
    const own = layout.laneEvents.subarray(start[lane], start[lane + 1]);
    if (!own.some((e, i) => i > 0 && x[own[i - 1]] > x[e])) continue;
    layout.isUnordered[lane] = 1;
    own.sort((a, b) => x[a] - x[b] || a - b);
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

const view = {
  width: 0, height: 0, gutter: 120, left: 0, scale: 1, scrollY: 0, laneHeight: LEAST_LANE, leastLane: LEAST_LANE,
  folds: true, shown: [], slotOf: new Int32Array(0), foldedLanes: 0, isPaper: false,
};

const plotWidth = () => Math.max(view.width - view.gutter - SCROLLBAR_WIDTH, 50);
/** Paper has no overview: nobody can go anywhere on it. */
const overviewHeight = () => (view.isPaper ? 0 : OVERVIEW_HEIGHT);
const plotBottom = () => view.height - overviewHeight() - (view.foldedLanes > 0 ? STRIP_HEIGHT : 0);
const plotHeight = () => Math.max(plotBottom() - AXIS_HEIGHT, 20);
const pixelOf = (x) => view.gutter + (x - view.left) * view.scale;
const xAtPixel = (pixel) => view.left + (pixel - view.gutter) / view.scale;

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
  const overhang = view.shown.length * view.laneHeight - plotHeight();
  view.scrollY = Math.min(Math.max(view.scrollY, 0), Math.max(overhang, 0));
}

function fitRange(layout, from, until) {
  view.leastLane = LEAST_LANE;
  view.scale = until > from ? (plotWidth() - 2 * EDGE) / (until - from) : fittingScale(layout);
  view.left = from - EDGE / view.scale;
  keepInside(layout);
}

/** Shows the beginning, with a scale at which events are distinct. */
function fitBeginning(layout) {
  // Only on the order axis does each event take a column of its own.
  const shared = layout.axis === 'order' && !layout.isCompared ? 1 : Math.max(1, layout.lanes.length / 3);
  const last = Math.min(layout.visible.length, Math.round(plotWidth() / 16 * shared)) - 1;
  let until = layout.minX;
  for (let rank = 0; rank <= last; rank++) until = Math.max(until, layout.x[layout.visible[rank]]);
  fitRange(layout, layout.minX, until);
}

function zoomAt(layout, pixel, factor) {
  const fixed = xAtPixel(pixel);
  view.leastLane = LEAST_LANE;
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
  if (event < 0 || layout.laneOf[event] < 0 || view.slotOf[layout.laneOf[event]] < 0) return false;
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
  keepInside(layout);
  foldLanes(layout);
  scrollLanes(layout, lane, lane);
}

/** Scrolls by the least distance that shows these lanes, the first one in any case. */
function scrollLanes(layout, first, last) {
  const half = view.laneHeight / 2;
  const [top, bottom] = [laneMiddle(first), laneMiddle(last)].sort((a, b) => a - b);
  if (bottom + half > plotBottom()) view.scrollY += bottom + half - plotBottom();
  if (top - half < AXIS_HEIGHT) view.scrollY -= AXIS_HEIGHT - top + half;
  keepInside(layout);
}

/** Makes the lanes lower if that is needed to have all of these in view; the next zoom makes them high again. */
function fitLanes(lanes) {
  const slots = lanes.map((lane) => view.slotOf[lane]).filter((slot) => slot >= 0);
  const apart = Math.max(...slots) - Math.min(...slots) + 1;
  if (apart * view.laneHeight <= plotHeight()) return;
  view.leastLane = Math.max(Math.floor(plotHeight() / apart), 4);
  sizeLanes();
}

/** Zooms and scrolls so that all of these events are in view. */
function fitEvents(layout, events) {
  const shown = events.filter((event) => layout.laneOf[event] >= 0);
  if (shown.length === 0) return;
  let low = Infinity, high = -Infinity;
  for (const event of shown) {
    low = Math.min(low, layout.x[event]);
    high = Math.max(high, layout.x[event]);
  }
  const margin = Math.max((high - low) * 0.4, 80 / mostScale(layout));
  fitRange(layout, low - margin, high + margin);
  foldLanes(layout);
  const lanes = [...new Set(shown.map((event) => layout.laneOf[event]))].sort((a, b) => view.slotOf[a] - view.slotOf[b]);
  fitLanes(lanes);
  scrollLanes(layout, lanes[0], lanes[lanes.length - 1]);
}

/** Centres an event with the other end of its message in view: between other lanes if need be, on lower ones. */
function centreWith(layout, event, other) {
  const ends = [event, other].filter((e) => e >= 0 && layout.laneOf[e] >= 0);
  const xs = ends.map((e) => layout.x[e]);
  if (xs.length === 0) return;
  view.leastLane = LEAST_LANE;
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  if ((high - low) * view.scale > plotWidth() / 2 - EDGE) view.scale = (plotWidth() / 2 - EDGE) / (high - low);
  keepInside(layout);
  view.left = layout.x[event] - plotWidth() / 2 / view.scale;
  keepInside(layout);
  foldLanes(layout);
  const lanes = ends.map((e) => layout.laneOf[e]);
  fitLanes(lanes);
  const [top, bottom] = [Math.min(...lanes.map(laneMiddle)), Math.max(...lanes.map(laneMiddle))];
  const half = plotHeight() / 2, middle = laneMiddle(lanes[0]) - AXIS_HEIGHT - half;
  // The event itself is in the middle unless the other end would be outside.
  const most = top - AXIS_HEIGHT - view.laneHeight / 2, least = bottom + view.laneHeight / 2 - plotBottom();
  view.scrollY += Math.max(Math.min(middle, most), least);
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
    ticks.push({ x, text: String(layout.axis === 'order' && !layout.isCompared ? layout.visible[x] : x) });
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
