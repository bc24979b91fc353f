"""What `hz.run` takes and refuses, before anything has begun."""

from __future__ import annotations

import math
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import horizon as hz
from horizon.errors import VenueError
from horizon.feeds import Replay, Synthetic
from horizon.running import run
from tests.running.live import Scripted, quoter

FAST = math.inf
TWO = [{"timestamp": float(i), "market_id": m, "price": 0.5} for i in range(3) for m in "ab"]


def given(**options: Any) -> dict[str, Any]:
    return {"feeds": {"m": Synthetic(1, n=5)}, "pipeline": [quoter], "speed": FAST} | options


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"name": ""}, ValueError, "name must have 1 to 256"),
        ({"mode": "live"}, VenueError, "mode='live' needs a venue that takes real orders"),
        ({"mode": "papr"}, ValueError, "mode must be one of 'paper', 'live'.*Did you mean 'paper'"),
        ({"pipeline": []}, ValueError, "pipeline must have at least one stage"),
        ({"pipeline": quoter}, TypeError, "put it into a list"),
        ({"risk": 5}, TypeError, "risk must be a RiskConfig, was 5"),
        ({"params": {"engine": 1}}, ValueError, "params must not hold 'engine'"),
        ({"interval": 0}, ValueError, "interval must be above 0, was 0"),
        ({"interval": "1s"}, TypeError, "interval must be a number"),
        ({"duration": 0}, ValueError, "duration must be above 0"),
        ({"duration": timedelta(0)}, ValueError, "duration must be above 0"),
        ({"duration": 1e12}, ValueError, "duration must lie between 1e-9 s and 146 years"),
        ({"feed_stale_threshold": -1}, ValueError, "feed_stale_threshold must be above 0"),
        ({"connect_timeout": 0}, ValueError, "connect_timeout must be above 0"),
        ({"initial_capital": 0}, ValueError, "initial_capital must be above 0"),
        ({"background": 1}, TypeError, "background must be True or False"),
        ({"rebase": None}, TypeError, "rebase must be True or False"),
        ({"speed": 0}, ValueError, "speed must be above 0"),
        ({"run_on": "all"}, ValueError, "run_on must be one of"),
        ({"matching": "books"}, ValueError, "matching must be one of 'price', 'quotes', 'book'"),
        (
            {"matching": "book"},
            ValueError,
            "matching='book' needs a feed with books .*'m' has none",
        ),
        ({"fill_model": "glft"}, ValueError, "fill_model needs matching='book'"),
        ({"impact_temporary_bps": 1}, ValueError, "impact needs matching='book'"),
        ({"paper_fee_rate": 2}, ValueError, r"paper_fee_rate must lie in \(-1, 1\)"),
        ({"latency_ms": -1}, ValueError, "latency_ms must be 0 or more"),
        ({"rng_seed": -1}, ValueError, "rng_seed must be 0 or more"),
        ({"enforce_buying_power": "no"}, TypeError, "enforce_buying_power must be True or False"),
        ({"feeds": None}, ValueError, "feeds must say where rows come from"),
        ({"feeds": {}}, ValueError, "feeds must have at least one feed"),
        ({"feeds": "synthetic"}, TypeError, "feeds must map markets to feeds"),
        ({"feeds": {"m": 5}}, TypeError, r"feeds\['m'\] must be a feed or the name of one, was 5"),
        ({"feeds": {"m": Synthetic}}, TypeError, "put an object of the class there"),
        ({"feeds": {"m": [{"price": 1}]}}, TypeError, r"played by hz.feeds.Replay\(...\)"),
        ({"feeds": {"m": "a.parquet"}}, ValueError, r"hz.feeds.Replay\('a.parquet'\)"),
        ({"feeds": {"m": "syntetic"}}, ValueError, "Did you mean 'synthetic'"),
        ({"feeds": {3: Synthetic(1)}}, TypeError, "a key of feeds must be text"),
        ({"feeds": {"c": Replay(TWO)}}, ValueError, r"feeds\['c'\] must be a key .* has 'a', 'b'"),
        ({"markets": []}, ValueError, "markets must hold at least one market"),
        ({"markets": "m"}, TypeError, "put it into a list"),
        ({"markets": ["m", "m"]}, ValueError, "markets must differ"),
        ({"markets": ["m:no"]}, ValueError, "must hold markets, not sides"),
        (
            {"markets": ["a", "x"], "feeds": Replay(TWO)},
            ValueError,
            "market 'x' has no feed: feeds has 'a', 'b'",
        ),
        (
            {"feeds": {"m": Scripted(asset_class=None)}, "speed": None},
            ValueError,
            r"say what it is, markets=\[hz.Market\('m', hz.Equity\)\]",
        ),
        (
            {"feeds": {"m": Scripted(has_books=True)}, "speed": None, "slippage_bps": 3.0},
            ValueError,
            "slippage_bps=3.0 belongs to a run that is not matched on books",
        ),
        ({"save": 5}, TypeError, "save must be a path"),
        ({"save": "/nowhere/at/all"}, ValueError, "save must lie in a folder that exists"),
        ({"record": "/nowhere/at/all"}, ValueError, "record must lie in a folder that exists"),
        ({"sizer": 5}, (TypeError, ValueError), "sizer"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_wrong_arguments_are_refused_by_name(options: dict[str, Any], kind: Any, said: str) -> None:
    before = threading.active_count()
    with pytest.raises(kind, match=said):
        run(**given(**options))
    assert threading.active_count() == before


def test_a_result_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="save must be a new folder"):
        run(**given(save=tmp_path))


