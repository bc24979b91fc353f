// The order ticket's page side: a form, a preview, one confirmation.

const SEEN_FIRST = 300; // milliseconds that a preview has to be on the page before Enter confirms

function ticket(body, send) {
  let shownPreview = null;
  let previewSince = 0;
  let asked = 0; // when a preview was asked for that has not come
  let spokenKeys = "";

  const venue = node("span", { class: "hz-title" });
  const mode = node("span", { class: "hz-mode" });
  const halted = node("span", { class: "hz-wrong", hidden: true });
  const form = node("div", { class: "hz-ticket-form", role: "group", "aria-label": "Order entry" });
  const review = button(() => previewNow(), { class: "hz-button hz-main" });
  review.hzTake({ label: "Preview", name: "Preview the order" });
  const hint = node("span", { class: "hz-hint" });
  const showKeys = button(() => keys.open(), { class: "hz-button" });
  showKeys.hzTake({ label: "Keys", name: "Show the keys, and change them" });
  const quote = node("dl", { class: "hz-line" });
  const contract = node("span", { class: "hz-hint" });
  const amendTitle = node("p", { class: "hz-title" });
  const amendWhat = node("p");
  const amendState = node("p", { class: "hz-hint" });
  const leave = button(() => send("leave"));
  leave.hzTake({ label: "New order", name: "Leave this order as it is, and write a new one" });
  const amend = node(
    "div",
    { class: "hz-ticket-amend", role: "group", "aria-label": "Order to amend", hidden: true },
    node("div", {}, amendTitle, amendWhat, amendState),
    leave,
  );
  const headline = node("p", { class: "hz-headline" });
  const facts = node("dl", { class: "hz-facts" });
  const cautions = node("div");
  const notes = node("div");
  const refusal = node("p", { class: "hz-refusal", hidden: true });
  const confirm = button(() => confirmNow(), { class: "hz-button hz-main" }, true);
  const drop = button(() => dropNow());
  drop.hzTake({ label: "Drop", name: "Drop this preview" });
  const choices = node("div", { class: "hz-row" }, confirm, drop);
  const preview = node(
    "div",
    { class: "hz-preview", hidden: true, role: "group", "aria-label": "Preview" },
    headline,
    choices, // near the form, and above what changes with the market: it must not move
    cautions,
    refusal,
    facts,
    notes,
  );
  const said = node("div", { role: "status", "aria-live": "polite" });
  const done = node("p", { class: "hz-done", hidden: true });
  // For those who do not see it: each new preview once, not each of its changing numbers.
  const spoken = node("span", { class: "hz-unseen" });
  said.append(spoken, done);
  const filled = node("p", { class: "hz-hint", hidden: true });
  // What a second press of a key would do.
  const again = node("p", { class: "hz-ticket-again", hidden: true });
  said.append(again);
  const fields = formOf(form, (given) => send("edit", given), { onChange: hidePreview });
  form.append(node("div", { class: "hz-row hz-ticket-acts" }, review, hint, showKeys), preview, said, filled);
  const root = body.closest(".hz-face");
  const sayAgain = (text) => {
    write(again, text);
    again.hidden = text === "";
  };
  const keys = hotkeysOf(root, act, send, sayAgain, review);
  body.append(
    node("div", { class: "hz-banner" }, venue, mode, halted),
    node("div", { class: "hz-ticket-quote" }, quote, contract),
    amend,
    form,
    keys.dialog,
  );
  let calls = null; // how often the kernel has asked for the focus
  let wantsFocus = false;

  // ---------------------------------------------------------------- preview and confirmation
  function hidePreview() {
    shownPreview = null;
    hide(preview);
    write(spoken, "");
    asked = 0;
    done.hidden = filled.hidden = true;
  }
  // What is hidden cannot keep the focus: it goes to where the next order begins.
  function hide(element) {
    const hadFocus = element.contains(document.activeElement);
    element.hidden = true;
    if (hadFocus) review.focus();
  }
  function previewNow() {
    fields.hush();
    asked = performance.now();
    send("preview", fields.given());
  }
  function confirmNow() {
    if (!shownPreview || shownPreview.refusal) return;
    const { id } = shownPreview;
    send("confirm", { preview: id });
    hidePreview();
  }
  function dropNow() {
    send("drop");
    hidePreview();
  }
  function enter() {
    const now = performance.now();
    if (shownPreview) {
      if (now - previewSince >= SEEN_FIRST) confirmNow();
    } else if (now - asked > 2000) previewNow();
  }
  // What a key is for; false where it has nothing to do now.
  function act(action, row) {
    switch (action) {
      case "preview":
      case "confirm": {
        // One key may be that of both, and each press is for one of them.
        const isPreviewed = shownPreview !== null;
        if (isPreviewed !== (action === "confirm")) return false;
        // What is refused cannot be confirmed: the button does what it says, and asks again.
        if (shownPreview?.refusal && document.activeElement === review) return false;
        enter();
        return true;
      }
      case "drop":
        if (!shownPreview && !asked) return false;
        dropNow();
        return true;
      case "help":
        keys.toggle();
        return true;
      case "cancel_last":
        send("cancel last", { id: row.id });
        return true;
      case "cancel_all":
        send("cancel all");
        return true;
      case "flatten":
        send("flatten", { id: row.id });
        return true;
      default:
        if (fields.isBehind()) fields.tellNow(); // what was typed comes first
        hidePreview();
        send("key", { action });
        return true;
    }
  }
  form.addEventListener("keydown", (event) => {
    // Shift+Enter is how a notebook runs a cell: nobody means an order by it.
    const isBare = !(event.shiftKey || event.ctrlKey || event.altKey || event.metaKey);
    if (event.key !== "Enter") return;
    if (event.target.matches("input, select") || !isBare || event.repeat) event.preventDefault();
  });
  // A press elsewhere may write into the form: what was typed here is told before it.
  form.addEventListener("focusout", () => fields.isBehind() && fields.tellNow());

  function bringToView() {
    const { left, top, width, height } = confirm.getBoundingClientRect();
    const seen = document.elementFromPoint(left + width / 2, top + height - 1);
    if (preview.hidden || confirm.contains(seen)) return;
    const fits = preview.offsetHeight < window.innerHeight / 2;
    (fits ? preview : choices).scrollIntoView({ block: "nearest" });
  }
  function drawPreview(seen) {
    const isNew = seen && seen.id !== shownPreview?.id;
    shownPreview = seen;
    if (!seen) {
      hide(preview);
      return;
    }
    preview.hidden = false;
    // Who has asked for it, here, shall not have to look for it.
    if (isNew && asked) requestAnimationFrame(bringToView);
    asked = 0;
    if (isNew) {
      previewSince = performance.now();
      const facts = seen.facts.map(([label, text]) => `${label}: ${text}`).join("; ");
      const what = seen.refusal ? `Refused: ${seen.refusal}` : spokenKeys;
      const cautions = seen.cautions.map((text) => `Caution: ${text} `).join("");
      write(spoken, `Preview. ${seen.headline}. ${cautions}${facts}. ${what}.`);
    }
    set(preview, { "data-tone": seen.tone });
    set(confirm, { "data-tone": seen.tone });
    write(headline, seen.headline);
    keyed(
      facts,
      seen.facts,
      ([label]) => label,
      ([label]) => node("div", {}, node("dt", {}, label), node("dd")),
      (element, [, text]) => write(element.querySelector("dd"), text),
    );
    keyed(cautions, seen.cautions, (text) => text, (text) => node("p", { class: "hz-caution" }, text), () => {});
    keyed(notes, seen.notes, (text) => text, (text) => node("p", { class: "hz-hint" }, text), () => {});
    write(refusal, seen.refusal ? `Refused: ${seen.refusal}` : "");
    refusal.hidden = !seen.refusal;
    confirm.hzTake({
      do: "confirm",
      id: seen.id,
      label: seen.confirm,
      name: `${seen.confirm}: ${seen.headline}`,
      off: Boolean(seen.refusal),
    });
  }

  function drawAmend(order) {
    const hadFocus = amend.contains(document.activeElement);
    amend.hidden = !order;
    if (hadFocus && !order) review.focus();
    review.hzTake({
      label: "Preview",
      name: order ? "Preview the amendment" : "Preview the order",
      off: Boolean(order?.is_over),
    });
    if (!order) return;
    write(amendTitle, order.title);
    write(amendWhat, order.what);
    write(amendState, order.state);
    set(amend, { "data-tone": order.tone });
    set(amendState, { class: order.is_over ? "hz-wrong" : "hz-hint" });
  }

  function draw(picture) {
    write(venue, `Venue: ${picture.banner.venue}`);
    write(mode, picture.banner.mode);
    set(mode, { "data-live": picture.banner.is_live });
    write(halted, picture.banner.halted);
    halted.hidden = picture.banner.halted === "";
    keyed(
      quote,
      picture.quote,
      ([label]) => label,
      ([label]) => node("div", {}, node("dt", {}, label), node("dd")),
      (element, [, text]) => write(element.lastChild, text),
    );
    write(contract, picture.contract);
    drawAmend(picture.amend);
    spokenKeys = picture.keys.spoken;
    write(hint, picture.keys.hint);
    keys.draw(picture.keys, picture.error);
    const isBehind = fields.draw(picture);
    if (calls !== null && picture.call > calls) wantsFocus = document.hasFocus();
    calls = picture.call;
    if (wantsFocus) {
      wantsFocus = false;
      const first = picture.fields[0]?.name;
      if (first) fields.focus(first);
    }
    if (asked && !isBehind && (picture.error || Object.keys(picture.wrong).length > 0)) {
      asked = 0;
      fields.focusWrong();
    }
    if (!isBehind) drawPreview(picture.preview);
    if (picture.done) {
      write(done, picture.done.text);
      set(done, { class: picture.done.is_bad ? "hz-done hz-wrong" : "hz-done" });
    }
    done.hidden = !picture.done;
    write(filled, picture.done?.filled ?? "");
    filled.hidden = filled.textContent === "";
  }
  function end() {
    fields.end();
    keys.end();
  }
  return { draw, end };
}

export default { render: (context) => mount(context, ticket) };
