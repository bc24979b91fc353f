// What every widget's page side has: it draws the kernel's picture and sends verbs.
// All text from outside is set as text, never as HTML: `node` and `write` are the only ways in.

const STALE_AFTER = 2500; // milliseconds without a beat (there is one a second)
const PRESSED = 800; // milliseconds in which a pressed button takes no second press
const TWICE = 500; // milliseconds within which two clicks may be one double click
const ARMED = 4000; // milliseconds in which an armed button waits for its second press

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  return element;
}

function node(tag, attributes = {}, ...children) {
  const made = set(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Bring the children of `parent` in line with `items`. A child is kept while its key is, with
// its focus and what was typed into it.
function keyed(parent, items, key, make, update) {
  const known = (parent.hzChildren ??= new Map());
  const wanted = new Set(items.map(key));
  let lostFocus = false;
  for (const [name, child] of known) {
    if (wanted.has(name)) continue;
    const hadFocus = child.contains(document.activeElement);
    child.remove();
    known.delete(name);
    lostFocus ||= hadFocus;
  }
  items.forEach((item, index) => {
    const name = key(item);
    if (!known.has(name)) known.set(name, make(item));
    const child = known.get(name);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
    update(child, item);
  });
  if (lostFocus) {
    // To what has come in its place, else to the widget as a whole.
    const next = parent.querySelector("button:not(:disabled)") ?? parent.closest("[tabindex]");
    next?.focus();
  }
}

// A button. One that is armed first asks again, in its own words, before it acts. One that is
// `once` takes no second press for the same thing: it has not gone yet, but is on its way.
let latest = { at: -TWICE, by: 0, x: 0, y: 0 };
let buttonsMade = 0;
function button(act, attributes = {}, once = false) {
  const own = (buttonsMade += 1);
  const made = node("button", { type: "button", class: "hz-button", ...attributes });
  let armed = 0;
  let armedAt = 0;
  let pressed = { at: -PRESSED, what: "" };
  const disarm = () => {
    clearTimeout(armed);
    armed = 0;
    made.classList.remove("hz-armed");
    made.hzShow();
  };
  made.hzShow = () => {
    const action = made.hzAction;
    if (!action) return;
    write(made, armed ? action.sure : action.label);
    set(made, {
      "aria-label": armed ? `${action.sure} ${action.name}` : action.name,
      title: action.name,
    });
    made.disabled = Boolean(action.off);
  };
  made.hzTake = (action) => {
    made.hzAction = action;
    if (armed && !action.sure) disarm();
    made.hzShow();
  };
  made.addEventListener("click", (event) => {
    const now = performance.now();
    // The second half of a double click may meet another button, which has come to its place.
    const isNear = Math.hypot(event.clientX - latest.x, event.clientY - latest.y) < 12;
    const isSoon = event.detail > 1 || (event.detail > 0 && now - latest.at < TWICE);
    const isOther = latest.by !== own && isNear && isSoon;
    if (isOther && once) {
      latest.at = now; // a third click is not the first of a new one
      return;
    }
    latest = { at: now, by: own, x: event.clientX, y: event.clientY };
    const what = `${made.hzAction?.do} ${made.hzAction?.id}`;
    if (once && pressed.what === what && now - pressed.at < PRESSED) return;
    // Nor does it answer the question that the first half has made the button ask.
    if (armed && event.detail > 1 && now - armedAt < TWICE) return;
    if (made.hzAction?.sure && !armed) {
      armedAt = now;
      armed = setTimeout(disarm, ARMED);
      made.classList.add("hz-armed");
      made.hzShow();
      return;
    }
    pressed = { at: now, what };
    if (armed) disarm();
    act(made.hzAction);
  });
  made.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && armed) {
      event.stopPropagation();
      disarm();
    }
    // A key that is held down would press again and again.
    if (event.repeat && (event.key === "Enter" || event.key === " ")) event.preventDefault();
  });
  made.addEventListener("blur", () => armed && disarm());
  return made;
}

