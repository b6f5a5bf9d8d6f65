// The lanes: which there are, in which order, which are folded because they are empty in view, and where each is.

const STRIP_HEIGHT = 20;

/** The processes in the order of their lanes. */
function processOrder(data, choice) {
  const order = choice.order === 'name' ? Array.from(data.processes.keys()) : Array.from(data.order);
  if (choice.compare) return comparedOrder(data, choice, order);
  const shown = order.filter((process) => choice.processes[process]);
  if (!choice.group) return shown;
  const place = new Map();
  for (const process of shown) if (!place.has(data.program[process])) place.set(data.program[process], place.size);
  return shown.sort((a, b) => place.get(data.program[a]) - place.get(data.program[b]));
}

function lanesOf(data, choice) {
  const lanes = [], ofProgram = new Map();
  for (const process of processOrder(data, choice)) {
    const program = data.program[process];
    if (choice.group && choice.folded[program]) {
      if (!ofProgram.has(program)) {
        ofProgram.set(program, lanes.length);
        lanes.push({ process, thread: -1, program, members: [] });
      }
      lanes[ofProgram.get(program)].members.push(process);
    } else if (choice.lanes === 'process') {
      lanes.push({ process, thread: -1, program });
    } else {
      for (const thread of data.threadsByProcess[process]) lanes.push({ process, thread, program });
    }
  }
  for (const lane of lanes) {
    lane.title = lane.members ? `${data.programs[lane.program]} × ${lane.members.length}` : titleOf(data, choice, lane.process);
    lane.name = lane.thread >= 0 ? data.threads[lane.thread].name : lane.title;
  }
  return lanes;
}

/** Of two executions the lanes are named by what their processes have in common, and by A or B. */
function titleOf(data, choice, process) {
  if (!choice.compare) return data.processes[process];
  const side = data.execution[process] === choice.compare[0] ? 'A' : 'B';
  return `${side} · ${data.nodes[process]}`;
}

function placeInLanes(data, choice, layout) {
  const ofThread = new Int32Array(data.threads.length).fill(-1);
  layout.lanes.forEach((lane, index) => {
    if (lane.thread >= 0) ofThread[lane.thread] = index;
    else for (const process of lane.members || [lane.process]) for (const t of data.threadsByProcess[process]) ofThread[t] = index;
  });
  layout.laneOfThread = ofThread;
  layout.laneOf = new Int32Array(data.n).fill(-1);
  const visible = new Int32Array(data.n);
  let count = 0;
  for (let e = 0; e < data.n; e++) {
    const lane = ofThread[data.thread[e]];
    if (lane < 0 || !choice.kinds[data.kind[e]]) continue;
    layout.laneOf[e] = lane;
    visible[count++] = e;
  }
  layout.visible = visible.slice(0, count);
}

/** Gives each lane with something in view its place, and the others one strip; then all the height that fits. */
function foldLanes(layout) {
  const { lanes } = layout;
  const isShown = new Uint8Array(lanes.length).fill(view.folds ? 0 : 1);
  if (view.folds) {
    const from = xAtPixel(view.gutter - 4), until = xAtPixel(view.gutter + plotWidth() + 4);
    for (let lane = 0; lane < lanes.length; lane++) {
      const at = lowerBound(layout.laneX, from, layout.laneStart[lane], layout.laneStart[lane + 1]);
      if (at < layout.laneStart[lane + 1] && layout.laneX[at] <= until) isShown[lane] = 1;
    }
    for (const { thread, from: begin, until: end } of layout.bars) {
      if (layout.laneOf[begin] < 0 || layout.laneOf[end] < 0) continue;
      if (layout.x[begin] <= until && layout.x[end] >= from) isShown[layout.laneOfThread[thread]] = 1;
    }
    for (const { from: begin, until: end } of layout.spans) {
      if (end >= 0 && layout.laneOf[end] < 0) continue;
      if (layout.x[begin] <= until && (end < 0 ? layout.maxX : layout.x[end]) >= from) isShown[layout.laneOf[begin]] = 1;
    }
    // A lane that only one of two executions fills shows their difference.
    lanes.forEach(({ pair }, lane) => { if (pair >= 0 && isShown[lane]) isShown[pair] = 1; });
  }
  view.slotOf = new Int32Array(lanes.length).fill(-1);
  view.shown = [];
  for (let lane = 0; lane < lanes.length; lane++) if (isShown[lane]) view.slotOf[lane] = view.shown.push(lane) - 1;
  view.foldedLanes = lanes.length - view.shown.length;
  sizeLanes();
}

