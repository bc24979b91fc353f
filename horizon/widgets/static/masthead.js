// The head of a desk.

function masthead(body) {
  const title = node("span", { class: "hz-title hz-masthead-title" });
  const venue = node("span", { class: "hz-cell-label" });
  const mode = node("span", { class: "hz-mode" });
  const money = node("span", { class: "hz-cell" }, venue, mode);
  const halted = node("span", { class: "hz-wrong" });
  const facts = node("dl", { class: "hz-line" });
  body.append(node("div", { class: "hz-masthead" }, title, money, facts, halted));

  function draw(shown) {
    write(title, shown.name);
    write(venue, `Venue: ${shown.banner.venue}`);
    write(mode, shown.banner.mode);
    set(mode, { "data-live": shown.banner.is_live });
    write(halted, shown.banner.halted);
    halted.hidden = shown.banner.halted === "";
    keyed(
      facts,
      shown.facts.map(([label, text, what], i) => ({ label, text, what, i })),
      (fact) => fact.i,
      () => node("div", { class: "hz-cell" }, node("dt", { class: "hz-cell-label" }), node("dd")),
      (element, { label, text, what }) => {
        set(element, { title: what });
        write(element.firstChild, label);
        write(element.lastChild, text);
      },
    );
  }
  return { draw };
}

export default { render: (context) => mount(context, masthead) };
