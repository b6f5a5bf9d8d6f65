// The page's state and the functions that change it: opening, selecting, the switches, the address, and window.trace.

const app = {
  data: null, layout: null, signs: [], choice: null, isMoving: false,
  selected: -1, relations: null, cut: null, hovered: -1, matches: new Int32Array(0), matchColumns: new Uint8Array(OVERVIEW_COLUMNS),
  other: -1, why: null, isChoosing: false, toExplain: -1,
  drawn: [], motifs: [], motif: -1, motifEvents: new Int32Array(0),
  differences: new Int32Array(0), differs: new Uint8Array(0),
};
let isFrameDue = false;

function requestFrame() {
  if (isFrameDue) return;
  isFrameDue = true;
  requestAnimationFrame(() => {
    isFrameDue = false;
    drawNow();
  });
}

function drawNow() {
  if (beforePrint) return;
  const { clientWidth, clientHeight } = byId('canvas');
  // The diagram also changes its size when the panel opens, or the explanation goes.
  if (Math.abs(Math.max(clientWidth, 100) - view.width) > 1 || Math.abs(Math.max(clientHeight, 100) - view.height) > 1) resized();
  if (!app.isMoving) foldLanes(app.layout);
  const oneOf = drawFrame(byId('canvas').getContext('2d', { alpha: false }), app);
  showStatus(oneOf);
}

function showStatus(oneOf) {
  const { data, layout } = app;
  const all = counted(data.n, 'event');
  const events = layout.visible.length === data.n ? all : `${layout.visible.length} of ${all} pass the filters`;
  const empty = layout.visible.length === 0 ? 'nothing to show: ' : '';
  const arrows = oneOf > 1 ? `; about 1 in ${oneOf} of the messages in view is drawn: zoom in for all` : '';
  const text = data.n ? `${empty}${events}, ${counted(layout.messages.length, 'message')}${foldedWords()}${arrows}` : 'This trace has no events.';
  if (byId('status').textContent !== text) byId('status').textContent = text;
}

const foldedWords = () => (view.foldedLanes > 0 ? `; ${counted(view.foldedLanes, 'lane')} without an event in view` : '');

/** Computes the layout again after a switch or a filter; the view keeps showing the same events, or all if it showed all. */
function changeLayout() {
  const before = app.layout;
  const showedAll = view.scale <= fittingScale(before) * 1.01;
  app.layout = arrange(app.data, app.choice);
  app.hovered = -1;
  view.folds = app.choice.folds;
  view.leastLane = LEAST_LANE;
  fitCanvas();
  if (showedAll) fitRange(app.layout, app.layout.minX, app.layout.maxX);
  else fitRange(app.layout, ...sameRange(before, app.layout));
  if (app.selected >= 0) bringIntoView(app.layout, app.selected);
  findMatches(app);
  showDetails(app);
  showNearby(app);
  showFilterState(app);
  if (app.cut) cutMoved(app);
  requestFrame();
}

/** Gives the canvas the resolution of the screen, and the lanes the height that fits. */
function fitCanvas() {
  const canvas = byId('canvas');
  const box = canvas.getBoundingClientRect();
  view.width = Math.max(box.width, 100);
  view.height = Math.max(box.height, 100);
  const width = Math.round(view.width * devicePixelRatio), height = Math.round(view.height * devicePixelRatio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    pictures.clear();
  }
  fitNames(canvas.getContext('2d', { alpha: false }), app);
  foldLanes(app.layout);
}

function select(event, { still = false } = {}) {
  app.selected = event;
  app.relations = event >= 0 ? relationsOf(app.data, event) : null;
  updateWhy(app);
  if (event >= 0) byId('hint').hidden = true;
  if (event >= 0 && !still) bringIntoView(app.layout, event);
  showDetails(app);
  showCut(app);
  showNearby(app);
  showMatchCount(app);
  byId('live').textContent = event >= 0 ? [sentenceOf(app, event), ...(app.why ? [whyInWords(app)] : [])].join('; ') : 'nothing selected';
  noteAddress();
  requestFrame();
}

let addressTimer = 0, addressTime = -Infinity;

/** Browsers limit how often a page changes its address, so while a key is held the change is delayed. */
function noteAddress() {
  clearTimeout(addressTimer);
  const wait = Math.max(0, addressTime + 200 - performance.now());
  if (wait > 0) {
    addressTimer = setTimeout(noteAddress, wait);
    return;
  }
  addressTime = performance.now();
  const parts = [`axis=${app.choice.axis}`, `lanes=${app.choice.lanes}`];
  if (app.choice.order === 'name') parts.push('order=name');
  if (app.choice.group) parts.push('group=program');
  if (app.choice.compare) parts.push(`compare=${app.choice.compare.join(',')}`);
  if (app.other >= 0) parts.push(`why=${app.other}`);
  if (app.cut) parts.push(`cut=${cutAddress(app.cut)}`);
  if (app.selected >= 0) parts.unshift(`event=${app.selected}`);
  history.replaceState(null, '', `#${parts.join('&')}`);
}

