"""What the views of results share: choices as a form, tabs, files, and one picture of them all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from horizon import words
from horizon.widgets.access import text_of
from horizon.widgets.face import Verb
from horizon.widgets.fields import FieldError
from horizon.widgets.job import Job, Tell
from horizon.widgets.palette import Palette
from horizon.widgets.views.work import Answer, Saved, Working

__all__ = ["View"]

#: Seconds of work after which it is said what is done.
_SAID_AFTER: Final = 0.3
#: Letters in the name of a file.
_LONGEST_NAME: Final = 80
_DOING: Final = {
    "reading": "Reading the result",
    "numbers": "Working out the numbers",
    "tables": "Making the tables",
    "figures": "Drawing",
    "page": "Drawing",
}


class View(Working):
    """Base of the views of results; what is shown is always one whole answer.

    While another answer is on its way, the former one stands, and says what it is of.

    Parameters
    ----------
    palette : str or Palette
    """

    script = ("fields.js", "views.js")
    style = ("views.css",)
    private: ClassVar[frozenset[str]] = frozenset({"change", "tab", "stop", "export", "reset"})
    #: What the view shows, in words: ``"Tearsheet"``.
    kind: ClassVar[str] = ""
    #: What can be exported: by what it is asked for, the button's label and its meaning.
    exports: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def __init__(self, *, palette: str | Palette = "blue-orange") -> None:
        self._writing: Job[Saved] | None = None
        self._tab = ""
        super().__init__(palette=palette)

    # ------------------------------------------------------------------ left to the subclass
    def fields_of(self, base: Any, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """The fields that the form has for a base."""
        raise NotImplementedError

    def file_of(self, kind: str, answer: Answer, figures: dict[str, Any], theme: str) -> Saved:
        """Write a file of a `kind`, one of `exports`, from `answer` and `figures`; in a thread."""
        raise NotImplementedError

    # ------------------------------------------------------------------ for who uses it
    @property
    def is_working(self) -> bool:
        """Whether an answer or a file is on its way."""
        return self._job is not None or self._writing is not None

    def take_choices(self, values: Mapping[str, str]) -> None:
        """Set some `values` of the form, as its user would; where one is wrong, nothing changes.

        Raises
        ------
        FieldError
            For a value that cannot be chosen.
        """
        form = self._form
        former, wrong = dict(form.values), dict(form.wrong)
        # Beside what was accepted last: what a page has written meanwhile and was refused is no
        # part of this choice.
        accepted = self.accepted
        form.values = {**accepted, **values}
        try:
            self.look({name for name, value in values.items() if value != accepted[name]})
        except FieldError:
            form.values, form.wrong = former, wrong
            raise
        self._live.paint(self)

    # ------------------------------------------------------------------ verbs
    def verbs(self) -> dict[str, Verb]:
        """Change a field, turn to a tab, stop the work, save a file, take every choice back."""
        return {
            "change": self._change,
            "tab": self._open_tab,
            "stop": lambda _: self.stop(),
            "export": self._export,
            "reset": lambda _: self._reset(),
        }

    def _change(self, arguments: Mapping[str, Any]) -> None:
        given, touched = arguments.get("values"), arguments.get("touched")
        if isinstance(given, Mapping) and isinstance(touched, list):
            # A field that the kernel has written meanwhile is not taken back by a page that has
            # not seen it yet.
            wished = {name: given[name] for name in given if name in touched}
            arguments = {**arguments, "values": {**self._form.values, **wished}}
        names = self._form.take(arguments)
        if not names:
            return
        try:
            self.look(names)
        except FieldError as error:
            self.say(error)

    def _reset(self) -> None:
        base = self.base
        self._form.values = dict(self.defaults) if base is None else self.starting(base)
        self.look(set())

    def _open_tab(self, arguments: Mapping[str, Any]) -> None:
        asked = text_of(arguments, "id")
        if self._made is None or asked not in [tab.id for tab in self._made.answer.tabs]:
            raise ValueError(f"the page asked for the tab {words.name(asked)!r}, which is not here")
        self._tab = asked

    def stop(self) -> None:
        """Drop the answer and the file that are on their way."""
        if self._writing is not None:
            self._writing.cancel()
        super().stop()

    def release(self, reason: str) -> None:
        """End for good; what is on its way is dropped."""
        if self._writing is not None:
            self._writing.cancel()
        super().release(reason)

    # ------------------------------------------------------------------ files
    def _export(self, arguments: Mapping[str, Any]) -> None:
        kind = text_of(arguments, "kind")
        if kind not in self.exports:
            raise ValueError(f"the page asked for a file {words.name(kind)!r}, which is not here")
        made = self._made
        if made is None:
            raise ValueError("there is nothing to save yet")
        if self._writing is not None:
            raise ValueError("a file is being written: wait for it, or stop it")
        asker = self._asker

        def write(tell: Tell) -> Saved:
            tell(self.exports[kind][0])
            return self.file_of(kind, made.answer, made.figures, made.theme)

        def written(job: Job[Saved]) -> None:
            self._writing = None
            try:
                if job.state == "done" and not self.ended:
                    saved = job.result
                    self._asker = asker  # the page that asked, not the last that spoke
                    name = f"{self.kind.lower()} {made.answer.title} {saved.what}"
                    self.send_file(_file_name(name, saved.ending), saved.mime, saved.content)
                elif isinstance(job.error, (ImportError, RuntimeError)):
                    self.fail(ValueError(str(job.error)))  # in our own words, and complete
                elif job.error is not None:
                    self.say(job.error)
            finally:
                self.tell_waiting()
                self._live.paint(self)

        self._writing = Job(self._live, self, write, written)

    # ------------------------------------------------------------------ picture
    def picture(self) -> dict[str, Any]:
        """The choices, how the work stands, and one tab of the answer."""
        made = self._made
        working = self._working_words()
        if made is None:
            # The first answer comes at once; only one that takes long is said to be on its way.
            nothing = "" if self._job is not None else self._why_nothing or "Nothing to show yet."
            return {
                "name": self.kind,
                "form": self._form.picture(()),
                "working": working,
                "can_stop": self.is_working,
                "can_reset": False,
                "title": "",
                "period": "",
                "cautions": [],
                "key": [],
                "tabs": [],
                "tab": "",
                "figure": False,
                "tables": [],
                "empty": nothing,
                "exports": [],
            }
        answer, values = made.answer, self._form.values
        tab = next((one for one in answer.tabs if one.id == self._tab), answer.tabs[0])
        return {
            "name": f"{self.kind}: {words.name(answer.title)}",
            "form": self._form.picture(self.fields_of(made.base, values)),
            "working": working,
            "can_stop": self.is_working,
            "can_reset": values != self.starting(made.base),
            "title": words.name(answer.title),
            "period": answer.period,
            "cautions": [*made.notes, *answer.cautions],
            "key": [list(pair) for pair in answer.key],
            "tabs": [[one.id, one.label] for one in answer.tabs],
            "tab": tab.id,
            "figure": tab.has_figure,
            "tables": list(tab.tables),
            "empty": "",
            "exports": [
                {"do": "export", "id": kind, "label": label, "name": f"Save {meaning}"}
                for kind, (label, meaning) in self.exports.items()
            ],
        }

    def _working_words(self) -> str:
        if self._job is not None and self._job.seconds >= _SAID_AFTER:
            what = _DOING.get(str(self._job.progress), "Beginning")
            still = "" if self._made is None else "; shown is the choice before"
            return f"{what}, {self._job.seconds:.1f} s{still}"
        if self._writing is not None and self._writing.seconds >= _SAID_AFTER:
            return f"Writing {self._writing.progress}, {self._writing.seconds:.1f} s"
        return ""


def _file_name(name: str, ending: str) -> str:
    """Make a name that every system takes: letters, digits, dots and dashes."""
    return f"{re.sub(r'[^0-9A-Za-z._-]+', '-', name).strip('-._')[:_LONGEST_NAME]}.{ending}"
