"""One run: what it is given, and what comes of it."""

import math
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.errors import PipelineError
from horizon.venues.latency import Latency
from horizon.walkforward.failures import failure_of, raised
from horizon.walkforward.tasks import Outcome, Plan, Task, make_pipeline, run_task, setting_text
from horizon.walkforward.whole import plan_of, whole_of
from tests.walkforward.worked import NS, holding, ticks_of


def plan(data: Any, settings: list[dict[str, Any]], factory: Any = holding, **more: Any) -> Plan:
    own = {"objective": "total_return", "maximize": True} | {
        name: more.pop(name) for name in ("objective", "maximize") if name in more
    }
    arguments = {"paper_fee_rate": 0.0} | more
    return plan_of(
        whole_of(data, arguments), factory, settings, risk=None, initial_capital=1000.0, **own
    )


def task(start: float, end: float, *, orders: float | None = None, rows: float | None = None,
         setting: int = 0, **more: Any) -> Task:  # fmt: skip
    at = [start, end, start if orders is None else orders, start if rows is None else rows]
    return Task(0, "train", 0, setting, *[round(one * NS) for one in at], **more)


def test_a_run_has_the_rows_of_its_stretch(rising: Any) -> None:
    out = run_task(plan(rising, [{"size": 2.0}]), task(10, 20, keeps_record=True))
    # Bought at the second row (111), marked at the last before 20 (119): 2 × 8.
    assert out.objective == 16.0
    assert (out.rows, out.trades, out.why) == (10, 1, "")
    assert out.metrics["total_return"] == 16.0
    assert math.isnan(out.metrics["brier_score"])
    assert out.record is not None
    assert out.record.times_ns.tolist() == [at * NS for at in range(10, 20)]
    assert out.record.equity.tolist() == [1000.0 + 2.0 * max(0, k - 1) for k in range(10)]
    assert out.record.replayed is None
    assert out.record.name == "walk-forward: the training of window 0"


def test_a_warm_up_runs_the_pipeline_without_orders(rising: Any) -> None:
    seen: list[float] = []

    def factory(params: dict[str, Any]) -> Any:
        def watch(ctx: Any) -> None:
            seen.append(ctx.timestamp)

        return [watch, lambda ctx: hz.quotes(ctx.feed.price, 2.0, 1)]

    out = run_task(plan(rising, [{}], factory), task(10, 14, rows=7, keeps_record=True))
    assert seen == [7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0]
    assert out.rows == 7
    assert out.record is not None
    assert out.record.times_ns.tolist() == [at * NS for at in range(10, 14)]
    assert out.record.fills.times_ns.min() > 10 * NS


def test_orders_may_begin_after_the_rows_of_the_stretch(rising: Any) -> None:
    def factory(params: dict[str, Any]) -> Any:
        def buy(ctx: Any) -> Any:
            return [hz.OrderRequest("market", hz.Side.Long, hz.OrderSide.Buy, 1.0)]

        return [buy]

    out = run_task(plan(rising, [{}], factory), task(10, 14, orders=12, keeps_record=True))
    assert out.record is not None
    assert out.record.fills.times_ns.tolist() == [13 * NS]  # decided at 12


def test_returns_are_kept_where_they_are_asked_for(rising: Any) -> None:
    own = plan(rising, [{"size": 2.0}])
    out = run_task(own, task(0, 4, keeps_returns=True))
    # Bought at 101; then 102 and 103: 1000, 1000, 1002, 1004.
    assert out.returns_ns.tolist() == [1 * NS, 2 * NS, 3 * NS]
    assert out.returns.tolist() == pytest.approx([0.0, 0.002, 2 / 1002], abs=1e-15)
    assert out.record is None
    assert not len(run_task(own, task(0, 4)).returns)


def test_metrics_have_the_sampling_of_the_whole(rising: Any) -> None:
    own = plan(rising, [{"size": 2.0}])
    for stretch in (task(0, 10), task(10, 90)):
        assert run_task(own, stretch).metrics["periods_per_year"] == own.sampling.periods_per_year


