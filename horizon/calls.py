"""Calls that a function cannot take, refused in words: what was meant, or what there is."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, ParamSpec, TypeVar

from horizon import checks

__all__ = ["OPTION_WORDS", "ORDER_WORDS", "RUN_WORDS", "caller_level", "explained", "meant"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

#: What an argument is called elsewhere, and what it is called here: of several names, those that
#: the function has.
Words = Mapping[str, Sequence[str]]

_MARKET: Final = ("market_id",)
_QUANTITY: Final = ("qty", "new_quantity")
_PRICE: Final = ("limit", "new_price", "price_limit")

#: Of orders.
ORDER_WORDS: Final[Words] = {
    "asset": _MARKET,
    "instrument": _MARKET,
    "name": _MARKET,
    "symbol": _MARKET,
    "ticker": _MARKET,
    "amount": _QUANTITY,
    "qty": _QUANTITY,
    "contracts": _QUANTITY,
    "quantity": _QUANTITY,
    "shares": _QUANTITY,
    "size": _QUANTITY,
    "units": _QUANTITY,
    "volume": _QUANTITY,
    "limit": _PRICE,
    "limit_price": _PRICE,
    "price": _PRICE,
    "order_type": ("limit", "market"),
    "type": ("limit", "market"),
    "time_in_force": ("tif",),
    "client_id": ("client_order_id",),
    "order_id": ("client_order_id",),
    "id": ("order_id", "client_order_id"),
    "outcome": ("side", "price"),
    "display": ("show_size",),
    "display_size": ("show_size",),
    "visible": ("show_size",),
    "duration": ("duration_secs",),
    "seconds": ("duration_secs",),
    "n_slices": ("num_slices",),
    "slices": ("num_slices",),
    "profile": ("volume_profile",),
    "weights": ("volume_profile",),
}
#: Of runs over history.
RUN_WORDS: Final[Words] = {
    "bars": ("data",),
    "df": ("data",),
    "prices": ("data",),
    "ticks": ("data",),
    "books": ("book_data",),
    "symbols": ("markets",),
    "tickers": ("markets",),
    "universe": ("markets",),
    "stages": ("pipeline",),
    "strategy": ("strategies", "pipeline", "pipeline_factory"),
    "balance": ("initial_capital",),
    "capital": ("initial_capital",),
    "cash": ("initial_capital",),
    "init_cash": ("initial_capital",),
    "initial_cash": ("initial_capital",),
    "commission": ("paper_fee_rate",),
    "commissions": ("paper_fee_rate",),
    "fee": ("paper_fee_rate", "fees"),
    "fee_bps": ("paper_fee_rate",),
    "fee_rate": ("paper_fee_rate",),
    "maker_fee_rate": ("paper_maker_fee_rate",),
    "taker_fee_rate": ("paper_taker_fee_rate",),
    "slippage": ("slippage_bps",),
    "risk_config": ("risk",),
    "parameters": ("params",),
    "seed": ("rng_seed",),
    "random_state": ("rng_seed",),
    "start": ("trade_from",),
    "timeframe": ("interval",),
    "tz": ("timezone",),
    "folds": ("n_splits",),
    "n_folds": ("n_splits",),
    "splits": ("n_splits",),
    "grid": ("param_grid",),
    "metric": ("objective",),
}
_CASH: Final = ("initial_cash_usd", "initial_cash")
_MAKER: Final = ("maker_fee_rate", "maker_fee")
#: Of venues.
OPTION_WORDS: Final[Words] = {
    "balance": _CASH,
    "capital": _CASH,
    "cash": _CASH,
    "initial_balance": _CASH,
    "initial_capital": _CASH,
    "initial_cash": _CASH,
    "initial_cash_usd": _CASH,
    "commission": ("fee_bps",),
    "fee": ("fee_bps", "fees"),
    "fee_rate": ("maker_fee_rate", "taker_fee_rate"),
    "paper_fee_rate": ("maker_fee_rate", "taker_fee_rate"),
    "latency_ms": ("latency",),
    "slippage": ("slippage_bps",),
    "risk_config": ("risk",),
}
#: What there is none of here, and why.
_ABSENT: Final[Mapping[str, str]] = {
    "side": "buying and selling are verbs of their own",
    "action": "buying and selling are verbs of their own",
    "notional": "an order is sized by qty, in units",
    "cash": "an order is sized by qty, in units",
    "stop": "there are no stop orders",
    "stop_limit": "there are no stop orders",
    "stop_loss": "there are no stop orders",
    "stop_price": "there are no stop orders",
    "sl": "there are no stop orders",
    "trail": "there are no stop orders",
    "trailing_stop": "there are no stop orders",
    "trigger": "there are no stop orders",
    "bracket": "there are no bracket orders",
    "take_profit": "there are no bracket orders",
    "target": "there are no bracket orders",
    "tp": "there are no bracket orders",
    "leverage": "that belongs to buy_perp and sell_perp",
    "benchmark": "a tearsheet has one, result.tearsheet(benchmark=…)",
}


def explained(words: Words) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Let a function that is called with what it does not take say what it takes.

    Only a call that cannot be bound is told in other words. A ``TypeError`` from inside the
    function is raised as it is.

    Parameters
    ----------
    words : mapping of str to sequence of str
        Names that an argument has elsewhere, and those that it has here.

    Returns
    -------
    callable
        The decorator. It keeps the signature, and costs a call that succeeds next to nothing.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            __tracebackhide__ = True  # of no interest to who reads an error of the function
            try:
                return function(*args, **kwargs)
            except TypeError:
                wrong = _wrong_call(function, args, kwargs, words)
                if wrong is None:
                    raise
            raise TypeError(wrong)

        return call

    return decorate


def meant(name: str, accepted: Iterable[str], words: Words) -> list[str]:
    """Say which of the `accepted` arguments may have been meant; empty where none is near."""
    known = list(accepted)
    found = [one for one in words.get(name.casefold(), ()) if one in known]
    if not found:
        near = checks.nearest(name, known)
        found = [] if near is None else [near]
    return found


def caller_level() -> int:
    """Where the caller of this package stands, as ``warnings.warn`` counts for ``stacklevel=``.

    To be asked by the function that warns.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_globals.get("__name__", "").partition(".")[0] == "horizon":
        if frame.f_back is None:
            break
        level, frame = level + 1, frame.f_back
    return level


