"""Fill models: the ready ones by themselves, and how they are asked for by name."""

from __future__ import annotations

import math
from typing import Any

import pytest

from horizon.venues.book_view import BookView, Snapshot
from horizon.venues.fill_models import (
    DeterministicFills,
    FillModel,
    GLFTFills,
    ProbabilisticFills,
    RestingOrder,
    fill_model_of,
)
from tests.venues.replayed import Book, recorded


def view(*book: Any, is_no: bool = False, shift: float = 0.0) -> BookView:
    """The book as an order that rests sees it."""
    side: Book = (book[0], book[1])
    at = Snapshot(recorded(side), 0)
    return BookView(at, "M", 0, is_no=is_no, bounds=(0.0, 1.0), shifts=(shift, shift))


def resting(sign: int, price: float, quantity: float = 10.0) -> RestingOrder:
    return RestingOrder("p1", "M", 1, sign, price, quantity, quantity, 0)


ASKS = [(0.56, 100.0), (0.57, 200.0)]


def bids(size: float) -> list[tuple[float, float]]:
    """Bids whose second level, at 0.53, has this size; without it the level is not there."""
    return [(0.54, 100.0), *([(0.53, size)] if size else []), (0.52, 500.0)]


# ------------------------------------------------------------------------ deterministic
def test_the_deterministic_model_fills_nothing_by_chance() -> None:
    model = DeterministicFills()
    assert not model.has_chance
    assert model.chance(resting(1, 0.54), view(bids(200.0), ASKS), 1e9) == 0.0
    assert (model.params, repr(model)) == ({}, "DeterministicFills()")


# ------------------------------------------------------------------------ queue
def queued(model: ProbabilisticFills, order: RestingOrder, *sizes: float) -> list[float]:
    """What is ahead of an order at 0.53 at each of the sizes that are displayed there."""
    model.rest(order, view(bids(sizes[0]), ASKS))
    ahead = [model.ahead(order)]
    for size in sizes[1:]:
        model.follow(order, view(bids(size), ASKS))
        ahead.append(model.ahead(order))
    return ahead


@pytest.mark.parametrize(
    ("queue_frac", "ahead"), [(0.0, 0.0), (0.25, 50.0), (0.5, 100.0), (1.0, 200.0)]
)
def test_an_order_starts_behind_its_part_of_the_displayed_size(
    queue_frac: float, ahead: float
) -> None:
    assert queued(ProbabilisticFills(queue_frac=queue_frac), resting(1, 0.53), 200.0) == [ahead]


def test_a_decrease_moves_it_up_in_proportion() -> None:
    # 100 of 200 ahead. 80 leave: 80 x 100/200 = 40 of them were ahead, 60 of 120 are left. 40
    # join behind. 80 of 160 leave: 80 x 60/160 = 30. The level is empty, then a new one of 50.
    ahead = queued(
        ProbabilisticFills(queue_frac=0.5), resting(1, 0.53), 200, 120, 160, 80, 0, 50, 20
    )
    assert ahead == [100.0, 60.0, 60.0, 30.0, 0.0, 0.0, 0.0]


def test_a_size_that_stays_moves_nothing() -> None:
    assert (
        queued(ProbabilisticFills(queue_frac=1.0), resting(1, 0.53), 200, 200, 200) == [200.0] * 3
    )


def test_a_price_between_the_levels_is_the_front() -> None:
    model = ProbabilisticFills(queue_frac=1.0)
    for price in (0.545, 0.535):  # inside the spread, and between two levels
        order = resting(1, price)
        model.rest(order, view(bids(200.0), ASKS))
        assert model.ahead(order) == 0.0


def test_who_joins_a_level_that_was_ours_joins_behind() -> None:
    model, order = ProbabilisticFills(queue_frac=1.0), resting(1, 0.545)
    model.rest(order, view(bids(200.0), ASKS))
    model.follow(order, view([(0.545, 300.0), (0.54, 100.0)], ASKS))
    assert model.ahead(order) == 0.0


def test_behind_the_last_level_the_place_is_found_when_the_level_is_shown() -> None:
    model, order = ProbabilisticFills(lambda_=1.0, queue_frac=0.5), resting(1, 0.51)
    model.rest(order, view(bids(200.0), ASKS))
    assert math.isnan(model.ahead(order))
    assert model.chance(order, view(bids(200.0), ASKS), 10.0) == 0.0
    model.follow(order, view([(0.52, 10.0), (0.51, 80.0)], ASKS))
    assert model.ahead(order) == 40.0


def test_a_level_that_falls_behind_the_last_one_shown_keeps_its_queue() -> None:
    model, order = ProbabilisticFills(queue_frac=0.5), resting(1, 0.53)
    model.rest(order, view(bids(200.0), ASKS))
    # 0.53 is not shown, and nothing worse: that is no decrease to 0.
    model.follow(order, view([(0.55, 10.0), (0.54, 10.0)], ASKS))
    assert model.ahead(order) == 100.0
    # Shown again with 50: 150 of 200 have left, 75 of them ahead.
    model.follow(order, view([(0.54, 10.0), (0.53, 50.0)], ASKS))
    assert model.ahead(order) == 25.0


