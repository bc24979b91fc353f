"""The board: which feature of which market sees which row, and how a strategy reads it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from horizon.backtesting.context import FeedRow
from horizon.strategies.board import FeatureBoard, checked_features
from horizon.strategies.features import SMA, Feature, Price, Return, Zscore

NAN = math.nan


def row(price: float, **fields: float) -> FeedRow:
    """A row with `price` in every field that is not given."""
    names = [name for name in FeedRow._fields if name != "is_stale"]
    return FeedRow(**{name: fields.get(name, price) for name in names}, is_stale=False)


class Spread(Feature):
    inputs = ("ask", "bid")

    def update(self, ask: float, bid: float) -> float:
        return ask - bid


class SpreadInMids(Feature):
    inputs = ("spread", "mid")

    def update(self, spread: float, mid: float) -> float:
        return spread / mid


def test_every_market_has_a_state_of_its_own() -> None:
    z, change = Zscore(2), Return()
    board = FeatureBoard({"z": z, "change": change}, ["AAPL", "ACME"])
    f = board.values
    assert math.isnan(f.z["AAPL"])
    for price in (1.0, 2.0):
        board.see(0, row(price))
    board.see(1, row(8.0))
    # One deviation of two values from their mean: 1 / sqrt(2).
    assert f.z["AAPL"] == pytest.approx(1.0 / math.sqrt(2.0))
    assert f.change["AAPL"] == 1.0
    assert math.isnan(f.z["ACME"])
    assert board.ready("AAPL")
    assert not board.ready("ACME")
    board.see(1, row(4.0))
    assert f["change"]["ACME"] == -0.5
    assert board.ready("ACME")
    # The objects that the strategy has named have seen nothing.
    assert math.isnan(z.value)
    assert math.isnan(change.update(3.0))


def test_board_gives_what_a_feature_gives_alone() -> None:
    rng = np.random.default_rng(1)
    prices = rng.uniform(1.0, 2.0, (3, 200))
    prices[rng.random(prices.shape) < 0.2] = NAN
    board = FeatureBoard({"z": Zscore(5), "sma": SMA(4)}, ["a", "b", "c"])
    for k in range(200):
        for number in range(3):
            board.see(number, row(prices[number, k]))
            for name, feature in board.features.items():
                alone = feature.batch(prices[number, : k + 1])[-1] if k % 37 == 0 else None
                value = board.values[name]["abc"[number]]
                assert alone is None or np.array_equal(alone, value, equal_nan=True)
    assert board.ready("a")


def test_feature_is_fed_the_fields_it_names() -> None:
    board = FeatureBoard({"wide": Spread(), "part": SpreadInMids(), "last": Price()}, ["X"])
    f = board.values
    board.see(0, row(0.5, bid=0.25, ask=0.75))
    assert (f.wide["X"], f.part["X"], f.last["X"]) == (0.5, 1.0, 0.5)
    # Without a bid there is neither spread nor mid; the price is there.
    board.see(0, row(0.625, bid=NAN, ask=0.875))
    assert (f.wide["X"], f.part["X"], f.last["X"]) == (0.5, 1.0, 0.625)
    # A row without anything, as a feed that has gone stale sends it.
    board.see(0, row(NAN))
    assert (f.wide["X"], f.part["X"], f.last["X"]) == (0.5, 1.0, 0.625)


@pytest.mark.parametrize("field", ["timestamp", "volume", "open", "high", "low", "bid_size"])
def test_every_field_of_a_row_can_be_an_input(field: str) -> None:
    class Last(Price):
        inputs = (field,)

    board = FeatureBoard({"it": Last()}, ["X"])
    board.see(0, row(1.0, **{field: 7.0}))
    assert board.values.it["X"] == 7.0


def test_values_follow_the_market_and_cannot_be_set() -> None:
    board = FeatureBoard({"p": Price()}, ["X"])
    p = board.values.p
    board.see(0, row(3.0))
    assert p["X"] == 3.0
    with pytest.raises(TypeError):
        p["X"] = 4.0  # type: ignore[index]
    with pytest.raises(AttributeError, match="features cannot be set, 'p' was"):
        board.values.p = {}
    with pytest.raises(AttributeError, match="features cannot be set, 'q' was"):
        board.values.q = {}
    with pytest.raises(AttributeError, match="features cannot be deleted, 'p' was"):
        del board.values.p
    assert p["X"] == 3.0


def test_values_can_be_listed() -> None:
    f = FeatureBoard({"z": Zscore(2), "p": Price()}, ["X", "Y"]).values
    assert list(f) == ["z", "p"]
    assert len(f) == 2
    assert "z" in f
    assert "a" not in f
    assert dir(f) == ["p", "z"]
    assert repr(f) == "FeatureValues(z, p)"
    assert list(f.z) == ["X", "Y"]
    assert "X" in f.z
    assert "Q" not in f.z
    assert f.z.get("Q") is None
    # Features may have the names of methods elsewhere.
    g = FeatureBoard({"values": Price(), "keys": Price()}, ["X"]).values
    assert math.isnan(g.values["X"])


def test_unknown_names_are_answered_with_those_there_are() -> None:
    f = FeatureBoard({"zscore": Zscore(2)}, ["AAPL", "MSFT"]).values
    with pytest.raises(AttributeError, match=r"no feature 'zscor'; there are zscore. Did you mean"):
        _ = f.zscor
    with pytest.raises(KeyError, match=r"no feature 'zscor'; there are zscore. Did you mean"):
        f["zscor"]
    with pytest.raises(KeyError, match=r"no feature 3; there are zscore"):
        f[3]  # type: ignore[index]
    with pytest.raises(KeyError, match=r"feature 'zscore' has no market 'AAPLE'.*Did you mean"):
        f.zscore["AAPLE"]
    with pytest.raises(KeyError, match="has no market 3"):
        f.zscore[3]
    empty = FeatureBoard({}, ["AAPL"])
    assert empty.ready("AAPL")
    with pytest.raises(AttributeError, match="none: the strategy has no features"):
        _ = empty.values.z


def test_result_of_ones_own_feature_is_a_float() -> None:
    class Made(Feature):
        def __init__(self, results: list[Any]) -> None:
            self.results = list(results)

        def update(self, price: float) -> float:
            return self.results.pop(0)

    board = FeatureBoard({"it": Made([np.float64(2.5), 3, np.float64(NAN), None, 1.0])}, ["X"])
    board.see(0, row(1.0))
    assert type(board.values.it["X"]) is float
    board.see(0, row(1.0))
    assert board.values.it["X"] == 3.0
    board.see(0, row(1.0))
    assert math.isnan(board.values.it["X"])
    with pytest.raises(TypeError, match=r"what Made\(.*\) returned must be a number, was None"):
        board.see(0, row(1.0))
    board.see(0, row(1.0))
    assert board.values.it["X"] == 1.0
    with pytest.raises(TypeError, match=r"what Made\(.*\) returned must be a number, was '1.0'"):
        FeatureBoard({"it": Made(["1.0"])}, ["X"]).see(0, row(1.0))


class Odd(Price):
    inputs = ("prize",)


class NoTuple(Price):
    inputs = "price"  # type: ignore[assignment]


@pytest.mark.parametrize(
    "features, words",
    [
        ([Zscore(2)], r"features must map names to features, .* was \[Zscore\(2\)\]"),
        ({3: Price()}, "features must have names as keys, was 3"),
        ({"a b": Price()}, "names that can be read as f.name .* was 'a b'"),
        ({"_z": Price()}, "was '_z'"),
        ({"class": Price()}, "was 'class'"),
        ({"z": Zscore}, r"features\['z'\] must be a feature, was the class Zscore: write Zscore"),
        ({"z": 20}, r"features\['z'\] must be a Feature, was 20"),
        ({"z": Odd()}, r"inputs of features\['z'\] must be one of .*Did you mean 'price'"),
        ({"z": NoTuple()}, r"inputs of features\['z'\] must be a tuple .* was 'price'"),
    ],
    ids=[
        "list", "number", "blank", "underscore", "keyword", "class", "window", "field", "text",
    ],
)  # fmt: skip
def test_wrong_features_are_refused(features: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        checked_features(features)
    with pytest.raises((TypeError, ValueError), match=words):
        FeatureBoard(features, ["X"])


def test_market_is_named_once() -> None:
    with pytest.raises(ValueError, match="market_ids must name each market once, has 'X' twice"):
        FeatureBoard({}, ["X", "Y", "X"])
    assert repr(FeatureBoard({"p": Price()}, ["X"])) == "FeatureBoard(p=Price(); 1 markets)"
