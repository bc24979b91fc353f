"""Strategies: what is asked at each step what it thinks of its markets, and says it in signals."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, overload

from horizon import checks
from horizon.instruments import Market
from horizon.strategies.board import checked_features
from horizon.strategies.features.base import Feature
from horizon.strategies.signals import Signal
from horizon.types import AssetClass

if TYPE_CHECKING:
    from horizon.strategies.context import StrategyContext

__all__ = [
    "FunctionStrategy",
    "Strategy",
    "features_of",
    "strategies_of",
    "strategy",
    "takes_context",
]

_POSITIONAL: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)

#: Names that are easily written for another, and would leave a strategy without what they say.
_SLIPS: Final = {"feature": "features", "asset_class": "asset_classes"}


class Strategy:
    """Base of strategies.

    A subclass names its features and answers `evaluate` with signals. It needs no constructor,
    and one of its own need not call this class's.

    Attributes
    ----------
    name : str
        The class's name, unless the class or the object says another. A run's strategies have
        different names.
    asset_classes : sequence of AssetClass or None
        Which kinds of market of a run it wants; None is every one.
    features : mapping of str to Feature
        What `evaluate` finds as ``f.<name>``. They are patterns: each run makes states of its own
        from them, one for each market, and leaves these as they are.

    Notes
    -----
    What a strategy keeps in itself, it keeps: a second run finds it there, as it does with the
    stages of a pipeline. Reset it in `on_start`; or give the *class* to the run, which then makes
    a new object of it each time.

    Examples
    --------
    Buy what has fallen more than two standard deviations below its mean:

    >>> class Dips(hz.Strategy):
    ...     features = {"z": hz.Zscore(20)}
    ...     def evaluate(self, f, universe):
    ...         return [hz.Signal.increase(m, edge_bps=30) for m in universe if f.z[m.id] < -2]
    >>> Dips()
    <Strategy Dips: z=Zscore(20)>
    """

    name: str = "Strategy"
    asset_classes: Sequence[AssetClass] | None = None
    features: Mapping[str, Feature] = {}  # a class's own, and read only

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in vars(cls):
            cls.name = cls.__name__

    def evaluate(self, *args: Any, **kwargs: Any) -> Sequence[Signal]:
        """Say what is wanted now: ``evaluate(self, f, universe)``, or with a third, ``ctx``.

        Written by a subclass, with two or three parameters in the place of `args`, which it may
        name as it likes, and none in that of `kwargs`. The run gives it:

        `f`, a `FeatureValues`
            ``f.z[market.id]`` is the present value of the feature called ``z``; NaN until it has
            its window.
        `universe`, a tuple of Market
            The eligible markets that have a price, and are neither settled nor stale.
        `ctx`, a `StrategyContext`
            Time, account and an imperative client; leave the parameter out if it is not needed.

        Returns
        -------
        list of Signal
            Empty where nothing is to change. Several signals on one market are combined, with
            those of the run's other strategies; see `View`.
        """
        raise NotImplementedError(f"{type(self).__name__} must have evaluate(self, f, universe)")

    def on_start(self, ctx: StrategyContext) -> None:
        """Do what comes before the first `evaluate` of a run, whose `ctx` it is given."""

    def on_stop(self, ctx: StrategyContext) -> None:
        """Do what comes after the last `evaluate` of a run, whose `ctx` it is given.

        No row comes after it: what is sent here fills only where a book is displayed that it can
        take. A market order without books waits for a next row that never comes, and positions
        that are held stay held.
        """

    def eligible_markets(self, markets: Sequence[Market]) -> Sequence[Market]:
        """Choose among a run's markets, once, before its first row.

        Parameters
        ----------
        markets : sequence of Market
            All markets of the run.

        Returns
        -------
        sequence of Market
            Some of them. By default those of `asset_classes`.

        Examples
        --------
        >>> class Crypto(hz.Strategy):
        ...     asset_classes = [hz.Crypto]
        >>> markets = [hz.Market("BTC-USD", hz.Crypto), hz.Market("ACME", hz.Equity)]
        >>> [market.id for market in Crypto().eligible_markets(markets)]
        ['BTC-USD']
        """
        wanted = self.asset_classes
        return [m for m in markets if wanted is None or m.asset_class in wanted]

    def __repr__(self) -> str:
        return _shown(self)

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(_shown(self))}</code>"


class FunctionStrategy(Strategy):
    """A function as a strategy; made by `strategy`.

    It still is the function: calling it calls that.

    Parameters
    ----------
    function : callable
        Takes ``(f, universe)`` or ``(f, universe, ctx)``, and returns a list of `Signal`; see
        `Strategy.evaluate`.
    features : mapping of str to Feature, optional
        What it finds as ``f.<name>``.
    asset_classes : sequence of AssetClass, optional
        The kinds of market it is asked about; every one by default.
    name : str, optional
        The function's own by default.

    Raises
    ------
    TypeError, ValueError
        If `function` is none, is a strategy already, is async or a generator, or takes other
        parameters; or for features, classes or a name that are not as above.

    Examples
    --------
    >>> def rebound(f, universe):
    ...     return [hz.Signal.increase(m, edge_bps=20) for m in universe if f.r[m.id] < -0.1]
    >>> hz.strategies.FunctionStrategy(rebound, features={"r": hz.Return(5)}, name="dips")
    <Strategy dips: r=Return(5)>
    """

    def __init__(
        self,
        function: Callable[..., Sequence[Signal]],
        *,
        features: Mapping[str, Feature] | None = None,
        asset_classes: Sequence[AssetClass] | None = None,
        name: str | None = None,
    ) -> None:
        if isinstance(function, (type, Strategy)) or not callable(function):
            what = "a strategy already" if isinstance(function, Strategy) else "no function"
            raise TypeError(
                f"strategy must decorate a function, was {checks.show(function)}, {what}"
            )
        own = name if name is not None else getattr(function, "__name__", type(function).__name__)
        self.name = checks.text("name", own)
        self.asset_classes = _classes(self.name, asset_classes)
        self.features = features_of(self.name, {} if features is None else features)
        self.function = function
        self.evaluate = function  # type: ignore[method-assign]  # in the place of the class's
        self.__doc__ = function.__doc__
        takes_context(self)

    def __call__(self, *args: Any) -> Sequence[Signal]:
        """Call the function with `args`."""
        return self.function(*args)


@overload
def strategy(function: Callable[..., Sequence[Signal]], /) -> FunctionStrategy: ...
@overload
def strategy(
    *,
    features: Mapping[str, Feature] | None = None,
    asset_classes: Sequence[AssetClass] | None = None,
    name: str | None = None,
) -> Callable[[Callable[..., Sequence[Signal]]], FunctionStrategy]: ...
def strategy(
    function: Callable[..., Sequence[Signal]] | None = None,
    /,
    *,
    features: Mapping[str, Feature] | None = None,
    asset_classes: Sequence[AssetClass] | None = None,
    name: str | None = None,
) -> Any:
    """Make a strategy of a function ``(f, universe)`` or ``(f, universe, ctx)``.

    Written above the function with an ``@``, alone or with the arguments below.

    Parameters
    ----------
    function : callable, optional
        Which returns a list of `Signal`; see `Strategy.evaluate`. Left out, what comes back takes
        it.
    features : mapping of str to Feature, optional
        What it finds as ``f.<name>``.
    asset_classes : sequence of AssetClass, optional
        Every class by default.
    name : str, optional
        The function's by default.

    Returns
    -------
    FunctionStrategy
        Which a run takes as it is.

    Raises
    ------
    TypeError, ValueError
        As `FunctionStrategy`.

    Examples
    --------
    Buy what has fallen by more than a tenth within five rows:

    >>> @hz.strategy(features={"r": hz.Return(5)})
    ... def rebound(f, universe):
    ...     return [hz.Signal.increase(m, edge_bps=20) for m in universe if f.r[m.id] < -0.1]
    >>> rebound
    <Strategy rebound: r=Return(5)>
    """

    def made(function: Callable[..., Sequence[Signal]]) -> FunctionStrategy:
        return FunctionStrategy(function, features=features, asset_classes=asset_classes, name=name)

    return made if function is None else made(function)


# ------------------------------------------------------------------------ checks
def strategies_of(given: object) -> tuple[Strategy, ...]:
    """Take ``strategies=``: objects as they are, classes as new objects of them.

    Raises
    ------
    TypeError, ValueError
        If it is no list of strategies, has none, one whose parts are not as they should be, or
        two of one name.
    """
    if isinstance(given, (Strategy, type)):
        raise TypeError(f"strategies must be a list, was {checks.show(given)}; put it into a list")
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(f"strategies must be a list of Strategy, was {checks.show(given)}")
    made = tuple(_strategy(f"strategies[{i}]", one) for i, one in enumerate(given))
    if not made:
        raise ValueError("strategies must have at least one strategy, had none")
    names = [one.name for one in made]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(
                f"strategies must have different names, {name!r} is there twice; give one of "
                "them another with name="
            )
    return made


def _strategy(where: str, given: object) -> Strategy:
    if isinstance(given, type) and issubclass(given, Strategy):
        made: type[Strategy] = given
        try:
            given = made()
        except TypeError as error:
            raise TypeError(
                f"{where} is the class {made.__name__}, which cannot be made without arguments "
                f"({error}); give an object of it"
            ) from error
    if not isinstance(given, Strategy):
        hint = "; decorate the function with @strategy" if callable(given) else ""
        raise TypeError(f"{where} must be a Strategy, was {checks.show(given)}{hint}")
    name = checks.text(f"{where}.name", given.name)
    for wrong, right in _SLIPS.items():
        if hasattr(given, wrong):
            raise ValueError(
                f"strategy {name!r} has {wrong!r}, which nothing reads; is it {right!r}?"
            )
    _classes(name, given.asset_classes)
    features_of(name, given.features)
    takes_context(given)
    return given


def takes_context(one: Strategy) -> bool:
    """Whether `evaluate` wants the context after features and universe.

    Raises
    ------
    TypeError
        If it is missing, no plain function, or takes other parameters.
    """
    function = one.evaluate
    where = f"evaluate of strategy {one.name!r}"
    if getattr(function, "__func__", None) is Strategy.evaluate:
        raise TypeError(f"{where} is missing: define evaluate(self, f, universe)")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        kind = "an async function" if inspect.iscoroutinefunction(function) else "a generator"
        raise TypeError(f"{where} must be a plain function that returns a list, is {kind}")
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    positional = [p for p in parameters if p.kind in _POSITIONAL]
    needed = [p for p in positional if p.default is p.empty]
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    takes_all = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    most = 3 if takes_all else len(positional)
    if keywords or len(needed) > 3 or most < 2:
        raise TypeError(f"{where} must take (f, universe) or (f, universe, ctx), takes {signature}")
    return len(needed) == 3 or takes_all


def features_of(name: str, given: object) -> dict[str, Feature]:
    """Take the features of the strategy called `name`; see `checked_features`."""
    try:
        return checked_features(given)
    except (TypeError, ValueError) as error:
        raise type(error)(f"strategy {name!r}: {error}") from None


def _classes(name: str, given: object) -> tuple[AssetClass, ...] | None:
    if given is None:
        return None
    if isinstance(given, AssetClass) or not isinstance(given, Iterable):
        raise TypeError(
            f"asset_classes of strategy {name!r} must be a list of AssetClass, was "
            f"{checks.show(given)}"
        )
    classes = tuple(given)
    for one in classes:
        if not isinstance(one, AssetClass):
            raise TypeError(
                f"asset_classes of strategy {name!r} must hold AssetClass, has {checks.show(one)}"
            )
    return classes


def _shown(one: Strategy) -> str:
    features = ", ".join(f"{name}={feature!r}" for name, feature in one.features.items())
    return f"<Strategy {one.name}{': ' if features else ''}{features}>"