def test_a_recording_is_not_begun_where_another_argument_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="matching"):
        run(**given(record=tmp_path / "rows.parquet", matching="book"))
    assert list(tmp_path.iterdir()) == []


def test_the_class_of_a_market_is_told_by_its_feed_its_id_or_its_price() -> None:
    option = "AAPL260116C00150000"
    rows = [
        {"timestamp": 0.0, "market_id": name, "price": price}
        for name, price in (("x", 0.5), ("y", 50.0), (option, 0.5))
    ]
    result = run(feeds=Replay(rows), pipeline=[quoter], speed=FAST)
    assert [market.asset_class for market in result.markets] == [
        hz.Prediction,
        hz.Equity,
        hz.Option,
    ]
    crypto = hz.Market("y", hz.Crypto)
    said = run(markets=[crypto], feeds=Replay(rows), pipeline=[quoter], speed=FAST)
    assert said.markets == (crypto,)
    feed = Scripted(asset_class=hz.Perp)
    perp = run(feeds={"m": feed}, pipeline=[quoter], duration=0.01)
    assert perp.markets[0].asset_class is hz.Perp


def test_a_feed_may_be_named() -> None:
    result = run(feeds={"rain": "synthetic"}, pipeline=[quoter], duration=100, speed=FAST)
    assert result.markets[0].id == "rain"
    assert result.config["feeds"]["rain"] == "synthetic"


def test_a_feed_by_name_that_cannot_be_made_says_so() -> None:
    with pytest.raises(TypeError) as caught:
        run(feeds={"rain": "replay"}, pipeline=[quoter])
    assert "feeds['rain']='replay'" in caught.value.__notes__[0]


def test_the_result_remembers_what_was_asked_for(tmp_path: Path) -> None:
    result = run(
        **given(
            name="asked",
            record=tmp_path / "rows.parquet",
            duration=timedelta(seconds=3),
            feed_stale_threshold=None,
            params={"edge": 2},
        )
    )
    config = result.config
    assert (config["name"], config["mode"], config["interval"]) == ("asked", "paper", 0.5)
    assert config["pipeline"] == ("quoter",)
    assert config["params"] == {"edge": 2}
    assert config["rows"] == 4
    assert result.name == "asked"
    result.save(tmp_path / "saved")
    assert hz.load_result(tmp_path / "saved").config == config


def test_strategies_alone_need_no_pipeline() -> None:
    from horizon.strategies import FixedNotional, Signal, Strategy

    class Long(Strategy):
        def evaluate(self, f: Any, universe: Any) -> Any:
            return [Signal.increase(market, edge_bps=50) for market in universe]

    rows = [{"timestamp": float(i), "price": 0.5} for i in range(4)]
    live = run(
        feeds={"m": Replay(rows)},
        strategies=[Long()],
        sizer=FixedNotional(10.0),
        speed=FAST,
        rebase=False,
    )
    again = hz.backtest(
        data={"m": rows}, strategies=[Long()], sizer=FixedNotional(10.0), interval=0.5
    )
    # 10 / 0.5 = 20 contracts, sent at the first row and filled at the second.
    assert [(f.size, f.timestamp) for f in live.fills] == [(20.0, 1.0)]
    assert live.fills == again.fills
    assert live.decisions_frame().equals(again.decisions_frame())
