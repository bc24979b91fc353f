"""Events: the calls of the account's apply functions, seen from outside.

An event is a tuple, the name of an apply function and its arguments:
``("filled", ts, "p1", 10.0, 180.0, 0.0, True)``. It is built only while somebody listens,
and told before it is applied, so that a listener that records can refuse by raising before
anything has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from horizon.errors import VenueError
from horizon.venues.account import Account
from horizon.venues.records import AlgoState, Leg, MarketState, OrderState, RunningSum

__all__ = ["APPLY", "Event", "Listener", "recorded", "replay", "state_of"]

Event = tuple[Any, ...]
Listener = Callable[[Event], None]

#: The apply functions of `Account`, the only ones that change its state.
APPLY: Final = (
    "accepted",
    "algo_clocked",
    "algo_due",
    "algo_refused",
    "algo_skipped",
    "algo_started",
    "algo_switched",
    "amended",
    "arrived",
    "cancel_sent",
    "cancelled",
    "declared",
    "drained_fills",
    "drawdown_passed",
    "filled",
    "marked",
    "refused",
    "rejected",
    "settled",
    "switched",
)


class _Recorder:
    """Stands in for an account's apply functions and tells the listeners of each call."""

    def __init__(self, account: Account, listeners: Iterable[Listener]) -> None:
        self._listeners = tuple(listeners)
        self._is_telling = False
        for name in APPLY:
            setattr(self, name, self._telling(name, getattr(account, name)))

    def _telling(self, name: str, apply: Callable[..., None]) -> Callable[..., None]:
        def tell_and_apply(*arguments: object) -> None:
            if self._is_telling:
                # The event being told is decided but not applied: another one now would be
                # decided from a state that is about to change.
                raise VenueError("an event listener runs inside a command and cannot give one")
            event = (name, *arguments)
            self._is_telling = True
            try:
                for listener in self._listeners:
                    listener(event)
            finally:
                self._is_telling = False
            apply(*arguments)

        return tell_and_apply


def recorded(account: Account, listeners: Iterable[Listener]) -> Account:
    """Return what to call the apply functions on: the account itself where nobody listens."""
    listeners = tuple(listeners)
    return cast("Account", _Recorder(account, listeners)) if listeners else account


def replay(initial_cash: float, events: Iterable[Event]) -> Account:
    """Rebuild an account from its events, through the functions that made it.

    Parameters
    ----------
    initial_cash : float
        What the account began with.
    events : iterable of tuple
        As a listener received them, from the first on.

    Raises
    ------
    ValueError
        If a tuple does not begin with the name of an apply function.
    """
    account = Account(initial_cash)
    for event in events:
        if event[0] not in APPLY:
            raise ValueError(f"event must begin with an apply function's name, was {event[0]!r}")
        getattr(account, event[0])(*event[1:])
    return account


def state_of(account: Account) -> dict[str, Any]:
    """Everything an account holds, as plain values that compare bit for bit (as text).

    Floats are given in hexadecimal, so that -0.0, NaN and the last bit all count.
    """
    return cast("dict[str, Any]", _plain(account))


_RECORDS: Final = (Account, MarketState, Leg, OrderState, AlgoState, RunningSum)


def _plain(value: object, *, inside: bool = False) -> object:
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, (OrderState, Leg, MarketState)) and inside:
        return value.id  # each is written out once, in the account's own tables
    if isinstance(value, _RECORDS):
        names = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        return {name: _plain(getattr(value, name), inside=True) for name in sorted(names)}
    if isinstance(value, dict):
        whole = {}
        for key, item in value.items():
            table = isinstance(item, (OrderState, Leg, MarketState))
            whole[key] = _plain(item, inside=not table)
        return whole
    if isinstance(value, (list, tuple)) or type(value).__name__ == "deque":
        return [_plain(item, inside=True) for item in cast("Iterable[object]", value)]
    return value
