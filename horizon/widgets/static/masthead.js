// The head of a desk.

function masthead(body) {
  const title = node("span", { class: "hz-title" });
  const venue = node("span");
  const mode = node("span", { class: "hz-mode" });
  const halted = node("span", { class: "hz-wrong" });
  const facts = node("dl", { class: "hz-line" });
  body.append(node("div", { class: "hz-deck" }, title, venue, mode, facts, halted));

  function draw(shown) {
    write(title, shown.name);
    venue.hidden = mode.hidden = !shown.banner;
    halted.hidden = !shown.banner?.halted;
    if (shown.banner) {
      write(venue, `Venue: ${shown.banner.venue}`);
      write(mode, shown.banner.mode);
      set(mode, { "data-live": shown.banner.is_live });
      write(halted, shown.banner.halted);
    }
    keyed(
      facts,
      shown.facts,
      ([label]) => label,
      ([label]) => node("div", {}, node("dt", {}, label), node("dd")),
      (element, [, text]) => write(element.lastChild, text),
    );
  }
  return { draw };
}

export default { render: (context) => mount(context, masthead) };
