// Drawing a frame: lanes, axis, bars, events (or their density), marks, names, and the overview.

const BUCKET = 12, MOST_IN_BUCKET = 3;
const LABEL_ROOM = 70, LETTER = 6;
const FONT = '12px system-ui, sans-serif', SMALL_FONT = '11px system-ui, sans-serif';

/** Draws everything in view. Returns n if one in n messages was drawn. */
function drawFrame(ctx, app) {
  ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  ctx.fillStyle = colours.page;
  ctx.fillRect(0, 0, view.width, view.height);
  const first = Math.max(laneAtPixel(AXIS_HEIGHT), 0);
  const last = Math.min(laneAtPixel(plotBottom()), app.layout.lanes.length - 1);
  const ticks = app.layout.visible.length ? ticksOf(app.data, app.layout) : [];
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, AXIS_HEIGHT, view.width, plotHeight());
  ctx.clip();
  drawLanes(ctx, first, last);
  drawGrid(ctx, ticks);
  drawGaps(ctx, app.layout);
  drawBars(ctx, app, first, last);
  const oneOf = drawMessages(ctx, app);
  drawLost(ctx, app);
  drawMatches(ctx, app, first, last);
  for (let lane = first; lane <= last; lane++) drawEvents(ctx, app, lane);
  drawAlarms(ctx, app, first, last);
  drawFocus(ctx, app);
  drawNames(ctx, app.layout, first, last);
  ctx.restore();
  drawAxis(ctx, app, ticks);
  drawOverview(ctx, app);
  drawScrollbar(ctx, app.layout);
  return oneOf;
}

function drawLanes(ctx, first, last) {
  for (let lane = first; lane <= last; lane++) {
    const y = laneMiddle(lane);
    if (lane % 2 === 1) {
      ctx.fillStyle = colours.stripe;
      ctx.fillRect(view.gutter, y - view.laneHeight / 2, view.width, view.laneHeight);
    }
    ctx.fillStyle = colours.lane;
    ctx.fillRect(view.gutter, Math.round(y) - 0.5, view.width, 1);
  }
}

function drawGrid(ctx, ticks) {
  ctx.fillStyle = colours.line;
  for (const { x } of ticks) ctx.fillRect(Math.round(pixelOf(x)), AXIS_HEIGHT, 0.5, plotHeight());
}