def test_an_empty_side_has_nobody_ahead() -> None:
    model, order = ProbabilisticFills(queue_frac=1.0), resting(1, 0.53)
    model.rest(order, view([], ASKS))
    assert model.ahead(order) == 0.0


def test_a_new_price_starts_a_new_queue() -> None:
    model, order = ProbabilisticFills(queue_frac=0.5), resting(1, 0.53)
    queued(model, order, 200, 0)
    order.price = 0.54
    model.rest(order, view(bids(200.0), ASKS))
    assert model.ahead(order) == 50.0


def test_sales_queue_among_the_asks() -> None:
    model, order = ProbabilisticFills(queue_frac=0.5), resting(-1, 0.57)
    model.rest(order, view(bids(200.0), ASKS))
    assert model.ahead(order) == 100.0


def test_an_order_of_no_queues_in_the_book_of_no() -> None:
    model, order = ProbabilisticFills(queue_frac=0.5), resting(1, 0.43)
    # A bid of NO at 0.43 is an ask of YES at 0.57, where 200 stand.
    model.rest(order, view(bids(200.0), ASKS, is_no=True))
    assert model.ahead(order) == 100.0


def test_queues_are_those_recorded_whatever_was_displaced() -> None:
    model, order = ProbabilisticFills(queue_frac=0.5), resting(1, 0.53)
    model.rest(order, view(bids(200.0), ASKS, shift=0.01))
    assert model.ahead(order) == 100.0


def test_only_the_front_has_a_chance() -> None:
    model, order = ProbabilisticFills(lambda_=0.25, queue_frac=0.5), resting(1, 0.53)
    book = view(bids(200.0), ASKS)
    model.rest(order, book)
    assert model.chance(order, book, 2.0) == 0.0
    model.follow(order, view(bids(0.0), ASKS))
    # 1 - exp(-0.25 x 2) = 1 - 0.60653066 = 0.39346934.
    assert model.chance(order, book, 2.0) == pytest.approx(0.39346934, abs=1e-8)


@pytest.mark.parametrize(
    ("lambda_", "seconds", "odds"),
    [(0.0, 100.0, 0.0), (5.0, 0.0, 0.0), (0.1, 10.0, 0.63212056), (1e9, 1.0, 1.0)],
)
def test_the_front_fills_at_a_constant_rate(lambda_: float, seconds: float, odds: float) -> None:
    # 1 - 1/e = 0.63212056.
    model, order = ProbabilisticFills(lambda_=lambda_, queue_frac=0.0), resting(1, 0.53)
    book = view(bids(200.0), ASKS)
    model.rest(order, book)
    assert model.chance(order, book, seconds) == pytest.approx(odds, abs=1e-8)


def test_a_very_small_chance_is_not_rounded_away() -> None:
    model, order = ProbabilisticFills(lambda_=1e-18, queue_frac=0.0), resting(1, 0.53)
    model.rest(order, view(bids(200.0), ASKS))
    assert model.chance(order, view(bids(200.0), ASKS), 1.0) == 1e-18


# ------------------------------------------------------------------------ GLFT
@pytest.mark.parametrize(
    ("sign", "price", "odds"),
    [
        # The mid is 0.55. At a distance of 0.01: exp(-50 x 0.01) = 0.60653066; 0.1 a second and
        # 2 seconds make 0.121306132; 1 - exp(-0.121306132) = 0.114237242.
        (1, 0.54, 0.114237242),
        (-1, 0.56, 0.114237242),
        # At 0.02: exp(-1) = 0.36787944, 0.073575888, 0.070934362.
        (1, 0.53, 0.070934362),
        # At the mid and beyond it the distance counts as 0: 1 - exp(-0.2) = 0.181269247.
        (1, 0.55, 0.181269247),
        (1, 0.555, 0.181269247),
        (-1, 0.545, 0.181269247),
    ],
)
def test_glft_chance_falls_with_the_distance_from_the_mid(
    sign: int, price: float, odds: float
) -> None:
    model = GLFTFills(intensity=0.1, kappa=50.0)
    book = view(bids(200.0), ASKS)
    assert model.chance(resting(sign, price), book, 2.0) == pytest.approx(odds, abs=1e-9)


def test_glft_measures_no_from_the_mid_of_no() -> None:
    model = GLFTFills(intensity=0.1, kappa=50.0)
    book = view(bids(200.0), ASKS, is_no=True)
    assert model.chance(resting(1, 0.44), book, 2.0) == pytest.approx(0.114237242, abs=1e-9)


