"""What a reader may choose of a result's figures, and what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from horizon import words
from horizon.widgets import fields, sections
from horizon.widgets.fields import FieldError, Form
from horizon.widgets.sections import Section
from horizon.widgets.walk_view.found import Found

__all__ = ["FIELDS", "form_sections", "heat_options", "take_form"]

#: The fields of all tabs, and what they hold at first.
FIELDS: Final = {"part": "train", "window": "", "x": "", "y": "", "log": ""}


def form_sections(tab: str, found: Found, form: Form) -> list[Section]:
    """The fields that say what the figures of a tab show."""
    own: list[dict[str, Any]] = []
    if tab in ("equity", "paths"):
        own.append(fields.check("log", "Logarithmic: equal distances are equal growth"))
    elif tab == "parameters":
        if found.row_name == "window":
            parts = [("train", "Training", ""), ("test", "Test", "")]
            own.append(fields.radio("part", "Objective of", parts))
        unit = found.row_name
        title = unit.capitalize()
        rows = [("", f"All {unit}s"), *((f"{n}", f"{title} {n}") for n in found.rows)]
        own.append(fields.choice("window", title, rows))
        if len(found.names) > 2:
            names = [("", "By itself"), *((name, words.name(name)) for name in found.names)]
            own.append(fields.choice("x", "Across", names))
            own.append(fields.choice("y", "Down", names))
    return [sections.form(f"form {tab}", form.picture(own))] if own else []


def take_form(found: Found, form: Form, arguments: Mapping[str, Any]) -> bool:
    """Take what the fields hold; return whether figures can be drawn by it.

    Raises
    ------
    FieldError
        For what is no choice of a field; the form is as it was then.
    """
    former = dict(form.values)
    form.take(arguments)
    values = form.values
    try:
        fields.one_of(values, "part", ("train", "test"))
        fields.one_of(values, "window", ("", *map(str, found.rows)))
        fields.one_of(values, "x", ("", *found.names))
        fields.one_of(values, "y", ("", *found.names))
        fields.is_ticked(values, "log")
    except FieldError:
        form.values = former
        raise
    form.wrong.clear()
    if values["x"] and values["x"] == values["y"]:
        form.wrong["y"] = "Choose another parameter than the one across"
        return False
    return True


def heat_options(found: Found, values: Mapping[str, str]) -> dict[str, Any]:
    """What the fields say of the heat map."""
    options: dict[str, Any] = {}
    if found.row_name == "window":
        options["part"] = values["part"]
    if values["window"]:
        options["window"] = int(values["window"])
    for side in ("x", "y"):
        if values[side]:
            options[side] = values[side]
    return options
