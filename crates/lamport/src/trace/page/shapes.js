// The signs of events: a shape and a colour for each kind, a style for each relation, cached as small pictures.

const CIRCLE = 'circle';
const SHAPES = {
  triangleRight: [[-0.8, -0.95], [1.05, 0], [-0.8, 0.95]],
  triangleUp: [[0, -1.05], [1, 0.8], [-1, 0.8]],
  triangleDown: [[0, 1.05], [1, -0.8], [-1, -0.8]],
  square: [[-0.62, -0.62], [0.62, -0.62], [0.62, 0.62], [-0.62, 0.62]],
  diamond: [[0, -1.15], [1.15, 0], [0, 1.15], [-1.15, 0]],
  flag: [[-0.95, -0.9], [0.3, -0.9], [1.1, 0], [0.3, 0.9], [-0.95, 0.9]],
  octagon: [[-0.42, -1], [0.42, -1], [1, -0.42], [1, 0.42], [0.42, 1], [-0.42, 1], [-1, 0.42], [-1, -0.42]],
  cross: [[0, -0.42], [0.62, -1.04], [1.04, -0.62], [0.42, 0], [1.04, 0.62], [0.62, 1.04], [0, 0.42], [-0.62, 1.04],
    [-1.04, 0.62], [-0.42, 0], [-1.04, -0.62], [-0.62, -1.04]],
  plus: [[-0.35, -1], [0.35, -1], [0.35, -0.35], [1, -0.35], [1, 0.35], [0.35, 0.35], [0.35, 1], [-0.35, 1],
    [-0.35, 0.35], [-1, 0.35], [-1, -0.35], [-0.35, -0.35]],
  star: [[0, -1.2], [0.3, -0.4], [1.14, -0.37], [0.48, 0.15], [0.7, 0.97], [0, 0.5], [-0.7, 0.97], [-0.48, 0.15],
    [-1.14, -0.37], [-0.3, -0.4]],
  tall: [[-0.4, -1.1], [0.4, -1.1], [0.4, 1.1], [-0.4, 1.1]],
  wide: [[-1.1, -0.4], [1.1, -0.4], [1.1, 0.4], [-1.1, 0.4]],
  slanted: [[-0.4, -0.8], [1.1, -0.8], [0.4, 0.8], [-1.1, 0.8]],
  chevron: [[-1, -1], [0.1, -1], [1.05, 0], [0.1, 1], [-1, 1], [-0.05, 0]],
  trapezium: [[-0.5, -0.8], [0.5, -0.8], [1.1, 0.8], [-1.1, 0.8]],
};
const SIGNS = {
  send: ['triangleRight', 'blue'],
  receive: [CIRCLE, 'green'],
  local: ['square', 'grey'],
  accept: ['diamond', 'purple'],
  connect: ['triangleUp', 'orange'],
  close: ['triangleDown', 'orange'],
  start: ['flag', 'ink'],
  stop: ['octagon', 'ink'],
  error: ['cross', 'red'],
  ready: ['plus', 'green'],
  check: ['star', 'purple'],
  enter: ['chevron', 'purple'],
  exit: ['slanted', 'purple'],
  deliver: ['trapezium', 'green'],
};
const SPARE_SHAPES = ['wide', 'tall', 'trapezium', 'slanted', 'chevron', 'star', 'plus'];
const SPARE_COLOURS = ['orange', 'grey', 'blue', 'purple', 'green'];
const SHAPE_RADIUS = 5.5;

const COLOUR_NAMES = ['page', 'raised', 'ink', 'quiet', 'line', 'lane', 'stripe', 'focus', 'message', 'faint', 'past',
  'future', 'match', 'alarm', 'chain', 'cut', 'cut-tint', 'violation', 'bar', 'bar-edge', 'section', 'section-edge', 'term',
  'term-edge', 'kind-blue', 'kind-green', 'kind-grey', 'kind-purple', 'kind-orange',
  'kind-red', 'kind-ink'];