# ------------------------------------------------------------------------ objectives
@pytest.mark.parametrize(
    "value, maximize, why",
    [
        (math.nan, True, "judge is NaN"),
        (None, True, "judge is None"),
        (-math.inf, True, "judge is -inf"),
        (math.inf, False, "judge is inf"),
        (math.inf, True, ""),
        (-math.inf, False, ""),
        (3, True, ""),
        (np.float32(2.5), True, ""),
    ],
)
def test_what_an_objective_says(rising: Any, value: Any, maximize: bool, why: str) -> None:
    def judge(result: hz.BacktestResult) -> Any:
        assert result.metrics.total_trades == 1
        return value

    out = run_task(plan(rising, [{"size": 1.0}], objective=judge, maximize=maximize), task(0, 9))
    assert out.why == why
    assert (math.isnan(out.objective)) == bool(why)
    if not why:
        assert out.objective == float(value)


def test_a_run_without_trades_says_nothing(rising: Any) -> None:
    asked: list[Any] = []
    own = plan(rising, [{"size": 0.0}], objective=asked.append)
    out = run_task(own, task(0, 9))
    assert math.isnan(out.objective)
    assert out.why == "no trades"
    assert not asked


@pytest.mark.parametrize("value", ["1", True, [1.0], 1j], ids=["text", "bool", "list", "complex"])
def test_an_objective_that_is_no_number_is_refused(rising: Any, value: Any) -> None:
    own = plan(rising, [{"size": 1.0}], objective=lambda result: value)
    with pytest.raises(TypeError, match=r"must return a number, returned .* with size=1\.0"):
        run_task(own, task(0, 9))


def test_an_objective_that_raises_names_the_setting(rising: Any) -> None:
    def judge(result: hz.BacktestResult) -> float:
        raise KeyError("sharp")

    own = plan(rising, [{"size": 1.0}], objective=judge)
    with pytest.raises(
        ValueError, match=r"objective judge raised KeyError: 'sharp', in the training of window 0"
    ) as caught:
        run_task(own, task(0, 9))
    assert isinstance(caught.value.__cause__, KeyError)


# ------------------------------------------------------------------------ factories
def test_a_factory_that_raises_is_reported_with_its_parameters() -> None:
    def factory(params: dict[str, Any]) -> Any:
        return [params["missing"]]

    with pytest.raises(
        ValueError, match=r"pipeline_factory raised KeyError: 'missing', for spread=0\.02, size=5"
    ) as caught:
        make_pipeline(factory, {"spread": 0.02, "size": 5})
    assert isinstance(caught.value.__cause__, KeyError)


