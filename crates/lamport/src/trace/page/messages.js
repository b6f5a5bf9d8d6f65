// Drawing the messages: selection of those in view, styles, and arrows.

const MOST_ARROWS = 500;
const SIGN_GAP = 6;
const messagesInView = { list: new Int32Array(0), count: 0 };

/** The styles of lines; open heads distinguish the future without colour. */
const LINE_STYLES = {
  plain: () => ({ colour: colours.message, width: 1 }),
  concurrent: () => ({ colour: colours.faint, width: 1 }),
  past: () => ({ colour: colours.past, width: 1.5 }),
  future: () => ({ colour: colours.future, width: 1.5, openHead: true }),
  causes: () => ({ colour: colours.past, width: 2.6 }),
  effects: () => ({ colour: colours.future, width: 2.6, openHead: true }),
};

/** Draws the messages in view. Returns n if one in n was drawn. */
function drawMessages(ctx, app) {
  collectMessages(app);
  const { list, count } = messagesInView;
  const groups = new Map();
  const sparse = new Int32Array(2);
  for (let i = 0; i < count; i++) sparse[isStressed(app, list[i]) ? 1 : 0]++;
  const shifts = [thinning(sparse[0], app.relations ? MOST_ARROWS / 2 : MOST_ARROWS), thinning(sparse[1], MOST_ARROWS)];
  for (let i = 0; i < count; i++) {
    const message = list[i];
    const style = lineStyleOf(app, message);
    const shift = style === 'causes' || style === 'effects' ? 0 : shifts[isStressed(app, message) ? 1 : 0];
    // The numbers of messages have patterns, for example copies to several receivers: a hash selects evenly.
    if (shift > 0 && Math.imul(message, 0x9e3779b1) >>> (32 - shift) !== 0) continue;
    const key = app.data.inferred[message] ? `${style} dashed` : style;
    if (!groups.has(key)) groups.set(key, { style, dashed: app.data.inferred[message] === 1, messages: [] });
    groups.get(key).messages.push(message);
  }
  for (const style of Object.keys(LINE_STYLES)) {
    for (const group of groups.values()) if (group.style === style) drawGroup(ctx, app, group);
  }
  return 2 ** Math.max(...shifts);
}

/** The power of two by which `count` messages are thinned out; with powers of two, zooming in only adds arrows. */
function thinning(count, most) {
  return Math.max(0, Math.ceil(Math.log2(count / most)));
}

function collectMessages({ data, layout }) {
  const { messages, x, laneOf } = layout;
  if (messagesInView.list.length < messages.length) messagesInView.list = new Int32Array(messages.length);
  const left = xAtPixel(view.gutter - 10), right = xAtPixel(view.width);
  const first = slotAtPixel(AXIS_HEIGHT), last = slotAtPixel(plotBottom());
  // The strip of folded lanes is below all lanes.
  const slots = Int32Array.from(view.slotOf, (slot) => (slot < 0 ? view.shown.length : slot));
  let count = 0;
  for (let i = 0; i < messages.length; i++) {
    const a = data.from[messages[i]], b = data.to[messages[i]];
    if ((x[a] < left && x[b] < left) || (x[a] > right && x[b] > right)) continue;
    const from = slots[laneOf[a]], to = slots[laneOf[b]];
    if ((from < first && to < first) || (from > last && to > last)) continue;
    messagesInView.list[count++] = messages[i];
  }
  messagesInView.count = count;
}

function isStressed({ data, relations }, message) {
  if (!relations) return false;
  const end = relations.mark[data.to[message]], begin = relations.mark[data.from[message]];
  return end === PAST || end === ITSELF || begin === FUTURE || begin === ITSELF;
}

function lineStyleOf({ data, relations }, message) {
  if (!relations) return 'plain';
  const begin = relations.mark[data.from[message]], end = relations.mark[data.to[message]];
  if (end === ITSELF) return 'causes';
  if (begin === ITSELF) return 'effects';
  if (end === PAST) return 'past';
  return begin === FUTURE ? 'future' : 'concurrent';
}

function drawGroup(ctx, app, { style, dashed, messages }) {
  const { colour, width, openHead } = LINE_STYLES[style]();
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dashed ? [5, 4] : []);
  const ends = messages.map((message) => drawLine(ctx, app, message));
  ctx.setLineDash([]);
  ctx.beginPath();
  for (const { x, y, angle } of ends) paintArrowHead(ctx, x, y, angle, 7 + width);
  ctx.fillStyle = openHead ? colours.page : colour;
  ctx.fill();
  ctx.lineWidth = 1.2;
  if (openHead) ctx.stroke();
}

/** Draws the line of a message. Returns the position of its head. */
function drawLine(ctx, { data, layout }, message) {
  const a = data.from[message], b = data.to[message];
  const fromX = pixelOf(layout.x[a]), toX = pixelOf(layout.x[b]);
  const fromY = laneMiddle(layout.laneOf[a]), toY = laneMiddle(layout.laneOf[b]);
  if (fromY === toY) return drawArc(ctx, fromX, toX, fromY);
  const angle = Math.atan2(toY - fromY, toX - fromX);
  const x = toX - SIGN_GAP * Math.cos(angle), y = toY - SIGN_GAP * Math.sin(angle);
  strokeClipped(ctx, fromX, fromY, x, y);
  return { x, y, angle };
}

/** A message on one lane is an arc above it. */
function drawArc(ctx, fromX, toX, y) {
  const height = view.laneHeight * 0.7;
  const middle = (fromX + toX) / 2;
  ctx.beginPath();
  ctx.moveTo(fromX, y);
  ctx.quadraticCurveTo(middle, y - height, toX, y - SIGN_GAP);
  ctx.stroke();
  return { x: toX, y: y - SIGN_GAP, angle: Math.atan2(height - SIGN_GAP, toX - middle) };
}

/** Strokes only the part in the plot: lines of millions of pixels would lose precision, and dashes would be slow. */
function strokeClipped(ctx, x1, y1, x2, y2) {
  const low = view.gutter - 20, high = view.width + 20;
  const yAt = (x) => y1 + (y2 - y1) * (x - x1) / (x2 - x1);
  const clip = (x, y) => (x < low ? [low, yAt(low)] : x > high ? [high, yAt(high)] : [x, y]);
  ctx.beginPath();
  ctx.moveTo(...clip(x1, y1));
  ctx.lineTo(...clip(x2, y2));
  ctx.stroke();
}

/** A lost message: a stub that ends in a cross. */
function drawLost(ctx, { layout }) {
  ctx.strokeStyle = colours.alarm;
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  let drawn = 0;
  for (const event of layout.lost) {
    const x = pixelOf(layout.x[event]), y = laneMiddle(layout.laneOf[event]);
    if (view.slotOf[layout.laneOf[event]] < 0 || x < view.gutter - 30 || x > view.width || y < 0 || y > view.height || drawn >= MOST_ARROWS) continue;
    drawn++;
    const down = view.slotOf[layout.laneOf[event]] + 1 < view.shown.length ? 1 : -1;
    paintStub(ctx, x, y, down, Math.min(view.laneHeight * 0.38, 22));
  }
  ctx.stroke();
}

function paintStub(ctx, x, y, down, length) {
  const endX = x + length * 0.8, endY = y + down * length, arm = 3.5;
  ctx.moveTo(x, y);
  ctx.lineTo(endX, endY);
  ctx.moveTo(endX - arm, endY - arm);
  ctx.lineTo(endX + arm, endY + arm);
  ctx.moveTo(endX - arm, endY + arm);
  ctx.lineTo(endX + arm, endY - arm);
}
