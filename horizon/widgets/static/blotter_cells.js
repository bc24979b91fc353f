// The rows of the grid as they are drawn: every text is put there as text.

const LONG = 18; // letters beyond which a cell may be cut, and tells itself when it is pointed at

// An item is a row with its place: {row, at, tr, matches, isGone}; `drawn` holds those that have
// elements.
function rowsOf({ uid, columns, first, selected, press, pick, isActive }) {
  const drawn = new Set();

  function make(item, tr) {
    item.tr = tr;
    drawn.add(item);
    set(tr, { id: `${uid}-${item.row.number}` });
    if (first) {
      const box = node("input", { type: "checkbox", tabindex: -1 });
      box.addEventListener("click", (event) => {
        event.stopPropagation();
        pick(item, event.shiftKey);
      });
      tr.cells[0].append(box);
      set(tr.cells[0], { class: "hz-pick" });
    }
    columns.forEach((column, i) => {
      const cell = tr.cells[first + i];
      if (i === 0) set(cell, { scope: "row" });
      set(cell, { class: column.kind === "number" ? "hz-number" : null });
      cell.append(node("bdi"));
    });
    set(tr.cells[tr.cells.length - 1], { class: "hz-actions" });
    fill(item);
  }
  function fill(item) {
    const { row, tr } = item;
    set(tr, { "data-tone": row.isOver ? "over" : null, "data-gone": item.isGone ? "" : null });
    columns.forEach((column, i) => {
      const [text, , tone] = row.cells[column.place];
      const cell = tr.cells[first + i];
      write(cell.firstChild, text);
      set(cell, { "data-tone": tone ?? null, title: text.length > LONG ? text : null });
    });
    const last = tr.cells[tr.cells.length - 1];
    const actions = item.isGone ? [] : row.actions;
    keyed(last, actions, (it) => it.do, () => button(press, { tabindex: -1 }, true), (made, it) => made.hzTake(it));
    mark(item);
  }
  function mark(item) {
    const isHere = isActive(item);
    const isPicked = selected.has(item.row.number);
    set(item.tr, { class: isHere ? "hz-active" : null, "aria-selected": first ? String(isPicked) : null });
    if (first) {
      const box = item.tr.cells[0].firstChild;
      box.checked = isPicked;
      set(box, { "aria-label": `Select ${item.row.cells[columns[0].place][0]}` });
    }
    // The buttons of the row that the keyboard is at can be reached with Tab.
    for (const it of item.tr.querySelectorAll(".hz-actions button")) it.tabIndex = isHere ? 0 : -1;
  }
  return { drawn, make, fill, mark };
}
