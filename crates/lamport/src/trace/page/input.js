// Mouse, touch and keys on the diagram.

const REACH = 11, TOUCH_REACH = 22, CLICK_SLACK = 4;

/** The shown event nearest to this point of the canvas, or -1. */
function eventAt({ layout }, x, y, reach = REACH) {
  const lane = laneAtPixel(y);
  const inPlot = x >= view.gutter - reach && x < view.width - SCROLLBAR_WIDTH;
  if (!inPlot || lane < 0 || Math.abs(y - laneMiddle(lane)) > reach + 5) return -1;
  const { laneX, laneEvents, laneStart } = layout;
  const at = lowerBound(laneX, xAtPixel(x), laneStart[lane], laneStart[lane + 1]);
  const distance = (i) => (
    i >= laneStart[lane] && i < laneStart[lane + 1] ? Math.abs(pixelOf(laneX[i]) - x) : Infinity);
  const nearest = distance(at - 1) < distance(at) ? at - 1 : at;
  return distance(nearest) <= reach ? laneEvents[nearest] : -1;
}

function pointOf(pointer) {
  const box = byId('canvas').getBoundingClientRect();
  return { x: pointer.clientX - box.left, y: pointer.clientY - box.top };
}

/** What a drag from this point moves. */
function dragTargetAt({ layout }, { x, y }) {
  if (y >= view.height - OVERVIEW_HEIGHT) return 'overview';
  if (x >= view.width - SCROLLBAR_WIDTH && scrollThumb()) return 'scrollbar';
  return 'view';
}

function setUpPointer(app) {
  const canvas = byId('canvas');
  const pointers = new Map();
  let drag = null;

  canvas.onpointerdown = (pointer) => {
    if (pointer.button !== 0) return;
    canvas.setPointerCapture(pointer.pointerId);
    const point = pointOf(pointer);
    pointers.set(pointer.pointerId, point);
    drag = { target: dragTargetAt(app, point), start: point, moved: pointers.size > 1 };
    if (drag.target === 'overview') centreOn(app, point.x);
  };
  canvas.onpointermove = (pointer) => {
    const point = pointOf(pointer);
    const last = pointers.get(pointer.pointerId);
    if (!last || !drag) {
      hover(app, point, pointer);
      return;
    }
    if (Math.hypot(point.x - drag.start.x, point.y - drag.start.y) > CLICK_SLACK) drag.moved = true;
    if (pointers.size === 2) pinch(app, pointers, pointer.pointerId, point);
    else if (drag.moved) dragBy(app, drag.target, last, point);
    if (drag.moved) pointers.set(pointer.pointerId, point);
    canvas.classList.toggle('dragging', drag.moved);
    app.isMoving = drag.moved;
    leave(app);
  };
  canvas.onpointerup = (pointer) => {
    const isClick = drag && !drag.moved && drag.target === 'view' && pointers.has(pointer.pointerId);
    pointers.delete(pointer.pointerId);
    if (pointers.size === 0) drag = null;
    canvas.classList.remove('dragging');
    app.isMoving = false;
    requestFrame();
    if (!isClick) return;
    click(app, pointOf(pointer), pointer);
    requestFrame();
  };
  canvas.onpointercancel = (pointer) => {
    pointers.delete(pointer.pointerId);
    if (pointers.size === 0) drag = null;
    app.isMoving = false;
    requestFrame();
  };
  canvas.onpointerleave = () => leave(app);
  canvas.addEventListener('wheel', (wheel) => turnWheel(app, wheel), { passive: false });
}

function click(app, point, { shiftKey, pointerType }) {
  if (isOnStrip(point.y)) {
    app.choice.folds = false;
    showChoice();
    changeLayout();
    return;
  }
  const program = programAt(app, point);
  if (program >= 0) toggleProgram(app, program);
  const near = eventAt(app, point.x, point.y, pointerType === 'touch' ? TOUCH_REACH : REACH);
  // A bar stands for the event with which it begins.
  const event = near >= 0 ? near : spanAt(app, point)?.from ?? -1;
  if (event < 0) return;
  if (app.selected >= 0 && (app.isChoosing || shiftKey)) {
    chooseOther(app, event);
    return;
  }
  select(event, { still: true });
  // On a narrow screen the panel is below the diagram, and takes half of it only when it has something to say.
  if (isNarrow()) showPanel(true);
}

