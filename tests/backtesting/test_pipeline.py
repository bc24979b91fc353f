"""Stages: what they are given, what they may return, and what happens when they fail."""

from __future__ import annotations

import functools
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.errors import HorizonError, PipelineError
from tests.backtesting.scenes import Timetable, buy, equity, fills, orders, play, quote, ticks

DATA = ticks(0.50, 0.51, 0.52)


def run(*stages: Any, data: Any = DATA, **how: Any) -> Any:
    how.setdefault("paper_fee_rate", 0.0)
    return hz.backtest(markets=["m"], data=data, pipeline=list(stages), **how)


# ---------------------------------------------------------------------------- what they are given
def test_each_stage_gets_as_many_of_the_last_outputs_as_it_takes() -> None:
    got: dict[str, Any] = {}

    def first(ctx: Any) -> str:
        return "a"

    def second(ctx: Any, prev: Any) -> str:
        got["second"] = (prev,)
        return "b"

    def third(ctx: Any, x: Any, y: Any) -> str:
        got["third"] = (x, y)
        return "c"

    def fourth(ctx: Any, x: Any) -> str:
        got["fourth"] = (x,)
        return "d"

    def fifth(ctx: Any, w: Any, x: Any, y: Any, z: Any) -> None:
        got["fifth"] = (w, x, y, z)

    run(first, second, third, fourth, fifth, data=ticks(0.5))

    assert got == {
        "second": ("a",),
        "third": ("a", "b"),
        "fourth": ("c",),
        "fifth": ("a", "b", "c", "d"),
    }


def test_a_star_takes_everything_so_far() -> None:
    got: list[Any] = []

    def first(*args: Any) -> int:
        got.append(len(args))
        return 1

    def second(ctx: Any) -> int:
        return 2

    def third(ctx: Any, *before: Any) -> None:
        got.append(before)

    run(first, second, third, data=ticks(0.5))

    assert got == [1, (1, 2)]


def test_partials_methods_lambdas_and_objects_are_stages() -> None:
    got: list[Any] = []

    def scaled(factor: float, ctx: Any) -> float:
        return factor * ctx.feed.price

    class Model:
        def above(self, ctx: Any, value: float) -> float:
            return value + 0.01

        def __call__(self, ctx: Any, a: float, b: float) -> float:
            return a + b

        @staticmethod
        def note(ctx: Any, value: float) -> None:
            got.append(value)

    def named(ctx: Any, value: float, *, factor: float) -> float:
        return value * factor

    model = Model()
    run(
        functools.partial(scaled, 2.0),
        model.above,
        model,
        lambda ctx, value: value,
        functools.partial(named, factor=10.0),
        Model.note,
        data=ticks(0.25),
    )

    # 0.5, 0.51, their sum 1.01, and ten times that.
    assert got == [pytest.approx(10.1, abs=1e-12)]


def test_a_default_keeps_its_value() -> None:
    got: list[Any] = []

    def model(ctx: Any) -> float:
        return 0.6

    def quoter(ctx: Any, fair: float, spread: float = 0.04) -> None:
        got.append((fair, spread))

    def last(ctx: Any, *, size: int = 3) -> None:
        got.append(size)

    run(model, quoter, last, data=ticks(0.5))

    assert got == [(0.6, 0.04), 3]


def test_outputs_do_not_survive_their_row() -> None:
    got: list[Any] = []

    def first(ctx: Any) -> float | None:
        return 0.9 if ctx.timestamp == 0 else None

    def second(ctx: Any, prev: Any) -> None:
        got.append(prev)

    run(first, second)

    assert got == [0.9, None, None]


def test_only_the_last_stage_orders() -> None:
    result = run(lambda ctx: quote(0.45, 0.55), lambda ctx: None)

    assert orders(result) == []


def test_an_output_may_be_anything_between_stages() -> None:
    got: list[Any] = []
    thing = {"signal": np.arange(3)}
    run(lambda ctx: thing, lambda ctx, x: got.append(x), data=ticks(0.5))

    assert got == [thing]


@pytest.mark.parametrize(
    "number",
    [0.5, 1, np.float64(0.5), np.int64(1), np.float32(0.5), Decimal("0.5"), Fraction(1, 2)],
    ids=lambda number: type(number).__name__,
)
def test_a_number_rests_nothing_whatever_its_kind(number: Any) -> None:
    result = run(lambda ctx: quote(0.45, 0.55) if ctx.timestamp == 0 else number)

    assert [row[-1] for row in orders(result)] == ["canceled", "canceled"]


@pytest.mark.parametrize(
    "number",
    [0.6, np.float64(0.6), Decimal("0.6"), Fraction(3, 5)],
    ids=lambda number: type(number).__name__,
)
def test_a_number_of_any_kind_is_a_fair_value(number: Any) -> None:
    table = Timetable({0.0: [buy(1, 0.50)]})
    result = run(lambda ctx: number, lambda ctx, fair: table(ctx), data=ticks(0.5, 0.5))

    assert result.metrics.avg_edge == pytest.approx(0.10, abs=1e-12)


