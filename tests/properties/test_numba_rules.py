"""The scalar rules give the same bits as machine code as they give as Python.

Compiled loops are made from the same source. A rule calls others by their global names, so
each is compiled inside a copy of its module's namespace in which the names stand for the
compiled ones; the module itself is left alone.
"""

from __future__ import annotations

import math
import random
import struct
import types
from collections.abc import Callable, Iterator
from typing import Any

import numba
import pytest

from horizon import risk, rules

# Measured, these would take three times as long, and count hardly a line that others do not.
pytestmark = pytest.mark.no_cover

Kind = Callable[[random.Random], Any]

CALLS = 4_000
AWKWARD = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    -0.3,
    1 / 3,
    0.5,
    1e-9,
    -1e-9,
    1e9,
    -1e15,
    1e15,
    5e-324,
    2.2250738585072014e-308,
    1 - 2**-53,
    1 + 2**-52,
    0.123456789012,
    0.5000000000005,
    0.49999999999949996,
    1e-12,
    5e-13,
    180.0,
    100.0,
]


def signed(random_: random.Random) -> float:
    """Any finite float that a checked argument may be: awkward, even or log-uniform."""
    way = random_.randrange(4)
    if way == 0:
        return random_.choice(AWKWARD)
    if way == 1:
        return random_.uniform(-1_000, 1_000)
    if way == 2:
        return round(random_.uniform(-200, 200), random_.randrange(4))
    return math.copysign(10 ** random_.uniform(-12, 15), random_.random() - 0.5)


def positive(random_: random.Random) -> float:
    return abs(signed(random_)) or 1.0


def zero_or_more(random_: random.Random) -> float:
    return abs(signed(random_))


def unit(random_: random.Random) -> float:
    """In [0, 1]: a prediction's price, or slippage."""
    within = [x for x in AWKWARD if 0 <= x <= 1]
    return random_.random() if random_.random() < 0.7 else random_.choice(within)


def maybe_missing(random_: random.Random) -> float:
    return math.nan if random_.random() < 0.1 else zero_or_more(random_)


def rate(random_: random.Random) -> float:
    return random_.choice([0.0, 0.001, -0.0002, random_.uniform(-0.999, 0.999)])


def leverage(random_: random.Random) -> float:
    return random_.choice([1.0, 3.0, 100.0, random_.uniform(1, 100)])


def sign(random_: random.Random) -> int:
    return random_.choice([1, -1])


def kind(random_: random.Random) -> int:
    return random_.randrange(5)


def held(random_: random.Random) -> float:
    """A position that is not flat."""
    return signed(random_) or 2.5


#: What each rule is asked with, in the order of its parameters.
INPUTS: dict[str, tuple[Kind, ...]] = {
    "average_after": (signed, positive, held, zero_or_more),
    "closed_cost": (held, positive, signed, zero_or_more, positive),
    "closed_quantity": (signed, signed),
    "complement": (unit,),
    "exceeds": (signed, positive),
    "fee": (positive, zero_or_more, positive, rate),
    "is_affordable": (zero_or_more, signed, signed),
    "is_liquidated": (positive, signed, zero_or_more),
    "marketable_price": (maybe_missing, sign, unit, kind),
    "notional": (signed, zero_or_more, positive),
    "opening_part": (positive, signed, signed),
    "position_reserve": (kind, signed, zero_or_more, positive, signed, zero_or_more, leverage),
    "quantity_after": (signed, signed, held),
    "reaches": (maybe_missing, positive, sign),
    "realized": (held, positive, zero_or_more, positive, signed),
    "two_sum": (signed, signed, signed),
    "unit_reserve": (
        kind,
        sign,
        maybe_missing,
        zero_or_more,
        positive,
        zero_or_more,
        leverage,
        rate,
    ),
    "unrealized": (signed, zero_or_more, positive, signed),
    "value": (kind, signed, zero_or_more, positive, signed),
    "exposure_after": (signed, zero_or_more, positive, sign),
    "drawdown_floor": (signed, positive),
}
RISK_SCALARS = [
    name
    for name in risk.__all__
    if isinstance(getattr(risk, name), types.FunctionType) and name != "RiskGate"
]


def compiled(module: types.ModuleType) -> dict[str, Any]:
    """A module's functions as machine code, calling one another."""
    namespace: dict[str, Any] = dict(vars(module))
    for name, function in vars(module).items():
        if isinstance(function, types.FunctionType) and function.__module__ == module.__name__:
            # Same code object, other globals: what it calls is looked up when it is compiled,
            # on its first call, and found compiled.
            copy = types.FunctionType(
                function.__code__, namespace, name, function.__defaults__, function.__closure__
            )
            namespace[name] = numba.njit(copy)
    return namespace


@pytest.fixture(scope="module")
def native() -> dict[str, Any]:
    code = compiled(rules)
    code |= {name: value for name, value in compiled(risk).items() if name in RISK_SCALARS}
    return code


def bits(answer: Any) -> Any:
    """An answer as something that differs where one bit does, NaN and -0.0 included."""
    if isinstance(answer, tuple):
        return tuple(bits(part) for part in answer)
    if isinstance(answer, bool):
        return answer
    assert isinstance(answer, float), f"a rule answers floats and bools, this was {answer!r}"
    if math.isnan(answer):
        return "nan"  # its sign and payload are no number's
    return struct.pack("<d", answer)


def python_of(name: str) -> Callable[..., Any]:
    return getattr(rules, name, None) or getattr(risk, name)  # type: ignore[no-any-return]


def arguments(name: str) -> Iterator[tuple[Any, ...]]:
    """Thousands of argument lists: plain pairs of awkward values, then chance."""
    random_ = random.Random(name)
    for _ in range(CALLS):
        drawn = [draw(random_) for draw in INPUTS[name]]
        if random_.random() < 0.15 and len(drawn) > 1:
            # Equal or opposite arguments: closings that leave nothing.
            first, second = random_.sample(range(len(drawn)), 2)
            same = isinstance(drawn[first], float) and isinstance(drawn[second], float)
            if same and INPUTS[name][first] is INPUTS[name][second]:
                drawn[second] = drawn[first] * random_.choice([1.0, 1.0, -1.0, 1 - 2**-52])
        yield tuple(drawn)


def test_every_rule_has_inputs() -> None:
    assert set(INPUTS) == {*rules.__all__, *RISK_SCALARS}


def test_every_public_function_is_listed() -> None:
    public = {
        name
        for name, function in vars(rules).items()
        if isinstance(function, types.FunctionType)
        and function.__module__ == rules.__name__
        and not name.startswith("_")
    }
    assert public == set(rules.__all__)


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_a_compiled_rule_gives_the_same_bits(name: str, native: dict[str, Any]) -> None:
    plain, fast = python_of(name), native[name]
    for given in arguments(name):
        try:
            expected = plain(*given)
        except (OverflowError, ZeroDivisionError) as error:
            raise AssertionError(f"{name}{given} raises {error!r}") from error
        assert bits(fast(*given)) == bits(expected), f"{name}{given}"
    assert fast.signatures, "it was not compiled"


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_rules_change_and_remember_nothing(name: str) -> None:
    plain = python_of(name)
    some = [given for _, given in zip(range(50), arguments(name), strict=False)]
    once = [bits(plain(*given)) for given in some]
    again = [bits(plain(*given)) for given in reversed(some)]
    assert once == again[::-1]
    assert plain.__closure__ is None
