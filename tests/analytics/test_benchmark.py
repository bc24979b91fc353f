"""Metrics beside a benchmark against numbers worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from horizon import analytics as an
from horizon.errors import DataError

# Means 0.02 and 0.01. Distances 0.02 -0.04 0.02 0 and 0.02 -0.02 0.01 -0.01:
# Σab = 0.0004 + 0.0008 + 0.0002 + 0 = 0.0014, Σa² = 0.0024, Σb² = 0.0010.
OWN = [0.04, -0.02, 0.04, 0.02]
MARKET = [0.03, -0.01, 0.02, 0.0]
BETA = 1.4
# Growth of own 1.04 * 0.98 * 1.04 * 1.02 = 1.1024 * 0.9996, of the market 1.03 * 0.99 * 1.02.
GROWTH, MARKET_GROWTH = 1.04 * 0.98 * 1.04 * 1.02 - 1, 1.03 * 0.99 * 1.02 - 1
YEAR = {"periods_per_year": 4.0}  # so that annual growth is the growth of all

PAIRED = [
    "active_return",
    "alpha",
    "appraisal_ratio",
    "beta",
    "capture_ratio",
    "correlation",
    "down_capture",
    "information_ratio",
    "m_squared",
    "r_squared",
    "specific_risk",
    "systematic_risk",
    "tracking_error",
    "treynor_ratio",
    "up_capture",
]


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-11, abs=1e-14)


def test_beta_and_correlation() -> None:
    assert an.beta(OWN, MARKET) == close(BETA)  # 0.0014 / 0.0010
    correlation = 0.0014 / math.sqrt(0.0024 * 0.0010)
    assert an.correlation(OWN, MARKET) == close(correlation)
    assert an.r_squared(OWN, MARKET) == close(correlation**2)
    assert an.beta(MARKET, MARKET) == close(1.0)
    assert an.correlation(OWN, [-r for r in OWN]) == close(-1.0)


def test_alpha_compounded_simple_and_of_jensen() -> None:
    # Per period 0.02 - 1.4 * 0.01 = 0.006.
    assert an.alpha(OWN, MARKET, **YEAR) == close(1.006**4 - 1)
    assert an.alpha(OWN, MARKET, method="simple", **YEAR) == close(0.024)
    jensen = GROWTH - 1.4 * MARKET_GROWTH
    assert an.alpha(OWN, MARKET, method="jensen", **YEAR) == close(jensen)
    # With 0.001 without risk: 0.019 - 1.4 * 0.009 = 0.0064.
    free = {"risk_free": 0.001, **YEAR}
    assert an.alpha(OWN, MARKET, method="simple", **free) == close(0.0256)
    assert an.alpha(OWN, MARKET, **free) == close(1.0064**4 - 1)
    yearly = 0.004  # 0.001 in each of four periods
    jensen = GROWTH - yearly - 1.4 * (MARKET_GROWTH - yearly)
    assert an.alpha(OWN, MARKET, method="jensen", **free) == close(jensen)


def test_alpha_that_loses_all_in_a_period_is_minus_one() -> None:
    # Beta 1, and 1.5 less in each period.
    own = [r - 1.5 for r in MARKET]
    assert an.alpha(own, MARKET) == -1.0


def test_active_return_is_a_difference_of_compound_growth() -> None:
    assert an.active_return(OWN, MARKET, **YEAR) == close(GROWTH - MARKET_GROWTH)


def test_tracking_error_and_information_ratio() -> None:
    # Differences 0.01 -0.01 0.02 0.02: mean 0.01, squares about it 0 + 0.0004 + 0.0001 + 0.0001.
    error = math.sqrt(0.0006 / 3)
    assert an.tracking_error(OWN, MARKET, **YEAR) == close(error * 2)
    assert an.information_ratio(OWN, MARKET, **YEAR) == close(0.01 / error * 2)
    compound = (GROWTH - MARKET_GROWTH) / (error * 2)
    assert an.information_ratio(OWN, MARKET, method="compound", **YEAR) == close(compound)


def test_risk_that_the_benchmark_explains_and_the_rest() -> None:
    assert an.systematic_risk(OWN, MARKET, **YEAR) == close(1.4 * math.sqrt(0.0010 / 3) * 2)
    # r - 1.4 b: -0.002 -0.006 0.012 0.02; about 0.006: 64 + 144 + 36 + 196 = 440 millionths.
    assert an.specific_risk(OWN, MARKET, **YEAR) == close(math.sqrt(0.00044 / 3) * 2)
    assert an.specific_risk(OWN, MARKET, ddof=0, **YEAR) == close(math.sqrt(0.00044 / 4) * 2)


def test_systematic_risk_is_no_less_for_a_beta_below_zero() -> None:
    mirrored = [-r for r in OWN]
    assert an.systematic_risk(mirrored, MARKET) == close(an.systematic_risk(OWN, MARKET))


def test_appraisal_ratio_is_jensens_alpha_over_specific_risk() -> None:
    jensen = GROWTH - 1.4 * MARKET_GROWTH
    assert an.appraisal_ratio(OWN, MARKET, **YEAR) == close(jensen / (math.sqrt(0.00044 / 3) * 2))
    over_n = an.appraisal_ratio(OWN, MARKET, ddof=0, **YEAR)
    assert over_n == close(jensen / (math.sqrt(0.00044 / 4) * 2))
    yearly = 0.004  # 0.001 in each of four periods
    free = an.appraisal_ratio(OWN, MARKET, risk_free=0.001, **YEAR)
    jensen = GROWTH - yearly - 1.4 * (MARKET_GROWTH - yearly)
    assert free == close(jensen / (math.sqrt(0.00044 / 3) * 2))


def test_treynor_ratio_is_per_beta_or_per_systematic_risk() -> None:
    assert an.treynor_ratio(OWN, MARKET, **YEAR) == close(GROWTH / 1.4)
    modified = an.treynor_ratio(OWN, MARKET, modified=True, **YEAR)
    assert modified == close(GROWTH / (1.4 * math.sqrt(0.0010 / 3) * 2))
    yearly = 0.004  # 0.001 in each of four periods
    assert an.treynor_ratio(OWN, MARKET, risk_free=0.001, **YEAR) == close((GROWTH - yearly) / 1.4)


def test_m_squared_has_the_benchmarks_volatility() -> None:
    scale = math.sqrt(0.0010 / 0.0024)
    assert an.m_squared(OWN, MARKET, **YEAR) == close(GROWTH * scale)
    yearly = 0.004  # 0.001 in each of four periods
    free = an.m_squared(OWN, MARKET, risk_free=0.001, **YEAR)
    assert free == close(yearly + (GROWTH - yearly) * scale)


def test_captures_leave_out_periods_in_which_the_benchmark_stood_still() -> None:
    # Up in the first and the third: (1.04²)^(4/2) - 1 over (1.03 * 1.02)^2 - 1.
    up = (1.04**4 - 1) / ((1.03 * 1.02) ** 2 - 1)
    assert an.up_capture(OWN, MARKET, **YEAR) == close(up)
    # Down in the second: 0.98⁴ - 1 over 0.99⁴ - 1.
    down = (0.98**4 - 1) / (0.99**4 - 1)
    assert an.down_capture(OWN, MARKET, **YEAR) == close(down)
    assert an.capture_ratio(OWN, MARKET, **YEAR) == close(up / down)


def test_capture_without_such_periods_is_zero() -> None:
    assert an.up_capture(OWN, [-0.01] * 3 + [-0.02]) == 0.0
    assert an.down_capture(OWN, [0.01] * 3 + [0.02]) == 0.0
    assert an.capture_ratio(OWN, [0.01] * 3 + [0.02]) == math.inf


def test_gain_where_the_benchmark_fell_is_a_capture_below_zero() -> None:
    # It rose 0.1 while the benchmark fell 0.1.
    own, market = [0.1, 0.1], [-0.1, 0.1]
    assert an.down_capture(own, market, periods_per_year=1) == close(-1.0)
    assert an.up_capture(own, market, periods_per_year=1) == close(1.0)
    assert an.capture_ratio(own, market, periods_per_year=1) == close(-1.0)


# ------------------------------------------------------------------------ where nothing can be said
@pytest.mark.parametrize("name", PAIRED)
@pytest.mark.parametrize("own", [[], [0.01]], ids=["none", "one"])
def test_too_few_periods_give_zero(name: str, own: list[float]) -> None:
    if name in ("active_return", "up_capture", "capture_ratio", "down_capture"):
        return  # growth needs one period only
    assert getattr(an, name)(own, own) == 0.0


@pytest.mark.parametrize("name", ["active_return", "up_capture", "down_capture", "capture_ratio"])
def test_growth_of_no_periods_is_zero(name: str) -> None:
    assert getattr(an, name)([], []) == 0.0


@pytest.mark.parametrize(
    "name",
    ["alpha", "beta", "correlation", "r_squared", "systematic_risk", "treynor_ratio"],
)
def test_benchmark_that_does_not_vary_gives_zero(name: str) -> None:
    assert getattr(an, name)(OWN, [0.1] * 4) == 0.0


def test_own_returns_that_do_not_vary() -> None:
    level = [0.1] * 4
    assert an.correlation(level, MARKET) == 0.0
    assert an.m_squared(level, MARKET) == 0.0
    assert an.beta(level, MARKET) == pytest.approx(0.0, abs=1e-12)


def test_benchmark_against_itself_has_no_error() -> None:
    assert an.tracking_error(MARKET, MARKET) == 0.0
    assert an.information_ratio(MARKET, MARKET) == 0.0
    assert an.specific_risk(MARKET, MARKET) == 0.0
    assert an.appraisal_ratio(MARKET, MARKET) == 0.0


@pytest.mark.parametrize("ahead", [1e-3, 1e-4, 1e-5, 1e-6], ids=str)
def test_difference_that_never_changes_is_no_risk(ahead: float) -> None:
    market = np.random.default_rng(1).normal(0.0, 0.01, 50)
    assert an.tracking_error(market + ahead, market) == 0.0
    assert an.information_ratio(market + ahead, market) == 0.0
    assert an.specific_risk(2.0 * market + ahead, market) == 0.0
    assert an.appraisal_ratio(2.0 * market + ahead, market) == 0.0


@pytest.mark.parametrize("name", PAIRED)
def test_growth_beyond_a_float_gives_no_silent_nan(name: str) -> None:
    metric = getattr(an, name)
    options = [{}]
    if name == "alpha":
        options = [{"method": "jensen"}, {"method": "simple"}, {}]
    if name == "information_ratio":
        options = [{"method": "compound"}, {}]
    own, market = [1.0, 2.0, 3.0, -0.5], [1.0, 2.0, 3.0, -0.4]
    for each in options:
        if name not in ("beta", "correlation", "r_squared"):
            each = {**each, "periods_per_year": 1e6}
        assert not math.isnan(metric(own, market, **each))


# ------------------------------------------------------------------------ errors
@pytest.mark.parametrize("name", PAIRED)
def test_other_length_is_an_error(name: str) -> None:
    with pytest.raises(
        ValueError, match="benchmark must have a return for each of returns, had 1 for 2"
    ):
        getattr(an, name)([0.1, 0.2], [0.1])


@pytest.mark.parametrize("name", PAIRED)
def test_not_a_number_is_an_error_that_names_the_series(name: str) -> None:
    with pytest.raises(DataError, match=r"benchmark must be finite numbers, row 1 has .*nan"):
        getattr(an, name)([0.1, 0.2], [0.1, math.nan])
    with pytest.raises(DataError, match="returns must be finite numbers, row 0 has inf"):
        getattr(an, name)([math.inf, 0.2], [0.1, 0.1])


@pytest.mark.parametrize(
    "name", [name for name in PAIRED if name not in ("beta", "correlation", "r_squared")]
)
@pytest.mark.parametrize("bad", [0, -1.0, math.nan, "a"], ids=repr)
@pytest.mark.parametrize("market", [MARKET, [0.0] * 4], ids=["market", "level"])
def test_wrong_periods_per_year_are_named(name: str, bad: object, market: list[float]) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^periods_per_year must be"):
        getattr(an, name)(OWN, market, periods_per_year=bad)


@pytest.mark.parametrize(
    ("name", "option", "bad"),
    [
        ("alpha", "method", "compounded"),
        ("alpha", "risk_free", math.nan),
        ("information_ratio", "method", "average"),
        ("specific_risk", "ddof", -1),
        ("appraisal_ratio", "ddof", 0.5),
        ("appraisal_ratio", "risk_free", math.inf),
        ("treynor_ratio", "modified", 1),
        ("treynor_ratio", "risk_free", "low"),
        ("m_squared", "risk_free", math.nan),
    ],
    ids=str,
)
def test_wrong_option_is_named(name: str, option: str, bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{option} must "):
        getattr(an, name)(OWN, MARKET, **{option: bad})


def test_series_with_other_labels_are_to_be_aligned_first() -> None:
    own = pd.Series(OWN, index=list("abcd"))
    with pytest.raises(ValueError, match=r"^benchmark must have the index of returns.*reindex"):
        an.beta(own, pd.Series(MARKET, index=list("bacd")))
    assert an.beta(own, pd.Series(MARKET, index=list("abcd"))) == close(BETA)
    assert an.beta(own, MARKET) == close(BETA)  # a list has no labels
