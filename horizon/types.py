"""The words that cross every boundary: enums and frozen records.

Two vocabularies meet here. A *venue* takes an `OrderAction` and answers with `VenueOrder`,
`VenueFill`, `VenuePosition` and `VenueCapital`. The *engine*, its algorithms and its
pipelines take an `OrderRequest` and answer with `Fill` and `Position`. Records never
change; what lives is kept by the account and shown as these.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any, NamedTuple, NoReturn, cast

from horizon import checks, words

__all__ = [
    "AssetClass",
    "Fill",
    "OrderAction",
    "OrderRequest",
    "OrderSide",
    "Position",
    "Quote",
    "Shown",
    "Side",
    "Urgency",
    "VenueCapital",
    "VenueFill",
    "VenueOrder",
    "VenuePosition",
    "VenueQuote",
    "VenueSettlement",
]


class AssetClass(IntEnum):
    """What kind of thing a market trades; the number is what scalar rules see.

    The class decides which prices are possible, what a position reserves and how it is settled.
    Its members are exported by their bare names as well: ``hz.Option`` is
    ``hz.AssetClass.Option``.

    Examples
    --------
    An id often says its class by itself; where it does not, a `Market` does:

    >>> ex = hz.connect("paper")
    >>> ex.declare(hz.Market("will-it-rain", hz.Prediction))
    >>> ex.tick("will-it-rain", 1.2)
    Traceback (most recent call last):
    ...
    ValueError: price must be between 0 and 1 for Prediction 'will-it-rain', was 1.2
    """

    Equity = 0
    Option = 1
    Prediction = 2
    Perp = 3
    Crypto = 4

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self.name


class Side(Enum):
    """Which contract of a market: YES or NO of a prediction, or the plain long side.

    ``Long`` says nothing of buying or selling: a short share is a ``Long`` of negative size.

    Examples
    --------
    NO at 0.30 is the other side of YES at 0.70:

    >>> engine = hz.Engine(paper_fee_rate=0.0)
    >>> _ = engine.submit_order(
    ...     hz.OrderRequest("rain", hz.Side.No, hz.OrderSide.Buy, 100, 0.30)
    ... )
    >>> [(fill.side, fill.price) for fill in engine.tick("rain", 0.70)]
    [(Side.No, 0.3)]
    """

    Yes = "yes"
    No = "no"
    Long = "long"

    def __repr__(self) -> str:
        return f"Side.{self.name}"


class OrderSide(Enum):
    """Direction of an order in engine words.

    Examples
    --------
    >>> position = 0.0
    >>> for side, size in [(hz.OrderSide.Buy, 10), (hz.OrderSide.Sell, 4)]:
    ...     position += side.sign * size
    >>> position
    6.0
    """

    Buy = "buy"
    Sell = "sell"

    @property
    def sign(self) -> int:
        """1 for a buy, -1 for a sell."""
        return 1 if self is OrderSide.Buy else -1

    def __repr__(self) -> str:
        return f"OrderSide.{self.name}"


class Urgency(Enum):
    """How long an order may wait.

    ``Immediate``: now or not at all (a market order, or a limit with ``tif="ioc"``).
    ``Patient``: it may rest. ``Passive``: it must rest (``post_only``).

    Examples
    --------
    >>> passive = hz.OrderAction.place(
    ...     market_id="ACME", side="buy", quantity=5, price=20.0, urgency=hz.Urgency.Passive
    ... )
    >>> passive.post_only, passive.tif
    (True, 'gtc')
    """

    Immediate = "immediate"
    Patient = "patient"
    Passive = "passive"

    def __repr__(self) -> str:
        return f"Urgency.{self.name}"


class FrozenDict(dict[str, Any]):
    """A dictionary that looks like one, and can neither change nor be unhashable."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this mapping belongs to a frozen record and cannot be changed")

    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse
    __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenDict, (dict(self),)


