"""What fills cost: a fraction of their notional, by price and by maker or taker."""

from __future__ import annotations

from abc import ABC, abstractmethod

from horizon import checks
from horizon.types import AssetClass

__all__ = ["Fees", "FlatFees"]


class Fees(ABC):
    """A venue's schedule of fees; derive from it for one that knows more than two rates.

    A fee is ``|quantity × price × multiplier| × rate``; a rate below 0 is a rebate. Hand an object
    of it to ``fees=`` of `horizon.connect`, of a venue or of `hz.backtest`.

    Examples
    --------
    A prediction market that asks 0.07 × p × (1 − p) a contract: as a fraction of the notional p,
    that is 0.07 × (1 − p). Makers pay nothing.

    >>> class Quadratic(hz.venues.Fees):
    ...     def rate(self, price, is_maker, asset_class):
    ...         return 0.0 if is_maker else 0.07 * (1 - price)
    >>> ex = hz.connect("paper", fees=Quadratic())
    >>> ex.declare(hz.Market("rain", hz.Prediction))
    >>> fills = ex.tick("rain", 0.40)
    >>> round(ex.buy("rain", 100, market=True).fees, 6)
    1.68
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
            What the market trades.

        Returns
        -------
        float
            0.001 is 10 basis points.

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

    Raises
    ------
    TypeError, ValueError
        For a rate that is not as above.

    Examples
    --------
    Rates of their own for one market, and the account's for all others:

    >>> ex = hz.connect(
    ...     "paper", fee_bps=10, fees={"BTC/USD": hz.venues.FlatFees(maker=-0.0001, taker=0.0004)}
    ... )
    >>> fills = ex.tick("BTC/USD", 50_000.0)
    >>> fills = ex.tick("AAPL", 200.0)
    >>> ex.buy("BTC/USD", 0.1, market=True).fees, ex.buy("AAPL", 5, market=True).fees
    (2.0, 1.0)
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
