// Search and filters: the events that match, and those that are shown.

function addChoices(container, names, shown, isChecked = true) {
  byId(container).replaceChildren(...names.map((name, index) => {
    const box = make('input', '', { type: 'checkbox', checked: isChecked });
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
  showChecked(container, shown);
  changeLayout();
}

function showChecked(container, shown) {
  byId(container).querySelectorAll('input').forEach((box, index) => { box.checked = shown[index] === 1; });
}

function setUpFilters(app) {
  const { data, choice } = app;
  const counts = new Int32Array(data.kinds.length);
  for (const kind of data.kind) counts[kind]++;
  addChoices('process-choices', data.processes, choice.processes);
  addChoices('kind-choices', data.kinds.map((kind, k) => `${kind} (${counts[k]})`), choice.kinds);
  // A kind without an event has nothing to choose.
  byId('kind-choices').querySelectorAll('label').forEach((label, kind) => { label.hidden = counts[kind] === 0; });
  const size = (program) => (data.programSizes[program] === 1 ? '1 process' : `${data.programSizes[program]} processes`);
  addChoices('program-choices', data.programs.map((name, program) => `${name} (${size(program)})`), choice.folded, false);
  for (const [id, container, shown, checked] of [
    ['processes-all', 'process-choices', choice.processes, true], ['processes-none', 'process-choices', choice.processes, false],
    ['kinds-all', 'kind-choices', choice.kinds, true], ['kinds-none', 'kind-choices', choice.kinds, false],
    ['programs-fold', 'program-choices', choice.folded, true], ['programs-unfold', 'program-choices', choice.folded, false],
  ]) byId(id).onclick = () => setAll(container, shown, checked);
  byId('empty-all').onclick = () => {
    choice.processes.fill(1);
    choice.kinds.fill(1);
    showChecked('process-choices', choice.processes);
    showChecked('kind-choices', choice.kinds);
    changeLayout();
  };
}

/** Says it when the filters leave nothing to show. */
function showFilterState({ choice, layout, data }) {
  const isOn = choice.processes.includes(0) || choice.kinds.includes(0);
  byId('filters-on').textContent = isOn ? ' (on)' : '';
  const isEmpty = layout.visible.length === 0 && data.n > 0;
  byId('empty').hidden = !isEmpty;
  const words = !choice.processes.includes(1) ? 'No process is chosen in the filters.'
    : !choice.kinds.includes(1) ? 'No kind of event is chosen in the filters.' : 'No event passes the filters.';
  byId('empty-words').textContent = isEmpty ? words : '';
}

/** Folds the lanes of a program into one, or unfolds them. */
function toggleProgram(app, program) {
  app.choice.folded[program] = 1 - app.choice.folded[program];
  showChecked('program-choices', app.choice.folded);
  changeLayout();
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

/** The next or previous of these events after the selected one, from the end to the beginning again; -1: there is none. */
function neighbourIn(events, selected, step) {
  if (events.length === 0) return -1;
  const at = lowerBound(events, selected, 0, events.length);
  const next = step < 0 ? at - 1 : events[at] === selected ? at + 1 : at;
  return events[(next + events.length) % events.length];
}

/** Goes to a match, in the middle of the diagram, with the other end of its message in view. */
function goToMatch(app, step) {
  const { data, layout, matches, selected } = app;
  const event = neighbourIn(matches, selected, step);
  if (event < 0) return;
  select(event, { still: true });
  const others = [...effectsByMessage(data, event), ...causesByMessage(data, event)];
  centreWith(layout, event, others.find((other) => layout.laneOf[other] >= 0) ?? -1);
}

function showMatchCount(app) {
  const { matches, selected } = app;
  const at = lowerBound(matches, selected, 0, matches.length);
  const searched = byId('search').value !== '';
  const place = matches[at] === selected && matches.length > 0 ? `${at + 1} of ${matches.length}` : `${matches.length} found`;
  byId('search-count').textContent = searched ? place : '';
  byId('match-next').disabled = byId('match-previous').disabled = matches.length === 0;
}