// A bar with a name and a value for everyone, and what was planned as a mark on it.
function bar() {
  const fill = node("div", { class: "hz-bar-fill" });
  const plan = node("div", { class: "hz-bar-plan" });
  const made = node(
    "div",
    { class: "hz-bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 },
    fill,
    plan,
  );
  made.hzTake = ({ name, percent, words, planned, tone }) => {
    set(made, {
      "aria-label": name,
      "aria-valuenow": percent,
      "aria-valuetext": words,
      "data-tone": tone ?? null,
    });
    fill.style.width = `${percent}%`;
    plan.hidden = planned === null || planned === undefined;
    if (!plan.hidden) plan.style.left = `${planned}%`;
  };
  return made;
}

// Take what a widget's end leaves useless out of reach, but not what it holds: that has its own.
function shut(element, isOver) {
  if (element.classList.contains("hz-slot")) return;
  const holds = element.querySelector?.(".hz-slot");
  element.inert = isOver && !holds;
  if (holds) for (const child of element.children) shut(child, isOver);
}

function isDark(element) {
  for (let at = element; at; at = at.parentElement) {
    const parts = getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number);
    if (parts && parts.length >= 3 && (parts[3] ?? 1) > 0.5) {
      return 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] < 128;
    }
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

// Whether there is no notebook around it: a page of Voilà has no cells, and nobody to run one.
function isPage() {
  return document.getElementById("rendered_cells") !== null;
}

// A text that speaks of cells may have another one for a page without them.
function hosted(shown, name) {
  return (isPage() ? shown[`page_${name}`] : null) ?? shown[name] ?? "";
}

function clockNow() {
  return new Date().toISOString().slice(11, 19);
}

// The places of a widget for the widgets that it holds. Each shows the one that is there now.
function slotsOf(model) {
  const slots = new Map();
  let isOver = false;

  async function fill(slot, reference) {
    if (slot.hzReference === reference) return;
    slot.hzReference = reference;
    slot.hzView?.remove();
    slot.hzView = null;
    slot.replaceChildren();
    if (!reference) return;
    let view = null;
    try {
      const manager = model.widget_manager;
      const part = await manager.get_model(reference.replace("IPY_MODEL_", ""));
      view = await manager.create_view(part);
    } catch (error) {
      if (slot.hzReference === reference && !isOver) throw error;
      return; // it has gone before it came
    }
    if (slot.hzReference !== reference || isOver) {
      view.remove();
      return;
    }
    slot.hzView = view;
    slot.append(view.el);
  }
  const look = () => {
    const parts = model.get("parts") ?? {};
    for (const [place, slot] of slots) fill(slot, parts[place] ?? "");
  };
  model.on("change:parts", look);
  return {
    slot(place) {
      if (!slots.has(place)) {
        const slot = node("div", { class: "hz-slot" });
        slots.set(place, slot);
        fill(slot, model.get("parts")?.[place] ?? "");
      }
      return slots.get(place);
    },
    end() {
      isOver = true;
      model.off("change:parts", look);
      for (const slot of slots.values()) slot.hzView?.remove();
    },
  };
}

// Save what the kernel has sent as a file of the user's.
function download(name, mime, content) {
  const link = node("a", { download: name });
  link.href = URL.createObjectURL(new Blob([content], { type: mime }));
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Put a widget on the page. `make(body, send, context)` builds it and returns `draw(picture)`, and
// if it needs them `theme(isDark)` and `end()`, which gives back what outlasts the page's elements.
// What it `lasts` can be used after its end.
// The context has the `model`, and `slot(place)`, the element of a widget that this one holds.
function mount({ model, el }, make) {
  const page = Math.random().toString(36).slice(2); // whom a file is for
  // A group, not a landmark: a notebook may show many of the same name.
  const root = node("div", {
    class: "hz-face",
    role: "group",
    tabindex: -1,
  });
  // Keys pressed here are this widget's: Lab would take D D as "delete the cell", and Shift+Enter
  // as "run it again". What is pressed with Ctrl goes on, or Ctrl+S would save the page.
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key === "Enter") event.stopPropagation();
  });
  const state = node("p", { class: "hz-state", role: "status", hidden: true });
  const errorText = node("span");
  const dismiss = button(
    () => {
      send("dismiss");
      root.focus(); // the button is about to go
    },
    { class: "hz-button hz-quiet" },
  );
  dismiss.hzTake({ label: "×", name: "Dismiss this message" });
  const error = node("div", { class: "hz-error", hidden: true }, errorText, dismiss);
  const alert = node("div", { role: "alert" }, error);
  const body = node("div", { class: "hz-body" });
  root.append(state, body, alert);
  el.append(root);

  let heard = performance.now();
  let heardAt = clockNow();
  let isDead = false;
  let isStale = false;
  let isCut = false; // from the kernel: what is pressed now would not arrive
  let dark = null;

  const kernel = model.widget_manager?.kernel;
  const isOff = () => (kernel?.connectionStatus ?? "connected") !== "connected";

  function send(verb, given = {}) {
    if (isDead) return;
    // What a page says of itself may wait; a press that waited would be obeyed at another price.
    if (isOff() && !["looks", "theme"].includes(verb)) {
      isCut = isStale = true;
      tell();
      return;
    }
    try {
      model.send({ do: verb, beat: model.get("beat"), page, ...given });
    } catch {
      die(); // the connection to the kernel has gone
    }
  }

  const slots = slotsOf(model);
  const view = make(body, send, { model, slot: slots.slot });

  function tell() {
    const ended = model.get("ended");
    const stall = hosted(model.get("shown"), "stall");
    const alone = isPage();
    let words = stall;
    let tone = "note";
    if (isDead) {
      const [what, how] = alone ? ["process", "Load this page again"] : ["kernel", "Run its cell again"];
      words = `Dead: the ${what} that ran this has ended. Nothing here has been live since ${heardAt} UTC. ${how}.`;
      tone = "dead";
    } else if (ended) {
      words = `Ended: ${ended}. Nothing here is live.`;
      tone = "dead";
    } else if (isCut) {
      const what = alone ? "server" : "kernel";
      words = `Not connected: the ${what} cannot be reached, and takes no order. What you see is from ${heardAt} UTC.`;
      tone = "stale";
    } else if (isStale) {
      const what = alone ? "the desk is busy" : "the kernel is busy with a cell";
      words = `Not updating: ${what}, or out of reach. What you see is from ${heardAt} UTC.`;
      tone = "stale";
    }
    root.dataset.state = words === "" ? "live" : tone;
    set(root, { "data-cut": isCut });
    // On a desk one face says it for all.
    if (model.get("quiet")) words = "";
    write(state, words);
    state.hidden = words === "";
    if (!view.lasts) shut(body, isDead || isCut || ended !== "");
  }

  function draw() {
    const shown = model.get("shown");
    const text = shown.error ?? "";
    write(errorText, text);
    error.hidden = text === "";
    set(root, { "aria-label": shown.name ?? null });
    if (shown.name) view.draw(shown);
    alive();
  }

  function alive() {
    heard = performance.now();
    heardAt = clockNow();
    isStale = false;
    tell();
  }

  function look() {
    const now = isDark(root.parentElement ?? root);
    if (now === dark) return;
    dark = now;
    root.dataset.theme = dark ? "dark" : "light";
    const colours = model.get("colours")[root.dataset.theme] ?? {};
    for (const [name, colour] of Object.entries(colours)) {
      root.style.setProperty(`--hz-${name}`, colour);
    }
    view.theme?.(dark);
    send("theme", { dark });
  }

  function onCustom(message, buffers) {
    if (message?.ask === "who looks?") send("looks");
    if (message?.file && message.page === page) download(message.file, message.mime, buffers[0]);
  }
  function die() {
    isDead = true;
    tell();
  }

  model.on("change:shown", draw);
  model.on("change:beat", alive);
  model.on("change:ended", tell);
  model.on("msg:custom", onCustom);
  // A restarted kernel ends the connection; one that was shut down is only disposed of.
  model.on("comm_live_update", die);
  kernel?.disposed?.connect(die);
  const watch = setInterval(() => {
    const cut = isOff();
    const late = cut || performance.now() - heard > STALE_AFTER;
    if (late !== isStale || cut !== isCut) {
      isStale = late;
      isCut = cut;
      tell();
    }
  }, 500);
  let looking = 0;
  const themes = new MutationObserver(() => {
    clearTimeout(looking);
    looking = setTimeout(look, 150); // the theme's style sheet comes a little later
  });
  themes.observe(document.body, { attributes: true });
  themes.observe(document.documentElement, { attributes: true });
  requestAnimationFrame(look);
  draw();
  send("looks");

  return () => {
    clearInterval(watch);
    clearTimeout(looking);
    themes.disconnect();
    model.off("change:shown", draw);
    model.off("change:beat", alive);
    model.off("change:ended", tell);
    model.off("msg:custom", onCustom);
    view.end?.();
    slots.end();
    model.off("comm_live_update", die);
    kernel?.disposed?.disconnect(die);
    send("left");
  };
}
