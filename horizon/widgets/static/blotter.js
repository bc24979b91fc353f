// The blotter: tabs, filters, columns, what is done with many rows at once, and the grid.

const TYPING = 120; // milliseconds after the last letter before rows are looked for
const ACTIONS_WIDTH = { orders: 68, fills: 8, positions: 104 };
const AMEND_WIDTH = 62;
const GROWING = new Set(["market", "state"]);
const MANY = {
  orders: [
    ["selected", "cancel many", "Cancel selected", "Cancel the selected orders that are open"],
    ["shown", "cancel many", "Cancel shown", "Cancel every open order that the filters show"],
  ],
  positions: [
    ["selected", "flatten many", "Flatten selected", "Flatten the selected positions: closes them, cancels their orders, ends their algorithms"],
  ],
  fills: [],
};

// What the reader has chosen, and the rows, outlast a view that is moved to another place.
const kept = { tab: null, tables: new Map() };

function keptOf(shown, ask) {
  if (!kept.tables.has(shown.id)) {
    kept.tables.set(shown.id, {
      store: rowStore((have) => kept.ask(shown.id, have)),
      selected: new Set(),
      group: shown.group,
      find: "",
      filters: {},
      sort: [[shown.sort[0], shown.sort[1] ? "desc" : "asc"]],
    });
  }
  kept.ask = ask;
  return kept.tables.get(shown.id);
}

const counted = (number) => number.toLocaleString("en-US");

