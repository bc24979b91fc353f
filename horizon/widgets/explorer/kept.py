"""The results that an explorer keeps: by name, pinned, and how much memory they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from horizon import checks
from horizon.venues.history import PackedOrders

if TYPE_CHECKING:
    from horizon.backtesting.result import BacktestResult
    from horizon.widgets.explorer.runs import Ran

__all__ = ["Kept", "Shelf", "size_of"]

#: Bytes of a packed order.
_ORDER: Final = 64
#: Levels of a record that are looked through for arrays.
_DEEPEST: Final = 4


@dataclass(slots=True, eq=False)
class Kept:
    """A result that is kept.

    Attributes
    ----------
    number : int
        Counts the runs, from 1.
    name : str
    setting : dict
        Its parameters.
    result : BacktestResult
    seconds, backtest_seconds : float
        How long it took, and how much of that was the backtest itself.
    size : int
        Bytes that it holds beside the data, which all results share.
    is_pinned : bool
        Whether it stays, however many come after it.
    is_compared : bool
        Whether it stands beside the one on show.
    """

    number: int
    name: str
    setting: dict[str, Any]
    result: BacktestResult
    seconds: float
    backtest_seconds: float
    size: int
    is_pinned: bool = False
    is_compared: bool = False


class Shelf:
    """The results that are kept: the newest ones, and those that are pinned or compared.

    Parameters
    ----------
    most : int
        How many, 2 at least. One more lets the oldest go that is neither pinned nor compared;
        where all are, the oldest that is not pinned.
    """

    def __init__(self, most: int) -> None:
        self.most = checks.integer("keep", most, least=2)
        self._kept: list[Kept] = []
        self._count = 0

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """Bytes that all of them hold beside the data."""
        return sum(one.size for one in self._kept)

    def next_name(self) -> str:
        """What the next run will be called, unless somebody names it."""
        names = {one.name for one in self._kept}
        number = self._count + 1
        while f"Run {number}" in names:
            number += 1
        return f"Run {number}"

    def add(self, setting: Mapping[str, Any], ran: Ran) -> Kept:
        """Keep a result; the oldest that is not pinned goes if there are too many."""
        name = self.next_name()
        self._count += 1
        one = Kept(
            self._count,
            name,
            dict(setting),
            ran.result,
            ran.seconds,
            ran.backtest_seconds,
            size_of(ran.result),
        )
        self._kept.append(one)
        if len(self._kept) > self.most:
            # Pins leave a place free, so that there is one; what is looked at goes last.
            free = [old for old in self._kept[:-1] if not old.is_pinned]
            self._kept.remove(next((old for old in free if not old.is_compared), free[0]))
        return one

    def of_setting(self, setting: Mapping[str, Any]) -> Kept | None:
        """The newest result of these parameters, or None."""
        for one in reversed(self._kept):
            if _are_same(one.setting, setting):
                return one
        return None

    def get(self, key: object) -> Kept:
        """Find a result by its name, or by its number.

        Raises
        ------
        ValueError
            If there is none.
        """
        for one in self._kept:
            is_number = isinstance(key, int) and not isinstance(key, bool)
            if (is_number and one.number == key) or (isinstance(key, str) and one.name == key):
                return one
        names = [one.name for one in self._kept]
        listed = ", ".join(checks.show(name) for name in names) or "none yet"
        near = checks.suggestion(key, names) if isinstance(key, str) else ""
        raise ValueError(
            f"result must be one that is kept ({listed}), was {checks.show(key)}{near}"
        )

    def rename(self, one: Kept, name: object) -> None:
        """Give a result another name, which no other has."""
        text = checks.text("name", name, most=60)
        if any(other.name == text for other in self._kept if other is not one):
            raise ValueError(f"name must be one that no other result has, was {text!r}")
        one.name = text

    def pin(self, one: Kept, is_pinned: bool) -> None:
        """Let a result stay, or let it go when its turn comes."""
        others = sum(other.is_pinned for other in self._kept if other is not one)
        if is_pinned and others + 1 >= self.most:
            raise ValueError(
                f"at most {self.most - 1} of {self.most} results can be pinned, so that a new one "
                "has a place: unpin one, or give a larger keep="
            )
        one.is_pinned = is_pinned

    def drop(self, one: Kept) -> None:
        """Let a result go."""
        self._kept.remove(one)


def _are_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one.keys() != other.keys():
        return False
    for name, value in one.items():
        mine = other[name]
        if mine is value:
            continue
        if type(mine) is not type(value):
            return False
        try:
            if not bool(np.all(mine == value)):
                return False
        except (TypeError, ValueError):
            return False
    return True


def size_of(result: BacktestResult) -> int:
    """Bytes that a result holds beside the data that was replayed."""
    record = result.record
    seen: dict[int, int] = {}
    data = {} if record.replayed is None else _arrays(record.replayed, {}, 0)
    for one in fields(record):
        if one.name != "replayed":
            _arrays(getattr(record, one.name), seen, 0)
    _arrays(result.curve, seen, 0)
    own = sum(size for key, size in seen.items() if key not in data)
    orders = record.orders
    return own + (_ORDER * len(orders) if isinstance(orders, PackedOrders) else 0)


def _arrays(value: Any, seen: dict[int, int], depth: int) -> dict[int, int]:
    """Sizes of the arrays in a value, by what holds their memory: views count once."""
    if isinstance(value, np.ndarray):
        owner = value
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        seen[id(owner)] = owner.nbytes
    elif depth < _DEEPEST:
        if is_dataclass(value) and not isinstance(value, type):
            for one in fields(value):
                _arrays(getattr(value, one.name, None), seen, depth + 1)
        elif isinstance(value, Mapping):
            for item in value.values():
                _arrays(item, seen, depth + 1)
    return seen
