"""Rolling metrics: the function of each window, worked out for itself."""

import math

import numpy as np
import pandas as pd
import pytest

from horizon import analytics as an
from horizon.errors import DataError

# Windows of two: (0.01, 0.03) mean 0.02, deviation sqrt(0.0002); (0.03, -0.01) mean 0.01,
# deviation sqrt(0.0008), shortfall sqrt(0.0001 / 2).
THREE = [0.01, 0.03, -0.01]


def close(values: object, rel: float = 1e-12) -> object:
    return pytest.approx(values, rel=rel, abs=1e-14)


def test_windows_worked_out_by_hand() -> None:
    sharpe = an.rolling_sharpe(THREE, 2, periods_per_year=4)
    assert sharpe.tolist() == close([0.04 / math.sqrt(0.0002), 0.02 / math.sqrt(0.0008)])
    volatility = an.rolling_volatility(THREE, 2, periods_per_year=4)
    assert volatility.tolist() == close([2 * math.sqrt(0.0002), 2 * math.sqrt(0.0008)])
    sortino = an.rolling_sortino(THREE, 2, periods_per_year=4)
    assert sortino.tolist() == close([math.inf, 0.02 / math.sqrt(0.00005)])
    # Market (0, 0.02), (0.02, 0.01): slopes 0.02/0.02 and -0.04/-0.01.
    assert an.rolling_beta(THREE, [0.0, 0.02, 0.01], 2).tolist() == close([1.0, 4.0])


def test_risk_free_and_minimum_are_taken_off() -> None:
    sharpe = an.rolling_sharpe(THREE, 2, risk_free=0.005, periods_per_year=1)
    assert sharpe.tolist() == close([0.015 / math.sqrt(0.0002), 0.005 / math.sqrt(0.0008)])
    # About 0.02: short by 0.01; by 0.03. Means -0.0 and -0.01.
    sortino = an.rolling_sortino(THREE, 2, minimum=0.02, periods_per_year=1)
    assert sortino.tolist() == close([0.0, -0.01 / math.sqrt(0.00045)])


