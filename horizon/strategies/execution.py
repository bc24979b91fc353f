"""From a target to an order: how much is worth trading, at what price, and for how long."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from horizon import checks, rules
from horizon.instruments import Market
from horizon.types import Shown, Urgency

__all__ = ["SignalExecution", "is_near", "to_lots"]

#: Ways in which an order that may wait is worked.
_PATIENT: Final = ("limit", "twap")


@dataclass(frozen=True, slots=True)
class SignalExecution(Shown):
    """How a run's targets become orders.

    Parameters
    ----------
    no_trade_band : float
        A position this near to its target, as a fraction of the larger of the two, is left as it
        is. Opening, closing and turning around are always traded. In [0, 1).
    urgency : Urgency
        Of signals that say none. ``Immediate``: a market order. ``Patient``: a limit at the
        market's price, or a TWAP (`patient`). ``Passive``: a post-only limit at one's own side's
        best quote, the bid for a buy; where a market shows no quotes, a limit at its price.
    patient : {"limit", "twap"}
        What an order of ``Urgency.Patient`` is; other orders it does not concern.
    twap_secs : float, optional
        The TWAP's duration; needed with ``patient="twap"``, and only there.
    twap_slices : int, optional
        Its slices; likewise.
    ttl : float or timedelta, optional
        Seconds after which what has not filled is cancelled, of signals that say none. A row at
        that very time may still fill it; a signal that keeps an order gives it new time.
    long_only : bool
        Take a target below 0 for 0.
    min_edge_bps : float
        A combined edge nearer to 0 than this changes nothing; flattening needs no edge.

    Raises
    ------
    TypeError, ValueError
        For a field that is not as above.

    Examples
    --------
    Work orders over two minutes in four slices, and leave positions alone that are within 20 % of
    their target:

    >>> execution = hz.SignalExecution(
    ...     no_trade_band=0.2,
    ...     urgency=hz.Urgency.Patient,
    ...     patient="twap",
    ...     twap_secs=120,
    ...     twap_slices=4,
    ... )
    >>> execution.twap_secs, execution.long_only
    (120.0, False)
    """

    no_trade_band: float = 0.1
    urgency: Urgency = Urgency.Immediate
    patient: str = "limit"
    twap_secs: float | None = None
    twap_slices: int | None = None
    ttl: float | None = None
    long_only: bool = False
    min_edge_bps: float = 0.0

    def __post_init__(self) -> None:
        put = object.__setattr__
        band = checks.number("no_trade_band", self.no_trade_band)
        if not 0.0 <= band < 1.0:
            raise ValueError(f"no_trade_band must lie in [0, 1), was {band!r}")
        put(self, "no_trade_band", band)
        if not isinstance(self.urgency, Urgency):
            raise TypeError(
                "urgency must be Urgency.Immediate, Urgency.Patient or Urgency.Passive, was "
                f"{checks.show(self.urgency)}"
            )
        is_twap = checks.one_of("patient", self.patient, _PATIENT) == "twap"
        for name in ("twap_secs", "twap_slices"):
            if (getattr(self, name) is not None) is not is_twap:
                raise ValueError(
                    f"{name} is needed with patient='twap'"
                    if is_twap
                    else f"{name} belongs to patient='twap', patient was {self.patient!r}"
                )
        if is_twap:
            put(self, "twap_secs", checks.positive("twap_secs", self.twap_secs))
            put(self, "twap_slices", checks.integer("twap_slices", self.twap_slices))
        ttl: object = self.ttl
        if ttl is not None:
            ttl = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
            put(self, "ttl", checks.positive("ttl", ttl))
        put(self, "long_only", checks.flag("long_only", self.long_only))
        put(self, "min_edge_bps", checks.non_negative("min_edge_bps", self.min_edge_bps))


def is_near(target: float, current: float, band: float) -> bool:
    """Whether a position is near enough to its target to be left alone.

    Parameters
    ----------
    target, current : float
        Signed units.
    band : float
        Fraction of the larger of the two.
    """
    # To open, to close and to turn around, the whole of the larger one or more lies between the
    # two, which is beyond any band: it is below 1.
    return abs(target - current) <= max(band, rules.SLACK) * max(abs(target), abs(current))


def to_lots(market: Market, quantity: float) -> float:
    """Cut signed units to the market's lots, towards 0."""
    lot = market.lot_size
    if lot is None or quantity == 0.0:
        return quantity
    steps = abs(quantity) / lot
    whole = math.floor(steps + 0.5)
    if abs(steps - whole) > 1e-9 * max(1.0, steps):
        whole = math.floor(steps)
    # 0.3, where 3 * 0.1 is 0.30000000000000004
    return math.copysign(float(f"{whole * lot:.15g}"), quantity) if whole else 0.0
