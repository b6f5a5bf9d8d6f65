// Search and filters: the events that match, and those that are shown.

function addChoices(container, names, shown) {
  byId(container).replaceChildren(...names.map((name, index) => {
    const box = make('input', '', { type: 'checkbox', checked: true });
    box.onchange = () => {
      shown[index] = box.checked ? 1 : 0;
      changeLayout();
    };
    const label = make('label');
    label.append(box, make('span', name));
    return label;
  }));
}

function setAll(container, shown, checked) {
  shown.fill(checked ? 1 : 0);
  for (const box of byId(container).querySelectorAll('input')) box.checked = checked;
  changeLayout();
}

function setUpFilters(app) {
  const { data, choice } = app;
  const counts = new Int32Array(data.kinds.length);
  for (const kind of data.kind) counts[kind]++;
  addChoices('process-choices', data.processes, choice.processes);
  addChoices('kind-choices', data.kinds.map((kind, k) => `${kind} (${counts[k]})`), choice.kinds);
  byId('processes-all').onclick = () => setAll('process-choices', choice.processes, true);
  byId('processes-none').onclick = () => setAll('process-choices', choice.processes, false);
  byId('kinds-all').onclick = () => setAll('kind-choices', choice.kinds, true);
  byId('kinds-none').onclick = () => setAll('kind-choices', choice.kinds, false);
}

function setUpSearch(app) {
  const search = byId('search');
  let waiting = 0;
  search.oninput = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => findMatches(app), app.data.n > 50000 ? 250 : 60);
  };
  search.onkeydown = (pressed) => {
    if (pressed.key !== 'Enter') return;
    clearTimeout(waiting);
    findMatches(app);
    goToMatch(app, pressed.shiftKey ? -1 : 1);
    pressed.preventDefault();
  };
  byId('match-next').onclick = () => goToMatch(app, 1);
  byId('match-previous').onclick = () => goToMatch(app, -1);
  showMatchCount(app);
}

/** Each text is searched once, not once for every event that has it. */
function findMatches(app) {
  const { data, layout } = app;
  const query = byId('search').value.toLowerCase();
  if (query === '') {
    app.matches = new Int32Array(0);
  } else {
    if (!app.lowered) app.lowered = data.texts.map((text) => text.toLowerCase());
    const inText = Uint8Array.from(app.lowered, (text) => (text.includes(query) ? 1 : 0));
    const inPlace = Uint8Array.from(data.threads, ({ process, name }) => (
      name.toLowerCase().includes(query) || data.processes[process].toLowerCase().includes(query) ? 1 : 0));
    app.matches = layout.visible.filter((event) => (
      inPlace[data.thread[event]] || inText[data.what[event]]
      || data.fields.some(({ column }) => column[event] >= 0 && inText[column[event]])));
  }
  app.matchColumns = columnsOf(layout, app.matches);
  showMatchCount(app);
  requestFrame();
}

/** The columns of the overview with matches. */
function columnsOf(layout, events) {
  const columns = new Uint8Array(OVERVIEW_COLUMNS);
  for (const event of events) columns[overviewColumn(layout, event)] = 1;
  return columns;
}

function goToMatch(app, step) {
  const { matches, selected } = app;
  if (matches.length === 0) return;
  const at = lowerBound(matches, selected, 0, matches.length);
  const next = step < 0 ? at - 1 : matches[at] === selected ? at + 1 : at;
  select(matches[(next + matches.length) % matches.length]);
}

function showMatchCount(app) {
  const { matches, selected } = app;
  const at = lowerBound(matches, selected, 0, matches.length);
  const searched = byId('search').value !== '';
  const place = matches[at] === selected && matches.length > 0 ? `${at + 1} of ${matches.length}` : `${matches.length} found`;
  byId('search-count').textContent = searched ? place : '';
  byId('match-next').disabled = byId('match-previous').disabled = matches.length === 0;
}
