// A small live table: rows keep their place and their buttons while they last.

const SHORT = 20; // letters that stay on one line

function table(body, send) {
  const uid = `hz-${Math.random().toString(36).slice(2)}`;
  const head = node("tr");
  const rows = node("tbody");
  const title = node("span", { class: "hz-title", id: uid });
  const tools = node("span", { class: "hz-tools" });
  const note = node("p", { class: "hz-note", hidden: true });
  const scroll = node(
    "div",
    { class: "hz-scroll" },
    node("table", { class: "hz-table", "aria-labelledby": uid }, node("thead", {}, head), rows),
  );
  body.append(node("div", { class: "hz-head" }, title, tools), scroll, note);

  // What scrolls must be reachable by keyboard, and what does not must not be in the way.
  const reach = () => {
    const isWide = scroll.scrollWidth > scroll.clientWidth + 1;
    const isLong = scroll.scrollHeight > scroll.clientHeight + 1;
    const scrolls = isWide || isLong;
    set(scroll, {
      tabindex: scrolls ? 0 : null,
      role: scrolls ? "region" : null,
      "aria-labelledby": scrolls ? uid : null,
    });
  };
  const size = new ResizeObserver(reach);
  size.observe(scroll);

  const classes = (column, isShort) =>
    [
      column?.number ? "hz-number" : isShort ? "hz-short" : "",
      column?.minor ? "hz-minor" : "",
    ]
      .join(" ")
      .trim() || null;
  function action(made, item) {
    made.hzTake(item);
  }
  const press = (item) => send(item.do, { id: item.id });

  function row(element, item, columns) {
    set(element, { "data-tone": item.tone ?? null });
    const cells = item.cells.map((text, i) => ({ text, i }));
    if (item.actions) cells.push({ actions: item.actions, i: cells.length });
    keyed(
      element,
      cells,
      (cell) => cell.i,
      (cell) =>
        cell.i === 0
          ? node("th", { scope: "row" }, node("bdi"))
          : cell.actions
            ? node("td", { class: "hz-actions" })
            : node("td", {}, node("bdi")),
      (element, cell) => {
        if (cell.actions) {
          keyed(element, cell.actions, (it) => it.do, () => button(press, {}, true), action);
          return;
        }
        const isPair = Array.isArray(cell.text);
        const text = isPair ? cell.text[0] : cell.text;
        write(element.firstChild, text);
        const isShort = text.length <= SHORT;
        set(element, {
          class: classes(columns[cell.i], isShort),
          "data-tone": isPair ? cell.text[1] : null,
        });
      },
    );
  }

  function draw(shown) {
    write(title, shown.name);
    keyed(tools, shown.tools ?? [], (it) => it.do, () => button(press, {}, true), action);
    keyed(
      head,
      shown.columns,
      (column) => column.label,
      () => node("th", { scope: "col" }),
      (element, column) => {
        write(element, column.label);
        set(element, { class: classes(column, false) });
      },
    );
    keyed(
      rows,
      shown.rows.length ? shown.rows : [{ id: "", isEmpty: true }],
      (item) => item.id,
      () => node("tr"),
      (element, item) => {
        if (item.isEmpty) {
          if (!element.firstChild) element.append(node("td", { class: "hz-empty" }));
          set(element.firstChild, { colspan: shown.columns.length });
          write(element.firstChild, shown.empty);
        } else row(element, item, shown.columns);
      },
    );
    write(note, shown.note ?? "");
    note.hidden = !shown.note;
    reach();
  }
  return { draw, end: () => size.disconnect() };
}

export default { render: (context) => mount(context, table) };
