// The texts beside the diagram: verdict, selected event, list of events.

const MOST_ROWS = 200, MOST_COUNTS = 50, MOST_LINKS = 20, LONG_TEXT = 2000, LONG_FINDING = 160;
const VERDICT_SIGNS = { FAIL: '✗', warn: '!', open: '?', ok: '✓' };

const byId = (id) => document.getElementById(id);

/** An element with a text. All data enters the page this way, so that it stays text. */
function make(tag, text = '', properties = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  return Object.assign(element, properties);
}

/** All rules; a long finding is shown in part, and in whole on request. */
function showVerdict({ verdict, unchecked }) {
  byId('verdict').hidden = verdict.length + unchecked.length === 0;
  const items = verdict.map(({ property, value, text }) => {
    const item = make('li');
    const known = Object.hasOwn(VERDICT_SIGNS, value);
    item.append(make('span', `${known ? VERDICT_SIGNS[value] : ''} ${value}`, { className: `value ${known ? value : ''}` }));
    item.append(make('span', property), findingOf(text));
    return item;
  });
  // A rule without anything in the logs that it is about has no verdict.
  const rest = unchecked.map((property) => {
    const item = make('li');
    item.append(make('span', '– none', { className: 'value concurrent' }), make('span', property));
    item.append(make('div', 'these logs have nothing that it is about', { className: 'text' }));
    return item;
  });
  byId('verdict-list').replaceChildren(...items, ...rest);
  const counts = Object.keys(VERDICT_SIGNS).map((value) => [value, verdict.filter((line) => line.value === value).length]);
  const parts = counts.filter(([, count]) => count > 0).map(([value, count]) => (
    make('span', `${VERDICT_SIGNS[value]} ${count} ${value}`, { className: value })));
  byId('verdict-summary').replaceChildren(...parts.flatMap((part, i) => (i > 0 ? [' · ', part] : ['Verdict: ', part])));
}

function findingOf(text) {
  if (text.length <= LONG_FINDING) return make('div', text, { className: 'text' });
  const details = make('details', '', { className: 'text' });
  details.append(make('summary', shortened(text, LONG_FINDING)), make('div', shortened(text, LONG_TEXT * 2)));
  return details;
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
  const isDrawn = app.drawn.includes(selected);
  const draw = make('button', isDrawn ? 'Remove from the motif' : 'Add to a motif', {
    type: 'button', id: 'motif-add', title: 'Motifs: search for places like these events (m)', onclick: () => toggleDrawn(app, selected),
  });
  details.replaceChildren(
    make('h2', headingOf(app, selected)),
    make('p', shortened(data.texts[data.what[selected]], LONG_TEXT)),
    ...(app.layout.laneOf[selected] < 0 ? [make('p', 'The filters hide this event.', { className: 'warn' })] : []),
    factList(factsOf(data, selected)),
    ...(app.differs[selected] && app.choice.compare ? [make('p', 'Only this execution has this event.', { className: 'warn' })] : []),
    make('h3', 'Other events'), relationCounts(relations),
    ...whyList(app),
    ...linkList(app, 'Direct causes', causeList(data, selected)),
    ...linkList(app, 'Direct effects', effectList(data, selected)),
    make('h3', 'Vector timestamp'), ...vectorList(data, relations.vector),
    make('h3', 'Motif'), draw,
  );
}

const headingOf = ({ data }, event) => `Event ${event}: ${data.kinds[data.kind[event]]}`;

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
