"""The order ticket's form: which fields an order of a kind has, and what was written in them.

Nothing here knows a widget. A form is described by plain dictionaries that the page draws, and
read from the texts that it sends back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from horizon import words
from horizon.instruments import NO_SUFFIX, Market, class_of_id, option_id
from horizon.types import AssetClass
from horizon.widgets.access import unit_of
from horizon.widgets.fields import (
    FieldError,
    check,
    choice,
    is_ticked,
    number_of,
    one_of,
    radio,
    text,
    whole_of,
)

__all__ = ["DEFAULTS", "Draft", "FieldError", "field_of", "fields", "kind_of", "read"]

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
    "quantity": "",
    "limit": "",
    "tif": "gtc",
    "post_only": "",
    "reduce_only": "",
    "duration": "60",
    "slices": "10",
    "profile": "1, 2, 3, 2, 1",
    "show": "",
}
#: Orders that are worked by an algorithm, by their names.
_ALGOS: Final = {"twap": "TWAP", "vwap": "VWAP", "iceberg": "Iceberg"}
_KINDS: Final = {
    "equity": AssetClass.Equity,
    "prediction": AssetClass.Prediction,
    "option": AssetClass.Option,
    "perp": AssetClass.Perp,
    "crypto": AssetClass.Crypto,
}
_KIND_LABELS: Final = (
    ("auto", "As its name says"),
    ("prediction", "Prediction"),
    ("equity", "Equity"),
    ("option", "Option"),
    ("perp", "Perpetual"),
    ("crypto", "Crypto"),
)
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
#: The first words of the core's messages, and the field that they are about.
_FIELDS: Final = (
    ("qty", "quantity"),
    ("quantity", "quantity"),
    ("size", "quantity"),
    ("limit", "limit"),
    ("price_limit", "limit"),
    ("price ", "limit"),
    ("leverage", "leverage"),
    ("underlying", "underlying"),
    ("expiry", "expiry"),
    ("strike", "strike"),
    ("right", "right"),
    ("duration_secs", "duration"),
    ("num_slices", "slices"),
    ("volume_profile", "profile"),
    ("show_size", "show"),
    ("market", "market"),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as the form says it, read and not yet checked by the venue.

    `target` is what an order verb takes; `name` names it for a reader. `algo` is ``"twap"``,
    ``"vwap"``, ``"iceberg"`` or None.
    """

    target: str | Market
    name: str
    kind: AssetClass
    side: str
    quantity: float
    limit: float | None
    is_market: bool
    tif: str
    post_only: bool
    reduce_only: bool
    leverage: float | None
    algo: str | None
    duration: float
    slices: int
    profile: tuple[float, ...]
    show: float


def kind_of(values: Mapping[str, str], known: Callable[[str], Market | None]) -> AssetClass:
    """Say which kind of market the form is about.

    What the venue knows of the market counts first, then the field "kind", then the name.
    """
    text = values["market"].strip()
    chosen = _KINDS.get(values["kind"])
    if text:
        market = _known(text, known)
        if market is not None:
            return market.asset_class
        if chosen is None:
            try:
                return class_of_id(text)
            except ValueError:  # an option symbol that cannot be: the preview will say why
                return AssetClass.Option
    return AssetClass.Equity if chosen is None else chosen


def _known(text: str, known: Callable[[str], Market | None]) -> Market | None:
    try:
        return known(text)
    except (TypeError, ValueError):
        return None


# ------------------------------------------------------------------------ which fields
def fields(
    values: Mapping[str, str], kind: AssetClass, markets: Sequence[str], currency: str
) -> list[dict[str, Any]]:
    """Describe the fields of an order of this kind, in the order in which they are read."""
    order = values["order"]
    unit = unit_of(kind)
    money = words.name(currency)
    shown = [
        text("market", "Market", suggestions=markets, words=True),
        choice("kind", "Kind of market", _KIND_LABELS),
    ]
    if kind is AssetClass.Prediction:
        shown.append(
            radio("outcome", "Outcome that pays 1", (("yes", "YES", ""), ("no", "NO", "")))
        )
    elif kind is AssetClass.Option and not values["market"].strip():
        shown += [
            text("underlying", "Underlying, symbol", words=True),
            text("expiry", "Expiry, YYYY-MM-DD", words=True),
            radio("right", "Right", (("call", "Call", ""), ("put", "Put", ""))),
            text("strike", f"Strike, {money}"),
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
        text("quantity", f"Quantity, {unit}"),
    ]
    if order in ("limit", "iceberg"):
        shown.append(text("limit", _limit_label("Limit price", kind, money)))
    elif order in ("twap", "vwap"):
        shown.append(text("limit", _limit_label("Price limit, optional", kind, money)))
    if order in ("twap", "vwap"):
        shown.append(text("duration", "Duration, seconds of market time"))
    if order == "twap":
        shown.append(text("slices", "Slices, number"))
    elif order == "vwap":
        shown.append(text("profile", "Profile, weights", words=True))
    elif order == "iceberg":
        shown.append(text("show", f"Shown at a time, {unit}"))
    if kind is AssetClass.Perp and order in ("limit", "market"):
        shown.append(text("leverage", "Leverage, times (optional)"))
    if order == "limit":
        shown += [
            choice("tif", "Valid", (("gtc", "Until cancelled"), ("ioc", "Now or never"))),
            check("post_only", "Post only: never take liquidity"),
        ]
    shown.append(check("reduce_only", "Reduce only: never open a position"))
    return shown


