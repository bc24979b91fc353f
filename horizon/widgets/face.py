"""What every widget of this package is: a picture made in the kernel, and verbs from the page.

The kernel makes a *picture*, a dictionary of plain texts and flags, and the page draws it; the
page sends a *verb* with its arguments, and the kernel obeys. No number is formatted and nothing
is decided in the page, and every text is put there as text, never as HTML.

The *beat* counts up at least once a second. A page that misses it says that its numbers stand
still; a verb that risks money tells which beat its user saw, and is refused if that was too long
ago: what was clicked while a cell blocked the kernel is not sent later, at another price.
"""

from __future__ import annotations

import contextlib
import html
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import resources
from typing import Any, ClassVar, Final

import anywidget
import traitlets
from ipywidgets import widget_serialization

from horizon.checks import show
from horizon.errors import HorizonError
from horizon.widgets.live import VALUES, Live, words_of
from horizon.widgets.palette import Palette, palette_of

__all__ = ["Face", "Verb"]

#: What a verb gets: the arguments that the page sent, unchecked.
Verb = Callable[[Mapping[str, Any]], object]

#: Seconds between two beats, if nothing else is painted.
_BEAT: Final = 1.0
#: A verb that risks money may have been given at most so many seconds after its beat.
_TOO_LATE: Final = 5.0
#: Seconds that an output may be away (a cell that is moved) before its widget rests.
_GRACE: Final = 5.0


@cache
def _static(*names: str) -> str:
    """The text of files of this package's page side, one after the other."""
    folder = resources.files("horizon.widgets") / "static"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