function sizeLanes() {
  const fitting = Math.floor(plotHeight() / Math.max(view.shown.length, 1));
  view.laneHeight = Math.min(Math.max(fitting, view.leastLane), MOST_LANE);
  const overhang = view.shown.length * view.laneHeight - plotHeight();
  view.scrollY = Math.min(Math.max(view.scrollY, 0), Math.max(overhang, 0));
}

/** The middle of a lane; of a folded one that of the strip. */
function laneMiddle(lane) {
  const slot = view.slotOf[lane];
  if (slot < 0) return plotBottom() + STRIP_HEIGHT / 2;
  return AXIS_HEIGHT + (slot + 0.5) * view.laneHeight - view.scrollY;
}

const slotAtPixel = (y) => Math.floor((y - AXIS_HEIGHT + view.scrollY) / view.laneHeight);

/** The lane at this height, or -1. */
function laneAtPixel(y) {
  if (y < AXIS_HEIGHT || y >= plotBottom()) return -1;
  const lane = view.shown[slotAtPixel(y)];
  return lane === undefined ? -1 : lane;
}

/** The lanes in view, from the top. */
function lanesInView() {
  return view.shown.slice(Math.max(slotAtPixel(AXIS_HEIGHT), 0), slotAtPixel(plotBottom() - 1) + 1);
}

const isOnStrip = (y) => view.foldedLanes > 0 && y >= plotBottom() && y < plotBottom() + STRIP_HEIGHT;

function stripText() {
  const lanes = `${counted(view.foldedLanes, 'lane')} without an event in view`;
  return view.isPaper ? lanes : `▸ ${lanes}: click to show ${view.foldedLanes === 1 ? 'it' : 'them'}`;
}

function drawStrip(ctx) {
  if (view.foldedLanes === 0) return;
  const top = plotBottom();
  ctx.fillStyle = colours.raised;
  ctx.fillRect(0, top, view.width, STRIP_HEIGHT);
  ctx.strokeStyle = colours.lane;
  ctx.lineWidth = 1;
  ctx.setLineDash([3, 3]);
  ctx.beginPath();
  ctx.moveTo(0, top + 0.5);
  ctx.lineTo(view.width, top + 0.5);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.font = SMALL_FONT;
  ctx.fillStyle = colours.quiet;
  ctx.fillText(cutToWidth(ctx, stripText(), view.width - 20), 10, top + 14);
}

/** The program whose sign to fold or unfold is at this point of the names, or -1. */
function programAt({ layout, choice }, { x, y }) {
  if (!choice.group || x >= PROGRAM_WIDTH) return -1;
  const lane = laneAtPixel(y);
  return lane < 0 ? -1 : layout.lanes[lane].program;
}

const PROGRAM_WIDTH = 22;

/** A bracket around the lanes of each program, with the sign to fold it or unfold it. */
function drawPrograms(ctx, layout, lanes) {
  ctx.font = FONT;
  lanes.forEach((index, i) => {
    const { program, members } = layout.lanes[index];
    const begins = i === 0 || layout.lanes[lanes[i - 1]].program !== program;
    const y = laneMiddle(index), half = view.laneHeight / 2;
    ctx.fillStyle = colours.lane;
    if (!members) ctx.fillRect(10, begins ? y + 8 : y - half, 1, begins ? half - 8 : view.laneHeight);
    ctx.fillStyle = colours.ink;
    if (begins) ctx.fillText(members ? '▸' : '▾', 6, Math.max(y, AXIS_HEIGHT + 10) + 4);
  });
}