function blotter(body, send, { model }) {
  const root = body.parentElement;
  root.classList.add("hz-blotter");
  const uid = `hz-${Math.random().toString(36).slice(2)}`;
  const libraries = librariesOf(model, send);
  const ask = (table, have) => send("rows", { table, have });
  let shown = null;
  let here = null; // the table on show, as the kernel describes it
  let DataTable = null;
  let grid = null;
  let built = "";
  let isOver = false;
  let hasFilters = false;

  // ---------------------------------------------------------------- what stands around the grid
  const tabs = node("div", { class: "hz-tabs", role: "tablist", "aria-label": "Tables" });
  const find = node("input", { type: "search", "aria-label": "Find in all columns", placeholder: "Find in all columns" });
  const group = node("select", { "aria-label": "Which rows" });
  const filtering = node("button", { type: "button", class: "hz-button", "aria-pressed": "false" }, "Filters");
  const files = ["csv", "json"].map((format) => {
    const made = node("button", { type: "button", class: "hz-button" }, format.toUpperCase());
    set(made, { "aria-label": `Export what is shown as ${format.toUpperCase()}`, title: `Export what is shown as ${format.toUpperCase()}` });
    made.addEventListener("click", () => {
      if (grid) send("export", { table: here.id, format, numbers: grid.shown().map((row) => row.number) });
    });
    return made;
  });
  const view = viewOf(uid, send);
  const tools = node("div", { class: "hz-blotter-tools" }, find, group, filtering, view.element, ...files);
  const many = node("div", { class: "hz-blotter-many" });
  const host = node("div", { class: "hz-blotter-grid", id: `${uid}-panel`, role: "tabpanel" });
  const count = node("span", { class: "hz-blotter-count", id: `${uid}-count` });
  const foot = node("span");
  const held = node("span", { class: "hz-blotter-held" });
  const said = node("span", { class: "hz-blotter-said", role: "status" });
  const heard = node("span", { class: "hz-unseen", role: "status" });
  const keys = node(
    "p",
    { class: "hz-unseen", id: `${uid}-keys` },
    "Arrow keys, Page Up, Page Down, Home and End go through the rows; Space selects, Ctrl and A selects all that are shown; Enter goes to a row's buttons, Escape back.",
  );
  const line = node("div", { class: "hz-blotter-foot" }, count, foot, held, said);
  // Beside the body, not in it: that is out of reach once it has ended, and what is known can
  // be read, sorted and exported all the same.
  const whole = node("div", { class: "hz-blotter-whole" }, node("div", { class: "hz-blotter-top" }, tabs, tools), many, host, line, heard, keys);
  body.after(whole);

  const isEnded = () => root.dataset.state === "dead";
  const press = (item) => {
    if (!isEnded()) send(item.do, { id: item.id });
  };
  function announce(text) {
    write(heard, text);
  }

  // ---------------------------------------------------------------- tabs
  function goTo(name) {
    kept.tab = name;
    view.close(false);
    draw(shown);
  }
  function tab() {
    const made = node("button", { type: "button", role: "tab", class: "hz-tab" }, node("span"), node("span", { class: "hz-tab-count" }));
    made.addEventListener("click", () => goTo(made.hzName));
    made.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = shown.tables.map((it) => it.id);
      goTo(all[(all.indexOf(made.hzName) + step + all.length) % all.length]);
      tabs.querySelector("[aria-selected=true]").focus();
    });
    return made;
  }
  function drawTabs() {
    keyed(tabs, shown.tables, (it) => it.id, tab, (made, it) => {
      const isHere = it.id === here.id;
      made.hzName = it.id;
      write(made.firstChild, it.label);
      write(made.lastChild, it.count);
      set(made, { "aria-selected": String(isHere), "aria-controls": host.id, id: `${uid}-${it.id}` });
      made.tabIndex = isHere ? 0 : -1;
    });
    set(host, { "aria-labelledby": `${uid}-${here.id}` });
  }

  // ---------------------------------------------------------------- filters
  const mine = () => kept.tables.get(here.id);
  let passing = null;
  let sifted = ""; // what was asked for last
  function asking() {
    const { group, find, filters } = mine();
    return JSON.stringify([here.id, group, find, filters]);
  }
  function sift() {
    sifted = asking();
    passing = passOf(here.columns, mine());
    return passing.pass;
  }
  let typing = 0;
  function sought() {
    clearTimeout(typing);
    typing = setTimeout(apply, TYPING);
  }
  function apply() {
    if (!grid || isOver || asking() === sifted) return;
    // A question that was asked about other rows is asked no more.
    for (const it of many.querySelectorAll(".hz-armed")) it.hzTake({ ...it.hzAction, sure: null });
    grid.filter(sift());
    for (const input of host.querySelectorAll("[data-filter]")) {
      set(input, { "aria-invalid": passing.wrong.includes(input.dataset.filter) ? "true" : null });
    }
    drawFoot();
    announce(`${counted(grid.shown().length)} rows shown`);
  }
  find.addEventListener("input", () => {
    mine().find = find.value;
    sought();
  });
  group.addEventListener("change", () => {
    mine().group = group.value;
    apply();
  });
  filtering.addEventListener("click", () => {
    hasFilters = !hasFilters;
    drawFilters();
    grid?.refit();
    if (hasFilters) host.querySelector("[data-filter]")?.focus();
  });
  function filterOf(column) {
    const name = `Filter: ${column.label}`;
    const value = mine().filters[column.name] ?? "";
    let input;
    if (column.kind === "choice") {
      input = node("select", {}, node("option", { value: "" }, "any"), ...column.choices.map((it) => node("option", { value: it }, it)));
    } else {
      input = node("input", { type: "search", placeholder: column.kind === "number" ? ">, <, .." : "contains" });
      if (column.kind === "number") set(input, { title: "A comparison such as >100 or <=0.5, a range such as 10..20, or digits" });
    }
    set(input, { "aria-label": name, "data-filter": column.name });
    input.value = value;
    input.addEventListener("input", () => {
      mine().filters[column.name] = input.value;
      sought();
    });
    return node("td", {}, input);
  }
  function drawFilters() {
    if (!grid) return;
    grid.headTable.querySelector(".hz-filters")?.remove();
    const used = Object.values(mine().filters).filter((text) => text.trim() !== "").length;
    write(filtering, used > 0 ? `Filters (${used})` : "Filters");
    set(filtering, { "aria-pressed": String(hasFilters) });
    if (!hasFilters) return;
    const clear = node("button", { type: "button", class: "hz-button hz-quiet", "aria-label": "Clear all filters", title: "Clear all filters" }, "Clear");
    clear.addEventListener("click", () => {
      mine().filters = {};
      mine().find = find.value = "";
      drawFilters();
      apply();
      host.querySelector("[data-filter]")?.focus();
    });
    const cells = grid.columns.map(filterOf);
    if (grid.first) cells.unshift(node("td"));
    cells.push(node("td", { class: "hz-actions" }, clear));
    grid.headTable.append(node("tbody", { class: "hz-filters" }, node("tr", {}, ...cells)));
  }

  // ---------------------------------------------------------------- many rows at once
  function drawMany() {
    const { selected } = mine();
    const rows = grid ? grid.shown() : [];
    const isOpen = (row) => row.actions.length > 0;
    const items = MANY[here.id].map(([which, verb, label, name]) => {
      // Nothing is done with rows that nobody sees.
      const from = which === "shown" ? rows : rows.filter((row) => selected.has(row.number));
      const numbers = from.filter(isOpen).map((row) => row.number);
      const words = `${label} (${counted(numbers.length)})`;
      return { do: verb, id: which, label: words, name: `${name}: ${counted(numbers.length)}`, sure: "Sure?", off: numbers.length === 0 || isEnded(), numbers };
    });
    for (const item of here.tools) items.push({ ...item, off: isEnded() });
    keyed(
      many,
      items,
      (it) => `${here.id} ${it.do} ${it.id}`,
      () => button((it) => send(it.do, it.numbers ? { numbers: it.numbers } : { id: it.id }), {}, true),
      // What a button was armed with is what it does, whatever comes meanwhile.
      (made, it) => made.classList.contains("hz-armed") || made.hzTake(it),
    );
    many.hidden = items.length === 0;
  }
  let waiting = 0;
  function changed() {
    // Many pieces may come at once; what is said of them is said once.
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      if (isOver || !grid) return;
      drawMany();
      drawFoot();
    });
  }
  function drawFoot() {
    if (!grid) return;
    const { store, selected } = mine();
    const list = grid.shown();
    const rows = list.length;
    const all = store.rows.size;
    const parts = [rows === all ? `${counted(all)} ${all === 1 ? "row" : "rows"}` : `${counted(rows)} of ${counted(all)} rows`];
    if (selected.size > 0) {
      const unseen = selected.size - list.filter((row) => selected.has(row.number)).length;
      parts.push(`${counted(selected.size)} selected${unseen > 0 ? ` (${counted(unseen)} of them not shown)` : ""}`);
    }
    if (store.isBehind) parts.push("more are on their way");
    write(count, parts.join(", "));
    write(foot, here.foot);
    const [waits, what] = grid.held();
    write(held, waits > 0 ? `${counted(waits)} ${waits === 1 ? "change waits" : "changes wait"} ${what}` : "");
    host.dataset.empty = rows > 0 ? "" : store.isBehind ? "Coming…" : all === 0 || (here.group !== "" && !passing.isNarrow) ? here.empty : "Nothing passes the filters.";
    set(host, { "data-bare": rows === 0 ? "" : null });
  }

  // ---------------------------------------------------------------- the grid
  function build() {
    const want = JSON.stringify([here.id, here.chosen, here.columns, shown.density, here.id === "orders" && shown.amends]);
    if (want === built || !DataTable) return;
    const former = here.id === grid?.table ? grid.top() : 0;
    built = want;
    grid?.end();
    const { store, selected, sort } = mine();
    const chosen = new Set(here.chosen);
    const columns = here.columns
      .map((column, place) => ({ ...column, place, grows: GROWING.has(column.name) }))
      .filter((column) => chosen.has(column.name));
    root.style.setProperty("--hz-row", `${ROW_HEIGHTS[shown.density]}px`);
    root.style.setProperty("--hz-visible", shown.visible);
    grid = gridOf(DataTable, host, {
      store,
      columns,
      selected,
      sort,
      name: here.label,
      density: shown.density,
      canSelect: MANY[here.id].length > 0,
      actionsWidth: ACTIONS_WIDTH[here.id] + (here.id === "orders" && shown.amends ? AMEND_WIDTH : 0),
      describedBy: `${uid}-count ${uid}-keys`,
      pass: sift(),
      press,
      tell: changed,
      sorted: (order) => {
        mine().sort = order.filter(([name]) => name !== undefined);
      },
    });
    grid.table = here.id;
    if (former) grid.scrollTo(former);
    store.request();
    drawFilters();
  }
  async function start() {
    try {
      DataTable = (await libraries.get(shown.library)).default;
    } catch (error) {
      host.dataset.empty = `The grid did not start: ${error}`;
      return;
    }
    if (!isOver) draw(shown);
  }

  function hear(message, buffers) {
    if (message?.rows !== undefined) kept.tables.get(message.rows)?.store.hear(message, buffers);
  }
  model.on("msg:custom", hear);

  let started = false;
  function draw(picture) {
    shown = picture;
    here = shown.tables.find((it) => it.id === kept.tab) ?? shown.tables[0];
    for (const table of shown.tables) keptOf(table, ask);
    drawTabs();
    options(group, here.groups, mine().group);
    group.hidden = here.groups.length === 0;
    if (find.value !== mine().find && document.activeElement !== find) find.value = mine().find;
    if (!started) {
      started = true;
      host.dataset.empty = "Starting the grid for this page…";
      set(host, { "data-bare": "" });
      start();
    }
    build();
    view.draw(here, shown);
    mine().store.look(here.version);
    write(said, shown.said.text);
    changed();
  }
  // The end takes the buttons away that would act.
  const ending = new MutationObserver(() => {
    const canAsk = !isEnded() || model.get("ended") !== "";
    for (const made of files) made.disabled = !canAsk;
    view.disable(isEnded());
    if (grid) drawMany();
  });
  ending.observe(root, { attributes: true, attributeFilter: ["data-state"] });

  return {
    draw,
    end() {
      isOver = true;
      clearTimeout(typing);
      cancelAnimationFrame(waiting);
      ending.disconnect();
      view.end();
      model.off("msg:custom", hear);
      libraries.end();
      grid?.end();
    },
  };
}

export default { render: (context) => mount(context, blotter) };
