// A run's monitor: its state and its switches, its account as a line, its tables.

const SVG = "http://www.w3.org/2000/svg";
const HIGH = 190; // pixels of the line
const LETTER = 7; // pixels, at most, of a digit on an axis
const EDGE = { right: 12, top: 10, bottom: 34 };

function shape(tag, attributes = {}, ...children) {
  const made = set(document.createElementNS(SVG, tag), attributes);
  made.append(...children);
  return made;
}

// A line over time. The pointer, or the arrow keys, tell a point's time and value.
function lineOf(parent) {
  const grid = shape("g", { class: "hz-grid" });
  const xName = shape("text", { "text-anchor": "middle" });
  const yName = shape("text", { "text-anchor": "middle" });
  const start = shape("line", { class: "hz-start" });
  const path = shape("path", { class: "hz-path" });
  const last = shape("circle", { r: 3, class: "hz-last" });
  const cursor = shape("line", { class: "hz-cursor", visibility: "hidden" });
  const at = shape("circle", { r: 4, class: "hz-last", visibility: "hidden" });
  const says = shape("text", { class: "hz-says", visibility: "hidden" });
  const nothing = shape("text", { class: "hz-nothing", "text-anchor": "middle" });
  const plot = shape(
    "svg",
    { class: "hz-plot", height: HIGH, tabindex: 0, role: "img" },
    grid,
    xName,
    yName,
    start,
    cursor,
    path,
    last,
    at,
    says,
    nothing,
  );
  const told = node("span", { class: "hz-unseen", role: "status" });
  const summary = node("p", { class: "hz-hint" });
  parent.append(plot, told, summary);

  let shown = null;
  let width = 0;
  let left = 70;
  let chosen = null; // the time of the point that is told
  const placed = (value, [low, high], from, to) =>
    from + ((value - low) / (high - low)) * (to - from);
  const x = (second) => placed(second, shown.x, left, width - EDGE.right);
  const y = (value) => placed(value, shown.y, HIGH - EDGE.bottom, EDGE.top);
  const isEmpty = () => !shown || shown.points.length === 0;

  function drawGrid() {
    left = 26 + LETTER * Math.max(4, ...shown.y[2].map(([, text]) => text.length));
    const room = LETTER * (2 + Math.max(4, ...shown.x[2].map(([, text]) => text.length)));
    let free = 0;
    const marks = [
      ...shown.x[2].map(([value, text]) => ({ value, text, isTime: true })),
      ...shown.y[2].map(([value, text]) => ({ value, text, isTime: false })),
    ];
    keyed(
      grid,
      marks,
      (it) => `${it.isTime} ${it.text}`,
      (it) => shape("g", {}, shape("line"), shape("text", { "text-anchor": it.isTime ? "middle" : "end" })),
      (element, it) => {
        const [stroke, text] = element.children;
        write(text, it.text);
        if (it.isTime) {
          const place = x(it.value);
          const isFree = place >= free && place < width - 30;
          if (isFree) free = place + room;
          set(stroke, { x1: place, x2: place, y1: EDGE.top, y2: HIGH - EDGE.bottom });
          set(text, { x: place, y: HIGH - EDGE.bottom + 14, visibility: isFree ? null : "hidden" });
        } else {
          const place = y(it.value);
          set(stroke, { x1: left, x2: width - EDGE.right, y1: place, y2: place });
          set(text, { x: left - 6, y: place + 4 });
        }
      },
    );
    write(xName, shown.x[3]);
    set(xName, { x: (left + width) / 2, y: HIGH - 4 });
    write(yName, shown.y[3]);
    const middle = (HIGH - EDGE.bottom + EDGE.top) / 2;
    set(yName, { transform: `translate(11 ${middle}) rotate(-90)` });
  }

  function render() {
    if (!shown || width < 120) return;
    const empty = isEmpty();
    for (const part of [grid, xName, yName, start, path, last]) {
      set(part, { visibility: empty ? "hidden" : null });
    }
    write(nothing, empty ? shown.summary : "");
    set(nothing, { x: width / 2, y: HIGH / 2 });
    if (empty) return;
    drawGrid();
    const from = y(shown.start);
    set(start, { x1: left, x2: width - EDGE.right, y1: from, y2: from });
    let d = "";
    shown.points.forEach(([second, value], i) => {
      d += `${i === 0 ? "M" : "L"}${x(second).toFixed(1)} ${y(value).toFixed(1)}`;
    });
    set(path, { d });
    const [second, value] = shown.points[shown.points.length - 1];
    set(last, { cx: x(second), cy: y(value) });
    if (chosen !== null) tell(nearest(chosen));
  }

  function nearest(second) {
    let near = 0;
    shown.points.forEach((point, i) => {
      if (Math.abs(point[0] - second) < Math.abs(shown.points[near][0] - second)) near = i;
    });
    return near;
  }
  function tell(index, aloud = false) {
    const [second, value, text] = shown.points[index];
    chosen = second;
    const [cx, cy] = [x(second), y(value)];
    set(cursor, { x1: cx, x2: cx, y1: EDGE.top, y2: HIGH - EDGE.bottom, visibility: null });
    set(at, { cx, cy, visibility: null });
    write(says, text);
    const isRight = cx > width / 2;
    set(says, {
      x: isRight ? cx - 8 : cx + 8,
      y: EDGE.top + 12,
      "text-anchor": isRight ? "end" : "start",
      visibility: null,
    });
    if (aloud) write(told, text);
  }
  function hide() {
    chosen = null;
    write(told, "");
    for (const part of [cursor, at, says]) set(part, { visibility: "hidden" });
  }
  plot.addEventListener("pointermove", (event) => {
    if (isEmpty()) return;
    const box = plot.getBoundingClientRect();
    const share = (event.clientX - box.left - left) / (width - EDGE.right - left);
    tell(nearest(shown.x[0] + share * (shown.x[1] - shown.x[0])));
  });
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    if (isEmpty()) return;
    const most = shown.points.length - 1;
    const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 25, PageUp: -25, Home: -most, End: most }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    const from = chosen === null ? most : nearest(chosen);
    tell(Math.min(Math.max(from + (chosen === null && step === -1 ? 0 : step), 0), most), true);
  });
  const size = new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width) return;
    width = now;
    render();
  });
  size.observe(plot);
  return {
    draw(picture) {
      shown = picture;
      const text = picture.points.length ? `${picture.summary}; dotted: ${picture.startText}` : "";
      write(summary, text);
      set(plot, { "aria-label": `Equity line: ${picture.summary}` });
      render();
    },
    end: () => size.disconnect(),
  };
}