def test_glft_measures_from_the_displaced_mid() -> None:
    model = GLFTFills(intensity=0.1, kappa=50.0)
    # A mid 0.01 higher is as far from 0.54 as the mid itself from 0.53.
    odds = model.chance(resting(1, 0.54), view(bids(200.0), ASKS, shift=0.01), 2.0)
    assert odds == pytest.approx(0.070934362, abs=1e-9)


def test_glft_needs_both_sides_of_a_book() -> None:
    model = GLFTFills(intensity=1e9, kappa=0.0)
    for book in (view([], ASKS), view(bids(200.0), []), view([], [])):
        assert model.chance(resting(1, 0.54), book, 1.0) == 0.0


def test_without_kappa_the_distance_does_not_matter() -> None:
    model, book = GLFTFills(intensity=0.1, kappa=0.0), view(bids(200.0), ASKS)
    assert model.chance(resting(1, 0.01), book, 2.0) == pytest.approx(0.181269247, abs=1e-9)


# ------------------------------------------------------------------------ by name
@pytest.mark.parametrize(
    ("name", "params", "kind", "made"),
    [
        ("deterministic", None, DeterministicFills, {}),
        ("deterministic", {}, DeterministicFills, {}),
        ("probabilistic", None, ProbabilisticFills, {"lambda": 0.1, "queue_frac": 0.5}),
        ("probabilistic", {"lambda": 2}, ProbabilisticFills, {"lambda": 2.0, "queue_frac": 0.5}),
        (
            "probabilistic",
            {"queue_frac": 1, "lambda": 0},
            ProbabilisticFills,
            {"lambda": 0.0, "queue_frac": 1.0},
        ),
        ("glft", None, GLFTFills, {"intensity": 0.1, "kappa": 50.0}),
        ("glft", {"kappa": 1.5, "intensity": 140}, GLFTFills, {"intensity": 140.0, "kappa": 1.5}),
    ],
    ids=str,
)
def test_a_model_is_made_from_its_name_and_parameters(
    name: str, params: Any, kind: type[FillModel], made: dict[str, float]
) -> None:
    model = fill_model_of(name, params)
    assert (type(model), model.params) == (kind, made)


def test_a_model_that_is_made_already_is_taken_as_it_is() -> None:
    model = GLFTFills()
    assert fill_model_of(model) is model
    assert fill_model_of(model, {}) is model


def test_models_show_their_parameters() -> None:
    assert repr(ProbabilisticFills(0.2, 1)) == "ProbabilisticFills(lambda=0.2, queue_frac=1)"


@pytest.mark.parametrize(
    ("name", "params", "kind", "message"),
    [
        (
            "probabilistik",
            None,
            ValueError,
            "fill_model must be one of 'deterministic', 'probabilistic', 'glft'; was "
            "'probabilistik'. Did you mean 'probabilistic'?",
        ),
        ("GLFT", None, ValueError, "Did you mean 'glft'?"),
        ("queue", None, ValueError, "fill_model must be one of"),
        (None, None, TypeError, "fill_model must be a FillModel or one of 'deterministic'"),
        (GLFTFills, None, TypeError, "fill_model must be a FillModel or one of"),
        (
            "probabilistic",
            {"lamda": 1.0},
            ValueError,
            "fill_model_params of 'probabilistic' are 'lambda' and 'queue_frac'; has 'lamda'. "
            "Did you mean 'lambda'?",
        ),
        ("glft", {"lambda": 1.0}, ValueError, "are 'intensity' and 'kappa'; has 'lambda'"),
        ("glft", {5: 1.0}, ValueError, "has 5"),
        ("deterministic", {"lambda": 1.0}, ValueError, "of 'deterministic' are none; has 'lambda'"),
        ("glft", [1.0], TypeError, "fill_model_params must map names to numbers, was [1.0]"),
        (GLFTFills(), {"kappa": 1.0}, ValueError, "belong to a model that is named"),
        ("probabilistic", {"lambda": -1}, ValueError, "lambda must be 0 or more, was -1"),
        ("probabilistic", {"lambda": math.nan}, ValueError, "lambda must be a finite number"),
        ("probabilistic", {"lambda": "1"}, TypeError, "lambda must be a number, was '1'"),
        ("probabilistic", {"queue_frac": -0.1}, ValueError, "queue_frac must be 0 or more"),
        (
            "probabilistic",
            {"queue_frac": 1.1},
            ValueError,
            "queue_frac must lie in [0, 1]",
        ),
        ("glft", {"intensity": -1}, ValueError, "intensity must be 0 or more, was -1"),
        ("glft", {"kappa": -0.5}, ValueError, "kappa must be 0 or more, was -0.5"),
        ("glft", {"kappa": math.inf}, ValueError, "kappa must be a finite number, was inf"),
        ("glft", {"kappa": None}, TypeError, "kappa must be a number, was None"),
    ],
    ids=lambda value: None if isinstance(value, FillModel | type) else str(value)[:40],
)
def test_an_unknown_model_or_parameter_is_an_error_that_says_what_is_known(
    name: Any, params: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        fill_model_of(name, params)
    assert message in str(caught.value)
