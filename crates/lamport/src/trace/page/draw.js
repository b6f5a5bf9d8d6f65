// Drawing a frame: lanes, axis, bars, events (or their density), marks, names, and the overview.

const BUCKET = 12, MOST_IN_BUCKET = 3;
const LETTER = 6;
const FONT = '12px system-ui, sans-serif', SMALL_FONT = '11px system-ui, sans-serif';

/** Draws everything in view. Returns n if one in n messages was drawn. */
function drawFrame(ctx, app, pixels = devicePixelRatio) {
  ctx.setTransform(pixels, 0, 0, pixels, 0, 0);
  ctx.fillStyle = colours.page;
  ctx.fillRect(0, 0, view.width, view.height);
  const lanes = lanesInView();
  const ticks = app.layout.visible.length ? ticksOf(app.data, app.layout) : [];
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, AXIS_HEIGHT, view.width, plotHeight());
  ctx.clip();
  drawLanes(ctx, app.layout, lanes);
  drawGrid(ctx, ticks);
  drawGaps(ctx, app.layout);
  drawBeforeCut(ctx, app);
  drawBars(ctx, app);
  drawSpans(ctx, app);
  const oneOf = drawMessages(ctx, app);
  drawCrossing(ctx, app);
  drawLost(ctx, app);
  drawChain(ctx, app);
  drawMotif(ctx, app);
  drawMatches(ctx, app);
  for (const lane of lanes) drawEvents(ctx, app, lane);
  drawDifferences(ctx, app);
  drawAlarms(ctx, app);
  drawLabels(ctx, app, lanes);
  drawOther(ctx, app);
  drawFocus(ctx, app);
  drawCut(ctx, app);
  drawNames(ctx, app, lanes);
  ctx.restore();
  drawStrip(ctx);
  drawAxis(ctx, app, ticks);
  drawHandleOfAll(ctx, app);
  drawOverview(ctx, app);
  drawScrollbar(ctx);
  showHandles(app);
  return oneOf;
}

