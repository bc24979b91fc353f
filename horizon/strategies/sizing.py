"""How much: from a view on a market to the position that is wanted in it.

A target is a signed number of units (contracts, shares): what should be held, not what should be
traded. Every sizer multiplies by the view's confidence, takes its direction from the sign of the
combined edge, and wants nothing where that is 0, where there is no equity left to size by, or
where a unit costs nothing, so that no number of them has a meaning.

What a unit costs is ``price x multiplier``. Of a prediction it is what the side costs that wins:
the price for YES, ``1 - price`` for a short, which is a NO by another name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from horizon import checks
from horizon.strategies.views import View
from horizon.types import AssetClass, Shown

__all__ = [
    "EqualWeight",
    "FixedNotional",
    "Kelly",
    "Sizer",
    "SizingAccount",
    "VolTarget",
    "YEAR_SECONDS",
]

#: Markets are taken to move all year round: a year has 365 days.
YEAR_SECONDS: Final = 365 * 86_400
#: What may be held at most, over equity, where nothing else is said: an order is priced before it
#: fills, and costs a fee; one for all the money there is would be refused.
_ALMOST_ALL: Final = 0.95


@dataclass(frozen=True, slots=True)
class SizingAccount(Shown):
    """What a sizer may know of the account.

    Parameters
    ----------
    equity : float
        Cash and positions at their marks, in currency.
    drawdown : float
        How far equity lies below the run's highest, as a fraction of that; 0 or more.
    market_count : int
        Markets that the run's strategies trade, which share the equity.

    Raises
    ------
    TypeError, ValueError
        For a field that is not as above.

    Examples
    --------
    >>> hz.strategies.SizingAccount(equity=10_000, drawdown=0.05, market_count=4)
    SizingAccount(equity=10000.0, drawdown=0.05, market_count=4)
    """

    equity: float
    drawdown: float
    market_count: int

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "equity", checks.number("equity", self.equity))
        put(self, "drawdown", checks.non_negative("drawdown", self.drawdown))
        put(self, "market_count", checks.integer("market_count", self.market_count))


@runtime_checkable
class Sizer(Protocol):
    """Anything that says how much to hold: an object with a method `target`.

    Raises
    ------
    TypeError
        When it is called itself: a protocol is written, by any class with that method, not made.

    Examples
    --------
    A sizer of one's own, which holds ten units or none:

    >>> class Ten:
    ...     def target(self, view, account):
    ...         return 10.0 * view.sign
    >>> isinstance(Ten(), hz.strategies.Sizer)
    True
    """

    def target(self, view: View, account: SizingAccount) -> float:
        """Return the position wanted in the view's market.

        Parameters
        ----------
        view : View
            The combined signals, with market and price.
        account : SizingAccount

        Returns
        -------
        float
            Signed units; below 0 is short. Lots and limits come later.
        """
        ...


@dataclass(frozen=True, slots=True)
class FixedNotional(Shown):
    """The same money in every position.

    Parameters
    ----------
    notional : float
        What a position costs at full confidence, in currency; see the module on predictions.

    Examples
    --------
    1,000 buys 20 shares at 50.00, as it buys 2,000 contracts at 0.50:

    >>> market = hz.Market("ACME", hz.Equity)
    >>> signal = hz.Signal.increase(market, edge_bps=30)
    >>> view = hz.strategies.View.of(market, [("dips", signal)], price=50.0)
    >>> account = hz.strategies.SizingAccount(equity=10_000, drawdown=0, market_count=4)
    >>> hz.FixedNotional(1_000).target(view, account)
    20.0
    """

    notional: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "notional", checks.positive("notional", self.notional))

    def target(self, view: View, account: SizingAccount) -> float:
        """Return the units that cost the notional, of a `view` and an `account`: see `Sizer`."""
        return _units(view, self.notional)


@dataclass(frozen=True, slots=True)
class EqualWeight(Shown):
    """An equal share of the equity for every market that the run's strategies trade.

    Parameters
    ----------
    gross : float
        Sum of all positions' costs over equity, were every such market held at full confidence.
        At 1 and more a fee, or a price that has moved on, is beyond an account that holds cash
        alone, and orders are refused; perpetuals and shorts may leave room for it.

    Examples
    --------
    Four markets share 80 % of 10,000: 2,000 for each, which is 40 shares at 50.00.

    >>> market = hz.Market("ACME", hz.Equity)
    >>> signal = hz.Signal.increase(market, edge_bps=30)
    >>> view = hz.strategies.View.of(market, [("dips", signal)], price=50.0)
    >>> account = hz.strategies.SizingAccount(equity=10_000, drawdown=0, market_count=4)
    >>> hz.EqualWeight(gross=0.8).target(view, account)
    40.0
    """

    gross: float = _ALMOST_ALL

    def __post_init__(self) -> None:
        object.__setattr__(self, "gross", checks.positive("gross", self.gross))

    def target(self, view: View, account: SizingAccount) -> float:
        """Return the units that cost the market's share of the equity.

        Of a `view` and an `account`, as every `Sizer`.
        """
        return _units(view, account.equity * self.gross / account.market_count)


@dataclass(frozen=True, slots=True)
class VolTarget(Shown):
    """Positions of which each by itself moves the equity by the same volatility.

    The money in a position is ``equity x annual_vol / sigma``, where sigma is the signal's
    `expected_vol_bps` as a fraction of what the position costs, brought from its horizon to a
    year by the root of time.

    Parameters
    ----------
    annual_vol : float
        Volatility of each position over a year of 365 days, as a fraction of equity.
    max_weight : float
        Largest cost of a position over equity, before confidence; calm markets would otherwise
        be held without end. By default it leaves room for the fee, as `EqualWeight` does.

    References
    ----------
    Moskowitz, Ooi and Pedersen (2012), Time Series Momentum, section 4.1.

    Examples
    --------
    A market that moves by 20 % a year is held with half of the equity to move that by 10 %: with
    5,000, which is 100 shares at 50.00.

    >>> market = hz.Market("ACME", hz.Equity)
    >>> signal = hz.Signal.increase(
    ...     market, edge_bps=30, expected_vol_bps=2_000, horizon=pd.Timedelta(days=365)
    ... )
    >>> view = hz.strategies.View.of(market, [("trend", signal)], price=50.0)
    >>> account = hz.strategies.SizingAccount(equity=10_000, drawdown=0, market_count=1)
    >>> hz.VolTarget(annual_vol=0.10).target(view, account)
    100.0
    """

    annual_vol: float = 0.10
    max_weight: float = _ALMOST_ALL

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, checks.positive(name, getattr(self, name)))

    def target(self, view: View, account: SizingAccount) -> float:
        """Return the units of the volatility wanted, of a `view` and an `account`: see `Sizer`.

        Raises
        ------
        ValueError
            If the view has no `expected_vol_bps` or no `horizon`.
        """
        if view.edge_bps == 0.0:
            return 0.0
        vol = _needed(self, view, "expected_vol_bps")
        horizon = _needed(self, view, "horizon")
        yearly = view.in_price(vol) * math.sqrt(YEAR_SECONDS / horizon)
        # A price of 0, or a volatility too small for a float: the largest weight, of whatever.
        weight = self.annual_vol * _cost(view) / yearly if yearly > 0.0 else math.inf
        return _units(view, account.equity * min(weight, self.max_weight))


@dataclass(frozen=True, slots=True)
class Kelly(Shown):
    """A fraction of the stake that makes wealth grow fastest, were the edges true.

    **Predictions** pay 1 or nothing. At a price of ``p`` and a fair price of ``q = p + edge``, a
    buyer of YES stakes ``(q - p) / (1 - p)`` of the equity, a seller ``(p - q) / p`` on NO at
    ``1 - p``. **Everything else** is taken to move by a Gaussian of mean mu (the edge) and
    deviation sigma (`expected_vol_bps`), both over the same horizon: the stake is
    ``mu / sigma**2`` of the equity.

    Parameters
    ----------
    fraction : float
        Part of the full stake taken, up to 1. Edges are guesses, and too large a stake costs more
        than one too small: a quarter keeps 7/16 of the growth of Gaussian bets, at a quarter of
        their volatility.
    max_weight : float
        Largest stake over equity, before confidence. By default it leaves room for the fee, as
        `EqualWeight` does.

    Notes
    -----
    Each market is sized by itself: bets that win and lose together are together too large.

    References
    ----------
    Kelly (1956), A New Interpretation of Information Rate; Thorp (2006), The Kelly Criterion in
    Blackjack, Sports Betting, and the Stock Market, sections 2 and 7.1.

    Examples
    --------
    A YES at 0.50 that is thought to be worth 0.60 (1,000 bps are ten cents): the full stake is
    0.1 / 0.5, a fifth of the equity. A quarter of it is 500, and buys 1,000 contracts.

    >>> market = hz.Market("rain", hz.Prediction)
    >>> signal = hz.Signal.increase(market, edge_bps=1_000)
    >>> view = hz.strategies.View.of(market, [("model", signal)], price=0.5)
    >>> account = hz.strategies.SizingAccount(equity=10_000, drawdown=0, market_count=1)
    >>> hz.Kelly(fraction=0.25).target(view, account)
    1000.0
    """

    fraction: float = 0.25
    max_weight: float = _ALMOST_ALL

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, checks.positive(name, getattr(self, name)))
        if self.fraction > 1.0:
            raise ValueError(
                f"fraction must be at most 1, was {self.fraction!r}: staking more than full Kelly "
                "adds risk and takes growth away"
            )

    def target(self, view: View, account: SizingAccount) -> float:
        """Return the units of the fraction staked, of a `view` and an `account`: see `Sizer`.

        Raises
        ------
        ValueError
            If the edge takes a prediction's fair price out of [0, 1], or if the view of another
            market has no `expected_vol_bps`.
        """
        if view.edge_bps == 0.0:
            return 0.0
        if view.market.asset_class is AssetClass.Prediction:
            stake = self._binary(view)
        else:
            vol = _needed(self, view, "expected_vol_bps")
            # One division after the other: the square of a tiny volatility would be 0.
            stake = abs(view.edge_bps) / vol / vol * 10_000.0
        return _units(view, account.equity * min(self.fraction * stake, self.max_weight))

    def _binary(self, view: View) -> float:
        price, edge = view.price, view.edge
        fair = price + edge
        if not 0.0 <= fair <= 1.0:
            raise ValueError(
                f"Kelly cannot size {view.market.id!r}: edge_bps of {view.edge_bps:+g} at a price "
                f"of {price:g} means a fair price of {fair:g}, which must lie between 0 and 1 (of "
                "a prediction 100 bps are one cent)"
            )
        room = 1.0 - price if edge > 0.0 else price  # what the side can win
        return abs(edge) / room if room > 0.0 else 0.0


def _cost(view: View) -> float:
    """What a unit of the side that the view takes costs, in currency, without the multiplier."""
    if view.market.asset_class is AssetClass.Prediction and view.edge_bps < 0.0:
        return 1.0 - view.price
    return view.price


def _units(view: View, money: float) -> float:
    """Signed units that cost `money`, times the confidence."""
    multiplier = view.market.multiplier
    assert multiplier is not None  # a Market has filled it in
    cost = _cost(view) * multiplier
    if view.edge_bps == 0.0 or cost <= 0.0 or money <= 0.0:
        return 0.0
    return view.sign * view.confidence * money / cost


def _needed(sizer: Sizer, view: View, field: str) -> float:
    value: float | None = getattr(view, field)
    if value is None:
        raise ValueError(
            f"{type(sizer).__name__} needs {field}= in the signals on {view.market.id!r}; none of "
            f"them gives it ({', '.join(name for name, _ in view.signals)})"
        )
    return value
