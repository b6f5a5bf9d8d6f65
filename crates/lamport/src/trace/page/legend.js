// The legend, painted by the functions that paint the diagram.

/** A line of the legend: a small drawing and its meaning. */
function legendLine(text, width, paint, height = 22) {
  const item = make('li');
  const canvas = make('canvas', '', { width: width * devicePixelRatio, height: height * devicePixelRatio });
  canvas.setAttribute('aria-hidden', 'true');
  canvas.style.cssText = `width:${width}px;height:${height}px`;
  const ctx = canvas.getContext('2d');
  ctx.scale(devicePixelRatio, devicePixelRatio);
  paint(ctx);
  item.append(canvas, make('span', text));
  return item;
}

/** Shows only the kinds that the trace has, in the present colours. */
function showLegend(app) {
  const used = new Set(app.data.kind);
  byId('legend-kinds').replaceChildren(...app.data.kinds.flatMap((kind, k) => (
    used.has(k) ? [legendLine(kind, 22, (ctx) => paintSign(ctx, app.signs[k], 'plain', 11, 11))] : [])));
  const sign = { shape: CIRCLE, colour: 'kind-green' };
  const relations = [
    ['selected', 'with a ring: the selected event'],
    ['past', 'filled: its past; what may have influenced it'],
    ['future', 'outlined: its future; what it may have influenced'],
    ['concurrent', 'small and faint: concurrent with it'],
  ];
  byId('legend-relations').replaceChildren(...relations.map(([style, text]) => (
    legendLine(text, 40, (ctx) => paintSign(ctx, sign, style, 20, 14), 28))));
  byId('legend-lines').replaceChildren(...legendLines());
}

function legendLines() {
  return [
    ['a message', (ctx) => paintArrow(ctx, 'plain', [])],
    ['an inferred message: the log does not contain its number', (ctx) => paintArrow(ctx, 'plain', [5, 4])],
    ['a message in the past; thick: a direct cause of the selected event', (ctx) => paintArrow(ctx, 'past', [])],
    ['a message in the future, with an open head; thick: a direct effect of the selected event', (ctx) => paintArrow(ctx, 'future', [])],
    ['a lost message', paintLostLegend],
    ['an error or a warning', (ctx) => {
      ctx.font = 'bold 13px system-ui, sans-serif';
      ctx.fillStyle = colours.alarm;
      ctx.fillText('!', 18, 16);
    }],
    ['a match of the search or of a motif', (ctx) => {
      ctx.strokeStyle = colours.match;
      ctx.lineWidth = 3;
      ctx.strokeRect(12.5, 3.5, 15, 15);
    }],
    ['the chain of messages from another event (why?)', (ctx) => {
      ctx.strokeStyle = colours.chain;
      ctx.globalAlpha = 0.55;
      ctx.lineWidth = 6;
      ctx.beginPath();
      ctx.moveTo(3, 16);
      ctx.lineTo(18, 16);
      ctx.lineTo(36, 5);
      ctx.stroke();
    }],
    ['two executions: only this one has the event', (ctx) => {
      ctx.strokeStyle = colours.alarm;
      ctx.lineWidth = 1.8;
      paintDifference(ctx, 20, 11);
    }],
    ['a column: many events; the more, the higher', (ctx) => {
      ctx.fillStyle = colours.lane;
      ctx.fillRect(8, 4, 11, 14);
      ctx.fillRect(20, 1, 11, 20);
    }],
    ['a connection, on the thread that serves it', (ctx) => {
      ctx.fillStyle = colours.bar;
      ctx.strokeStyle = colours['bar-edge'];
      ctx.fillRect(3, 4, 34, 14);
      ctx.strokeRect(3.5, 4.5, 33, 13);
    }],
    ['a critical section (CS), from the entry to the exit', (ctx) => paintSpan(ctx, 'section', { x: 3.5, y: 4.5, width: 33, height: 13 })],
    ['a term of a leader, until it crashes or takes another one as the leader', (ctx) => (
      paintSpan(ctx, 'term', { x: 3.5, y: 4.5, width: 33, height: 13 }))],
    ['the cut, with a handle on each lane; dashed: it is inconsistent', paintCutLegend],
    ['sent before the cut and received after it: in transit', (ctx) => paintCrossingLegend(ctx, colours.cut)],
    ['received before the cut and sent after it: the cut is inconsistent; thick: the first such message', (ctx) => (
      paintCrossingLegend(ctx, colours.violation))],
    ['wall clock: a collapsed idle interval; its duration is on the axis', (ctx) => {
      ctx.fillStyle = colours.raised;
      ctx.fillRect(10, 0, 20, 22);
      ctx.fillStyle = colours.quiet;
      for (let y = 0; y < 22; y += 6) [10, 29].forEach((x) => ctx.fillRect(x, y, 1, 2));
    }],
  ].map(([text, paint]) => legendLine(text, 40, paint));
}

function paintArrow(ctx, style, dash) {
  const { colour, width, openHead } = LINE_STYLES[style]();
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(3, 17);
  ctx.lineTo(36, 5);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.beginPath();
  paintArrowHead(ctx, 36, 5, Math.atan2(-12, 33), 9);
  ctx.fillStyle = openHead ? colours.page : colour;
  ctx.fill();
  if (openHead) ctx.stroke();
}

function paintCutLegend(ctx) {
  ctx.strokeStyle = colours.cut;
  ctx.fillStyle = colours.page;
  ctx.lineWidth = 2.2;
  ctx.beginPath();
  ctx.moveTo(20, 0);
  ctx.lineTo(20, 22);
  ctx.stroke();
  ctx.beginPath();
  ctx.arc(20, 11, HANDLE - 1, 0, 2 * Math.PI);
  ctx.fill();
  ctx.stroke();
}

function paintCrossingLegend(ctx, colour) {
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(3, 17);
  ctx.lineTo(36, 5);
  ctx.stroke();
  ctx.beginPath();
  paintArrowHead(ctx, 36, 5, Math.atan2(-12, 33), 9);
  ctx.fill();
}

function paintLostLegend(ctx) {
  ctx.strokeStyle = colours.alarm;
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  paintStub(ctx, 8, 3, 1, 14);
  ctx.stroke();
}
