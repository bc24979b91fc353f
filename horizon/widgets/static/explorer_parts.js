// The parts of the backtest explorer's page side.

// What scrolls must be reachable by keyboard, and what does not must not be in the way.
function explorerScroll(name, ...inside) {
  const made = node("div", { class: "hz-scroll" }, ...inside);
  const reach = () => {
    const scrolls =
      made.scrollWidth > made.clientWidth + 1 || made.scrollHeight > made.clientHeight + 1;
    set(made, {
      tabindex: scrolls ? 0 : null,
      role: scrolls ? "region" : null,
      "aria-label": scrolls ? name : null,
    });
  };
  const size = new ResizeObserver(reach);
  size.observe(made);
  made.hzReach = reach;
  made.hzEnd = () => size.disconnect();
  return made;
}

// A cell of a text, or of a text with a tone.
function explorerCell(element, cell, column) {
  const isPair = Array.isArray(cell);
  write(element.firstChild, isPair ? cell[0] : cell);
  set(element, {
    class: [column.number ? "hz-number" : "", column.minor ? "hz-minor" : ""].join(" ").trim() || null,
    "data-tone": isPair && cell[1] ? cell[1] : null,
  });
}

// ------------------------------------------------------------------ controls and the run
function explorerSide(uid, send) {
  const form = node("div", { role: "form", "aria-label": "Parameters", class: "hz-x-form" });
  const title = node("p", { class: "hz-title" }, "Parameters");
  form.append(title);
  const fields = formOf(form, (given) => send("change", given));
  const tools = node("div", { class: "hz-row hz-x-run" });
  const auto = node("input", { type: "checkbox", id: `${uid}-auto` });
  auto.addEventListener("change", () => send("auto"));
  const progress = bar();
  const text = node("p", { class: "hz-x-text" });
  const spoken = node("span", { class: "hz-unseen", role: "status" });
  const failure = node("div", { class: "hz-x-failure", hidden: true });
  const failTitle = node("p", { class: "hz-title" });
  const failText = node("p");
  const failFacts = node("dl", { class: "hz-facts" });
  const failLines = node("pre", { tabindex: 0, "aria-label": "Where in the code", role: "region" });
  failure.append(failTitle, failText, failFacts, failLines);

  const what = node("select", { id: `${uid}-what` });
  const save = button(() => send("export", { what: what.value }));
  save.hzTake({ label: "Save", name: "Save it as a file" });
  const saving = node("span", { class: "hz-hint", role: "status" });

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.repeat) return;
    if (!event.target.matches("input, select")) return;
    event.preventDefault();
    fields.hush();
    send("run", { ...fields.given(), enter: true });
  });

  const element = node(
    "div",
    { class: "hz-x-side" },
    form,
    tools,
    node("label", { for: `${uid}-auto`, class: "hz-x-auto" }, auto, "Run at each change"),
    progress,
    text,
    spoken,
    node("div", { role: "alert" }, failure),
    node(
      "div",
      { class: "hz-x-export" },
      node("label", { for: `${uid}-what` }, "Export"),
      what,
      save,
      saving,
    ),
  );

  let state = "";
  function draw(picture) {
    fields.draw(picture.form);
    const run = picture.run;
    keyed(
      tools,
      run.actions,
      (item) => item.do,
      (item) =>
        button(() => {
          if (item.do !== "run") {
            send(item.do);
            return;
          }
          fields.hush();
          send("run", fields.given());
        }),
      (made, item) => {
        made.hzTake(item);
        made.classList.toggle("hz-main", item.do === "run");
      },
    );
    auto.checked = run.auto;
    set(element, { "data-state": run.state });
    // Its place is kept: nothing below moves when a run begins or ends.
    progress.style.visibility = run.bar ? "visible" : "hidden";
    if (run.bar) progress.hzTake(run.bar);
    write(text, run.text);
    if (run.state !== state || !run.bar) {
      state = run.state;
      write(spoken, run.bar ? "Running" : run.text);
    }
    const failed = picture.failure;
    failure.hidden = !failed;
    if (failed) {
      write(failTitle, failed.title);
      write(failText, failed.text);
      keyed(
        failFacts,
        failed.facts,
        ([label]) => label,
        ([label]) => node("div", {}, node("dt", {}, label), node("dd")),
        (made, [, value]) => write(made.lastChild, value),
      );
      write(failLines, failed.lines.join("\n"));
      failLines.hidden = failed.lines.length === 0;
    }
    keyed(
      what,
      picture.exports,
      ([value]) => value,
      ([value, label]) => node("option", { value }, label),
      () => {},
    );
    save.disabled = !picture.shown;
    write(saving, picture.saving);
  }
  return { element, draw, end: fields.end };
}

