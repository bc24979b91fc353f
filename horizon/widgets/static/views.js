// The views of results, tearsheet and calibration: choices, what to know, numbers, tabs, files.

const SHORT_NAME = 24; // letters that stay on one line

function viewOf(body, send, context) {
  const uid = `hz-${Math.random().toString(36).slice(2)}`;
  body.classList.add("hz-view");
  const press = (item) => send(item.do, { kind: item.id });

  const title = node("bdi", { class: "hz-title" });
  const period = node("span", { class: "hz-hint" });
  const exports = node("span", { class: "hz-tools hz-view-exports", role: "group", "aria-label": "Save as a file" });

  const choices = node("div", { role: "group", "aria-label": "What is shown" });
  // What was changed here since the kernel was last level with it. The other fields may have been
  // changed there meanwhile, and what the page still has of them is nobody's wish.
  const touched = new Set();
  const form = formOf(choices, (given) => send("change", { ...given, touched: [...touched] }), {
    onChange: (name) => touched.add(name),
  });
  const working = node("span", { role: "status" });
  const stop = button(() => send("stop"));
  stop.hzTake({ label: "Stop", name: "Stop this work" });
  const reset = button(() => send("reset"));
  reset.hzTake({ label: "Show all", name: "Take back every choice" });
  // It keeps its room while it is empty: nothing may move when work begins or ends.
  const state = node("div", { class: "hz-view-state" }, working, stop, reset);
  const name = node("div", { class: "hz-view-name" }, title, period);
  const head = node("div", { class: "hz-head" }, name, state, exports);

  const cautions = node("ul", { class: "hz-view-cautions", "aria-label": "What to know first" });
  const key = node("dl", { class: "hz-facts hz-view-key" });
  const tabs = node("div", { class: "hz-view-tabs", role: "tablist", "aria-label": "Parts" });
  const figures = node("div");
  const tables = node("div", { class: "hz-view-tables" });
  const empty = node("p", { class: "hz-hint", hidden: true });
  const panel = node("div", { role: "tabpanel", id: `${uid}-panel`, class: "hz-view-panel" }, empty, figures, tables);
  body.append(head, choices, cautions, key, tabs, panel);

  // ---------------------------------------------------------------- tabs
  let order = [];
  function turnTo(id) {
    send("tab", { id });
    tabs.querySelector(`[data-tab="${CSS.escape(id)}"]`)?.focus();
  }
  tabs.addEventListener("keydown", (event) => {
    const at = order.indexOf(event.target.dataset?.tab);
    const last = order.length - 1;
    const to = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    turnTo(order[to]);
  });
  function drawTabs(shown) {
    order = shown.tabs.map(([id]) => id);
    tabs.hidden = order.length < 2;
    keyed(
      tabs,
      shown.tabs,
      ([id]) => id,
      ([id]) => {
        const made = node("button", {
          type: "button",
          role: "tab",
          class: "hz-view-tab",
          id: `${uid}-tab-${id}`,
          "data-tab": id,
          "aria-controls": panel.id,
        });
        made.addEventListener("click", () => turnTo(id));
        return made;
      },
      (made, [id, label]) => {
        write(made, label);
        const isOn = id === shown.tab;
        set(made, { "aria-selected": String(isOn), tabindex: isOn ? 0 : -1 });
      },
    );
    set(panel, { "aria-labelledby": shown.tab ? `${uid}-tab-${shown.tab}` : null });
  }

  // ---------------------------------------------------------------- figures
  const slots = new Map();
  function drawFigure(shown) {
    if (shown.figure && !slots.has(shown.tab)) {
      const slot = context.slot(shown.tab);
      slots.set(shown.tab, slot);
      figures.append(slot);
    }
    for (const [id, slot] of slots) slot.hidden = !(shown.figure && id === shown.tab);
  }

  // ---------------------------------------------------------------- tables
  // What scrolls must be reachable by keyboard, and what does not must not be in the way.
  const reach = (scroll) => {
    const scrolls =
      scroll.scrollWidth > scroll.clientWidth + 1 || scroll.scrollHeight > scroll.clientHeight + 1;
    set(scroll, {
      tabindex: scrolls ? 0 : null,
      role: scrolls ? "region" : null,
      "aria-label": scrolls ? scroll.hzCaption : null,
    });
  };
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => reach(entry.target)));

  function makeTable() {
    const caption = node("caption");
    const header = node("tr");
    const rows = node("tbody");
    const made = node(
      "table",
      { class: "hz-table" },
      caption,
      node("thead", {}, header),
      rows,
    );
    const scroll = node("div", { class: "hz-scroll" }, made);
    const note = node("p", { class: "hz-note" });
    const whole = node("div", { class: "hz-view-table" }, scroll, note);
    sizes.observe(scroll);
    whole.hzTake = (table) => {
      set(whole, { "data-small": table.small, "data-tinted": table.tinted });
      write(caption, table.caption);
      scroll.hzCaption = table.caption;
      const first = table.rows[0]?.cells ?? [];
      keyed(
        header,
        table.header.map((text, i) => ({ text, i })),
        ({ i }) => i,
        () => node("th", { scope: "col" }),
        (cell, { text, i }) => {
          write(cell, text);
          set(cell, { class: i > 0 && (first[i - 1]?.[2] ?? true) ? "hz-number" : null });
        },
      );
      keyed(
        rows,
        table.rows.length ? table.rows : [{ id: "", isEmpty: true }],
        (row) => row.id,
        (row) => (row.isEmpty ? node("tr", {}, node("td", { class: "hz-empty" })) : node("tr", {}, node("th", { scope: "row" }, node("bdi")))),
        (line, row) => {
          if (row.isEmpty) {
            set(line.firstChild, { colspan: table.header.length });
            write(line.firstChild, table.empty);
            return;
          }
          write(line.firstChild.firstChild, row.name);
          const isShort = row.name.length <= SHORT_NAME;
          set(line.firstChild, { title: row.hint || null, class: isShort ? "hz-short" : null });
          row.cells.forEach(([text, tint, isNumber], i) => {
            const cell = line.children[i + 1] ?? line.appendChild(node("td", {}, node("bdi")));
            write(cell.firstChild, text);
            set(cell, { class: isNumber ? "hz-number" : null, "data-tint": tint || null });
          });
          while (line.children.length > row.cells.length + 1) line.lastChild.remove();
        },
      );
      write(note, table.note);
      note.hidden = table.note === "";
      reach(scroll);
    };
    whole.hzEnd = () => sizes.unobserve(scroll);
    return whole;
  }
  function drawTables(shown) {
    keyed(
      tables,
      shown.tables.map((table, i) => ({ table, name: `${shown.tab} ${i}` })),
      ({ name }) => name,
      makeTable,
      (made, { table }) => made.hzTake(table),
    );
  }

  function draw(shown) {
    write(title, shown.title || shown.name);
    write(period, shown.period);
    keyed(exports, shown.exports, (it) => it.id, () => button(press, {}, true), (it, action) => it.hzTake(action));
    if (!form.draw(shown.form)) touched.clear();
    choices.hidden = shown.form.fields.length === 0;
    write(working, shown.working);
    stop.hidden = !(shown.can_stop && shown.working !== "");
    reset.hidden = !shown.can_reset;
    keyed(cautions, shown.cautions, (text) => text, (text) => node("li", {}, text), () => {});
    cautions.hidden = shown.cautions.length === 0;
    keyed(
      key,
      shown.key,
      ([label]) => label,
      ([label]) => node("div", {}, node("dt", {}, label), node("dd")),
      (element, [, text]) => write(element.lastChild, text),
    );
    key.hidden = shown.key.length === 0;
    drawTabs(shown);
    drawFigure(shown);
    drawTables(shown);
    set(panel, { "data-both": shown.figure && shown.tables.length > 0 });
    write(empty, shown.empty);
    empty.hidden = shown.empty === "";
    panel.hidden = shown.tabs.length === 0 && shown.empty === "";
  }
  return {
    draw,
    end: () => {
      form.end();
      sizes.disconnect();
    },
  };
}

export default { render: (context) => mount(context, viewOf) };
