"""What the ticket's form says: an order, read from the texts that were written in its fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from horizon import words
from horizon.instruments import NO_SUFFIX, Market, option_id
from horizon.types import AssetClass
from horizon.widgets.fields import FieldError, is_ticked, number_of, one_of, whole_of
from horizon.widgets.ticket.form import ALGOS, KINDS, SIZES, kind_of, known_market

__all__ = ["Draft", "field_of", "read"]

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
    ("new_quantity", "new_quantity"),
    ("new_price", "new_limit"),
    ("market", "market"),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as the form says it, read and not yet checked by the venue.

    `target` is what an order verb takes; `name` names it for a reader. `algo` is ``"twap"``,
    ``"vwap"``, ``"iceberg"`` or None. `size_by` is one of `SIZES`, and `size` what was written
    for it: units, money, or percent. `quantity` is 0, which nothing takes for an order, until
    money or a share has been turned into units; see `horizon.widgets.ticket.size`.
    """

    target: str | Market
    name: str
    kind: AssetClass
    side: str
    size_by: str
    size: float
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


def read(values: Mapping[str, str], known: Callable[[str], Market | None]) -> Draft:
    """Read the order from the form's texts.

    Raises
    ------
    FieldError
        For the first field that cannot be read.
    """
    one_of(values, "kind", ("auto", *KINDS))
    kind = kind_of(values, known)
    target, name = _target(values, kind, known)
    order = one_of(values, "order", ("limit", "market", *ALGOS))
    algo = order if order in ALGOS else None
    size_by = one_of(values, "size_by", tuple(SIZES))
    size = _number(values, SIZES[size_by])
    if size_by == "power" and size > 100.0:
        raise FieldError(
            "share",
            f"share must be at most 100 % of the buying power, was {words.name(values['share'])}",
        )
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
        size_by=size_by,
        size=size,
        quantity=size if size_by == "quantity" else 0.0,
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
    chosen = KINDS.get(values["kind"])
    market = known_market(text, known)
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


_CALLED: Final = {
    "limit": "limit price",
    "show": "size shown",
    "new_quantity": "new quantity",
    "new_limit": "new limit",
}


def field_of(message: str) -> str | None:
    """Say which field a message of the core is about; None if it is about none alone."""
    return next((field for start, field in _FIELDS if message.startswith(start)), None)
