// The book ladder: rows of prices, and a cursor that the kernel moves.

const POINTED = 2000; // milliseconds between two words that somebody still points at the rows
const PAGE = 5; // rows that Page Up and Page Down move
const WIDE = 7; // letters of a price beyond which its column is wider

function ladder(body, send) {
  const uid = `hz-${Math.random().toString(36).slice(2)}`;
  let shown = null;
  let centred = -1;
  let spoken = -1;

  // ---------------------------------------------------------------- what is shown
  const picks = {};
  function pick(name, label, verb) {
    const select = node("select", { id: `${uid}-${name}` });
    select.addEventListener("change", () => send(verb, { [verb === "choose" ? "market" : verb]: select.value }));
    picks[name] = select;
    return node("label", { for: select.id }, label, select);
  }
  const choose = pick("market", "Market", "choose");
  const depth = pick("depth", "Depth, each side", "depth");
  const group = pick("group", "Row", "group");
  const sides = node("span", { class: "hz-tools hz-ladder-sides", role: "group", "aria-label": "Side of the market" });
  const follow = button(() => send("follow"), { class: "hz-button hz-ladder-toggle" });
  const views = node("span", { class: "hz-tools" }, follow);
  for (const [by, label, name] of [
    [0, "Centre", "Put the middle of the market in the middle"],
    [1, "▲", "Show higher prices"],
    [-1, "▼", "Show lower prices"],
  ]) {
    const made = button(() => send("scroll", { by }));
    made.hzTake({ label, name });
    views.append(made);
  }
  const facts = node("dl", { class: "hz-line hz-ladder-facts" });
  const tilt = node("div", { class: "hz-ladder-tilt" });
  const tiltFill = node("div", { class: "hz-ladder-tilt-fill" });
  const tiltWords = node("span", { class: "hz-hint" });
  tilt.append(tiltFill);
  const tiltRow = node("div", { class: "hz-ladder-imbalance" }, tilt, tiltWords);

  // ---------------------------------------------------------------- the rows
  const head = node("tr");
  const rows = node("tbody");
  const grid = node(
    "table",
    { class: "hz-ladder-grid", role: "grid", tabindex: 0, "aria-label": "Levels of the book" },
    node("thead", {}, head),
    rows,
  );
  const scroll = node("div", { class: "hz-ladder-scroll" }, grid);
  const empty = node("p", { class: "hz-note" });

  const words = node("span", { class: "hz-ladder-words" });
  const prices = node("span", { class: "hz-tools" });
  const drop = button(() => send("drop"), { class: "hz-button hz-quiet" });
  drop.hzTake({ label: "×", name: "Drop the cursor" });
  const acts = node("span", { class: "hz-tools" }, prices, drop);
  const cursor = node("div", { class: "hz-ladder-cursor" }, words, acts);
  const voice = node("span", { class: "hz-unseen", role: "status" });
  const caption = node("p", { class: "hz-hint hz-ladder-caption" });
  const note = node("p", { class: "hz-note", hidden: true });
  body.append(
    node("div", { class: "hz-deck" }, choose, sides, depth, group, views),
    facts,
    tiltRow,
    caption,
    scroll,
    empty,
    cursor,
    voice,
    note,
  );

  const cellId = (row, side) => `${uid}-${row}-${side}`;
  // What is done to a row goes with what its rows are prices of: they may have turned meanwhile.
  const ask = (verb, given) => send(verb, { of: [shown.market, shown.side, shown.ticks], ...given });
  const takeAs = ({ side, take }) => ask("price", { row: shown.cursor.row, side, take });
  function touch(item, side, isTaking) {
    const verb = shown.clickable && !item.off ? "price" : "point";
    ask(verb, { row: item.id, side, take: isTaking });
  }

  function cell(kind, side) {
    const made = node(kind === "price" ? "th" : "td", {
      class: `hz-ladder-${kind}`,
      scope: kind === "price" ? "row" : null,
      "data-side": side,
    });
    if (kind === "own") {
      const cancel = button((action) => send("cancel", { ids: action.ids }), { class: "hz-button hz-quiet" }, true);
      cancel.addEventListener("click", (event) => event.stopPropagation());
      made.hzSize = node("span", { class: "hz-ladder-own-size" });
      made.hzPlace = node("span", { class: "hz-ladder-place" });
      made.hzCancel = cancel;
      made.append(node("span", { class: "hz-ladder-mine", hidden: true }, made.hzSize, made.hzPlace, cancel));
    } else if (kind === "price") {
      made.hzTags = node("span", { class: "hz-ladder-tags" });
      made.hzText = node("span");
      made.hzFills = node("span", { class: "hz-ladder-tags" });
      made.append(node("span", { class: "hz-ladder-at" }, made.hzTags, made.hzText, made.hzFills));
    } else if (kind === "size") {
      made.hzBar = node("span", { class: "hz-ladder-bar" });
      made.hzText = node("span");
      made.append(made.hzBar, made.hzText);
    }
    made.addEventListener("click", (event) => {
      const item = made.parentElement.hzItem;
      if (kind === "price") ask("point", { row: item.id, side: shown.cursor?.side ?? "buy" });
      else touch(item, side, event.shiftKey);
      grid.focus({ preventScroll: true });
    });
    return made;
  }

  function makeRow() {
    const made = node("tr");
    const cells = [
      cell("own", "buy"),
      cell("total", "buy"),
      cell("size", "buy"),
      cell("price", null),
      cell("size", "sell"),
      cell("total", "sell"),
      cell("own", "sell"),
    ];
    made.append(...cells);
    made.hzCells = cells;
    return made;
  }

  function mine(made, own) {
    const holder = made.firstChild;
    if (holder.hidden !== !own) holder.hidden = !own;
    if (!own) return;
    write(made.hzSize, own.size);
    write(made.hzPlace, own.place);
    set(holder, { title: own.title });
    made.hzCancel.hzTake({
      do: "cancel",
      id: own.ids.join(),
      ids: own.ids,
      label: "×",
      name: own.name,
      off: own.leaving,
    });
  }
  function sized(size, total, level) {
    write(size.hzText, level ? level[0] : "");
    const width = level ? `${level[1]}%` : "0";
    if (size.hzBar.style.width !== width) size.hzBar.style.width = width;
    write(total, level ? level[2] : "");
  }
  function tagged(parent, tags) {
    keyed(
      parent,
      tags,
      ([kind]) => kind,
      ([kind]) => node("span", { class: `hz-ladder-tag hz-ladder-${kind}` }),
      (element, [, text, tone, name]) => {
        write(element, text);
        set(element, { "data-tone": tone || null, title: name });
      },
    );
  }

  function updateRow(made, item) {
    made.hzItem = item;
    set(made, { "data-zone": item.zone, "data-touch": item.touch, "data-off": item.off });
    const [ownBuy, bidTotal, bid, price, ask, askTotal, ownSell] = made.hzCells;
    mine(ownBuy, item.own[0]);
    sized(bid, bidTotal, item.bid);
    write(price.hzText, item.price);
    tagged(price.hzTags, item.tags.filter(([kind]) => kind === "last"));
    tagged(price.hzFills, item.tags.filter(([kind]) => kind === "fill"));
    sized(ask, askTotal, item.ask);
    mine(ownSell, item.own[1]);
    const point = shown.cursor?.row === item.id ? shown.cursor.side : null;
    set(made, { "data-cursor": point, "aria-selected": point ? "true" : null });
    set(bid, { id: point === "buy" ? cellId(item.id, "buy") : null });
    set(ask, { id: point === "sell" ? cellId(item.id, "sell") : null });
  }

  // ---------------------------------------------------------------- pointing, and keys
  // The rows stay where they are while the pointer or the focus is on them.
  let pointing = { pointer: false, focus: false };
  let telling = 0;
  function point(change) {
    const was = pointing.pointer || pointing.focus;
    pointing = { ...pointing, ...change };
    const is = pointing.pointer || pointing.focus;
    if (was === is) return;
    clearInterval(telling);
    if (is) telling = setInterval(() => send("hold", { on: true }), POINTED);
    send("hold", { on: is });
  }
  scroll.addEventListener("pointerenter", () => point({ pointer: true }));
  scroll.addEventListener("pointerleave", () => point({ pointer: false }));
  scroll.addEventListener("focusin", () => point({ focus: true }));
  scroll.addEventListener("focusout", () => point({ focus: false }));

  const KEYS = {
    ArrowUp: () => send("move", { by: 1, side: "" }),
    ArrowDown: () => send("move", { by: -1, side: "" }),
    PageUp: () => send("move", { by: PAGE, side: "" }),
    PageDown: () => send("move", { by: -PAGE, side: "" }),
    ArrowLeft: () => send("move", { by: 0, side: "buy" }),
    ArrowRight: () => send("move", { by: 0, side: "sell" }),
    Home: () => send("scroll", { by: 0 }),
    Escape: () => send("drop"),
    // About the cursor as the keys before have put it, which may not have come back yet.
    Enter: (event) => !event.repeat && ask("price", { row: "", take: event.shiftKey }),
    Delete: (event) => !event.repeat && ask("cancel"),
    Backspace: (event) => !event.repeat && ask("cancel"),
  };
  grid.addEventListener("keydown", (event) => {
    if (event.target !== grid || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key](event);
  });

  // Bring a row into the part of the rows that is seen, without moving the page.
  function reveal(made) {
    const top = made.offsetTop - head.offsetHeight;
    const bottom = made.offsetTop + made.offsetHeight;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else if (bottom > scroll.scrollTop + scroll.clientHeight) {
      scroll.scrollTop = bottom - scroll.clientHeight;
    }
  }

  // Where there are more rows than room: the best prices come to the middle of what is seen when
  // the kernel has put them in the middle, and, followed, before they leave it.
  function keepInSight() {
    const height = scroll.clientHeight;
    if (!shown || height === 0 || scroll.scrollHeight <= height) return;
    const best = [...rows.children].filter((made) => made.hzItem.touch);
    if (best.length === 0) return;
    const top = best[0].offsetTop;
    const last = best[best.length - 1];
    const middle = (top + last.offsetTop + last.offsetHeight) / 2 - scroll.scrollTop;
    const isFar = middle < height * 0.3 || middle > height * 0.75;
    const isHeld = pointing.pointer || pointing.focus;
    if (shown.centred === centred && !(shown.follow && !isHeld && isFar)) return;
    centred = shown.centred;
    scroll.scrollTop += middle - (height + head.offsetHeight) / 2;
  }
  const size = new ResizeObserver(() => {
    centred = -1;
    keepInSight();
  });
  size.observe(scroll);

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

  function drawCursor(seen) {
    write(words, seen ? seen.words : hint());
    set(words, { class: seen ? "hz-ladder-words" : "hz-ladder-words hz-hint" });
    acts.hidden = !seen;
    keyed(
      prices,
      seen?.actions ?? [],
      ({ id }) => id,
      () => button(takeAs, {}, true),
      (element, item) => {
        element.hzTake(item);
        set(element, { "data-main": !item.take && item.side === seen.side });
      },
    );
    set(grid, { "aria-activedescendant": seen ? cellId(seen.row, seen.side) : null });
    if (!seen || seen.moves === spoken) return;
    spoken = seen.moves;
    if (!pointing.focus) return;
    write(voice, seen.spoken);
    const made = [...rows.children].find((row) => row.hzItem?.id === seen.row);
    if (made) reveal(made);
  }
  const hint = () =>
    shown.clickable
      ? "Click the left of a row to buy at its price, the right to sell; or arrow keys, then Enter."
      : "Click a row, or use the arrow keys: it says what an order would take up to there.";

  function draw(picture) {
    shown = picture;
    options(picks.market, picture.markets, picture.market);
    choose.hidden = picture.markets.length === 0;
    options(picks.depth, picture.depths, picture.depth);
    options(picks.group, picture.groups, picture.group);
    keyed(
      sides,
      picture.sides,
      ([side]) => side,
      ([side]) => button(() => send("side", { side })),
      (element, [side, text]) => {
        element.hzTake({ label: text, name: `Show ${text}` });
        set(element, { "aria-pressed": picture.side === side ? "true" : "false" });
      },
    );
    sides.hidden = picture.sides.length === 0;
    follow.hzTake({
      label: picture.held ? "Held still" : "Follow",
      name: "Keep the middle of the market in the middle, but not while you are on the rows",
    });
    set(follow, { "aria-pressed": picture.follow ? "true" : "false" });
    views.hidden = !picture.is_grid;
    keyed(
      facts,
      picture.facts,
      ([label]) => label,
      ([label]) => node("div", {}, node("dt", {}, label), node("dd")),
      (element, [, text]) => write(element.lastChild, text),
    );
    const tilted = picture.imbalance;
    tiltFill.style.width = tilted ? `${tilted.percent}%` : "0";
    set(tilt, { "data-known": Boolean(tilted) });
    write(tiltWords, tilted ? tilted.words : "");
    tiltRow.hidden = picture.rows.length === 0 || !picture.has_book;
    tilt.hidden = !tilted;

    keyed(
      head,
      picture.columns.map((label, place) => ({ label, place })),
      ({ place }) => place,
      ({ place }) => node("th", { scope: "col", class: ["hz-ladder-own", "hz-ladder-total"][place % 6] ?? null }),
      (element, { label: [name, unit] }) => {
        if (!element.firstChild) element.append(node("span"), node("span", { class: "hz-ladder-unit" }));
        write(element.firstChild, name);
        write(element.lastChild, `, ${unit}`);
      },
    );
    head.children[5].className = "hz-ladder-total";
    keyed(rows, picture.rows, ({ id }) => id, makeRow, updateRow);
    set(grid, { "data-wide": picture.rows.some(({ price }) => price.length > WIDE) });
    scroll.hidden = cursor.hidden = picture.rows.length === 0;
    write(caption, picture.caption);
    write(empty, picture.empty);
    empty.hidden = picture.rows.length > 0;
    keepInSight();
    drawCursor(picture.cursor);
    write(note, picture.note);
    note.hidden = picture.note === "";
  }
  return {
    draw,
    end() {
      clearInterval(telling);
      size.disconnect();
    },
  };
}

export default { render: (context) => mount(context, ladder) };
