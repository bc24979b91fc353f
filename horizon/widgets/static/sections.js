// Sections of a view, one under the other: words, facts, bars, tables, forms, figures, buttons.

let sectionsMade = 0;

// Build the sections in `parent`. A form among them is told to the kernel with the verb "form".
function sectionsOf(parent, send, context) {
  const uid = `hz-sections-${(sectionsMade += 1)}`;
  const press = (item) => send(item.do, item.id ? { id: item.id } : {});
  const ends = new Set();

  // What scrolls must be reachable by keyboard, and what does not must not be in the way.
  const size = new ResizeObserver((entries) => {
    for (const { target } of entries) reach(target);
  });
  function reach(scroll) {
    const scrolls =
      scroll.scrollWidth > scroll.clientWidth + 1 || scroll.scrollHeight > scroll.clientHeight + 1;
    set(scroll, { tabindex: scrolls ? 0 : null, role: scrolls ? "region" : null });
    set(scroll, { "aria-label": scrolls ? scroll.dataset.name : null });
  }
  ends.add(() => size.disconnect());

  const kinds = {
    words() {
      const title = node("h4", { class: "hz-heading" });
      const lead = node("p", { class: "hz-lead" });
      const list = node("ul", { class: "hz-lines" });
      const made = node("div", { class: "hz-words" }, title, lead, list);
      made.hzTake = (item) => {
        set(made, { "data-tone": item.tone || null, "data-loud": item.loud });
        write(title, item.title);
        title.hidden = item.title === "";
        write(lead, item.lead);
        lead.hidden = item.lead === "";
        const lines = item.lines.map((text, i) => ({ text, i }));
        keyed(list, lines, (it) => it.i, () => node("li", {}, node("bdi")), (element, it) =>
          write(element.firstChild, it.text),
        );
        list.hidden = lines.length === 0;
      };
      return made;
    },
    facts() {
      const title = node("h4", { class: "hz-heading" });
      const list = node("dl", { class: "hz-facts" });
      const made = node("div", {}, title, list);
      made.hzTake = (item) => {
        write(title, item.title);
        title.hidden = item.title === "";
        keyed(
          list,
          item.facts,
          ([label]) => label,
          ([label]) => node("div", {}, node("dt", {}, label), node("dd", {}, node("bdi"))),
          (element, [, text, isWide]) => {
            write(element.lastChild.firstChild, text);
            set(element, { "data-wide": isWide });
          },
        );
      };
      return made;
    },
    bar() {
      const progress = bar();
      const text = node("p", { class: "hz-summary" });
      const made = node("div", {}, progress, text);
      made.hzTake = (item) => {
        progress.hzTake(item.bar);
        write(text, item.text);
      };
      return made;
    },
    details() {
      const title = node("summary");
      const text = node("pre", { class: "hz-pre" });
      const made = node("details", {}, title, text);
      size.observe(text);
      made.hzTake = (item) => {
        write(title, item.title);
        write(text, item.text);
        text.dataset.name = item.title;
      };
      return made;
    },
    tools() {
      const made = node("div", { class: "hz-row" });
      made.hzTake = (item) =>
        keyed(
          made,
          item.actions,
          (it) => `${it.do} ${it.id}`,
          () => button(press, {}, true),
          (element, it) => element.hzTake(it),
        );
      return made;
    },
    figure(item) {
      const busy = node("p", { class: "hz-hint", role: "status" });
      const wrong = node("p", { class: "hz-wrong" });
      const made = node("div", {}, busy, wrong, context.slot(item.place));
      made.hzTake = (it) => {
        write(busy, it.busy);
        busy.hidden = it.busy === "";
        write(wrong, it.wrong);
        wrong.hidden = it.wrong === "";
      };
      return made;
    },
    form() {
      const made = node("div", { class: "hz-section-form" });
      const form = formOf(made, (given) => send("form", given));
      ends.add(form.end);
      made.hzTake = (item) => form.draw(item.form);
      return made;
    },
    table(item) {
      const title = node("h4", { class: "hz-heading", id: `${uid}-${item.id}` });
      const head = node("tr");
      const rows = node("tbody");
      const scroll = node(
        "div",
        { class: "hz-scroll" },
        node("table", { class: "hz-table", "aria-labelledby": title.id }, node("thead", {}, head), rows),
      );
      const note = node("p", { class: "hz-note" });
      const made = node("div", {}, title, scroll, note);
      size.observe(scroll);
      made.hzTake = (it) => {
        write(title, it.title);
        scroll.dataset.name = it.title;
        drawTable(head, rows, it);
        write(note, it.note);
        note.hidden = it.note === "";
        reach(scroll);
      };
      made.hzEnd = () => size.unobserve(scroll);
      return made;
    },
  };

  function styleOf(column, isHead) {
    if (!column) return null;
    const names = [
      column.number ? "hz-number" : !isHead && !column.wraps ? "hz-short" : "",
      column.minor ? "hz-minor" : "",
    ];
    return names.join(" ").trim() || null;
  }

  function drawTable(head, rows, item) {
    const columns = item.columns;
    keyed(
      head,
      columns,
      (column) => column.label,
      () => node("th", { scope: "col" }),
      (element, column) => {
        write(element, column.label);
        set(element, { class: styleOf(column, true) });
      },
    );
    const shown = item.rows.length ? item.rows : [{ id: "", isEmpty: true }];
    keyed(
      rows,
      shown,
      (row) => `${row.isEmpty ? "empty" : "row"} ${row.id}`,
      () => node("tr"),
      (element, row) => {
        if (row.isEmpty) {
          if (!element.firstChild) element.append(node("td", { class: "hz-empty" }));
          set(element.firstChild, { colspan: columns.length });
          write(element.firstChild, item.empty);
          return;
        }
        set(element, { "data-tone": row.tone || null });
        keyed(
          element,
          row.cells.map((cell, i) => ({ cell, i })),
          (it) => it.i,
          (it) =>
            it.i === 0 ? node("th", { scope: "row" }, node("bdi")) : node("td", {}, node("bdi")),
          (element, { cell, i }) => {
            const isPair = Array.isArray(cell);
            write(element.firstChild, isPair ? cell[0] : cell);
            set(element, { class: styleOf(columns[i], false), "data-tone": isPair ? cell[1] : null });
          },
        );
      },
    );
  }

  function draw(sections) {
    keyed(
      parent,
      sections,
      (item) => `${item.kind} ${item.id}`,
      (item) => {
        const made = kinds[item.kind](item);
        // What is held in a figure's place has its own look, to the last table.
        made.classList.add("hz-part", item.kind === "figure" ? "hz-figure-place" : "hz-section");
        return made;
      },
      (element, item) => element.hzTake(item),
    );
  }
  return { draw, end: () => ends.forEach((end) => end()) };
}

