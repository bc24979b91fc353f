"""What has gone wrong in the stages of a run, in words that outlast the exceptions."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Final

from horizon import checks
from horizon.errors import PipelineError
from horizon.running.intake import is_milestone
from horizon.types import Shown

__all__ = ["Problem", "Problems"]

#: Letters kept of a message, and of a trace its end.
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(Shown):
    """Exceptions of one kind that one stage has raised, and the run has passed over.

    Not made by hand: `RunHandle.problems` lists them.

    Attributes
    ----------
    stage : str
        The stage, or the strategy.
    kind : str
        The exception's class.
    message : str
        What the latest one says.
    market_id : str or None
        Where the latest was raised.
    time : float or None
        When, in the run's own time, in seconds since 1970.
    count : int
        How many there were so far.
    trace : str
        Where in the code one of them was raised: the first, the tenth, the hundredth, …

    Examples
    --------
    A stage that raises at each of three rows:

    >>> def broken(ctx):
    ...     raise ValueError("no model")
    >>> feed = hz.feeds.Synthetic(seed=1, n=3)
    >>> handle = hz.run(
    ...     feeds={"rain": feed}, pipeline=[broken], interval=None, speed=np.inf, background=True
    ... )
    >>> result = handle.wait(10)
    >>> [problem] = handle.problems
    >>> problem.stage, problem.kind, problem.message, problem.count
    ('broken', 'ValueError', 'no model', 3)
    """

    stage: str
    kind: str
    message: str
    market_id: str | None
    time: float | None
    count: int
    trace: str


class Problems:
    """The problems of a run, by stage and kind of exception; noted on the run's thread."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Problem] = {}

    def note(self, error: PipelineError) -> int:
        """Note an exception; return how many of its kind there were."""
        cause = error.__cause__ or error
        key = (error.stage, type(cause).__name__)
        former = self._known.get(key)
        count = 1 if former is None else former.count + 1
        trace = "" if former is None else former.trace
        if is_milestone(count):
            # As text: the frames of an exception would keep all that its stage had in hand.
            trace = _cut("".join(traceback.format_exception(cause)), at_start=True)
        self._known[key] = Problem(
            stage=error.stage,
            kind=type(cause).__name__,
            message=_cut(checks.error_text(cause)),
            market_id=error.market_id,
            time=error.timestamp,
            count=count,
            trace=trace,
        )
        return count

    def all(self) -> list[Problem]:
        """Each kind's latest, the kinds in order of their first; a new list."""
        return list(self._known.values())


def _cut(text: str, *, at_start: bool = False) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"…{text[-_LONGEST:]}" if at_start else f"{text[:_LONGEST]}…"
