// The feed's deck: buttons, a slider through the data, and one of speeds.

const POINTED = 60; // milliseconds between two questions of what stands at a place

function deck(body, send) {
  const id = `hz-${Math.random().toString(36).slice(2)}`;
  const what = node("bdi", { class: "hz-cell-label" });
  const buttons = node("span", { class: "hz-tools" });
  const rows = node("input", {
    id: `${id}-rows`, type: "text", inputmode: "numeric", autocomplete: "off", class: "hz-short-field",
  });
  rows.value = "1";
  const restart = button((item) => send(item.do));
  const loop = node("input", { id: `${id}-loop`, type: "checkbox" });
  const speed = node("input", { id: `${id}-speed`, type: "range", min: 0, step: 1 });
  const fast = node("span", { class: "hz-speed" });
  const to = node("input", {
    id: `${id}-to`, type: "text", autocomplete: "off", spellcheck: "false",
    placeholder: "14:30, +5m, 50%, row 1500", class: "hz-jump-field",
  });
  const jump = button(() => go());
  jump.hzTake({ label: "Jump", name: "Jump ahead; every row on the way is played" });
  const progress = bar();
  // On a desk, whose head has one line, what is used less often is folded.
  const more = node(
    "div",
    { class: "hz-deck-more", id: `${id}-more`, role: "group", "aria-label": "More of the feed" },
    node("label", { for: rows.id }, "Rows", rows),
    restart,
    node("label", { for: loop.id }, loop, "Loop"),
    node("span", { class: "hz-tools" }, node("label", { for: speed.id }, "Speed", speed), fast),
    node("span", { class: "hz-tools" }, node("label", { for: to.id }, "Jump to", to), jump),
    progress,
  );
  const unfold = button(() => fold(more.dataset.open !== undefined), {
    class: "hz-button hz-deck-unfold",
    "aria-controls": more.id,
  });
  function fold(isFolded) {
    set(more, { "data-open": !isFolded });
    set(unfold, { "aria-expanded": String(!isFolded) });
    unfold.hzTake({
      label: isFolded ? "More ▾" : "Less ▴",
      name: isFolded ? "More of the feed" : "Less of the feed",
    });
  }
  fold(true);
  const place = node("input", { id: `${id}-place`, type: "range", min: 0, class: "hz-place" });
  const where = node("span", { class: "hz-where" });
  const state = node("span");
  const time = node("span", { class: "hz-deck-time" }); // a desk's head has it, too
  const status = node("span", { class: "hz-deck-status" }, state, time);
  const line = node("div", { class: "hz-track" }, place, where);
  const notice = node("p", { class: "hz-note", role: "status", hidden: true });
  body.append(
    node(
      "div",
      { class: "hz-deck" },
      buttons,
      node("span", { class: "hz-cell" }, what, status),
      unfold,
      more,
    ),
    line,
    notice,
  );

  let shown = null;
  let chosen = null; // a speed that the kernel has not confirmed
  let wanted = null; // a place that the slider is held at
  let asking = 0;

  function go() {
    if (to.value.trim() !== "") send("jump", { to: to.value });
  }
  function act(item) {
    send(item.do, item.do === "step" ? { rows: rows.value } : {});
  }
  for (const [field, enter] of [
    [to, go],
    [rows, () => act({ do: "step" })],
  ]) {
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.repeat) return;
      event.preventDefault();
      enter();
    });
  }
  loop.addEventListener("change", () => send("loop", { loops: loop.checked }));

  function sayFast(index) {
    const [, text] = shown.speeds[index] ?? ["", ""];
    write(fast, text);
    set(speed, { "aria-valuetext": text });
  }
  speed.addEventListener("input", () => {
    chosen = Number(speed.value);
    sayFast(chosen);
    send("speed", { speed: shown.speeds[chosen][0] });
  });
  speed.addEventListener("blur", () => {
    chosen = null;
  });

  function ask() {
    asking = 0;
    if (wanted !== null) send("point", { place: wanted });
  }
  place.addEventListener("input", () => {
    wanted = Number(place.value);
    if (!asking) asking = setTimeout(ask, POINTED);
  });
  place.addEventListener("change", () => {
    send("go", { place: Number(place.value) });
    wanted = null;
  });
  place.addEventListener("blur", () => {
    wanted = null;
  });

  // Where no field or button has the focus, as on a tape deck.
  body.parentElement?.addEventListener("keydown", onKey);
  function onKey(event) {
    const isTaken = event.target.closest?.("button, input, select");
    if (isTaken || event.ctrlKey || event.metaKey || event.altKey || !shown) return;
    const [verb, isOn] =
      event.key === " " ? ["play or pause", true] : event.key === "." ? ["step", true] : ["", false];
    if (!isOn) return;
    event.preventDefault();
    if (event.repeat && verb !== "step") return;
    const item = shown.actions.find(({ do: name, off }) =>
      !off && (verb === "step" ? name === "step" : name === "play" || name === "pause"),
    );
    if (item) act(item);
  }

  function draw(picture) {
    shown = picture;
    write(what, shown.what);
    set(what, { title: shown.what });
    keyed(
      buttons,
      shown.actions,
      (item) => shown.actions.indexOf(item),
      () => button(act),
      (element, item) => {
        element.hzTake(item);
        const key = { play: "Space", pause: "Space", step: "." }[item.do];
        set(element, { "aria-keyshortcuts": key ?? null });
      },
    );
    restart.hzTake(shown.restart);
    loop.checked = shown.loops;
    set(speed, { max: shown.speeds.length - 1 });
    const now = shown.speeds.findIndex(([value]) => value === shown.speed);
    if (chosen === now) chosen = null;
    if (chosen === null) {
      if (Number(speed.value) !== now) speed.value = now;
      sayFast(now);
    }
    progress.hidden = !shown.bar || Boolean(shown.track);
    if (shown.bar) progress.hzTake(shown.bar);
    line.hidden = !shown.track;
    if (shown.track) {
      const { name, end, place: at, words, here, step } = shown.track;
      set(place, { max: end, step, "aria-label": name, title: name });
      const isHeld = wanted !== null;
      if (!isHeld) place.value = at;
      const pointed = isHeld && shown.pointed[0] === wanted ? shown.pointed[1] : "";
      const text = isHeld ? (pointed ? `jump to ${pointed}` : "…") : here;
      write(where, text);
      set(place, { "aria-valuetext": isHeld && pointed ? pointed : words });
    }
    write(state, shown.status);
    write(time, shown.time ? `, ${shown.time}` : "");
    write(notice, hosted(shown, "notice"));
    notice.hidden = !shown.notice;
  }
  return { draw, end: () => clearTimeout(asking) };
}

export default { render: (context) => mount(context, deck) };
