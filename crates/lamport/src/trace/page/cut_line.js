// The line of a cut with its handles: drawn on the canvas, and moved with the pointer or the keys.

const HANDLE = 7, HANDLE_GAP = 10, ALL_LANES = -1, CUT_PAGE = 10;

/** The places between which the handle of a lane can be: those of the events before and after it. */
function roomOfHandle(app, lane) {
  const { layout } = app;
  const count = eventsBefore(app, lane), at = layout.laneStart[lane] + count;
  return {
    low: count > 0 ? layout.x[layout.inOrder[at - 1]] : -Infinity,
    high: at < layout.laneStart[lane + 1] ? layout.x[layout.inOrder[at]] : Infinity,
  };
}

/** Where each lane would have its handle. A cut that nobody has drawn here is as straight as can be: at the median of the events beside it. */
function placesOfHandles(app) {
  const { layout } = app;
  if (layout.cutAt) return layout.cutAt;
  const ends = layout.lanes.flatMap((_, lane) => Object.values(roomOfHandle(app, lane))).filter(Number.isFinite).sort((a, b) => a - b);
  const half = ends.length >> 1;
  const middle = ends.length ? (ends[half] + ends[Math.max(half - 1, 0)]) / 2 : layout.minX;
  layout.cutAt = new Float64Array(layout.lanes.length).fill(middle);
  return layout.cutAt;
}

/** The pixel of a handle, between the events beside it. */
function pixelOfHandle(app, lane) {
  const wanted = pixelOf(placesOfHandles(app)[lane]);
  const { low, high } = roomOfHandle(app, lane);
  const [from, until] = [pixelOf(low), pixelOf(high)];
  if (!(until > from)) return (from + until) / 2;
  const gap = Math.min(HANDLE_GAP, (until - from) / 2);
  return Math.min(Math.max(wanted, from + gap), until - gap);
}

/** A handle whose lane has its cut outside of the view is at the edge. */
const atEdge = (pixel) => Math.min(Math.max(pixel, view.gutter + HANDLE + 1), view.gutter + plotWidth() - HANDLE - 1);

/** The pixel of the handle of all lanes: on the axis above that of the first lane in view. */
function pixelOfAll(app) {
  const [lane] = lanesInView();
  return lane === undefined ? view.gutter + plotWidth() / 2 : pixelOfHandle(app, lane);
}

/** The points of the line in view, from the top; far outside it is not drawn, because lines of millions of pixels lose precision. */
function pointsOfCut(app) {
  const clip = (x) => Math.min(Math.max(x, view.gutter - 2000), view.width + 2000);
  const first = Math.max(slotAtPixel(AXIS_HEIGHT) - 1, 0), last = slotAtPixel(plotBottom()) + 2;
  const points = view.shown.slice(first, last).map((lane) => [clip(pixelOfHandle(app, lane)), laneMiddle(lane)]);
  const [top, bottom] = points.length > 0 ? [points[0][0], points[points.length - 1][0]] : [pixelOfAll(app), pixelOfAll(app)];
  return [[top, AXIS_HEIGHT], ...points, [bottom, plotBottom() + 1]];
}

/** The part before the cut has a tint. */
function drawBeforeCut(ctx, app) {
  if (!app.cut) return;
  ctx.fillStyle = colours['cut-tint'];
  ctx.beginPath();
  ctx.moveTo(view.gutter, AXIS_HEIGHT);
  for (const [x, y] of pointsOfCut(app)) ctx.lineTo(x, y);
  ctx.lineTo(view.gutter, plotBottom());
  ctx.fill();
}

/** The messages that cross the cut, those that violate it above the others, and the first of these thick. */
function drawCrossing(ctx, app) {
  if (!app.cut) return;
  const { data, layout } = app;
  const isThere = (event) => layout.laneOf[event] >= 0;
  const left = xAtPixel(view.gutter), right = xAtPixel(view.width);
  const isInView = (message) => {
    const [from, to] = [data.from[message], data.to[message]];
    return isThere(from) && isThere(to) && layout.x[from] <= right && layout.x[to] >= left;
  };
  const { violations, inTransit } = app.cut.verdict;
  const groups = [
    [inTransit.filter(isInView).slice(0, MOST_ARROWS), colours.cut, 2],
    [violations.slice(1).filter(isInView).slice(0, MOST_ARROWS), colours.violation, 2],
    [violations.slice(0, 1).filter(isInView), colours.violation, 4],
  ];
  for (const [messages, colour, width] of groups) {
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = width;
    const ends = messages.map((message) => drawLine(ctx, app, message));
    ctx.beginPath();
    for (const { x, y, angle } of ends) paintArrowHead(ctx, x, y, angle, 7 + width);
    ctx.fill();
  }
}

const colourOfCut = ({ cut }) => (cut.verdict.isConsistent ? colours.cut : colours.violation);

