"""What a strategy says about a market: a direction and an edge, never a quantity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final

from horizon import checks
from horizon.instruments import Market, canonical_id
from horizon.types import Shown, Urgency

__all__ = ["ACTIONS", "Signal"]

#: What a signal can ask for, and the sign of its edge.
ACTIONS: Final = {"increase": 1, "decrease": -1, "flatten": 0}


@dataclass(frozen=True, slots=True)
class Signal(Shown):
    """What a strategy wants to hold of one market, and how sure it is.

    A signal is about a position, not about an order: ``increase`` wants to be long, ``decrease``
    to be short (or out, in a run that is long only), ``flatten`` to hold nothing. How much is the
    sizer's affair, and the same signal again changes nothing. Make one with `Signal.increase`,
    `Signal.decrease` or `Signal.flatten`.

    Parameters
    ----------
    market : str or Market
        The market, or its id; the id is kept.
    action : {"increase", "decrease", "flatten"}
        To be long, short (or out), or without a position.
    edge_bps : float
        What the position is expected to gain over `horizon`, in hundredths of a percent of the
        price; **of a prediction** in ten-thousandths of the payout of 1.00, so that 100 is one
        cent. Above 0 in both directions, and 0 for ``flatten``.
    confidence : float
        Above 0, up to 1: the signal's weight beside others on its market, and a factor on the
        size.
    expected_vol_bps : float, optional
        Standard deviation of the change in price over `horizon`, in the units of `edge_bps`.
        Some sizers need it.
    horizon : float or timedelta, optional
        How far ahead edge and volatility look, in seconds; kept in seconds.
    urgency : Urgency, optional
        How long the orders may wait; left out, as the run's execution says.
    ttl : float or timedelta, optional
        Seconds after which what has not filled is cancelled; left out, as the execution says.
    reason : str
        Why, in words; kept with the decision.

    Raises
    ------
    TypeError, ValueError
        For any field that is not as above.

    Examples
    --------
    The price should fall by 30 bps within an hour; two such signals weigh as much as one that is
    sure.

    >>> signal = hz.Signal.decrease("ACME", edge_bps=30, confidence=0.5, horizon=3_600)
    >>> signal.sign, signal.signed_edge_bps
    (-1, -30.0)
    """

    market: str
    action: str
    edge_bps: float
    confidence: float = 1.0
    expected_vol_bps: float | None = None
    horizon: float | None = None
    urgency: Urgency | None = None
    ttl: float | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        # A strategy makes one for each market at each step: what is well is not put again.
        put = object.__setattr__
        put(self, "market", _market_id(self.market))
        action, confidence = self.action, self.confidence
        if type(action) is not str or action not in ACTIONS:
            checks.one_of("action", action, ACTIONS)
        if self.edge_bps != self.edge_bps:
            raise ValueError(
                f"edge_bps must be a finite number, was nan, in a signal on {self.market!r}: a "
                "feature is NaN until its window is full, so wait until all of them have a value"
            )
        edge = checks.number("edge_bps", self.edge_bps)
        if (edge != 0.0) if action == "flatten" else (edge <= 0.0):
            raise ValueError(_wrong_edge(action, edge))
        put(self, "edge_bps", edge)
        if type(confidence) is not float or confidence != 1.0:
            confidence = checks.number("confidence", confidence)
            if not 0.0 < confidence <= 1.0:
                raise ValueError(f"confidence must lie above 0, up to 1, was {confidence!r}")
            put(self, "confidence", confidence)
        if self.expected_vol_bps is not None:
            vol = checks.positive("expected_vol_bps", self.expected_vol_bps)
            put(self, "expected_vol_bps", vol)
        if self.horizon is not None:
            put(self, "horizon", _seconds("horizon", self.horizon))
        if self.ttl is not None:
            put(self, "ttl", _seconds("ttl", self.ttl))
        if self.urgency is not None and not isinstance(self.urgency, Urgency):
            raise TypeError(f"urgency must be an Urgency or None, was {checks.show(self.urgency)}")
        if self.reason != "":
            put(self, "reason", checks.text("reason", self.reason))

    @classmethod
    def increase(
        cls,
        market: str | Market,
        *,
        edge_bps: float,
        confidence: float = 1.0,
        expected_vol_bps: float | None = None,
        horizon: float | timedelta | None = None,
        urgency: Urgency | None = None,
        ttl: float | timedelta | None = None,
        reason: str = "",
    ) -> Signal:
        """Say that the price should rise: to be long is wanted. The fields are the class's own.

        Examples
        --------
        >>> hz.Signal.increase("ACME", edge_bps=30).sign
        1
        """
        return cls(
            market,  # type: ignore[arg-type]  # kept as its id
            "increase",
            edge_bps,
            confidence,
            expected_vol_bps,
            horizon,  # type: ignore[arg-type]  # kept in seconds
            urgency,
            ttl,  # type: ignore[arg-type]  # kept in seconds
            reason,
        )

    @classmethod
    def decrease(
        cls,
        market: str | Market,
        *,
        edge_bps: float,
        confidence: float = 1.0,
        expected_vol_bps: float | None = None,
        horizon: float | timedelta | None = None,
        urgency: Urgency | None = None,
        ttl: float | timedelta | None = None,
        reason: str = "",
    ) -> Signal:
        """Say that the price should fall: to be short is wanted, or out. As `increase`.

        Examples
        --------
        >>> hz.Signal.decrease("ACME", edge_bps=30).signed_edge_bps
        -30.0
        """
        return cls(
            market,  # type: ignore[arg-type]  # kept as its id
            "decrease",
            edge_bps,
            confidence,
            expected_vol_bps,
            horizon,  # type: ignore[arg-type]  # kept in seconds
            urgency,
            ttl,  # type: ignore[arg-type]  # kept in seconds
            reason,
        )

    @classmethod
    def flatten(
        cls,
        market: str | Market,
        *,
        confidence: float = 1.0,
        expected_vol_bps: float | None = None,
        horizon: float | timedelta | None = None,
        urgency: Urgency | None = None,
        ttl: float | timedelta | None = None,
        reason: str = "",
    ) -> Signal:
        """Say that nothing should be held. As `increase`, with an edge of 0.

        Examples
        --------
        >>> hz.Signal.flatten("ACME").edge_bps
        0.0
        """
        return cls(
            market,  # type: ignore[arg-type]  # kept as its id
            "flatten",
            0.0,
            confidence,
            expected_vol_bps,
            horizon,  # type: ignore[arg-type]  # kept in seconds
            urgency,
            ttl,  # type: ignore[arg-type]  # kept in seconds
            reason,
        )

    @property
    def sign(self) -> int:
        """1 for increase, -1 for decrease, 0 for flatten."""
        return ACTIONS[self.action]

    @property
    def signed_edge_bps(self) -> float:
        """The edge as a change in price: below 0 for a decrease."""
        return ACTIONS[self.action] * self.edge_bps


def _wrong_edge(action: str, edge: float) -> str:
    if action == "flatten":
        return f"edge_bps must be 0 for a flatten, which expects nothing, was {edge!r}"
    other = "decrease" if action == "increase" else "increase"
    return (
        f"edge_bps must be above 0, was {edge!r}: it is the gain that {action} expects; for the "
        f"other direction use Signal.{other}"
    )


def _market_id(market: object) -> str:
    if type(market) is str:
        return _checked_id(market)
    if isinstance(market, Market):
        return market.id
    if not isinstance(market, str):
        raise TypeError(f"market must be a Market or its id, was {checks.show(market)}")
    return _checked_id(str(market))


@lru_cache(maxsize=1024)
def _checked_id(market: str) -> str:
    return canonical_id(checks.market_id("market", market))


def _seconds(name: str, value: object) -> float:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    return checks.positive(name, value)
