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

from horizon import checks

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
    """What kind of thing a market trades; the number is what scalar rules see."""

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
    """Which contract of a market: YES or NO of a prediction, or the plain long side."""

    Yes = "yes"
    No = "no"
    Long = "long"

    def __repr__(self) -> str:
        return f"Side.{self.name}"


class OrderSide(Enum):
    """Direction of an order in engine words."""

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
    """Gives a frozen record a notebook table of its fields, everything escaped."""

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
        Only ever reduce the position held; see `horizon.venues.Paper`.
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
        """Build the action that places an order; the fields are the class's own."""
        return cls(**fields_)


@dataclass(frozen=True, slots=True)
class VenueOrder(Shown):
    """An order as it stood when it was asked for; `ImperativeClient.order` gives it anew."""

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
    """One execution of one order, in venue words. Times are float seconds since 1970."""

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
    """What is held on one side of one market; `quantity` below 0 is short."""

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

    ``equity - initial_cash == realized_pnl + unrealized_pnl - fees``; `buying_power` is what
    an opening order may still reserve, `used_buying_power` what positions and open orders do.
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


@dataclass(frozen=True, slots=True)
class VenueQuote(Shown):
    """The last tick of a market: price, and the bid and ask if that tick brought them."""

    market_id: str
    price: float
    bid: float | None
    ask: float | None
    volume: float | None
    timestamp: float


@dataclass(frozen=True, slots=True)
class VenueSettlement(Shown):
    """The close of one position at a market's settlement price, without fee."""

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

    One of the two may be None: nothing is quoted on that side. A quote may also reach outside a
    market's price bounds, as a wide spread near 0 or 1 does: such a leg is not sent, and counted
    among the refusals.

    Raises
    ------
    TypeError, ValueError
        If `bid` or `ask` is not finite, both are None, `bid` lies above `ask` (equal is legal),
        or `size` is not above 0.
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
    """One execution of one order, in engine words. `realized_pnl` is before fees."""

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
    """What is held on one side of one market, in engine words; `size` below 0 is short."""

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
