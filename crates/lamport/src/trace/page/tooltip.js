// The tooltip of an event, of a name and of the strip.

function showTooltip(app, event, clientX, clientY) {
  const { data } = app;
  const tooltip = byId('tooltip');
  const facts = factsOf(data, event).map(([name, text]) => [name, shortened(text, 300)]);
  const relation = app.relations ? [make('p', `to event ${app.selected}: ${RELATION_WORDS[app.relations.mark[event]]}`)] : [];
  tooltip.replaceChildren(
    make('p', headingOf(app, event)),
    make('p', shortened(data.texts[data.what[event]], 300)),
    factList(facts), ...relation);
  placeTooltip(tooltip, clientX, clientY);
}

function showNameTooltip(app, lane, clientX, clientY) {
  const { process, thread, members, title } = app.layout.lanes[lane];
  const tooltip = byId('tooltip');
  tooltip.replaceChildren(make('p', shortened(members ? title : app.data.processes[process], 300)));
  if (app.choice.compare) tooltip.append(make('p', `execution ${shortened(app.data.runs[process], 300)}`));
  if (thread >= 0) tooltip.append(make('p', `thread ${shortened(app.data.threads[thread].name, 300)}`));
  placeTooltip(tooltip, clientX, clientY);
}

/** Places the tooltip beside the pointer, inside the diagram: it never covers the panel or the controls. */
function placeTooltip(tooltip, clientX, clientY) {
  const box = byId('diagram').getBoundingClientRect();
  tooltip.style.maxWidth = `${Math.min(360, box.width - 8)}px`;
  tooltip.style.maxHeight = `${box.height - 8}px`;
  tooltip.hidden = false;
  const { width, height } = tooltip.getBoundingClientRect();
  const left = clientX + 16 + width < box.right ? clientX + 16 : clientX - 16 - width;
  const down = clientY + 16 + height < box.bottom ? clientY + 16 : clientY - 16 - height;
  tooltip.style.left = `${Math.max(box.left + 4, Math.min(left, box.right - width - 4))}px`;
  tooltip.style.top = `${Math.max(box.top + 4, Math.min(down, box.bottom - height - 4))}px`;
}
