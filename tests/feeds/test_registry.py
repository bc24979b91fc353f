"""The registry: known names make feeds, others say which names are known."""

from __future__ import annotations

from typing import Any

import pytest

from horizon.feeds import LiveFeed, Replay, Synthetic, create, known, register, registry

#: Names of live feeds that are their market's whole description.
LIVE = ["alpaca", "binance_ws", "kalshi_book", "polymarket_book"]


@pytest.fixture(autouse=True)
def _own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_FACTORIES", dict(registry._FACTORIES))


def test_replay_and_synthetic_are_known_and_made_with_their_options() -> None:
    assert known() == [*LIVE, "replay", "rest", "synthetic"]
    assert isinstance(create("replay", data=[]), Replay)
    feed = create("synthetic", seed=7, n=1_000)
    assert repr(feed) == (
        "<Synthetic 'synthetic', market: synthetic, seed: 7, status: idle, "
        "rows sent: 0 of 1,000, speed: 1×>"
    )


@pytest.mark.parametrize("name", ["binance_ws", "polymarket_book"])
def test_live_feed_is_made_for_a_market(name: str) -> None:
    feed = create(name, market_id="election")
    assert isinstance(feed, LiveFeed)
    assert feed.market_ids == ("election",)
    with pytest.raises(TypeError, match="market_id"):
        create(name)


def test_each_call_makes_a_feed_of_its_own() -> None:
    assert create("synthetic") is not create("synthetic")


def test_registered_factory_is_used_and_listed() -> None:
    def calm(**options: Any) -> Synthetic:
        return Synthetic(volatility=1e-6, **options)

    register("calm", calm)
    register("calm", calm)  # the cell run again
    assert set(known()) == {*LIVE, "calm", "replay", "rest", "synthetic"}
    assert create("calm", n=3).total == 3


def test_taken_name_needs_replace() -> None:
    with pytest.raises(ValueError, match=r"name 'replay' is taken by .*replace=True"):
        register("replay", Synthetic)
    register("replay", Synthetic, replace=True)
    assert isinstance(create("replay"), Synthetic)


def test_unknown_name_lists_the_known_ones_and_guesses() -> None:
    with pytest.raises(
        ValueError, match=r"'replay', 'rest', 'synthetic'; was 'replya'.*mean 'replay'"
    ):
        create("replya")
    with pytest.raises(TypeError, match="name must be one of"):
        create(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", " x", "a\nb"])
def test_name_must_be_text(name: str) -> None:
    with pytest.raises(ValueError, match="name must"):
        register(name, Synthetic)


def test_factory_must_be_callable_and_return_a_feed() -> None:
    with pytest.raises(TypeError, match="factory must be callable, was 3"):
        register("three", 3)  # type: ignore[arg-type]
    register("nothing", lambda: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="'nothing' must return a Feed or a LiveFeed, gave None"):
        create("nothing")


def test_unknown_option_is_refused_by_the_feed() -> None:
    with pytest.raises(TypeError, match="sed"):
        create("synthetic", sed=1)
