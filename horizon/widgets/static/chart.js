// A live price line: the kernel gives points, marks and texts, and this places them.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 62, right: 12, top: 10, bottom: 34 };
const LETTER = 7; // pixels, at most, of a digit on an axis
const HEIGHT = 250;

function shape(tag, attributes = {}, ...children) {
  const made = set(document.createElementNS(SVG, tag), attributes);
  made.append(...children);
  return made;
}

function chart(body, send) {
  const id = `hz-${Math.random().toString(36).slice(2)}`;
  const choose = node("select", { id });
  const span = node("select", { id: `${id}-span` });
  const summary = node("p");
  const key = node(
    "span",
    { class: "hz-hint" },
    node("span", { class: "hz-key", style: "background: var(--hz-buy)" }),
    "▲ bought",
    node("span", { class: "hz-key", style: "background: var(--hz-sell)" }),
    "▼ sold",
  );
  choose.addEventListener("change", () => send("choose", { market: choose.value }));
  span.addEventListener("change", () => send("span", { span: span.value }));

  const grid = shape("g", { class: "hz-grid" });
  const xLabel = shape("text", { class: "hz-axis", "text-anchor": "middle" });
  const yLabel = shape("text", { class: "hz-axis", "text-anchor": "middle" });
  const line = shape("path", { class: "hz-path" });
  const last = shape("circle", { r: 3, class: "hz-last" });
  const fills = shape("g");
  const cursor = shape("line", { class: "hz-cursor", visibility: "hidden" });
  const at = shape("circle", { r: 4, class: "hz-last", visibility: "hidden" });
  const nothing = shape("text", { class: "hz-nothing", "text-anchor": "middle" });
  const says = shape("text", { class: "hz-says", visibility: "hidden" });
  const plot = shape(
    "svg",
    { role: "img", class: "hz-plot", height: HEIGHT },
    grid,
    xLabel,
    yLabel,
    cursor,
    line,
    last,
    fills,
    at,
    says,
    nothing,
  );
  body.append(
    node(
      "div",
      { class: "hz-deck" },
      node("label", { for: id }, "Market", choose),
      node("label", { for: `${id}-span` }, "Time shown", span),
      key,
    ),
    plot,
    summary,
  );

  let shown = null;
  let width = 0;

  const placed = (value, [low, high], from, to) => from + ((value - low) / (high - low)) * (to - from);
  const x = (second) => placed(second, shown.x, MARGIN.left, width - MARGIN.right);
  const y = (price) => placed(price, shown.y, HEIGHT - MARGIN.bottom, MARGIN.top);

  function mark(isTime) {
    return () =>
      shape("g", {}, shape("line"), shape("text", { "text-anchor": isTime ? "middle" : "end" }));
  }

  function drawGrid() {
    const longest = Math.max(4, ...shown.y[2].map(([, text]) => text.length));
    MARGIN.left = 26 + LETTER * longest;
    const room = LETTER * (2 + Math.max(4, ...shown.x[2].map(([, text]) => text.length)));
    let free = 0; // where the next time may stand without meeting the one before
    const marks = [
      ...shown.x[2].map(([value, text]) => ({ text, value, isTime: true })),
      ...shown.y[2].map(([value, text]) => ({ text, value, isTime: false })),
    ];
    keyed(
      grid,
      marks,
      (it) => `${it.isTime} ${it.text}`,
      (it) => mark(it.isTime)(),
      (element, it) => {
        const [stroke, text] = element.children;
        write(text, it.text);
        if (it.isTime) {
          const at = x(it.value);
          set(stroke, { x1: at, x2: at, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom });
          const isLast = at > width - 44;
          const isFree = at >= free;
          if (isFree) free = at + room;
          set(text, {
            visibility: isFree ? null : "hidden",
            x: isLast ? width - 2 : at,
            y: HEIGHT - MARGIN.bottom + 14,
            "text-anchor": isLast ? "end" : "middle",
          });
        } else {
          const at = y(it.value);
          set(stroke, { x1: MARGIN.left, x2: width - MARGIN.right, y1: at, y2: at });
          set(text, { x: MARGIN.left - 6, y: at + 4 });
        }
      },
    );
    write(xLabel, shown.x[3]);
    set(xLabel, { x: (MARGIN.left + width) / 2, y: HEIGHT - 4 });
    write(yLabel, shown.y[3]);
    const middle = (HEIGHT - MARGIN.bottom + MARGIN.top) / 2;
    set(yLabel, { transform: `translate(11 ${middle}) rotate(-90)` });
  }

  function render() {
    if (!shown || width < 120) return;
    const { points } = shown;
    const isEmpty = points.length === 0;
    for (const part of [grid, line, last, fills, xLabel, yLabel]) {
      set(part, { visibility: isEmpty ? "hidden" : null });
    }
    write(nothing, isEmpty ? shown.summary : "");
    set(nothing, { x: width / 2, y: HEIGHT / 2 });
    if (isEmpty) return;
    drawGrid();
    // A price holds until the next one comes.
    let path = "";
    points.forEach(([second, price], i) => {
      path += i === 0 ? `M${x(second).toFixed(1)} ${y(price).toFixed(1)}` : `H${x(second).toFixed(1)}V${y(price).toFixed(1)}`;
    });
    set(line, { d: path });
    const [second, price] = points[points.length - 1];
    set(last, { cx: x(second), cy: y(price) });
    keyed(
      fills,
      shown.fills,
      ([number]) => number,
      ([, , , side]) => shape("path", { class: `hz-fill-${side}` }, shape("title")),
      (element, [, second, price, side, text]) => {
        const [cx, cy] = [x(second), y(price)];
        const tip = side === "buy" ? -6 : 6;
        set(element, { d: `M${cx} ${cy + tip}L${cx + 6} ${cy - tip}L${cx - 6} ${cy - tip}Z` });
        write(element.firstChild, text);
      },
    );
  }

  function point(event) {
    if (!shown || shown.points.length === 0) return;
    const box = plot.getBoundingClientRect();
    const wanted = event.clientX - box.left;
    let near = null;
    for (const it of shown.points) {
      if (near === null || Math.abs(x(it[0]) - wanted) < Math.abs(x(near[0]) - wanted)) near = it;
    }
    const [second, price, text] = near;
    const [cx, cy] = [x(second), y(price)];
    set(cursor, { x1: cx, x2: cx, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, visibility: null });
    set(at, { cx, cy, visibility: null });
    write(says, text);
    const isRight = cx > width / 2;
    set(says, {
      x: isRight ? cx - 8 : cx + 8,
      y: MARGIN.top + 12,
      "text-anchor": isRight ? "end" : "start",
      visibility: null,
    });
  }
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerleave", () => {
    for (const part of [cursor, at, says]) set(part, { visibility: "hidden" });
  });
  const size = new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width) return;
    width = now;
    render();
  });
  size.observe(plot);

  function options(select, items, chosen) {
    keyed(
      select,
      items,
      ([value]) => value,
      ([value]) => {
        const option = node("option");
        option.value = value;
        return option;
      },
      (option, [, text]) => write(option, text),
    );
    if (chosen !== null && select.value !== chosen) select.value = chosen;
  }

  function draw(picture) {
    shown = picture;
    options(choose, picture.markets, picture.market);
    options(span, picture.spans, picture.span);
    write(summary, picture.points.length ? picture.summary : "");
    set(choose, { hidden: picture.markets.length === 0 });
    set(plot, { "aria-label": `Price line: ${picture.summary}` });
    render();
  }
  return { draw, end: () => size.disconnect() };
}

export default { render: (context) => mount(context, chart) };
