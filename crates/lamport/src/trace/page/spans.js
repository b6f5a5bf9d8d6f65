// What lasts from one event of a process to another: critical sections and the terms of leaders, as bars.

const SPAN_NAMES = { section: ['critical section', 'CS'], term: ['term', ''] };

/** The name of a bar, and a short one. */
function namesOfSpan(data, { kind, text }) {
  const [name, short] = SPAN_NAMES[kind];
  return kind === 'term' ? [`${name} ${data.texts[text]}`, data.texts[text]] : [name, short];
}

const heightOfSpan = () => Math.min(view.laneHeight * 0.75, 46);

/** The bar in pixels, or null if it is not in view; one without an end lasts to the end of the lane. */
function boxOfSpan({ layout }, { from, until }) {
  const lane = layout.laneOf[from];
  if (lane < 0 || view.slotOf[lane] < 0 || (until >= 0 && layout.laneOf[until] < 0)) return null;
  const end = until >= 0 ? layout.x[until] : layout.maxX;
  const x = Math.max(pixelOf(layout.x[from]), view.gutter - 5);
  const right = Math.min(Math.max(pixelOf(end), pixelOf(layout.x[from]) + 3) + (until >= 0 ? 0 : 14), view.width + 5);
  const height = heightOfSpan(), y = laneMiddle(lane) - height / 2;
  const isOutside = right < view.gutter || x > view.width || y > plotBottom() || y + height < AXIS_HEIGHT;
  return isOutside ? null : { x, y, width: right - x, height };
}

function paintSpan(ctx, kind, { x, y, width, height }) {
  ctx.fillStyle = colours[kind];
  ctx.strokeStyle = colours[`${kind}-edge`];
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, 3);
  ctx.fill();
  ctx.stroke();
}

function drawSpans(ctx, app) {
  const { data, layout } = app;
  ctx.font = SMALL_FONT;
  for (const span of layout.spans) {
    const box = boxOfSpan(app, span);
    if (!box) continue;
    paintSpan(ctx, span.kind, box);
    // In a low lane there is no room above the events.
    if (box.height < 36) continue;
    const begin = Math.max(box.x, view.gutter);
    const room = box.x + box.width - begin - 6;
    const name = namesOfSpan(data, span).find((text) => ctx.measureText(text).width <= room);
    if (!name) continue;
    ctx.fillStyle = colours.ink;
    ctx.fillText(name, begin + 3, box.y + 10);
  }
}

/** The bar at this point of the canvas; of one in another the inner one. */
function spanAt(app, { x, y }) {
  if (x < view.gutter || x > view.gutter + plotWidth()) return null;
  return app.layout.spans.findLast((span) => {
    const box = boxOfSpan(app, span);
    return box && x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
  }) ?? null;
}

/** The facts of a bar: its events, and how long it lasts. */
function factsOfSpan({ data }, { from, until }) {
  const named = (event) => `event ${event}: ${shortened(data.texts[data.what[event]], 200)}`;
  const facts = [['from', named(from)], ['until', until >= 0 ? named(until) : 'the end of the log']];
  if (data.time && until >= 0) facts.push(['lasts', durationOf(data.time[until] - data.time[from])]);
  return facts;
}

function showSpanTooltip(app, span, clientX, clientY) {
  const tooltip = byId('tooltip');
  const [name] = namesOfSpan(app.data, span);
  tooltip.replaceChildren(make('p', `${name} of ${placeOf(app.data, span.from)}`), factList(factsOfSpan(app, span)));
  placeTooltip(tooltip, clientX, clientY);
}