function dragBy(app, target, last, point) {
  if (target === 'overview') centreOn(app, point.x);
  else if (target === 'scrollbar') moveBy(app.layout, 0, (point.y - last.y) * scrollThumb().lanesPerPixel);
  else moveBy(app.layout, last.x - point.x, last.y - point.y);
  requestFrame();
}

/** Two fingers: the content between them stays between them. */
function pinch(app, pointers, moving, point) {
  const other = [...pointers].find(([id]) => id !== moving)[1];
  const last = pointers.get(moving);
  const before = Math.max(Math.abs(last.x - other.x), 20), after = Math.max(Math.abs(point.x - other.x), 20);
  zoomAt(app.layout, (point.x + other.x) / 2, after / before);
  moveBy(app.layout, (last.x - point.x) / 2, (last.y - point.y) / 2);
  requestFrame();
}

function centreOn({ layout }, pixel) {
  const share = (pixel - view.gutter) / plotWidth();
  view.left = layout.minX + share * (layout.maxX - layout.minX) - plotWidth() / 2 / view.scale;
  keepInside(layout);
  requestFrame();
}

/** Wheels report pixels, lines or pages. */
function wheelPixels(delta, mode) {
  return delta * [1, 30, 300][mode];
}

const WHEEL_REST = 200;
let wheelTimer = 0;

function turnWheel(app, wheel) {
  wheel.preventDefault();
  const point = pointOf(wheel);
  const right = wheelPixels(wheel.deltaX, wheel.deltaMode), down = wheelPixels(wheel.deltaY, wheel.deltaMode);
  if (wheel.shiftKey) moveBy(app.layout, right || down, 0);
  else if (point.x < view.gutter || point.x > view.width - SCROLLBAR_WIDTH) moveBy(app.layout, 0, down);
  else if (Math.abs(right) > Math.abs(down)) moveBy(app.layout, right, 0);
  else zoomAt(app.layout, point.x, Math.exp(-Math.max(-240, Math.min(240, down)) * 0.0025));
  leave(app);
  // The lanes stay in their places while the wheel turns.
  app.isMoving = true;
  clearTimeout(wheelTimer);
  wheelTimer = setTimeout(() => {
    app.isMoving = false;
    requestFrame();
  }, WHEEL_REST);
  requestFrame();
}

function hover(app, point, pointer) {
  const event = eventAt(app, point.x, point.y);
  const lane = laneAtPixel(point.y);
  const span = event < 0 ? spanAt(app, point) : null;
  const onName = point.x < view.gutter && lane >= 0;
  if (event >= 0) showTooltip(app, event, pointer.clientX, pointer.clientY);
  else if (span) showSpanTooltip(app, span, pointer.clientX, pointer.clientY);
  else if (onName) showNameTooltip(app, lane, pointer.clientX, pointer.clientY);
  else byId('tooltip').hidden = true;
  byId('canvas').classList.toggle('on-event', event >= 0 || span || isOnStrip(point.y) || programAt(app, point) >= 0);
  if (event === app.hovered) return;
  app.hovered = event;
  requestFrame();
}

function leave(app) {
  byId('tooltip').hidden = true;
  if (app.hovered < 0) return;
  app.hovered = -1;
  requestFrame();
}

/** The shown event `step` positions later in causal order; without a selection the first one in view. */
function neighbourInOrder({ layout, selected }, step) {
  const { visible } = layout;
  if (selected < 0) return firstInView(layout);
  const at = lowerBound(visible, selected, 0, visible.length);
  const isShown = visible[at] === selected;
  return visible[step > 0 && !isShown ? at : at + step];
}

function firstInView({ visible, x }) {
  const found = visible.find((event) => x[event] >= view.left);
  return found === undefined ? visible[0] : found;
}

/** The next or previous event on the lane of the selected one. */
function neighbourOnLane({ data, layout, selected }, step) {
  if (selected < 0) return firstInView(layout);
  const lane = layout.laneOf[selected];
  for (let event = selected + step; event >= 0 && event < data.n; event += step) {
    const isHere = lane < 0 ? data.process[event] === data.process[selected] : layout.laneOf[event] === lane;
    if (isHere && layout.laneOf[event] >= 0) return event;
  }
  return undefined;
}