class Shown:
    """Gives a frozen record a notebook table of its fields, everything escaped.

    Derive a dataclass of your own from it, and a notebook shows it as it shows a `VenueOrder`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Idea(hz.types.Shown):
    ...     market: str
    ...     edge: float
    >>> html = Idea("AT&T", 0.02)._repr_html_()
    >>> "<caption>Idea</caption>" in html, "AT&amp;T" in html
    (True, True)
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        names = [item.name for item in fields(cast("Any", self))]
        return _table(type(self).__name__, {name: getattr(self, name) for name in names})


def _table(title: str, values: Mapping[str, object]) -> str:
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        f"<td style='text-align:left'>{html.escape(_cell(value))}</td></tr>"
        for name, value in values.items()
    )
    return f"<table><caption>{html.escape(title)}</caption>{rows}</table>"


def _cell(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item!r}" for key, item in value.items()) or "—"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, tuple) and all(type(item) is str for item in value):
        return " ".join(value) or "—"
    return "—" if value is None else f"{value:,.10g}" if type(value) is float else str(value)


# ------------------------------------------------------------------------ venue words
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAction(Shown):
    """One order as a venue is asked for it.

    Parameters
    ----------
    market_id : str
        ``"<id>:no"`` names the NO side of a prediction market.
    side : {"buy", "sell"}
    quantity : float
        In units or contracts; above 0.
    price : float, optional
        The limit. A limit order needs one, a market order has none.
    order_type : {"limit", "market"}, optional
        Left out: ``"limit"`` with a price, ``"market"`` without.
    urgency : Urgency
        ``Immediate`` makes a limit order ``tif="ioc"``; ``Passive`` makes it ``post_only``.
    tif : {"gtc", "ioc"}
        Good till cancelled, or decided at the next tick.
    post_only : bool
        Reject the order rather than let it take liquidity on arrival.
    reduce_only : bool
        Only ever reduce the position held; see `Paper`.
    client_order_id : str, optional
        A name of the caller's own; the same name again returns the first order.
    leverage : float, optional
        Perpetuals only, 1 to 100. Left out: the leverage the market has, else 1.
    intent : str, optional
        Why the order was sent, kept in the order's ``metadata``.

    Raises
    ------
    TypeError, ValueError
        For any field that is not as above.

    Examples
    --------
    >>> paper = hz.Paper(initial_cash_usd=1_000)
    >>> paper.connect()
    >>> action = hz.OrderAction.place(market_id="ACME", side="buy", quantity=5, price=20.0)
    >>> action.order_type, action.tif
    ('limit', 'gtc')
    >>> paper.submit(action).status
    'new'
    """

    market_id: str
    side: str
    quantity: float
    price: float | None = None
    order_type: str | None = None
    urgency: Urgency = Urgency.Patient
    tif: str = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    client_order_id: str | None = None
    leverage: float | None = None
    intent: str | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "market_id", checks.market_id("market_id", self.market_id))
        checks.one_of("side", self.side, ("buy", "sell"))
        put(self, "quantity", checks.positive("quantity", self.quantity))
        kind = self.order_type
        if kind is None:
            kind = "market" if self.price is None else "limit"
        put(self, "order_type", checks.one_of("order_type", kind, ("limit", "market")))
        _limit_or_market(self.price, market=kind == "market", price_name="price")
        if self.price is not None:
            put(self, "price", checks.positive("price", self.price))
        if not isinstance(self.urgency, Urgency):
            raise TypeError(f"urgency must be an Urgency, was {checks.show(self.urgency)}")
        checks.one_of("tif", self.tif, ("gtc", "ioc"))
        put(self, "post_only", checks.flag("post_only", self.post_only))
        put(self, "reduce_only", checks.flag("reduce_only", self.reduce_only))
        if kind == "limit":
            if self.urgency is Urgency.Immediate:
                put(self, "tif", "ioc")
            elif self.urgency is Urgency.Passive:
                put(self, "post_only", True)
        elif self.post_only or self.urgency is Urgency.Passive:
            raise ValueError("post_only (or Urgency.Passive) needs a limit order, was market")
        put(self, "leverage", check_leverage(self.leverage))
        if self.client_order_id is not None:
            checks.text("client_order_id", self.client_order_id)
        if self.intent is not None:
            checks.text("intent", self.intent)

    @classmethod
    def place(cls, **fields_: Any) -> OrderAction:
        """Build the action that places an order.

        Parameters
        ----------
        **fields_
            Those of the class, by their names.
        """
        return cls(**fields_)


@dataclass(frozen=True, slots=True)
class VenueOrder(Shown):
    """An order as it stood when it was asked for; `ImperativeClient.order` gives it anew.

    Not made by hand: the verbs of a client or venue return it.

    Attributes
    ----------
    id : str
        ``"p1"``, ``"p2"``, … in the order in which the account's orders were sent.
    market_id : str
        ``"<id>:no"`` for the NO side of a prediction market.
    side : {"buy", "sell"}
    quantity, filled_quantity : float
        The whole order, and what of it has filled; units or contracts.
    price : float or None
        The limit; None for a market order.
    order_type : {"limit", "market"}
    status : {"new", "partial", "filled", "canceled", "rejected"}
        The first two are open. A partly filled order that ended is ``"canceled"``.
    submitted_at : datetime
        When it was sent, UTC.
    venue_name : str
    metadata : mapping
        ``"intent"``, why it was sent, where that was said. ``"reason"``, why it was rejected, or
        cancelled by other means than a cancel. ``"required"`` and ``"available"``, the numbers of
        a refusal that compares two.
    average_price : float or None
        Of what has filled; None before the first fill.
    fees : float
        Paid so far; below 0 for a rebate.
    tif : {"gtc", "ioc"}
    post_only, reduce_only : bool
    client_order_id : str or None
        The name that its sender gave it.
    leverage : float or None
        Perpetuals only.

    Examples
    --------
    An order is a picture, not a handle. It does not change when the market does:

    >>> ex = hz.connect("paper")
    >>> sent = ex.buy("AAPL", 10, limit=180.0)
    >>> fills = ex.tick("AAPL", 179.5)
    >>> sent.status, ex.order(sent.id).status
    ('new', 'filled')

    What the market refuses comes back as an order too:

    >>> refused = ex.buy("MSFT", 5, market=True)
    >>> refused.is_rejected, refused.metadata["reason"]
    (True, 'no price: MSFT has had no tick yet')
    """

    id: str
    market_id: str
    side: str
    quantity: float
    filled_quantity: float
    price: float | None
    order_type: str
    status: str
    submitted_at: datetime
    venue_name: str
    metadata: Mapping[str, Any] = field(default_factory=lambda: FrozenDict())
    average_price: float | None = None
    fees: float = 0.0
    tif: str = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    client_order_id: str | None = None
    leverage: float | None = None

    @property
    def remaining(self) -> float:
        """What has not filled; an open order may still fill it, an ended one will not."""
        return self.quantity - self.filled_quantity

    @property
    def is_open(self) -> bool:
        """Whether the order can still fill."""
        return self.status in ("new", "partial")

    @property
    def is_filled(self) -> bool:
        """Whether the whole quantity has filled."""
        return self.status == "filled"

    @property
    def is_rejected(self) -> bool:
        """Whether the venue refused it; ``metadata["reason"]`` says why."""
        return self.status == "rejected"


@dataclass(frozen=True, slots=True)
class VenueFill(Shown):
    """One execution of one order, in venue words.

    Not made by hand: ``ex.fills()`` and ``ex.tick(…)`` return it.

    Attributes
    ----------
    id : str
        ``"f1"``, ``"f2"``, … in the order in which they happened.
    order_id : str
        The order that it belongs to.
    market_id : str
        ``"<id>:no"`` for the NO side of a prediction market.
    side : {"buy", "sell"}
    quantity : float
        Units or contracts of this execution alone; above 0.
    price : float
        Of one unit, slippage included.
    fee : float
        ``|quantity × price × multiplier| × rate``, in currency; below 0 is a rebate.
    timestamp : float
        Seconds since 1970.
    is_maker : bool
        Whether the order had rested; it then pays the maker's rate.
    realized_pnl : float
        Profit of the part that closed a position, before fees; 0 for what opened one.
    venue_name : str

    Examples
    --------
    Buy 10 at 180 and sell 4 of them at 185, at a fee of 10 basis points. The second fill costs
    4 × 185 × 0.001 = 0.74 and realises 4 × (185 − 180) = 20:

    >>> ex = hz.connect("paper", fee_bps=10)
    >>> fills = ex.tick("AAPL", 180.0)
    >>> order = ex.buy("AAPL", 10, market=True)
    >>> fills = ex.tick("AAPL", 185.0)
    >>> order = ex.sell("AAPL", 4, market=True)
    >>> [(fill.side, fill.price, fill.fee, fill.realized_pnl) for fill in ex.fills()]
    [('buy', 180.0, 1.8, 0.0), ('sell', 185.0, 0.74, 20.0)]
    """

    id: str
    order_id: str
    market_id: str
    side: str
    quantity: float
    price: float
    fee: float
    timestamp: float
    is_maker: bool
    realized_pnl: float
    venue_name: str


@dataclass(frozen=True, slots=True)
class VenuePosition(Shown):
    """What is held on one side of one market.

    Not made by hand: ``ex.positions()`` returns it.

    Attributes
    ----------
    market_id : str
        ``"<id>:no"`` for the NO side of a prediction market.
    quantity : float
        Units or contracts; below 0 is short.
    avg_cost : float
        Average price of what is held. It moves when the position grows, not when it shrinks.
    mark : float or None
        The market's last price; None before its first.
    unrealized_pnl : float
        ``quantity × (mark − avg_cost) × multiplier``; 0 without a mark.
    realized_pnl : float
        Profit of what was closed in this market so far, before fees.
    fees : float
        Paid in this market so far.
    asset_class : AssetClass
    venue_name : str
    leverage : float or None
        Perpetuals only.

    Examples
    --------
    Short 10 at 200; the price falls by 10:

    >>> ex = hz.connect("paper")
    >>> fills = ex.tick("TSLA", 200.0)
    >>> order = ex.short("TSLA", 10, market=True)
    >>> fills = ex.tick("TSLA", 190.0)
    >>> held = ex.positions()[0]
    >>> held.quantity, held.avg_cost, held.mark, held.unrealized_pnl
    (-10.0, 200.0, 190.0, 100.0)
    """

    market_id: str
    quantity: float
    avg_cost: float
    mark: float | None
    unrealized_pnl: float
    realized_pnl: float
    fees: float
    asset_class: AssetClass
    venue_name: str
    leverage: float | None = None

    @property
    def is_long(self) -> bool:
        """Whether more is owned than owed."""
        return self.quantity > 0

    @property
    def is_short(self) -> bool:
        """Whether more is owed than owned."""
        return self.quantity < 0


@dataclass(frozen=True, slots=True)
class VenueCapital(Shown):
    """The account's money, in `currency`.

    ``equity - initial_cash == realized_pnl + unrealized_pnl - fees``, up to rounding.

    Not made by hand: ``ex.balance()`` returns it.

    Attributes
    ----------
    cash : float
        Money in the account. A short sale adds what it brings in; a perpetual takes only its fee
        and what it realises.
    equity : float
        Cash and what all positions are worth at their marks; a perpetual is worth its profit.
    buying_power : float
        What an opening order may still reserve.
    used_buying_power : float
        What positions and open orders reserve.
    initial_cash : float
        What the account began with.
    realized_pnl : float
        Profit of everything that was closed, before fees.
    unrealized_pnl : float
        Profit of everything that is held, at its marks.
    fees : float
        All that was paid; below 0 where rebates were more.
    currency : str
    venue_name : str

    Examples
    --------
    Short 10 at 200. The sale brings in 2,000. What is owed is worth 2,000 as well, so equity is
    as before; and the position reserves 150 % of that:

    >>> ex = hz.connect("paper", initial_cash_usd=10_000)
    >>> fills = ex.tick("TSLA", 200.0)
    >>> order = ex.short("TSLA", 10, market=True)
    >>> money = ex.balance()
    >>> money.cash, money.equity, money.used_buying_power, money.buying_power
    (12000.0, 10000.0, 3000.0, 9000.0)

    Printed, it is a table:

    >>> print(money)
    VenueCapital on paper, in USD
      cash               12,000.00
      equity             10,000.00
      buying_power        9,000.00
      used_buying_power   3,000.00
      initial_cash       10,000.00
      realized_pnl            0.00
      unrealized_pnl          0.00
      fees                    0.00
    """

    cash: float
    equity: float
    buying_power: float
    used_buying_power: float
    initial_cash: float
    realized_pnl: float
    unrealized_pnl: float
    fees: float
    currency: str
    venue_name: str

    def __str__(self) -> str:
        rows = [
            (item.name, words.cash(getattr(self, item.name), "").strip())
            for item in fields(self)
            if item.name not in ("currency", "venue_name")
        ]
        wide = max(len(amount) for _, amount in rows)
        title = f"VenueCapital on {self.venue_name}, in {words.name(self.currency)}"
        return "\n".join([title, *(f"  {name:<17}  {amount:>{wide}}" for name, amount in rows)])


@dataclass(frozen=True, slots=True)
class VenueQuote(Shown):
    """The last tick of a market: price, and the bid and ask if that tick brought them.

    Not made by hand: ``ex.quote(…)`` returns it.

    Attributes
    ----------
    market_id : str
        As it was asked for; by the id of a NO side all prices are NO's.
    price : float
        Last price, or a bar's close.
    bid, ask : float or None
        None where the last tick did not bring it, whatever an earlier one did.
    volume : float or None
        Of that tick or bar.
    timestamp : float
        Seconds since 1970.

    Examples
    --------
    >>> ex = hz.connect("paper")
    >>> fills = ex.tick("rain", 0.62, 5.0, bid=0.61, ask=0.63)
    >>> yes = ex.quote("rain")
    >>> no = ex.quote("rain:no")
    >>> (yes.bid, yes.ask), (no.bid, no.ask), no.timestamp
    ((0.61, 0.63), (0.37, 0.39), 5.0)
    """

    market_id: str
    price: float
    bid: float | None
    ask: float | None
    volume: float | None
    timestamp: float


@dataclass(frozen=True, slots=True)
class VenueSettlement(Shown):
    """The close of one position at a market's settlement price, without fee.

    Not made by hand: ``ex.settle(…)`` and ``ex.settlements()`` return it.

    Attributes
    ----------
    market_id : str
        ``"<id>:no"`` for the NO side of a prediction market.
    quantity : float
        What was held; below 0 was short.
    price : float
        What each unit was worth at the end, in the price of that side.
    realized_pnl : float
        Profit of this close: ``quantity × (price − average cost) × multiplier``.
    timestamp : float
        Seconds since 1970.

    Examples
    --------
    100 contracts that pay 1.00 each if it rains, bought at 0.50. It rains:

    >>> ex = hz.connect("paper")
    >>> order = ex.buy_prediction("rain", 100, limit=0.50)
    >>> fills = ex.tick("rain", 0.45)
    >>> [(end.quantity, end.price, end.realized_pnl) for end in ex.settle("rain", 1.0)]
    [(100.0, 1.0, 50.0)]
    """

    market_id: str
    quantity: float
    price: float
    realized_pnl: float
    timestamp: float


# ------------------------------------------------------------------------ engine words
class _RequestFields(NamedTuple):
    market_id: str
    side: Side
    order_side: OrderSide
    size: float
    price: float | None
    tif: str
    post_only: bool
    reduce_only: bool
    client_order_id: str | None
    leverage: float | None


class OrderRequest(_RequestFields):
    """One order in engine words; immutable, and cheap enough to build on every tick.

    Parameters
    ----------
    market_id : str
        The market, without a side: the NO contract is ``side=Side.No``.
    side : Side
        ``Yes`` or ``No`` of a prediction market, ``Long`` for everything else.
    order_side : OrderSide
    size : float
        In units or contracts; above 0.
    price : float, optional
        The limit, in the price of `side`; without one it is a market order.
    tif, post_only, reduce_only, client_order_id, leverage
        As in `OrderAction`.

    Raises
    ------
    TypeError, ValueError
        For any field that is not as above.

    Examples
    --------
    Sell 5 at 20 or better, and the same at whatever there is:

    >>> patient = hz.OrderRequest("ACME", hz.Side.Long, hz.OrderSide.Sell, 5, 20.0)
    >>> urgent = patient._replace(price=None)
    >>> patient.is_market, urgent.is_market
    (False, True)
    >>> engine = hz.Engine()
    >>> engine.submit_order(patient)
    'p1'
    """

    __slots__ = ()

    def __new__(
        cls,
        market_id: str,
        side: Side,
        order_side: OrderSide,
        size: float,
        price: float | None = None,
        *,
        tif: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
        leverage: float | None = None,
    ) -> OrderRequest:
        """Check every field, then build the record."""
        if type(size) is not float or not 0.0 < size <= checks.LARGEST:
            size = checks.positive("size", size)
        if price is not None and (type(price) is not float or not 0.0 < price <= checks.LARGEST):
            price = checks.positive("price", price)
        if type(side) is not Side:
            raise TypeError(f"side must be a Side (Yes, No or Long), was {checks.show(side)}")
        if type(order_side) is not OrderSide:
            raise TypeError(
                f"order_side must be an OrderSide (Buy or Sell), was {checks.show(order_side)}"
            )
        checks.market_id("market_id", market_id)
        if tif != "gtc":
            checks.one_of("tif", tif, ("gtc", "ioc"))
        if post_only is not False:
            post_only = checks.flag("post_only", post_only)
            if post_only and price is None:
                raise ValueError("post_only needs a limit order: give a price")
        if reduce_only is not False:
            reduce_only = checks.flag("reduce_only", reduce_only)
        if client_order_id is not None:
            checks.text("client_order_id", client_order_id)
        if leverage is not None:
            leverage = check_leverage(leverage)
        return tuple.__new__(
            cls,
            (
                market_id,
                side,
                order_side,
                size,
                price,
                tif,
                post_only,
                reduce_only,
                client_order_id,
                leverage,
            ),
        )

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return tuple(self[:5]), dict(zip(self._fields[5:], self[5:], strict=True))

    def _replace(self, **changes: Any) -> OrderRequest:
        # The named tuple's own would build the record without the checks above.
        return OrderRequest(**{**self._asdict(), **changes})

    def _repr_html_(self) -> str:
        return _table("OrderRequest", self._asdict())

    @property
    def is_market(self) -> bool:
        """Whether there is no limit price."""
        return self.price is None


class _QuoteFields(NamedTuple):
    bid: float | None
    ask: float | None
    size: float


class Quote(_QuoteFields):
    """A two-sided quote: buy `size` at `bid`, sell `size` at `ask`.

    A quote may reach outside a market's price bounds, as a wide spread near 0 or 1 does: such a
    leg is not sent, and counted among the refusals.

    Parameters
    ----------
    bid, ask : float or None
        Prices. One of the two may be None: nothing is quoted on that side.
    size : float
        Units or contracts of each side; above 0.

    Raises
    ------
    TypeError, ValueError
        If `bid` or `ask` is not finite, both are None, `bid` lies above `ask` (equal is legal),
        or `size` is not above 0.

    Examples
    --------
    >>> quote = hz.Quote(99.5, 100.5, 10)
    >>> quote.ask - quote.bid
    1.0
    >>> hz.Quote(100.5, 99.5, 10)
    Traceback (most recent call last):
    ...
    ValueError: bid must not lie above ask, was 100.5 over 99.5
    """

    __slots__ = ()

    def __new__(cls, bid: float | None, ask: float | None, size: float) -> Quote:
        # A pipeline makes one at every tick. Only finite floats pass the comparisons in line;
        # whatever else it is goes through the checks, which say what is wrong with it.
        if type(size) is int:
            size = float(size) if -1e15 <= size <= 1e15 else size
        if (
            type(bid) is float
            and type(ask) is float
            and type(size) is float
            and -1e15 <= bid <= ask <= 1e15
            and 0.0 < size <= 1e15
        ):
            return tuple.__new__(cls, (bid, ask, size))
        bid = None if bid is None else checks.number("bid", bid)
        ask = None if ask is None else checks.number("ask", ask)
        size = checks.positive("size", size)
        if bid is None and ask is None:
            raise ValueError("bid or ask must be a price, were both None; quote nothing with []")
        if bid is not None and ask is not None and bid > ask:
            raise ValueError(f"bid must not lie above ask, was {bid} over {ask}")
        return tuple.__new__(cls, (bid, ask, size))

    @classmethod
    def _make(cls, iterable: Iterable[Any]) -> Quote:  # type: ignore[override]
        # The named tuple's own would build the record without the checks above.
        return cls(*iterable)

    def __getnewargs__(self) -> tuple[float | None, float | None, float]:
        return self.bid, self.ask, self.size

    def _replace(self, **changes: Any) -> Quote:
        return Quote(**{**self._asdict(), **changes})

    def _repr_html_(self) -> str:
        return _table("Quote", self._asdict())


@dataclass(frozen=True, slots=True)
class Fill(Shown):
    """One execution of one order, in engine words.

    Not made by hand: `Engine.drain_fills` and a backtest's ``result.trades`` return it.

    Attributes
    ----------
    order_id : str
        The order that it belongs to.
    market_id : str
        The market, without a side.
    side : Side
        ``Yes`` or ``No`` of a prediction market, else ``Long``.
    order_side : OrderSide
    size : float
        Units or contracts of this execution alone; above 0.
    price : float
        In the price of `side`, slippage included.
    fee : float
        ``|size × price × multiplier| × rate``, in currency; below 0 is a rebate.
    timestamp : float
        Seconds since 1970.
    is_maker : bool
        Whether the order had rested; it then pays the maker's rate.
    realized_pnl : float
        Profit of the part that closed a position, before fees; 0 for what opened one.

    Examples
    --------
    >>> engine = hz.Engine(paper_fee_rate=0.001)
    >>> _ = engine.tick("ACME", 20.0, 1.0)
    >>> _ = engine.submit_order(hz.OrderRequest("ACME", hz.Side.Long, hz.OrderSide.Buy, 5))
    >>> fill = engine.drain_fills()[0]
    >>> fill.order_side, fill.size, fill.price, fill.fee, fill.is_maker
    (OrderSide.Buy, 5.0, 20.0, 0.1, False)
    """

    order_id: str
    market_id: str
    side: Side
    order_side: OrderSide
    size: float
    price: float
    fee: float
    timestamp: float
    is_maker: bool
    realized_pnl: float


@dataclass(frozen=True, slots=True)
class Position(Shown):
    """What is held on one side of one market, in engine words.

    Not made by hand: `Engine.positions` returns it.

    Attributes
    ----------
    market_id : str
        The market, without a side.
    side : Side
        ``Yes`` or ``No`` of a prediction market, else ``Long``.
    size : float
        Units or contracts; below 0 is short.
    avg_entry_price : float
        Average price of what is held, in the price of `side`. It moves when the position grows,
        not when it shrinks.
    realized_pnl : float
        Profit of what was closed on this side so far, before fees.
    unrealized_pnl : float
        ``size × (mark − avg_entry_price) × multiplier``; 0 without a mark.

    Examples
    --------
    Sell 5 short at 20; at 18 each of them has gained 2:

    >>> engine = hz.Engine(paper_fee_rate=0.0)
    >>> _ = engine.tick("ACME", 20.0, 1.0)
    >>> _ = engine.submit_order(hz.OrderRequest("ACME", hz.Side.Long, hz.OrderSide.Sell, 5))
    >>> _ = engine.tick("ACME", 18.0, 2.0)
    >>> [(held.size, held.avg_entry_price, held.unrealized_pnl) for held in engine.positions()]
    [(-5.0, 20.0, 10.0)]
    """

    market_id: str
    side: Side
    size: float
    avg_entry_price: float
    realized_pnl: float
    unrealized_pnl: float


# ------------------------------------------------------------------------ shared checks
def check_leverage(leverage: object) -> float | None:
    """Take a leverage of 1 to 100, or None."""
    if leverage is None:
        return None
    checked = checks.number("leverage", leverage)
    if not 1.0 <= checked <= 100.0:
        raise ValueError(f"leverage must lie between 1 and 100, was {checked:g}")
    return checked


def _limit_or_market(price: float | None, *, market: bool, price_name: str) -> None:
    if market and price is not None:
        raise ValueError(
            f"{price_name} and a market order exclude each other: was {checks.show(price)}"
        )
    if not market and price is None:
        raise ValueError(f"a limit order needs a {price_name}; or make it a market order")
