"""The search of a walk-forward view: in a thread of its own, told of, and interrupted."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from horizon import checks, words
from horizon.walkforward.combinatorial import cpcv
from horizon.walkforward.cpcv_result import CpcvResult
from horizon.walkforward.progress import Searched
from horizon.walkforward.result import WalkForwardResult
from horizon.walkforward.walk import walk_forward
from horizon.walkforward.whole import check_arguments
from horizon.widgets import sections
from horizon.widgets.job import Tell
from horizon.widgets.sections import Section
from horizon.widgets.walk_view.board import SearchBoard

__all__ = ["AnyResult", "Search", "problem_words"]

AnyResult: TypeAlias = WalkForwardResult | CpcvResult

_METHODS: Final[dict[str, Callable[..., AnyResult]]] = {"walk_forward": walk_forward, "cpcv": cpcv}
_TITLES: Final = {"walk_forward": "Walk-forward", "cpcv": "Cross-validation"}


class Search:
    """A search that a view makes.

    Parameters
    ----------
    method : {"walk_forward", "cpcv"}
    arguments : tuple
    named : dict
        What the method is called with.

    Attributes
    ----------
    board : SearchBoard
        What it has found so far.
    stops : int
        How often an interrupt was asked for.

    Raises
    ------
    TypeError, ValueError
        For a name that is no argument's.
    """

    def __init__(self, method: object, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._method = checks.one_of("method", method, tuple(_METHODS))
        self._call = _METHODS[self._method]
        if "progress" in named:
            raise TypeError(
                "the view shows the progress itself: leave progress= out, or call "
                f"hz.{self._method}(progress=...) without a view"
            )
        signature = inspect.signature(self._call)
        given = signature.bind(*arguments, **named).arguments
        rest = next(p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD)
        more = given.pop(rest, {})
        check_arguments(more, self._call)
        self._arguments: dict[str, Any] = {**given, **more}
        self.board = SearchBoard(self._method)
        self.stops = 0

    def __call__(self, tell: Tell) -> AnyResult:
        """Search; what is done is kept at each interrupt that was asked for."""
        heeded = 0

        def told(searched: Searched) -> None:
            nonlocal heeded
            tell(searched.runs)
            self.board.hear(searched)
            if self.stops > heeded:
                heeded = self.stops
                raise KeyboardInterrupt

        return self._call(**self._arguments, progress=told)

    # ------------------------------------------------------------------ how it looks
    @property
    def title(self) -> str:
        """Its kind, and its name as soon as it has told it."""
        kind, latest = _TITLES[self._method], self.board.latest
        return kind if latest is None else f"{kind}: {words.name(latest.name)}"

    def tools(self) -> list[dict[str, Any]]:
        """The button that interrupts it; the second press means more than the first."""
        if self.stops == 0:
            name = "Interrupt the search after the run that is under way, and keep what is done"
            return [sections.action("interrupt", "Interrupt, keep what is done", name)]
        name = "End the search now: leave out the tests of the windows that are trained"
        off = self.stops > 1
        return [sections.action("interrupt", "End now, without tests", name, off=off)]

    def stopping_words(self) -> list[Section]:
        """What an interrupt that was asked for does."""
        if self.stops == 0:
            return []
        text = "The run that is under way is finished; "
        text += "then each window that is trained is tested." if self.stops == 1 else ""
        text += "no more is begun." if self.stops > 1 else ""
        return [sections.said("stopping", lead=text, tone="warn", is_loud=True)]


def problem_words(error: BaseException, *, has_result: bool = False) -> Section:
    """Say why a search has no result; or why a result that is there cannot be shown."""
    if isinstance(error, KeyboardInterrupt) and not has_result:
        text = f"{str(error) or 'interrupted'}: there is no result."
        return sections.said("problem", lead=text[:1].upper() + text[1:], tone="warn", is_loud=True)
    first, more = sections.lines_of(error)
    return sections.said(
        "problem",
        more,
        title="The result is there (view.result), but what it says could not be worked out"
        if has_result
        else "The search has failed, and there is no result",
        lead=first,
        tone="bad",
        is_loud=True,
    )
