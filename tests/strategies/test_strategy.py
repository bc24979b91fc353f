"""What a strategy is: its name, its features, how it is asked, and what is refused of it."""

from __future__ import annotations

import copy
from typing import Any

import cloudpickle
import pytest

from horizon.instruments import Crypto, Equity, Market, Prediction
from horizon.strategies import (
    FunctionStrategy,
    Price,
    Signal,
    Strategy,
    Zscore,
    strategy,
)
from horizon.strategies.base import strategies_of, takes_context

STOCK, COIN, VOTE = Market("ACME", Equity), Market("BTC/USD", Crypto), Market("vote", Prediction)


class Dips(Strategy):
    asset_classes = [Equity]
    features = {"z": Zscore(20)}

    def evaluate(self, f: Any, universe: Any, ctx: Any) -> list[Signal]:
        return [Signal.increase(m, edge_bps=30) for m in universe if f.z[m.id] < -2]


def nothing(f: Any, universe: Any) -> list[Signal]:
    return []


# ---------------------------------------------------------------------------- names
def test_a_strategy_is_called_by_its_class() -> None:
    class Deeper(Dips):
        pass

    assert (Dips().name, Deeper().name) == ("Dips", "Deeper")


def test_a_class_or_an_object_may_have_a_name_of_its_own() -> None:
    class Named(Dips):
        name = "dips of the day"

    one = Dips()
    one.name = "mine"
    assert (Named().name, one.name, Dips().name) == ("dips of the day", "mine", "Dips")


def test_two_strategies_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="different names, 'Dips' is there twice"):
        strategies_of([Dips(), Dips])


@pytest.mark.parametrize("name", ["", " a", "a\nb", 3], ids=repr)
def test_a_name_is_a_line_of_text(name: Any) -> None:
    one = Dips()
    one.name = name
    with pytest.raises((TypeError, ValueError), match=r"strategies\[0\].name"):
        strategies_of([one])


def test_it_shows_its_name_and_features() -> None:
    assert repr(Dips()) == "<Strategy Dips: z=Zscore(20)>"
    assert Dips()._repr_html_() == "<code>&lt;Strategy Dips: z=Zscore(20)&gt;</code>"
    assert repr(FunctionStrategy(nothing)) == "<Strategy nothing>"


# ---------------------------------------------------------------------------- markets
def test_it_is_eligible_for_the_classes_it_names() -> None:
    markets = [STOCK, COIN, VOTE]
    assert Dips().eligible_markets(markets) == [STOCK]
    assert FunctionStrategy(nothing).eligible_markets(markets) == markets


# ---------------------------------------------------------------------------- how it is asked
def with_evaluate(function: Any) -> Strategy:
    return type("Made", (Strategy,), {"evaluate": function})()


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        pytest.param(lambda self, f, universe: [], False, id="two"),
        pytest.param(lambda self, f, universe, ctx: [], True, id="three"),
        pytest.param(lambda self, f, universe, ctx=None: [], False, id="a default"),
        pytest.param(lambda self, *args: [], True, id="all"),
    ],
)
def test_the_context_goes_to_who_has_a_parameter_for_it(function: Any, expected: bool) -> None:
    assert takes_context(with_evaluate(function)) is expected


async def waits(self: Any, f: Any, universe: Any) -> list[Signal]:
    return []