def _wrong_call(
    function: Callable[..., Any], args: tuple[Any, ...], given: Mapping[str, Any], words: Words
) -> str | None:
    """Say what is wrong with a call; None where it could be made."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **given)
    except TypeError as error:
        otherwise = str(error)
    else:
        return None
    called = f"{getattr(function, '__name__', 'the function')}()"
    placed = [
        one.name
        for one in signature.parameters.values()
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    named = [one.name for one in signature.parameters.values() if one.kind is one.KEYWORD_ONLY]
    count = len(args)
    if placed[:1] == ["self"]:
        placed, count = placed[1:], count - 1
    for name in given:
        if name not in placed and name not in named:
            return f"{called} has no argument {name!r}{_instead(name, [*placed, *named], words)}"
    if count > len(placed):
        more = f"; by name it takes {', '.join(named)}" if named else ""
        return (
            f"{called} takes {', '.join(placed) or 'nothing'} without their names, was given "
            f"{count} arguments{more}"
        )
    for name in placed[:count]:
        if name in given:
            return f"{called} was given {name} twice, without its name and with it"
    missing = [
        name
        for name in [*placed[count:], *named]
        if name not in given and signature.parameters[name].default is inspect.Parameter.empty
    ]
    if missing:
        was = "was" if len(missing) == 1 else "were"
        return f"{called} needs {' and '.join(missing)}, which {was} not given"
    return f"{called}: {otherwise}"  # no call of a function that we know of


def _instead(name: str, accepted: list[str], words: Words) -> str:
    word = name.casefold()
    is_ours = any(one in accepted for one in words.get(word, ()))
    if word in _ABSENT and not is_ours:
        return f": {_ABSENT[word]}"
    found = meant(name, accepted, words)
    return f". Did you mean {' or '.join(found)}?" if found else f"; it takes {', '.join(accepted)}"
