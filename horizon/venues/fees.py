"""What fills cost: a fraction of their notional, by price and by maker or taker."""

from __future__ import annotations

from abc import ABC, abstractmethod

from horizon import checks
from horizon.types import AssetClass

__all__ = ["Fees", "FlatFees"]


class Fees(ABC):
    """A venue's schedule of fees; derive from it for one that knows more than two rates.

    A fee is |quantity × price × multiplier| × rate; a rate below 0 is a rebate.
    """

    @abstractmethod
    def rate(self, price: float, is_maker: bool, asset_class: AssetClass) -> float:
        """Return the rate of a fill, a fraction of its notional in (-1, 1).

        Parameters
        ----------
        price : float
            What the fill pays or receives a unit; of a NO contract, the price of NO.
        is_maker : bool
            Whether the order had rested; one that takes liquidity on arrival had not.
        asset_class : AssetClass

        Notes
        -----
        It is asked again for what an order reserves, so it must depend on nothing but its
        arguments.
        """


class FlatFees(Fees):
    """One rate for makers and one for takers, whatever the price.

    Parameters
    ----------
    maker, taker : float
        Fractions of notional in (-1, 1).
    """

    __slots__ = ("maker", "taker")

    def __init__(self, maker: float = 0.0, taker: float = 0.0) -> None:
        self.maker = checks.rate("maker", maker)
        self.taker = checks.rate("taker", taker)

    def rate(self, price: float, is_maker: bool, asset_class: AssetClass) -> float:
        """Return the maker's or the taker's rate."""
        return self.maker if is_maker else self.taker

    def __repr__(self) -> str:
        return f"FlatFees(maker={self.maker:g}, taker={self.taker:g})"
