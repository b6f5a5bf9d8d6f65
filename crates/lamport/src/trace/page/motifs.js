// Motifs: places where messages follow a pattern. Request and reply, broadcast, gather, and one that is drawn by choosing events.

const MOST_MOTIFS = 10000, MOST_DRAWN = 12, MOST_TRIES = 2000000;
const MOTIF_WORDS = {
  none: 'No motif is searched for.',
  reply: 'A process sends to another, and that one sends back after it has received.',
  broadcast: 'A process sends to several others, and receives nothing in between.',
  gather: 'A process receives from several others, and sends nothing in between.',
  drawn: 'Events of the same kinds, on processes and with messages between them as the chosen events have them.',
};

/** Each motif found: its events in causal order, and its messages. */
const motif = (data, messages, events = []) => ({
  messages,
  events: [...new Set([...events, ...messages.flatMap((m) => [data.from[m], data.to[m]])])].sort((a, b) => a - b),
});

const isBetweenProcesses = (data, m) => data.process[data.from[m]] !== data.process[data.to[m]];

/** Each message with the first one back that was sent after its receipt; each answers one request. */
function requestsAndReplies(data) {
  const { process, thread, from, to } = data;
  const pairKey = (a, b) => a * data.processes.length + b;
  const bySides = new Map();
  for (let m = 0; m < from.length; m++) {
    if (!isBetweenProcesses(data, m)) continue;
    const key = pairKey(process[from[m]], process[to[m]]);
    if (!bySides.has(key)) bySides.set(key, []);
    bySides.get(key).push(m);
  }
  const found = [], isUsed = new Uint8Array(from.length);
  const position = new Map();
  for (const m of Array.from(from.keys()).sort((a, b) => to[a] - to[b])) {
    if (isUsed[m] || found.length >= MOST_MOTIFS || !isBetweenProcesses(data, m)) continue;
    const key = pairKey(process[to[m]], process[from[m]]);
    const back = bySides.get(key) || [];
    let at = position.get(key) || 0;
    while (at < back.length && from[back[at]] < to[m]) at++;
    position.set(key, at);
    // A server with several threads answers on the thread that has received.
    const near = back.slice(at, at + 64).filter((b) => !isUsed[b] && to[b] > from[m]);
    const reply = near.find((b) => thread[from[b]] === thread[to[m]] && thread[to[b]] === thread[from[m]]) ?? near[0];
    if (reply === undefined) continue;
    isUsed[reply] = 1;
    found.push(motif(data, [m, reply]));
  }
  return found;
}

/** Messages of one process in one direction, without one in the other direction between them, with at least so many others. */
function fans(data, isBroadcast, least) {
  const ends = isBroadcast ? data.sentBy : data.receivedBy;
  const opposite = isBroadcast ? data.receivedBy : data.sentBy;
  const otherEnd = isBroadcast ? data.to : data.from;
  const found = [], current = data.processes.map(() => ({ messages: [], others: new Set() }));
  const close = (process) => {
    const { messages, others } = current[process];
    if (others.size >= least && found.length < MOST_MOTIFS) found.push(motif(data, messages));
    current[process] = { messages: [], others: new Set() };
  };
  for (let e = 0; e < data.n; e++) {
    const process = data.process[e];
    const isTurn = opposite.start[e] < opposite.start[e + 1];
    if (isTurn) close(process);
    for (let i = ends.start[e]; i < ends.start[e + 1]; i++) {
      const message = ends.items[i];
      const other = data.process[otherEnd[message]];
      if (other === process) continue;
      // The same partner a second time begins another round.
      if (current[process].others.has(other) && current[process].messages.every((m) => (isBroadcast ? data.from : data.to)[m] !== e)) close(process);
      current[process].messages.push(message);
      current[process].others.add(other);
    }
  }
  data.processes.forEach((_, process) => close(process));
  return found.sort((a, b) => a.events[0] - b.events[0]);
}

/** What the chosen events are to each other: for each one its kind, the earlier ones with a message to it, and those of its process. */
function shapeOf(data, drawn) {
  const events = [...drawn].sort((a, b) => a - b);
  return events.map((event, i) => ({
    kind: data.kind[event],
    causes: events.slice(0, i).flatMap((other, j) => (causesByMessage(data, event).includes(other) ? [j] : [])),
    before: events.slice(0, i).findLastIndex((other) => data.process[other] === data.process[event]),
  }));
}

/** All places with that shape, one for each first event: the next events of a process are the first ones that fit. */
function placesLike(data, drawn) {
  const shape = shapeOf(data, drawn);
  const found = [];
  let tries = 0;
  const isFree = (chosen, event, i) => {
    if (data.kind[event] !== shape[i].kind || chosen.includes(event)) return false;
    const { before, causes } = shape[i];
    const isOnProcess = before >= 0 && data.process[chosen[before]] === data.process[event] && chosen[before] < event;
    const isNew = before < 0 && chosen.every((other) => data.process[other] !== data.process[event]);
    return (isOnProcess || isNew) && causes.every((j) => causesByMessage(data, event).includes(chosen[j]));
  };
  function* candidates(chosen, i) {
    const { before, causes } = shape[i];
    if (causes.length > 0) {
      yield* effectsByMessage(data, chosen[causes[0]]);
    } else if (before >= 0) {
      for (let e = data.after[chosen[before]]; e >= 0; e = data.after[e]) yield e;
    } else {
      for (let e = chosen[i - 1] + 1; e < data.n; e++) yield e;
    }
  }
  const complete = (chosen) => {
    const i = chosen.length;
    if (i === shape.length) return chosen;
    for (const event of candidates(chosen, i)) {
      if (++tries > MOST_TRIES) return null;
      if (!isFree(chosen, event, i)) continue;
      const whole = complete([...chosen, event]);
      if (whole) return whole;
    }
    return null;
  };
  for (let e = 0; e < data.n && found.length < MOST_MOTIFS && tries <= MOST_TRIES; e++) {
    if (shape.length === 0 || data.kind[e] !== shape[0].kind) continue;
    const whole = complete([e]);
    if (whole) found.push(motif(data, messagesAmong(data, whole, shape), whole));
  }
  found.isCut = tries > MOST_TRIES;
  return found;
}

