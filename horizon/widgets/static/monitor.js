// The algorithm monitor's page side: a bar and its facts for each algorithm.

function monitor(body, send) {
  const title = node("p", { class: "hz-title" });
  const list = node("div");
  const note = node("p", { class: "hz-note", hidden: true });
  body.append(title, list, note);
  const press = (item) => send(item.do, { id: item.id });

  function make() {
    const made = node("div", { class: "hz-algo", role: "group" });
    const side = node("span", { class: "hz-chip" });
    const name = node("bdi", { class: "hz-title" });
    const status = node("span");
    const tools = node("span", { class: "hz-tools" });
    const progress = bar();
    const summary = node("p", { class: "hz-summary" });
    const facts = node("dl", { class: "hz-facts" });
    const refused = node("div", { class: "hz-wrong" });
    made.append(
      node("div", { class: "hz-algo-head" }, side, name, status, tools),
      progress,
      summary,
      facts,
      refused,
    );
    made.hzTake = (algo) => {
      set(made, { "aria-label": algo.bar.name });
      write(side, algo.side);
      set(side, { "data-tone": algo.tone });
      write(name, algo.title);
      write(status, algo.status);
      keyed(tools, algo.actions, (it) => it.do, () => button(press, {}, true), (it, action) => it.hzTake(action));
      progress.hzTake(algo.bar);
      write(summary, algo.summary);
      keyed(
        facts,
        algo.facts,
        ([label]) => label,
        ([label]) => node("div", {}, node("dt", {}, label), node("dd")),
        (element, [, text]) => write(element.lastChild, text),
      );
      keyed(refused, algo.refused, (text) => text, (text) => node("p", {}, text), () => {});
    };
    return made;
  }

  function draw(shown) {
    write(title, shown.name);
    keyed(
      list,
      shown.algos.length ? shown.algos : [{ id: "", isEmpty: true }],
      (algo) => algo.id,
      (algo) => (algo.isEmpty ? node("p", { class: "hz-hint" }) : make()),
      (element, algo) => (algo.isEmpty ? write(element, hosted(shown, "empty")) : element.hzTake(algo)),
    );
    write(note, shown.note ?? "");
    note.hidden = !shown.note;
  }
  return { draw };
}

export default { render: (context) => mount(context, monitor) };