def test_a_list_may_mix_quotes_and_requests() -> None:
    result = run(lambda ctx: [*quote(0.45, 0.55), buy(3, 0.40)], data=ticks(0.5))

    assert [row[1:4] for row in orders(result)] == [
        ("buy", 10.0, 0.45),
        ("sell", 10.0, 0.55),
        ("buy", 3.0, 0.40),
    ]


# ---------------------------------------------------------------------------- failing
def broken(ctx: Any, fair: float) -> Any:
    if ctx.timestamp == 1.0:
        raise KeyError("spread")
    return quote(fair - 0.05, fair + 0.05)


def model(ctx: Any) -> float:
    return ctx.feed.price


def test_an_exception_names_stage_market_and_time() -> None:
    with pytest.raises(PipelineError) as caught:
        run(model, broken)

    error = caught.value
    assert isinstance(error, HorizonError)
    assert (error.stage, error.market_id, error.timestamp) == ("broken", "m", 1.0)
    assert isinstance(error.__cause__, KeyError)
    for word in ("broken", "'m'", "KeyError", "spread"):
        assert word in str(error)


class Mute(Exception):
    """An exception that cannot say itself."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def mute(ctx: Any, fair: float) -> Any:
    raise Mute


def test_an_exception_without_a_text_does_not_hide_where_it_was_raised() -> None:
    with pytest.raises(PipelineError) as caught:
        run(model, mute)

    error = caught.value
    assert (error.stage, error.market_id, error.timestamp) == ("mute", "m", 0.0)
    assert isinstance(error.__cause__, Mute)
    assert str(error).endswith(": Mute: (its text cannot be read: RuntimeError)")


def test_an_exception_without_a_text_is_skipped_and_counted_like_any_other() -> None:
    result = run(model, mute, on_error="skip", data=ticks(0.50, 0.50))

    assert result.errors == {"mute": 2}
    assert [text.rpartition(": Mute: ")[2] for text in result.error_texts] == [
        "(its text cannot be read: RuntimeError)"
    ] * 2


def test_a_strategys_exception_without_a_text_hides_nothing_either() -> None:
    def speechless(f: Any, universe: Any) -> Any:
        raise Mute

    with pytest.raises(PipelineError) as caught:
        hz.backtest(data=ticks(0.50), strategies=[hz.strategy(speechless)])

    assert str(caught.value).startswith("strategy 'speechless' failed")
    assert str(caught.value).endswith(": Mute: (its text cannot be read: RuntimeError)")


def test_skip_counts_and_leaves_the_step_as_it_is() -> None:
    result = run(model, broken, on_error="skip", data=ticks(0.50, 0.50, 0.44))

    assert result.errors == {"broken": 1}
    assert any("spread" in text for text in result.error_texts)
    # The quote of row 0 still rests at row 2, and is met there.
    assert fills(result) == [(2.0, "buy", 10.0, pytest.approx(0.45, abs=1e-12))]


def test_skip_goes_on_with_the_other_markets() -> None:
    ran: list[str] = []

    def stage(ctx: Any) -> Any:
        ran.append(ctx.market_id)
        if ctx.market_id == "x":
            raise ValueError("no")
        return None

    data = {"a": ticks(0.5), "b": ticks(0.5)}
    result = play(stage, data, markets=["x", "y"], feeds={"x": "a", "y": "b"}, on_error="skip")

    assert ran == ["x", "y"]
    assert result.errors == {"stage": 1}


def test_a_partial_is_named_by_its_function() -> None:
    def fails(factor: float, ctx: Any) -> float:
        return factor / 0.0

    with pytest.raises(PipelineError) as caught:
        run(functools.partial(fails, 1.0))
    assert caught.value.stage == "fails"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_object_is_named_by_its_class() -> None:
    class Quoter:
        def __call__(self, ctx: Any) -> Any:
            raise RuntimeError("tired")

    with pytest.raises(PipelineError) as caught:
        run(Quoter())
    assert caught.value.stage == "Quoter"


def test_an_interrupt_is_no_failure_of_a_stage() -> None:
    def stage(ctx: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stage, on_error="skip")


class Thing:
    def __repr__(self) -> str:
        return "<a thing>"


@pytest.mark.parametrize(
    "nonsense,culprit",
    [
        ("buy", "buy"),
        ({"bid": 0.4}, {"bid": 0.4}),
        (True, True),
        (Thing(), Thing()),
        ([0.4, 0.6], 0.4),
        ([None], None),
        ([*quote(0.4, 0.6), "x"], "x"),
        ((0.4, 0.6), 0.4),
    ],
    ids=["text", "dict", "bool", "object", "numbers", "None", "mixed", "tuple"],
)
def test_nonsense_from_the_last_stage_is_refused_with_its_value(
    nonsense: Any, culprit: Any
) -> None:
    def quoter(ctx: Any) -> Any:
        return nonsense

    with pytest.raises(PipelineError) as caught:
        run(quoter)
    error = caught.value
    assert (error.stage, error.market_id, error.timestamp) == ("quoter", "m", 0.0)
    assert "quotes" in str(error) or "Quote" in str(error)
    assert repr(culprit) in str(error)

    skipped = run(quoter, on_error="skip")
    assert skipped.errors == {"quoter": 3}
    assert orders(skipped) == []


def test_nonsense_sends_nothing_of_its_list() -> None:
    result = run(lambda ctx: [buy(1, 0.4), "and more"], on_error="skip")

    assert orders(result) == []


@pytest.mark.parametrize("number", [math.nan, math.inf], ids=repr)
def test_a_quote_around_what_is_no_number_fails_where_it_is_made(number: float) -> None:
    with pytest.raises(PipelineError) as caught:
        run(lambda ctx: hz.quotes(number, 0.02, 1))
    assert isinstance(caught.value.__cause__, ValueError)
    assert "fair" in str(caught.value)


def test_an_order_that_the_market_cannot_have_is_a_failure_of_the_stage() -> None:
    # Long belongs to what has no sides; 1.2 is no price of a prediction.
    for request, word in (
        (hz.OrderRequest("m", hz.Side.Yes, hz.OrderSide.Buy, 1.0, 1.2), "1.2"),
        (hz.OrderRequest("m:no", hz.Side.Yes, hz.OrderSide.Buy, 1.0, 0.2), "m:no"),
    ):
        with pytest.raises(PipelineError) as caught:
            run(lambda ctx, request=request: [request])
        assert isinstance(caught.value.__cause__, (ValueError, TypeError))
        assert word in str(caught.value)


# ---------------------------------------------------------------------------- refused at the door
async def later(ctx: Any) -> None: ...


def generator(ctx: Any) -> Any:
    yield 1


class Awaited:
    async def __call__(self, ctx: Any) -> None: ...


def nothing() -> None: ...


def keyword(ctx: Any, *, spread: float) -> None: ...


def greedy(ctx: Any, a: Any, b: Any) -> None: ...


def needs_one(ctx: Any, a: Any) -> None: ...


@pytest.mark.parametrize(
    "stages,kind,words",
    [
        ([nothing], ValueError, ["nothing", "context"]),
        ([needs_one], ValueError, ["needs_one", "1"]),
        ([model, greedy], ValueError, ["greedy", "2", "1"]),
        ([keyword], ValueError, ["keyword", "spread"]),
        ([later], TypeError, ["later", "async"]),
        ([Awaited()], TypeError, ["Awaited", "async"]),
        ([functools.partial(later)], TypeError, ["later", "async"]),
        ([generator], TypeError, ["generator"]),
        ([model, 0.5], TypeError, ["pipeline[1]", "0.5"]),
        (["model"], TypeError, ["pipeline[0]", "'model'"]),
        ([], ValueError, ["pipeline"]),
        (None, TypeError, ["pipeline", "None"]),
        (model, TypeError, ["pipeline", "list"]),
        ("model", TypeError, ["pipeline", "'model'"]),
    ],
)
def test_what_is_no_pipeline_is_refused_before_any_row(
    stages: Any, kind: type[Exception], words: list[str]
) -> None:
    with pytest.raises(kind) as caught:
        hz.backtest(markets=["m"], data=DATA, pipeline=stages)
    assert not isinstance(caught.value, PipelineError)
    for word in words:
        assert word in str(caught.value)


def test_a_function_that_returns_an_awaitable_is_refused() -> None:
    coroutine = later(None)
    with pytest.raises(PipelineError, match="coroutine"):
        run(lambda ctx: coroutine)
    coroutine.close()


# ---------------------------------------------------------------------------- nothing survives
def test_nothing_survives_from_one_run_into_the_next() -> None:
    params = {"size": 3}
    results = []
    for _ in range(2):
        stage = Timetable({0.0: [buy(3, 0.60, client_order_id="mine")]})
        results.append(run(stage, params=params))

    assert params == {"size": 3}
    assert fills(results[0]) == fills(results[1]) == [(1.0, "buy", 3.0, 0.60)]
    assert equity(results[0]) == equity(results[1])
    assert [fill.order_id for fill in results[0].fills] == [f.order_id for f in results[1].fills]


def test_a_result_is_not_touched_by_what_the_caller_does_with_its_lists() -> None:
    result = run(Timetable({0.0: [buy(3, 0.60)]}))
    result.fills.clear()
    result.equity_curve.clear()
    frame = result.fills_frame()
    frame["price"] = 0.0

    assert len(result.fills) == 1
    assert len(result.equity_curve) == 3
    assert result.fills_frame().price.tolist() == [0.60]
