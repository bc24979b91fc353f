"""What an order does to the prices that it, and those after it, meet."""

from __future__ import annotations

from typing import Final

from horizon import checks
from horizon.types import AssetClass

__all__ = ["Impact", "LinearImpact", "NoImpact"]

_BPS: Final = 10_000


class Impact:
    """No impact; derive from it, and override one of its two functions or both.

    Only what takes liquidity on arrival has impact. An order that rested had none: others came
    to it. Hand an object of it to ``impact=`` of ``hz.connect("book")`` or `hz.backtest`.

    Examples
    --------
    A market that is pushed by a hundredth of a cent for each dollar taken, and for the rest is as
    its book shows:

    >>> class Push(hz.venues.Impact):
    ...     def permanent(self, notional, asset_class):
    ...         return 0.0001 * notional
    >>> ex = hz.connect("book", impact=Push())
    >>> fills = ex.take_book("ACME", [(99.0, 50)], [(100.0, 50)], timestamp=0.0)
    >>> order = ex.buy("ACME", 20, market=True)
    >>> order.average_price, ex.book("ACME").asks
    (100.0, [(100.2, 30.0)])
    """

    def temporary(self, price: float, sign: int, filled: float, asset_class: AssetClass) -> float:
        """Return what an order pays or receives at a level, given what it has taken before.

        Parameters
        ----------
        price : float
            The level's price; of a NO contract, the price of NO.
        sign : int
            1 for a buy, -1 for a sell.
        filled : float
            Units that the order has taken from better levels on its arrival.
        asset_class : AssetClass

        Returns
        -------
        float
            A price that is no better than the level's: not lower for a buy, not higher for a
            sell.
        """
        return price

    def permanent(self, notional: float, asset_class: AssetClass) -> float:
        """Return by how much the market is displaced once an order has taken its liquidity.

        Parameters
        ----------
        notional : float
            Quantity × price × multiplier, summed over the levels that it took.
        asset_class : AssetClass

        Returns
        -------
        float
            Price units, 0 or more. The venue gives it its sign: up for buys and down for sells,
            the other way round for those of a NO contract.
        """
        return 0.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class NoImpact(Impact):
    """Orders move nothing but what they take.

    Examples
    --------
    >>> none = hz.venues.NoImpact()
    >>> none.temporary(100.0, 1, 5_000.0, hz.Equity), none.permanent(1e6, hz.Equity)
    (100.0, 0.0)
    """


class LinearImpact(Impact):
    """Impact in proportion to what was filled.

    Parameters
    ----------
    temporary_bps : float
        0 or more. A level is worse by filled × temporary_bps / 10 000, `filled` being the units
        that the order has taken from better levels: in price units for a Prediction, whose
        prices all lie within 1; as a fraction of the level's price for all other classes.
    permanent_fraction : float
        In [0, 1]: the part of the temporary impact that stays. The displacement changes by
        notional × permanent_fraction × temporary_bps / 10 000, in price units for every class.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    Five taken at 100 make the next level worse by 5 × 10 / 10 000 of its price: 101 becomes
    101 × 1.005.

    >>> impact = hz.venues.LinearImpact(temporary_bps=10, permanent_fraction=0.1)
    >>> ex = hz.connect("book", impact=impact)
    >>> fills = ex.take_book("ACME", [(99.0, 50)], [(100.0, 5), (101.0, 5)], timestamp=0.0)
    >>> order = ex.buy("ACME", 10, market=True)
    >>> [(fill.quantity, round(fill.price, 6)) for fill in ex.fills()]
    [(5.0, 100.0), (5.0, 101.505)]

    The 1,007.525 that this cost have moved the market by 0.1 × 10 / 10 000 of that, for good:

    >>> round(ex.engine.venue.displacement("ACME"), 7)
    0.1007525
    """

    __slots__ = ("permanent_fraction", "temporary_bps")

    def __init__(self, temporary_bps: float = 0.0, permanent_fraction: float = 0.0) -> None:
        self.temporary_bps = checks.non_negative("temporary_bps", temporary_bps)
        self.permanent_fraction = checks.non_negative("permanent_fraction", permanent_fraction)
        if self.permanent_fraction > 1.0:
            raise ValueError(f"permanent_fraction must lie in [0, 1], was {permanent_fraction!r}")

    def temporary(self, price: float, sign: int, filled: float, asset_class: AssetClass) -> float:
        """Return the level's price, made worse by what was filled before it."""
        worse = filled * self.temporary_bps / _BPS
        if asset_class != AssetClass.Prediction:
            worse *= price
        return price + sign * worse

    def permanent(self, notional: float, asset_class: AssetClass) -> float:
        """Return what stays of the impact, in price units."""
        return notional * self.permanent_fraction * self.temporary_bps / _BPS

    def __repr__(self) -> str:
        return (
            f"LinearImpact(temporary_bps={self.temporary_bps:g}, "
            f"permanent_fraction={self.permanent_fraction:g})"
        )