/** The line: solid if the cut is consistent, dashed if not. */
function drawCut(ctx, app) {
  if (!app.cut) return;
  const points = pointsOfCut(app);
  const trace = () => {
    ctx.beginPath();
    points.forEach(([x, y], i) => (i === 0 ? ctx.moveTo(x, y) : ctx.lineTo(x, y)));
    ctx.stroke();
  };
  ctx.lineJoin = 'round';
  ctx.strokeStyle = colours.page;
  ctx.lineWidth = 5;
  trace();
  ctx.setLineDash(app.cut.verdict.isConsistent ? [] : [7, 4]);
  ctx.strokeStyle = colourOfCut(app);
  ctx.lineWidth = 2.2;
  trace();
  ctx.setLineDash([]);
  for (const lane of lanesInView()) paintHandle(ctx, app, pixelOfHandle(app, lane), laneMiddle(lane));
}

/** A handle, or at the edge an arrow to where it is. */
function paintHandle(ctx, app, pixel, y) {
  const x = atEdge(pixel);
  ctx.beginPath();
  if (Math.abs(x - pixel) < 1) ctx.arc(x, y, HANDLE - 1, 0, 2 * Math.PI);
  else paintArrowHead(ctx, x + (pixel < x ? -HANDLE : HANDLE), y, pixel < x ? Math.PI : 0, 15);
  ctx.fillStyle = colours.page;
  ctx.fill();
  ctx.strokeStyle = colourOfCut(app);
  ctx.lineWidth = 2.2;
  ctx.stroke();
}

/** Whether a text of the axis would be covered in part. */
const isUnderHandle = (app, pixel) => Boolean(app.cut) && Math.abs(pixel - atEdge(pixelOfAll(app))) < 44;

/** The handle of all lanes, on the axis. */
function drawHandleOfAll(ctx, app) {
  if (!app.cut) return;
  const x = atEdge(pixelOfAll(app)), y = AXIS_HEIGHT - 9;
  ctx.beginPath();
  ctx.roundRect(x - 16, y - 8, 32, 16, 8);
  ctx.fillStyle = colourOfCut(app);
  ctx.fill();
  ctx.font = `bold ${SMALL_FONT}`;
  ctx.fillStyle = colours.page;
  ctx.textAlign = 'center';
  ctx.fillText('cut', x, y + 4);
  ctx.textAlign = 'left';
}

/** The handles as elements, for the keys, for screen readers and for fingers: over what is drawn, one for each lane in view. */
const handles = new Map();

function showHandles(app) {
  const box = byId('cut-handles');
  if (!app.cut || view.isPaper) return;
  byId('cut-lanes').style.cssText = `top:${AXIS_HEIGHT}px;height:${plotHeight()}px`;
  const lanes = [ALL_LANES, ...lanesInView()];
  for (const [lane, element] of handles) {
    // The focus stays with a handle that is scrolled out of view.
    if (lanes.includes(lane) || element === document.activeElement) continue;
    element.remove();
    handles.delete(lane);
  }
  if (!handles.has(app.cut.focus)) app.cut.focus = ALL_LANES;
  for (const lane of lanes) placeHandle(app, box, lane);
}

function placeHandle(app, box, lane) {
  if (!handles.has(lane)) {
    const element = newHandle(app, lane);
    handles.set(lane, element);
    if (lane === ALL_LANES) box.prepend(element);
    else byId('cut-lanes').append(element);
  }
  const element = handles.get(lane);
  const x = atEdge(lane === ALL_LANES ? pixelOfAll(app) : pixelOfHandle(app, lane));
  const y = lane === ALL_LANES ? AXIS_HEIGHT - 9 : laneMiddle(lane) - AXIS_HEIGHT;
  element.style.transform = `translate(${x.toFixed(1)}px,${y.toFixed(1)}px)`;
  element.tabIndex = lane === app.cut.focus ? 0 : -1;
  const count = lane === ALL_LANES ? eventsInCut(app) : eventsBefore(app, lane);
  const most = lane === ALL_LANES ? app.data.n : eventsOn(app, lane);
  const words = wordsOfHandle(app, lane, count);
  const name = lane === ALL_LANES ? 'cut, all lanes' : `cut, ${nameOfLane(app, lane)}`;
  if (element.getAttribute('aria-valuetext') === words && element.getAttribute('aria-label') === name) return;
  for (const [attribute, value] of [['label', name], ['valuemin', 0], ['valuemax', most], ['valuenow', count], ['valuetext', words]]) {
    element.setAttribute(`aria-${attribute}`, value);
  }
}

function nameOfLane({ layout }, lane) {
  const { title, name, thread } = layout.lanes[lane];
  return thread >= 0 ? `${title}/${name}` : title;
}

function eventsInCut({ data, cut }) {
  const { start, items } = eventsOfProcesses(data);
  return cut.last.reduce((sum, last, process) => (
    sum + lowerBound(items, last + 1, start[process], start[process + 1]) - start[process]), 0);
}

