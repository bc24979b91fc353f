"""Uniform numbers that are looked up: the same, whoever asks, and as good as drawn ones."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from horizon.venues.chance import market_key, mixed, uniform

STEP = 0x9E3779B97F4A7C15


def test_the_finaliser_gives_the_published_numbers_of_splitmix64() -> None:
    # The first five outputs of SplitMix64 from the seed 1234567, as its reference
    # implementation gives them.
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [mixed((1234567 + k * STEP) % 2**64) for k in range(1, 6)] == published


def test_a_number_is_the_four_words_taken_in_one_after_the_other() -> None:
    seed, market, order, snapshot = 7, market_key("M"), 3, 11
    state = 0
    for word in (seed, market, order, snapshot):
        state = mixed((state + STEP + word) % 2**64)
    assert uniform(seed, market, order, snapshot) == (state >> 11) / 2**53


def test_numbers_are_in_the_unit_interval_without_its_end() -> None:
    numbers = [uniform(0, 5, order, snapshot) for order in range(50) for snapshot in range(50)]
    assert all(0.0 <= number < 1.0 for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_each_of_the_four_words_makes_another_number() -> None:
    words = (1, market_key("M"), 2, 3)
    numbers = [uniform(*words)]
    for place in range(4):
        other = list(words)
        other[place] += 1
        numbers.append(uniform(*other))
    assert len(set(numbers)) == 5


def test_words_that_change_places_make_another_number() -> None:
    assert len({uniform(0, 0, 1, 2), uniform(0, 0, 2, 1), uniform(1, 0, 0, 2)}) == 3


def test_the_key_of_a_market_is_the_same_in_every_process() -> None:
    code = "from horizon.venues.chance import market_key; print(market_key('wird es regnen?'))"
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert keys == {f"{market_key('wird es regnen?')}\n"}


def test_markets_have_keys_of_their_own() -> None:
    assert len({market_key(f"market {k}") for k in range(10_000)}) == 10_000


# What is keyed by numbers that differ by one must not look alike. The sequences run along each
# of the four words.
WAYS = {
    "snapshots": [uniform(0, 17, 1, k) for k in range(100_000)],
    "orders": [uniform(0, 17, k, 1) for k in range(100_000)],
    "seeds": [uniform(k, 17, 1, 1) for k in range(100_000)],
    "markets": [uniform(0, market_key(f"m{k}"), 1, 1) for k in range(100_000)],
    "orders by snapshots": [uniform(3, 17, k // 400, k % 400) for k in range(100_000)],
}


@pytest.mark.parametrize("way", WAYS)
def test_numbers_fall_evenly_into_a_hundred_bins(way: str) -> None:
    counts = Counter(int(number * 100) for number in WAYS[way])
    # 1,000 are expected in each. Chi-square of 99 degrees of freedom, by Wilson and Hilferty:
    # 99 x (1 - 2/891 + z x sqrt(2/891))^3 is 160.2 at z = 3.719 and 54.9 at z = -3.719, where
    # 1 in 10,000 lies beyond.
    statistic = sum((counts[k] - 1_000.0) ** 2 / 1_000.0 for k in range(100))
    assert 54.9 < statistic < 160.2


@pytest.mark.parametrize("way", WAYS)
def test_a_number_says_nothing_about_the_next(way: str) -> None:
    numbers = np.array(WAYS[way])
    correlation = float(np.corrcoef(numbers[:-1], numbers[1:])[0, 1])
    # Its standard error is 1/sqrt(99,999), 0.00316; four of them.
    assert abs(correlation) < 0.0127
    # Pairs in 10 x 10 cells. Overlapping pairs share numbers; their statistic less that of the
    # single numbers in 10 bins has 90 degrees of freedom (Good, 1953), of which 1 in 10,000 lies
    # above 90 x (1 - 2/810 + 3.719 x sqrt(2/810))^3 = 148.4, and as many below 48.3.
    digits = [int(number * 10) for number in WAYS[way]]
    pairs, single = Counter(pairwise(digits)), Counter(digits)
    each, alone = 99_999 / 100, 100_000 / 10
    statistic = sum((pairs[i, j] - each) ** 2 / each for i in range(10) for j in range(10))
    statistic -= sum((single[i] - alone) ** 2 / alone for i in range(10))
    assert 48.3 < statistic < 148.4


@pytest.mark.parametrize("bit", range(53))
def test_each_bit_is_set_half_of_the_time(bit: int) -> None:
    set_ = sum(int(number * 2**53) >> bit & 1 for number in WAYS["snapshots"])
    # Binomial of 100,000 and 1/2: 158.1 is the standard deviation; 4.5 of them.
    assert abs(set_ - 50_000) < 712
