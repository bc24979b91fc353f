"""Scores of the prices and forecasts behind fills, worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from horizon.analytics import fill_table, forecast_scores
from horizon.analytics.edges import ForecastScores
from horizon.errors import DataError


def fills(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    """Rows of (market, side, quantity, price), a second apart."""
    frame = pd.DataFrame(rows, columns=["market_id", "side", "quantity", "price"])
    frame.insert(0, "timestamp", 1_700_000_000.0 + np.arange(len(rows)))
    return frame


RAIN_AND_SNOW = fills(
    ("rain", "buy", 10.0, 0.60),
    ("rain", "sell", 5.0, 0.70),
    ("snow", "buy", 1.0, 0.20),
)


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-12)


def test_brier_score_is_of_fills_in_markets_that_resolved() -> None:
    found = forecast_scores(fill_table(RAIN_AND_SNOW), outcomes={"rain": 1.0, "hail": 0.0})
    # (0.4² + 0.3²) / 2: each fill counts once, whatever its size; snow is still open.
    assert found.brier_score == close((0.16 + 0.09) / 2)
    assert found.model_brier_score is None
    assert found.avg_edge is None
    both = forecast_scores(fill_table(RAIN_AND_SNOW), outcomes={"rain": 1, "snow": 0.5})
    assert both.brier_score == close((0.16 + 0.09 + 0.09) / 3)


def test_edge_is_fair_less_price_for_buys_and_the_other_way_for_sells() -> None:
    found = forecast_scores(fill_table(RAIN_AND_SNOW), fair_values=[0.65, 0.66, math.nan])
    # Bought 0.05 below fair, sold 0.04 above it; nothing was thought of snow.
    assert found.avg_edge == close(0.045)
    assert found.brier_score is None
    assert found.model_brier_score is None


def test_model_is_scored_where_both_are_known() -> None:
    found = forecast_scores(
        fill_table(RAIN_AND_SNOW), outcomes={"rain": 1.0}, fair_values=[0.8, math.nan, 0.1]
    )
    assert found.model_brier_score == close(0.04)  # (0.8 - 1)² alone
    assert found.avg_edge == close((0.2 - 0.1) / 2)


def test_fill_in_no_is_the_opposite_fill_in_yes() -> None:
    # NO bought at 0.3 is YES sold at 0.7; NO sold at 0.4 is YES bought at 0.6.
    table = fill_table(fills(("rain:no", "buy", 1.0, 0.3), ("rain:no", "sell", 1.0, 0.4)))
    found = forecast_scores(table, outcomes={"rain": 1.0}, fair_values=[0.65, 0.65])
    assert found.brier_score == close((0.3**2 + 0.4**2) / 2)
    assert found.avg_edge == close((0.05 + 0.05) / 2)


def test_fair_values_belong_to_the_fills_as_they_were_given() -> None:
    shuffled = RAIN_AND_SNOW.iloc[[2, 0, 1]].reset_index(drop=True)
    found = forecast_scores(fill_table(shuffled), fair_values=[0.1, 0.65, 0.66])
    # Snow: bought 0.1 above fair.
    assert found.avg_edge == close((0.05 + 0.04 - 0.1) / 3)


def test_settlements_are_no_forecasts() -> None:
    settlements = pd.DataFrame(
        {
            "timestamp": [1_700_000_100.0],
            "market_id": ["rain"],
            "quantity": [5.0],
            "price": [1.0],
        }
    )
    table = fill_table(RAIN_AND_SNOW, settlements)
    found = forecast_scores(table, outcomes={"rain": 1.0}, fair_values=[0.65, 0.66, 0.2])
    assert found.brier_score == close((0.16 + 0.09) / 2)
    assert found.avg_edge == close((0.05 + 0.04 + 0.0) / 3)


@pytest.mark.parametrize("rows", [(), RAIN_AND_SNOW], ids=["no fills", "fills"])
def test_nothing_known_scores_nothing(rows: object) -> None:
    assert forecast_scores(fill_table(rows)) == ForecastScores(None, None, None)
    assert forecast_scores(fill_table(rows), outcomes={}) == ForecastScores(None, None, None)


@pytest.mark.parametrize("bad", [-0.1, 1.01, math.nan, "yes", None, True], ids=repr)
def test_outcome_outside_zero_to_one_is_named(bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^outcomes\['rain'\] must"):
        forecast_scores(fill_table(RAIN_AND_SNOW), outcomes={"rain": bad})


def test_outcome_of_a_no_side_is_refused_not_ignored() -> None:
    with pytest.raises(ValueError, match=r"outcomes must be those of YES.*had 'rain:no'"):
        forecast_scores(fill_table(RAIN_AND_SNOW), outcomes={"rain:no": 0.0})


@pytest.mark.parametrize("bad", [[1.0], "rain", {5: 1.0}], ids=repr)
def test_outcomes_are_by_market(bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^outcomes must"):
        forecast_scores(fill_table(RAIN_AND_SNOW), outcomes=bad)


@pytest.mark.parametrize("given", [[0.5], [0.5] * 4], ids=["too few", "too many"])
def test_there_is_a_fair_value_for_each_fill(given: list[float]) -> None:
    with pytest.raises(
        ValueError, match=f"fair_values must have one for each of 3 fills, had {len(given)}"
    ):
        forecast_scores(fill_table(RAIN_AND_SNOW), fair_values=given)


@pytest.mark.parametrize("bad", [math.inf, "half", True], ids=repr)
def test_fair_value_that_is_no_number_is_named(bad: object) -> None:
    with pytest.raises(DataError, match="row 1 has") as caught:
        forecast_scores(fill_table(RAIN_AND_SNOW), fair_values=[0.5, bad, 0.5])
    assert caught.value.row == 1
    series = pd.Series([0.5, bad, 0.5], index=[5, 6, 7], dtype=object)
    with pytest.raises(DataError, match="row 1 has"):
        forecast_scores(fill_table(RAIN_AND_SNOW), fair_values=series)


@pytest.mark.parametrize("bad", [0.5, [[0.5, 0.5, 0.5]]], ids=repr)
def test_fair_values_are_one_column(bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^fair_values must"):
        forecast_scores(fill_table(RAIN_AND_SNOW), fair_values=bad)