def yields(self: Any, f: Any, universe: Any) -> Any:
    yield Signal.flatten("A")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        pytest.param(waits, "is an async function", id="async"),
        pytest.param(yields, "is a generator", id="generator"),
        pytest.param(lambda self, f: [], r"takes \(f\)", id="too few"),
        pytest.param(lambda self, a, b, c, d: [], r"takes \(a, b, c, d\)", id="too many"),
        pytest.param(lambda self, f, u, *, k: [], r"takes \(f, u, \*, k\)", id="a keyword"),
    ],
)
def test_an_evaluate_that_cannot_be_called_is_refused(function: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        strategies_of([with_evaluate(function)])


def test_a_strategy_without_evaluate_is_refused() -> None:
    class Empty(Strategy):
        pass

    with pytest.raises(TypeError, match="evaluate of strategy 'Empty' is missing: define"):
        strategies_of([Empty])
    with pytest.raises(NotImplementedError, match="Empty must have evaluate"):
        Empty().evaluate(None, ())


# ---------------------------------------------------------------------------- features
@pytest.mark.parametrize(
    ("features", "message"),
    [
        pytest.param([Zscore(20)], "strategy 'Made': features must map names", id="a list"),
        pytest.param({"a b": Price()}, "strategy 'Made': features must have names", id="a blank"),
        pytest.param({"z": Zscore}, "was the class Zscore", id="a class"),
        pytest.param({"z": 20}, "must be a Feature, was 20", id="a number"),
    ],
)
def test_features_that_cannot_be_read_are_refused(features: Any, message: str) -> None:
    made = with_evaluate(lambda self, f, universe: [])
    made.features = features
    with pytest.raises((TypeError, ValueError), match=message):
        strategies_of([made])


@pytest.mark.parametrize("classes", [Equity, "Equity", ["Equity"], 3], ids=repr)
def test_asset_classes_are_a_list_of_them(classes: Any) -> None:
    made = with_evaluate(lambda self, f, universe: [])
    made.asset_classes = classes
    with pytest.raises(TypeError, match="asset_classes of strategy 'Made' must"):
        strategies_of([made])


@pytest.mark.parametrize(
    ("slip", "value", "right"),
    [("feature", {"z": Zscore(20)}, "features"), ("asset_class", [Equity], "asset_classes")],
)
def test_a_slip_of_the_pen_is_noticed(slip: str, value: Any, right: str) -> None:
    made = type("Made", (Strategy,), {"evaluate": lambda self, f, universe: [], slip: value})
    with pytest.raises(ValueError, match=f"'Made' has '{slip}', .* is it '{right}'?"):
        strategies_of([made()])


# ---------------------------------------------------------------------------- the decorator
def test_a_function_becomes_a_strategy() -> None:
    @strategy(features={"z": Zscore(20)}, asset_classes=[Equity], name="quick dips")
    def dips(f: Any, universe: Any) -> list[Signal]:
        """Buy dips."""
        return [Signal.increase("ACME", edge_bps=30)]

    assert isinstance(dips, Strategy)
    assert (dips.name, dips.asset_classes, dips.features) == (
        "quick dips",
        (Equity,),
        {"z": Zscore(20)},
    )
    assert dips.__doc__ == "Buy dips."
    # Called by itself, and as the run calls it.
    assert dips(None, ()) == dips.evaluate(None, ()) == [Signal.increase("ACME", edge_bps=30)]


def test_the_decorator_needs_no_brackets() -> None:
    @strategy
    def plain(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        return []

    assert (plain.name, plain.features, takes_context(plain)) == ("plain", {}, True)


@pytest.mark.parametrize("given", [3, Dips, Dips()], ids=["number", "class", "strategy"])
def test_the_decorator_takes_functions_only(given: Any) -> None:
    with pytest.raises(TypeError, match="strategy must decorate a function"):
        strategy(given)


def test_a_decorated_function_is_checked_at_once() -> None:
    with pytest.raises(TypeError, match="evaluate of strategy 'one' must take"):

        @strategy
        def one(f: Any) -> list[Signal]:
            return []


def test_strategies_can_be_copied_and_pickled() -> None:
    for one in (Dips(), strategy(features={"z": Zscore(3)})(nothing)):
        for other in (copy.deepcopy(one), cloudpickle.loads(cloudpickle.dumps(one))):
            assert (other.name, other.features) == (one.name, one.features)
            assert strategies_of([other]) == (other,)


# ---------------------------------------------------------------------------- a list of them
def test_a_class_is_made_into_a_new_object_each_time() -> None:
    (one,), (other,) = strategies_of([Dips]), strategies_of([Dips])
    assert type(one) is type(other) is Dips
    assert one is not other


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(Dips(), "must be a list, was .*put it into a list", id="an object"),
        pytest.param(Dips, "must be a list, was .*put it into a list", id="a class"),
        pytest.param("Dips", "must be a list of Strategy", id="text"),
        pytest.param({"a": Dips}, "must be a list of Strategy", id="a dict"),
        pytest.param(3, "must be a list of Strategy", id="a number"),
        pytest.param([], "must have at least one strategy", id="none"),
        pytest.param([nothing], r"strategies\[0\] .*decorate the function", id="a function"),
        pytest.param([Dips, 3], r"strategies\[1\] must be a Strategy, was 3", id="another"),
    ],
)
def test_what_is_no_list_of_strategies_is_refused(given: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        strategies_of(given)


def test_a_class_that_needs_arguments_is_named() -> None:
    class Needs(Dips):
        def __init__(self, level: float) -> None:
            self.level = level

    with pytest.raises(TypeError, match="the class Needs, which cannot be made without arguments"):
        strategies_of([Needs])
    assert strategies_of([Needs(2.0)])[0].name == "Needs"
