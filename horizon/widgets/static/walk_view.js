// A walk-forward or a cross-validation: its search, or a tab of what it has found.

function walkView(body, send, context) {
  const title = node("bdi", { class: "hz-title" });
  const chip = node("span", { class: "hz-chip" });
  const tools = node("span", { class: "hz-tools" });
  const line = node("p", { class: "hz-hint" });
  const bars = node("div");
  const panel = node("div", { class: "hz-panel" });
  body.append(node("div", { class: "hz-view-head" }, title, chip, tools), line, bars, panel);
  const tabs = tabsOf(bars, panel, (tab) => send("tab", { tab }));
  const own = sectionsOf(panel, send, context);
  const press = (item) => send(item.do);

  function draw(shown) {
    write(title, shown.title);
    write(chip, shown.chip[0]);
    set(chip, { "data-tone": shown.chip[1] || null });
    write(line, shown.line);
    line.hidden = shown.line === "";
    keyed(tools, shown.tools, (it) => it.label, () => button(press, {}, true), (element, it) =>
      element.hzTake(it),
    );
    bars.hidden = shown.tabs.length === 0;
    tabs.draw(shown.tabs, shown.tab, shown.name);
    own.draw(shown.sections);
  }
  return { draw, end: own.end };
}

export default { render: (context) => mount(context, walkView) };