/** A collapsed idle interval: a band between two dotted lines, with its duration on the axis. */
function drawGaps(ctx, layout) {
  ctx.strokeStyle = colours.quiet;
  ctx.lineWidth = 1;
  ctx.setLineDash([2, 4]);
  for (const gap of layout.gaps) {
    const from = pixelOf(gap.x), until = pixelOf(gap.x + gap.width);
    if (until < view.gutter || from > view.width) continue;
    ctx.fillStyle = colours.raised;
    ctx.fillRect(from, AXIS_HEIGHT, until - from, plotHeight());
    ctx.beginPath();
    for (const x of [from, until]) {
      ctx.moveTo(x, AXIS_HEIGHT);
      ctx.lineTo(x, plotBottom());
    }
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

function drawBars(ctx, { data, layout }, first, last) {
  ctx.font = SMALL_FONT;
  ctx.lineWidth = 1;
  const height = Math.min(view.laneHeight - 4, 44);
  const labelledUntil = new Map();
  for (const bar of layout.bars) {
    const lane = layout.laneOfThread[bar.thread];
    if (lane < first || lane > last) continue;
    // On the order axis an end that is filtered out has no position.
    if (layout.laneOf[bar.from] < 0 || layout.laneOf[bar.until] < 0) continue;
    const x = Math.max(pixelOf(layout.x[bar.from]) - 8, view.gutter - 5);
    const until = Math.min(pixelOf(layout.x[bar.until]) + 8, view.width + 5);
    if (until < view.gutter || x > view.width) continue;
    const y = laneMiddle(lane) - height / 2;
    ctx.fillStyle = colours.bar;
    ctx.strokeStyle = colours['bar-edge'];
    // The bars of a process's threads overlap: they must not hide the events.
    ctx.globalAlpha = layout.lanes[lane].thread < 0 ? 0.35 : 1;
    ctx.fillRect(x, y, until - x, height);
    ctx.strokeRect(x, y, until - x, height);
    ctx.globalAlpha = 1;
    const text = shortened(data.texts[bar.text], Math.floor((until - x - 8) / LETTER));
    if (until - x < 40 || x < (labelledUntil.get(lane) ?? -Infinity)) continue;
    labelledUntil.set(lane, x + 8 + text.length * LETTER);
    ctx.fillStyle = colours.quiet;
    ctx.fillText(text, Math.max(x, view.gutter) + 4, y + 10);
  }
}

/** Draws a lane's events in buckets of a few pixels: as signs, or as a column if there are too many. */
function drawEvents(ctx, app, lane) {
  const { laneStart, laneX, laneEvents } = app.layout;
  const end = laneStart[lane + 1];
  const width = BUCKET / view.scale;
  const right = xAtPixel(view.width + BUCKET);
  const y = laneMiddle(lane);
  const begin = lowerBound(laneX, (Math.floor(view.left / width) - 1) * width, laneStart[lane], end);
  const until = lowerBound(laneX, right, begin, end);
  if ((until - begin) * LABEL_ROOM < plotWidth()) drawLabels(ctx, app, begin, until, lane);
  let i = begin;
  while (i < until) {
    const bucket = Math.floor(laneX[i] / width);
    const next = Math.max(lowerBound(laneX, (bucket + 1) * width, i, until), i + 1);
    if (next - i > MOST_IN_BUCKET) {
      drawColumn(ctx, app, pixelOf(bucket * width), y, next - i, laneEvents[(i + next) >> 1]);
    } else {
      for (let k = i; k < next; k++) drawSign(ctx, app, laneEvents[k], pixelOf(laneX[k]), y);
    }
    i = next;
  }
}

function styleOf(app, event) {
  return app.relations ? RELATION_WORDS[app.relations.mark[event]] : 'plain';
}

function drawSign(ctx, app, event, x, y) {
  const picture = pictureOf(app.signs[app.data.kind[event]], styleOf(app, event));
  const snap = devicePixelRatio;
  ctx.drawImage(picture, Math.round((x - picture.reach) * snap) / snap, Math.round((y - picture.reach) * snap) / snap,
    picture.width / snap, picture.height / snap);
}

/** A column represents many events: the more, the higher; the middle one determines its colour. */
function drawColumn(ctx, app, x, y, count, example) {
  const height = Math.min(view.laneHeight * 0.8, 11 + 2.5 * Math.log2(count));
  const relation = styleOf(app, example);
  if (relation === 'future') {
    ctx.strokeStyle = colours.future;
    ctx.lineWidth = 1.2;
    ctx.strokeRect(x + 1, y - height / 2, BUCKET - 3, height);
    return;
  }
  ctx.fillStyle = { past: colours.past, concurrent: colours.faint, selected: colours.ink, plain: colours.lane }[relation];
  ctx.fillRect(x + 0.5, y - height / 2, BUCKET - 1, height);
}

/** Draws the texts of events where there is room. */
function drawLabels(ctx, { data, layout }, from, until, lane) {
  ctx.font = SMALL_FONT;
  ctx.lineWidth = 3;
  ctx.strokeStyle = colours.page;
  ctx.fillStyle = colours.quiet;
  const y = laneMiddle(lane) + Math.min(view.laneHeight / 2 - 2, 18);
  for (let i = from; i < until; i++) {
    const x = pixelOf(layout.laneX[i]);
    const next = i + 1 < layout.laneStart[lane + 1] ? pixelOf(layout.laneX[i + 1]) : Infinity;
    const room = Math.min(next - x - 8, 280);
    if (room < LABEL_ROOM - 10) continue;
    const text = shortened(data.texts[data.what[layout.laneEvents[i]]], Math.floor(room / LETTER));
    ctx.strokeText(text, x - 5, y);
    ctx.fillText(text, x - 5, y);
  }
}

/** The points of the events in view, at least `apart` pixels from each other. */
function spreadPoints({ layout }, events, first, last, apart) {
  const columns = Math.ceil(plotWidth() / apart) + 1;
  const taken = new Uint8Array(columns * Math.max(last - first + 1, 0));
  const points = [];
  for (let i = 0; i < events.length; i++) {
    const event = events[i];
    const lane = layout.laneOf[event];
    const right = (layout.x[event] - view.left) * view.scale;
    if (lane < first || lane > last || right < 0 || right > plotWidth()) continue;
    const place = (lane - first) * columns + Math.floor(right / apart);
    if (taken[place]) continue;
    taken[place] = 1;
    points.push([view.gutter + right, laneMiddle(lane)]);
  }
  return points;
}

function drawMatches(ctx, app, first, last) {
  ctx.strokeStyle = colours.match;
  ctx.lineWidth = 3;
  for (const [x, y] of spreadPoints(app, app.matches, first, last, 8)) {
    ctx.strokeRect(x - 8.5, y - 8.5, 17, 17);
  }
}

function drawAlarms(ctx, app, first, last) {
  ctx.font = 'bold 13px system-ui, sans-serif';
  ctx.fillStyle = colours.alarm;
  for (const [x, y] of spreadPoints(app, app.layout.alarms, first, last, 8)) ctx.fillText('!', x - 2, y - 9);
}

/** Draws the selected event again, above all others, and a ring around the one under the pointer. */
function drawFocus(ctx, app) {
  const { layout, selected, hovered } = app;
  if (selected >= 0 && layout.laneOf[selected] >= 0) {
    drawSign(ctx, app, selected, pixelOf(layout.x[selected]), laneMiddle(layout.laneOf[selected]));
  }
  if (hovered < 0) return;
  ctx.strokeStyle = colours.focus;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.arc(pixelOf(layout.x[hovered]), laneMiddle(layout.laneOf[hovered]), 9, 0, 2 * Math.PI);
  ctx.stroke();
}

/** Fits the width of the column to the names, within limits, and shortens the names to it. */
function fitNames(ctx, data, layout) {
  ctx.font = FONT;
  const widest = (names, least, most) => names.reduce((width, name) => (
    Math.min(Math.max(width, ctx.measureText(shortened(name, 60)).width + 18), most)), least);
  const byThread = layout.lanes.some((lane) => lane.thread >= 0);
  const processWidth = widest(layout.lanes.map((lane) => data.processes[lane.process]), 95, byThread ? 130 : 200);
  layout.threadsAt = processWidth;
  const threadWidth = byThread ? widest(layout.lanes.map((lane) => lane.name), 50, 120) : 0;
  view.gutter = Math.ceil(processWidth + threadWidth);
  for (const lane of layout.lanes) {
    lane.processLabel = cutToWidth(ctx, data.processes[lane.process], processWidth - 16);
    lane.threadLabel = lane.thread >= 0 ? cutToWidth(ctx, lane.name, threadWidth - 12) : '';
  }
}

function cutToWidth(ctx, text, width) {
  let cut = shortened(text, 60);
  while (cut.length > 2 && ctx.measureText(cut).width > width) cut = shortened(cut, cut.length - 1);
  return cut;
}

/** Draws the names at the left; a process with several lanes in view has its name at the first one. */
function drawNames(ctx, layout, first, last) {
  ctx.fillStyle = colours.page;
  ctx.fillRect(0, AXIS_HEIGHT, view.gutter, plotHeight());
  ctx.font = FONT;
  for (let index = first; index <= last; index++) {
    const lane = layout.lanes[index];
    const y = laneMiddle(index);
    const begins = index === 0 || layout.lanes[index - 1].process !== lane.process;
    ctx.fillStyle = colours.line;
    if (begins) ctx.fillRect(0, y - view.laneHeight / 2, view.gutter, 1);
    ctx.fillStyle = colours.ink;
    const goesOn = index < last && layout.lanes[index + 1].process === lane.process;
    const atTop = goesOn ? AXIS_HEIGHT + 14 : 0;
    if (begins || index === first) ctx.fillText(lane.processLabel, 10, Math.max(y + 4, atTop));
    ctx.fillStyle = colours.quiet;
    ctx.fillText(lane.threadLabel, layout.threadsAt, y + 4);
  }
  ctx.fillStyle = colours.line;
  ctx.fillRect(view.gutter - 1, AXIS_HEIGHT, 1, plotHeight());
}
