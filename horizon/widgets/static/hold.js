// A button that acts after it has been held: by pointer or by key, and in two steps for those who
// cannot hold one. A ring fills meanwhile; letting go before it is full does nothing.

const HELD = 1000; // milliseconds
const FRAME = 100; // milliseconds of one frame that count: a page that stood still has seen no hold
const TOLD = 4000; // milliseconds in which it is told that a press was too short

// `act(action)` is called with what `hzTake` was given: `label`, `name`, `hint`, `sure`, `off`.
function hold(act) {
  const ring = node("span", { class: "hz-ring", "aria-hidden": "true" });
  const label = node("span");
  const hint = node("span", { class: "hz-hold-hint" });
  const press = node("button", { type: "button", class: "hz-button hz-hold" }, ring, label, hint);
  // What a screen reader, a switch or a voice presses is a click, and cannot be held.
  const steps = button((item) => act(item), { class: "hz-button hz-hold-steps" }, true);
  const told = node("span", { class: "hz-unseen", role: "status" });
  const made = node("span", { class: "hz-holder" }, press, steps, told);

  let action = null;
  let held = 0; // milliseconds so far
  let last = 0;
  let frame = 0;
  let by = null; // the pointer or key that holds it
  let telling = 0;

  function show(part) {
    ring.style.setProperty("--hz-held", String(part));
    set(press, { "data-held": part > 0 });
  }
  function say(text) {
    clearTimeout(telling);
    write(told, text);
    write(hint, text || (action?.hint ?? ""));
    if (text) telling = setTimeout(() => say(""), TOLD);
  }
  function step(now) {
    held += Math.min(now - last, FRAME);
    last = now;
    if (held < HELD) {
      show(held / HELD);
      frame = requestAnimationFrame(step);
      return;
    }
    end();
    by = "done"; // nothing more until it is let go
    say("Sent");
    act(action);
  }
  function begin(holder) {
    if (by !== null || !action || action.off) return;
    by = holder;
    held = 0;
    last = performance.now();
    show(0.001);
    write(hint, "Keep holding …");
    frame = requestAnimationFrame(step);
  }
  function end() {
    cancelAnimationFrame(frame);
    frame = 0;
    show(0);
  }
  function letGo(holder) {
    if (by === null || (by !== holder && by !== "done")) return;
    const wasShort = by === holder && by !== "done"; // what was sent is sent, whatever comes after
    end();
    by = null;
    if (wasShort) say("Let go too early: nothing was done");
  }
  const letGoOfAll = () => letGo(by);

  press.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    press.setPointerCapture(event.pointerId);
    begin(`pointer ${event.pointerId}`);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    press.addEventListener(name, (event) => letGo(`pointer ${event.pointerId}`));
  }
  press.addEventListener("pointermove", (event) => {
    // A pointer that has left the button is no press any more.
    const box = press.getBoundingClientRect();
    const isIn =
      event.clientX >= box.left - 8 &&
      event.clientX <= box.right + 8 &&
      event.clientY >= box.top - 8 &&
      event.clientY <= box.bottom + 8;
    if (!isIn) letGo(`pointer ${event.pointerId}`);
  });
  press.addEventListener("contextmenu", (event) => event.preventDefault()); // of a long touch
  press.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && by !== null) {
      event.stopPropagation();
      letGoOfAll();
      return;
    }
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey) begin(`key ${event.key}`);
  });
  press.addEventListener("keyup", (event) => {
    if (event.key === " " || event.key === "Enter") event.preventDefault();
    letGo(`key ${event.key}`);
  });
  press.addEventListener("blur", letGoOfAll);
  press.addEventListener("click", (event) => {
    // Without a pointer or a key before it: from an aid, for which there is the other button.
    if (event.detail === 0 && by === null) steps.focus();
  });
  const onHidden = () => document.hidden && letGoOfAll();
  document.addEventListener("visibilitychange", onHidden);
  window.addEventListener("blur", letGoOfAll);

  made.hzTake = (item) => {
    made.hidden = !item;
    if (!item || item.off || item.do !== action?.do) letGoOfAll();
    const isSame = action?.hint === item?.hint;
    action = item;
    if (!item) return;
    write(label, item.label);
    if (!isSame) say("");
    set(press, { "aria-label": `${item.name}. Hold for one second`, title: item.name });
    press.disabled = Boolean(item.off);
    steps.hzTake({ ...item, label: `${item.label} in two steps` });
  };
  made.hzEnd = () => {
    end();
    clearTimeout(telling);
    document.removeEventListener("visibilitychange", onHidden);
    window.removeEventListener("blur", letGoOfAll);
  };
  return made;
}
