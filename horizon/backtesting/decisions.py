"""What a run decides, noted as it happens, and compared with what another run has decided."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from numbers import Real
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.backtesting.context import Context
from horizon.backtesting.pipeline import Stage
from horizon.engine import Engine
from horizon.instruments import Market, split_side
from horizon.strategies.base import Strategy, takes_context
from horizon.strategies.context import StrategyContext
from horizon.strategies.signals import Signal
from horizon.types import OrderRequest, Quote

__all__ = ["Decision", "Difference", "Message", "PastCut", "Watch", "alike", "is_idle"]

#: Events of the account that are decisions or what came of them, and what they are called here.
_EVENTS: Final = {
    "accepted": "order",
    "rejected": "order rejected",
    "filled": "fill",
    "cancel_sent": "cancel",
    "cancelled": "end",
    "amended": "amendment",
    "refused": "refusal",
    "switched": "kill switch",
}
_VALUES: Final = (str, bool, type(None), Enum, date, datetime, time, timedelta, np.datetime64)
#: Nested deeper than this, an output is taken as it is called only.
_DEPTH: Final = 8
#: Numbers this near to each other are one number whatever their size: rounding around zero.
_NEAR_ZERO: Final = 1e-12


class Decision(NamedTuple):
    """One thing that a run decided, or that came of it.

    Attributes
    ----------
    time_ns : int
    market_id : str
    kind : str
        ``"output"`` of a stage, ``"signals"`` of a strategy on a market (on none: it had nothing
        to say), or ``"exception"`` of either; ``"order"``, ``"order rejected"``,
        ``"fill"``, ``"cancel"`` (one that travels), ``"end"`` (of an order, by whatever reason),
        ``"amendment"``, ``"refusal"`` (by a risk rule), ``"kill switch"``.
    name : str
        The stage, the strategy, the order's id, or the rule.
    terms : object
        What a stage returned, what a strategy's signals say, or the terms of an order, fill or
        amendment.
    """

    time_ns: int
    market_id: str
    kind: str
    name: str
    terms: Any


class Difference(NamedTuple):
    """Where a run first decided otherwise.

    Attributes
    ----------
    place : int
        Number of the decision among those of the run that was there first.
    before, now : Decision or None
        What the two runs did there; None where one did nothing more.
    """

    place: int
    before: Decision | None
    now: Decision | None


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """What an exception said: shown, and never compared, for it may hold addresses."""

    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message)

    __hash__ = None  # type: ignore[assignment]


class PastCut(BaseException):
    """Ends a run whose further decisions nobody asks for.

    No `Exception`: a run that skips those of its stages would go on.
    """


class Watch:
    """Stages that note what they return, and what orders come of it.

    Parameters
    ----------
    stages : sequence of Stage
    known : sequence of Decision, optional
        What another run has decided. This run then is compared with it and ends after the
        first difference, or after `until_ns`.
    until_ns : int, optional
        Later decisions are neither noted nor compared.
    tolerance : float
        How far two numbers may be apart, as a fraction of the larger, and be the same.

    Attributes
    ----------
    pipeline : list of callable
        What to run.
    decisions : list of Decision
        Everything noted; without `known` all, else those of the time of the difference.
    difference : Difference or None
    compared : int
        Decisions found to be the same.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        *,
        known: Sequence[Decision] | None = None,
        until_ns: int | None = None,
        tolerance: float = 0.0,
    ) -> None:
        self.pipeline = [self._watched(stage) for stage in stages]
        self.decisions: list[Decision] = []
        self.difference: Difference | None = None
        self.compared = 0
        self._known = known
        self._place = 0
        self._until_ns = until_ns
        self._tolerance = tolerance
        self._is_listening = False
        self._market = ""
        #: The market of each order.
        self._markets: dict[str, str] = {}

    def strategies(self, given: Iterable[Strategy]) -> list[Strategy]:
        """Wrap strategies such that what they say is noted as well."""
        return [_Watched(self, one) for one in given]

    def asked(self, strategy: Strategy, ctx: StrategyContext, ask: Callable[[], Any]) -> Any:
        """Ask a strategy, and note what it says of each market."""
        now = ctx.now_ns
        self._begin(now, "", ctx.engine)
        try:
            signals = ask()
        except Exception as error:
            said = (type(error).__name__, Message(checks.error_text(error)), "strategy")
            self._note(Decision(now, "", "exception", strategy.name, said))
            raise
        spoken: dict[str, list[tuple[Any, ...]]] = {}
        if isinstance(signals, (list, tuple)):
            for signal in signals:
                if isinstance(signal, Signal):
                    spoken.setdefault(signal.market, []).append(_terms_of(signal))
        for market, terms in (spoken or {"": []}).items():
            self._note(Decision(now, market, "signals", strategy.name, tuple(terms)))
        return signals

    def _begin(self, now_ns: int, market: str, engine: Engine) -> None:
        """End a run that is past its cut; else hear from here on what comes of it."""
        if self._until_ns is not None and now_ns > self._until_ns:
            raise PastCut
        self._market = market
        if not self._is_listening:
            # No order can have been sent before the first stage or strategy has run.
            self._is_listening = True
            engine.venue.subscribe(self._hear)

    def finish(self) -> None:
        """Compare the end of a run: what the other one decided after all this one did."""
        if self._known is not None and self.difference is None:
            place = self._next()
            if place < len(self._known):
                self.difference = Difference(place, self._known[place], None)

    # ------------------------------------------------------------------ noting
    def _watched(self, stage: Stage) -> Callable[..., Any]:
        name, function, takes = stage

        def watched(ctx: Context, *outputs: Any) -> Any:
            now = ctx.now_ns
            self._begin(now, ctx.market_id, ctx.engine)
            try:
                output = function(ctx, *outputs)
            except Exception as error:
                said = (type(error).__name__, Message(checks.error_text(error)))
                self._note(Decision(now, ctx.market_id, "exception", name, said))
                raise
            self._note(Decision(now, ctx.market_id, "output", name, _frozen(output)))
            return output

        watched.__name__ = name
        kind = inspect.Parameter.POSITIONAL_ONLY
        given = [inspect.Parameter(f"output_{n}", kind) for n in range(max(takes, 0))]
        if takes < 0:
            given = [inspect.Parameter("outputs", inspect.Parameter.VAR_POSITIONAL)]
        watched.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter("ctx", kind), *given]
        )
        return watched

    def _hear(self, event: tuple[Any, ...]) -> None:
        kind = _EVENTS.get(event[0])
        if kind is None:
            return
        now, name, *terms = event[1:]
        market = self._market
        if kind in ("order", "order rejected"):
            market = self._markets[name] = split_side(terms[0])[0]
        elif kind not in ("refusal", "kill switch"):
            market = self._markets[name]
        self._note(Decision(now, market, kind, str(name), tuple(terms)))

    def _note(self, decision: Decision) -> None:
        if self._until_ns is not None and decision.time_ns > self._until_ns:
            return
        if self._known is None or self.difference is not None:
            self.decisions.append(decision)
            return
        place = self._next()
        before = self._known[place] if place < len(self._known) else None
        if before is not None and _is_same(before, decision, self._tolerance):
            self._place = place + 1
            self.compared += 1
            return
        self.difference = Difference(place, before, decision)
        self.decisions.append(decision)
        # The rest of this moment shows what came of it; nothing after that is of use.
        times = [one.time_ns for one in (before, decision) if one is not None]
        self._until_ns = min(times)

    def _next(self) -> int:
        """The place of the next decision of the other run that has to be here too."""
        known, place = self._known, self._place
        assert known is not None
        if self._until_ns is not None:
            while place < len(known) and known[place].time_ns > self._until_ns:
                place += 1
        return place


