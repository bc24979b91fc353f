// Which row of the grid the keyboard is at, and which are selected.

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

// `grid` is what gridOf has: its table, scroller, items and rows, and the order that they are in.
function keysOf(grid) {
  const { table, scroller, items, selected, high, first, tell } = grid;
  let active = null; // the number of the row that the keyboard is at

  table.tBodies[0].addEventListener("pointerdown", (event) => {
    const tr = event.target.closest("tr");
    const item = [...grid.rows.drawn].find((one) => one.tr === tr);
    if (item) activate(item, false);
  });
  const here = () => (active === null ? undefined : items.get(active));
  let anchorPick = null; // the row that a range begins with

  function pick(item, isRange) {
    const { number } = item.row;
    const list = grid.shown();
    const from = anchorPick === null ? -1 : list.findIndex((one) => one.row.number === anchorPick);
    const to = list.indexOf(item);
    const isOn = !selected.has(number);
    const range = isRange && from >= 0 && to >= 0 ? list.slice(Math.min(from, to), Math.max(from, to) + 1) : [item];
    for (const one of range) {
      if (isOn || isRange) selected.add(one.row.number);
      else selected.delete(one.row.number);
    }
    anchorPick = number;
    remark();
  }
  function remark() {
    for (const item of grid.rows.drawn) grid.rows.mark(item);
    tell();
  }
  // Say where the keyboard is.
  function point() {
    const item = here();
    const isDrawn = item?.tr?.isConnected;
    set(table, { "aria-activedescendant": isDrawn ? item.tr.id : null });
  }
  function activate(item, isKept = true) {
    const former = here();
    active = item.row.number;
    if (former?.tr) grid.rows.mark(former);
    if (item.tr) grid.rows.mark(item);
    if (isKept) {
      const top = grid.placeOf(item) * high;
      const view = scroller.clientHeight;
      if (top < scroller.scrollTop) grid.scrollTo(top);
      else if (top + high > scroller.scrollTop + view) grid.scrollTo(top + high - view);
    }
    point();
  }
  table.addEventListener("keydown", (event) => {
    const list = grid.shown();
    const isInRow = event.target !== table;
    if (event.key === "Escape" && isInRow) {
      event.preventDefault();
      event.stopPropagation();
      table.focus({ preventScroll: true });
      return;
    }
    if (isInRow || event.altKey) return;
    const item = here();
    const at = item ? list.indexOf(item) : -1;
    const page = Math.max(1, Math.floor(scroller.clientHeight / high) - 1);
    let to = null;
    if (event.key in STEPS) to = at < 0 ? Math.floor(scroller.scrollTop / high) : at + STEPS[event.key];
    else if (event.key === "PageDown") to = at + page;
    else if (event.key === "PageUp") to = at - page;
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = list.length - 1;
    if (to !== null && list.length > 0) {
      event.preventDefault();
      const next = list[Math.min(Math.max(to, 0), list.length - 1)];
      if (event.shiftKey && first && item) {
        selected.add(item.row.number);
        selected.add(next.row.number);
      }
      activate(next);
      if (event.shiftKey) remark();
      return;
    }
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      scroller.scrollLeft += event.key === "ArrowRight" ? 80 : -80;
    } else if (event.key === " " && first && item) {
      event.preventDefault();
      pick(item, event.shiftKey);
    } else if (event.key === "a" && (event.ctrlKey || event.metaKey) && first) {
      event.preventDefault();
      event.stopPropagation();
      selected.clear(); // what is not shown is not selected with it
      for (const one of list) selected.add(one.row.number);
      remark();
    } else if (event.key === "Escape" && selected.size > 0) {
      event.preventDefault();
      selected.clear();
      remark();
    } else if (event.key === "Enter" && item?.tr) {
      event.preventDefault();
      item.tr.querySelector(".hz-actions button:not(:disabled)")?.focus();
    }
  });
  return {
    isActive: (item) => item.row.number === active,
    here,
    pick,
    point,
    remark,
  };
}
