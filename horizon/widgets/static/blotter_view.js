// What a reader chooses of a blotter's look: its columns, and how high its rows are.

function options(select, items, value) {
  keyed(select, items, ([it]) => it, ([it, label]) => node("option", { value: it }, label), () => {});
  if (select.value !== value) select.value = value;
}

function viewOf(uid, send) {
  const choosing = node("button", { type: "button", class: "hz-button", "aria-expanded": "false", "aria-controls": `${uid}-columns` }, "View");
  const density = node("select", { "aria-label": "Height of rows" });
  const boxes = node("div");
  const usual = node("button", { type: "button", class: "hz-button" }, "Usual columns");
  const chooser = node("div", { class: "hz-chooser", id: `${uid}-columns`, role: "group", "aria-label": "View", hidden: true }, boxes, node("div", { class: "hz-chooser-end" }, usual, density));
  const place = node("span", { class: "hz-chooser-place" }, choosing, chooser);
  let here = null; // the table on show
  function close(isBack = true) {
    if (chooser.hidden) return;
    chooser.hidden = true;
    set(choosing, { "aria-expanded": "false" });
    if (isBack) choosing.focus();
  }
  choosing.addEventListener("click", () => {
    if (!chooser.hidden) {
      close();
      return;
    }
    chooser.hidden = false;
    set(choosing, { "aria-expanded": "true" });
    drawChooser();
    chooser.querySelector("input")?.focus();
  });
  place.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || chooser.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  place.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !place.contains(event.relatedTarget)) close(false);
  });
  const elsewhere = (event) => {
    if (!place.contains(event.target)) close(false);
  };
  document.addEventListener("pointerdown", elsewhere);
  // What was chosen last counts until the kernel has it: a picture from before would undo it.
  let wanted = { names: "", at: -Infinity };
  function choose(names) {
    wanted = { names: `${here.id} ${names}`, at: performance.now() };
    send("columns", { table: here.id, names });
  }
  function isBehind() {
    return performance.now() - wanted.at < 3000 && wanted.names !== `${here.id} ${here.chosen}`;
  }
  function drawChooser() {
    if (chooser.hidden) return;
    const chosen = new Set(here.chosen);
    keyed(
      boxes,
      here.columns,
      (it) => `${here.id} ${it.name}`,
      (it) => {
        const box = node("input", { type: "checkbox" });
        box.hzName = it.name;
        box.addEventListener("change", () => {
          const names = [...boxes.querySelectorAll("input:checked")].map((one) => one.hzName);
          if (names.length > 0) choose(names);
          else box.checked = true; // the last one stays
        });
        return node("label", {}, box, node("span"));
      },
      (made, it) => {
        write(made.lastChild, it.label);
        if (!isBehind()) made.firstChild.checked = chosen.has(it.name);
      },
    );
  }
  usual.addEventListener("click", () => choose(here.usual));
  density.addEventListener("change", () => send("density", { density: density.value }));
  return {
    element: place,
    close,
    draw(table, shown) {
      here = table;
      options(density, shown.densities, shown.density);
      drawChooser();
    },
    disable(isOff) {
      for (const it of [choosing, density]) it.disabled = isOff;
    },
    end: () => document.removeEventListener("pointerdown", elsewhere),
  };
}