class _Watched(Strategy):
    """A strategy that is another one, watched."""

    def __init__(self, watch: Watch, strategy: Strategy) -> None:
        self._watch = watch
        self._strategy = strategy
        self._takes_context = takes_context(strategy)
        self.name = strategy.name
        self.asset_classes = strategy.asset_classes
        self.features = strategy.features

    def eligible_markets(self, markets: Sequence[Market]) -> Sequence[Market]:
        return self._strategy.eligible_markets(markets)

    def on_start(self, ctx: StrategyContext) -> None:
        self._strategy.on_start(ctx)

    def on_stop(self, ctx: StrategyContext) -> None:
        self._strategy.on_stop(ctx)

    def evaluate(self, f: Any, universe: Sequence[Market], ctx: StrategyContext) -> Any:
        shown = (f, universe, ctx) if self._takes_context else (f, universe)
        ask = partial(self._strategy.evaluate, *shown)
        return self._watch.asked(self._strategy, ctx, ask)


def _terms_of(signal: Signal) -> tuple[Any, ...]:
    """What a signal says, in the words that matter first."""
    terms: list[Any] = [signal.action, signal.edge_bps, signal.confidence]
    for name in ("expected_vol_bps", "horizon", "urgency", "ttl"):
        value = getattr(signal, name)
        if value is not None:
            terms += [name, value]
    return tuple(terms)


