"""Layouts of a desk to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from horizon.widgets.desk.layout import Column, Layout, Stack

__all__ = ["PANELS", "presets_of"]

#: The panels of an account.
PANELS: Final = (
    "ticket",
    "balance",
    "chart",
    "book",
    "prices",
    "algos",
    "positions",
    "orders",
    "fills",
    "blotter",
)
#: By name: columns with their shares of the width; what stands in one place together.
_PRESETS: Final = {
    "desk": (
        (1.0, (("ticket",), ("balance",))),
        (
            2.2,
            (
                ("chart", "book"),
                ("prices",),
                ("algos",),
                ("positions",),
                ("orders", "blotter"),
                ("fills",),
            ),
        ),
    ),
    "book": (
        (1.0, (("ticket",), ("balance",))),
        (1.0, (("book",), ("prices",))),
        (1.5, (("chart",), ("positions", "fills"), ("orders", "blotter"), ("algos",))),
    ),
    "blotter": (
        (1.0, (("ticket",), ("balance", "prices"))),
        (2.6, (("chart", "book"), ("blotter", "orders", "fills"), ("positions", "algos"))),
    ),
    "single": (
        (
            1.0,
            (
                ("chart", "book"),
                ("ticket", "balance"),
                ("positions", "algos", "prices"),
                ("orders", "fills", "blotter"),
            ),
        ),
    ),
}


def presets_of(panels: Sequence[str]) -> dict[str, Layout]:
    """Return the layouts by name, each with these panels, and with no other.

    What is none of an account's panels stands before those at the top of the widest column.
    """
    own = tuple(panel for panel in panels if panel not in PANELS)
    made = {}
    for name, given in _PRESETS.items():
        columns = []
        widest = max(width for width, _ in given)
        for width, stacks in given:
            kept = [tuple(panel for panel in stack if panel in panels) for stack in stacks]
            if own and width == widest:
                kept[0] = (*own, *kept[0])
            found = tuple(Stack(stack, stack[0]) for stack in kept if stack)
            if found:
                columns.append(Column(found, width))
        made[name] = Layout(tuple(columns))
    return made