function readAddress() {
  const options = new URLSearchParams(location.hash.slice(1));
  const axis = options.get('axis'), lanes = options.get('lanes');
  const numberOf = (name) => (/^\d+$/.test(options.get(name) || '') ? Number(options.get(name)) : -1);
  const pair = /^\d+,\d+$/.test(options.get('compare') || '') ? options.get('compare').split(',').map(Number) : null;
  const isPair = pair && pair[0] !== pair[1] && pair.every((execution) => app.data.execution.includes(execution));
  return {
    axis: Object.hasOwn(AXIS_NAMES, axis) && (axis !== 'wall' || app.data.time) ? axis : app.choice.axis,
    lanes: lanes === 'process' || lanes === 'thread' ? lanes : app.choice.lanes,
    order: options.get('order') === 'name' ? 'name' : 'messages',
    group: options.get('group') === 'program',
    compare: isPair ? pair : null,
    other: numberOf('why') < app.data.n ? numberOf('why') : -1,
    event: numberOf('event'),
    cut: readCut(app.data, options.get('cut')),
  };
}

function followAddress() {
  const { compare, other, event, cut, ...choice } = readAddress();
  if (Object.keys(choice).some((name) => choice[name] !== app.choice[name])) {
    Object.assign(app.choice, choice);
    showChoice();
    changeLayout();
  }
  if (String(compare) !== String(app.choice.compare)) compareExecutions(app, compare);
  if (String(cut) !== String(app.cut && app.cut.last)) setCut(app, cut);
  app.other = other;
  const isMissing = event >= app.data.n;
  byId('problem').hidden = !isMissing;
  const range = app.data.n ? `they are numbered from 0 to ${app.data.n - 1}` : 'this trace has none';
  if (isMissing) complain(`There is no event ${event}: ${range}.`);
  else if (event !== app.selected || other >= 0) select(event);
}

function showChoice() {
  byId('axis').value = app.choice.axis;
  byId('lanes').value = app.choice.lanes;
  byId('order').value = app.choice.order;
  byId('fold').checked = app.choice.folds;
  byId('group').checked = app.choice.group;
  byId('programs').disabled = !app.choice.group;
  byId('collapse').disabled = app.choice.axis !== 'wall';
}

function complain(text) {
  byId('problem').textContent = text;
  byId('problem').hidden = false;
}

function setUpSwitches() {
  const choose = (change) => {
    change();
    showChoice();
    changeLayout();
    noteAddress();
  };
  byId('axis').onchange = () => choose(() => { app.choice.axis = byId('axis').value; });
  byId('lanes').onchange = () => choose(() => { app.choice.lanes = byId('lanes').value; });
  byId('order').onchange = () => choose(() => { app.choice.order = byId('order').value; });
  byId('fold').onchange = () => choose(() => { app.choice.folds = byId('fold').checked; });
  byId('group').onchange = () => choose(() => { app.choice.group = byId('group').checked; });
  byId('collapse').onchange = () => choose(() => { app.choice.collapse = byId('collapse').checked; });
  byId('zoom-in').onclick = () => zoomStep(app, 1.5);
  byId('zoom-out').onclick = () => zoomStep(app, 1 / 1.5);
  byId('fit').onclick = () => fitAll(app);
  byId('nearby').ontoggle = () => showNearby(app);
  byId('panel-toggle').onclick = () => showPanel(byId('panel').hidden);
  byId('skip').onclick = () => {
    showPanel(true);
    byId('nearby').open = true;
    byId('nearby').querySelector('summary').focus();
  };
  if (!app.data.time) {
    const wall = byId('axis').querySelector('[value=wall]');
    wall.disabled = true;
    wall.textContent = 'wall clock (not logged)';
  }
}

const isNarrow = () => matchMedia('(max-width: 700px)').matches;

function showPanel(isShown) {
  byId('panel').hidden = !isShown;
  byId('panel-toggle').textContent = isShown ? 'Hide panel' : 'Show panel';
  byId('panel-toggle').setAttribute('aria-expanded', String(isShown));
}

/** Only one popup is open at a time; a click elsewhere closes it. */
function setUpPopups() {
  const popups = [...document.querySelectorAll('.pop')];
  document.addEventListener('pointerdown', ({ target }) => {
    for (const popup of popups) if (!popup.contains(target)) popup.open = false;
  });
  for (const popup of popups) {
    popup.ontoggle = () => {
      if (!popup.open) return;
      for (const other of popups) if (other !== popup) other.open = false;
    };
  }
}

