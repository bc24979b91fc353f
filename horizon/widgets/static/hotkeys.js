// The keys of a desk's ticket: heard while the focus is on the ticket or elsewhere on its desk,
// shown and changed in a dialog over the ticket. What a key does is the ticket's business.

const AGAIN = 4000; // milliseconds in which a second press of a key that asks for it counts
const REPEATED = new Set(["size_up", "size_down", "price_up", "price_down"]);

// Keys that a line of text has no use for.
const IN_TEXT = /^(Shift\+)?(ArrowUp|ArrowDown|PageUp|PageDown|Insert|F\d+)$/;
// Keys that move in lists and between radio buttons.
const MOVES = /^(Shift\+)?(ArrowUp|ArrowDown|PageUp|PageDown)$/;

// A key in the kernel's spelling; null for one that belongs to the notebook or the browser.
function keyOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  const { key } = event;
  if (["Shift", "CapsLock", "Dead", "Process", "Unidentified", "Tab"].includes(key)) return null;
  const isLetter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  if (isLetter) return event.shiftKey ? `Shift+${key.toUpperCase()}` : key.toLowerCase();
  return event.shiftKey && key.length > 1 ? `Shift+${key}` : key;
}

function isTextField(element) {
  const isLine = element.matches?.("input") && !["radio", "checkbox", "range"].includes(element.type);
  return isLine || element.matches?.("textarea") || element.isContentEditable;
}

// What the focus is on may need the key itself.
function isNeeded(key, target) {
  if (key === "Enter" || key === "Escape") return false;
  if (isTextField(target)) return !IN_TEXT.test(key) || (target.list && MOVES.test(key));
  if (target.matches?.("select")) return true; // letters look for an entry there
  return target.matches?.("input[type=radio], input[type=range]") && MOVES.test(key);
}

// The outermost desk, or the ticket alone.
function scopeOf(root) {
  let scope = root;
  for (let at = root; at; at = at.parentElement) {
    if (at.matches(".hz-desk, .hz-face")) scope = at;
  }
  return scope;
}

// Whether it is shown: its panel may be folded, hidden, or behind another tab.
function isSeen(element) {
  return element.checkVisibility?.() ?? element.getClientRects().length > 0;
}

