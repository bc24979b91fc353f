"""The features of a strategy over all its markets, as it reads them: `f.z[market.id]`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from keyword import iskeyword
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeAlias

from horizon import checks
from horizon.strategies.features.base import INPUTS, Feature

__all__ = ["FeatureBoard", "FeatureValues", "checked_features"]

#: Who takes a value: the update of a state, and where its result is put.
_Taker: TypeAlias = tuple[Callable[..., float], dict[str, float], Feature]


class FeatureValues:
    """What a strategy sees of its features: ``f``.

    ``f.z`` or ``f["z"]`` maps market ids to the feature's value there, NaN until its window is
    full. What it gives cannot be changed, and is not a copy: it moves with the market.

    Parameters
    ----------
    named : mapping of str to mapping of str to float
        Values by market id, by the features' names. A `FeatureBoard` gives its own.

    Examples
    --------
    >>> f = hz.strategies.FeatureValues({"z": {"ACME": -2.5}})
    >>> f.z["ACME"], list(f)
    (-2.5, ['z'])
    """

    __slots__ = ("__dict__",)

    def __init__(self, named: Mapping[str, Mapping[str, float]]) -> None:
        self.__dict__.update(named)

    def __getitem__(self, name: str) -> Mapping[str, float]:
        try:
            found: Mapping[str, float] = self.__dict__[name]
        except KeyError:
            raise KeyError(self._unknown(name)) from None
        return found

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(self._unknown(name))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"features cannot be set, {name!r} was: they follow the market")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"features cannot be deleted, {name!r} was: they follow the market")

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__)

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__

    def __dir__(self) -> list[str]:
        return sorted(self.__dict__)

    def __repr__(self) -> str:
        return f"FeatureValues({', '.join(self.__dict__)})"

    def _unknown(self, name: object) -> str:
        known = list(self.__dict__)
        listed = ", ".join(known) or "none: the strategy has no features"
        hint = checks.suggestion(name, known) if isinstance(name, str) else ""
        return f"there is no feature {checks.show(name)}; there are {listed}{hint}"


class FeatureBoard:
    """One state for each feature and market, fed row by row.

    Parameters
    ----------
    features : mapping of str to Feature
        By the names that a strategy reads them by. The objects are prototypes: they stay as they
        are, and the board has states of its own.
    market_ids : sequence of str
        The markets, in the order of their numbers; each once.

    Attributes
    ----------
    values : FeatureValues
        What a strategy reads: ``values.z[market_id]``.

    Raises
    ------
    TypeError, ValueError
        For a name that cannot be read as ``f.name``, something else than a feature, or a market
        twice.

    Examples
    --------
    Any row that has the features' inputs will do: here a tick without quotes.

    >>> board = hz.strategies.FeatureBoard({"mean": hz.SMA(2)}, ["ACME"])
    >>> for second, price in enumerate([10.0, 12.0]):
    ...     board.see(0, hz.feeds.Row("ACME", second * 10**9, price))
    >>> board.values.mean["ACME"]
    11.0
    """

    __slots__ = ("_plans", "_values", "features", "market_ids", "values")

    def __init__(self, features: Mapping[str, Feature], market_ids: Sequence[str]) -> None:
        self.features: Final = checked_features(features)
        self.market_ids: Final = tuple(market_ids)
        for number, market_id in enumerate(self.market_ids):
            if market_id in self.market_ids[:number]:
                raise ValueError(f"market_ids must name each market once, has {market_id!r} twice")
        self._values = {name: _Column(name, self.market_ids) for name in self.features}
        #: What each market's rows are fed to, by the fields it takes of them.
        self._plans = [self._plan(market_id) for market_id in self.market_ids]
        self.values: Final = FeatureValues(
            {name: MappingProxyType(column) for name, column in self._values.items()}
        )

    def _plan(self, market_id: str) -> list[tuple[attrgetter[Any], bool, list[_Taker]]]:
        takers: dict[tuple[str, ...], list[_Taker]] = {}
        for name, feature in self.features.items():
            state = feature.fresh()
            takers.setdefault(feature.inputs, []).append((state.update, self._values[name], state))
        return [(attrgetter(*fields), len(fields) == 1, found) for fields, found in takers.items()]

    def see(self, number: int, row: Any) -> None:
        """Feed a row of market `number` to its features.

        Parameters
        ----------
        number : int
            Place of the market in `market_ids`.
        row : FeedRow
            A feature of which one input is missing there (NaN) passes it over.

        Raises
        ------
        TypeError
            If a feature of one's own returns something else than a float.
        """
        market_id = self.market_ids[number]
        for fields, is_one, takers in self._plans[number]:
            given = fields(row)
            if is_one:
                if given != given:
                    continue
                for update, column, state in takers:
                    value = update(given)
                    if type(value) is not float:
                        value = _as_float(state, value)
                    column[market_id] = state.value = value
            else:
                if any(x != x for x in given):
                    continue
                for update, column, state in takers:
                    value = update(*given)
                    if type(value) is not float:
                        value = _as_float(state, value)
                    column[market_id] = state.value = value

    def ready(self, market_id: str) -> bool:
        """Whether every feature has a value in the market `market_id`.

        Examples
        --------
        >>> hz.strategies.FeatureBoard({"mean": hz.SMA(2)}, ["ACME"]).ready("ACME")
        False
        """
        return all(not math.isnan(column[market_id]) for column in self._values.values())

    def __repr__(self) -> str:
        listed = ", ".join(f"{name}={feature!r}" for name, feature in self.features.items())
        return f"FeatureBoard({listed}; {len(self.market_ids)} markets)"


class _Column(dict[str, float]):
    """A feature's values by market id; a market that is not there is named in the error."""

    __slots__ = ("_name",)

    def __init__(self, name: str, market_ids: Sequence[str]) -> None:
        super().__init__(dict.fromkeys(market_ids, math.nan))
        self._name = name

    def __missing__(self, market_id: object) -> NoReturn:
        hint = ""
        if isinstance(market_id, str):
            near = get_close_matches(market_id, self, n=1)  # case counts in an id
            hint = f". Did you mean {near[0]!r}?" if near else ""
        raise KeyError(
            f"feature {self._name!r} has no market {checks.show(market_id)}; its keys are the ids "
            f"of the strategy's markets{hint}"
        )


