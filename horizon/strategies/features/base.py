"""What a feature is: one number that follows a market row by row."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from horizon import checks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["INPUTS", "Feature"]

#: What a feature can be fed of a row.
INPUTS: Final = (
    "timestamp",
    "price",
    "bid",
    "ask",
    "mid",
    "spread",
    "volume",
    "open",
    "high",
    "low",
    "bid_size",
    "ask_size",
)

_Self = TypeVar("_Self", bound="Feature")


class Feature(ABC):
    """A number that follows a market row by row, in constant time for each.

    Derive from it for a feature of one's own: `__init__` sets `window`, `update` takes a row. To
    feed a ready one something else, derive from that and name the `inputs`.
    An object is a prototype as well as a state: a run makes one state for each market with
    `fresh`, and the object that a strategy names stays as it is.

    Attributes
    ----------
    inputs : tuple of str
        Fields of a row that `update` is fed, in this order: of `INPUTS`.
    window : int
        Rows it takes until there is a value.
    value : float
        The last value; NaN before the window is full.

    Notes
    -----
    A row that has one of the inputs missing (NaN) is passed over: it counts nowhere, and the
    value stays. Two features of one class and equal arguments are equal, and hash alike.

    Examples
    --------
    The highest price of the last rows, a feature of one's own:

    >>> class Highest(hz.Feature):
    ...     inputs = ("high",)
    ...
    ...     def __init__(self, n: int) -> None:
    ...         self.window = n
    ...         self.seen: list[float] = []
    ...
    ...     def update(self, high: float) -> float:
    ...         self.seen = [*self.seen, high][-self.window :]
    ...         return max(self.seen) if len(self.seen) == self.window else float("nan")
    >>> Highest(2).batch([3.0, 1.0, 2.0]).tolist()
    [nan, 3.0, 2.0]
    """

    inputs: tuple[str, ...] = ("price",)
    window: int = 1
    value: float = math.nan
    _given: tuple[tuple[Any, ...], dict[str, Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update" in vars(cls) and "_batch" not in vars(cls):
            # What a class before it does with arrays is not what this update does.
            cls._batch = Feature._batch  # type: ignore[method-assign]  # it is this very method

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Keep the arguments: equality, `fresh` and the repr are made of them."""
        made = super().__new__(cls)
        made._given = (args, kwargs)
        return made

    def __init__(self) -> None:
        """Take no arguments; a class that takes some has its own."""
        self.value = math.nan

    @abstractmethod
    # Typed as anything, so that a feature may name its inputs one by one.
    def update(self, *args: Any, **kwargs: Any) -> float:
        """Take the inputs of one row, and return the value.

        Parameters
        ----------
        *args : float
            One for each of `inputs`, in their order.
        **kwargs
            None are ever given; a feature of one's own may name its inputs one by one.

        Returns
        -------
        float
            NaN while rows are missing, or where the value is not defined.

        Raises
        ------
        ValueError
            For a number beyond ±1e15, of which a float no longer tells units apart.

        Examples
        --------
        >>> average = hz.SMA(2)
        >>> average.update(10.0), average.update(12.0)
        (nan, 11.0)
        """

    def fresh(self: _Self) -> _Self:
        """Return a new state with the same arguments, that has seen nothing.

        Examples
        --------
        >>> seen = hz.Price()
        >>> seen.update(10.0)
        10.0
        >>> seen.fresh().value
        nan
        """
        args, kwargs = self._given
        return type(self)(*args, **kwargs)

    def batch(self, *arrays: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Work out the values of many rows at once, from a fresh state.

        Parameters
        ----------
        *arrays : array_like of shape (n_rows,)
            One for each of `inputs`; NaN is missing.

        Returns
        -------
        ndarray of shape (n_rows,)
            Exactly what `update` gives row by row, bit for bit. This object stays as it is.

        Raises
        ------
        TypeError, ValueError
            For another number of arrays than inputs, arrays of different lengths or not of one
            dimension, or a number larger than 1e15 in size.

        Examples
        --------
        A row without a price is passed over, and the value stays:

        >>> hz.SMA(2).batch([10.0, 12.0, np.nan, 14.0]).tolist()
        [nan, 11.0, 11.0, 13.0]
        """
        from horizon.strategies.features.batches import checked, kept

        columns, missing = checked(self, arrays)
        return kept(self._batch(*columns), missing)

    def _batch(self, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """`batch`, of rows that have all their inputs."""
        from horizon.strategies.features.batches import looped

        return looped(self.fresh(), columns)

    def _unusual(self, value: float) -> float:
        """What `update` returns for a value outside of ±1e15: a missing one is passed over."""
        if value != value:
            return self.value
        raise ValueError(f"{self!r} takes numbers of at most 1e15 in size, was fed {value!r}")

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments it was made with, defaults included.

        Examples
        --------
        >>> hz.BollingerZ(10).parameters
        {'n': 10, 'k': 2.0}
        """
        args, kwargs = self._given
        bound = _signature(self).bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def __repr__(self) -> str:
        shown = []
        parameters = _signature(self).parameters
        for place, (name, value) in enumerate(self.parameters.items()):
            default = parameters[name].default
            if place == 0 or default is inspect.Parameter.empty:
                shown.append(checks.show(value))
            elif value != default:
                shown.append(f"{name}={checks.show(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Feature)
        return self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.parameters.items())))

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return self._given


def _signature(feature: Feature) -> inspect.Signature:
    # Of the bound method: the class's own would be that of `__new__`, which takes anything.
    return inspect.signature(feature.__init__)  # type: ignore[misc]  # of this very object