/** What a screen reader says of a handle: where it is, and the verdict. */
function wordsOfHandle(app, lane, count) {
  const { data, layout, cut } = app;
  const { isConsistent, inTransit } = cut.verdict;
  const verdict = isConsistent ? `the cut is consistent, ${inTransit.length} in transit` : 'the cut is inconsistent';
  if (lane === ALL_LANES) return `${counted(count, 'event')} before the cut; ${verdict}`;
  const at = layout.laneStart[lane] + count;
  const named = (event) => `event ${event}, ${shortened(data.texts[data.what[event]] || data.kinds[data.kind[event]], 80)}`;
  const after = count > 0 ? `after ${named(layout.inOrder[at - 1])}` : 'before all events';
  return `${after}; ${count} of ${counted(eventsOn(app, lane), 'event')} before the cut; ${verdict}`;
}

function newHandle(app, lane) {
  const element = make('div', '', { className: lane === ALL_LANES ? 'cut-handle all' : 'cut-handle' });
  element.setAttribute('role', 'slider');
  element.setAttribute('aria-orientation', 'horizontal');
  element.onfocus = () => {
    app.cut.focus = lane;
    requestFrame();
  };
  element.onkeydown = (pressed) => {
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || !moveHandle(app, lane, pressed)) return;
    pressed.preventDefault();
    pressed.stopPropagation();
  };
  element.onpointerdown = (pointer) => {
    if (pointer.button !== 0) return;
    element.setPointerCapture(pointer.pointerId);
    element.focus({ preventScroll: true });
    pointer.preventDefault();
  };
  element.onpointermove = (pointer) => {
    if (!element.hasPointerCapture(pointer.pointerId)) return;
    dragHandle(app, lane, xAtPixel(pointOf(pointer).x));
  };
  return element;
}

/** Moves the handle of a lane to this place of the axis, or all of them. */
function dragHandle(app, lane, x) {
  const places = placesOfHandles(app);
  if (lane === ALL_LANES) {
    cutStraight(app, x);
    places.fill(x);
  } else {
    cutLane(app, lane, eventsLeftOf(app, lane, x));
    places[lane] = x;
  }
  cutMoved(app);
}

const HANDLE_STEPS = { ArrowRight: 1, ArrowLeft: -1, PageUp: -CUT_PAGE, PageDown: CUT_PAGE, Home: -Infinity, End: Infinity };

/** Left and right move a handle by one event (with Shift all of them), up and down go to that of another lane. */
function moveHandle(app, lane, { key, shiftKey }) {
  if (key === 'ArrowDown' || key === 'ArrowUp') {
    focusHandle(app, lane, key === 'ArrowDown' ? 1 : -1);
    return true;
  }
  if (!Object.hasOwn(HANDLE_STEPS, key)) return false;
  const step = HANDLE_STEPS[key];
  if (lane === ALL_LANES || shiftKey) stepAll(app, step);
  else stepLane(app, lane, step);
  cutMoved(app);
  return true;
}

function stepLane(app, lane, step) {
  const { layout } = app;
  const all = eventsOn(app, lane);
  const count = Math.min(Math.max(eventsBefore(app, lane) + step, 0), all);
  cutLane(app, lane, count);
  const next = layout.inOrder[layout.laneStart[lane] + (step > 0 ? count - 1 : count)];
  if (all > 0 && next !== undefined) bringIntoView(layout, next);
}

function stepAll(app, step) {
  const { layout, data, cut } = app;
  if (Number.isFinite(step)) {
    let event = -1;
    for (let i = 0; i < Math.abs(step); i++) event = stepCut(app, Math.sign(step));
    if (event >= 0) bringIntoView(layout, event);
  } else {
    cut.last.forEach((_, process) => { cut.last[process] = step > 0 ? lastUpTo(data, process, data.n - 1) : -1; });
  }
  layout.cutAt = null;
}

/** Goes to the handle of the next lane, which comes into view. */
function focusHandle(app, lane, step) {
  const slot = lane === ALL_LANES ? -1 : view.slotOf[lane];
  const next = Math.min(slot + step, view.shown.length - 1);
  const to = next < 0 ? ALL_LANES : view.shown[next];
  if (to !== ALL_LANES) scrollLanes(app.layout, to, to);
  app.cut.focus = to;
  drawNow();
  handles.get(to)?.focus({ preventScroll: true });
}

/** The key shows a cut with the focus on its first handle, or none. */
function switchCut(app) {
  toggleCut(app);
  if (!app.cut) return;
  drawNow();
  handles.get(ALL_LANES).focus({ preventScroll: true });
}

function setUpCut(app) {
  byId('cut').onclick = () => toggleCut(app);
  byId('cut').disabled = app.data.n === 0;
}
