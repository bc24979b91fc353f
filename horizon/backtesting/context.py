"""What a pipeline sees of a run: the row it runs on, and nothing that comes later."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from horizon import checks
from horizon.client import ImperativeClient
from horizon.errors import VenueError
from horizon.instruments import Market
from horizon.types import AssetClass, Position, Side

if TYPE_CHECKING:
    from horizon.engine import Engine
    from horizon.venues.records import Leg, MarketState

__all__ = ["NOTHING_YET", "Context", "FeedRow", "Portfolio", "RunClient"]


class FeedRow(NamedTuple):
    """A row of a feed, as a pipeline sees it. What is missing is NaN.

    Attributes
    ----------
    timestamp : float
        Seconds since 1970.
    price : float
        The row's price, a bar's close; the last one where the row brings only quotes.
    bid, ask : float
        Best quotes; both the price where the row has neither.
    volume, open, high, low, bid_size, ask_size : float
        As the row has them: units traded, the rest of a bar, sizes at the best quotes.
    is_stale : bool
        True before the feed's first row, and while the feed is lost.

    Examples
    --------
    A stage reads them of its market's own feed, or of any other by its name:

    >>> def stage(ctx):
    ...     print(ctx.feed.price, round(ctx.feed.spread, 2), ctx.feeds["rain"].bid)
    >>> quote = {"timestamp": 0, "bid": 0.49, "ask": 0.51}
    >>> result = hz.backtest(data={"rain": [quote]}, pipeline=[stage])
    0.5 0.02 0.49
    """

    timestamp: float
    price: float
    bid: float
    ask: float
    volume: float
    open: float
    high: float
    low: float
    bid_size: float
    ask_size: float
    is_stale: bool

    @property
    def mid(self) -> float:
        """Half-way between bid and ask."""
        return (self.bid + self.ask) / 2.0

    @property
    def spread(self) -> float:
        """Ask less bid."""
        return self.ask - self.bid


_NAN: Final = math.nan
#: What a feed shows before its first row.
NOTHING_YET: Final = FeedRow(
    _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, is_stale=True
)


class RunClient(ImperativeClient):
    """An imperative client on a run's own venue: `ctx.exchange` gives it to a pipeline.

    The run owns the venue: closing this client does nothing, and ticks and settlements, which
    come from the run's data, are refused with a `VenueError`.
    """

    def close(self) -> None:
        """Do nothing: the venue belongs to the run."""


class Portfolio:
    """The account of a run at this moment. Money in the account's currency."""

    __slots__ = ("_engine", "peak")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        #: The highest equity of the run so far.
        self.peak = engine.venue.account.equity

    @property
    def equity(self) -> float:
        """Cash and what all positions are worth at their marks."""
        return self._engine.venue.account.equity

    @property
    def cash(self) -> float:
        """Money in the account."""
        return self._engine.venue.account.cash

    @property
    def buying_power(self) -> float:
        """What an opening order may still reserve."""
        return self._engine.venue.account.buying_power

    @property
    def realized_pnl(self) -> float:
        """Profit of everything closed so far, before fees."""
        return self._engine.venue.account.realized_pnl

    @property
    def drawdown(self) -> float:
        """How far equity lies below the run's highest, as a fraction of that."""
        peak, equity = self.peak, self.equity
        return 1.0 - equity / peak if equity < peak and peak > 0.0 else 0.0

    @property
    def positions(self) -> list[Position]:
        """What is held, market by market; YES before NO."""
        return self._engine.positions()

    def __repr__(self) -> str:
        return f"<Portfolio: equity {self.equity:,.2f}, drawdown {self.drawdown:.2%}>"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


class Context:
    """What a pipeline sees: one for each market, brought up to date before each run of it.

    Not made by hand: a run hands it to each of its stages.

    Attributes
    ----------
    feed : FeedRow
        The last row of this market's feed.
    feeds : mapping of str to FeedRow
        The last row of every feed; NaN and stale before its first.
    market_id : str
        The market that the pipeline runs for now.
    market : Market
        The same, with its class, multiplier and grid.
    params : dict
        The run's parameters; ``params["engine"]`` is the engine.
    engine : Engine
        The run's own.
    portfolio : Portfolio
        Its account: equity, cash, drawdown, positions …

    Examples
    --------
    A stage that sells what the quotes before it have bought:

    >>> def stage(ctx):
    ...     print(ctx.timestamp, ctx.feed.price, ctx.inventory, round(ctx.equity, 2))
    ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
    >>> ticks = [{"timestamp": i, "price": p} for i, p in enumerate([0.50, 0.44, 0.50])]
    >>> result = hz.backtest(data=ticks, pipeline=[stage], paper_fee_rate=0.0)
    0.0 0.5 0.0 1000.0
    1.0 0.44 10.0 999.6
    2.0 0.5 0.0 999.8
    """

    __slots__ = (
        "_client",
        "_leg",
        "_state",
        "engine",
        "feed",
        "feeds",
        "market",
        "market_id",
        "now_ns",
        "params",
        "portfolio",
    )

    def __init__(
        self,
        engine: Engine,
        client: RunClient,
        portfolio: Portfolio,
        state: MarketState,
        feeds: Mapping[str, FeedRow],
        params: dict[str, Any],
    ) -> None:
        assert state.instrument is not None
        self.engine = engine
        self.portfolio = portfolio
        self.market: Market = state.instrument
        self.market_id = state.id
        self.feeds = feeds
        self.feed = NOTHING_YET
        self.params = params
        #: The run's time in nanoseconds since 1970.
        self.now_ns = 0
        self._client = client
        self._state = state
        self._leg: Leg = state.yes

    @property
    def timestamp(self) -> float:
        """The run's time, in seconds since 1970."""
        return self.now_ns / 1_000_000_000

    @property
    def book(self) -> Any:
        """The order book in force, with what we took and our impact in it; None without books."""
        show = getattr(self.engine.venue, "book", None)
        return None if show is None else show(self.market_id)

    @property
    def inventory(self) -> float:
        """Signed net position in units, NO against YES."""
        return self._state.net

    @property
    def position(self) -> Position:
        """The position on this market's plain or YES side; of size 0.0 when flat."""
        leg = self._leg
        is_prediction = self._state.asset_class == AssetClass.Prediction
        return Position(
            market_id=self.market_id,
            side=Side.Yes if is_prediction else Side.Long,
            size=leg.quantity,
            avg_entry_price=leg.average,
            realized_pnl=leg.realized,
            unrealized_pnl=self.engine.venue.account.leg_unrealized(leg),
        )

    @property
    def equity(self) -> float:
        """Cash and what all positions are worth at their marks."""
        return self.engine.venue.account.equity

    def exchange(self, name: str = "paper") -> RunClient:
        """Return an imperative client on this run's own venue; its `name` is ``"paper"``.

        Raises
        ------
        VenueError
            If `name` is not ``"paper"``: a run has one venue.
        """
        if name != "paper":
            raise VenueError(f"a run has one venue, 'paper'; exchange was asked for {name!r}")
        return self._client

    def __repr__(self) -> str:
        return (
            f"<Context: {self.market_id} at {checks.show(self.timestamp)}, price "
            f"{self.feed.price:g}, inventory {self.inventory:g}, equity {self.equity:,.2f}>"
        )

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"