// ------------------------------------------------------------------ results kept
function explorerKept(uid, send) {
  const title = node("span", { class: "hz-title", id: `${uid}-kept` });
  const note = node("span", { class: "hz-hint" });
  const head = node("tr");
  const rows = node("tbody");
  const scroll = explorerScroll(
    "Results kept",
    node("table", { class: "hz-table", "aria-labelledby": `${uid}-kept` }, node("thead", {}, head), rows),
  );
  scroll.classList.add("hz-x-kept");
  const element = node("div", {}, node("div", { class: "hz-head" }, title, note), scroll);

  function make(item) {
    if (item.isEmpty) return node("tr", {}, node("td", { class: "hz-empty" }));
    const tick = node("input", { type: "checkbox" });
    tick.addEventListener("change", () => send("compare", { id: item.id }));
    const choose = node("button", { type: "button", class: "hz-x-choose" }, node("bdi"));
    choose.addEventListener("click", () => send("show", { id: item.id }));
    const pin = node("button", { type: "button", class: "hz-button" });
    pin.addEventListener("click", () => send("pin", { id: item.id }));
    const drop = button(() => send("drop", { id: item.id }), {}, true);
    const made = node(
      "tr",
      {},
      node("td", {}, tick),
      node("th", { scope: "row" }, choose),
      node("td", { class: "hz-x-params" }, node("bdi")),
    );
    made.hzParts = { tick, choose, pin, drop };
    return made;
  }

  function row(made, item, columns) {
    const { tick, choose, pin, drop } = made.hzParts;
    set(made, { "data-shown": item.shown });
    tick.checked = item.compared;
    set(tick, { "aria-label": `Compare ${item.name}` });
    write(choose.firstChild, item.name);
    set(choose, {
      "aria-current": item.shown ? "true" : null,
      title: `Show ${item.name}: ${item.setting}`,
    });
    write(made.children[2].firstChild, item.setting);
    item.cells.forEach((cell, i) => {
      let at = made.children[i + 3];
      if (!at || at.hzIsEnd) at = made.insertBefore(node("td", {}, node("bdi")), at ?? null);
      explorerCell(at, cell, columns[i + 2]);
    });
    if (!made.lastChild.hzIsEnd) {
      const end = node("td", { class: "hz-actions" }, pin, drop);
      end.hzIsEnd = true;
      made.append(end);
    }
    write(pin, item.pinned ? "Unpin" : "Pin");
    set(pin, {
      "aria-pressed": String(item.pinned),
      "aria-label": `${item.pinned ? "Unpin" : "Pin"} ${item.name}`,
    });
    drop.hzTake({ do: "drop", id: item.id, label: "Drop", sure: "Sure?", name: `Drop ${item.name}` });
  }

  function draw(kept) {
    write(title, kept.title);
    write(note, kept.note);
    keyed(
      head,
      [{ label: "Compare" }, ...kept.columns, { label: "", isEnd: true }],
      (column) => column.label,
      (column) => (column.isEnd ? node("td") : node("th", { scope: "col" })),
      (made, column) => {
        write(made, column.label);
        set(made, {
          class: [column.number ? "hz-number" : "", column.minor ? "hz-minor" : ""].join(" ").trim() || null,
        });
      },
    );
    keyed(
      rows,
      kept.rows.length ? kept.rows : [{ id: "", isEmpty: true }],
      (item) => item.id,
      make,
      (made, item) => {
        if (!item.isEmpty) row(made, item, kept.columns);
        else {
          write(made.firstChild, kept.empty);
          set(made.firstChild, { colspan: kept.columns.length + 2 });
        }
      },
    );
    scroll.hzReach();
  }
  return { element, draw, end: scroll.hzEnd };
}

