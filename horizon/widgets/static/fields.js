// A form of labelled fields. The kernel describes them and holds their values, which are texts.

const TYPING = 120; // milliseconds after the last key until the kernel is told

// Build a form in `parent`. `tell(given)` sends what the fields hold, as the kernel's `Form.take`
// reads it; `onChange` is called at each change here, before that.
//
// Returns `element`, the `values` as they stand here, `given()` to send along with another verb,
// `draw(form)`, which says whether the kernel is still behind what was changed here, as
// `isBehind()` does, `tellNow()`, which does not wait for the end of typing,
// `focusWrong()`, `focus(name)` and `end()`.
function formOf(parent, tell, { onChange = () => {}, typing: pause = TYPING } = {}) {
  const me = Math.random().toString(36).slice(2);
  const uid = `hz-${me}`;
  const values = {};
  const grid = node("div", { class: "hz-form" });
  parent.append(grid);
  let wrongs = {};
  let edit = 0; // counts what was changed here
  let taken = 0; // how much of it the kernel has taken
  let typing = 0;

  const touched = new Set(); // what was changed here since both sides were level
  const given = () => ({ values: { ...values }, touched: [...touched], by: me, edit });
  function say() {
    clearTimeout(typing);
    tell(given());
  }
  function changed(name, value, isTyped) {
    if (values[name] === value) return;
    values[name] = value;
    touched.add(name);
    edit += 1;
    onChange(name);
    clearTimeout(typing);
    typing = setTimeout(say, isTyped ? pause : 0);
  }

  const input = (attributes) =>
    node("input", {
      type: "text",
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "off",
      ...attributes,
    });

  // The beginning of a label may stand for it; the whole is the name of what it labels.
  function writeLabel(label, target, field) {
    write(label, field.brief ?? field.label);
    set(target, { "aria-label": field.brief ? field.label : null });
    set(label, { title: field.brief ? field.label : null });
  }
  function unitOf(line) {
    const unit = node("span", { class: "hz-unit", "aria-hidden": "true" });
    unit.hzTake = (field) => {
      const text = field.unit ?? "";
      write(unit, text);
      unit.hidden = text === "";
      line.style.setProperty("--hz-unit", text === "" ? "0px" : `${text.length + 1}ch`);
      set(line, { placeholder: field.optional ? "optional" : null });
    };
    return unit;
  }

  // Each kind: what it is made of, and how it takes its description and its value.
  const kinds = {
    text(field, id) {
      const hasList = field.suggestions !== null && field.suggestions !== undefined;
      const line = input({
        id,
        inputmode: field.digits ? "decimal" : null,
        list: hasList ? `${id}-list` : null,
      });
      line.addEventListener("input", () => changed(field.name, line.value, true));
      const label = node("label", { for: id });
      const unit = unitOf(line);
      const inside = node("div", {}, label, line, unit);
      const list = hasList ? node("datalist", { id: `${id}-list` }) : null;
      if (list) inside.append(list);
      return {
        inside,
        target: line,
        take(field, value) {
          writeLabel(label, line, field);
          unit.hzTake(field);
          if (list) {
            keyed(list, field.suggestions, (name) => name, (value) => node("option", { value }), () => {});
          }
          if (line.value !== value) line.value = value;
        },
      };
    },
    number(field, id) {
      const line = input({ id, inputmode: "decimal" });
      const slider = node("input", { type: "range", min: 0, step: 1, class: "hz-slider" });
      const hint = node("span", { class: "hz-hint" });
      let stops = field.stops;
      line.addEventListener("input", () => changed(field.name, line.value, true));
      slider.addEventListener("input", () => {
        line.value = stops[slider.valueAsNumber];
        set(slider, { "aria-valuetext": line.value });
        changed(field.name, line.value, true);
      });
      const label = node("label", { for: id });
      return {
        inside: node("div", {}, label, line, slider, hint),
        target: line,
        take(field, value) {
          write(label, field.label);
          stops = field.stops;
          slider.hidden = stops.length < 2;
          set(slider, { max: Math.max(0, stops.length - 1), "aria-label": field.label, "aria-valuetext": value });
          if (line.value !== value) line.value = value;
          if (!slider.hidden) {
            // A value between two stops stands at the nearest. What is moved here is where it was
            // moved to, since that is the value by then.
            const wanted = Number(value);
            let nearest = 0;
            stops.forEach((stop, i) => {
              if (Math.abs(stop - wanted) < Math.abs(stops[nearest] - wanted)) nearest = i;
            });
            slider.value = nearest;
          }
          write(hint, field.hint ?? "");
          hint.hidden = !field.hint;
        },
      };
    },
    date(field, id) {
      const line = node("input", { type: "date", id });
      line.addEventListener("change", () => changed(field.name, line.value, false));
      const label = node("label", { for: id });
      return {
        inside: node("div", {}, label, line),
        target: line,
        take(field, value) {
          writeLabel(label, line, field);
          set(line, { min: field.first || null, max: field.last || null });
          if (line.value !== value) line.value = value;
        },
      };
    },
    choice(field, id) {
      const list = node("select", { id });
      list.addEventListener("change", () => changed(field.name, list.value, false));
      const label = node("label", { for: id });
      return {
        inside: node("div", {}, label, list),
        target: list,
        take(field, value) {
          writeLabel(label, list, field);
          keyed(
            list,
            field.options,
            ([value]) => value,
            ([value]) => node("option", { value }),
            (option, [, text]) => write(option, text),
          );
          if (list.value !== value) list.value = value;
        },
      };
    },
    check(field, id) {
      const box = node("input", { type: "checkbox", id });
      box.addEventListener("change", () => changed(field.name, box.checked ? "yes" : "", false));
      const text = node("span");
      return {
        inside: node("label", { for: id }, box, text),
        target: box,
        isWide: true,
        take(field, value) {
          writeLabel(text, box, field);
          box.checked = value === "yes";
        },
      };
    },
    radio(field, id) {
      const legend = node("legend");
      const options = node("div", { class: "hz-options" });
      const inside = node("fieldset", { class: "hz-group" }, legend, options);
      return {
        inside,
        target: inside,
        take(field, value) {
          writeLabel(legend, inside, field);
          keyed(
            options,
            field.options,
            ([value]) => value,
            ([value, , tone]) => {
              const button = node("input", { type: "radio", name: id, value });
              button.addEventListener("change", () => changed(field.name, value, false));
              return node("label", { "data-tone": tone || null }, button, node("span"));
            },
            (label, [option, text]) => {
              write(label.querySelector("span"), text);
              const button = label.querySelector("input");
              if (button.checked !== (value === option)) button.checked = value === option;
            },
          );
        },
      };
    },
    many(field, id) {
      const legend = node("legend");
      const options = node("div", { class: "hz-options hz-many" });
      const inside = node("fieldset", { class: "hz-group" }, legend, options);
      return {
        inside,
        target: inside,
        take(field, value) {
          const chosen = new Set(value.split("\n"));
          write(legend, field.label);
          keyed(
            options,
            field.options,
            ([value]) => value,
            ([value]) => {
              const box = node("input", { type: "checkbox", value });
              box.addEventListener("change", () => {
                const boxes = [...options.querySelectorAll("input:checked")];
                changed(field.name, boxes.map((one) => one.value).join("\n"), false);
              });
              return node("label", {}, box, node("bdi"));
            },
            (label, [option, text]) => {
              write(label.lastChild, text);
              label.firstChild.checked = chosen.has(option);
            },
          );
        },
      };
    },
  };

  function make(field) {
    const id = `${uid}-${field.name}`;
    const part = kinds[field.kind](field, id);
    const wrong = node("span", { class: "hz-wrong", id: `${id}-wrong`, hidden: true });
    const made = node(
      "div",
      { class: "hz-field", "data-kind": field.kind, "data-name": field.name },
      part.inside,
      wrong,
    );
    made.hzTake = (field) => {
      set(made, { "data-wide": Boolean(field.wide || part.isWide) });
      part.take(field, values[field.name] ?? "");
      const text = wrongs[field.name] ?? "";
      write(wrong, text);
      wrong.hidden = text === "";
      set(part.target, {
        "aria-invalid": text !== "" ? "true" : null,
        "aria-describedby": text !== "" ? wrong.id : null,
      });
    };
    made.hzTarget = part.target;
    return made;
  }

  const focusable = (target) =>
    target?.matches("fieldset") ? target.querySelector("input:checked, input") : target;
  return {
    element: grid,
    values,
    given,
    tellNow: say,
    hush: () => clearTimeout(typing),
    isBehind: () => edit > taken,
    draw(form) {
      wrongs = form.wrong;
      // What was changed here and has not arrived there yet is not overwritten.
      if (form.by === me) taken = form.edit;
      const isBehind = edit > taken;
      if (!isBehind) {
        touched.clear();
        Object.assign(values, form.values);
      }
      keyed(grid, form.fields, (field) => `${field.name} ${field.kind}`, make, (made, field) => made.hzTake(field));
      return isBehind;
    },
    // Change a value as its user would.
    put(name, value) {
      changed(name, value, false);
    },
    focusWrong() {
      focusable(grid.querySelector('[aria-invalid="true"]'))?.focus();
    },
    focus(name) {
      const made = [...grid.children].find((child) => child.hzTarget?.id === `${uid}-${name}`);
      focusable(made?.hzTarget)?.focus();
    },
    end: () => clearTimeout(typing),
  };
}
