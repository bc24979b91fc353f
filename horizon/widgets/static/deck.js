// The feed's deck.

function deck(body, send) {
  const id = `hz-${Math.random().toString(36).slice(2)}`;
  const what = node("bdi", { class: "hz-title" });
  const buttons = node("span", { class: "hz-tools" });
  const speed = node("select", { id });
  const progress = bar();
  const status = node("span");
  const notice = node("p", { class: "hz-note", hidden: true });
  speed.addEventListener("change", () => send("speed", { speed: speed.value }));
  body.append(
    node(
      "div",
      { class: "hz-deck" },
      what,
      buttons,
      node("label", { for: id }, "Speed", speed),
      progress,
      status,
    ),
    notice,
  );

  function draw(shown) {
    write(what, shown.what);
    keyed(
      buttons,
      shown.actions,
      (item) => shown.actions.indexOf(item),
      () => button((item) => send(item.do)),
      (element, item) => element.hzTake(item),
    );
    keyed(
      speed,
      shown.speeds,
      ([value]) => value,
      ([value, text]) => node("option", { value }, text),
      () => {},
    );
    if (speed.value !== shown.speed) speed.value = shown.speed;
    progress.hidden = !shown.bar;
    if (shown.bar) progress.hzTake(shown.bar);
    write(status, shown.status);
    write(notice, shown.notice ?? "");
    notice.hidden = !shown.notice;
  }
  return { draw };
}

export default { render: (context) => mount(context, deck) };