def checked_features(features: object) -> dict[str, Feature]:
    """Take features by name, as a strategy gives them.

    Raises
    ------
    TypeError, ValueError
        If it is no mapping, a name cannot be read as ``f.name``, a value is no `Feature`, or a
        feature asks for inputs that no row has.
    """
    if not isinstance(features, Mapping):
        raise TypeError(
            f"features must map names to features, as in {{'z': Zscore(20)}}, was "
            f"{checks.show(features)}"
        )
    taken: dict[str, Feature] = {}
    for name, feature in features.items():
        if not isinstance(name, str):
            raise TypeError(f"features must have names as keys, was {checks.show(name)}")
        if not name.isidentifier() or iskeyword(name) or name.startswith("_"):
            raise ValueError(
                f"features must have names that can be read as f.name (letters, digits and "
                f"underscores, not first; no word of Python's own), was {name!r}"
            )
        if isinstance(feature, type) and issubclass(feature, Feature):
            raise TypeError(
                f"features[{name!r}] must be a feature, was the class {feature.__name__}: write "
                f"{feature.__name__}(...)"
            )
        if not isinstance(feature, Feature):
            raise TypeError(f"features[{name!r}] must be a Feature, was {checks.show(feature)}")
        _check_inputs(name, feature)
        taken[name] = feature
    return taken


def _check_inputs(name: str, feature: Feature) -> None:
    fields = feature.inputs
    if type(fields) is not tuple or not fields:
        raise TypeError(
            f"inputs of features[{name!r}] must be a tuple of fields of a row, such as "
            f"('price',), was {checks.show(fields)}"
        )
    for field in fields:
        checks.one_of(f"inputs of features[{name!r}]", field, INPUTS)


def _as_float(feature: Feature, value: object) -> float:
    if isinstance(value, float):  # NumPy's, perhaps a NaN
        return float(value)
    return checks.number(f"what {feature!r} returned", value)
