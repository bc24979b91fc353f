"""What all strategies together think of one market at one moment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from horizon import checks
from horizon.instruments import Market
from horizon.strategies.signals import Signal
from horizon.types import AssetClass, Shown, Urgency

__all__ = ["View"]

#: The most urgent first.
_URGENCIES: Final = (Urgency.Immediate, Urgency.Patient, Urgency.Passive)


@dataclass(frozen=True, slots=True)
class View(Shown):
    """The signals of one evaluation on one market, as one: what a sizer is asked about.

    Attributes
    ----------
    market : Market
        The market itself, with its class, multiplier and grid.
    price : float
        The market's price now, in currency per unit.
    edge_bps : float
        Mean of the signals' signed edges, each weighted by its confidence; above 0 is long. A
        flatten counts as an edge of 0 with its weight.
    confidence : float
        Mean of the signals' confidences.
    expected_vol_bps : float or None
        Root of the confidence-weighted mean square over the signals that say one.
    horizon : float or None
        Confidence-weighted mean over the signals that say one, in seconds.
    urgency : Urgency or None
        The most urgent that is said.
    ttl : float or None
        The shortest that is said, in seconds.
    signals : tuple of (str, Signal)
        What it was made of, each with the name of its strategy.

    Examples
    --------
    30 bps of 50.00 are 0.15:

    >>> market = hz.Market("ACME", hz.Equity)
    >>> signal = hz.Signal.decrease(market, edge_bps=30)
    >>> view = hz.strategies.View.of(market, [("trend", signal)], price=50.0)
    >>> view.sign, view.edge
    (-1, -0.15)
    """

    market: Market
    price: float
    edge_bps: float
    confidence: float
    expected_vol_bps: float | None
    horizon: float | None
    urgency: Urgency | None
    ttl: float | None
    signals: tuple[tuple[str, Signal], ...]

    @classmethod
    def of(cls, market: Market, signals: Sequence[tuple[str, Signal]], price: float) -> View:
        """Combine the signals of one evaluation on one market; their order does not matter.

        Parameters
        ----------
        market : Market
            The market that all signals are on.
        signals : sequence of (strategy name, Signal)
            At least one; without a signal there is no view, and nothing changes.
        price : float
            The market's price now.

        Raises
        ------
        ValueError
            Without signals, for a signal on another market, or a price that `market` cannot have.

        Examples
        --------
        One of +40 with weight 1 and one of -20 with weight 1/2: (40 - 10) / 1.5.

        >>> long = hz.Signal.increase("ACME", edge_bps=40)
        >>> short = hz.Signal.decrease("ACME", edge_bps=20, confidence=0.5)
        >>> market = hz.Market("ACME", hz.Equity)
        >>> hz.strategies.View.of(market, [("a", long), ("b", short)], 180.0).edge_bps
        20.0
        """
        if not signals:
            raise ValueError("signals must have at least one signal, was empty")
        for _, signal in signals:
            if signal.market != market.id:
                raise ValueError(
                    f"signals must all be on {market.id!r}, one was on {signal.market!r}"
                )
        price = market.check_mark("price", checks.number("price", price))
        if len(signals) == 1:  # what nearly every view is
            alone = signals[0][1]
            return cls(
                market,
                price,
                alone.signed_edge_bps,
                alone.confidence,
                alone.expected_vol_bps,
                alone.horizon,
                alone.urgency,
                alone.ttl,
                (signals[0],),
            )
        return cls._combined(market, tuple(signals), price)

    @classmethod
    def _combined(
        cls, market: Market, signals: tuple[tuple[str, Signal], ...], price: float
    ) -> View:
        given = [signal for _, signal in signals]
        vols = [(s.confidence, s.expected_vol_bps) for s in given if s.expected_vol_bps is not None]
        horizons = [(s.confidence, s.horizon) for s in given if s.horizon is not None]
        urgencies = [s.urgency for s in given if s.urgency is not None]
        return cls(
            market=market,
            price=price,
            edge_bps=_mean([(s.confidence, s.signed_edge_bps) for s in given]),
            confidence=_mean([(1.0, s.confidence) for s in given]),
            expected_vol_bps=_root_mean_square(vols) if vols else None,
            horizon=_mean(horizons) if horizons else None,
            urgency=min(urgencies, key=_URGENCIES.index) if urgencies else None,
            ttl=min((s.ttl for s in given if s.ttl is not None), default=None),
            signals=signals,
        )

    @property
    def sign(self) -> int:
        """1 to be long, -1 to be short, 0 to hold nothing."""
        return (self.edge_bps > 0.0) - (self.edge_bps < 0.0)

    @property
    def edge(self) -> float:
        """The combined edge as a change in price, in currency per unit."""
        return self.in_price(self.edge_bps)

    @property
    def expected_vol(self) -> float | None:
        """Standard deviation of the price over `horizon`, in currency per unit."""
        return None if self.expected_vol_bps is None else self.in_price(self.expected_vol_bps)

    def in_price(self, bps: float) -> float:
        """Turn `bps` (basis points) into a change in price: of the payout 1.00 for a prediction.

        Examples
        --------
        >>> rain = hz.Market("rain", hz.Prediction)
        >>> signal = hz.Signal.increase(rain, edge_bps=100)
        >>> hz.strategies.View.of(rain, [("model", signal)], 0.4).in_price(100)
        0.01
        """
        is_prediction = self.market.asset_class is AssetClass.Prediction
        return bps / 10_000.0 * (1.0 if is_prediction else self.price)


def _mean(weighted: list[tuple[float, float]]) -> float:
    """Weighted mean, the same whatever the order, and exact where all values are alike."""
    first = weighted[0][1]
    if all(value == first for _, value in weighted):
        return first
    total = math.fsum(weight for weight, _ in weighted)
    return math.fsum(weight * value for weight, value in weighted) / total


def _root_mean_square(weighted: list[tuple[float, float]]) -> float:
    first = weighted[0][1]
    if all(value == first for _, value in weighted):
        return first
    return math.sqrt(_mean([(weight, value * value) for weight, value in weighted]))
