"""The algorithm monitor: how far each has come, what it cost, and its buttons."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import horizon as hz
from horizon import TWAP, AlgoError, Market, Prediction, RiskConfig
from horizon.algos import ExecAlgo
from horizon.widgets import AlgoMonitor
from tests.scripted import ScriptedVenue
from tests.widgets.notebook import account, do, in_a_notebook, loop_now, passing


def acme(price: float = 100.0, **options: Any) -> hz.ImperativeClient:
    ex = account(**options)
    ex.tick("ACME", price, 0.0)
    return ex


def twap(ex: hz.ImperativeClient, quantity: float = 100.0, **options: Any) -> TWAP:
    """100 ACME in four slices, due 15 seconds apart."""
    return ex.twap("ACME", quantity, duration_secs=60, num_slices=4, **options)


async def shown(monitor: AlgoMonitor) -> dict[str, Any]:
    """The only algorithm on show, after a paint."""
    await passing(0.2)
    (algo,) = monitor.shown["algos"]
    return algo


def facts(algo: dict[str, Any]) -> dict[str, str]:
    return dict(algo["facts"])


# ------------------------------------------------------------------------- its life
@in_a_notebook
async def test_a_twap_is_followed_from_its_start_to_its_end() -> None:
    ex = acme()
    monitor = AlgoMonitor(ex)
    assert monitor.shown["algos"] == []
    assert monitor.shown["name"] == "Algorithms: 0 running"
    # A page without cells has no place for code.
    assert monitor.shown["empty"].endswith("in a ticket, or call ex.twap(…).")
    assert monitor.shown["page_empty"].endswith("Choose TWAP, VWAP or Iceberg in a ticket.")
    algo = twap(ex)
    seen = await shown(monitor)
    assert monitor.shown["name"] == "Algorithms: 1 running"
    assert (seen["title"], seen["status"], seen["side"]) == (
        "TWAP a1: 100 ACME",
        "running",
        "BUY +",
    )
    assert seen["summary"] == "0 of 100 shares filled (0 %)"
    assert facts(seen) == {
        "Planned by now, shares": "0",
        "Average price, USD": "–",
        "Slippage to arrival": "–",
        "Slippage to schedule": "–",
        "Slices sent": "0 of 4",
        "Next slice": "–",
        "Time left": "begins with the first tick",
    }

    ex.tick("ACME", 100.0, 1_000.0)  # the first slice goes out at 100
    ex.tick("ACME", 99.0, 1_010.0)  # and fills there
    seen = await shown(monitor)
    assert seen["summary"] == "25 of 100 shares filled (25 %)"
    assert facts(seen) == {
        "Planned by now, shares": "25",
        "Average price, USD": "100.00",
        "Slippage to arrival": "0.0 bps",
        "Slippage to schedule": "0.0 bps",
        "Slices sent": "1 of 4",
        # 1,015 s are 16 minutes and 55 seconds.
        "Next slice": "00:16:55 UTC, in 5 s",
        "Time left": "50 s",
    }
    assert (seen["bar"]["percent"], seen["bar"]["planned"]) == (25.0, 25.0)
    assert seen["bar"]["name"] == "Progress of TWAP a1, BUY +100 ACME"
    assert seen["bar"]["words"] == "25 of 100 shares filled, 25 %"

    ex.tick("ACME", 102.0, 1_015.0)
    ex.tick("ACME", 101.0, 1_020.0)  # the second slice fills at its 102
    seen = await shown(monitor)
    # (100 + 102) / 2 = 101 against an arrival at 100: one percent. The schedule's own price
    # is 101 as well.
    assert facts(seen)["Average price, USD"] == "101.00"
    assert facts(seen)["Slippage to arrival"] == "100.0 bps worse"
    assert facts(seen)["Slippage to schedule"] == "0.0 bps"

    algo.pause()
    ex.tick("ACME", 104.0, 1_030.0)  # the third comes due, and is not sent
    seen = await shown(monitor)
    assert seen["status"] == "PAUSED"
    assert facts(seen)["Next slice"] == "paused"
    assert (seen["bar"]["percent"], seen["bar"]["planned"]) == (50.0, 75.0)
    assert facts(seen)["Slices sent"] == "2 of 4"
    algo.resume()
    ex.tick("ACME", 104.0, 1_031.0)
    ex.tick("ACME", 103.0, 1_032.0)
    seen = await shown(monitor)
    # (100 + 102 + 104) / 3 = 102.
    assert facts(seen)["Slippage to arrival"] == "200.0 bps worse"

    ex.tick("ACME", 103.0, 1_060.0)  # over, and a quarter is missing
    seen = await shown(monitor)
    assert (seen["status"], seen["actions"]) == ("expired", [])
    assert seen["summary"] == "75 of 100 shares filled (75 %)"
    assert facts(seen)["Time left"] == "ended"
    assert facts(seen)["Next slice"] == "–"
    assert monitor.shown["name"] == "Algorithms: 0 running"


@in_a_notebook
async def test_a_sale_that_got_more_than_its_arrival_is_better() -> None:
    ex = acme()
    ex.buy("ACME", 100, market=True)
    monitor = AlgoMonitor(twap(ex, side="sell"))
    ex.tick("ACME", 100.0, 1.0)  # arrival, and 25 are offered there
    ex.tick("ACME", 102.0, 16.0)  # filled at 100; 25 more at 102
    ex.tick("ACME", 103.0, 17.0)
    seen = await shown(monitor)
    assert seen["bar"]["name"] == "Progress of TWAP a1, SELL −100 ACME"
    # (100 + 102) / 2 = 101 for what was worth 100.
    assert facts(seen)["Slippage to arrival"] == "100.0 bps better"
    assert seen["tone"] == "sell"


@in_a_notebook
async def test_an_iceberg_has_no_end_and_its_visible_part_is_its_plan() -> None:
    ex = acme()
    monitor = AlgoMonitor(ex)
    ex.iceberg("ACME", 100, show_size=40, limit=99.0)
    ex.tick("ACME", 100.0, 1.0)
    seen = await shown(monitor)
    assert seen["title"] == "Iceberg a1: 100 ACME"
    assert facts(seen)["Time left"] == "no end set"
    assert facts(seen)["Planned by now, shares"] == "40"
    assert facts(seen)["Slices sent"] == "1 of 3"  # 40, 40 and 20
    ex.tick("ACME", 99.0, 2.0)
    ex.tick("ACME", 99.0, 3.0)
    ex.tick("ACME", 99.0, 4.0)
    seen = await shown(monitor)
    assert (seen["status"], seen["bar"]["percent"]) == ("completed", 100.0)
    assert seen["summary"] == "100 of 100 shares filled (100 %)"


@in_a_notebook
async def test_what_is_not_filled_is_never_shown_as_100_percent() -> None:
    venue = ScriptedVenue()
    ex = hz.connect(venue)
    ex.tick("ACME", 100.0, 0.0)
    algo = ex.iceberg("ACME", 1_000, show_size=1_000, limit=99.0)
    ex.tick("ACME", 100.0, 1.0)
    venue.fill(algo.child_order_ids[0], 999.996)
    monitor = AlgoMonitor(ex)
    seen = await shown(monitor)
    assert seen["bar"]["percent"] == 99.9
    assert seen["summary"] == "999.996 of 1,000 shares filled (99.9 %)"
    assert seen["bar"]["words"] == "999.996 of 1,000 shares filled, 99.9 %"
    venue.fill(algo.child_order_ids[0])
    assert (await shown(monitor))["bar"]["percent"] == 100.0


@in_a_notebook
async def test_the_size_is_shown_with_every_digit_that_was_asked_for() -> None:
    ex = acme()
    monitor = AlgoMonitor(twap(ex, 1234.567))
    seen = await shown(monitor)
    assert seen["title"] == "TWAP a1: 1,234.567 ACME"
    assert seen["summary"] == "0 of 1,234.567 shares filled (0 %)"


@in_a_notebook
async def test_a_slice_of_another_day_is_told_with_its_date() -> None:
    ex = acme()
    monitor = AlgoMonitor(ex.twap("ACME", 10, duration_secs=10 * 86_400, num_slices=5))
    ex.tick("ACME", 100.0, 60.0)
    shown_facts = facts(await shown(monitor))
    assert shown_facts["Next slice"] == "1970-01-03 00:01:00 UTC, in 2 d"
    assert shown_facts["Time left"] == "10 d"
    assert monitor.shown["name"] == "TWAP a1"


@in_a_notebook
async def test_units_and_sides_are_those_of_the_market() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    monitor = AlgoMonitor(ex.twap("rain:no", 10, duration_secs=60, num_slices=2))
    seen = await shown(monitor)
    assert seen["title"] == "TWAP a1: 10 rain NO"
    assert seen["summary"] == "0 of 10 contracts filled (0 %)"
    assert "Planned by now, contracts" in facts(seen)


@in_a_notebook
async def test_refused_children_are_counted_with_their_reason() -> None:
    ex = acme(risk=RiskConfig(max_order_size=20.0))
    monitor = AlgoMonitor(twap(ex))
    ex.tick("ACME", 100.0, 1.0)
    ex.tick("ACME", 100.0, 1.5)  # too early to try again
    why = (
        "refused by max_order_size: order in ACME refused by max_order_size: size 25 is over "
        "the max_order_size of 20"
    )
    assert (await shown(monitor))["refused"] == [f"1 {why}"]
    ex.tick("ACME", 100.0, 2.0)
    assert (await shown(monitor))["refused"] == [f"2 {why}"]


@in_a_notebook
async def test_a_stopped_algorithm_says_why_it_is_over() -> None:
    ex = acme()
    monitor = AlgoMonitor(ex)
    twap(ex)
    ex.flatten("ACME")
    assert (await shown(monitor))["status"] == "stopped"


# ------------------------------------------------------------------------- buttons
def actions(algo: dict[str, Any]) -> list[str]:
    return [action["do"] for action in algo["actions"]]


@in_a_notebook
async def test_pause_resume_and_cancel_do_what_they_say() -> None:
    ex = acme()
    algo = twap(ex)
    monitor = AlgoMonitor(ex)
    seen = await shown(monitor)
    assert actions(seen) == ["pause", "cancel"]
    assert seen["actions"][0]["name"] == "Pause TWAP a1, BUY +100 ACME"
    await do(monitor, "pause", id="a1")
    assert algo.status == "paused"
    assert actions(monitor.shown["algos"][0]) == ["resume", "cancel"]
    await do(monitor, "resume", id="a1")
    assert algo.status == "running"
    ex.tick("ACME", 100.0, 1.0)
    await do(monitor, "cancel", id="a1")
    assert algo.status == "canceled"
    assert ex.open_orders() == []
    seen = monitor.shown["algos"][0]
    assert (seen["status"], seen["actions"]) == ("cancelled", [])


@in_a_notebook
async def test_a_late_click_resumes_nothing() -> None:
    ex = acme()
    algo = twap(ex)
    algo.pause()
    monitor = AlgoMonitor(ex)
    loop_now().block(10.0)
    await do(monitor, "resume", id="a1")
    assert algo.status == "paused"
    assert monitor.shown["error"].startswith("nothing was sent: the click came")
    loop_now().block(10.0)
    await do(monitor, "cancel", id="a1")  # to stop is always possible
    assert algo.status == "canceled"


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
@in_a_notebook
async def test_an_algorithm_that_has_ended_or_never_was_is_told_of(verb: str) -> None:
    ex = acme()
    algo = twap(ex)
    algo.cancel()
    monitor = AlgoMonitor(ex)
    await do(monitor, verb, id="a1")
    assert monitor.shown["error"] == f"algorithm a1 cannot {verb}: it is canceled"
    for unknown in ("a9", "", None, 1, [], "x" * 2_000):
        await do(monitor, verb, id=unknown)
        assert monitor.shown["error"]
        assert monitor.ended == ""
    assert algo.status == "canceled"


@in_a_notebook
async def test_a_monitor_of_one_algorithm_changes_no_other() -> None:
    ex = acme()
    mine, other = twap(ex), twap(ex)
    monitor = AlgoMonitor(mine)
    await do(monitor, "cancel", id=other.id)
    assert other.status == "running"
    assert monitor.shown["error"] == "algorithm a2 cannot cancel: it is gone"
    assert [algo["id"] for algo in monitor.shown["algos"]] == ["a1"]


# ------------------------------------------------------------------------- many of them
@in_a_notebook
async def test_running_algorithms_stand_before_ended_ones_newest_first() -> None:
    ex = acme()
    algos: list[ExecAlgo] = [twap(ex) for _ in range(5)]
    algos[1].cancel()
    algos[3].cancel()
    monitor = AlgoMonitor(ex)
    assert [algo["id"] for algo in monitor.shown["algos"]] == ["a5", "a3", "a1", "a4", "a2"]


@in_a_notebook
async def test_more_than_fit_are_counted() -> None:
    ex = acme()
    for _ in range(10):
        twap(ex).cancel()
    for _ in range(35):
        twap(ex)
    monitor = AlgoMonitor(ex)
    ids = [algo["id"] for algo in monitor.shown["algos"]]
    # The newest 30 of 35 that run, and the last six of ten that have ended.
    assert ids[0] == "a45"
    assert ids[29:] == ["a16", "a10", "a9", "a8", "a7", "a6", "a5"]
    assert monitor.shown["note"] == "9 more not shown."
    assert monitor.shown["name"] == "Algorithms: 35 running"


@in_a_notebook
async def test_what_the_client_has_forgotten_is_not_kept() -> None:
    ex = acme()
    monitor = AlgoMonitor(ex)
    first = weakref.ref(twap(ex))
    ex.algos[0].cancel()
    await passing(0.2)
    for _ in range(1_000):
        twap(ex).cancel()
    await passing(0.2)
    gc.collect()
    assert first() is None
    assert monitor.shown["note"] == "994 more not shown."


@in_a_notebook
async def test_a_paint_does_not_read_every_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    ex = acme()
    ex.twap("ACME", 1_000, duration_secs=1_000, num_slices=1_000_000)

    def reads_every_slice(_: ExecAlgo) -> None:
        raise AssertionError("the whole schedule was read")

    monkeypatch.setattr(ExecAlgo, "progress", property(reads_every_slice))
    monitor = AlgoMonitor(ex)
    await passing(0.3)
    assert monitor.ended == ""
    assert facts(monitor.shown["algos"][0])["Slices sent"] == "0 of 1,000,000"


@in_a_notebook
async def test_an_algorithm_is_shown_once_it_has_started() -> None:
    with pytest.raises(AlgoError, match="shown once it has started"):
        AlgoMonitor(TWAP(acme(), 60, 4))


@in_a_notebook
async def test_algorithms_stay_in_sight_when_their_client_has_closed() -> None:
    ex = acme()
    monitor = AlgoMonitor(ex)
    twap(ex)
    assert (await shown(monitor))["status"] == "running"
    ex.close()
    assert (await shown(monitor))["status"] == "stopped"
    assert monitor.ended == "its account was closed"