function setUpTheme() {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null;
  const show = () => {
    const isDark = chosen === null ? system.matches : chosen;
    document.documentElement.style.colorScheme = chosen === null ? '' : chosen ? 'dark' : 'light';
    byId('theme').textContent = isDark ? 'Light' : 'Dark';
    byId('theme').setAttribute('aria-label', isDark ? 'Use light colours' : 'Use dark colours');
    readColours();
    showLegend(app);
    requestFrame();
  };
  byId('theme').onclick = () => {
    chosen = !(chosen === null ? system.matches : chosen);
    show();
  };
  system.addEventListener('change', show);
  show();
}

function resized() {
  if (beforePrint) return;
  const showedAll = view.scale <= fittingScale(app.layout) * 1.01;
  const showedSelected = isInView(app.layout, app.selected);
  const { leastLane } = view;
  fitCanvas();
  if (showedAll) fitRange(app.layout, app.layout.minX, app.layout.maxX);
  view.leastLane = leastLane;
  keepInside(app.layout);
  if (showedSelected) bringIntoView(app.layout, app.selected);
  requestFrame();
}

/** The interface for other programs. */
function publish() {
  window.trace = {
    count: app.data.n,
    past: (event) => eventsRelated(app.data, event, PAST),
    future: (event) => eventsRelated(app.data, event, FUTURE),
    select: (event) => select(event),
    selected: () => app.selected,
    view: () => ({ left: view.left, scale: view.scale, scrollY: view.scrollY, ...app.choice }),
    labels: () => drawnLabels.map(({ event, text, x, y, width }) => ({ event, text, x, y, width })),
    lanes: () => lanesInView().map((lane) => app.layout.lanes[lane].title),
    folded: () => view.foldedLanes,
    why: () => (app.why ? { chain: app.why.chain, words: whyInWords(app) } : null),
    motifs: () => app.motifs.map(({ events }) => events),
    spans: () => app.layout.spans.map((span) => ({ ...span, name: namesOfSpan(app.data, span)[0], box: boxOfSpan(app, span) })),
    cut: () => (app.cut ? cutAsData(app) : null),
    differences: () => Array.from(app.differences),
    inView: (event) => isInView(app.layout, event),
    frame: () => {
      const begin = performance.now();
      drawNow();
      return performance.now() - begin;
    },
    positionOf: (event) => {
      if (!app.isMoving) foldLanes(app.layout);
      const box = byId('canvas').getBoundingClientRect();
      return { x: box.left + pixelOf(app.layout.x[event]), y: box.top + laneMiddle(app.layout.laneOf[event]) };
    },
    visible: () => app.layout.visible.length,
  };
}

function summaryOf({ processes, n, from }) {
  const lanes = processes.length === 1 ? '1 process' : `${processes.length} processes`;
  const summary = `${lanes}, ${counted(n, 'event')} and ${counted(from.length, 'message')}`;
  return `Space-time diagram of ${summary}. Arrow keys go from event to event.`;
}

function openTrace() {
  const source = byId('trace');
  app.data = decode(source.textContent);
  // The text of a long trace takes as much memory as the rest of the page, and is not needed again.
  source.remove();
  const { data } = app;
  document.title = data.title;
  byId('title').textContent = data.title;
  app.signs = signsOf(data.kinds);
  app.choice = {
    axis: 'order', lanes: 'process', order: 'messages', collapse: true, folds: true, group: false, compare: null,
    folded: new Uint8Array(data.programs.length),
    processes: new Uint8Array(data.processes.length).fill(1), kinds: new Uint8Array(data.kinds.length).fill(1),
  };
  app.differs = new Uint8Array(data.n);
  const { axis, lanes, order, group } = readAddress();
  Object.assign(app.choice, { axis, lanes, order, group });
  app.layout = arrange(data, app.choice);
  byId('canvas').setAttribute('aria-label', summaryOf(data));
  showVerdict(data);
  showChoice();
  setUpTheme();
  setUpSwitches();
  setUpPopups();
  setUpFilters(app);
  setUpSearch(app);
  setUpPointer(app);
  setUpKeys(app);
  setUpMotifs(app);
  setUpCompare(app);
  setUpCut(app);
  setUpPrint(app);
  if (isNarrow()) showPanel(false);
  byId('hint').hidden = data.n === 0;
  fitCanvas();
  fitBeginning(app.layout);
  showDetails(app);
  new ResizeObserver(resized).observe(byId('diagram'));
  publish();
  followAddress();
  addEventListener('hashchange', followAddress);
}

try {
  openTrace();
} catch (error) {
  byId('title').textContent = 'Unreadable trace';
  document.body.classList.add('unreadable');
  complain(`This page cannot show its trace: ${error.message}`);
  console.error(error);
}