function runMonitor(body, send, context) {
  const id = `hz-${Math.random().toString(36).slice(2)}`;
  const press = (item) => send(item.do, item.id ? { id: item.id } : {});
  const title = node("bdi", { class: "hz-title" });
  const chip = node("span", { class: "hz-chip", role: "status" });
  const mode = node("span", { class: "hz-mode" });
  const time = node("span", { class: "hz-run-time" });
  const tools = node("span", { class: "hz-tools" });
  const buttons = node("span", { class: "hz-tools" });
  const kill = hold((item) => send(item.do));
  tools.append(buttons, kill);
  const halted = node("p", { role: "alert" });
  const lifts = node("span", { class: "hz-tools" });
  const banner = node("div", { class: "hz-halted", hidden: true }, halted, lifts);

  const plays = node("span", { class: "hz-tools" });
  const speed = node("select", { id });
  const speedField = node("label", { for: id }, "Speed", speed);
  const note = node("span", { class: "hz-hint" }, "Speed is 1× beside a live feed.");
  const deck = node(
    "div",
    { class: "hz-deck hz-run-player", role: "group", "aria-label": "Played feeds" },
    node("span", { class: "hz-title" }, "Played feeds"),
    plays,
    speedField,
    note,
  );
  speed.addEventListener("change", () => send("speed", { speed: speed.value }));

  const top = node("div", { class: "hz-run-top" });
  const middle = node("div", { class: "hz-run-line" });
  const bottom = node("div");
  body.append(
    node("div", { class: "hz-view-head" }, title, chip, mode, time, tools),
    banner,
    deck,
    top,
    middle,
    bottom,
  );
  const upper = sectionsOf(top, send, context);
  const lower = sectionsOf(bottom, send, context);
  const line = lineOf(middle);

  function drawDeck(player) {
    deck.hidden = !player;
    if (!player) return;
    keyed(
      plays,
      player.actions,
      (item) => player.actions.indexOf(item),
      () => button(press),
      (element, item) => element.hzTake(item),
    );
    speedField.hidden = !player.canSpeed;
    note.hidden = player.canSpeed || player.speeds.length === 0;
    keyed(
      speed,
      player.speeds,
      ([value]) => value,
      ([value, text]) => node("option", { value }, text),
      () => {},
    );
    if (speed.value !== player.speed && document.activeElement !== speed) speed.value = player.speed;
  }

  function draw(shown) {
    write(title, shown.title);
    write(chip, shown.chip[0]);
    set(chip, { "data-tone": shown.chip[1] || null });
    write(mode, shown.mode);
    write(time, shown.time);
    keyed(buttons, shown.tools, (it) => it.do, () => button(press, {}, true), (element, it) =>
      element.hzTake(it),
    );
    kill.hzTake(shown.kill);
    write(halted, shown.halted);
    banner.hidden = shown.halted === "";
    keyed(lifts, shown.lifts, (it) => it.do, () => button(press, {}, true), (element, it) =>
      element.hzTake(it),
    );
    drawDeck(shown.player);
    upper.draw(shown.top);
    line.draw(shown.line);
    lower.draw(shown.bottom);
  }
  return {
    draw,
    end: () => {
      upper.end();
      lower.end();
      line.end();
      kill.hzEnd();
    },
  };
}

export default { render: (context) => mount(context, runMonitor) };
