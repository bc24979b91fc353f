// A live price chart: its controls, and a cursor for mouse and keys.

const DRAG = 4; // pixels that a press moves before it is a drag
const SENT = 80; // milliseconds between two messages of a drag
const WAITS = 1500; // milliseconds after which a drag that nobody answered is let go
const STEADY = 350; // milliseconds that the axis must have stood still before a click counts
const HEARD = 5000; // milliseconds for which a choice stands before the kernel has followed
const STEP = 1.6; // how many times as much time one step of zooming shows

function chart(body, send) {
  const id = `hz-${Math.random().toString(36).slice(2)}`;
  const selects = {};
  function choice(verb, label) {
    const select = node("select", { id: `${id}-${verb}` });
    select.addEventListener("change", () => {
      select.hzChosen = { value: select.value, until: performance.now() + HEARD };
      send(verb, { [argument[verb]]: select.value });
    });
    selects[verb] = select;
    return node("label", { for: `${id}-${verb}` }, label, select);
  }
  const argument = { choose: "market", span: "span", kind: "kind", bars: "bars", side: "side" };
  const market = choice("choose", "Market");
  const span = choice("span", "Time shown");
  const kind = choice("kind", "Drawn as");
  const bars = choice("bars", "Bar width");
  const side = choice("side", "Side");
  const tool = (label, name, act) => {
    const made = button(act);
    made.hzTake({ label, name });
    return made;
  };
  const zoom = (factor, at = 0.5) => send("zoom", { factor, at });
  const follow = node("button", { type: "button", class: "hz-button hz-live" });
  follow.addEventListener("click", () => send("follow", { follows: !shown.follows }));
  const tools = node(
    "span",
    { class: "hz-tools" },
    tool("−", "Show more time", () => zoom(STEP)),
    tool("+", "Show less time", () => zoom(1 / STEP)),
    tool("◂", "Move to earlier", () => shift(-0.5)),
    tool("▸", "Move to later", () => shift(0.5)),
    follow,
  );
  const key = node(
    "span",
    { class: "hz-hint hz-chart-key" },
    node("span", { class: "hz-key", style: "background: var(--hz-buy)" }),
    "▲ bought",
    node("span", { class: "hz-key", style: "background: var(--hz-sell)" }),
    "▼ sold",
  );
  const reading = node("p", { class: "hz-reading" });
  const spoken = node("p", { class: "hz-unseen", role: "status" });
  const help = node("p", { class: "hz-unseen", id: `${id}-help` });
  const plot = plotOf();
  const stage = node(
    "div",
    { class: "hz-stage", role: "application", tabindex: 0, "aria-describedby": help.id },
    plot.element,
  );
  const held = node("p");
  const summary = node("p");
  body.append(
    node("div", { class: "hz-deck" }, market, span, kind, bars, side, tools, key),
    reading,
    stage,
    help,
    spoken,
    summary,
    held,
  );

  let shown = null;
  let changed = -STEADY; // when the axis of prices moved last
  let pointer = null; // where the mouse is on the plot
  let cursor = null; // where the keys are: a time, and the number of a price to take
  let drag = null;
  let drags = 0;
  let stretch = null; // of time, while a drag is on its way to the kernel

  // ---------------------------------------------------------------- the cursor
  const levels = () => shown.levels ?? [];
  function levelAt(py) {
    let near = null;
    for (const level of levels()) {
      if (near === null || Math.abs(plot.pixelsOf(level[0]) - py) < Math.abs(plot.pixelsOf(near[0]) - py)) {
        near = level;
      }
    }
    return near;
  }
  function itemAt(second) {
    let near = null;
    for (const item of plot.items()) {
      const away = Math.abs(plot.middleOf(item) - second);
      if (near === null || away < Math.abs(plot.middleOf(near) - second)) near = item;
    }
    return near;
  }
  function say(item, level, py) {
    const line = shown.lines?.find(({ price }) => Math.abs(plot.pixelsOf(price) - py) < 5);
    const parts = [plot.textOf(item)];
    if (line) parts.push(line.title);
    if (level) parts.push(`take ${level[1]}`);
    return parts.join("   ");
  }
  function look() {
    if (!shown || plot.isEmpty()) {
      write(reading, " ");
      return;
    }
    if (pointer && !drag?.moved) {
      const item = plot.nearest(pointer.px);
      const level = levelAt(pointer.py);
      plot.showCursor(item, level);
      write(reading, say(item, level, pointer.py));
      return;
    }
    if (cursor) {
      const item = itemAt(cursor.second);
      const level = cursor.price === null ? null : levelAt(plot.pixelsOf(cursor.price));
      plot.showCursor(item, level);
      const words = say(item, level, level ? plot.pixelsOf(level[0]) : -100);
      write(reading, words);
      if (cursor.speaks) write(spoken, words);
      cursor.speaks = false;
      return;
    }
    plot.hideCursor();
    const items = plot.items();
    write(reading, plot.textOf(items[items.length - 1]));
  }

  function take(level) {
    if (!level) return;
    if (performance.now() - changed < STEADY) {
      write(reading, "The axis has just moved: look again, and click once more.");
      return;
    }
    send("price", { price: level[0], market: shown.market, side: shown.side });
  }

  // ---------------------------------------------------------------- through time
  function move(start) {
    drags += 1;
    send("move", { start, drag: `${id} ${drags}` });
  }
  function shift(part) {
    if (!shown?.view) return;
    const [start, end] = shown.view;
    move(start + part * (end - start));
  }

  plot.element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !shown || plot.isEmpty()) return;
    const box = plot.element.getBoundingClientRect();
    const at = { px: event.clientX - box.left, py: event.clientY - box.top };
    if (!plot.inside(at.px, at.py)) return;
    drag = { at: event.clientX, ends: [...shown.x.slice(0, 2)], view: shown.view, moved: false, sent: 0 };
  });
  plot.element.addEventListener("pointermove", (event) => {
    const box = plot.element.getBoundingClientRect();
    pointer = { px: event.clientX - box.left, py: event.clientY - box.top };
    if (drag && event.buttons === 0) drag = null; // let go outside of the page
    if (drag) {
      const by = event.clientX - drag.at;
      if (!drag.moved && Math.abs(by) >= DRAG) {
        drag.moved = true;
        plot.element.setPointerCapture(event.pointerId);
      }
      if (drag.moved) {
        const seconds = plot.seconds(by);
        stretch = drag.ends.map((end) => end - seconds);
        const now = performance.now();
        if (now - drag.sent >= SENT) {
          drag.sent = now;
          move(drag.view[0] - seconds);
        }
        drag.last = drag.view[0] - seconds;
        plot.draw(shown, stretch);
        plot.hideCursor();
        return;
      }
    }
    look();
  });
  function drop() {
    const moved = drag?.moved;
    if (moved) {
      move(drag.last);
      const own = drags;
      setTimeout(() => {
        if (drags === own) settle();
      }, WAITS);
    }
    drag = null;
    return moved;
  }
  function settle() {
    stretch = null;
    if (shown) {
      plot.draw(shown, null);
      look();
    }
  }
  let taken = -STEADY;
  plot.element.addEventListener("pointerup", () => {
    if (!drag) return;
    if (drop() || !pointer) return;
    cursor = null;
    const now = performance.now();
    if (now - taken < TWICE) return; // the second half of a double click
    taken = now;
    take(levelAt(pointer.py));
  });
  plot.element.addEventListener("pointercancel", drop);
  plot.element.addEventListener("pointerleave", () => {
    if (drag?.moved) return;
    drag = null;
    pointer = null;
    look();
  });
  // A wheel alone scrolls the page, as everywhere.
  plot.element.addEventListener(
    "wheel",
    (event) => {
      if (!shown || plot.isEmpty()) return;
      const box = plot.element.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) {
        zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, plot.share(event.clientX - box.left));
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = event.deltaX === 0 ? event.deltaY : event.deltaX;
        move(shown.view[0] + plot.seconds(by));
      } else return;
      event.preventDefault();
    },
    { passive: false },
  );

  const keys = {
    ArrowLeft: (many) => step(-many),
    ArrowRight: (many) => step(many),
    Home: () => step(-Infinity),
    End: () => step(Infinity),
    ArrowUp: (many) => climb(many),
    ArrowDown: (many) => climb(-many),
    PageUp: () => shift(-0.5),
    PageDown: () => shift(0.5),
    "+": () => zoom(1 / STEP),
    "=": () => zoom(1 / STEP),
    "-": () => zoom(STEP),
    Enter: () => cursor && cursor.price !== null && take(levelAt(plot.pixelsOf(cursor.price))),
  };
  function step(by) {
    const items = plot.items();
    const from = cursor ? items.indexOf(itemAt(cursor.second)) : items.length;
    const to = Math.min(Math.max(from + by, 0), items.length - 1);
    cursor = { second: plot.middleOf(items[to]), price: cursor?.price ?? null, speaks: true };
  }
  function climb(by) {
    const all = levels();
    if (all.length === 0) return;
    const items = plot.items();
    const second = cursor?.second ?? plot.middleOf(items[items.length - 1]);
    const newest = items[items.length - 1];
    const start = cursor?.price ?? newest[shown.bars.length ? 4 : 1];
    const from = all.indexOf(levelAt(plot.pixelsOf(start)));
    const to = Math.min(Math.max(from + (cursor?.price == null ? 0 : by), 0), all.length - 1);
    cursor = { second, price: all[to][0], speaks: true };
  }
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !shown || plot.isEmpty()) return;
    if (event.key === "Escape" && cursor) {
      cursor = null;
      write(spoken, "");
    } else if (keys[event.key]) {
      if (event.key === "Enter" && event.repeat) return;
      pointer = null;
      keys[event.key](event.shiftKey ? 10 : 1);
    } else return;
    event.preventDefault();
    look();
  });
  stage.addEventListener("blur", () => {
    cursor = null;
    look();
  });

  const size = new ResizeObserver(([entry]) => {
    plot.resize(Math.floor(entry.contentRect.width));
    look();
  });
  size.observe(plot.element);

  // ---------------------------------------------------------------- pictures
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
    const own = select.hzChosen;
    if (own && (own.value === chosen || performance.now() > own.until)) select.hzChosen = null;
    else if (own) return; // not heard yet: nobody's choice jumps back
    if (chosen !== null && select.value !== chosen) select.value = chosen;
  }

  function draw(picture) {
    const former = shown;
    shown = picture;
    if (former?.y && picture.y && (former.y[0] !== picture.y[0] || former.y[1] !== picture.y[1])) {
      changed = performance.now();
    }
    options(selects.choose, picture.markets, picture.market);
    options(selects.span, picture.spans, picture.span);
    options(selects.kind, picture.kinds, picture.kind);
    options(selects.bars, picture.widths, picture.width);
    options(selects.side, picture.sides, picture.side);
    set(selects.choose, { hidden: picture.markets.length === 0 });
    bars.hidden = picture.kind !== "candles";
    side.hidden = picture.sides.length === 0;
    set(follow, {
      "aria-pressed": String(picture.follows),
      title: picture.follows ? "It follows the latest price" : "It stands still; go to the latest price",
    });
    write(follow, "Follow");
    const isEmpty = picture.points.length === 0 && picture.bars.length === 0;
    write(summary, isEmpty ? "" : picture.summary);
    write(held, isEmpty ? "" : picture.held);
    set(stage, { "aria-label": "Price chart", "data-takes": levels().length ? "" : null });
    write(
      help,
      "Left and right arrows read the chart, page up and down move it, plus and minus zoom." +
        (levels().length ? " Up and down arrows choose a price, Enter takes it." : ""),
    );
    set(plot.element, { "aria-label": `Price line: ${picture.summary}` });
    // What is dragged stays under the pointer until the kernel has followed.
    if (!drag && picture.by === `${id} ${drags}`) stretch = null;
    plot.draw(picture, stretch);
    look();
  }
  return { draw, end: () => size.disconnect() };
}

export default { render: (context) => mount(context, chart) };
