"""VWAP: slices in proportion to a volume profile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from horizon import checks
from horizon.algos.base import Plan
from horizon.algos.schedule import weighted_slices
from horizon.algos.twap import ScheduledAlgo, duration_ns
from horizon.instruments import Market
from horizon.types import OrderRequest

__all__ = ["VWAP"]


class VWAP(ScheduledAlgo):
    """Volume-weighted average price: evenly spaced slices, sized by a volume profile.

    Parameters
    ----------
    engine : Engine or ImperativeClient
        Where the children are sent.
    duration_secs : float
        The whole window; above 0.
    volume_profile : sequence of float, array or pandas.Series
        Relative volume of each slice, 0 or more, above 0 together; they need not sum to 1. A
        slice of weight 0 sends no order. `horizon.volume_profile` makes one from bars.
    price_limit : float, optional
        The most that a child may pay when buying, the least it may take when selling.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    Half at once, a fifth after 20 seconds, the rest after 40. Each slice is a limit order at the
    price of its tick, so the first two wait until the price comes back to them:

    >>> engine = hz.Engine(paper_fee_rate=0.0)
    >>> vwap = hz.VWAP(engine, duration_secs=60, volume_profile=[5, 2, 3])
    >>> vwap.start(hz.OrderRequest("ACME", hz.Side.Long, hz.OrderSide.Buy, 100), auto=True)
    >>> for second, price in [(0.0, 20.0), (20.0, 20.1), (40.0, 20.0), (50.0, 19.9)]:
    ...     fills = engine.tick("ACME", price, second)
    ...     print(second, [(fill.size, fill.price) for fill in fills])
    0.0 []
    20.0 []
    40.0 [(50.0, 20.0), (20.0, 20.1)]
    50.0 [(30.0, 20.0)]

    It paid 20.02 on average: 10 basis points more than the 20.00 at which it began, and just what
    its schedule would have paid.

    >>> progress = vwap.progress
    >>> round(progress.slippage_bps, 6), round(progress.schedule_slippage_bps, 6)
    (10.0, 0.0)
    """

    kind: ClassVar[str] = "VWAP"

    def __init__(
        self,
        engine: Any,
        duration_secs: float,
        volume_profile: Iterable[float],
        *,
        price_limit: float | None = None,
    ) -> None:
        super().__init__(engine, price_limit=price_limit)
        self._duration_ns = duration_ns(duration_secs)
        self._weights = _weights(volume_profile)

    def _plan(self, request: OrderRequest, contract: Market) -> Plan:
        slices = weighted_slices(request.size, self._weights, contract.lot_size)
        return Plan(slices, self._duration_ns, float("nan"))


def _weights(profile: object) -> tuple[float, ...]:
    if isinstance(profile, (str, bytes, dict)) or not isinstance(profile, Iterable):
        raise TypeError(f"volume_profile must be a sequence of numbers, was {checks.show(profile)}")
    try:
        given = list(profile)
    except TypeError:  # an array without a dimension says that it is iterable, and is not
        raise TypeError(
            f"volume_profile must be a sequence of numbers, was {checks.show(profile)}"
        ) from None
    weights = tuple(
        checks.non_negative(f"volume_profile[{i}]", weight) for i, weight in enumerate(given)
    )
    if not weights:
        raise ValueError("volume_profile must have at least one weight, was empty")
    if sum(weights) <= 0.0:
        raise ValueError("volume_profile must have a weight above 0, all were 0")
    return weights
