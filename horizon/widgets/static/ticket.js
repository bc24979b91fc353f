// The order ticket's page side: a form, a preview, one confirmation.

const SEEN_FIRST = 300; // milliseconds that a preview has to be on the page before Enter confirms

function ticket(body, send) {
  let shownPreview = null;
  let previewSince = 0;
  let asked = 0; // when a preview was asked for that has not come

  const venue = node("span", { class: "hz-title" });
  const mode = node("span", { class: "hz-mode" });
  const halted = node("span", { class: "hz-wrong", hidden: true });
  const form = node("div", { role: "form", "aria-label": "Order entry" });
  const review = button(() => previewNow(), { class: "hz-button hz-main" });
  review.hzTake({ label: "Preview", name: "Preview the order" });
  const keys = node("span", { class: "hz-hint" }, "Enter previews, Enter again confirms, Esc drops");
  const headline = node("p", { class: "hz-headline" });
  const facts = node("dl", { class: "hz-facts" });
  const notes = node("div");
  const refusal = node("p", { class: "hz-refusal", hidden: true });
  const confirm = button(() => confirmNow(), { class: "hz-button hz-main" });
  const drop = button(() => dropNow());
  drop.hzTake({ label: "Drop", name: "Drop this preview" });
  const choices = node("div", { class: "hz-row" }, confirm, drop);
  const preview = node(
    "div",
    { class: "hz-preview", hidden: true, role: "group", "aria-label": "Preview" },
    headline,
    facts,
    choices, // above what comes and goes with the market: it must not move under the pointer
    refusal,
    notes,
  );
  const said = node("div", { role: "status", "aria-live": "polite" });
  const done = node("p", { class: "hz-done", hidden: true });
  // For those who do not see it: each new preview once, not each of its changing numbers.
  const spoken = node("span", { class: "hz-unseen" });
  said.append(spoken, done);
  const filled = node("p", { class: "hz-hint", hidden: true });
  const fields = formOf(form, (given) => send("edit", given), { onChange: hidePreview });
  form.append(node("div", { class: "hz-row" }, review, keys), preview, said, filled);
  body.append(node("div", { class: "hz-banner" }, venue, mode, halted), form);

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
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && (shownPreview || asked)) {
      event.stopPropagation();
      event.preventDefault();
      dropNow();
    } else if (event.key === "Enter") {
      // Shift+Enter is how a notebook runs a cell: nobody means an order by it.
      const isBare = !(event.shiftKey || event.ctrlKey || event.altKey || event.metaKey);
      const isField = event.target.matches("input, select");
      if (isField || !isBare || event.repeat) event.preventDefault();
      // A key that is held down confirms nothing, nor does one that ends an input method's word.
      if (isField && isBare && !event.repeat && !event.isComposing) enter();
    }
  });

  function drawPreview(seen) {
    const isNew = seen && seen.id !== shownPreview?.id;
    shownPreview = seen;
    if (!seen) {
      hide(preview);
      return;
    }
    preview.hidden = false;
    asked = 0;
    if (isNew) {
      previewSince = performance.now();
      const facts = seen.facts.map(([label, text]) => `${label}: ${text}`).join("; ");
      const what = seen.refusal ? `Refused: ${seen.refusal}` : "Enter confirms, Escape drops";
      write(spoken, `Preview. ${seen.headline}. ${facts}. ${what}.`);
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
    keyed(notes, seen.notes, (text) => text, (text) => node("p", { class: "hz-hint" }, text), () => {});
    write(refusal, seen.refusal ? `Refused: ${seen.refusal}` : "");
    refusal.hidden = !seen.refusal;
    confirm.hzTake({
      label: seen.confirm,
      name: `${seen.confirm}: ${seen.headline}`,
      off: Boolean(seen.refusal),
    });
  }

  function draw(picture) {
    write(venue, `Venue: ${picture.banner.venue}`);
    write(mode, picture.banner.mode);
    set(mode, { "data-live": picture.banner.is_live });
    write(halted, picture.banner.halted);
    halted.hidden = picture.banner.halted === "";
    const isBehind = fields.draw(picture);
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
  return { draw, end: fields.end };
}

export default { render: (context) => mount(context, ticket) };
