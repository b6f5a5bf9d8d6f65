// The texts beside the diagram: verdict, selected event, list of events, legend, tooltip.

const MOST_ROWS = 200, MOST_COUNTS = 50, MOST_LINKS = 20, LONG_TEXT = 2000;
const VERDICT_SIGNS = { FAIL: '✗', warn: '!', open: '?', ok: '✓' };

const byId = (id) => document.getElementById(id);

/** An element with a text. All data enters the page this way, so that it stays text. */
function make(tag, text = '', properties = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  return Object.assign(element, properties);
}

function showVerdict(verdict) {
  byId('verdict').hidden = verdict.length === 0;
  byId('verdict-list').replaceChildren(...verdict.map(({ property, value, text }) => {
    const item = make('li');
    const known = Object.hasOwn(VERDICT_SIGNS, value);
    item.append(make('span', `${known ? VERDICT_SIGNS[value] : ''} ${value}`, { className: `value ${known ? value : ''}` }));
    item.append(make('span', property), make('div', text, { className: 'text' }));
    return item;
  }));
  const counts = Object.keys(VERDICT_SIGNS).map((value) => [value, verdict.filter((line) => line.value === value).length]);
  const parts = counts.filter(([, count]) => count > 0).map(([value, count]) => (
    make('span', `${VERDICT_SIGNS[value]} ${count} ${value}`, { className: value })));
  byId('verdict-summary').replaceChildren(...parts.flatMap((part, i) => (i > 0 ? [' · ', part] : ['Verdict: ', part])));
}

function factList(facts) {
  const list = make('dl', '', { className: 'facts' });
  for (const [name, text] of facts) list.append(make('dt', name), make('dd', shortened(text, LONG_TEXT)));
  return list;
}

function showDetails(app) {
  const { data, selected, relations } = app;
  const details = byId('details');
  const attributes = relations ? {
    event: selected, past: relations.past, future: relations.future, concurrent: relations.concurrent,
    vector: relations.vector.join(','),
  } : {};
  for (const name of ['event', 'past', 'future', 'concurrent', 'vector']) {
    if (relations) details.dataset[name] = attributes[name]; else delete details.dataset[name];
  }
  if (!relations) {
    const hint = data.n ? 'Click an event, or step with the arrow keys, to see its past and its future.' : 'This trace has no events.';
    details.replaceChildren(make('p', hint));
    return;
  }
  details.replaceChildren(
    make('h2', `Event ${selected}: ${data.kinds[data.kind[selected]]}`),
    make('p', shortened(data.texts[data.what[selected]], LONG_TEXT)),
    ...(app.layout.laneOf[selected] < 0 ? [make('p', 'The filters hide this event.', { className: 'warn' })] : []),
    factList(factsOf(data, selected)),
    make('h3', 'Other events'), relationCounts(relations),
    ...linkList(app, 'Direct causes', causeList(data, selected)),
    ...linkList(app, 'Direct effects', effectList(data, selected)),
    make('h3', 'Vector timestamp'), ...vectorList(data, relations.vector),
  );
}

function relationCounts({ past, future, concurrent }) {
  const list = make('dl', '', { className: 'facts' });
  const rows = [['● past', past, 'past'], ['○ future', future, 'future'], ['· concurrent', concurrent, 'concurrent']];
  for (const [name, count, className] of rows) {
    list.append(make('dt', name, { className }), make('dd', String(count)));
  }
  return list;
}

function causeList(data, event) {
  const own = data.before[event] >= 0 ? [[data.before[event], 'before it in its process']] : [];
  return [...own, ...causesByMessage(data, event).map((cause) => [cause, 'by a message'])];
}

function effectList(data, event) {
  const own = data.after[event] >= 0 ? [[data.after[event], 'after it in its process']] : [];
  return [...own, ...effectsByMessage(data, event).map((effect) => [effect, 'by a message'])];
}

function linkList(app, title, links) {
  const { data } = app;
  const buttons = links.slice(0, MOST_LINKS).map(([event, how]) => {
    const where = `${event} ${placeOf(data, event)}: ${data.kinds[data.kind[event]]}`;
    return make('button', shortened(`${where} (${how})`, 120), { type: 'button', className: 'link', onclick: () => select(event) });
  });
  const rest = links.length > MOST_LINKS ? [make('p', `and ${links.length - MOST_LINKS} more`)] : [];
  return [make('h3', title), ...(buttons.length ? buttons : [make('p', 'none')]), ...rest];
}

function vectorList(data, vector) {
  const nonzero = Array.from(vector.keys()).filter((process) => vector[process] > 0);
  const rows = nonzero.slice(0, MOST_COUNTS).map((process) => [data.processes[process], String(vector[process])]);
  const rest = nonzero.length - rows.length;
  return [factList(rows), ...(rest > 0 ? [make('p', `and ${rest} more processes`)] : [])];
}

