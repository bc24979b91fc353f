// The drawing of a price chart: the kernel gives points, lines and texts, and this places them.

const SVG = "http://www.w3.org/2000/svg";
const LETTER = 7; // pixels, at most, of a digit on an axis
const HEIGHT = 280;
const MARGIN = { left: 62, right: 12, top: 10, bottom: 34 };
const VOLUME = 0.18; // part of the height that the highest bar of volume takes
const APART = 13; // pixels between two texts that stand beside their lines

function shape(tag, attributes = {}, ...children) {
  const made = set(document.createElementNS(SVG, tag), attributes);
  made.append(...children);
  return made;
}

// Build the drawing. It returns the element, `draw(picture, x)`, `resize(width)`, and how prices
// and times of what is drawn stand on the page.
function plotOf() {
  const id = `hz-${Math.random().toString(36).slice(2)}`;
  const grid = shape("g", { class: "hz-grid" });
  const xLabel = shape("text", { class: "hz-axis", "text-anchor": "middle" });
  const yLabel = shape("text", { class: "hz-axis", "text-anchor": "middle" });
  const room = shape("rect");
  const band = shape("path", { class: "hz-band" });
  const volume = shape("path", { class: "hz-volume" });
  const line = shape("path", { class: "hz-path" });
  const rose = shape("path", { class: "hz-candle-buy" });
  const fell = shape("path", { class: "hz-candle-sell" });
  const last = shape("circle", { r: 3, class: "hz-last" });
  const fills = shape("g");
  const lines = shape("g", { class: "hz-lines" });
  const traded = shape("text", { class: "hz-traded" });
  const above = shape("text", { class: "hz-beyond", "text-anchor": "end" });
  const below = shape("text", { class: "hz-beyond", "text-anchor": "end" });
  const nothing = shape("text", { class: "hz-nothing", "text-anchor": "middle" });
  const across = shape("line", { class: "hz-cursor", visibility: "hidden" });
  const upright = shape("line", { class: "hz-cursor", visibility: "hidden" });
  const at = shape("circle", { r: 4, class: "hz-last", visibility: "hidden" });
  const tagBox = shape("rect", { class: "hz-tag", rx: 2 });
  const tagText = shape("text", { class: "hz-tag-text", "text-anchor": "end" });
  const tag = shape("g", { visibility: "hidden" }, tagBox, tagText);
  const clip = `url(#${id}-room)`;
  const element = shape(
    "svg",
    { role: "img", class: "hz-plot", height: HEIGHT },
    shape("defs", {}, shape("clipPath", { id: `${id}-room` }, room)),
    grid,
    xLabel,
    yLabel,
    shape("g", { "clip-path": clip }, volume, band, rose, fell, line),
    traded,
    shape("g", { "clip-path": clip }, last, fills),
    lines,
    above,
    below,
    upright,
    across,
    at,
    tag,
    nothing,
  );

  let shown = null;
  let ends = [0, 1]; // of the axis of time, as it stands here
  let width = 0;

  const placed = (value, low, high, from, to) => from + ((value - low) / (high - low)) * (to - from);
  const x = (second) => placed(second, ends[0], ends[1], MARGIN.left, width - MARGIN.right);
  const y = (price) => placed(price, shown.y[0], shown.y[1], HEIGHT - MARGIN.bottom, MARGIN.top);
  const isEmpty = () => !shown || (shown.points.length === 0 && shown.bars.length === 0);
  // What can be read: the bars, or the points that tell their values.
  const items = () => (shown.bars.length ? shown.bars : shown.points.filter((it) => it[2] !== null));
  const middleOf = ([second]) => (shown.bars.length ? second + shown.bar / 2 : second);
  const priceOf = (item) => (shown.bars.length ? item[4] : item[1]);
  const textOf = (item) => item[shown.bars.length ? 5 : 2];

  function mark(isTime) {
    return shape("g", {}, shape("line"), shape("text", { "text-anchor": isTime ? "middle" : "end" }));
  }

  function drawGrid() {
    const longest = Math.max(4, ...shown.y[2].map(([, text]) => text.length));
    MARGIN.left = 26 + LETTER * longest;
    const space = LETTER * (2 + Math.max(4, ...shown.x[2].map(([, text]) => text.length)));
    let free = 0; // where the next time may stand without meeting the one before
    const marks = [
      ...shown.x[2].map(([value, text]) => ({ text, value, isTime: true })),
      ...shown.y[2].map(([value, text]) => ({ text, value, isTime: false })),
    ].filter(({ value, isTime }) => !isTime || (value >= ends[0] && value <= ends[1]));
    keyed(
      grid,
      marks,
      (it) => `${it.isTime} ${it.text}`,
      (it) => mark(it.isTime),
      (group, it) => {
        const [stroke, text] = group.children;
        write(text, it.text);
        if (it.isTime) {
          const place = x(it.value);
          set(stroke, { x1: place, x2: place, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom });
          const isLast = place > width - 44;
          const isFree = place >= free;
          if (isFree) free = place + space;
          set(text, {
            visibility: isFree ? null : "hidden",
            x: isLast ? width - 2 : place,
            y: HEIGHT - MARGIN.bottom + 14,
            "text-anchor": isLast ? "end" : "middle",
          });
        } else {
          const place = y(it.value);
          set(stroke, { x1: MARGIN.left, x2: width - MARGIN.right, y1: place, y2: place });
          set(text, { x: MARGIN.left - 6, y: place + 4 });
        }
      },
    );
    write(xLabel, shown.x[3]);
    // What the volume is stands beside it, below the axis.
    const isAside = shown.volume !== null && !isTight();
    set(xLabel, {
      x: isAside ? width - MARGIN.right : (MARGIN.left + width) / 2,
      y: HEIGHT - 4,
      "text-anchor": isAside ? "end" : "middle",
    });
    write(yLabel, shown.y[3]);
    const middle = (HEIGHT - MARGIN.bottom + MARGIN.top) / 2;
    set(yLabel, { transform: `translate(11 ${middle}) rotate(-90)` });
    const size = { x: MARGIN.left, y: MARGIN.top, height: HEIGHT - MARGIN.bottom - MARGIN.top };
    set(room, { ...size, width: Math.max(width - MARGIN.right - MARGIN.left, 0) });
  }

  // Whether there is no room for the words of volume and time in one line.
  function isTight() {
    const letters = (shown.volume?.label.length ?? 0) + shown.x[3].length + 4;
    return LETTER * letters > width - MARGIN.right - MARGIN.left;
  }

  const n = (pixels) => pixels.toFixed(1);

  // A price holds until the next one comes.
  function stairs(points) {
    return points.map(([px, py], i) => (i === 0 ? `M${n(px)} ${n(py)}` : `H${n(px)}V${n(py)}`)).join("");
  }

  // The room between bid and ask, stretch by stretch: where one is missing there is none.
  function bandPath() {
    let path = "";
    let run = []; // left edge, bid and ask of each step
    const close = (until) => {
      if (run.length === 0) return;
      path += stairs(run.map(([px, bid]) => [px, bid])) + `H${n(until)}V${n(run[run.length - 1][2])}`;
      for (let i = run.length - 1; i > 0; i -= 1) path += `H${n(run[i][0])}V${n(run[i - 1][2])}`;
      path += `H${n(run[0][0])}Z`;
      run = [];
    };
    shown.band.forEach(([second, bid, ask]) => {
      if (bid === null || ask === null) close(x(second));
      else run.push([x(second), y(bid), y(ask)]);
    });
    if (run.length) close(run[run.length - 1][0]);
    return path;
  }

  function drawBars() {
    const paths = { up: "", down: "" };
    const wide = x(shown.bar) - x(0);
    const half = Math.max(Math.min(wide * 0.35, 12), 0.5);
    for (const [start, open, high, low, close] of shown.bars) {
      const px = x(start) + wide / 2;
      const [top, bottom] = [y(Math.max(open, close)), y(Math.min(open, close))];
      const body = `M${n(px - half)} ${n(top)}H${n(px + half)}V${n(Math.max(bottom, top + 1))}H${n(px - half)}Z`;
      const wicks = `M${n(px)} ${n(y(high))}V${n(top)}M${n(px)} ${n(bottom)}V${n(y(low))}`;
      paths[close >= open ? "up" : "down"] += wicks + body;
    }
    set(rose, { d: paths.up });
    set(fell, { d: paths.down });
  }

  function drawVolume() {
    const { volume: sums } = shown;
    let path = "";
    if (sums) {
      const floor = HEIGHT - MARGIN.bottom;
      const tall = (floor - MARGIN.top) * VOLUME;
      const wide = x(sums.width) - x(0);
      const gap = wide > 4 ? 0.15 * wide : 0;
      for (const [start, size] of sums.bars) {
        const px = x(start);
        path += `M${n(px + gap)} ${n(floor)}V${n(floor - (size / sums.top) * tall)}H${n(px + wide - gap)}V${n(floor)}Z`;
      }
    }
    set(volume, { d: path });
    write(traded, sums ? sums.label : "");
    const over = (HEIGHT - MARGIN.bottom - MARGIN.top) * VOLUME + MARGIN.bottom + 5;
    set(traded, { x: MARGIN.left + (isTight() ? 5 : 0), y: HEIGHT - (isTight() ? over : 4) });
  }

  function drawFills() {
    keyed(
      fills,
      shown.fills,
      ([number]) => number,
      ([, , , side]) => shape("path", { class: `hz-fill-${side}` }, shape("title")),
      (made, [, second, price, side, text]) => {
        const [cx, cy] = [x(second), y(price)];
        const tip = side === "buy" ? -6 : 6;
        set(made, {
          class: `hz-fill-${side}`,
          d: `M${cx} ${cy + tip}L${cx + 6} ${cy - tip}L${cx - 6} ${cy - tip}Z`,
        });
        write(made.firstChild, text);
      },
    );
  }

  function drawLines() {
    const taken = []; // where texts stand already
    const most = Math.max(Math.floor((width - MARGIN.left) / LETTER) - 4, 8);
    keyed(
      lines,
      shown.lines,
      ({ id: name }) => name,
      () => shape("g", {}, shape("line"), shape("text", { "text-anchor": "end" })),
      (group, it) => {
        const [stroke, text] = group.children;
        const place = y(it.price);
        set(group, { class: `hz-line-${it.kind}`, "data-tone": it.side });
        set(stroke, { x1: MARGIN.left, x2: width - MARGIN.right, y1: place, y2: place });
        const isFree = taken.every((other) => Math.abs(other - place) >= APART);
        if (isFree) taken.push(place);
        write(text, it.text.length > most ? `${it.text.slice(0, most - 1)}…` : it.text);
        // Under its line where it would leave the room above it.
        const below = place - 4 < MARGIN.top + 9;
        set(text, {
          visibility: isFree ? null : "hidden",
          x: width - MARGIN.right - 4,
          y: below ? place + 12 : place - 4,
        });
      },
    );
    write(above, shown.above);
    write(below, shown.below);
    set(above, { x: width - MARGIN.right - 4, y: MARGIN.top + 10 });
    set(below, { x: width - MARGIN.right - 4, y: HEIGHT - MARGIN.bottom - 5 });
  }

  function render() {
    if (!shown || width < 120) return;
    const empty = isEmpty();
    const parts = [grid, line, band, volume, rose, fell, last, fills, lines, traded, above, below];
    for (const part of [...parts, xLabel, yLabel]) {
      set(part, { visibility: empty ? "hidden" : null });
    }
    write(nothing, empty ? shown.summary : "");
    set(nothing, { x: width / 2, y: HEIGHT / 2 });
    if (empty) {
      hideCursor();
      return;
    }
    drawGrid();
    set(line, { d: stairs(shown.points.map(([second, price]) => [x(second), y(price)])) });
    set(band, { d: shown.band.length ? bandPath() : "" });
    drawBars();
    drawVolume();
    const all = shown.bars.length ? shown.bars : shown.points;
    const newest = all[all.length - 1];
    set(last, { cx: x(middleOf(newest)), cy: y(priceOf(newest)) });
    drawFills();
    drawLines();
  }

  function nearest(px) {
    let near = null;
    for (const it of items()) {
      if (near === null || Math.abs(x(middleOf(it)) - px) < Math.abs(x(middleOf(near)) - px)) near = it;
    }
    return near;
  }

  function hideCursor() {
    for (const part of [across, upright, at, tag]) set(part, { visibility: "hidden" });
  }

  // The cursor at an item, and across it at its price, or at one of the prices to take.
  function showCursor(item, level) {
    const [cx, cy] = [x(middleOf(item)), y(priceOf(item))];
    const py = level ? y(level[0]) : cy;
    const [right, floor] = [width - MARGIN.right, HEIGHT - MARGIN.bottom];
    set(upright, { x1: cx, x2: cx, y1: MARGIN.top, y2: floor, visibility: null });
    set(across, { x1: MARGIN.left, x2: right, y1: py, y2: py, visibility: null });
    set(at, { cx, cy, visibility: null });
    write(tagText, level ? level[1] : "");
    set(tag, { visibility: level ? null : "hidden" });
    if (level) {
      set(tagText, { x: MARGIN.left - 4, y: py + 4 });
      const wide = 8 + LETTER * level[1].length;
      set(tagBox, { x: MARGIN.left - wide, y: py - 9, width: wide, height: 18 });
    }
  }

  return {
    element,
    draw(picture, stretch) {
      shown = picture;
      if (!isEmpty()) ends = stretch ?? [picture.x[0], picture.x[1]];
      render();
    },
    resize(now) {
      width = now;
      render();
    },
    isEmpty,
    items,
    nearest,
    textOf,
    middleOf,
    hideCursor,
    showCursor,
    pixelsOf: (price) => y(price),
    inside: (px, py) =>
      px >= MARGIN.left && px <= width - MARGIN.right && py >= MARGIN.top && py <= HEIGHT - MARGIN.bottom,
    share: (px) => Math.min(Math.max((px - MARGIN.left) / (width - MARGIN.right - MARGIN.left), 0), 1),
    seconds: (pixels) => ((ends[1] - ends[0]) * pixels) / (width - MARGIN.right - MARGIN.left),
  };
}
