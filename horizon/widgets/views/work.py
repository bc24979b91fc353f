"""Answers that are worked out beside the event loop: the newest wish wins, the former stands."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from horizon import checks, words
from horizon.errors import HorizonError
from horizon.widgets.face import Face
from horizon.widgets.fields import FieldError, Form
from horizon.widgets.job import Job, Tell
from horizon.widgets.live import FIGURES, words_of
from horizon.widgets.live_figure import LiveFigure
from horizon.widgets.palette import Palette

__all__ = ["OURS", "Answer", "Made", "Saved", "Tab", "Working"]

#: Errors that are said in words of our own, to who made the choice.
OURS: Final = (HorizonError, ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of a view: its tables as pictures, and whether it has a figure."""

    id: str
    label: str
    tables: Sequence[Mapping[str, Any]] = ()
    has_figure: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a view shows of one choice.

    Attributes
    ----------
    of : object
        What the numbers were made of, for figures and files.
    title, period : str
        What it is called, and in one line what the numbers are of.
    cautions : sequence of str
        What to know before reading them.
    key : sequence of (label, value)
        The numbers that people look for first.
    tabs : sequence of Tab
    """

    of: Any
    title: str
    period: str
    cautions: Sequence[str]
    key: Sequence[tuple[str, str]]
    tabs: Sequence[Tab]


@dataclass(frozen=True, slots=True)
class Saved:
    """A file for the user: what it is of, the ending of its name, its kind and its bytes."""

    what: str
    ending: str
    mime: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """What one piece of work has come to: an answer, of which values, and its figures."""

    base: Any
    values: dict[str, str]
    notes: list[str]
    answer: Answer
    figures: dict[str, Any]
    theme: str


@dataclass(slots=True)
class _Wanted:
    """What is to be worked out: of which source, for which values of the form."""

    source: Any
    values: dict[str, str]
    base: Any = None
    former: Made | None = None
    notes: list[str] = field(default_factory=list)
    theme: str = "light"


class Working(Face):
    """Base of a face that answers choices with work in a thread.

    A subclass reads a source (`base_of`), lists its fields, reads what they hold, and makes the
    answer and its figures; all but the fields in a thread. These methods are for the subclass:
    `base` is what a source was read into, `values` are the texts of the form by their fields,
    `names` the fields that were changed, and `asked` is what the values mean.

    Parameters
    ----------
    palette : str or Palette
    """

    #: The fields and what they hold before any source is known.
    defaults: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *, palette: str | Palette = "blue-orange") -> None:
        self._form = Form(self.defaults)
        self._source: Any = None
        self._made: Made | None = None
        self._job: Job[Made] | None = None
        self._now: _Wanted | None = None
        self._next: _Wanted | None = None
        self._why_nothing = ""
        self._waiting: list[asyncio.Future[None]] = []
        super().__init__(palette=palette, every=FIGURES)

    # ------------------------------------------------------------------ left to the subclass
    def base_of(self, source: Any) -> Any:
        """Read a source into what every answer is made of; in a thread."""
        raise NotImplementedError

    def starting(self, base: Any) -> dict[str, str]:
        """What the form holds for a base as long as nothing is chosen."""
        raise NotImplementedError

    def adapted(self, base: Any, values: dict[str, str]) -> tuple[dict[str, str], list[str]]:
        """Fit values to another base; also returns what had to give way, in sentences."""
        raise NotImplementedError

    def changed(self, base: Any, values: dict[str, str], names: set[str]) -> dict[str, str]:
        """Bring the other fields in line with those that were changed."""
        raise NotImplementedError

    def asked_of(self, base: Any, values: Mapping[str, str]) -> Any:
        """Read the values for a `base`; raises `FieldError` where they cannot be read."""
        raise NotImplementedError

    def answer(self, base: Any, asked: Any, tell: Tell) -> Answer:
        """Work out what was `asked` of a `base`, in a thread; `tell` takes the name of a step."""
        raise NotImplementedError

    def figures_of(self, answer: Answer, theme: str) -> dict[str, Any]:
        """Draw the figures of the tabs of an `answer` that have one, for a `theme`; in a thread."""
        raise NotImplementedError

    # ------------------------------------------------------------------ for who uses it
    @property
    def is_working(self) -> bool:
        """Whether an answer or a file is on its way."""
        return self._job is not None

    async def settled(self) -> None:
        """Wait until nothing is on its way any more: ``await view.settled()`` in a cell."""
        while self.is_working:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    def tell_waiting(self) -> None:
        """Wake who waits for `settled`, if nothing is on its way any more."""
        if self.is_working:
            return
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    # ------------------------------------------------------------------ wishes
    def turn_to(self, source: Any) -> None:
        """Answer for another `source`, or for None; choices stay where they still apply."""
        if source is self._source:
            return
        self._source = source
        self._error = None
        self._why_nothing = ""
        self._form.wrong.clear()
        if source is None:
            self.stop()
            self._clear()
        else:
            self._ask(_Wanted(source, dict(self._form.values)))
        self._live.paint(self)

    def look(self, names: set[str]) -> None:
        """Answer what the form holds now, where the fields `names` have changed.

        Raises
        ------
        FieldError
            Where it cannot be read.
        """
        base = self.base
        if base is None:  # the first answer of a source is still on its way: asked for anew
            if self._source is not None:
                self._ask(_Wanted(self._source, dict(self._form.values)))
            return
        self._form.values = self.changed(base, dict(self._form.values), names)
        self._form.wrong.clear()
        self.asked_of(base, self._form.values)
        self._error = None
        self._ask(_Wanted(self._source, dict(self._form.values), base, self._made))

    def themed(self) -> None:
        """Draw the figures anew; no number is worked out again."""
        made = self._made
        if made is not None and self._job is None:
            wanted = _Wanted(self._source, made.values, made.base, made, made.notes)
            self._ask(wanted)

    def stop(self) -> None:
        """Drop what is on its way; the form is again that of what is shown."""
        self._next = None
        if self._job is not None:
            self._job.cancel()
        if self._made is not None and self._now is not None and self._now.base is not None:
            self._form.values = dict(self._made.values)

    @property
    def base(self) -> Any:
        """What the form is of; None while another source is being read."""
        wanted = self._next if self._next is not None else self._now
        if wanted is not None and wanted.base is None:
            return None
        return None if self._made is None else self._made.base

    @property
    def accepted(self) -> dict[str, str]:
        """The values that were accepted last: of the answer on its way, else of the one shown."""
        wanted = self._next if self._next is not None else self._now
        if wanted is None and self._made is not None:
            return dict(self._made.values)
        # Of a source that is being read nothing has been refused yet.
        is_read = wanted is not None and wanted.base is not None
        return dict(wanted.values if wanted is not None and is_read else self._form.values)

    # ------------------------------------------------------------------ work
    def _ask(self, wanted: _Wanted) -> None:
        """Work this out; what is on its way is dropped."""
        if self.ended:
            return
        wanted.theme = "dark" if self.is_dark else "light"
        if self._job is not None:
            self._job.cancel()
            self._next = wanted
            return
        self._now = wanted
        self._job = Job(self._live, self, lambda tell: self._work(wanted, tell), self._worked)

    def _work(self, wanted: _Wanted, tell: Tell) -> Made:
        base, values, notes = wanted.base, wanted.values, wanted.notes
        if base is None:
            tell("reading")
            base = self.base_of(wanted.source)
            values, notes = self._fitting(base, dict(values))
        former = wanted.former
        if former is not None and former.base is base and former.values == values:
            answer = former.answer
        else:
            tell("numbers")
            answer = self.answer(base, self.asked_of(base, values), tell)
        tell("figures")
        figures = self.figures_of(answer, wanted.theme)
        tell("page")
        return Made(base, values, notes, answer, figures, wanted.theme)

    def _fitting(self, base: Any, values: dict[str, str]) -> tuple[dict[str, str], list[str]]:
        """Keep what still applies of the choices made for another source."""
        values, notes = self.adapted(base, values)
        try:
            self.asked_of(base, values)
        except ValueError as error:
            told = f"What was chosen before does not fit here, so all is shown: {words_of(error)}"
            return self.starting(base), [f"{told}."]
        return values, notes

    def _worked(self, job: Job[Made]) -> None:
        wanted, self._now, self._job = self._now, None, None
        if self.ended:
            self.tell_waiting()
            return
        if self._next is not None:
            following, self._next = self._next, None
            self._ask(following)
            return
        try:
            if job.state == "done":
                self._take(job.result)
            elif job.error is not None and wanted is not None:
                self._failed(job.error, is_other=wanted.base is None)
        finally:
            self.tell_waiting()
            self._live.paint(self)
        made = self._made
        if made is not None and (made.theme == "dark") != self.is_dark:
            self.themed()

    def _take(self, made: Made) -> None:
        if self._made is None or self._made.base is not made.base:
            self._form.values = dict(made.values)
        self._made = made
        for place in set(self.parts) - set(made.figures):
            self.hold(place, None)
        for place, figure in made.figures.items():
            shown = self.parts.get(place)
            if isinstance(shown, LiveFigure):
                shown.show(figure)
            else:
                self.hold(place, LiveFigure(figure))

    def _clear(self) -> None:
        self._made = None
        for place in list(self.parts):
            self.hold(place, None)

    def _failed(self, error: BaseException, *, is_other: bool) -> None:
        if is_other:  # what was shown is of another source
            self._clear()
            self._why_nothing = words_of(error)
        if not is_other or not isinstance(error, OURS):
            self.say(error)

    def say(self, error: BaseException) -> None:
        """Show `error` at its field, or on the error line."""
        if isinstance(error, FieldError) and error.field in self.defaults:
            self._form.wrong[error.field] = words.name(checks.error_text(error))
        elif isinstance(error, OURS):
            self.fail(error)
        else:
            self._live.tell(self, error)

    def release(self, reason: str) -> None:
        """End for good; work that is on its way is dropped."""
        if self._job is not None:
            self._job.cancel()
        super().release(reason)