// `root` is the ticket's element; `act(action, row)` does what a key is for and returns whether
// it did; `tell(verb, given)` sends; `say(text)` tells what a second press would do; `review` is
// the button that Enter is heard on as in a field, whoever has just pressed it.
function hotkeysOf(root, act, tell, say, review) {
  let rows = [];
  let waits = null; // what a first press has said, and until when a second one counts

  const forget = () => {
    if (!waits) return;
    clearTimeout(waits.timer);
    say("");
    waits = null;
  };
  const tellRow = (row) => {
    waits = { row, until: performance.now() + AGAIN, timer: setTimeout(forget, AGAIN) };
    say(row.sure || row.idle);
  };
  // A second press does what the first has said, word for word, or it is a first one.
  const isSaid = (row) =>
    waits !== null &&
    performance.now() < waits.until &&
    ["action", "id", "sure"].every((name) => row[name] === waits.row[name]);

  function press(row) {
    const isSure = row.sure !== "" && isSaid(row);
    forget();
    if (!isSure && (row.sure || row.idle)) {
      tellRow(row);
      return true;
    }
    return act(row.action, row);
  }

  // The two steps may have one key between them: the ticket knows which of them is possible.
  function pressAll(found) {
    return found.map(press).some(Boolean);
  }

  function hear(event) {
    if (event.defaultPrevented || !root.isConnected || dialog.contains(event.target)) return;
    if (dialog.closest("[inert]")) return; // it has ended
    const key = keyOf(event);
    if (key === null) return;
    const found = rows.filter((row) => row.key === key);
    const isOwn = root.contains(event.target);
    if (key === "Escape" && waits && (isOwn || scopeOf(root).contains(event.target))) {
      forget();
      if (!isOwn) return;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (found.length === 0) return;
    if (event.repeat && !found.every((row) => REPEATED.has(row.action))) {
      // A key that is held down would press again and again.
      if (isOwn && key === "Enter") event.preventDefault();
      return;
    }
    if (!isOwn) {
      const scope = scopeOf(root);
      if (!scope.contains(event.target) || key === "Enter" || key === "Escape" || MOVES.test(key)) return;
      // Of the tickets in sight it is the first: nothing is asked, or written, where nobody sees it.
      if ([...scope.querySelectorAll("[data-hz-keys]")].find(isSeen) !== root) return;
      if (event.target.closest("[data-hz-keys]")) return;
      if (isTextField(event.target) || event.target.matches("select")) return;
      // What is confirmed has to be before one's eyes.
      const here = found.filter((row) => row.action !== "confirm");
      // A part that has a use for the key prevents what else it would do.
      setTimeout(() => !event.defaultPrevented && pressAll(here), 0);
      return;
    }
    if (isNeeded(key, event.target)) return;
    const isReview = event.target === review;
    const isField = event.target === root || event.target.matches("input, select");
    if (key === "Enter" && !isField && !isReview) return;
    if (pressAll(found)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (key === "Enter" && !isReview) event.preventDefault();
  }

  // ---------------------------------------------------------------- the dialog
  const uid = `hz-keys-${Math.random().toString(36).slice(2)}`;
  const title = node("h3", { id: uid, class: "hz-keys-title", tabindex: -1 }, "Keys");
  const list = node("div", { class: "hz-keys-list" });
  const about = node(
    "p",
    { class: "hz-hint" },
    "They act while the focus is on this ticket or its desk; letters and signs not in text fields. Press a key's button, then the new key; Backspace leaves it without one.",
  );
  const shut = button(() => close());
  shut.hzTake({ label: "Close", name: "Close the list of keys" });
  const reset = button(() => tell("default keys"));
  reset.hzTake({ label: "Reset", name: "Take back all changes of keys" });
  const wrong = node("p", { class: "hz-wrong" }); // the error line speaks
  const dialog = node(
    "div",
    { class: "hz-keys", role: "dialog", "aria-labelledby": uid, hidden: true },
    node("div", { class: "hz-head" }, title, node("span", { class: "hz-tools" }, reset, shut)),
    about,
    wrong,
    list,
  );
  let before = null;
  let asks = ""; // the action whose next key is awaited

  function open() {
    before = document.activeElement;
    dialog.hidden = false;
    drawList();
    title.focus();
  }
  function close() {
    asks = "";
    dialog.hidden = true;
    write(wrong, "");
    (before?.isConnected ? before : root).focus();
    drawList();
  }
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (asks) {
      // The keys that leave a place leave this one.
      if (event.key === "Tab") {
        asks = "";
        drawList();
        return;
      }
      const key = event.key === "Backspace" ? "" : keyOf(event);
      if (key === null) return;
      event.preventDefault();
      const action = asks;
      asks = "";
      if (key === "Escape" && action !== "drop") drawList();
      else tell("bind", { action, key });
      drawList();
    } else if (event.key === "Escape" || rows.some((row) => row.action === "help" && row.key === keyOf(event))) {
      event.preventDefault();
      close();
    }
  });

  function drawList() {
    keyed(
      list,
      dialog.hidden ? [] : rows,
      (row) => row.action,
      (row) => {
        const change = node("button", { type: "button", class: "hz-button hz-key-button" });
        change.addEventListener("click", () => {
          asks = asks === row.action ? "" : row.action;
          drawList();
        });
        const made = node("div", { class: "hz-keys-row" }, node("span"), change);
        made.hzChange = change;
        return made;
      },
      (made, row) => {
        const isAsked = asks === row.action;
        write(made.firstChild, row.label);
        write(made.hzChange, isAsked ? "Press a key…" : row.shown);
        set(made.hzChange, {
          "aria-label": isAsked ? `Press the new key for: ${row.label}` : row.name,
          "data-asks": isAsked,
        });
      },
    );
  }

  set(root, { "data-hz-keys": true });
  document.addEventListener("keydown", hear, true);
  return {
    dialog,
    open,
    toggle: () => (dialog.hidden ? open() : close()),
    draw(keys, error) {
      rows = keys.rows;
      if (!dialog.hidden) write(wrong, error ?? "");
      if (waits && !rows.some(isSaid)) forget(); // the ticket has turned to something else
      drawList();
    },
    end() {
      forget();
      document.removeEventListener("keydown", hear, true);
    },
  };
}