/** The text alternative: the events around the selected one. It is slow, so it is built only if it is open. */
function showNearby(app) {
  if (!byId('nearby').open) return;
  const { data, layout, selected } = app;
  const centre = selected >= 0 ? lowerBound(layout.visible, selected, 0, layout.visible.length) : 0;
  const from = Math.max(0, Math.min(centre - MOST_ROWS / 2, layout.visible.length - MOST_ROWS));
  const shown = layout.visible.subarray(from, from + MOST_ROWS);
  byId('nearby-caption').textContent = shown.length
    ? `${shown.length} of ${data.n} events, in causal order` : 'No events to show.';
  byId('nearby-rows').replaceChildren(...Array.from(shown, (event) => nearbyRow(app, event)));
  const current = byId('nearby-rows').querySelector('[aria-current]');
  // Only the list scrolls to its row: the details above it stay in view.
  if (current) byId('nearby-scroll').scrollTop = current.offsetTop - byId('nearby-scroll').clientHeight / 2;
}

function nearbyRow({ data, selected, relations }, event) {
  const row = make('tr');
  if (event === selected) row.setAttribute('aria-current', 'true');
  const number = make('td');
  number.append(make('button', String(event), { type: 'button', onclick: () => selectFromList(event) }));
  const what = `${data.kinds[data.kind[event]]}: ${shortened(data.texts[data.what[event]], 120)}`;
  const relation = relations ? RELATION_WORDS[relations.mark[event]] : '';
  row.append(number, make('td', placeOf(data, event)), make('td', what), make('td', relation, { className: relation }));
  return row;
}

/** The list is rebuilt at each selection: the focus moves to the new button of the same event. */
function selectFromList(event) {
  select(event);
  const current = byId('nearby-rows').querySelector('[aria-current] button');
  if (current) current.focus({ preventScroll: true });
}

/** The sentence that a screen reader speaks when an event is selected. */
function sentenceOf({ data }, event) {
  const what = shortened(data.texts[data.what[event]], 200);
  const parts = [
    `event ${event} of ${data.n}: ${placeOf(data, event)}, ${data.kinds[data.kind[event]]}, ${what}`,
  ];
  if (CLOCKS[data.clock[event]]) parts.push(`${CLOCKS[data.clock[event]]} ${data.lamport[event]}`);
  if (data.time) {
    const since = data.time[event] - data.epoch;
    parts.push(`wall clock ${since < 0 ? '' : '+'}${durationOf(since)}`);
  }
  return parts.join('; ');
}

function showTooltip(app, event, clientX, clientY) {
  const { data } = app;
  const tooltip = byId('tooltip');
  const facts = factsOf(data, event).map(([name, text]) => [name, shortened(text, 300)]);
  const relation = app.relations ? [make('p', `to event ${app.selected}: ${RELATION_WORDS[app.relations.mark[event]]}`)] : [];
  tooltip.replaceChildren(
    make('p', `Event ${event}: ${data.kinds[data.kind[event]]}`),
    make('p', shortened(data.texts[data.what[event]], 300)),
    factList(facts), ...relation);
  placeTooltip(tooltip, clientX, clientY);
}

function showNameTooltip(app, lane, clientX, clientY) {
  const { process, thread } = app.layout.lanes[lane];
  const tooltip = byId('tooltip');
  tooltip.replaceChildren(make('p', shortened(app.data.processes[process], 300)));
  if (thread >= 0) tooltip.append(make('p', `thread ${shortened(app.data.threads[thread].name, 300)}`));
  placeTooltip(tooltip, clientX, clientY);
}

/** Places the tooltip beside the pointer, on the side with room, inside the window. */
function placeTooltip(tooltip, clientX, clientY) {
  tooltip.hidden = false;
  const { width, height } = tooltip.getBoundingClientRect();
  const left = clientX + 16 + width < innerWidth ? clientX + 16 : clientX - 16 - width;
  const down = clientY + 16 + height < innerHeight ? clientY + 16 : clientY - 16 - height;
  tooltip.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
  tooltip.style.top = `${Math.max(4, Math.min(down, innerHeight - height - 4))}px`;
}

/** A line of the legend: a small drawing and its meaning. */
function legendLine(text, width, paint) {
  const item = make('li');
  const canvas = make('canvas', '', { width: width * devicePixelRatio, height: 22 * devicePixelRatio });
  canvas.setAttribute('aria-hidden', 'true');
  canvas.style.cssText = `width:${width}px;height:22px`;
  const ctx = canvas.getContext('2d');
  ctx.scale(devicePixelRatio, devicePixelRatio);
  paint(ctx);
  item.append(canvas, make('span', text));
  return item;
}

/** The legend is painted by the functions that paint the diagram, in the present colours. */
function showLegend(app) {
  byId('legend-kinds').replaceChildren(...app.data.kinds.map((kind, k) => (
    legendLine(kind, 22, (ctx) => paintSign(ctx, app.signs[k], 'plain', 11, 11)))));
  const sign = { shape: CIRCLE, colour: 'kind-green' };
  const relations = [
    ['selected', 'with a ring: the selected event'],
    ['past', 'filled: its past; what may have influenced it'],
    ['future', 'outlined: its future; what it may have influenced'],
    ['concurrent', 'small and faint: concurrent with it'],
  ];
  byId('legend-relations').replaceChildren(...relations.map(([style, text]) => (
    legendLine(text, 40, (ctx) => paintSign(ctx, sign, style, 20, 11)))));
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
    ['a match of the search', (ctx) => {
      ctx.strokeStyle = colours.match;
      ctx.lineWidth = 3;
      ctx.strokeRect(12.5, 3.5, 15, 15);
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

function paintLostLegend(ctx) {
  ctx.strokeStyle = colours.alarm;
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  paintStub(ctx, 8, 3, 1, 14);
  ctx.stroke();
}