def is_idle(terms: Any) -> bool:
    """Whether a stage's output wants nothing: none, not a number, or an empty list."""
    if terms is None or (isinstance(terms, float) and math.isnan(terms)):
        return True
    return isinstance(terms, tuple) and not terms


# ------------------------------------------------------------------------ comparing
def _is_same(one: Decision, other: Decision, tolerance: float) -> bool:
    # Nearly always they are equal to the last bit, which tuples find out fast.
    return one == other or (one[:4] == other[:4] and alike(one.terms, other.terms, tolerance))


def alike(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two noted outputs are the same but for rounding.

    Parameters
    ----------
    tolerance : float
        Fraction of the larger of two numbers; NaN is the same as NaN.
    """
    if isinstance(one, float) and isinstance(other, (float, int)):
        if one == other or (one != one and other != other):
            return True
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=min(tolerance, _NEAR_ZERO))
    if isinstance(one, int) and isinstance(other, float):
        return alike(other, one, tolerance)
    if isinstance(one, _Array) and isinstance(other, _Array):
        return one.is_near(other, tolerance)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(
            alike(a, b, tolerance) for a, b in zip(one, other, strict=True)
        )
    return type(one) is type(other) and bool(one == other)


class _Array:
    """An array as an output; equal to another as a whole."""

    __slots__ = ("values",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Array) and self.is_near(other, 0.0)

    def __repr__(self) -> str:
        return repr(self.values)

    def is_near(self, other: _Array, tolerance: float) -> bool:
        one, two = self.values, other.values
        if one.shape != two.shape:
            return False
        if one.dtype.kind == two.dtype.kind == "f":
            near = min(tolerance, _NEAR_ZERO)
            return bool(np.isclose(one, two, rtol=tolerance, atol=near, equal_nan=True).all())
        return bool((one == two).all())


class _Unseen(NamedTuple):
    """Stands for an output that cannot be compared: two of a kind are the same."""

    kind: str


def _frozen(output: Any, depth: int = 0) -> Any:
    """What a stage returned, such that later changes do not reach it and it can be compared."""
    kind = type(output)
    if kind is float or output is None:
        return output
    if isinstance(output, _VALUES):
        return output
    if kind is int:
        return output
    if isinstance(output, (Real, Decimal)):
        try:
            return float(output)
        except (OverflowError, ValueError):
            return _Unseen(kind.__name__)
    if depth >= _DEPTH:
        return _Unseen(kind.__name__)
    if kind is Quote or kind is OrderRequest:
        return output  # checked and immutable
    if isinstance(output, (list, tuple)):
        return tuple(_frozen(item, depth + 1) for item in output)
    if isinstance(output, Mapping):
        return tuple((str(key), _frozen(value, depth + 1)) for key, value in output.items())
    if isinstance(output, np.ndarray) or hasattr(output, "to_numpy"):
        array = np.array(output)
        if array.dtype.kind in "Mm":
            array = array.view(np.int64)  # NaT is then the same as NaT
        if array.dtype.kind in "fiubU":
            return _Array(array.astype(np.float64) if array.dtype.kind == "f" else array)
        return tuple(_frozen(item, depth + 1) for item in array.reshape(-1).tolist())
    if is_dataclass(output) and not isinstance(output, type):
        values = ((each.name, getattr(output, each.name)) for each in fields(output))
        return tuple((name, _frozen(value, depth + 1)) for name, value in values)
    return _Unseen(kind.__name__)
