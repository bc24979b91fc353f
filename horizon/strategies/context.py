"""What a strategy sees of a run beside its features: time, rows, account, and a client."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from horizon import checks, words
from horizon.errors import VenueError
from horizon.instruments import Market
from horizon.types import AssetClass, Position, Side

if TYPE_CHECKING:
    from horizon.backtesting.context import FeedRow, Portfolio, RunClient
    from horizon.engine import Engine
    from horizon.venues.records import MarketState

__all__ = ["StrategyContext"]


class StrategyContext:
    """What a strategy sees: one for a run, brought up to date before each `evaluate`.

    Not made by hand: a run makes it, and hands it to a strategy that has a third parameter. A
    `market` is given to its methods as a `Market` or by its id; they raise a KeyError for one that
    is not in the run.

    Attributes
    ----------
    markets : tuple of Market
        All markets of the run, those of other strategies too.
    feeds : mapping of str to FeedRow
        The last row of every feed; NaN and stale before its first.
    params : dict
        The run's parameters; ``params["engine"]`` is the engine.
    engine : Engine
        The run's own.
    portfolio : Portfolio
        Its account: equity, cash, drawdown, positions …
    now_ns : int
        The run's time in nanoseconds since 1970.

    Examples
    --------
    A strategy that goes long once, by what it sees of the account. The market order of the first
    row fills at the second one's 51, which leaves 1,000 - 510.

    >>> @hz.strategy
    ... def once(f, universe, ctx):
    ...     print(ctx.timestamp, ctx.price("ACME"), ctx.inventory("ACME"), ctx.portfolio.cash)
    ...     flat = [market for market in universe if ctx.inventory(market) == 0.0]
    ...     return [hz.Signal.increase(market, edge_bps=10) for market in flat]
    >>> result = hz.backtest(
    ...     data=[{"timestamp": i, "price": 50.0 + i, "market_id": "ACME"} for i in range(3)],
    ...     markets=[hz.Market("ACME", hz.Equity)],
    ...     strategies=[once],
    ...     sizer=hz.FixedNotional(500),
    ...     paper_fee_rate=0.0,
    ... )
    0.0 50.0 0.0 1000.0
    1.0 51.0 10.0 490.0
    2.0 52.0 10.0 490.0
    """

    __slots__ = (
        "_client",
        "_feed_names",
        "_numbers",
        "_states",
        "engine",
        "feeds",
        "markets",
        "now_ns",
        "params",
        "portfolio",
    )

    def __init__(
        self,
        engine: Engine,
        client: RunClient,
        *,
        markets: Sequence[Market],
        states: Sequence[MarketState],
        feeds: Mapping[str, FeedRow],
        feed_names: Sequence[str],
        portfolio: Portfolio,
        params: dict[str, Any],
    ) -> None:
        self.engine = engine
        self.markets = tuple(markets)
        self.feeds = feeds
        self.portfolio = portfolio
        self.params = params
        self.now_ns = 0
        self._client = client
        self._states = states
        self._feed_names = feed_names
        self._numbers = {market.id: number for number, market in enumerate(markets)}

    @property
    def timestamp(self) -> float:
        """The run's time, in seconds since 1970."""
        return self.now_ns / 1_000_000_000

    def row(self, market: Market | str) -> FeedRow:
        """Return the last row of a market's feed; NaN and stale before its first."""
        return self.feeds[self._feed_names[self._number(market)]]

    def price(self, market: Market | str) -> float:
        """Return a market's last price, of YES for a prediction; NaN before the first."""
        return self._states[self._number(market)].price

    def inventory(self, market: Market | str) -> float:
        """Return the signed net position in units, NO against YES: what is quick to ask."""
        return self._states[self._number(market)].net

    def position(self, market: Market | str) -> Position:
        """Return the position on a market's plain or YES side; of size 0.0 when flat."""
        state = self._states[self._number(market)]
        leg = state.yes
        is_prediction = state.asset_class == AssetClass.Prediction
        return Position(
            market_id=state.id,
            side=Side.Yes if is_prediction else Side.Long,
            size=leg.quantity,
            avg_entry_price=leg.average,
            realized_pnl=leg.realized,
            unrealized_pnl=self.engine.venue.account.leg_unrealized(leg),
        )

    def exchange(self, name: str = "paper") -> RunClient:
        """Return an imperative client on this run's own venue; its `name` is ``"paper"``.

        Orders sent through it are the strategy's own affair: no sizer sees them, no decision is
        recorded, and a later signal takes what they have bought for a part of what is held.

        Raises
        ------
        VenueError
            If `name` is not ``"paper"``: a run has one venue.
        """
        if name != "paper":
            raise VenueError(f"a run has one venue, 'paper'; exchange was asked for {name!r}")
        return self._client

    def _number(self, market: Market | str) -> int:
        given = market.id if isinstance(market, Market) else market
        number = self._numbers.get(given)
        if number is None:
            known = list(self._numbers)
            raise KeyError(
                f"market must be one of the run's, was {checks.show(given)}"
                f"{checks.suggestion(str(given), known)}"
            )
        return number

    def __repr__(self) -> str:
        seconds = math.nan if self.now_ns == 0 else self.timestamp
        return (
            f"<StrategyContext: {words.clock(seconds, date=True)}, {len(self.markets)} markets, "
            f"equity {self.portfolio.equity:,.2f}>"
        )

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"