function drawLanes(ctx, layout, lanes) {
  for (const lane of lanes) {
    const y = laneMiddle(lane);
    if (view.slotOf[lane] % 2 === 1) {
      ctx.fillStyle = colours.stripe;
      ctx.fillRect(view.gutter, y - view.laneHeight / 2, view.width, view.laneHeight);
    }
    ctx.fillStyle = colours.lane;
    ctx.fillRect(view.gutter, Math.round(y) - 0.5, view.width, 1);
  }
  const border = lanes.find((lane, i) => i > 0 && layout.lanes[lane].side !== layout.lanes[lanes[i - 1]].side);
  if (border !== undefined) ctx.fillRect(view.gutter, laneMiddle(border) - view.laneHeight / 2 - 1, view.width, 3);
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

function drawBars(ctx, { data, layout }) {
  ctx.font = SMALL_FONT;
  ctx.lineWidth = 1;
  const height = Math.min(view.laneHeight - 2, 50);
  const labelledUntil = new Map();
  for (const bar of layout.bars) {
    const lane = layout.laneOfThread[bar.thread];
    if (view.slotOf[lane] < 0) continue;
    // On the order axis an end that is filtered out has no position.
    if (layout.laneOf[bar.from] < 0 || layout.laneOf[bar.until] < 0) continue;
    const x = Math.max(pixelOf(layout.x[bar.from]) - 8, view.gutter - 5);
    const until = Math.min(pixelOf(layout.x[bar.until]) + 8, view.width + 5);
    const y = laneMiddle(lane) - height / 2;
    if (until < view.gutter || x > view.width || y > plotBottom() || y + height < AXIS_HEIGHT) continue;
    ctx.fillStyle = colours.bar;
    ctx.strokeStyle = colours['bar-edge'];
    // The bars of a process's threads overlap: they must not hide the events.
    ctx.globalAlpha = layout.lanes[lane].thread < 0 ? 0.35 : 1;
    ctx.fillRect(x, y, until - x, height);
    ctx.strokeRect(x, y, until - x, height);
    ctx.globalAlpha = 1;
    // In a low lane there is no room above the events.
    if (height < 40 || until - x < 40) continue;
    const text = cutToWidth(ctx, data.texts[bar.text], until - Math.max(x, view.gutter) - 8);
    if (x < (labelledUntil.get(lane) ?? -Infinity)) continue;
    labelledUntil.set(lane, Math.max(x, view.gutter) + 8 + ctx.measureText(text).width);
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

/** The points of the events in view, at least `apart` pixels from each other. */
function spreadPoints({ layout }, events, apart) {
  const columns = Math.ceil(plotWidth() / apart) + 1;
  const taken = new Uint8Array(columns * view.shown.length);
  const points = [];
  for (let i = 0; i < events.length; i++) {
    const event = events[i];
    const lane = layout.laneOf[event];
    const slot = lane < 0 ? -1 : view.slotOf[lane];
    const right = (layout.x[event] - view.left) * view.scale;
    if (slot < 0 || right < 0 || right > plotWidth()) continue;
    const place = slot * columns + Math.floor(right / apart);
    if (taken[place]) continue;
    taken[place] = 1;
    points.push([view.gutter + right, laneMiddle(lane)]);
  }
  return points;
}

function drawMatches(ctx, app) {
  ctx.strokeStyle = colours.match;
  ctx.lineWidth = 3;
  for (const [x, y] of spreadPoints(app, app.matches, 8)) {
    ctx.strokeRect(x - 8.5, y - 8.5, 17, 17);
  }
}

function drawAlarms(ctx, app) {
  ctx.font = 'bold 13px system-ui, sans-serif';
  ctx.fillStyle = colours.alarm;
  for (const [x, y] of spreadPoints(app, app.layout.alarms, 8)) ctx.fillText('!', x + 5, y - 4);
}

/** Draws the selected event again, above all others, and a ring around the one under the pointer. */
function drawFocus(ctx, app) {
  const { layout, selected, hovered } = app;
  if (selected >= 0 && layout.laneOf[selected] >= 0 && view.slotOf[layout.laneOf[selected]] >= 0) {
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
function fitNames(ctx, { layout, choice }) {
  ctx.font = FONT;
  const widest = (names, least, most) => names.reduce((width, name) => (
    Math.min(Math.max(width, ctx.measureText(shortened(name, 60)).width + 18), most)), least);
  const byThread = layout.lanes.some((lane) => lane.thread >= 0);
  const begin = choice.group ? PROGRAM_WIDTH : 10;
  // On a narrow screen the diagram needs the room.
  const most = Math.max(Math.min(byThread ? 130 : 200, view.width / 4), 70);
  const processWidth = begin - 10 + widest(layout.lanes.map((lane) => lane.title), Math.min(95, most), most);
  layout.namesAt = begin;
  layout.threadsAt = processWidth;
  const threadWidth = byThread ? widest(layout.lanes.map((lane) => lane.name), 50, Math.min(120, most)) : 0;
  view.gutter = Math.ceil(processWidth + threadWidth);
  for (const lane of layout.lanes) {
    lane.titleLabel = cutToWidth(ctx, lane.title, processWidth - begin - 6);
    lane.threadLabel = lane.thread >= 0 ? cutToWidth(ctx, lane.name, threadWidth - 12) : '';
  }
}

/** Names differ at their ends, so they are shortened in the middle. */
function cutToWidth(ctx, text, width) {
  return fitted(ctx, text, width, (letters, most) => (
    `${letters.slice(0, Math.ceil(most * 0.6)).join('')}…${letters.slice(letters.length - Math.floor(most * 0.4)).join('')}`));
}

/** Sentences begin with what matters. */
function beginningOf(ctx, text, width) {
  return fitted(ctx, text, width, (letters, most) => `${letters.slice(0, most).join('').trimEnd()}…`);
}

function fitted(ctx, text, width, cut) {
  if (ctx.measureText(text).width <= width) return text;
  const letters = Array.from(shortened(text, 400));
  let low = 0, high = letters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ctx.measureText(cut(letters, middle)).width <= width) low = middle; else high = middle - 1;
  }
  return low > 0 ? cut(letters, low) : '';
}

/** Draws the names at the left; a process with several lanes in view has its name at the first one. */
function drawNames(ctx, { layout, choice }, lanes) {
  ctx.fillStyle = colours.page;
  ctx.fillRect(0, AXIS_HEIGHT, view.gutter, plotHeight());
  ctx.font = FONT;
  lanes.forEach((index, i) => {
    const lane = layout.lanes[index];
    const y = laneMiddle(index);
    const isOf = (other) => other !== undefined && layout.lanes[other].process === lane.process;
    const begins = !isOf(view.shown[view.slotOf[index] - 1]);
    ctx.fillStyle = colours.line;
    if (begins) ctx.fillRect(0, y - view.laneHeight / 2, view.gutter, 1);
    ctx.fillStyle = colours.ink;
    const atTop = isOf(lanes[i + 1]) ? AXIS_HEIGHT + 14 : 0;
    if (begins || i === 0) ctx.fillText(lane.titleLabel, layout.namesAt, Math.max(y + 4, atTop));
    ctx.fillStyle = colours.quiet;
    ctx.fillText(lane.threadLabel, layout.threadsAt, y + 4);
  });
  if (choice.group) drawPrograms(ctx, layout, lanes);
  ctx.fillStyle = colours.line;
  ctx.fillRect(view.gutter - 1, AXIS_HEIGHT, 1, plotHeight());
}