// ------------------------------------------------------------------ side by side
function explorerCompare(uid, send, figure) {
  const told = node("span", { class: "hz-hint" });
  const every = node("input", { type: "checkbox", id: `${uid}-every` });
  every.addEventListener("change", () => send("every"));
  const head = node("tr");
  const rows = node("tbody");
  const scroll = explorerScroll(
    "Metrics",
    node("table", { class: "hz-table", "aria-label": "Metrics" }, node("thead", {}, head), rows),
  );
  scroll.classList.add("hz-x-metrics");
  const problem = node("p", { class: "hz-wrong", hidden: true });
  const element = node(
    "div",
    {},
    node(
      "div",
      { class: "hz-head" },
      told,
      node("label", { for: `${uid}-every`, class: "hz-x-auto" }, every, "All metrics"),
    ),
    scroll,
    problem,
    figure,
  );

  function draw(shown) {
    write(told, shown.told);
    every.checked = shown.every;
    const heads = shown.heads.flatMap((one) =>
      one.differs ? [one, { id: `${one.id} difference`, name: "difference", setting: "" }] : [one],
    );
    keyed(
      head,
      [{ id: "metric", name: "Metric", setting: "", isFirst: true }, ...heads],
      (one) => one.id,
      () => node("th", { scope: "col" }, node("bdi"), node("bdi", { class: "hz-x-under" })),
      (made, one) => {
        write(made.firstChild, one.name);
        write(made.lastChild, one.setting);
        set(made, { class: one.isFirst ? null : "hz-number", title: one.setting || null });
      },
    );
    const lines = shown.rows.flatMap((one) =>
      one.group ? [{ id: `group ${one.group}`, title: one.group }, one] : [one],
    );
    keyed(
      rows,
      lines,
      (one) => one.id,
      (one) =>
        one.title
          ? node("tr", { class: "hz-x-group" }, node("th", { scope: "rowgroup" }))
          : node("tr", {}, node("th", { scope: "row" }, node("bdi"))),
      (made, one) => {
        if (one.title) {
          write(made.firstChild, one.title);
          set(made.firstChild, { colspan: heads.length + 1 });
          return;
        }
        write(made.firstChild.firstChild, one.label);
        set(made.firstChild, { title: one.meaning });
        const texts = one.cells.flatMap(([text, change], i) => (i ? [text, change] : [text]));
        while (made.children.length > texts.length + 1) made.lastChild.remove();
        texts.forEach((text, i) => {
          const at = made.children[i + 1] ?? made.appendChild(node("td", { class: "hz-number" }, node("bdi")));
          at.classList.toggle("hz-x-change", i > 0 && i % 2 === 0);
          write(at.firstChild, text);
        });
      },
    );
    write(problem, shown.problem);
    problem.hidden = shown.problem === "";
    set(figure, { "aria-busy": shown.busy ? "true" : null });
    scroll.hzReach();
  }
  return { element, draw, end: scroll.hzEnd };
}