class Mute(Exception):
    """An exception that cannot say itself."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def mute(given: Any) -> Any:
    raise Mute


def test_an_error_without_a_text_hides_no_parameters(rising: Any) -> None:
    unsaid = r"Mute: \(its text cannot be read: RuntimeError\)"
    with pytest.raises(ValueError, match=rf"pipeline_factory raised {unsaid}, for size=5"):
        make_pipeline(mute, {"size": 5})
    own = plan(rising, [{"size": 1.0}], objective=mute)
    with pytest.raises(ValueError, match=rf"objective mute raised {unsaid}, in the training of"):
        run_task(own, task(0, 9))
    assert isinstance(raised(failure_of(Mute())), Mute)


@pytest.mark.parametrize(
    "made, error, text",
    [
        (None, TypeError, "returned None for a=1: is there a return in it?"),
        ([], ValueError, r"returned \[\] for a=1: pipeline must have at least one stage"),
        (len, TypeError, "put it into a list"),
        ("abc", TypeError, "pipeline must be a list of functions"),
        (5, TypeError, "pipeline must be a list of functions"),
        ([5], TypeError, "for a=1"),
        ([lambda: None], (TypeError, ValueError), "for a=1"),
    ],
    ids=["none", "empty", "function", "text", "number", "numbers", "no-context"],
)
def test_what_is_no_pipeline_is_refused(made: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        make_pipeline(lambda params: made, {"a": 1})


def test_a_pipeline_may_be_any_sequence_of_stages() -> None:
    def stage(ctx: Any) -> None: ...

    for made in ([stage], (stage,), iter([stage])):
        assert make_pipeline(lambda params, made=made: made, {}) == ([stage], [])


def test_parameters_belong_to_one_run(rising: Any) -> None:
    def factory(params: dict[str, Any]) -> Any:
        params["levels"].append(1)
        params["size"] = 7.0
        assert params["levels"] == [1]
        return holding(params)

    own = plan(rising, [{"levels": [], "size": 1.0}], factory)
    first, second = run_task(own, task(0, 9)), run_task(own, task(0, 9))
    assert first == second
    assert own.settings == ({"levels": [], "size": 1.0},)


def test_models_belong_to_one_run(rising: Any) -> None:
    class Tiring(Latency):
        """Slower with each message."""

        def __init__(self) -> None:
            self.sent = 0

        def delay_ns(self, market_id: str, now_ns: int) -> int:
            self.sent += 1
            return self.sent * NS

    own = plan(rising, [{"size": 1.0}], latency=Tiring())
    wanted = task(0, 9, keeps_record=True)
    first, second = run_task(own, wanted), run_task(own, wanted)
    assert first == second
    assert first.trades == 1


def test_parameters_are_in_the_context_beside_the_runs_own(rising: Any) -> None:
    seen: list[Any] = []

    def factory(params: dict[str, Any]) -> Any:
        return [lambda ctx: seen.append((ctx.params["a"], ctx.params["lock"], ctx.params["b"]))]

    lock = threading.Lock()  # cannot be copied
    own = plan(rising, [{"a": 1, "lock": lock}], factory, params={"b": 2})
    run_task(own, task(0, 1))
    assert seen == [(1, lock, 2)]


def test_a_stage_that_raises_names_window_and_parameters(rising: Any) -> None:
    def factory(params: dict[str, Any]) -> Any:
        def divide(ctx: Any) -> float:
            return 1.0 / params["zero"]

        return [divide]

    with pytest.raises(
        PipelineError, match=r"division by zero .*training of window 0.*zero=0"
    ) as e:
        run_task(plan(rising, [{"zero": 0}], factory), task(0, 9))
    assert isinstance(e.value.__cause__, ZeroDivisionError)
    assert (e.value.stage, e.value.timestamp) == ("divide", 0.0)


def test_settings_in_words() -> None:
    assert setting_text({"spread": 0.02, "size": 5}) == "spread=0.02, size=5"
    assert setting_text({}) == "no parameters"


# ------------------------------------------------------------------------ resolutions
def test_a_resolution_behind_the_last_row_of_a_stretch_settles_with_that_row() -> None:
    data = ticks_of([0.5] * 20 + [0.6] * 20)
    own = plan(data, [{"size": 10.0}], outcomes={"market": 1.0}, resolutions={"market": 19.5})
    own = replace(own, last_rows={20 * NS: 19 * NS})
    # Bought ten at 0.5, which pay 1: 5. A stretch that ends before it is marked at 0.5.
    assert run_task(own, task(0, 20)).objective == 5.0
    assert run_task(own, task(0, 19)).objective == 0.0
    assert run_task(own, task(0, 30)).objective == 5.0
    after = run_task(own, task(20, 30))
    assert (after.why, after.trades) == ("no trades", 0)  # nothing is traded that has settled


# ------------------------------------------------------------------------ equality
def test_outcomes_are_equal_bit_by_bit(rising: Any) -> None:
    own = plan(rising, [{"size": 2.0}, {"size": 3.0}])
    wanted = task(0, 20, keeps_record=True, keeps_returns=True)
    first, again = run_task(own, wanted), run_task(own, wanted)
    assert first == again
    assert first != run_task(own, wanted._replace(setting=1))
    assert first != "something else"
    assert replace(first, seconds=99.0) == first
    assert replace(first, objective=-0.0) != replace(first, objective=0.0)
    assert replace(first, objective=math.nan) == replace(first, objective=math.nan)
    assert first.record is not None
    moved = replace(first.record, equity=np.nextafter(first.record.equity, np.inf))
    assert replace(first, record=moved) != first
    assert isinstance(first, Outcome)
