"""Calls with what a function does not take: refused in words, and only those."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import horizon as hz
from horizon import calls
from horizon.calls import ORDER_WORDS, RUN_WORDS, caller_level, explained, meant


@pytest.fixture
def ex() -> hz.ImperativeClient:
    client = hz.connect("paper", clock=lambda: 0.0)
    client.tick("AAPL", 180.0)
    return client


@pytest.mark.parametrize(
    ("verb", "given", "words"),
    [
        ("buy", {"quantity": 10}, "buy() has no argument 'quantity'. Did you mean qty?"),
        ("sell", {"size": 10}, "sell() has no argument 'size'. Did you mean qty?"),
        ("short", {"amount": 10}, "short() has no argument 'amount'. Did you mean qty?"),
        ("cover", {"Shares": 10}, "cover() has no argument 'Shares'. Did you mean qty?"),
        ("buy", {"qty": 10, "price": 1}, "buy() has no argument 'price'. Did you mean limit?"),
        ("buy", {"qty": 1, "limt": 1}, "buy() has no argument 'limt'. Did you mean limit?"),
        ("buy", {"qty": 1, "symbol": "A"}, "no argument 'symbol'. Did you mean market_id?"),
        ("buy", {"qty": 1, "type": "limit"}, "no argument 'type'. Did you mean limit or market?"),
        (
            "buy",
            {"qty": 1, "side": "buy"},
            "buy() has no argument 'side': buying and selling are verbs of their own",
        ),
        (
            "sell",
            {"qty": 1, "stop": 170.0},
            "sell() has no argument 'stop': there are no stop orders",
        ),
        ("sell", {"qty": 1, "take_profit": 1}, "'take_profit': there are no bracket orders"),
        ("buy", {"qty": 1, "leverage": 2}, "that belongs to buy_perp and sell_perp"),
        ("buy_perp", {"quantity": 1}, "buy_perp() has no argument 'quantity'. Did you mean qty?"),
        ("sell_perp", {"levrage": 1}, "'levrage'. Did you mean leverage?"),
        ("buy_option", {"contracts": 1}, "buy_option() has no argument 'contracts'. Did you mean"),
        ("sell_option", {"right_": 1}, "'right_'. Did you mean right?"),
        ("buy_prediction", {"outcome": "no"}, "no argument 'outcome'. Did you mean side?"),
        ("sell_prediction", {"size": 1}, "'size'. Did you mean qty?"),
        ("preview", {"quantity": 10}, "preview() has no argument 'quantity'. Did you mean qty?"),
        ("amend", {"price": 1}, "amend() has no argument 'price'. Did you mean new_price?"),
        ("amend", {"qty": 1}, "amend() has no argument 'qty'. Did you mean new_quantity?"),
        ("preview_amend", {"size": 1}, "'size'. Did you mean new_quantity?"),
        ("settle", {"outcome": 1.0}, "settle() has no argument 'outcome'. Did you mean price?"),
        ("twap", {"qty": 1, "slices": 3}, "'slices'. Did you mean num_slices?"),
        (
            "twap",
            {"qty": 1, "limit": 3},
            "twap() has no argument 'limit'. Did you mean price_limit?",
        ),
        ("vwap", {"qty": 1, "profile": []}, "'profile'. Did you mean volume_profile?"),
        ("iceberg", {"qty": 1, "display": 3}, "'display'. Did you mean show_size?"),
        ("iceberg", {"qty": 1, "price": 3}, "'price'. Did you mean limit?"),
        (
            "buy",
            {"qty": 1, "zzz": 3},
            "buy() has no argument 'zzz'; it takes market_id, qty, limit, market, tif, post_only, "
            "reduce_only, client_order_id",
        ),
        ("buy", {}, "buy() needs qty, which was not given"),
        ("twap", {"qty": 1}, "twap() needs duration_secs and num_slices, which were not given"),
        ("buy", {"qty": 1, "market_id": "A"}, "buy() was given market_id twice"),
    ],
)
def test_a_verb_says_what_it_takes(
    ex: hz.ImperativeClient, verb: str, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError) as caught:
        getattr(ex, verb)("AAPL", **given)
    assert words in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert ex.orders() == []
    assert ex.algos == []


def test_a_limit_in_third_place_is_told_its_name(ex: hz.ImperativeClient) -> None:
    with pytest.raises(TypeError) as caught:
        ex.buy("AAPL", 10, 180.0)  # type: ignore[call-arg]
    assert str(caught.value) == (
        "buy() takes market_id, qty without their names, was given 3 arguments; by name it takes "
        "limit, market, tif, post_only, reduce_only, client_order_id"
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"strategy": 1}, "backtest() has no argument 'strategy'. Did you mean strategies or pipe"),
        ({"cash": 1}, "backtest() has no argument 'cash'. Did you mean initial_capital?"),
        ({"commission": 0}, "'commission'. Did you mean paper_fee_rate?"),
        ({"df": []}, "'df'. Did you mean data?"),
        ({"slippage": 5}, "'slippage'. Did you mean slippage_bps?"),
        ({"stop_loss": 5}, "'stop_loss': there are no stop orders"),
        ({"pipelin": 5}, "'pipelin'. Did you mean pipeline?"),
        ({"zzz": 5}, "backtest() has no argument 'zzz'; it takes name, markets, data, feeds"),
        ({"name": {"price": [1.0]}}, "name must be text, was a dict; data are given by their own"),
        ({"name": "ticks.csv"}, "nothing to replay; a file is given as data='ticks.csv'"),
    ],
)
def test_a_backtest_says_what_it_takes(given: dict[str, Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        hz.backtest(**{"pipeline": [lambda ctx: None], **given})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cash": 1}, "'cash' is no option of venue 'paper'; its options are initial_cash_usd,"),
        ({"cash": 1}, ". Did you mean 'initial_cash_usd'?"),
        ({"commission": 1}, ". Did you mean 'fee_bps'?"),
        ({"latency_ms": 1}, ". Did you mean 'latency'?"),
        ({"venue": "book", "capital": 1}, ". Did you mean 'initial_cash'?"),
    ],
)
def test_connect_says_what_its_venue_takes(given: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError) as caught:
        hz.connect(**{"venue": "paper", **given})
    assert words in str(caught.value)


def test_connect_asks_for_a_venue() -> None:
    with pytest.raises(TypeError, match=r"^connect\(\) needs venue, which was not given$"):
        hz.connect()  # type: ignore[call-arg]


# ------------------------------------------------------------------------ what stays as it is
def failing(how: Callable[[], object]) -> Callable[..., object]:
    @explained(ORDER_WORDS)
    def verb(qty: float, *, limit: float | None = None) -> object:
        """Do it."""
        return how()

    return verb


def test_an_error_from_inside_is_raised_as_it_is() -> None:
    def inner() -> object:
        return (lambda qty: qty)(quantity=3)  # type: ignore[call-arg]

    with pytest.raises(TypeError, match="unexpected keyword argument 'quantity'"):
        failing(inner)(1.0)
    own = TypeError("as it was")

    def raising() -> object:
        raise own

    with pytest.raises(TypeError) as caught:
        failing(raising)(1.0, limit=2.0)
    assert caught.value is own
    with pytest.raises(ZeroDivisionError):
        failing(lambda: 1 / 0)(1.0)


def test_a_wrong_call_does_nothing() -> None:
    called = []
    with pytest.raises(TypeError, match="Did you mean qty"):
        failing(lambda: called.append(1))(quantity=3)
    assert called == []


def test_the_signature_and_the_words_are_those_of_the_function() -> None:
    verb = failing(lambda: 5)
    assert (
        str(inspect.signature(verb))
        == "(qty: 'float', *, limit: 'float | None' = None) -> 'object'"
    )
    assert (verb.__name__, verb.__doc__) == ("verb", "Do it.")
    assert list(inspect.signature(hz.ImperativeClient.buy).parameters) == [
        "self",
        "market_id",
        "qty",
        "limit",
        "market",
        "tif",
        "post_only",
        "reduce_only",
        "client_order_id",
    ]
    assert pickle.loads(pickle.dumps(hz.backtest)) is hz.backtest


def test_what_is_meant_must_be_there() -> None:
    assert meant("strategy", ["strategies", "data"], RUN_WORDS) == ["strategies"]
    assert meant("strategy", ["data"], RUN_WORDS) == []
    assert meant("datum", ["data"], {}) == ["data"]


@pytest.mark.parametrize("words", ["ORDER_WORDS", "RUN_WORDS", "OPTION_WORDS"])
def test_every_word_leads_to_an_argument_that_something_has(words: str) -> None:
    client = hz.ImperativeClient
    functions: list[Callable[..., Any]] = [hz.backtest, hz.walk_forward, hz.connect]
    functions += [hz.Paper, hz.venues.BookAccount]
    functions += [client.amend, client.buy_option, client.buy_prediction, client.settle]
    functions += [client.twap, client.vwap, client.iceberg]
    there = {name for one in functions for name in inspect.signature(one).parameters}
    missing = {
        name: found
        for name, targets in getattr(calls, words).items()
        if (found := [one for one in targets if one not in there])
    }
    assert missing == {}


def test_the_callers_level_is_that_of_the_first_frame_outside() -> None:
    assert caller_level() == 1
    namespace: dict[str, Any] = {"__name__": "horizon.made_up", "caller_level": caller_level}
    exec("def inner(): return caller_level()\ndef outer(): return inner()", namespace)
    assert namespace["outer"]() == 3  # inner, outer, and this test
