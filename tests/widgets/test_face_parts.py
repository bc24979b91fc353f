"""Widgets that hold others, follow the page's theme, hand out files, and answer after their end."""

from __future__ import annotations

from typing import Any

from horizon.widgets.face import Face
from tests.widgets.notebook import do, in_a_notebook, passing
from tests.widgets.signs import Sign


class Frame(Sign):
    """A sign that holds others."""

    lasting = frozenset({"scribble"})

    def __init__(self) -> None:
        self.turned: list[bool] = []
        super().__init__()

    def themed(self) -> None:
        self.turned.append(self.is_dark)


def sent_by(face: Face) -> list[tuple[Any, Any]]:
    sent: list[tuple[Any, Any]] = []
    face.send = lambda content, buffers=None: sent.append((content, buffers))  # type: ignore[method-assign]
    return sent


@in_a_notebook
async def test_what_is_held_is_quiet_lives_and_ends_with_its_holder() -> None:
    frame, sign = Frame(), Sign()
    frame.hold("left", sign)
    assert frame.get_state("parts")["parts"] == {"left": f"IPY_MODEL_{sign.model_id}"}
    assert (sign.quiet, sign.is_held, sign.ended) == (True, True, "")
    sign.text = "second"
    await passing(0.2)
    assert sign.shown["text"] == "second"
    frame.close()
    assert (frame.ended, sign.ended) == ("it was closed", "it was closed")
    assert not sign.is_gone
    frame.give_back()
    assert sign.is_gone


@in_a_notebook
async def test_what_has_lost_its_place_is_given_back() -> None:
    frame, first, second = Frame(), Sign(), Sign()
    frame.hold("left", first)
    frame.hold("left", first)
    assert (first.ended, first.is_gone) == ("", False)
    frame.hold("left", second)
    assert (first.ended, first.is_gone) == ("another has taken its place", True)
    frame.hold("right", Sign())
    frame.hold("left", None)
    assert second.is_gone
    assert list(frame.parts) == ["right"]


@in_a_notebook
async def test_what_comes_too_late_ends_as_its_holder_did() -> None:
    frame, late = Frame(), Sign()
    frame.close()
    frame.hold("left", late)
    assert late.ended == "it was closed"


@in_a_notebook
async def test_the_page_tells_whether_it_is_dark() -> None:
    frame = Frame()
    assert frame.is_dark is False
    for dark in (False, True, True, False):
        await do(frame, "theme", dark=dark)
    assert frame.turned == [True, False]


@in_a_notebook
async def test_a_file_goes_to_the_page_that_asked_for_it() -> None:
    frame = Frame()
    sent = sent_by(frame)
    await do(frame, "scribble", text="x", page="p1")
    await do(frame, "looks", page="p2")
    frame.send_file("fills.csv", "text/csv", b"a,b\n")
    assert sent == [({"file": "fills.csv", "mime": "text/csv", "page": "p1"}, [b"a,b\n"])]


@in_a_notebook
async def test_a_verb_that_lasts_is_obeyed_after_the_end_and_no_other() -> None:
    frame = Frame()
    frame.close()
    shown = frame.shown
    await do(frame, "write", text="too late")
    assert frame.text == "first"
    await do(frame, "scribble", text="read")
    assert frame.text == "read"
    assert frame.shown == shown  # what was shown last stays
    frame.give_back()
    await do(frame, "scribble", text="gone")
    assert frame.text == "read"
