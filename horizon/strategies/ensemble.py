"""Several strategies as one: their signals, weighted, become one signal for each market."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from horizon import checks
from horizon.instruments import Market
from horizon.strategies.base import Strategy, strategies_of, takes_context
from horizon.strategies.board import FeatureValues
from horizon.strategies.context import StrategyContext
from horizon.strategies.features.base import Feature
from horizon.strategies.signals import Signal
from horizon.strategies.views import View

__all__ = ["Ensemble"]


class _Member(NamedTuple):
    """A strategy of an ensemble: its share, and which of the shared features are its own."""

    strategy: Strategy
    weight: float
    takes_context: bool
    names: Mapping[str, str]


class Ensemble(Strategy):
    """A weighted combination of strategies.

    Given to a run one by one, strategies count by their confidence alone; here each has a weight
    as well, and the others of the run meet one opinion, not several.

    Parameters
    ----------
    strategies : list of Strategy
        Objects, or classes that need no arguments.
    weights : sequence of float, optional
        One for each, above 0; equal by default. Only their ratios count.
    name : str, optional
        What it is called; its class's name by default.

    Raises
    ------
    TypeError, ValueError
        For strategies that a run would not take, or other weights.

    Notes
    -----
    Of the signals on a market, with weights w, confidences c and signed edges e, the ensemble's
    has the edge ``sum(w c e) / sum(w c)`` and the confidence ``sum(w c) / sum(w)``, both over
    those that have said something; where the edge is 0 it is to flatten. The rest is combined as
    `View` does it, with ``w c`` in the place of the confidence.

    References
    ----------
    Bates and Granger (1969), The Combination of Forecasts, Operational Research Quarterly 20.

    Examples
    --------
    Three parts of +40 and one of -40 are +20:

    >>> from horizon.strategies.prebuilt import Ensemble
    >>> @hz.strategy
    ... def hopes(f, universe):
    ...     return [hz.Signal.increase(market, edge_bps=40) for market in universe]
    >>> @hz.strategy
    ... def doubts(f, universe):
    ...     return [hz.Signal.decrease(market, edge_bps=40) for market in universe]
    >>> result = hz.backtest(
    ...     data=[{"timestamp": 0, "price": 50.0, "market_id": "ACME"}],
    ...     markets=[hz.Market("ACME", hz.Equity)],
    ...     strategies=[Ensemble([hopes, doubts], weights=[3, 1])],
    ... )
    >>> round(result.decisions[0].edge_bps, 6)
    20.0
    """

    def __init__(
        self,
        strategies: Iterable[Strategy | type[Strategy]],
        weights: Sequence[float] | None = None,
        *,
        name: str | None = None,
    ) -> None:
        members = strategies_of(strategies)
        shares = [1.0] * len(members) if weights is None else _weights(weights, len(members))
        if name is not None:
            self.name = checks.text("name", name)
        shared: dict[Feature, str] = {}
        self._members: list[_Member] = []
        for member, share in zip(members, shares, strict=True):
            # Equal features have one state among all of them.
            names = {
                own: shared.setdefault(feature, f"f{len(shared)}")
                for own, feature in member.features.items()
            }
            self._members.append(_Member(member, share, takes_context(member), names))
        self.features = {full: feature for feature, full in shared.items()}
        self._wanted: list[frozenset[str]] = []
        #: What each member sees, made of what the ensemble was last given.
        self._seen: tuple[Any, list[FeatureValues]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # What a run shows belongs to that run, and cannot be copied.
        return {**vars(self), "_seen": None}

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """What it is made of."""
        return tuple(member.strategy for member in self._members)

    def eligible_markets(self, markets: Sequence[Market]) -> Sequence[Market]:
        """Choose what any of its strategies wants."""
        self._wanted = [
            frozenset(market.id for market in member.strategy.eligible_markets(markets))
            for member in self._members
        ]
        every = frozenset[str]().union(*self._wanted)
        return [market for market in markets if market.id in every]

    def on_start(self, ctx: StrategyContext) -> None:
        """Start each of its strategies."""
        for member in self._members:
            member.strategy.on_start(ctx)

    def on_stop(self, ctx: StrategyContext) -> None:
        """Stop each of its strategies."""
        for member in self._members:
            member.strategy.on_stop(ctx)

    def evaluate(self, f: Any, universe: Sequence[Market], ctx: StrategyContext) -> list[Signal]:
        """Ask each of its strategies, and combine what they say.

        Raises
        ------
        TypeError, ValueError
            If one of them returns no list of signals, or speaks of a market that it was not asked
            about.
        """
        if self._seen is None or self._seen[0] is not f:
            slices = [
                FeatureValues({own: f[full] for own, full in member.names.items()})
                for member in self._members
            ]
            self._seen = f, slices
        said: dict[str, list[tuple[float, Signal]]] = {market.id: [] for market in universe}
        for member, own, wanted in zip(self._members, self._seen[1], self._wanted, strict=True):
            among = tuple(market for market in universe if market.id in wanted)
            strategy = member.strategy
            given = (
                strategy.evaluate(own, among, ctx)
                if member.takes_context
                else strategy.evaluate(own, among)
            )
            if not isinstance(given, (list, tuple)):
                raise TypeError(
                    f"evaluate of {strategy.name!r} must return a list of Signal, returned "
                    f"{checks.show(given)}"
                )
            for signal in given:
                if not isinstance(signal, Signal):
                    raise TypeError(
                        f"evaluate of {strategy.name!r} must return a list of Signal, it has "
                        f"{checks.show(signal)}"
                    )
                if signal.market not in wanted or signal.market not in said:
                    raise ValueError(
                        f"{strategy.name!r} returned a signal on {signal.market!r}, which is not "
                        "in its universe"
                    )
                said[signal.market].append((member.weight, signal))
        return [
            _combined(market, said[market.id], ctx.price(market))
            for market in universe
            if said[market.id]
        ]


def _combined(market: Market, given: list[tuple[float, Signal]], price: float) -> Signal:
    """One signal of several on a market."""
    largest = max(weight for weight, _ in given)
    # With its weight in its confidence, a signal counts in a view as it should here.
    scaled = [
        ("", replace(signal, confidence=signal.confidence * (weight / largest)))
        for weight, signal in given
    ]
    view = View.of(market, scaled, price)
    share = math.fsum(weight * signal.confidence for weight, signal in given)
    return Signal(
        market.id,
        "increase" if view.sign > 0 else "decrease" if view.sign < 0 else "flatten",
        abs(view.edge_bps),
        # Rounding may take a mean of ones above it.
        min(1.0, share / math.fsum(weight for weight, _ in given)),
        expected_vol_bps=view.expected_vol_bps,
        horizon=view.horizon,
        urgency=view.urgency,
        ttl=view.ttl,
        reason="; ".join(dict.fromkeys(s.reason for _, s in given if s.reason))[:256].strip(),
    )


def _weights(given: object, count: int) -> list[float]:
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(f"weights must be a list of numbers, was {checks.show(given)}")
    weights = [checks.positive(f"weights[{i}]", weight) for i, weight in enumerate(given)]
    if len(weights) != count:
        raise ValueError(
            f"weights must have one for each of {count} strategies, has {len(weights)}"
        )
    return weights