// Tabs: one of several is chosen, with the arrow keys too. `choose(id)` is called.
function tabsOf(parent, panel, choose) {
  const uid = `hz-tabs-${(sectionsMade += 1)}`;
  const list = node("div", { class: "hz-tabs", role: "tablist" });
  parent.append(list);
  set(panel, { role: "tabpanel", id: uid });
  let tabs = [];
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -tabs.length, End: tabs.length }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = [...list.children].indexOf(document.activeElement);
    const next = Math.min(Math.max(at + step, 0), tabs.length - 1);
    list.children[next].focus();
    choose(tabs[next][0]);
  });
  return {
    draw(items, chosen, name) {
      tabs = items;
      set(list, { "aria-label": name });
      list.hidden = items.length < 2;
      keyed(
        list,
        items,
        ([id]) => id,
        ([id]) => {
          const made = node("button", { type: "button", class: "hz-tab", role: "tab", id: `${uid}-${id}` });
          made.addEventListener("click", () => choose(id));
          return made;
        },
        (element, [id, text]) => {
          write(element, text);
          const isOn = id === chosen;
          set(element, {
            "aria-selected": String(isOn),
            "aria-controls": uid,
            tabindex: isOn ? 0 : -1,
          });
        },
      );
      set(panel, { "aria-labelledby": items.length ? `${uid}-${chosen}` : null });
    },
  };
}