function followMessage(app, isBack) {
  const { data, layout, selected } = app;
  if (selected < 0) return undefined;
  const ends = isBack ? causesByMessage(data, selected) : effectsByMessage(data, selected);
  return ends.filter((event) => layout.laneOf[event] >= 0).sort((a, b) => a - b)[0];
}

const STEPS = {
  ArrowRight: (app) => neighbourInOrder(app, 1),
  ArrowLeft: (app) => neighbourInOrder(app, -1),
  ArrowDown: (app) => neighbourOnLane(app, 1),
  ArrowUp: (app) => neighbourOnLane(app, -1),
  Home: (app) => app.layout.visible[0],
  End: (app) => app.layout.visible[app.layout.visible.length - 1],
  Enter: (app, isShift) => followMessage(app, isShift),
};
const NO_STEP = {
  ArrowRight: 'this is the last event', ArrowLeft: 'this is the first event',
  ArrowDown: 'this is the last event of the lane', ArrowUp: 'this is the first event of the lane',
  Enter: 'no message to follow here',
};
const MOVES = {
  ArrowRight: () => [plotWidth() / 4, 0],
  ArrowLeft: () => [-plotWidth() / 4, 0],
  ArrowDown: () => [0, view.laneHeight],
  ArrowUp: () => [0, -view.laneHeight],
};
const COMMANDS = {
  '+': (app) => zoomStep(app, 1.5),
  '=': (app) => zoomStep(app, 1.5),
  '-': (app) => zoomStep(app, 1 / 1.5),
  0: (app) => fitAll(app),
  '/': () => byId('search').focus(),
  PageDown: (app) => scrollPage(app, 1),
  PageUp: (app) => scrollPage(app, -1),
  c: (app) => switchCut(app),
  w: (app) => chooseOther(app, app.selected),
  m: (app) => toggleDrawn(app, app.selected),
};

/** Zooms at the selected event if it is in view, otherwise at the middle. */
function zoomStep(app, factor) {
  const { layout, selected } = app;
  const middle = view.gutter + plotWidth() / 2;
  zoomAt(layout, isInView(layout, selected) ? pixelOf(layout.x[selected]) : middle, factor);
  requestFrame();
}

function fitAll({ layout }) {
  fitRange(layout, layout.minX, layout.maxX);
  requestFrame();
}

function scrollPage({ layout }, pages) {
  moveBy(layout, 0, pages * plotHeight() * 0.8);
  requestFrame();
}

function setUpKeys(app) {
  document.addEventListener('keydown', (pressed) => {
    const { key, target } = pressed;
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
    if (key === 'Escape') {
      escapeFrom(app, target);
      return;
    }
    if (target.closest('input, select, textarea')) return;
    const isHandled = handleKey(app, key, pressed.shiftKey, target);
    if (isHandled) pressed.preventDefault();
  });
}

/** Escape closes an open popup before it clears the selection. */
function escapeFrom(app, target) {
  const open = document.querySelector('.pop[open]');
  if (open) {
    open.open = false;
    open.querySelector('summary').focus();
  } else if (target.id === 'search' && target.value !== '') {
    target.value = '';
    findMatches(app);
  } else if (target.closest('#cut-handles')) {
    toggleCut(app);
    byId('canvas').focus();
  } else if (app.isChoosing || app.other >= 0) {
    chooseOther(app, -1);
  } else {
    select(-1);
  }
}

/** Arrows and Enter have a function on buttons and in lists too, so they are not handled there. */
function handleKey(app, key, isShift, target) {
  if (Object.hasOwn(COMMANDS, key) && !(target.closest('#panel, .pop') && key.startsWith('Page'))) {
    COMMANDS[key](app);
    return true;
  }
  if (target !== byId('canvas') && target !== document.body) return false;
  if (isShift && Object.hasOwn(MOVES, key)) {
    moveBy(app.layout, ...MOVES[key]());
    requestFrame();
    return true;
  }
  if (!Object.hasOwn(STEPS, key) || app.layout.visible.length === 0) return false;
  const event = STEPS[key](app, isShift);
  if (event !== undefined) select(event);
  else byId('live').textContent = NO_STEP[key];
  return true;
}
