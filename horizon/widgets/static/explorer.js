// The backtest explorer: controls and the run on one side, results and what is in them on the other.

function explorer(body, send, { slot }) {
  const uid = `hz-${Math.random().toString(36).slice(2)}`;
  const side = explorerSide(uid, send);
  const kept = explorerKept(uid, send);
  const compare = explorerCompare(uid, send, slot("equity"));
  const fills = explorerFills(uid, send, slot("price"));

  // ---------------------------------------------------------------- the result on show
  const title = node("input", { type: "text", class: "hz-x-name", maxlength: 60, spellcheck: "false" });
  const setting = node("bdi", { class: "hz-x-setting" });
  const cautions = node("ul", { class: "hz-x-cautions", hidden: true });
  const shown = node(
    "div",
    { class: "hz-x-shown", hidden: true },
    node("label", {}, "On show ", title),
    setting,
  );
  let shownId = "";
  const rename = () => {
    if (shownId && title.value !== title.hzName) send("name", { id: shownId, name: title.value });
  };
  title.addEventListener("change", rename);
  title.addEventListener("keydown", (event) => {
    if (event.key === "Escape") title.value = title.hzName;
    else if (event.key === "Enter") title.blur();
  });

  // ---------------------------------------------------------------- tabs
  const list = node("div", { class: "hz-x-tabs", role: "tablist", "aria-label": "Looked at by" });
  const panels = {
    compare: compare.element,
    fills: fills.element,
    tearsheet: node("div", {}, slot("tearsheet")),
    calibration: node("div", {}, slot("calibration")),
  };
  for (const [name, panel] of Object.entries(panels)) {
    set(panel, {
      id: `${uid}-panel-${name}`,
      role: "tabpanel",
      class: "hz-x-panel",
      "aria-labelledby": `${uid}-tab-${name}`,
      hidden: true,
    });
  }
  const open = (name) => send("tab", { tab: name });
  list.addEventListener("keydown", (event) => {
    const all = [...list.children];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    next.focus();
    open(next.hzTab);
  });

  const main = node(
    "div",
    { class: "hz-x-main" },
    kept.element,
    shown,
    cautions,
    list,
    ...Object.values(panels),
  );
  body.append(node("div", { class: "hz-x" }, side.element, main));

  function drawShown(one) {
    shown.hidden = !one;
    cautions.hidden = !one || one.cautions.length === 0;
    if (!one) return;
    // What is being written there is left alone.
    const isOther = shownId !== one.id;
    if (isOther || (title !== document.activeElement && title.value !== one.name)) title.value = one.name;
    title.hzName = one.name;
    shownId = one.id;
    write(setting, one.setting);
    keyed(cautions, one.cautions, (text) => text, (text) => node("li", {}, text), () => {});
  }

  function draw(picture) {
    side.draw(picture);
    kept.draw(picture.kept);
    drawShown(picture.shown);
    list.hidden = !picture.shown;
    keyed(
      list,
      picture.tabs,
      (tab) => tab.id,
      (tab) => {
        const made = node("button", {
          type: "button",
          role: "tab",
          class: "hz-x-tab",
          id: `${uid}-tab-${tab.id}`,
          "aria-controls": `${uid}-panel-${tab.id}`,
        });
        made.hzTab = tab.id;
        made.addEventListener("click", () => open(tab.id));
        return made;
      },
      (made, tab) => {
        write(made, tab.label);
        set(made, { "aria-selected": String(tab.open), tabindex: tab.open ? 0 : -1 });
      },
    );
    for (const [name, panel] of Object.entries(panels)) {
      panel.hidden = !picture.shown || name !== picture.tab;
    }
    if (picture.compare) compare.draw(picture.compare);
    if (picture.fills) fills.draw(picture.fills);
  }
  return {
    draw,
    end() {
      side.end();
      kept.end();
      compare.end();
      fills.end();
    },
  };
}

export default { render: (context) => mount(context, explorer) };
