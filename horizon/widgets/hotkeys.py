"""The keys of the order ticket: which one does what, checked, and shown as keyboards call them.

They act only while the focus is on the ticket, or elsewhere on its desk. Nothing is sent by one
press: an order still goes through preview and confirmation, and what ends orders or positions in
bulk asks for a second press.
"""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from horizon import checks
from horizon.types import Shown

__all__ = ["ACTIONS", "Hotkeys", "key_words"]

#: What each key is for, in the order in which help lists them.
ACTIONS: Final[dict[str, str]] = {
    "buy": "Side: buy",
    "sell": "Side: sell",
    "limit": "Order type: limit",
    "market": "Order type: market",
    "size_up": "Size up by a lot",
    "size_down": "Size down by a lot",
    "price_up": "Limit price up by a tick",
    "price_down": "Limit price down by a tick",
    "preview": "Preview the order",
    "confirm": "Confirm the preview",
    "drop": "Drop the preview",
    "cancel_last": "Cancel the newest open order",
    "cancel_all": "Cancel every open order (press twice)",
    "flatten": "Flatten the ticket's market (press twice)",
    "help": "Show the keys",
}
#: Keys with a name, and what is written on them.
_NAMED: Final[dict[str, str]] = {
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    "PageUp": "Page Up",
    "PageDown": "Page Down",
    "Insert": "Insert",
    "Delete": "Delete",
    "F2": "F2",
    "F4": "F4",
    "F8": "F8",
    "F9": "F9",
}
#: Keys for one purpose alone: elsewhere they press buttons, and leave what is open.
_OWN: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "Enter": ("Enter", ("preview", "confirm")),
    "Escape": ("Esc", ("drop",)),
}
_TAKEN: Final[dict[str, str]] = {
    "Tab": "it moves the focus",
    " ": "it presses buttons",
    "Space": "it presses buttons",
    "Backspace": "it deletes what was written",
    "ArrowLeft": "it moves in a field",
    "ArrowRight": "it moves in a field",
    "Home": "it moves in a field",
    "End": "it moves in a field",
}
_BROWSERS: Final = ("F1", "F3", "F5", "F6", "F7", "F10", "F11", "F12")
_HELD: Final = ("ctrl", "control", "alt", "altgraph", "meta", "cmd", "command", "option", "win")
#: These two are never possible at once.
_SHARE: Final = frozenset({"preview", "confirm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotkeys(Shown):
    """The keys of an order ticket; None is no key.

    A key is one letter, digit or sign (``"b"``, ``"+"``), a letter with Shift (``"Shift+B"``, or
    just ``"B"``), or a named one: ``"ArrowUp"``, ``"ArrowDown"``, ``"PageUp"``, ``"PageDown"``,
    ``"Insert"``, ``"Delete"``, ``"F2"``, ``"F4"``, ``"F8"``, ``"F9"``, each also with Shift.
    ``"Enter"`` can be the key of `preview` and `confirm`, ``"Escape"`` that of `drop`. Letters
    and signs act outside of text fields and lists, where they write and search.

    Parameters
    ----------
    buy, sell : str or None
        Choose the side.
    limit, market : str or None
        Choose the order type.
    size_up, size_down : str or None
        Change the size by a lot.
    price_up, price_down : str or None
        Change the limit price by a tick.
    preview, confirm, drop : str or None
        Ask for the preview, send it, drop it. The first two may have one key between them; the
        key of `confirm` acts on the ticket alone, not elsewhere on its desk.
    cancel_last : str or None
        Cancel the newest open order of the account.
    cancel_all, flatten : str or None
        Cancel every open order; close the position in the ticket's market, with its orders and
        algorithms. Each asks for a second press.
    help : str or None
        Show the keys.

    Raises
    ------
    TypeError
        If a key is not text.
    ValueError
        If a key is none, is needed by the notebook or the browser, or is taken twice.

    Examples
    --------
    >>> from horizon.widgets import Hotkeys
    >>> Hotkeys(buy="F2", sell="F4").buy
    'F2'
    >>> Hotkeys.none().flatten is None
    True
    """

    buy: str | None = "b"
    sell: str | None = "s"
    limit: str | None = "l"
    market: str | None = "m"
    size_up: str | None = "PageUp"
    size_down: str | None = "PageDown"
    price_up: str | None = "ArrowUp"
    price_down: str | None = "ArrowDown"
    preview: str | None = "Enter"
    confirm: str | None = "Enter"
    drop: str | None = "Escape"
    cancel_last: str | None = "Shift+C"
    cancel_all: str | None = "Shift+X"
    flatten: str | None = "Shift+F"
    help: str | None = "?"

    def __post_init__(self) -> None:
        known: dict[str, str] = {}
        for action in ACTIONS:
            given = getattr(self, action)
            if given is None:
                continue
            key = _key(action, given)
            object.__setattr__(self, action, key)
            if key in known:
                _require_shared(action, known[key], key)
            known[key] = action

    @classmethod
    def none(cls) -> Hotkeys:
        """Return a set without any key: everything by buttons and fields."""
        return cls(**dict.fromkeys(ACTIONS))

    def with_key(self, action: str, key: str | None) -> Hotkeys:
        """Return these keys with one of them changed.

        Parameters
        ----------
        action : str
            A name of the class's parameters, such as ``"buy"``.
        key : str or None
            None takes the key away.

        Raises
        ------
        TypeError, ValueError
            If there is no such action, or the key cannot be its key.
        """
        name = checks.one_of("action", action, ACTIONS)
        wanted = None if key is None else _key(name, key)
        for other in ACTIONS:  # so that the message is about the one that is changed
            if other != name and wanted is not None and wanted == getattr(self, other):
                _require_shared(name, other, wanted)
        changed: dict[str, Any] = {name: wanted}
        return replace(self, **changed)

    def to_dict(self) -> dict[str, str | None]:
        """Return the keys by their actions, as `Hotkeys` takes them."""
        return asdict(self)

    def __repr__(self) -> str:
        changed = [
            f"{item.name}={getattr(self, item.name)!r}"
            for item in fields(self)
            if getattr(self, item.name) != item.default
        ]
        return f"Hotkeys({', '.join(changed)})"


def key_words(key: str | None) -> str:
    """Say a key as it is written on keyboards; "no key" where there is none."""
    if key is None:
        return "no key"
    shift, bare = _split(key)
    name = _OWN[bare][0] if bare in _OWN else _NAMED.get(bare, bare)
    return f"Shift+{name}" if shift else name.upper() if len(name) == 1 else name


def _require_shared(action: str, other: str, key: str) -> None:
    """Refuse one key for two actions that may both be possible at once."""
    if {action, other} != _SHARE:
        raise ValueError(
            f"{action} must have a key of its own, was {key!r}, which is that of {other}"
        )


def _split(key: str) -> tuple[bool, str]:
    is_shifted = key.startswith("Shift+") and len(key) > len("Shift+")
    return is_shifted, key[len("Shift+") :] if is_shifted else key


def _key(action: str, given: object) -> str:
    """Take a key in its one spelling."""
    if not isinstance(given, str):
        raise TypeError(f"{action} must be a key such as 'b', or None, was {checks.show(given)}")
    if given.count("+") and given != "+":
        held = given.split("+")[0].lower()
        if held in _HELD:
            raise ValueError(
                f"{action} must be a key without {given.split('+')[0]}, which belongs to the "
                f"notebook and the browser, was {given!r}"
            )
    is_shifted, bare = _split(given)
    if bare in _BROWSERS:
        raise ValueError(f"{action} must not be {given!r}: the browser needs it")
    if bare in _TAKEN:
        raise ValueError(f"{action} must not be {given!r}: {_TAKEN[bare]}")
    if bare in _OWN:
        if is_shifted:
            raise ValueError(f"{action} must not be {given!r}: the notebook needs it")
        if action not in _OWN[bare][1]:
            raise ValueError(
                f"{action} must not be {given!r}, which is for {' and '.join(_OWN[bare][1])} only"
            )
        return bare
    if bare in _NAMED:
        return f"Shift+{bare}" if is_shifted else bare
    if len(bare) != 1 or not bare.isprintable() or unicodedata.category(bare)[0] in "MZC":
        near = checks.suggestion(bare, (*_NAMED, *_OWN)) if 1 < len(bare) < 20 else ""
        raise ValueError(
            f"{action} must be one letter, digit or sign, with or without 'Shift+', or one of "
            f"{', '.join((*_NAMED, *_OWN))}; was {checks.show(given)}{near}"
        )
    lower, upper = bare.lower(), bare.upper()
    if lower == upper or len(lower) != 1 or len(upper) != 1:
        if is_shifted:
            raise ValueError(
                f"{action} must be the sign that Shift writes, such as '?', was {given!r}"
            )
        return bare
    return f"Shift+{upper}" if is_shifted or bare != lower else lower
