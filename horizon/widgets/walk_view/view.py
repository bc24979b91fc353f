"""A walk-forward or a cross-validation on a page: while it searches, and what it has found."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Final

from horizon import checks
from horizon.errors import HorizonError
from horizon.walkforward.cpcv_result import CpcvResult
from horizon.walkforward.result import WalkForwardResult
from horizon.widgets import fields, sections
from horizon.widgets.access import text_of
from horizon.widgets.drawings import Drawings
from horizon.widgets.face import Face, Verb
from horizon.widgets.job import Job
from horizon.widgets.palette import Palette
from horizon.widgets.sections import Section
from horizon.widgets.walk_view.choices import FIELDS, form_sections, heat_options, take_form
from horizon.widgets.walk_view.cpcv import found_in_cpcv
from horizon.widgets.walk_view.figures import PLACES, figure_in
from horizon.widgets.walk_view.found import Found
from horizon.widgets.walk_view.saving import file_name, table_bytes
from horizon.widgets.walk_view.search import AnyResult, Search, problem_words
from horizon.widgets.walk_view.walk import found_in_walk

__all__ = ["WalkForwardView"]

#: Seconds between two drawings of the heat map of a search, at least and at most.
_REDRAWN: Final = (1.5, 5.0)


class WalkForwardView(Face):
    """What a walk-forward or a cross-validation has found; with `search`, while it searches.

    The verdict on overfitting comes first, with what to know before reading the numbers; then the
    windows, what they chose, the equity out of sample, and training against test. All of it, and
    every figure, is worked out beside the event loop.

    Parameters
    ----------
    result : WalkForwardResult or CpcvResult
    palette : str or Palette

    Raises
    ------
    RuntimeError
        Outside of a notebook's event loop.
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    >>> ticks = pd.DataFrame({"timestamp": range(400), "price": 0.5, "market_id": "RAIN"})
    >>> def make(params):
    ...     def quoter(ctx):
    ...         return hz.quotes(ctx.feed.price, spread=params["spread"], size=5)
    ...     return [quoter]
    >>> view = hz.widgets.WalkForwardView.search(ticks, make, {"spread": [0.02, 0.04]}, n_splits=2)
    >>> view.is_running
    True
    >>> result = await view.done()  # doctest: +SKIP
    >>> view.close()
    """

    script = ("fields.js", "sections.js", "walk_view.js")
    style = ("sections.css",)
    private: ClassVar[frozenset[str]] = frozenset(
        {"tab", "form", "interrupt", "save table", "save summary"}
    )

    def __init__(self, result: AnyResult, *, palette: str | Palette = "blue-orange") -> None:
        if not isinstance(result, (WalkForwardResult, CpcvResult, Search)):
            raise TypeError(
                "result must be what hz.walk_forward or hz.cpcv returns, was "
                f"{checks.show(result)}; WalkForwardView.search(...) makes one while you watch"
            )
        self._search = result if isinstance(result, Search) else None
        self._result: AnyResult | None = None if isinstance(result, Search) else result
        self._job: Job[AnyResult] | None = None
        self._sums: Job[Found] | None = None
        self._found: Found | None = None
        self._problem: BaseException | None = None
        self._over = asyncio.Event()
        self._tab = "overview"
        self._form = fields.Form(FIELDS)
        self._trainings_drawn = 0
        super().__init__(palette=palette)
        self._drawings = Drawings(self, self._live)
        if self._search is None:
            self._work_out()
        else:
            self._job = Job(self._live, self, self._search, self._searched)
        self._live.paint(self)

    @classmethod
    def search(
        cls,
        *arguments: Any,
        method: str = "walk_forward",
        palette: str | Palette = "blue-orange",
        **named: Any,
    ) -> WalkForwardView:
        """Make a search in the background, and show it while it goes on.

        Parameters
        ----------
        *arguments, **named
            What `hz.walk_forward` takes, or `hz.cpcv`; `progress` is the view's own.
        method : {"walk_forward", "cpcv"}
        palette : str or Palette

        Returns
        -------
        WalkForwardView
            Its `result` is there once the search has ended; ``await view.done()`` waits for it.
            The search goes on while nobody looks, and ends when the view is closed or its cell
            is run again.

        Raises
        ------
        TypeError, ValueError
            For an argument of a name that is not known. What else is wrong with one is found as
            the search begins, and shown.
        """
        asked: Any = Search(method, arguments, named)
        return cls(asked, palette=palette)

    # ------------------------------------------------------------------ the search
    def _searched(self, job: Job[AnyResult]) -> None:
        if job.state == "done":
            self._result = job.result
            self._work_out()
        elif job.state == "failed":
            self._problem = job.error
        self._over.set()
        self._live.paint(self)

    @property
    def is_running(self) -> bool:
        """Whether the search goes on."""
        return self._job is not None and self._job.is_running

    def interrupt(self) -> None:
        """End the search after the run that is under way; what is done is kept.

        The windows that are trained are then tested, which is a short run for each; a second
        call leaves that out.
        """
        if self._search is not None and self.is_running:
            self._search.stops += 1

    @property
    def result(self) -> AnyResult:
        """What was found.

        Raises
        ------
        HorizonError
            While the search goes on.
        BaseException
            What has ended it, where it has no result.
        """
        if self._result is not None:
            return self._result
        if self._problem is not None:
            raise self._problem
        state = "was closed before its end" if self.ended else "goes on: await view.done()"
        raise HorizonError(f"there is no result yet: the search {state}")

    @property
    def exception(self) -> BaseException | None:
        """What has ended the search without a result; None otherwise."""
        return self._problem

    async def done(self) -> AnyResult:
        """Wait for the end of the search, live meanwhile, and return its result.

        Raises
        ------
        BaseException
            As `result` does.
        """
        if self._result is None and not self.ended:
            await self._over.wait()
        return self.result

    # ------------------------------------------------------------------ what it works out
    def _work_out(self) -> None:
        result = self.result
        self._sums = Job(self._live, self, lambda _: _found_in(result), self._worked_out)

    def _worked_out(self, job: Job[Found]) -> None:
        if job.state == "failed":
            assert job.error is not None
            self._problem = job.error
        elif job.state == "done":
            self._found = job.result
            # The search's own figure is over; the result's may be drawn in its place.
            self._drawings.drop("search")
            self._draw_anew()
        self._live.paint(self)

    def themed(self) -> None:
        """Draw the figures on show for the other theme."""
        self._trainings_drawn = 0
        self._draw_anew()

    def _draw_anew(self) -> None:
        """Ask for the figures of the tab on show, as its fields say."""
        result, found, theme = self._result, self._found, self._theme
        if found is None or result is None:
            return
        for place in PLACES.get(self._tab, ()):
            options: dict[str, Any] = {"theme": theme}
            if place in ("out_of_sample", "paths"):
                options["log"] = fields.is_ticked(self._form.values, "log")
            elif place == "heat_map":
                options |= heat_options(found, self._form.values)
            key = (place, tuple(options.items()))
            self._drawings.want(place, key, partial(figure_in, result, place, **options))

    @property
    def _theme(self) -> str:
        return "dark" if self.is_dark else "light"

    def _fill_in(self, search: Search) -> None:
        """Draw the heat map of a search anew, where it has more in it, and not too often."""
        count = search.board.trainings
        is_late = self._drawings.is_at_ease("search", *_REDRAWN)
        if count == self._trainings_drawn or not is_late:
            return
        self._trainings_drawn = count
        make = partial(search.board.heat_map, self._theme)
        self._drawings.want("search", (count, self._theme), make)

    # ------------------------------------------------------------------ verbs
    def verbs(self) -> dict[str, Verb]:
        """Choose a tab or what a figure shows; interrupt; save."""
        return {
            "tab": self._choose_tab,
            "form": self._take_form,
            "interrupt": lambda _: self.interrupt(),
            "save table": lambda _: self._save_table(),
            "save summary": lambda _: self._save_summary(),
        }

    def _choose_tab(self, arguments: Mapping[str, Any]) -> None:
        tab = text_of(arguments, "tab")
        known = [] if self._found is None else [one for one, _ in self._found.tabs]
        if tab not in known:
            raise ValueError(f"tab must be one of {', '.join(known)}, was {checks.show(tab)}")
        self._tab = tab
        self._draw_anew()

    def _take_form(self, arguments: Mapping[str, Any]) -> None:
        found, form = self._found, self._form
        if found is not None and take_form(found, form, arguments):
            self._draw_anew()

    def _save_table(self) -> None:
        content = table_bytes(self.result)
        self.send_file(file_name(self.result.name, "csv"), "text/csv", content)

    def _save_summary(self) -> None:
        content = f"{self.result.summary()}\n".encode()
        self.send_file(file_name(self.result.name, "txt"), "text/plain", content)

    # ------------------------------------------------------------------ picture
    def picture(self) -> dict[str, Any]:
        """The search, or the tab that is on show."""
        if self._found is not None:
            return self._found_picture(self._found)
        search = self._search
        if search is not None:
            search.board.read()
            if self.is_running and search.board.trainings:
                self._fill_in(search)
        title = "Walk-forward" if search is None else search.title
        return {
            "name": title,
            "title": title,
            "chip": self._state(),
            "line": "",
            "tools": search.tools() if search is not None and self.is_running else [],
            "tabs": [],
            "tab": "",
            "sections": self._search_sections(search),
        }

    def _state(self) -> list[str]:
        if isinstance(self._problem, KeyboardInterrupt):
            return ["INTERRUPTED", "warn"]
        if self._problem is not None:
            return ["FAILED", "bad"]
        if not self.is_running:
            return ["WORKING OUT", ""]
        is_ending = self._search is not None and self._search.stops
        return ["INTERRUPTING", "warn"] if is_ending else ["SEARCHING", ""]

    def _search_sections(self, search: Search | None) -> list[Section]:
        made: list[Section] = []
        if self._problem is not None:
            made.append(problem_words(self._problem, has_result=self._result is not None))
        elif search is None or self._result is not None:
            lead = "Working out the verdict and the tables of the result …"
            made.append(sections.said("working", lead=lead))
        elif self.is_running:
            made += search.stopping_words()
        if search is not None and (self.is_running or search.board.latest is not None):
            made += search.board.sections()
            if search.board.trainings:
                made.append(self._drawings.section("search"))
        return made

    def _found_picture(self, found: Found) -> dict[str, Any]:
        return {
            "name": found.title,
            "title": found.title,
            "chip": list(found.chip),
            "line": found.line,
            "tools": [
                sections.action("save table", "Save table", "Save the table of all runs as CSV"),
                sections.action("save summary", "Save summary", "Save the summary as text"),
            ],
            "tabs": [list(tab) for tab in found.tabs],
            "tab": self._tab,
            "sections": self._tab_sections(found),
        }

    def _tab_sections(self, found: Found) -> list[Section]:
        figures = [self._drawings.section(place) for place in PLACES.get(self._tab, ())]
        drawn = [*form_sections(self._tab, found, self._form), *figures]
        parts = found.parts[self._tab]
        # Facts are read before a figure, and a table after it.
        return [*drawn, *parts] if parts[0]["kind"] == "table" else [*parts, *drawn]

    # ------------------------------------------------------------------ end
    def release(self, reason: str) -> None:
        """End for good; a search that goes on ends after the run that is under way, unheard."""
        for job in (self._job, self._sums):
            if job is not None:
                job.cancel()
        if "_drawings" in self.__dict__:
            self._drawings.end()
        super().release(reason)
        self._over.set()


def _found_in(result: AnyResult) -> Found:
    """Work out all that a view says of a result."""
    return found_in_walk(result) if isinstance(result, WalkForwardResult) else found_in_cpcv(result)
