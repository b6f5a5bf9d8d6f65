// Drawing around the lanes: the axis, the overview of the whole trace, the scroll bar.

const AXIS_NAMES = { order: 'event number', logical: 'Lamport time', wall: 'elapsed time' };

function drawAxis(ctx, app, ticks) {
  const { layout } = app;
  ctx.fillStyle = colours.raised;
  ctx.fillRect(0, 0, view.width, AXIS_HEIGHT);
  ctx.fillStyle = colours.line;
  ctx.fillRect(0, AXIS_HEIGHT - 1, view.width, 1);
  ctx.font = SMALL_FONT;
  let free = view.gutter;
  const write = (text, x) => {
    const width = ctx.measureText(text).width;
    const left = Math.min(x - width / 2, view.width - SCROLLBAR_WIDTH - width);
    if (left < free) return;
    ctx.fillText(text, left, 19);
    free = left + width + 10;
  };
  for (const { x, text, isGap } of axisTexts(layout, ticks)) {
    if (isUnderHandle(app, pixelOf(x))) continue;
    ctx.fillStyle = isGap ? colours.ink : colours.quiet;
    ctx.font = isGap ? `italic ${SMALL_FONT}` : SMALL_FONT;
    write(text, pixelOf(x));
    if (!isGap) ctx.fillRect(Math.round(pixelOf(x)), AXIS_HEIGHT - 6, 1, 5);
  }
  ctx.fillStyle = colours.raised;
  ctx.fillRect(0, 0, view.gutter - 1, AXIS_HEIGHT - 1);
  ctx.font = SMALL_FONT;
  ctx.fillStyle = colours.quiet;
  ctx.fillText(shortened(AXIS_NAMES[layout.axis], Math.floor(view.gutter / LETTER)), 10, 19);
}

/** The texts of the axis from left to right; collapsed intervals take precedence over ticks. */
function axisTexts(layout, ticks) {
  const gaps = layout.gaps.map((gap) => (
    { x: gap.x + gap.width / 2, text: `⋯ ${durationOf(Number((gap.until - gap.from).toPrecision(3)))} ⋯`, isGap: true }));
  const inView = gaps.filter((gap) => pixelOf(gap.x) > view.gutter && pixelOf(gap.x) < view.width);
  const clear = ticks.filter((tick) => inView.every((gap) => Math.abs(pixelOf(gap.x) - pixelOf(tick.x)) > 75));
  return [...inView, ...clear].sort((a, b) => a.x - b.x);
}

const overviewPixel = (layout, x) => (
  view.gutter + (x - layout.minX) / (layout.maxX - layout.minX || 1) * plotWidth());

function drawOverview(ctx, app) {
  if (view.isPaper) return;
  const { layout, selected } = app;
  const top = view.height - OVERVIEW_HEIGHT;
  ctx.fillStyle = colours.raised;
  ctx.fillRect(0, top, view.width, OVERVIEW_HEIGHT);
  ctx.fillStyle = colours.line;
  ctx.fillRect(0, top, view.width, 1);
  ctx.font = SMALL_FONT;
  ctx.fillStyle = colours.quiet;
  ctx.fillText('whole trace', 10, top + 17);
  drawOverviewColumns(ctx, app, top);
  const left = Math.max(overviewPixel(layout, view.left), view.gutter);
  const right = Math.min(overviewPixel(layout, xAtPixel(view.gutter + plotWidth())), view.gutter + plotWidth());
  ctx.strokeStyle = colours.focus;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(left + 0.75, top + 2.5, Math.max(right - left - 1.5, 3), OVERVIEW_HEIGHT - 4);
  if (selected < 0 || layout.laneOf[selected] < 0) return;
  ctx.fillStyle = colours.ink;
  ctx.fillRect(overviewPixel(layout, layout.x[selected]) - 1, top + 1, 2, OVERVIEW_HEIGHT - 1);
}

function drawOverviewColumns(ctx, { layout, matchColumns }, top) {
  const most = layout.overview.reduce((a, b) => Math.max(a, b), 1);
  const width = plotWidth() / OVERVIEW_COLUMNS;
  for (let column = 0; column < OVERVIEW_COLUMNS; column++) {
    const count = layout.overview[column];
    if (count === 0) continue;
    const height = 3 + (OVERVIEW_HEIGHT - 10) * Math.log1p(count) / Math.log1p(most);
    const x = view.gutter + column * width;
    ctx.fillStyle = colours.lane;
    ctx.fillRect(x, top + OVERVIEW_HEIGHT - 3 - height, Math.max(width, 1), height);
    if (!matchColumns[column]) continue;
    ctx.fillStyle = colours.match;
    ctx.fillRect(x, top + 3, Math.max(width, 2), 6);
  }
}

/** The thumb of the scroll bar, or null if all lanes are in view. */
function scrollThumb() {
  const total = view.shown.length * view.laneHeight;
  if (total <= plotHeight() + 1) return null;
  return {
    y: AXIS_HEIGHT + view.scrollY / total * plotHeight(),
    height: Math.max(plotHeight() / total * plotHeight(), 20),
    lanesPerPixel: total / plotHeight(),
  };
}

function drawScrollbar(ctx) {
  const x = view.width - SCROLLBAR_WIDTH;
  const thumb = scrollThumb();
  if (!thumb) return;
  ctx.fillStyle = colours.raised;
  ctx.fillRect(x, AXIS_HEIGHT, SCROLLBAR_WIDTH, plotHeight());
  ctx.fillStyle = colours.lane;
  ctx.fillRect(x + 3, thumb.y, SCROLLBAR_WIDTH - 6, thumb.height);
}