function messagesAmong(data, events, shape) {
  return shape.flatMap(({ causes }, i) => causes.map((j) => {
    const { start, items } = data.receivedBy;
    return items.subarray(start[events[i]], start[events[i] + 1]).find((m) => data.from[m] === events[j]);
  }));
}

function findMotifs(app) {
  const { data, drawn } = app;
  const kind = byId('motif').value;
  const least = Math.max(2, Math.min(Number(byId('motif-least').value) || 2, data.processes.length));
  const find = {
    none: () => [],
    reply: () => requestsAndReplies(data),
    broadcast: () => fans(data, true, least),
    gather: () => fans(data, false, least),
    drawn: () => placesLike(data, drawn),
  }[kind];
  app.motifs = find();
  app.motif = -1;
  app.motifEvents = Int32Array.from(new Set(app.motifs.flatMap((it) => it.events))).sort();
  byId('motif-least-label').hidden = kind !== 'broadcast' && kind !== 'gather';
  byId('motif-drawing').hidden = kind !== 'drawn';
  byId('motif-state').textContent = kind === 'none' ? '' : ' (on)';
  showMotif(app);
  requestFrame();
}

function showMotif(app) {
  const { motifs, drawn, data } = app;
  const kind = byId('motif').value;
  byId('motif-words').textContent = MOTIF_WORDS[kind];
  const more = motifs.length >= MOST_MOTIFS ? 'at least ' : motifs.isCut ? 'a long search was ended; ' : '';
  const place = app.motif >= 0 ? `${app.motif + 1} of ${motifs.length}` : `${more}${motifs.length} found`;
  byId('motif-count').textContent = kind === 'none' ? '' : place;
  byId('motif-next').disabled = byId('motif-previous').disabled = motifs.length === 0;
  byId('motif-chosen').replaceChildren(...(drawn.length === 0
    ? [make('li', 'None yet: select an event and press m, or use the button in its details.')]
    : drawn.map((event) => make('li', `${event} ${placeOf(data, event)}: ${data.kinds[data.kind[event]]}`))));
}

/** The first motif after the selected event, or the one before it; all of it comes into view. */
function goToMotif(app, step) {
  const { motifs, layout } = app;
  if (motifs.length === 0) return;
  const first = motifs.findIndex((it) => it.events[0] >= app.selected);
  if (app.motif >= 0) app.motif += step;
  else app.motif = first < 0 ? (step > 0 ? 0 : motifs.length - 1) : step > 0 ? first : first - 1;
  app.motif = (app.motif + motifs.length) % motifs.length;
  const found = motifs[app.motif];
  select(found.events[0], { still: true });
  fitEvents(layout, found.events);
  showMotif(app);
  byId('live').textContent = `motif ${app.motif + 1} of ${motifs.length}; ${sentenceOf(app, found.events[0])}`;
  requestFrame();
}

/** Adds the event to the drawn motif, or removes it. */
function toggleDrawn(app, event) {
  if (event < 0) return;
  const isThere = app.drawn.includes(event);
  if (!isThere && app.drawn.length >= MOST_DRAWN) {
    byId('live').textContent = `a motif has at most ${MOST_DRAWN} events`;
    return;
  }
  app.drawn = isThere ? app.drawn.filter((other) => other !== event) : [...app.drawn, event].sort((a, b) => a - b);
  byId('motif').value = 'drawn';
  findMotifs(app);
  showDetails(app);
  byId('live').textContent = `event ${event} is ${isThere ? 'removed from' : 'part of'} the motif: ${counted(app.motifs.length, 'place')} like it`;
}

function setUpMotifs(app) {
  byId('motif').onchange = () => findMotifs(app);
  byId('motif-least').oninput = () => findMotifs(app);
  byId('motif-next').onclick = () => goToMotif(app, 1);
  byId('motif-previous').onclick = () => goToMotif(app, -1);
  byId('motif-clear').onclick = () => {
    app.drawn = [];
    findMotifs(app);
    showDetails(app);
  };
  findMotifs(app);
}

/** Boxes around the events of all motifs; the messages of the present one are thick, its events have full boxes. */
function drawMotif(ctx, app) {
  const { data, layout, motifs, motif: present, drawn } = app;
  ctx.strokeStyle = colours.match;
  ctx.lineWidth = 1.5;
  for (const [x, y] of spreadPoints(app, app.motifEvents, 8)) ctx.strokeRect(x - 8.5, y - 8.5, 17, 17);
  ctx.lineWidth = 3;
  if (present >= 0 && motifs[present]) {
    for (const [x, y] of spreadPoints(app, motifs[present].events, 4)) ctx.strokeRect(x - 10, y - 10, 20, 20);
    const inLayout = motifs[present].messages.filter((m) => layout.laneOf[data.from[m]] >= 0 && layout.laneOf[data.to[m]] >= 0);
    inLayout.forEach((message) => drawLine(ctx, app, message));
  }
  if (drawn.length === 0) return;
  ctx.strokeStyle = colours.chain;
  ctx.setLineDash([3, 2]);
  for (const [x, y] of spreadPoints(app, drawn, 4)) ctx.strokeRect(x - 12, y - 12, 24, 24);
  ctx.setLineDash([]);
}