class Face(anywidget.AnyWidget):
    """Base of the widgets: paints its picture, obeys its verbs, shows its errors.

    A subclass gives `picture`, names its page side in `script`, and lists its verbs in
    `verbs`, and the ones that risk money in `risky`. It may hold other faces, each in a place
    of its page side that has a name; they end with it.

    Parameters
    ----------
    palette : str or Palette
        The colours of buying and selling.
    every : float
        Seconds between two paints.

    Raises
    ------
    RuntimeError
        Outside of an event loop, which every notebook has.
    """

    #: The page side, files of ``static/`` that follow the shared one.
    script: ClassVar[tuple[str, ...]] = ()
    #: Style sheets of ``static/`` that follow the shared one.
    style: ClassVar[tuple[str, ...]] = ()
    #: Verbs that change this widget alone.
    private: ClassVar[frozenset[str]] = frozenset()
    #: Verbs that are refused if they come late.
    risky: ClassVar[frozenset[str]] = frozenset()
    #: Verbs that are obeyed after the end as well: they read what there was.
    lasting: ClassVar[frozenset[str]] = frozenset()

    shown = traitlets.Dict().tag(sync=True)
    colours = traitlets.Dict().tag(sync=True)
    beat = traitlets.Int(0).tag(sync=True)
    #: Why it is over, in words; empty while it lives.
    ended = traitlets.Unicode("").tag(sync=True)
    #: Whether another widget beside it says how things stand with the kernel.
    quiet = traitlets.Bool(False).tag(sync=True)
    #: The faces that it holds, by their places.
    parts = traitlets.Dict().tag(sync=True, **widget_serialization)

    def __init__(self, *, palette: str | Palette = "blue-orange", every: float = VALUES) -> None:
        self._palette = palette_of(palette)
        self._live = Live.here()
        self._pace = self._every = every
        self._beaten = 0.0
        self._made_at = time.time()
        # When each of the latest beats was sent, on the monotonic clock.
        self._beats: deque[tuple[int, float]] = deque(maxlen=64)
        self._error: str | None = None
        self._asker = ""
        self._leaving: Any = None
        self._is_resting = False
        #: Whether its page is dark; as long as no page has told, it is not.
        self.is_dark = False
        #: Whether another face holds it.
        self.is_held = False
        #: Whether it was given back, and what is called then.
        self.is_gone = False
        self.on_gone: Callable[[], object] = _nothing
        self._esm = _static("face.js", *self.script)
        self._css = _static("face.css", *self.style)
        super().__init__(colours=self._palette.css())
        self.on_msg(self._hear)
        self._live.claim(self)
        try:
            self.paint()
        except BaseException:
            self.release("it could not be shown")
            self.give_back()
            raise
        self._live.show(self, every)

    # ------------------------------------------------------------------ left to the subclass
    def picture(self) -> dict[str, Any]:
        """Return what the page shows, as plain texts, flags, lists and dictionaries."""
        raise NotImplementedError

    def verbs(self) -> dict[str, Verb]:
        """Return what the page may ask for, by name."""
        return {}

    def themed(self) -> None:
        """Act when the page turns dark or light, as `is_dark` says; figures are made anew."""

    # ------------------------------------------------------------------ what it holds
    def hold(self, place: str, face: Face | None) -> None:
        """Put `face` in a `place` of the page side, instead of the one that was there, if any.

        None for `face` leaves the place empty.

        What is held says nothing of itself beside its own errors, ends with its holder, and is
        given back with it; so is what has lost its place.
        """
        former = self.parts.get(place)
        if face is former:
            return
        parts = {name: part for name, part in self.parts.items() if name != place}
        if face is not None:
            face.quiet = True
            face.is_held = True
            self._live.adopt(face, self)
            if self.ended:
                face.release(self.ended)
            parts[place] = face
        self.parts = parts
        if former is not None:
            former.release("another has taken its place")
            former.give_back()

    # ------------------------------------------------------------------ paint
    def paint(self) -> None:
        """Send the picture if it has changed, and the beat if it is time."""
        if self.ended:
            return
        ex = self.__dict__.get("_ex")
        if ex is not None and not ex.is_connected:
            with contextlib.suppress(HorizonError):  # what can still be read, as it ended
                self.shown = {**self.picture(), "error": None, "stall": None, "page_stall": None}
            self.release("its account was closed")
            return
        picture = self.picture()
        picture["error"] = self._error
        stall = self._live.stall
        picture["stall"] = picture["page_stall"] = None
        if stall is not None and stall.ended_at >= self._made_at:
            told = f"for {stall.seconds:.0f} s; it is live again."
            picture["stall"] = f"A running cell held this up {told}"
            picture["page_stall"] = f"The desk was held up {told}"
        now = time.monotonic()
        is_news = picture != self.shown
        if is_news or now - self._beaten >= _BEAT:
            with self.hold_sync():
                if is_news:
                    self.shown = picture
                if now - self._beaten >= _BEAT:
                    self._beaten = now
                    self.beat += 1
                    self._beats.append((self.beat, now))

    # ------------------------------------------------------------------ the page speaks
    def _hear(self, _: object, content: Any, __: object = None) -> None:
        # Not here: this may be another thread, beside a command that is half done.
        self._live.soon(partial(self._obey, content), self)

    def _obey(self, content: Any) -> None:
        verb = content.get("do") if isinstance(content, Mapping) else None
        if not isinstance(verb, str):
            return
        if verb in _OWN_VERBS:
            getattr(self, _OWN_VERBS[verb])()
            return
        if verb == "theme":
            self._turn_dark(bool(content.get("dark")))
            return
        if self.ended and (verb not in self.lasting or self.is_gone):
            return
        self._asker = str(content.get("page", ""))
        act = self.verbs().get(verb)
        if act is None:
            self.fail(ValueError(f"the page asked for {show(verb)}, which is nothing here"))
            return
        try:
            if verb in self.risky:
                self._require_fresh(content.get("beat"))
            self._error = None
            act(content)
        except (HorizonError, ValueError, TypeError) as error:
            self.fail(error)
        finally:
            # What the form holds is nobody else's business; an order shows everywhere at once.
            if verb in self.private or self.ended:
                self._live.paint(self)
            else:
                self._live.paint_all()

    def _require_fresh(self, beat: object) -> None:
        sent = next((at for number, at in self._beats if number == beat), None)
        late = None if sent is None else time.monotonic() - sent
        if late is None or late > _TOO_LATE:
            ago = "some time" if late is None else f"{late:.0f} s"
            raise HorizonError(
                f"nothing was sent: the click came {ago} after the numbers that it was made on, "
                "because the kernel was busy. Look again and repeat it"
            )

    def _turn_dark(self, is_dark: bool) -> None:
        if is_dark != self.is_dark and not self.ended:
            self.is_dark = is_dark
            self.themed()
            self._live.paint(self)

    def send_file(self, name: str, mime: str, content: bytes) -> None:
        """Let the page that sent the latest verb save a file, as a download.

        Its `name` is what the page suggests, `mime` its kind, such as ``"text/csv"``, and
        `content` its bytes.
        """
        self.send({"file": name, "mime": mime, "page": self._asker}, buffers=[content])

    # ------------------------------------------------------------------ errors
    def fail(self, error: BaseException) -> None:
        """Show `error` on the widget's error line until the next verb, or its dismissal."""
        self._error = words_of(error)
        if not self.ended:
            self.shown = {**self.shown, "error": self._error}

    def _dismiss(self) -> None:
        self._error = None
        if self.ended:
            self.shown = {**self.shown, "error": None}
        self.paint()

    # ------------------------------------------------------------------ the output's life
    def _somebody_looks(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        if self._is_resting and not self.ended:
            self._is_resting = False
            self._live.show(self, self._pace)

    def _nobody_may_look(self) -> None:
        # Another output or browser tab may show it as well: whoever does answers this.
        self.send({"ask": "who looks?"})
        if self._leaving is None:
            self._leaving = self._live.later(_GRACE, self._nobody_looks)

    def _nobody_looks(self) -> None:
        self._leaving = None
        if self.ended:  # nothing to show, and nobody to show it to
            self.give_back()
            return
        self._is_resting = True
        self._live.rest(self)
        self.out_of_sight()

    def in_view(self, is_seen: bool) -> None:
        """Say whether it is in sight: unless `is_seen`, it is painted once a second."""
        self._pace = self._every if is_seen else max(self._every, _BEAT)
        if not self.ended and not self._is_resting:
            self._live.show(self, self._pace)

    def give_back(self) -> None:
        """Leave page and kernel for good, with all that it holds."""
        if self.is_gone:
            return
        self.is_gone = True
        for part in self.parts.values():
            part.give_back()
        super().close()
        self.layout.close()
        self.on_gone()

    def out_of_sight(self) -> None:
        """Act when the last output that showed it has gone; here: end its tasks."""
        for task in self._live.tasks_of(self):
            task.cancel()

    # ------------------------------------------------------------------ end
    def release(self, reason: str) -> None:
        """End for good: tasks and paints stop, and the page gives `reason`; again at no risk."""
        if self.ended:
            return
        for part in self.parts.values():
            part.release(reason)
        self._live.end(self)
        self.ended = reason

    def broken(self, error: BaseException) -> None:
        """End because painting raised: this widget and what it holds, so it says so itself."""
        self.quiet = False
        self.shown = {**self.shown, "error": None}  # said once, as the reason of its end
        self.release(f"an error stopped it ({words_of(error)})")

    def close(self) -> None:
        """Stop; the page keeps the last picture and says that it is closed."""
        # ipywidgets calls this for one whose construction was refused, too.
        if "_live" in self.__dict__:
            self.release("it was closed")

    def __dir__(self) -> list[str]:
        """Offer what its user may want of it, and not what its page and the loop want of it."""
        machinery = {*dir(anywidget.AnyWidget), *vars(Face), *_STATE} - _OFFERED
        return [name for name in super().__dir__() if name.startswith("_") or name not in machinery]

    def __repr__(self) -> str:
        state = f"ended: {self.ended}" if self.ended else "live"
        return f"<{type(self).__name__}, {state}; run its cell in a notebook to use it>"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


def _nothing() -> None:
    """Nobody asked to be told."""


#: Names of every widget that are for its user.
_OFFERED: Final = {"close", "ended", "shown"}
_STATE: Final = ("is_dark", "is_gone", "is_held", "on_gone")
_OWN_VERBS: Final = {
    "looks": "_somebody_looks",
    "left": "_nobody_may_look",
    "dismiss": "_dismiss",
}