def series(kind: str, n: int = 200) -> np.ndarray:
    rng = np.random.default_rng(11)
    noise = rng.normal(0.0005, 0.01, n)
    if kind == "with a crash":
        noise[n // 2] = -0.9
    elif kind == "quiet and wild":
        noise[: n // 2] *= 1e-7
    elif kind == "level in the middle":
        noise[n // 4 : n // 2] = 0.0003
    elif kind == "far from zero":
        noise += 5.0
    elif kind == "level after a jump":
        noise[:] = 0.01
        noise[n // 3] = 40.0
    elif kind == "even interest":  # with the rounding of the equity that it was paid on
        equity = 100.0 * np.exp(1e-5 * np.arange(n + 1))
        noise = equity[1:] / equity[:-1] - 1.0
    return noise


KINDS = [
    "noise",
    "with a crash",
    "quiet and wild",
    "level in the middle",
    "far from zero",
    "level after a jump",
    "even interest",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [2, 3, 7, 63, 199, 200])
def test_each_window_is_the_function_of_its_returns(kind: str, window: int) -> None:
    values = series(kind)
    market = series("noise")[::-1].copy()
    parts = [slice(i, i + window) for i in range(len(values) - window + 1)]
    assert an.rolling_sharpe(values, window).tolist() == close(
        [an.sharpe_ratio(values[p]) for p in parts], 1e-9
    )
    assert an.rolling_volatility(values, window).tolist() == close(
        [an.volatility(values[p]) for p in parts], 1e-9
    )
    assert an.rolling_sortino(values, window).tolist() == close(
        [an.sortino_ratio(values[p]) for p in parts], 1e-9
    )
    assert an.rolling_beta(values, market, window).tolist() == pytest.approx(
        [an.beta(values[p], market[p]) for p in parts], rel=1e-9, abs=1e-10
    )
    assert an.rolling_beta(market, values, window).tolist() == pytest.approx(
        [an.beta(market[p], values[p]) for p in parts], rel=1e-8, abs=1e-10
    )


def test_rounding_of_a_level_window_is_no_spread() -> None:
    values = 1.0 + np.array([0, 1, 2, 1, 0, 3, 1, 2]) * 2.2e-16
    assert an.sharpe_ratio(values[:4]) == 0.0
    assert an.rolling_sharpe(values, 4).tolist() == [0.0] * 5
    assert an.rolling_volatility(values, 4).tolist() == [0.0] * 5


def test_level_windows_have_neither_sharpe_nor_volatility_nor_beta() -> None:
    values = np.array([0.01] * 5 + [0.02, 0.03])
    # Windows of three: the first three are level.
    assert an.rolling_volatility(values, 3)[:3].tolist() == [0.0] * 3
    assert an.rolling_sharpe(values, 3)[:3].tolist() == [0.0] * 3
    assert an.rolling_beta(series("noise", 7), values, 3)[:3].tolist() == [0.0] * 3
    assert (an.rolling_volatility(values, 3)[3:] > 0.0).all()


@pytest.mark.parametrize("n", [0, 1, 4])
def test_window_longer_than_the_series_gives_nothing(n: int) -> None:
    values = series("noise", 8)[:n]
    for rolled in (
        an.rolling_sharpe(values, 5),
        an.rolling_sortino(values, 5),
        an.rolling_volatility(values, 5),
        an.rolling_beta(values, values, 5),
    ):
        assert rolled.shape == (0,)
        assert rolled.dtype == np.float64


def test_value_of_a_window_does_not_change_with_what_comes_later() -> None:
    values, market = series("noise", 60), series("noise", 60)[::-1].copy()
    later, later_market = values.copy(), market.copy()
    later[40:] = [-0.5, 3.0] * 10
    later_market[40:] = [2.0, -0.9] * 10
    known = 40 - 10 + 1  # windows of ten that end before row 40
    for rolled in (an.rolling_sharpe, an.rolling_sortino, an.rolling_volatility):
        before, after = rolled(values, 10)[:known], rolled(later, 10)[:known]
        assert after.tolist() == close(before.tolist(), 1e-9)
    before = an.rolling_beta(values, market, 10)[:known]
    after = an.rolling_beta(later, later_market, 10)[:known]
    assert after.tolist() == pytest.approx(before.tolist(), rel=1e-9, abs=1e-11)
    # And the first window that has the new return does change.
    assert an.rolling_sharpe(values, 10)[known] != an.rolling_sharpe(later, 10)[known]


@pytest.mark.parametrize("bad", [1, 0, 2.0, True, "5"], ids=repr)
def test_window_is_a_whole_number_of_two_or_more(bad: object) -> None:
    for call in (
        lambda: an.rolling_sharpe(THREE, bad),
        lambda: an.rolling_sortino(THREE, bad),
        lambda: an.rolling_volatility(THREE, bad),
        lambda: an.rolling_beta(THREE, THREE, bad),
    ):
        with pytest.raises((TypeError, ValueError), match="window must be"):
            call()


@pytest.mark.parametrize("rolled", [an.rolling_sharpe, an.rolling_sortino, an.rolling_volatility])
def test_wrong_arguments_are_named(rolled: object) -> None:
    with pytest.raises(DataError, match="returns must be finite numbers, row 2 has nan"):
        rolled([0.1, 0.2, math.nan], 2)
    with pytest.raises(ValueError, match="periods_per_year must be above 0, was 0"):
        rolled(THREE, 2, periods_per_year=0)


def test_wrong_arguments_of_beta_are_named() -> None:
    with pytest.raises(ValueError, match="had 2 for 3"):
        an.rolling_beta(THREE, [0.1, 0.2], 2)
    with pytest.raises(DataError, match="benchmark must be finite numbers, row 0 has nan"):
        an.rolling_beta(THREE, [math.nan, 0.1, 0.2], 2)
    with pytest.raises(ValueError, match="risk_free must be a finite number, was nan"):
        an.rolling_sharpe(THREE, 2, risk_free=math.nan)
    with pytest.raises(ValueError, match="minimum must be a finite number, was nan"):
        an.rolling_sortino(THREE, 2, minimum=math.nan)


def test_series_with_other_labels_are_to_be_aligned_first() -> None:
    # A benchmark of falling labels would be paired by place, and give a beta of 1 throughout.
    own = pd.Series([0.01, 0.02, 0.03], index=[0, 1, 2])
    turned = pd.Series([0.01, 0.02, 0.03], index=[2, 1, 0])
    with pytest.raises(ValueError, match=r"^benchmark must have the index of returns.*reindex"):
        an.rolling_beta(own, turned, 2)
    # Aligned it is 0.03, 0.02, 0.01: up by 0.01 where it falls by 0.01.
    assert an.rolling_beta(own, turned.reindex(own.index), 2).tolist() == close([-1.0, -1.0])
    assert an.rolling_beta(own, turned.tolist(), 2).tolist() == close([1.0, 1.0])
