// Printing: light, the diagram and its legend only, and as wide as the page.

const PRINT_WIDTH = 1000, PRINT_HEIGHT = 1250, PRINT_PIXELS = 2;
let beforePrint = null;

/** Draws what is in view again, for paper; all lanes of it, also those that are scrolled out of the window. */
function preparePrint(app) {
  if (beforePrint) return;
  const from = view.left, until = xAtPixel(view.gutter + plotWidth());
  beforePrint = { view: { ...view }, scheme: document.documentElement.style.colorScheme, isLegendOpen: byId('legend').open };
  document.documentElement.style.colorScheme = 'light';
  byId('legend').open = true;
  readColours();
  view.width = PRINT_WIDTH;
  view.isPaper = true;
  const lanes = Math.max(view.shown.length, 1);
  const around = AXIS_HEIGHT + (view.foldedLanes > 0 ? STRIP_HEIGHT : 0);
  const height = Math.min(Math.max(LEAST_LANE, Math.min(90, 480 / lanes)) * lanes, PRINT_HEIGHT - around);
  view.height = Math.ceil(height + around);
  view.leastLane = Math.max(Math.floor(height / lanes), 2);
  view.scrollY = 0;
  const canvas = byId('canvas');
  const ctx = canvas.getContext('2d', { alpha: false });
  canvas.width = PRINT_WIDTH * PRINT_PIXELS;
  canvas.height = view.height * PRINT_PIXELS;
  fitNames(ctx, app);
  view.scale = plotWidth() / (until - from || 1);
  view.left = from;
  foldLanes(app.layout);
  showLegend(app);
  pictures.clear();
  drawFrame(ctx, app, PRINT_PIXELS);
}

function endPrint(app) {
  if (!beforePrint) return;
  const { view: before, scheme, isLegendOpen } = beforePrint;
  beforePrint = null;
  document.documentElement.style.colorScheme = scheme;
  byId('legend').open = isLegendOpen;
  Object.assign(view, before);
  readColours();
  showLegend(app);
  fitCanvas();
  drawNow();
}

function setUpPrint(app) {
  addEventListener('beforeprint', () => preparePrint(app));
  addEventListener('afterprint', () => endPrint(app));
}
