// The order ticket's page side: a form, a preview, one confirmation.

const SEEN_FIRST = 300; // milliseconds that a preview has to be on the page before Enter confirms
const TYPING = 120; // milliseconds after the last key until the kernel is told

function ticket(body, send) {
  const me = Math.random().toString(36).slice(2);
  const uid = `hz-${me}`;
  const values = {};
  let edit = 0; // counts what was changed here
  let taken = 0; // how much of it the kernel has taken
  let typing = 0;
  let shown = null;
  let shownPreview = null;
  let previewSince = 0;
  let asked = 0; // when a preview was asked for that has not come

  const venue = node("span", { class: "hz-title" });
  const mode = node("span", { class: "hz-mode" });
  const halted = node("span", { class: "hz-wrong", hidden: true });
  const form = node("div", { role: "form", "aria-label": "Order entry" });
  const grid = node("div", { class: "hz-form" });
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
  form.append(grid, node("div", { class: "hz-row" }, review, keys), preview, said, filled);
  body.append(node("div", { class: "hz-banner" }, venue, mode, halted), form);

  // ---------------------------------------------------------------- fields
  function changed(name, value, isTyped) {
    if (values[name] === value) return;
    values[name] = value;
    edit += 1;
    hidePreview();
    clearTimeout(typing);
    typing = setTimeout(tell, isTyped ? TYPING : 0);
  }
  function tell() {
    clearTimeout(typing);
    send("edit", { values: { ...values }, by: me, edit });
  }

  function make(field) {
    const id = `${uid}-${field.name}`;
    const wrong = node("span", { class: "hz-wrong", id: `${id}-wrong`, hidden: true });
    let inside;
    if (field.kind === "radio") {
      const options = node("div", { class: "hz-options" });
      inside = node("fieldset", { class: "hz-group" }, node("legend"), options);
      inside.hzInput = options;
    } else if (field.kind === "check") {
      const input = node("input", { type: "checkbox", id });
      input.addEventListener("change", () => changed(field.name, input.checked ? "yes" : "", false));
      const text = node("span");
      inside = node("label", { for: id }, input, text);
      inside.hzInput = input;
      inside.hzLabel = text;
    } else {
      const input =
        field.kind === "choice"
          ? node("select", { id })
          : node("input", {
              id,
              type: "text",
              inputmode: field.digits ? "decimal" : null,
              spellcheck: "false",
              autocomplete: "off",
              autocapitalize: "off",
              list: field.suggestions.length || field.name === "market" ? `${id}-list` : null,
            });
      input.addEventListener(field.kind === "choice" ? "change" : "input", () =>
        changed(field.name, input.value, field.kind !== "choice"),
      );
      const label = node("label", { for: id });
      inside = node("div", {}, label, input);
      if (field.name === "market") {
        inside.hzList = node("datalist", { id: `${id}-list` });
        inside.append(inside.hzList);
      }
      inside.hzInput = input;
      inside.hzLabel = label;
    }
    const made = node("div", { class: "hz-field", "data-kind": field.kind }, inside, wrong);
    made.hzInside = inside;
    made.hzWrong = wrong;
    return made;
  }

  function radios(made, field) {
    const inside = made.hzInside;
    write(inside.querySelector("legend"), field.label);
    keyed(
      inside.hzInput,
      field.options,
      ([value]) => value,
      ([value, , tone]) => {
        const input = node("input", { type: "radio", name: `${uid}-${field.name}`, value });
        input.addEventListener("change", () => changed(field.name, value, false));
        return node("label", { "data-tone": tone || null }, input, node("span"));
      },
      (label, [value, text]) => {
        write(label.querySelector("span"), text);
        const input = label.querySelector("input");
        if (input.checked !== (values[field.name] === value)) {
          input.checked = values[field.name] === value;
        }
      },
    );
  }

  function update(made, field) {
    const { hzInside: inside, hzWrong: wrong } = made;
    set(made, { "data-wide": field.wide || field.kind === "check" });
    const input = inside.hzInput;
    if (field.kind === "radio") radios(made, field);
    else {
      write(inside.hzLabel, field.label);
      if (field.kind === "choice") {
        keyed(
          input,
          field.options,
          ([value]) => value,
          ([value]) => node("option", { value }),
          (option, [, text]) => write(option, text),
        );
      }
      if (inside.hzList) {
        keyed(inside.hzList, field.suggestions, (name) => name, (value) => node("option", { value }), () => {});
      }
      const value = values[field.name] ?? "";
      if (field.kind === "check") input.checked = value === "yes";
      else if (input.value !== value) input.value = value;
    }
    const text = shown.wrong[field.name] ?? "";
    const isWrong = text !== "";
    write(wrong, text);
    wrong.hidden = !isWrong;
    const target = field.kind === "radio" ? inside : input;
    set(target, {
      "aria-invalid": isWrong ? "true" : null,
      "aria-describedby": isWrong ? wrong.id : null,
    });
  }

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
    clearTimeout(typing);
    asked = performance.now();
    send("preview", { values: { ...values }, by: me, edit });
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
    shown = picture;
    write(venue, `Venue: ${picture.banner.venue}`);
    write(mode, picture.banner.mode);
    set(mode, { "data-live": picture.banner.is_live });
    write(halted, picture.banner.halted);
    halted.hidden = picture.banner.halted === "";
    // What was changed here and has not arrived there yet is not overwritten.
    if (picture.by === me) taken = picture.edit;
    const isBehind = edit > taken;
    if (!isBehind) Object.assign(values, picture.values);
    keyed(grid, picture.fields, (field) => `${field.name} ${field.kind}`, make, update);
    if (asked && !isBehind && (picture.error || Object.keys(picture.wrong).length > 0)) {
      asked = 0;
      const wrong = grid.querySelector('[aria-invalid="true"]');
      (wrong?.matches("fieldset") ? wrong.querySelector("input:checked") : wrong)?.focus();
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
  return { draw, end: () => clearTimeout(typing) };
}

export default { render: (context) => mount(context, ticket) };
