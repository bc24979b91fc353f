// A table of many rows: DataTables places, sorts and pages them; their cells are drawn here, as
// text. What has not been drawn by us, DataTables would write as HTML, so it is given none of it.

const ROW_HEIGHTS = { compact: 26, roomy: 34 }; // pixels, as in the style sheet
const CALM = 200; // milliseconds between two times that rows change their places, at least
const PADDING = 12; // pixels of a cell beside its text, as in the style sheet
const OTHER_WAY = ": sort the other way";
let gridsMade = 0;

function prepare(DataTable) {
  if (DataTable.ext.order.hz) return;
  DataTable.ext.errMode = "throw";
  DataTable.ext.type.order["hz-asc"] = sorter(1);
  DataTable.ext.type.order["hz-desc"] = sorter(-1);
  // The present values, each time: those that DataTables remembers may have changed.
  DataTable.ext.order.hz = (settings, column) => {
    const api = new DataTable.Api(settings);
    const items = api.rows({ order: "index" });
    const data = items.data();
    const keys = [];
    const key = api.table().node().hzKey;
    items.indexes().each((index, i) => {
      keys[index] = key(data[i].row.cells, column);
    });
    return keys;
  };
}

// `parts`: the store; the columns shown, each with its place in `row.cells`; how it is sorted; its
// name; `pass(row)`; whether rows can be selected; `press(action)`; and whom to tell.
function gridOf(DataTable, host, parts) {
  prepare(DataTable);
  const { store, columns, selected, tell } = parts;
  const uid = `hz-grid-${(gridsMade += 1)}`;
  const high = ROW_HEIGHTS[parts.density];
  const first = parts.canSelect ? 1 : 0;
  const items = new Map(); // by row number: {row, at, tr, matches}
  let pass = parts.pass;
  let isPointed = false;
  let isOver = false;
  let waiting = { added: [], gone: [], moved: 0 };
  let timer = 0;
  let lastDrawn = -CALM;
  let took = 0;
  let places = null; // indexes of DataTables in the order shown

  // ---------------------------------------------------------------- the table
  const head = node("tr");
  if (parts.canSelect) head.append(node("th", { class: "hz-pick" }, node("span", { class: "hz-unseen" }, "Selected")));
  for (const column of columns) {
    head.append(node("th", { class: column.kind === "number" ? "hz-number" : null, title: column.label }, column.label));
  }
  head.append(node("th", { class: "hz-actions" }, node("span", { class: "hz-unseen" }, "Actions")));
  const body = node("tbody");
  const table = node("table", { class: "hz-grid", id: uid }, node("thead", {}, head), body);
  table.hzKey = (cells, column) => cells[columns[column - first].place][1];
  host.replaceChildren(table);
  const blank = { data: () => "", searchable: false, type: "hz" };
  const order = parts.sort
    .map(([name, way]) => [columns.findIndex((column) => column.name === name) + first, way])
    .filter(([place]) => place >= first);
  const bare = { ...blank, orderable: false };
  const viewport = () => Math.max(2 * high, host.clientHeight - headHeight());
  function headHeight() {
    return host.querySelector(".dt-scroll-head")?.offsetHeight ?? high;
  }
  const api = new DataTable(table, {
    columns: [
      ...(parts.canSelect ? [bare] : []),
      ...columns.map((column, i) => ({
        ...blank,
        orderDataType: "hz",
        orderSequence: column.kind === "number" ? ["desc", "asc"] : ["asc", "desc"],
        cellType: i === 0 ? "th" : "td",
      })),
      bare,
    ],
    order,
    autoWidth: false,
    typeDetect: false,
    deferRender: true,
    orderClasses: false,
    layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null },
    scrollY: `${viewport()}px`,
    scroller: { rowHeight: high, displayBuffer: 4 },
    language: { emptyTable: "", zeroRecords: "", aria: { orderable: ": sort", orderableReverse: OTHER_WAY, orderableRemove: OTHER_WAY } },
    createdRow: (tr, item) => rows.make(item, tr),
  });
  const inner = api.settings()[0];
  const scroller = host.querySelector(".dt-scroll-body");
  const headBox = host.querySelector(".dt-scroll-head");
  const headTable = headBox.querySelector("table");
  set(headTable, { "aria-label": `${parts.name}: headings`, class: "hz-grid hz-grid-head" });
  headBox.addEventListener("scroll", () => {
    if (scroller.scrollLeft !== headBox.scrollLeft) scroller.scrollLeft = headBox.scrollLeft;
  });
  const least = columns.reduce((sum, column) => sum + column.width + PADDING, 0) + (first ? 30 : 0) + parts.actionsWidth;
  for (const one of [table, headTable]) one.style.minWidth = `${least}px`;
  // The rows can be walked through with the keyboard, which stays at the table as a whole.
  set(table, {
    role: "grid",
    tabindex: 0,
    "aria-label": parts.name,
    "aria-multiselectable": parts.canSelect ? "true" : null,
    "aria-describedby": parts.describedBy,
  });
  api.search.fixed("hz", (_, item) => item.matches);

  const grid = { table, scroller, items, selected, high, first, tell, shown, placeOf, scrollTo };
  const keys = keysOf(grid);
  const rows = rowsOf({ uid, columns, first, selected, press: parts.press, pick: keys.pick, isActive: keys.isActive });
  grid.rows = rows;
  const { drawn } = rows;

  // Widths as they were asked for; DataTables then takes those that the page has made of them.
  function widen() {
    const cols = [...table.querySelectorAll("col")];
    const widths = [
      ...(first ? ["30px"] : []),
      ...columns.map((column) => (column.grows ? "" : `${column.width + PADDING}px`)),
      `${parts.actionsWidth}px`,
    ];
    cols.forEach((col, i) => {
      col.style.width = widths[i];
    });
  }

  // Rows out of sight give their elements back; DataTables would keep all that were ever seen.
  function forget() {
    for (const item of drawn) {
      if (item.tr.isConnected) continue;
      drawn.delete(item);
      item.tr = null;
      const made = item.at === null ? null : inner.aoData[item.at];
      if (made) {
        made.nTr = null;
        made.anCells = [];
      }
    }
  }

  // ---------------------------------------------------------------- what changes
  const sortedBy = () => api.order().map(([place]) => place);
  function take({ added, changed, gone }) {
    for (const row of gone) {
      const item = items.get(row.number);
      items.delete(row.number);
      if (!item) continue;
      item.isGone = true;
      selected.delete(row.number);
      if (item.at === null) waiting.added.splice(waiting.added.indexOf(item), 1);
      else waiting.gone.push(item);
      if (item.tr) rows.fill(item);
    }
    for (const row of added) {
      const item = { row, at: null, tr: null, matches: pass(row), isGone: false };
      items.set(row.number, item);
      waiting.added.push(item);
    }
    const by = sortedBy();
    for (const row of changed) {
      const item = items.get(row.number);
      if (row.isOver) selected.delete(row.number); // nothing is left to do with it
      const matched = item.matches;
      item.matches = pass(row);
      const isMoved = by.some((place) => table.hzKey(row.before, place) !== table.hzKey(row.cells, place));
      if (item.at !== null && (isMoved || matched !== item.matches)) waiting.moved += 1;
      if (item.tr) rows.fill(item);
    }
    if (added.length + gone.length > 0 || waiting.moved > 0) later();
    tell();
  }
  const count = () => waiting.added.length + waiting.gone.length + waiting.moved;
  // Nothing moves below a pointer, an armed button, or a button that the keyboard is at.
  function isHeld() {
    if (isPointed && drawn.size > 0) return "until the pointer leaves the rows";
    const isAt = body.querySelector(".hz-armed, .hz-actions :focus-visible, .hz-pick :focus-visible");
    return isAt ? "until the row's button is left" : "";
  }
  function later() {
    if (timer || isOver) return;
    const wait = Math.max(CALM, 4 * took) - (performance.now() - lastDrawn);
    timer = setTimeout(() => {
      timer = 0;
      if (isHeld()) {
        timer = setTimeout(() => {
          timer = 0;
          later();
        }, CALM);
        tell();
      } else refresh();
    }, Math.max(0, wait));
  }
  // Scroller places rows by what it has heard of, and a busy page hears of scrolling too late.
  function follow() {
    scroller.dispatchEvent(new Event("scroll"));
  }
  function scrollTo(top) {
    if (scroller.scrollTop === top) return;
    scroller.scrollTop = top;
    follow();
  }
  // Where the rows that are about to be drawn begin. DataTables begins at whole pages, and
  // Scroller then places them as if they were others.
  let steer = null;
  function settle(wanted) {
    const rows = inner.aiDisplay.length;
    const top = Math.min(Math.max(wanted, 0), Math.max(0, rows * high - scroller.clientHeight));
    const state = inner.oScroller.s;
    const above = Math.ceil(((state.displayBuffer - 1) / 2) * state.viewportRows);
    const start = Math.min(Math.floor(top / high) - above, rows - inner._iDisplayLength);
    inner._iDisplayStart = Math.max(0, start - (start % 2)); // whose stripes stay
    if (scroller.scrollTop !== top) scroller.scrollTop = top;
    Object.assign(state, { topRowFloat: top / high, lastScrollTop: top, scrollType: "cont" });
  }
  api.on("preDraw", () => steer?.());
  // Put every row into its place: new ones in, those that have gone out. What the reader looks at
  // keeps its place on the screen.
  function refresh() {
    if (isOver) return;
    clearTimeout(timer);
    timer = 0;
    const began = performance.now();
    const { added, gone } = waiting;
    waiting = { added: [], gone: [], moved: 0 };
    follow();
    const hasFocus = host.contains(document.activeElement);
    const top = scroller.scrollTop;
    const anchor = top > 0 || hasFocus ? anchored(top) : null;
    if (gone.length > 0) {
      api.rows(gone.map((item) => item.at)).remove();
      for (const item of gone) item.at = null;
    }
    if (added.length > 0) {
      const indexes = api.rows.add(added).indexes();
      added.forEach((item, i) => {
        item.at = indexes[i];
      });
    }
    places = null;
    steer = () => {
      const now = anchor === null ? -1 : inner.aiDisplay.indexOf(anchor.item.at);
      settle(now < 0 ? top : top + (now - anchor.place) * high);
    };
    try {
      api.draw(false);
    } finally {
      steer = null;
    }
    lastDrawn = performance.now();
    took = lastDrawn - began;
    tell();
  }
  function anchored(top) {
    const item = keys.here();
    if (item && placeOf(item) >= 0 && host.contains(document.activeElement)) return { item, place: placeOf(item) };
    if (top === 0) return null;
    const place = Math.floor(top / high);
    const found = shown()[place];
    return found ? { item: found, place } : null;
  }
  function shown() {
    places ??= api.rows({ search: "applied", order: "applied" }).data().toArray();
    return places;
  }
  function placeOf(item) {
    return shown().indexOf(item);
  }

  api.on("draw", () => {
    places = null;
    forget();
    const { start } = api.page.info();
    [...body.rows].forEach((tr, i) => set(tr, { "aria-rowindex": drawn.size ? start + i + 2 : null }));
    set(table, { "aria-rowcount": api.page.info().recordsDisplay + 1 });
    // The headings that give the rows their widths are nobody's to press.
    for (const it of table.querySelectorAll("thead [role]")) set(it, { role: null, "aria-label": null });
    for (const it of table.querySelectorAll("thead th")) set(it, { "aria-sort": null, title: null });
    keys.point();
  });
  api.on("order", () => {
    places = null;
    parts.sorted(api.order().map(([place, way]) => [columns[place - first]?.name, way]));
  });

  scroller.addEventListener("pointerenter", (event) => {
    isPointed = event.pointerType === "mouse";
  });
  scroller.addEventListener("pointerleave", () => {
    isPointed = false;
    if (count() > 0) later();
    tell();
  });

  // ---------------------------------------------------------------- its size
  let size = "";
  function fit() {
    const now = `${host.clientWidth} ${viewport()}`;
    if (now === size || host.clientWidth === 0 || isOver) return;
    size = now;
    Object.assign(scroller.style, { height: `${viewport()}px`, maxHeight: `${viewport()}px` });
    widen();
    api.scroller.measure();
    set(host, { "data-wide": scroller.scrollWidth > scroller.clientWidth + 1 ? "" : null });
  }
  let frame = 0;
  const watch = new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(fit);
  });
  watch.observe(host);

  store.listeners.add(take);
  take({ added: [...store.rows.values()], changed: [], gone: [] });
  refresh();
  fit();
  return {
    headTable,
    columns,
    first,
    refit: fit,
    // Ask anew of every row whether it is shown.
    filter(next) {
      pass = next;
      for (const item of items.values()) item.matches = pass(item.row);
      scrollTo(0);
      refresh();
    },
    shown: () => shown().map((item) => item.row),
    top: () => scroller.scrollTop,
    scrollTo,
    // How many changes wait, and for what.
    held() {
      const what = isHeld();
      return [what ? count() : 0, what];
    },
    end() {
      isOver = true;
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      watch.disconnect();
      store.listeners.delete(take);
      for (const item of drawn) item.tr = null;
      api.destroy(true);
    },
  };
}
