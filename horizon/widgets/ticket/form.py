"""The order ticket's form: which fields an order of a kind has.

Nothing here knows a widget: a form is described by plain dictionaries, which the page draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from horizon import checks, words
from horizon.instruments import Market, canonical_id, class_of_id, split_side
from horizon.types import AssetClass
from horizon.venues.simulated import SimulatedVenue
from horizon.widgets.access import unit_of
from horizon.widgets.fields import (
    check,
    choice,
    date,
    number,
    radio,
    text,
)

__all__ = [
    "ALGOS",
    "DEFAULTS",
    "KINDS",
    "SIZES",
    "amend_fields",
    "fields",
    "kind_of",
    "known_market",
    "prefilled",
]

#: What the form's fields hold at first.
DEFAULTS: Final[Mapping[str, str]] = {
    "market": "",
    "kind": "auto",
    "outcome": "yes",
    "underlying": "",
    "expiry": "",
    "right": "call",
    "strike": "",
    "leverage": "",
    "side": "buy",
    "order": "limit",
    "size_by": "quantity",
    "quantity": "",
    "notional": "",
    "share": "",
    "limit": "",
    "tif": "gtc",
    "post_only": "",
    "reduce_only": "",
    "duration": "60",
    "slices": "10",
    "profile": "1, 2, 3, 2, 1",
    "show": "",
    "new_quantity": "",
    "new_limit": "",
}
#: By what an order may be sized, and the field that says it.
SIZES: Final[Mapping[str, str]] = {
    "quantity": "quantity",
    "notional": "notional",
    "power": "share",
}
#: Where the slider of a share of buying power stops, in percent.
_SHARES: Final = ("1", "5", "10", "20", "25", "30", "40", "50", "60", "70", "75", "80", "90", "100")
#: Orders that are worked by an algorithm, by their names.
ALGOS: Final = {"twap": "TWAP", "vwap": "VWAP", "iceberg": "Iceberg"}
KINDS: Final = {
    "equity": AssetClass.Equity,
    "prediction": AssetClass.Prediction,
    "option": AssetClass.Option,
    "perp": AssetClass.Perp,
    "crypto": AssetClass.Crypto,
}
_KIND_LABELS: Final = (
    ("auto", "By its name"),
    ("prediction", "Prediction"),
    ("equity", "Equity"),
    ("option", "Option"),
    ("perp", "Perpetual"),
    ("crypto", "Crypto"),
)


def kind_of(values: Mapping[str, str], known: Callable[[str], Market | None]) -> AssetClass:
    """Say which kind of market the form is about.

    What the venue knows of the market counts first, then the field "kind", then the name.
    """
    text = values["market"].strip()
    chosen = KINDS.get(values["kind"])
    if text:
        market = known_market(text, known)
        if market is not None:
            return market.asset_class
        if chosen is None:
            try:
                return class_of_id(text)
            except ValueError:  # an option symbol that cannot be: the preview will say why
                return AssetClass.Option
    return AssetClass.Equity if chosen is None else chosen


def known_market(text: str, known: Callable[[str], Market | None]) -> Market | None:
    """What the venue knows of a market by this name; None for a name that none can have."""
    try:
        return known(text)
    except (TypeError, ValueError):
        return None


# ------------------------------------------------------------------------ which fields
def fields(
    values: Mapping[str, str],
    kind: AssetClass,
    markets: Sequence[str],
    currency: str,
    comes_to: str = "",
) -> list[dict[str, Any]]:
    """Describe the fields of an order of this kind, in the order in which they are read.

    `comes_to` is what money or a share of it come to in units, where they are what is written.
    """
    order = values["order"]
    unit = unit_of(kind)
    money = words.name(currency)
    shown = [
        text("market", "Market", suggestions=markets, words=True),
        _brief(choice("kind", "Kind of market", _KIND_LABELS), "Kind"),
    ]
    if kind is AssetClass.Prediction:
        outcome = radio("outcome", "Outcome that pays 1", (("yes", "YES", ""), ("no", "NO", "")))
        shown.append(_brief(outcome, "Outcome"))
    elif kind is AssetClass.Option and not values["market"].strip():
        shown += [
            _brief(text("underlying", "Underlying, symbol", words=True), "Underlying"),
            _brief(date("expiry", "Expiry, a day"), "Expiry"),
            radio("right", "Right", (("call", "Call", ""), ("put", "Put", ""))),
            _brief(text("strike", f"Strike, {money}"), "Strike", money),
        ]
    shown.append(
        radio("side", "Side", (("buy", "BUY +", "buy"), ("sell", "SELL −", "sell")), wide=True)
    )
    shown += [
        choice(
            "order",
            "Order type",
            (
                ("limit", "Limit"),
                ("market", "Market"),
                ("twap", "TWAP: equal slices over time"),
                ("vwap", "VWAP: slices by a volume profile"),
                ("iceberg", "Iceberg: shows a part at a time"),
            ),
        ),
        choice("size_by", "Size by", _size_options(unit, money)),
        _size_field(values["size_by"], unit, money, comes_to),
    ]
    if order in ("limit", "iceberg"):
        limit = text("limit", _limit_label("Limit price", kind, money))
        shown.append(_brief(limit, "Limit price", money))
    elif order in ("twap", "vwap"):
        limit = text("limit", _limit_label("Price limit, optional", kind, money))
        shown.append(_brief(limit, "Price limit", money, is_optional=True))
    if order in ("twap", "vwap"):
        shown.append(_brief(text("duration", "Duration, seconds of market time"), "Duration", "s"))
    if order == "twap":
        shown.append(_brief(text("slices", "Slices, number"), "Slices"))
    elif order == "vwap":
        shown.append(_brief(text("profile", "Profile, weights", words=True), "Profile"))
    elif order == "iceberg":
        shown.append(_brief(text("show", f"Shown at a time, {unit}"), "Shown at a time", unit))
    if kind is AssetClass.Perp and order in ("limit", "market"):
        leverage = text("leverage", "Leverage, times (optional)")
        shown.append(_brief(leverage, "Leverage", "times", is_optional=True))
    if order == "limit":
        shown += [
            choice("tif", "Valid", (("gtc", "Until cancelled"), ("ioc", "Now or never"))),
            _brief(check("post_only", "Post only: never take liquidity"), "Post only"),
        ]
    shown.append(_brief(check("reduce_only", "Reduce only: never open a position"), "Reduce only"))
    return shown


def _brief(
    field: dict[str, Any], brief: str, unit: str = "", *, is_optional: bool = False
) -> dict[str, Any]:
    """Show the beginning of a field's label beside it, and the unit in it.

    The whole label stays the field's name, and is what a pointer over it shows.
    """
    return {**field, "brief": brief, "unit": unit, "optional": is_optional}


def _size_options(unit: str, money: str) -> tuple[tuple[str, str], ...]:
    return (
        ("quantity", unit),
        ("notional", money),
        ("power", "% of power"),
    )


def _size_field(size_by: str, unit: str, money: str, comes_to: str) -> dict[str, Any]:
    if size_by == "notional":
        return number("notional", f"Notional, {money}, before fees", hint=comes_to)
    if size_by == "power":
        return number("share", "Share of buying power, %", stops=_SHARES, hint=comes_to)
    return text("quantity", f"Quantity, {unit}")


def amend_fields(kind: AssetClass, currency: str, *, has_limit: bool) -> list[dict[str, Any]]:
    """Describe what of an open order may be changed."""
    shown = [text("new_quantity", f"New quantity, {unit_of(kind)}, filled ones included")]
    if has_limit:
        shown.append(text("new_limit", _limit_label("New limit", kind, words.name(currency))))
    return shown


def _limit_label(label: str, kind: AssetClass, money: str) -> str:
    if kind is AssetClass.Option:
        return f"{label}, {money} per unit of the underlying"
    if kind is AssetClass.Prediction:
        return f"{label}, {money}, 0 to 1"
    return f"{label}, {money}"


# ------------------------------------------------------------------------ written from elsewhere
def prefilled(
    values: Mapping[str, str],
    venue: SimulatedVenue,
    market: str | None,
    side: str | None,
    price: float | None,
    quantity: float | None,
) -> dict[str, str]:
    """Say what fields hold once a market, side, price or quantity are written into them.

    Raises
    ------
    TypeError, ValueError
        For one that cannot be.
    """
    written: dict[str, str] = {}
    if market is not None:
        venue.market(checks.market_id("market", market))
        base, is_no = split_side(canonical_id(market))
        written |= {"market": base, "kind": "auto", "outcome": "no" if is_no else "yes"}
        if is_no and base not in venue.account.markets:
            written["kind"] = "prediction"
    if side is not None:
        written["side"] = checks.one_of("side", side, ("buy", "sell"))
    if price is not None:
        written["limit"] = f"{checks.positive('price', price):.15g}"
        if values["order"] == "market":
            written["order"] = "limit"
    if quantity is not None:
        written["quantity"] = f"{checks.positive('quantity', quantity):.15g}"
        written["size_by"] = "quantity"
    return written