// ------------------------------------------------------------------ fills
function explorerFills(uid, send, figure) {
  const market = node("select", { id: `${uid}-market` });
  market.addEventListener("change", () => send("market", { market: market.value }));
  const order = button(() => send("order"));
  const where = node("span", { class: "hz-x-where" });
  let shown = { page: 0, pages: 1 };
  const turn = (label, name, to) => {
    const made = button(() => send("page", { number: Math.max(0, Math.min(shown.pages - 1, to())) }));
    made.hzTake({ label, name });
    return made;
  };
  const first = turn("«", "First page of fills", () => 0);
  const back = turn("‹", "Page of fills before", () => shown.page - 1);
  const next = turn("›", "Next page of fills", () => shown.page + 1);
  const last = turn("»", "Last page of fills", () => shown.pages - 1);
  const head = node("tr");
  const rows = node("tbody");
  const scroll = explorerScroll(
    "Fills",
    node("table", { class: "hz-table", "aria-label": "Fills" }, node("thead", {}, head), rows),
  );
  scroll.classList.add("hz-x-fills");
  const problem = node("p", { class: "hz-wrong", hidden: true });

  const title = node("p", { class: "hz-title", id: `${uid}-why` });
  const close = button(() => send("close"), { class: "hz-button hz-quiet" });
  close.hzTake({ label: "×", name: "Close the explanation" });
  const told = node("p", { class: "hz-hint" });
  const words = node("div");
  const lines = node("pre");
  const linesScroll = explorerScroll(
    "The order's story",
    node("div", { "aria-live": "polite" }, told, words),
    lines,
  );
  const why = node(
    "div",
    { class: "hz-x-why", role: "group", "aria-labelledby": `${uid}-why` },
    node("div", { class: "hz-head" }, title, close),
    linesScroll,
  );

  // Above the table and of one height: what opens moves nothing that is being pointed at.
  const element = node(
    "div",
    {},
    figure,
    problem,
    why,
    node(
      "div",
      { class: "hz-deck hz-x-pages" },
      node("label", { for: `${uid}-market` }, "Market", market),
      order,
      node("span", { class: "hz-tools" }, first, back, next, last),
      where,
    ),
    scroll,
  );

  function row(made, item, columns) {
    if (!made.hzButton) {
      made.hzButton = node("button", { type: "button", class: "hz-button" });
      made.hzButton.addEventListener("click", () => send("explain", { id: made.hzOrder }));
    }
    made.hzOrder = item.order;
    set(made, { "data-shown": item.chosen });
    item.cells.forEach((cell, i) => {
      const at = made.children[i] ?? made.appendChild(node(i ? "td" : "th", { scope: i ? null : "row" }, node("bdi")));
      explorerCell(at, cell, columns[i]);
    });
    if (made.children.length === item.cells.length) {
      made.append(node("td", { class: "hz-actions" }, made.hzButton));
    }
    write(made.hzButton, item.order);
    set(made.hzButton, {
      "aria-label": `Explain order ${item.order}: ${item.what}`,
      "aria-pressed": String(item.chosen),
      title: `Why order ${item.order} filled`,
    });
  }

  function draw(picture) {
    shown = picture;
    keyed(
      market,
      picture.markets,
      ([value]) => value,
      ([value]) => node("option", { value }),
      (made, [, text]) => write(made, text),
    );
    if (market.value !== picture.market) market.value = picture.market;
    order.hzTake({
      label: picture.newest ? "Newest first" : "Oldest first",
      name: picture.newest ? "Newest first: press for the oldest" : "Oldest first: press for the newest",
    });
    write(where, picture.where);
    first.disabled = back.disabled = picture.page === 0;
    next.disabled = last.disabled = picture.page >= picture.pages - 1;
    keyed(
      head,
      [...picture.columns, { label: "Order", isEnd: true }],
      (column) => column.label,
      () => node("th", { scope: "col" }),
      (made, column) => {
        write(made, column.label);
        set(made, {
          class:
            [column.number ? "hz-number" : "", column.minor ? "hz-minor" : "", column.isEnd ? "hz-actions" : ""]
              .join(" ")
              .trim() || null,
        });
      },
    );
    keyed(
      rows,
      picture.rows.length ? picture.rows : [{ id: "none", isEmpty: true }],
      (item) => item.id,
      (item) => (item.isEmpty ? node("tr", {}, node("td", { class: "hz-empty" })) : node("tr")),
      (made, item) => {
        if (!item.isEmpty) row(made, item, picture.columns);
        else {
          write(made.firstChild, picture.empty);
          set(made.firstChild, { colspan: picture.columns.length + 1 });
        }
      },
    );
    write(problem, picture.problem);
    problem.hidden = picture.problem === "";
    const explained = picture.explained;
    write(title, explained.order ? `Why order ${explained.order} filled` : "Why a fill came");
    close.style.visibility = explained.order ? "visible" : "hidden";
    write(told, explained.told);
    told.hidden = explained.told === "";
    keyed(words, explained.head.map((text, i) => [i, text]), ([i]) => i, () => node("p"), (made, [, text]) => write(made, text));
    write(lines, explained.rows.join("\n"));
    lines.hidden = explained.rows.length === 0;
    scroll.hzReach();
    linesScroll.hzReach();
  }
  return {
    element,
    draw,
    end() {
      scroll.hzEnd();
      linesScroll.hzEnd();
    },
  };
}