def _limit_label(label: str, kind: AssetClass, money: str) -> str:
    if kind is AssetClass.Option:
        return f"{label}, {money} per unit of the underlying"
    if kind is AssetClass.Prediction:
        return f"{label}, {money}, 0 to 1"
    return f"{label}, {money}"


# ------------------------------------------------------------------------ what they say
def read(values: Mapping[str, str], known: Callable[[str], Market | None]) -> Draft:
    """Read the order from the form's texts.

    Raises
    ------
    FieldError
        For the first field that cannot be read.
    """
    one_of(values, "kind", ("auto", *_KINDS))
    kind = kind_of(values, known)
    target, name = _target(values, kind, known)
    order = one_of(values, "order", ("limit", "market", *_ALGOS))
    algo = order if order in _ALGOS else None
    quantity = _number(values, "quantity")
    limit: float | None = None
    if order in ("limit", "iceberg") or (order in ("twap", "vwap") and values["limit"].strip()):
        limit = _number(values, "limit")
    leverage = None
    if kind is AssetClass.Perp and algo is None and values["leverage"].strip():
        leverage = _number(values, "leverage")
    return Draft(
        target=target,
        name=name,
        kind=kind,
        side=one_of(values, "side", ("buy", "sell")),
        quantity=quantity,
        limit=limit,
        is_market=order == "market",
        tif=one_of(values, "tif", ("gtc", "ioc")) if order == "limit" else "gtc",
        post_only=order == "limit" and is_ticked(values, "post_only"),
        reduce_only=is_ticked(values, "reduce_only"),
        leverage=leverage,
        algo=algo,
        duration=_number(values, "duration") if order in ("twap", "vwap") else 0.0,
        slices=whole_of(values, "slices") if order == "twap" else 0,
        profile=_weights(values) if order == "vwap" else (),
        show=_number(values, "show") if order == "iceberg" else 0.0,
    )


def _target(
    values: Mapping[str, str], kind: AssetClass, known: Callable[[str], Market | None]
) -> tuple[str | Market, str]:
    """What the order verbs take, and how a reader calls it."""
    text = values["market"].strip()
    if not text:
        if kind is not AssetClass.Option:
            raise FieldError("market", "market is empty: name what to trade")
        symbol = _built_option(values)
        return symbol, symbol
    chosen = _KINDS.get(values["kind"])
    market = _known(text, known)
    if market is not None and chosen is not None and chosen is not market.asset_class:
        raise FieldError(
            "kind",
            f"kind of {words.name(text)} is known as {market.asset_class}, was {chosen}",
        )
    if kind is AssetClass.Prediction:
        base, is_no = text, one_of(values, "outcome", ("yes", "no")) == "no"
        if text.endswith(NO_SUFFIX):
            if not is_no:
                raise FieldError(
                    "outcome", f"outcome must be NO for {words.name(text)}, which names that side"
                )
            base = text[: -len(NO_SUFFIX)]
        name = f"{words.name(base)} {'NO' if is_no else 'YES'}"
        if is_no:
            return f"{base}{NO_SUFFIX}", name
        return (text if market is not None else _new(base, kind)), name
    return (text if market is not None else _new(text, kind)), words.name(text)


def _new(text: str, kind: AssetClass) -> Market:
    try:
        return Market(text, kind)
    except (TypeError, ValueError) as error:
        raise FieldError("market", str(error)) from None


def _built_option(values: Mapping[str, str]) -> str:
    underlying = values["underlying"].strip().upper()
    if not underlying:
        raise FieldError(
            "market", "market is empty: give an option's symbol, or its underlying and terms"
        )
    strike = _number(values, "strike")
    try:
        return option_id(underlying, strike, values["expiry"].strip(), values["right"])
    except (TypeError, ValueError) as error:
        raise FieldError(field_of(str(error)) or "market", str(error)) from None


def _number(values: Mapping[str, str], field: str) -> float:
    return number_of(values, field, _CALLED.get(field))


def _weights(values: Mapping[str, str]) -> tuple[float, ...]:
    text = values["profile"].strip()
    if re.search(r"\d,\d", text):
        raise FieldError(
            "profile",
            "profile must be weights with a blank between them, such as 1, 2, 1 or 0.5 2; was "
            f"{words.name(text)!r}",
        )
    parts = [part for part in re.split(r"[,;\s]+", text) if part]
    for part in parts:
        if not _NUMBER.fullmatch(part) or not 0.0 <= float(part) <= 1e15:
            raise FieldError(
                "profile", f"profile must be weights of 0 or more, has {words.name(part)!r}"
            )
    if not any(float(part) > 0.0 for part in parts):
        raise FieldError("profile", "profile must have a weight above 0, such as 1, 2, 1")
    return tuple(float(part) for part in parts)


_CALLED: Final = {"limit": "limit price", "show": "size shown", "duration": "duration"}


def field_of(message: str) -> str | None:
    """Say which field a message of the core is about; None if it is about none alone."""
    return next((field for start, field in _FIELDS if message.startswith(start)), None)
