// Why: the chain of messages from another event to the selected one, or the words that they are concurrent.

const MOST_STEPS = 60;

/** The chain with the fewest messages from one event to a later one, as events; null if there is none. */
function chainBetween(data, from, to) {
  const length = to - from + 1;
  if (length < 2) return null;
  // Everything on a chain is between its ends in causal order.
  const messages = new Int32Array(length).fill(-1), cause = new Int32Array(length).fill(-1);
  messages[0] = 0;
  const { start, items } = data.receivedBy;
  for (let e = from + 1; e <= to; e++) {
    const reach = (before, cost) => {
      if (before < from || messages[before - from] < 0) return;
      const sum = messages[before - from] + cost;
      if (messages[e - from] >= 0 && messages[e - from] <= sum) return;
      messages[e - from] = sum;
      cause[e - from] = before;
    };
    reach(data.before[e], 0);
    for (let i = start[e]; i < start[e + 1]; i++) reach(data.from[items[i]], 1);
  }
  if (messages[to - from] < 0) return null;
  const chain = [to];
  while (chain[chain.length - 1] !== from) chain.push(cause[chain[chain.length - 1] - from]);
  return chain.reverse();
}

/** How the other chosen event and the selected one are related: a chain forwards, one backwards, or none. */
function explain(data, other, selected) {
  const isReversed = other > selected;
  const chain = isReversed ? chainBetween(data, selected, other) : chainBetween(data, other, selected);
  return { other, isReversed, chain };
}

const isOfMessage = (data, a, b) => data.process[a] !== data.process[b] || data.before[b] !== a;

/** The steps of a chain: its messages, and the stretches on one process between them. */
function stepsOf(data, chain) {
  const steps = [];
  for (let i = 1; i < chain.length; i++) {
    const isMessage = isOfMessage(data, chain[i - 1], chain[i]);
    const last = steps[steps.length - 1];
    if (!isMessage && last && !last.isMessage) last.to = chain[i];
    else steps.push({ from: chain[i - 1], to: chain[i], isMessage });
  }
  return steps;
}

function updateWhy(app) {
  const { data, other, selected } = app;
  app.why = other >= 0 && selected >= 0 && other !== selected ? explain(data, other, selected) : null;
}

/** Chooses the event from which the chain to the selected one is asked for; -1: none. */
function chooseOther(app, event) {
  const explained = app.isChoosing && event >= 0 ? app.toExplain : app.selected;
  app.other = event;
  app.isChoosing = false;
  select(explained, { still: true });
  byId('live').textContent = app.why ? whyInWords(app) : event >= 0 ? `event ${event} is chosen; go to another event` : 'no other event is chosen';
  requestFrame();
}

function whyInWords({ data, why, selected }) {
  const { other, isReversed, chain } = why;
  const named = (event) => `event ${event} (${placeOf(data, event)})`;
  if (!chain) return `${named(other)} and ${named(selected)} are concurrent: no chain of messages leads from one to the other.`;
  const [from, to] = isReversed ? [selected, other] : [other, selected];
  const messages = stepsOf(data, chain).filter((step) => step.isMessage).length;
  const how = messages === 0 ? 'on the same process' : `by a chain of ${counted(messages, 'message')}`;
  const sense = isReversed ? ': the selected event is the earlier one' : '';
  return `${named(from)} happened before ${named(to)}, ${how}${sense}.`;
}

/** The part of the panel about the other event. */
function whyList(app) {
  const { data, other, selected, why } = app;
  const button = (text, onclick, title) => make('button', text, { type: 'button', onclick, title });
  const choose = button(other >= 0 ? 'Choose another' : 'Why? From another event …', () => {
    app.isChoosing = true;
    app.toExplain = app.selected;
    showDetails(app);
    byId('live').textContent = 'choose the other event';
    byId('canvas').focus();
  }, 'Shows the chain of messages from another event (w, or Shift+click)');
  choose.id = 'why-choose';
  const parts = [make('h3', 'Why'), choose];
  if (other >= 0) parts.push(' ', button('Clear', () => chooseOther(app, -1)));
  if (app.isChoosing) parts.push(make('p', 'Click the other event, or go to it with the keys and press w. Escape: leave it.', { className: 'asked' }));
  if (other === selected) parts.push(make('p', 'This event is chosen: select the event to explain.', { className: 'asked' }));
  if (!why) return parts;
  parts.push(make('p', whyInWords(app), { id: 'why', className: why.chain ? '' : 'concurrent' }));
  if (!why.chain) return parts;
  const show = button('Show the whole chain', () => {
    fitEvents(app.layout, why.chain);
    requestFrame();
  });
  show.id = 'why-show';
  parts.push(show);
  const list = make('ol', '', { id: 'why-chain' });
  const steps = stepsOf(data, why.chain);
  for (const { from, to, isMessage } of steps.slice(0, MOST_STEPS)) {
    const item = make('li');
    const link = (event) => make('button', `${event} ${placeOf(data, event)}`, { type: 'button', onclick: () => select(event) });
    item.append(link(from), isMessage ? ' → message → ' : ' … then … ', link(to));
    if (isMessage) item.append(make('div', shortened(data.texts[data.what[from]], 160), { className: 'text' }));
    list.append(item);
  }
  parts.push(list);
  if (steps.length > MOST_STEPS) parts.push(make('p', `and ${steps.length - MOST_STEPS} more steps`));
  return parts;
}

const pointOfEvent = ({ layout }, event) => (
  layout.laneOf[event] < 0 ? null : [pixelOf(layout.x[event]), laneMiddle(layout.laneOf[event])]);

/** Draws the chain as a thick line behind the events. */
function drawChain(ctx, app) {
  const { why } = app;
  if (!why || !why.chain) return;
  const clip = (x) => Math.min(Math.max(x, view.gutter - 2000), view.width + 2000);
  ctx.strokeStyle = colours.chain;
  ctx.lineWidth = 6;
  ctx.globalAlpha = 0.55;
  ctx.lineJoin = 'round';
  ctx.beginPath();
  let isBegun = false;
  for (const event of why.chain) {
    const point = pointOfEvent(app, event);
    if (!point) continue;
    if (isBegun) ctx.lineTo(clip(point[0]), point[1]); else ctx.moveTo(clip(point[0]), point[1]);
    isBegun = true;
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/** A second ring around the other event. */
function drawOther(ctx, app) {
  const point = app.other >= 0 ? pointOfEvent(app, app.other) : null;
  if (!point) return;
  ctx.strokeStyle = colours.chain;
  ctx.lineWidth = 3;
  ctx.beginPath();
  ctx.arc(point[0], point[1], 11, 0, 2 * Math.PI);
  ctx.stroke();
}
