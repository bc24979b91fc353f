// The frame of a desk: panels in columns and stacks. The kernel says where each stands.

const NEAR = 6; // pixels that a head is pulled before that is a drag
const STEP = 24; // pixels of an arrow key on a handle

function dock(body, send, { slot }) {
  const root = body.parentElement;
  root.classList.add("hz-dock-face", "hz-desk");
  const uid = `hz-${Math.random().toString(36).slice(2)}`;
  const heads = node("div", { class: "hz-dock-heads" });
  const open = button(() => toggle(), { "aria-expanded": "false", "aria-controls": `${uid}-menu` });
  open.hzTake({ label: "Layout", name: "Layout: panels and where they stand" });
  const menu = node("div", { class: "hz-dock-menu", id: `${uid}-menu`, hidden: true });
  const presets = node("span", { class: "hz-tools", role: "group", "aria-label": "Layouts" });
  const list = node("div", { class: "hz-dock-list", role: "group", "aria-label": "Panels" });
  menu.append(
    node("div", { class: "hz-row" }, node("span", { class: "hz-title" }, "Layouts"), presets),
    node("p", { class: "hz-title" }, "Panels"),
    list,
    node(
      "p",
      { class: "hz-hint" },
      "Pull a panel by its name to another place: beside, above or below another, or onto its name to stand behind it. " +
        "With the keyboard: Alt and an arrow key on its name.",
    ),
  );
  const grid = node("div", { class: "hz-dock" });
  const mark = node("div", { class: "hz-dock-mark", hidden: true });
  const said = node("span", { class: "hz-unseen", role: "status" });
  body.append(node("div", { class: "hz-dock-bar" }, heads, open, said), menu, grid, mark);

  let shown = null;
  let labels = new Map();
  let whole = ""; // the panel that fills the desk; this page's own affair
  let wanted = ""; // the panel whose head gets the focus when it has been moved

  function toggle(isOpen = menu.hidden) {
    menu.hidden = !isOpen;
    set(open, { "aria-expanded": String(isOpen) });
  }
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    toggle(false);
    open.focus();
  });

  // ---------------------------------------------------------------- columns and stacks
  const idOf = (stack) => stack.panels[0];

  // A handle between two columns, or below a stack: by pointer, and by arrow keys.
  function handle(isUpright, name, begin) {
    const made = node("div", {
      class: isUpright ? "hz-dock-side" : "hz-dock-foot",
      role: "separator",
      tabindex: 0,
      "aria-orientation": isUpright ? "vertical" : "horizontal",
      "aria-label": name,
      title: name,
    });
    made.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      made.setPointerCapture(event.pointerId);
      const from = isUpright ? event.clientX : event.clientY;
      const { move, end } = begin();
      const onMove = (at) => move((isUpright ? at.clientX : at.clientY) - from);
      const onEnd = (at) => {
        made.removeEventListener("pointermove", onMove);
        made.removeEventListener("pointerup", onEnd);
        made.removeEventListener("pointercancel", onEnd);
        if ((isUpright ? at.clientX : at.clientY) !== from) end();
      };
      made.addEventListener("pointermove", onMove);
      made.addEventListener("pointerup", onEnd);
      made.addEventListener("pointercancel", onEnd);
    });
    made.addEventListener("keydown", (event) => {
      const [less, more] = isUpright ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
      if (event.key !== less && event.key !== more) return;
      event.preventDefault();
      const { move, end } = begin();
      move(event.key === more ? STEP : -STEP);
      end();
    });
    return made;
  }

  function columns() {
    return [...grid.children].filter((child) => child.classList.contains("hz-dock-column"));
  }
  function lay() {
    const tracks = shown.columns.map((column) => `minmax(0, ${column.width}fr)`);
    grid.style.setProperty("--hz-columns", tracks.join(" 8px "));
  }
  function beginWidths(index) {
    const widths = shown.columns.map((column) => column.width);
    const pixels = columns().map((column) => column.getBoundingClientRect().width);
    const share = (widths[index] + widths[index + 1]) / (pixels[index] + pixels[index + 1]);
    let changed = widths;
    return {
      move(by) {
        const least = Math.max(0.05, 120 * share);
        const both = widths[index] + widths[index + 1];
        const left = Math.min(Math.max(widths[index] + by * share, least), Math.max(least, both - least));
        changed = widths.map((width, i) => (i === index ? left : i === index + 1 ? both - left : width));
        const tracks = changed.map((width) => `minmax(0, ${width}fr)`);
        grid.style.setProperty("--hz-columns", tracks.join(" 8px "));
      },
      end: () => send("widths", { widths: changed }),
    };
  }

  function makeColumn() {
    return node("div", { class: "hz-dock-column" });
  }

  function makeStack(first) {
    const tabs = node("div", { class: "hz-dock-tabs" });
    const fold = button(() => send("fold", { panel: idOf(made.hzStack), on: !made.hzStack.is_folded }), {
      class: "hz-button hz-quiet",
    });
    const full = button(
      () => {
        whole = whole ? "" : made.hzStack.front;
        draw(shown);
        full.focus();
      },
      { class: "hz-button hz-quiet" },
    );
    const hide = button(() => send("hide", { panel: made.hzStack.front }), { class: "hz-button hz-quiet" });
    const room = node("div", { class: "hz-dock-room" });
    const foot = handle(false, "Height of this panel; double click for that of its content", () => {
      const from = room.getBoundingClientRect().height;
      let height = Math.round(from);
      return {
        move(by) {
          height = Math.min(4000, Math.max(80, Math.round(from + by)));
          room.style.height = `${height}px`;
        },
        end: () => send("height", { panel: idOf(made.hzStack), height }),
      };
    });
    foot.addEventListener("dblclick", () => send("height", { panel: idOf(made.hzStack), height: null }));
    const made = node(
      "div",
      { class: "hz-dock-stack" },
      node("div", { class: "hz-dock-head" }, tabs, node("span", { class: "hz-tools" }, fold, full, hide)),
      room,
      foot,
    );

    made.hzTake = (stack) => {
      made.hzStack = stack;
      const name = labels.get(stack.front);
      set(made, { "data-folded": stack.is_folded });
      const isTabbed = stack.panels.length > 1;
      set(tabs, { role: isTabbed ? "tablist" : null, "aria-label": isTabbed ? "Panels here" : null });
      keyed(
        tabs,
        stack.panels,
        (panel) => panel,
        (panel) => tab(panel),
        (element, panel) => {
          write(element, labels.get(panel));
          const isFront = panel === stack.front;
          set(element, {
            role: isTabbed ? "tab" : null,
            "aria-selected": isTabbed ? String(isFront) : null,
            "aria-controls": isTabbed && isFront ? `${uid}-${made.hzNumber}` : null,
            "data-front": isFront,
            tabindex: !isTabbed || isFront ? 0 : -1,
          });
        },
      );
      room.id = `${uid}-${made.hzNumber}`;
      set(room, { role: isTabbed ? "tabpanel" : null, "aria-label": isTabbed ? name : null });
      fold.hzTake({
        label: stack.is_folded ? "▸" : "▾",
        name: `${stack.is_folded ? "Open" : "Fold"} ${name}`,
      });
      full.hzTake({ label: whole ? "⤡" : "⤢", name: whole ? "Back to the whole desk" : `${name} alone` });
      hide.hzTake({ label: "×", name: `Hide ${name}` });
      room.hidden = foot.hidden = stack.is_folded;
      set(foot, {
        "aria-valuemin": 80,
        "aria-valuemax": 4000,
        "aria-valuenow": stack.height ?? 80,
        "aria-valuetext": stack.height === null ? "as high as its content" : `${stack.height} pixels`,
      });
      room.style.height = stack.height === null || whole ? "" : `${stack.height}px`;
      set(room, { "data-fixed": stack.height !== null && !whole });
      for (const child of [...room.children]) {
        if (!stack.panels.some((panel) => slot(panel) === child)) child.remove();
      }
      for (const panel of stack.panels) {
        const place = slot(panel);
        if (place.parentElement !== room) room.append(place);
        place.hidden = panel !== stack.front;
      }
    };
    made.hzNumber = first;
    return made;
  }

  // ---------------------------------------------------------------- a panel's name
  function tab(panel) {
    const made = node("button", { type: "button", class: "hz-dock-tab", "data-panel": panel });
    made.addEventListener("click", () => choose(panel));
    made.addEventListener("keydown", (event) => {
      const to = event.altKey ? neighbour(panel, event.key) : null;
      if (event.altKey && event.key.startsWith("Arrow")) {
        event.preventDefault();
        event.stopPropagation();
        if (!to) return;
        wanted = panel;
        send("move", { panel, ...to });
        write(said, `${labels.get(panel)} moved`);
        return;
      }
      const { panels } = stackOf(panel);
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || panels.length < 2) return;
      event.preventDefault();
      const next = panels[(panels.indexOf(panel) + step + panels.length) % panels.length];
      choose(next);
      grid.querySelector(`[data-panel="${CSS.escape(next)}"]`)?.focus();
    });
    made.addEventListener("pointerdown", (event) => pull(event, panel, made));
    return made;
  }
  function choose(panel) {
    const stack = stackOf(panel);
    if (stack.front === panel && !stack.is_folded) return;
    // At once, even while the kernel is busy; it is told, and says the same.
    stack.front = panel;
    stack.is_folded = false;
    draw(shown);
    send("front", { panel });
  }
  function stackOf(panel) {
    return shown.columns.flatMap((column) => column.stacks).find((stack) => stack.panels.includes(panel));
  }
  // Where an arrow key leads: to the next stack of its column, or beside the next column.
  function neighbour(panel, key) {
    const at = shown.columns.findIndex((column) => column.stacks.some((one) => one.panels.includes(panel)));
    const { stacks } = shown.columns[at];
    const row = stacks.findIndex((one) => one.panels.includes(panel));
    const isShared = stacks[row].panels.length > 1;
    if (key === "ArrowUp" || key === "ArrowDown") {
      const isUp = key === "ArrowUp";
      if (isShared) {
        const to = stacks[row].panels.find((one) => one !== panel);
        return { to, side: isUp ? "above" : "below" };
      }
      const next = stacks[row + (isUp ? -1 : 1)];
      return next ? { to: next.front, side: isUp ? "above" : "below" } : null;
    }
    const next = shown.columns[at + (key === "ArrowLeft" ? -1 : 1)];
    if (next) return { to: next.stacks[Math.min(row, next.stacks.length - 1)].front, side: "above" };
    const anchor = stacks.flatMap((one) => one.panels).find((one) => one !== panel);
    return anchor ? { to: anchor, side: key === "ArrowLeft" ? "left" : "right" } : null;
  }

  // ---------------------------------------------------------------- pulling a panel
  function pull(event, panel, made) {
    if (event.button !== 0 || whole) return;
    const [x, y] = [event.clientX, event.clientY];
    let target = null;
    let isPulled = false;
    const move = (at) => {
      if (!isPulled && Math.hypot(at.clientX - x, at.clientY - y) < NEAR) return;
      if (!isPulled) {
        isPulled = true;
        made.setPointerCapture(event.pointerId);
        root.classList.add("hz-pulling");
      }
      target = aim(at.clientX, at.clientY, panel);
      mark.hidden = !target;
      if (!target) return;
      const frame = root.getBoundingClientRect();
      const { left, top, width, height } = target.box;
      Object.assign(mark.style, {
        left: `${left - frame.left}px`,
        top: `${top - frame.top}px`,
        width: `${width}px`,
        height: `${height}px`,
      });
    };
    const over = (isDone) => {
      made.removeEventListener("pointermove", move);
      made.removeEventListener("pointerup", drop);
      made.removeEventListener("pointercancel", cancel);
      window.removeEventListener("keydown", escape, true);
      root.classList.remove("hz-pulling");
      mark.hidden = true;
      if (isPulled) made.addEventListener("click", swallow, { capture: true, once: true });
      setTimeout(() => made.removeEventListener("click", swallow, { capture: true }), 0);
      if (isDone && target) send("move", { panel, to: target.to, side: target.side });
    };
    const drop = () => over(true);
    const cancel = () => over(false);
    const escape = (pressed) => {
      if (pressed.key === "Escape") {
        pressed.stopPropagation();
        cancel();
      }
    };
    const swallow = (click) => click.stopImmediatePropagation();
    made.addEventListener("pointermove", move);
    made.addEventListener("pointerup", drop);
    made.addEventListener("pointercancel", cancel);
    window.addEventListener("keydown", escape, true);
  }
  // What a panel would be put to, if it were let go here.
  function aim(x, y, panel) {
    for (const made of grid.querySelectorAll(".hz-dock-stack")) {
      const box = made.getBoundingClientRect();
      if (x < box.left || x > box.right || y < box.top || y > box.bottom) continue;
      const stack = made.hzStack;
      const isOwn = stack.panels.includes(panel);
      if (isOwn && stack.panels.length === 1) return null;
      const to = stack.panels.find((one) => one !== panel && one === stack.front) ?? stack.panels.find((one) => one !== panel);
      const head = made.firstElementChild.getBoundingClientRect();
      const edge = Math.min(60, box.width / 5);
      const part = (side, left, top, width, height) => ({ to, side, box: { left, top, width, height } });
      if (y <= head.bottom) return isOwn ? null : part("behind", box.left, head.top, box.width, head.height);
      if (x < box.left + edge) return part("left", box.left, box.top, edge, box.height);
      if (x > box.right - edge) return part("right", box.right - edge, box.top, edge, box.height);
      const half = box.height / 2;
      return y < box.top + half
        ? part("above", box.left, box.top, box.width, half)
        : part("below", box.left, box.top + half, box.width, half);
    }
    return null;
  }

  // ---------------------------------------------------------------- draw
  function draw(picture) {
    shown = picture;
    labels = new Map(picture.panels);
    keyed(heads, picture.heads, (head) => head, (head) => slot(head), () => {});
    keyed(
      presets,
      picture.presets,
      ([name]) => name,
      () => button((item) => send("preset", { name: item.id })),
      (element, [name, label, isOn]) => {
        element.hzTake({ do: "preset", id: name, label, name: `Layout ${label}` });
        set(element, { "aria-pressed": String(isOn) });
      },
    );
    keyed(
      list,
      picture.panels,
      ([panel]) => panel,
      ([panel]) => {
        const box = node("input", { type: "checkbox" });
        box.addEventListener("change", () => send(box.checked ? "show" : "hide", { panel }));
        return node("label", {}, box, node("bdi"));
      },
      (element, [panel, label]) => {
        element.firstChild.checked = !picture.hidden.includes(panel);
        write(element.lastChild, label);
      },
    );
    if (whole && !labels.has(whole)) whole = "";
    if (whole && (picture.hidden.includes(whole) || stackOf(whole).is_folded)) whole = "";
    set(grid, { "data-whole": whole !== "" });

    const pieces = picture.columns.flatMap((column, i) => [
      ...(i > 0 ? [{ key: `handle ${i}`, before: i - 1 }] : []),
      { key: `column ${i}`, column },
    ]);
    const focused = document.activeElement?.closest?.(".hz-dock-tab");
    wanted ||= focused && grid.contains(focused) ? focused.dataset.panel : "";
    keyed(
      grid,
      pieces,
      (piece) => piece.key,
      (piece) =>
        piece.column
          ? makeColumn()
          : handle(true, "Width of the columns beside this", () => beginWidths(piece.before)),
      (element, piece) => {
        if (!piece.column) {
          const [one, other] = picture.columns.slice(piece.before, piece.before + 2);
          set(element, {
            "aria-valuemin": 0,
            "aria-valuemax": 100,
            "aria-valuenow": Math.round((100 * one.width) / (one.width + other.width)),
          });
          return;
        }
        element.hidden = whole !== "" && !piece.column.stacks.some((stack) => stack.panels.includes(whole));
        keyed(
          element,
          piece.column.stacks,
          idOf,
          (stack) => makeStack(`${stack.panels[0]}-${Math.random().toString(36).slice(2)}`),
          (made, stack) => {
            made.hzTake(stack);
            made.hidden = whole !== "" && !stack.panels.includes(whole);
          },
        );
      },
    );
    lay();
    if (wanted) {
      const head = grid.querySelector(`[data-panel="${CSS.escape(wanted)}"]`);
      if (head && head !== document.activeElement && (!document.activeElement || !root.contains(document.activeElement) || document.activeElement === root)) head.focus();
      else if (head && focused) head.focus();
      wanted = "";
    }
  }
  return { draw, lasts: true };
}

export default { render: (context) => mount(context, dock) };
