"""A small widget to try the base of all widgets on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from horizon.widgets.face import Face


class Sign(Face):
    """A widget that shows a text, and knows a verb of each sort."""

    script = ("table.js",)
    private = frozenset({"scribble"})
    risky = frozenset({"trade"})

    def __init__(self, **options: Any) -> None:
        self.text = "first"
        self.trades = 0
        self.fault: Exception | None = None
        super().__init__(**options)

    def picture(self) -> dict[str, Any]:
        if self.fault is not None:
            raise self.fault
        return {"name": "Sign", "text": self.text}

    def verbs(self) -> dict[str, Callable[[Mapping[str, Any]], object]]:
        return {
            "write": self._write,
            "scribble": self._write,
            "trade": self._trade,
            "break": self._break,
        }

    def _write(self, arguments: Mapping[str, Any]) -> None:
        if arguments.get("text") == "":
            raise ValueError("text must not be empty")
        self.text = arguments["text"]

    def _trade(self, _: Mapping[str, Any]) -> None:
        self.trades += 1

    def _break(self, _: Mapping[str, Any]) -> None:
        raise KeyError("a slip of ours")
