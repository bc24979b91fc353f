// A plotly figure whose long series are thinned again, in the kernel, for what is in view.

const SETTLED = 60; // milliseconds after the last zoom or pan before the kernel is asked
const UNANSWERED = 1200; // milliseconds after which it is said that no answer has come

function liveFigure(body, send, model) {
  const root = body.parentElement;
  root.classList.add("hz-figure-face");
  const page = Math.random().toString(36).slice(2);
  const plot = node("div", { class: "hz-figure" });
  const words = node("p", { class: "hz-note", role: "status", hidden: true });
  // Beside the body, not in it: that is out of reach once the kernel has ended, and what is
  // drawn can be zoomed all the same.
  body.after(plot, words);

  let plotly = null;
  let facts = { axes: {} };
  let note = "";
  let isOver = false;
  let isHeld = false; // a drag is under way: nothing is drawn anew below it
  let asked = ""; // the windows that were asked for last
  let request = 0;
  let arrived = null;
  let settling = 0;
  let waiting = 0;
  let isUnanswered = false;
  let first = {}; // of traces that show a window alone: what they showed first
  let isPart = false; // and whether they show a window
  const followed = new Set(); // y axes whose range was chosen here, by what is in view

  function say() {
    const isDead = root.dataset.state === "dead";
    let text = note;
    if (Object.keys(facts.axes).length > 0) {
      if (isDead) {
        const ended = model.get("ended");
        const why = ended ? `This figure has ended (${ended})` : "The kernel has ended";
        text = `${note} ${why}: zooming shows the points that are drawn, and no more.`;
      } else if (isUnanswered) {
        text = `${note} The kernel has not answered yet: these are the points that were drawn before.`;
      }
    }
    write(words, text.trim());
    words.hidden = words.textContent === "";
  }

  // ---------------------------------------------------------------- the library
  const own = librariesOf(model, send);
  function withPlotly(key) {
    const library = libraryOf(key);
    // The notebook's own renderer has it, once it has drawn a figure.
    const there = globalThis.Plotly;
    if (!library.module && there && key === `plotly.js ${there.version}`) {
      takeLibrary(library, { default: there });
    }
    return own.get(key);
  }

  // ---------------------------------------------------------------- the figure
  async function draw() {
    if (model.get("drawing") === "") return;
    const drawing = JSON.parse(model.get("drawing"));
    const { data, layout, frames } = drawing.figure;
    const high = layout.height ?? layout.template?.layout?.height ?? 450;
    plot.style.minHeight = `${high}px`; // nothing below it moves when it comes
    if (!libraryOf(drawing.facts.library).module) {
      write(words, "Starting plotly.js for this page…");
      words.hidden = false;
    }
    try {
      plotly = (await withPlotly(drawing.facts.library)).default;
    } catch (error) {
      facts = { axes: {} };
      note = `This figure cannot be drawn: plotly.js did not start (${error}).`;
      say();
      return;
    }
    if (isOver) return;
    facts = drawing.facts;
    note = facts.note;
    first = {};
    isPart = false;
    followed.clear();
    for (const number of facts.anew ?? []) {
      const { x, y, z, customdata, hovertemplate } = data[number];
      first[number] = { x, y, z, customdata, hovertemplate };
    }
    asked = "";
    request += 1; // an answer that is on its way, or waits for a drag to end, is the former's
    arrived = null;
    clearTimeout(settling);
    isUnanswered = false;
    clearTimeout(waiting);
    const config = { displaylogo: false };
    await plotly.react(plot, { data, layout: { height: high, ...layout }, frames, config });
    if (isOver) {
      plotly.purge(plot);
      return;
    }
    asked = JSON.stringify(windows());
    plot.removeAllListeners("plotly_relayout");
    plot.on("plotly_relayout", look);
    plot.removeAllListeners("plotly_click");
    if (facts.clicks) plot.on("plotly_click", point);
    fit();
    say();
  }

  // What each x axis of a long series shows; null where it shows all that there is.
  function windows() {
    const found = {};
    for (const axis of Object.keys(facts.axes)) {
      const shown = plot._fullLayout[axis.replace("x", "xaxis")];
      found[axis] = !shown || shown.autorange ? null : shown.range.map((end) => Number(shown.r2c(end)));
    }
    return found;
  }

  // Without this, what is seen better from near would stay a flat line at its old height. A range
  // that was chosen by hand, or that the figure gives, is left alone.
  function follow() {
    if (isOver || isHeld || !plot._fullLayout) return;
    const axisOf = (name) => plot._fullLayout[`${name[0]}axis${name.slice(1)}`];
    const reach = {};
    for (const [number, trace] of plot._fullData.entries()) {
      const x = trace.type === "scatter" && trace.visible === true ? axisOf(trace.xaxis) : null;
      if (!x || x.autorange) continue;
      const y = axisOf(trace.yaxis);
      if (!y.autorange && !followed.has(y._name)) continue;
      const [low, high] = x.range.map((end) => x.r2c(end)).sort((a, b) => a - b);
      const found = (reach[y._name] ??= [Infinity, -Infinity]);
      for (const point of plot.calcdata[number]) {
        if (!(point.x >= low && point.x <= high)) continue;
        const height = y.c2l(point.y);
        if (!Number.isFinite(height)) continue;
        found[0] = Math.min(found[0], height);
        found[1] = Math.max(found[1], height);
      }
    }
    const changes = {};
    for (const [name, [low, high]] of Object.entries(reach)) {
      if (low > high) continue;
      const room = high > low ? (high - low) * 0.06 : Math.abs(high) * 0.01 || 1;
      followed.add(name);
      changes[`${name}.range`] = [low - room, high + room];
    }
    if (Object.keys(changes).length > 0) plotly.relayout(plot, changes);
  }

  function look(event) {
    for (const key of Object.keys(event ?? {})) {
      const chosen = /^(yaxis\d*)\.(range\[|autorange)/.exec(key);
      if (chosen) followed.delete(chosen[1]);
    }
    if (Object.keys(facts.axes).length === 0) return;
    clearTimeout(settling);
    settling = setTimeout(() => {
      const now = windows();
      const text = JSON.stringify(now);
      if (isOver || text === asked) return; // what we have drawn ourselves changes no window
      asked = text;
      arrived = null;
      request += 1;
      if (followed.size > 0 && Object.values(now).every((shown) => shown === null)) {
        plotly.relayout(plot, Object.fromEntries([...followed].map((y) => [`${y}.autorange`, true])));
        followed.clear();
      }
      isUnanswered = false;
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        isUnanswered = true;
        if (isPart && !isHeld) {
          // Beside the window that they were drawn for these have nothing: the whole again.
          change(first, {});
          isPart = false;
        }
        say();
      }, UNANSWERED);
      send("view", { page, request, windows: now });
    }, SETTLED);
  }

  function point(event) {
    const clicked = event?.points?.[0];
    if (!clicked) return;
    const { curveNumber, x, y, customdata } = clicked;
    send("point", { trace: curveNumber, x, y, customdata: customdata ?? null });
  }

  function change(traces, layout) {
    const numbers = Object.keys(traces).map(Number);
    const names = new Set(numbers.flatMap((number) => Object.keys(traces[number])));
    const changes = {};
    // What one trace has and another has not is left alone where it is undefined.
    for (const name of names) changes[name] = numbers.map((number) => traces[number][name]);
    return plotly.update(plot, changes, layout, numbers);
  }

  function take() {
    if (arrived === null || isHeld || isOver) return;
    const { traces, layout, note: words } = JSON.parse(arrived);
    arrived = null;
    clearTimeout(waiting);
    isUnanswered = false;
    note = words;
    change(traces, layout).then(follow);
    isPart = Object.keys(first).length > 0;
    say();
  }

  function onCustom(message) {
    // The newest request wins; a page beside this one has its own window.
    if (message?.view !== undefined && message.page === page && message.request === request) {
      arrived = message.view;
      take();
    }
  }

  // ---------------------------------------------------------------- hands and sizes
  const hold = () => {
    isHeld = true;
  };
  const release = () => {
    if (!isHeld) return;
    isHeld = false;
    // After plotly has ended the drag, and told of its new window.
    setTimeout(take, SETTLED);
  };
  plot.addEventListener("pointerdown", hold, true);
  window.addEventListener("pointerup", release, true);
  window.addEventListener("pointercancel", release, true);

  let width = 0;
  let frame = 0;
  function fit() {
    const now = plot.clientWidth;
    if (!plotly || now === 0 || now === width || plot._fullLayout === undefined) return;
    width = now;
    if (!(plot.layout?.width > 0) || plot.layout.autosize) {
      plotly.Plots.resize(plot)?.catch?.(() => {}); // it was hidden meanwhile
    }
  }
  const size = new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(fit);
  });
  size.observe(plot);
  const state = new MutationObserver(say);
  state.observe(root, { attributes: true, attributeFilter: ["data-state"] });

  model.on("change:drawing", draw);
  model.on("msg:custom", onCustom);
  draw();

  return {
    draw: say,
    end: () => {
      isOver = true;
      own.end();
      clearTimeout(settling);
      clearTimeout(waiting);
      cancelAnimationFrame(frame);
      size.disconnect();
      state.disconnect();
      window.removeEventListener("pointerup", release, true);
      window.removeEventListener("pointercancel", release, true);
      model.off("change:drawing", draw);
      model.off("msg:custom", onCustom);
      if (plotly) plotly.purge(plot);
    },
  };
}

export default { render: (context) => mount(context, (body, send) => liveFigure(body, send, context.model)) };