const colours = {};
const pictures = new Map();

/** Reads the colours of the style sheet: a canvas accepts only computed colours of an element. */
function readColours() {
  const probe = document.createElement('span');
  document.body.append(probe);
  for (const colour of COLOUR_NAMES) {
    probe.style.color = `var(--${colour})`;
    colours[colour] = getComputedStyle(probe).color;
  }
  probe.remove();
  pictures.clear();
}

/** The shape and colour of each kind; kinds without one share the spare ones. */
function signsOf(kinds) {
  let spare = 0;
  return kinds.map((kind) => {
    if (Object.hasOwn(SIGNS, kind)) return { shape: SIGNS[kind][0], colour: `kind-${SIGNS[kind][1]}` };
    const sign = {
      shape: SPARE_SHAPES[spare % SPARE_SHAPES.length],
      colour: `kind-${SPARE_COLOURS[spare % SPARE_COLOURS.length]}`,
    };
    spare++;
    return sign;
  });
}

function traceShape(ctx, shape, x, y, radius) {
  ctx.beginPath();
  if (shape === CIRCLE) {
    ctx.arc(x, y, radius * 0.92, 0, 2 * Math.PI);
    return;
  }
  SHAPES[shape].forEach(([right, down], i) => {
    if (i === 0) ctx.moveTo(x + right * radius, y + down * radius);
    else ctx.lineTo(x + right * radius, y + down * radius);
  });
  ctx.closePath();
}

/** Filled is the past, outlined the future, faint and small what is concurrent; plain if nothing is selected. */
const STYLES = {
  plain: (sign) => ({ fill: colours[sign.colour], edge: colours.page, width: 1, radius: SHAPE_RADIUS }),
  past: () => ({ fill: colours.past, edge: colours.page, width: 1, radius: SHAPE_RADIUS }),
  future: () => ({ fill: colours.page, edge: colours.future, width: 1.8, radius: SHAPE_RADIUS }),
  concurrent: () => ({ fill: colours.faint, edge: colours.page, width: 1, radius: SHAPE_RADIUS * 0.72 }),
  selected: (sign) => ({ fill: colours[sign.colour], edge: colours.ink, width: 1.8, radius: SHAPE_RADIUS * 1.35, ring: true }),
};

function paintSign(ctx, sign, style, x, y) {
  const { fill, edge, width, radius, ring } = STYLES[style](sign);
  traceShape(ctx, sign.shape, x, y, radius);
  ctx.fillStyle = fill;
  ctx.strokeStyle = edge;
  ctx.lineWidth = width;
  ctx.lineJoin = 'round';
  ctx.fill();
  ctx.stroke();
  if (!ring) return;
  ctx.beginPath();
  ctx.arc(x, y, radius + 5, 0, 2 * Math.PI);
  ctx.strokeStyle = colours.ink;
  ctx.stroke();
}

/** The sign as a cached picture, because a frame has thousands of them. */
function pictureOf(sign, style) {
  let ofSign = pictures.get(sign);
  if (!ofSign) pictures.set(sign, ofSign = {});
  if (!ofSign[style]) ofSign[style] = newPicture(sign, style);
  return ofSign[style];
}

function newPicture(sign, style) {
  const picture = document.createElement('canvas');
  const size = 2 * SHAPE_RADIUS + 18;
  picture.width = picture.height = Math.ceil(size * devicePixelRatio);
  const ctx = picture.getContext('2d');
  ctx.scale(devicePixelRatio, devicePixelRatio);
  paintSign(ctx, sign, style, size / 2, size / 2);
  picture.reach = size / 2;
  return picture;
}

function paintArrowHead(ctx, x, y, angle, size) {
  const spread = 0.42;
  ctx.moveTo(x, y);
  ctx.lineTo(x - size * Math.cos(angle - spread), y - size * Math.sin(angle - spread));
  ctx.lineTo(x - size * Math.cos(angle + spread), y - size * Math.sin(angle + spread));
  ctx.closePath();
}
