// The labels of events: each where there is room, that of the selected event always, and none over another or over a sign.

const LEAST_LABEL = 44, MOST_LABEL = 280, LABEL_HEIGHT = 12, LABEL_GAP = 8, RING = 14;
const MOST_LABELS = 600;
/** The labels of the last frame, for other programs. */
let drawnLabels = [];

const labelBaseline = (lane) => laneMiddle(lane) + Math.min(Math.max(view.laneHeight / 2 - 4, 10), 18);

function drawLabels(ctx, app, lanes) {
  ctx.font = SMALL_FONT;
  ctx.lineJoin = 'round';
  drawnLabels = [];
  const { selected, layout } = app;
  const isShown = selected >= 0 && layout.laneOf[selected] >= 0 && lanes.includes(layout.laneOf[selected]);
  const own = isShown ? labelOfSelected(ctx, app) : null;
  // Lanes that were made lower than a line of text have no other labels.
  if (view.laneHeight >= LEAST_LANE) for (const lane of lanes) labelLane(ctx, app, lane, own);
  if (own) paintLabel(ctx, own, true);
  if (own) drawnLabels.push(own);
}

/** The label of the selected event: beside its ring, where the plot has more room. */
function labelOfSelected(ctx, { data, layout, selected }) {
  const x = pixelOf(layout.x[selected]);
  if (x < view.gutter || x > view.gutter + plotWidth()) return null;
  const words = data.texts[data.what[selected]] || data.kinds[data.kind[selected]];
  const [left, right] = [x - view.gutter - RING, view.gutter + plotWidth() - x - RING];
  const text = beginningOf(ctx, words, Math.min(Math.max(left, right) - 6, 420));
  const width = ctx.measureText(text).width;
  const lane = layout.laneOf[selected];
  return { event: selected, lane, text, x: width < right ? x + RING : x - RING - width, y: labelBaseline(lane) + 2, width };
}

function labelLane(ctx, { data, layout, selected }, lane, own) {
  const { laneX, laneEvents, laneStart } = layout;
  const y = labelBaseline(lane);
  const end = view.gutter + plotWidth();
  const until = lowerBound(laneX, xAtPixel(end), laneStart[lane], laneStart[lane + 1]);
  for (let i = lowerBound(laneX, xAtPixel(view.gutter), laneStart[lane], until); i < until && drawnLabels.length < MOST_LABELS;) {
    const x = pixelOf(laneX[i]);
    const next = i + 1 < laneStart[lane + 1] ? pixelOf(laneX[i + 1]) : Infinity;
    const room = Math.min(Math.min(next, end + 5) - x - LABEL_GAP + 5, MOST_LABEL);
    const event = laneEvents[i];
    if (room < LEAST_LABEL) {
      // Of millions of events only those are looked at that could have room.
      i = Math.max(lowerBound(laneX, laneX[i] + 1 / view.scale, i, until), i + 1);
      continue;
    }
    i++;
    if (event === selected) continue;
    const text = beginningOf(ctx, data.texts[data.what[event]], room);
    const label = { event, lane, text, x: x - 5, y, width: ctx.measureText(text).width };
    if (own && own.lane === lane && label.x < own.x + own.width + LABEL_GAP && own.x < label.x + label.width + LABEL_GAP) continue;
    paintLabel(ctx, label, false);
    drawnLabels.push(label);
  }
}

/** The text stands out from the arrows that cross it. */
function paintLabel(ctx, { text, x, y, width }, isSelected) {
  if (isSelected) {
    ctx.fillStyle = colours.page;
    ctx.fillRect(x - 3, y - LABEL_HEIGHT + 2, width + 6, LABEL_HEIGHT + 1);
  }
  ctx.lineWidth = 3;
  ctx.strokeStyle = colours.page;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = isSelected ? colours.ink : colours.quiet;
  ctx.fillText(text, x, y);
}
