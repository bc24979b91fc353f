"""A pipeline: plain functions, each of which sees the context and what those before it returned."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from horizon import checks, words
from horizon.errors import ModelError, PipelineError
from horizon.feeds.times import stamp_text
from horizon.types import OrderRequest, Quote

if TYPE_CHECKING:
    from horizon.backtesting.context import Context

__all__ = ["Pipeline", "Stage", "wanted_of"]

_POSITIONAL: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)
#: Stands for "all outputs so far", which ``*args`` takes.
_ALL: Final = -1


class Stage(NamedTuple):
    """One function of a pipeline.

    Attributes
    ----------
    name : str
    function : callable
    takes : int
        How many of the last outputs it is given after the context; -1 for all.
    """

    name: str
    function: Callable[..., Any]
    takes: int


class Pipeline:
    """Stages that run in order for one market at a time.

    Parameters
    ----------
    stages : iterable of callable
        Each takes the context and, by the number of its further positional parameters without a
        default, that many of the last outputs, the most recent last. ``*args`` takes all.

    Raises
    ------
    TypeError, ValueError
        If there is no stage, one is no plain function, or takes more than there is.
    """

    __slots__ = ("_calls", "_remembers", "overruled", "stages")

    def __init__(self, stages: Iterable[Callable[..., Any]]) -> None:
        given: object = stages
        if callable(given) or isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
            raise TypeError(
                f"pipeline must be a list of functions, was {checks.show(given)}"
                + ("; put it into a list" if callable(given) else "")
            )
        self.stages = tuple(_stage(i, function) for i, function in enumerate(stages))
        if not self.stages:
            raise ValueError("pipeline must have at least one stage, had none")
        #: The first and the last of several stages that returned a number in one run.
        self.overruled: tuple[str, str] | None = None
        self._calls = tuple((stage.function, stage.takes) for stage in self.stages)
        self._remembers = any(stage.takes not in (0, 1) for stage in self.stages)

    def _named(self, function: Callable[..., Any]) -> Stage:
        return next(stage for stage in self.stages if stage.function is function)

    def run(self, ctx: Context) -> tuple[Any, float]:
        """Run all stages.

        Returns
        -------
        object
            What the last stage returned.
        float
            The last number that a stage returned, NaN where none did: the fair value.

        Raises
        ------
        PipelineError
            If a stage raises.
        """
        output: Any = None
        fair = math.nan
        giver: Callable[..., Any] | None = None
        function = self.stages[0].function
        outputs: list[Any] = []
        try:
            for function, takes in self._calls:
                if takes == 0:
                    output = function(ctx)
                elif takes == 1:
                    output = function(ctx, output)
                else:
                    output = function(ctx, *(outputs if takes == _ALL else outputs[-takes:]))
                if type(output) is float or _is_number(output):
                    if giver is not None:
                        self.overruled = (self._named(giver).name, self._named(function).name)
                    giver = function
                    fair = float(output)
                if self._remembers:
                    outputs.append(output)
        except ModelError:
            raise  # no fault of the stage that sent an order
        except Exception as error:
            stage = self._named(function)
            what = words.raised(error)
            if stage.takes and output is None:
                former = self.stages[self.stages.index(stage) - 1].name
                what += f" (stage {former!r} before it returned None)"
            raise failed(stage, ctx, what) from error
        return output, fair


def failed(stage: Stage, ctx: Context, what: str) -> PipelineError:
    """Say what went wrong in a stage, for which market and when."""
    return PipelineError(
        f"stage {stage.name!r} failed for market {ctx.market_id!r} at "
        f"{stamp_text(ctx.now_ns)}: {what}",
        stage=stage.name,
        market_id=ctx.market_id,
        timestamp=ctx.timestamp,
    )


def wanted_of(output: Any) -> tuple[list[Quote], list[OrderRequest]]:
    """Read what the last stage returned: the quotes that should rest, and orders to send.

    Raises
    ------
    TypeError
        If it is neither None, a number, a Quote, an OrderRequest, nor a list of the latter two.
    """
    if type(output) is list and len(output) == 1 and type(output[0]) is Quote:
        return output, []  # what `hz.quotes` makes, and most pipelines return
    if isinstance(output, Quote):
        return [output], []
    if isinstance(output, OrderRequest):
        return [], [output]
    if isinstance(output, (list, tuple)):
        quotes = [item for item in output if isinstance(item, Quote)]
        if len(quotes) == len(output):
            return quotes, []
        requests = [item for item in output if isinstance(item, OrderRequest)]
        if len(quotes) + len(requests) == len(output):
            return quotes, requests
        wrong = next(item for item in output if not isinstance(item, (Quote, OrderRequest)))
        raise TypeError(
            f"a list that the last stage returns must hold Quote and OrderRequest, has "
            f"{checks.show(wrong)}"
        )
    if output is None or _is_number(output):
        return [], []
    raise TypeError(
        "the last stage must return quotes, order requests, a number or None, returned "
        f"{checks.show(output)}"
    )


def _is_number(value: object) -> bool:
    if value is None or type(value) is list:  # what most stages return that return no number
        return False
    return isinstance(value, (numbers.Real, Decimal)) and not isinstance(value, bool)


def _stage(place: int, function: Any) -> Stage:
    where = f"pipeline[{place}]"
    if not callable(function):
        raise TypeError(f"{where} must be a function, was {checks.show(function)}")
    name = str(getattr(function, "__name__", "") or _name_of(function))
    call = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    if inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(function):
        raise TypeError(f"{where} {name!r} must be a plain function, is an async one")
    if inspect.isgeneratorfunction(call) or inspect.isgeneratorfunction(function):
        raise TypeError(f"{where} {name!r} must be a plain function, is a generator")
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some builtins do not tell
        return Stage(name, function, 0)
    positional = [p for p in parameters if p.kind in _POSITIONAL]
    takes_all = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    needed = [
        p.name
        for p in parameters
        if p.kind is p.KEYWORD_ONLY and p.default is inspect.Parameter.empty
    ]
    if needed:
        raise ValueError(
            f"{where} {name!r} needs the keyword argument {needed[0]!r}, which nothing gives it; "
            "bind it with functools.partial or give it a default"
        )
    if not positional and not takes_all:
        raise ValueError(
            f"{where} {name!r} must take the context as its first parameter, takes nothing"
        )
    takes = sum(p.default is inspect.Parameter.empty for p in positional[1:])
    if takes > place:
        raise ValueError(
            f"{where} {name!r} takes {takes} outputs of earlier stages after the context, and "
            f"{'there are' if place else 'it is the first: there are'} {place}"
        )
    return Stage(name, function, _ALL if takes_all else takes)


def _name_of(function: Any) -> str:
    inner = getattr(function, "func", None)  # a partial
    return str(getattr(inner, "__name__", type(function).__name__))
