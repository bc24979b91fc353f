"""Any widget: what is sent when, which verbs it obeys, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

import horizon as hz
from horizon.widgets import (
    AlgoMonitor,
    Balance,
    FeedDeck,
    Fills,
    Orders,
    OrderTicket,
    Positions,
    PriceChart,
    Prices,
)
from horizon.widgets.face import Face
from horizon.widgets.masthead import Masthead
from tests.widgets.notebook import (
    Page,
    account,
    do,
    in_a_notebook,
    loop_now,
    passing,
    timers,
    turns,
)
from tests.widgets.signs import Sign


# ------------------------------------------------------------------------- pictures
@in_a_notebook
async def test_the_first_picture_is_there_at_once() -> None:
    sign = Sign()
    assert (sign.shown["text"], sign.beat, sign.ended) == ("first", 1, "")
    assert sign.shown["error"] is None
    assert sign.shown["stall"] is None


@in_a_notebook
async def test_a_picture_that_has_not_changed_is_not_sent_again() -> None:
    sign = Sign()
    page = Page(sign)
    await passing(0.95)
    assert page.updates == []
    sign.text = "second"
    sign.text = "third"
    await passing(5.0)
    assert [picture["text"] for picture in page.pictures] == ["third"]


@in_a_notebook
async def test_a_change_is_sent_by_itself_between_two_beats() -> None:
    sign = Sign()
    page = Page(sign)
    await passing(0.35)
    sign.text = "second"
    await passing(0.1)
    assert [list(update) for update in page.updates] == [["shown"]]


@in_a_notebook
async def test_there_is_a_beat_every_second_and_no_more() -> None:
    sign = Sign()
    page = Page(sign)
    times = []
    for _ in range(110):
        await passing(0.1)
        if len(page.beats) > len(times):
            times.append(loop_now().time())
    # The first came with the first picture; each comes with the first paint a second later.
    assert page.beats == list(range(2, 2 + len(times)))
    assert len(times) >= 9
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= 0.89
    assert max(gaps) <= 1.21
    assert page.pictures == []


@in_a_notebook
async def test_a_change_and_its_beat_travel_in_one_message() -> None:
    sign = Sign()
    page = Page(sign)
    loop_now().block(1.5)
    sign.text = "second"
    await turns()
    assert len(page.updates) == 1
    assert page.updates[0]["shown"]["text"] == "second"
    assert page.updates[0]["beat"] == 2


@in_a_notebook
async def test_a_stall_is_said_in_the_picture_and_taken_back_later() -> None:
    sign = Sign()
    await passing(0.25)  # painted at 0, 0.1, 0.2
    loop_now().block(8.0)
    await turns()
    assert sign.shown["stall"] == "A running cell held this up for 8 s; it is live again."
    assert sign.shown["page_stall"] == "The desk was held up for 8 s; it is live again."
    await passing(16.0)
    assert sign.shown["stall"] is None


@in_a_notebook
async def test_a_widget_that_was_made_after_a_stall_has_missed_nothing() -> None:
    old = Sign()
    await turns()
    loop_now().block(8.0)
    await turns()
    await passing(1.0)
    young = Sign()
    await passing(0.2)
    assert old.shown["stall"] is not None
    assert young.shown["stall"] is None


# ------------------------------------------------------------------------- verbs
@in_a_notebook
async def test_a_verb_is_obeyed_and_its_result_is_painted_at_once() -> None:
    sign, neighbour = Sign(), Sign()
    await turns()
    page = Page(neighbour)
    neighbour.text = "changed meanwhile"
    await do(sign, "write", text="by hand")
    assert sign.shown["text"] == "by hand"
    assert [picture["text"] for picture in page.pictures] == ["changed meanwhile"]


@in_a_notebook
async def test_a_verb_that_is_the_widget_s_own_matter_paints_no_other() -> None:
    sign, neighbour = Sign(), Sign()
    await turns()
    page = Page(neighbour)
    neighbour.text = "changed meanwhile"
    await do(sign, "scribble", text="by hand")
    assert sign.shown["text"] == "by hand"
    assert page.pictures == []


@in_a_notebook
async def test_a_verb_that_another_thread_delivers_is_obeyed_on_the_loop() -> None:
    sign = Sign()
    done = asyncio.Event()
    threads = []

    def note() -> dict[str, Any]:
        threads.append(threading.current_thread())
        done.set()
        return {"name": "Sign"}

    sign.picture = note
    page = threading.Thread(target=sign._hear, args=(sign, {"do": "write", "text": "x"}))
    page.start()
    await done.wait()
    page.join()
    assert sign.text == "x"
    assert set(threads) == {threading.current_thread()}


@in_a_notebook
async def test_a_refused_verb_says_why_and_the_next_one_takes_it_back() -> None:
    sign = Sign()
    await do(sign, "write", text="")
    assert sign.shown["error"] == "text must not be empty"
    await passing(30.0)
    assert sign.shown["error"] == "text must not be empty"
    await do(sign, "write", text="better")
    assert sign.shown["error"] is None


@in_a_notebook
async def test_an_error_can_be_dismissed() -> None:
    sign = Sign()
    await do(sign, "write", text="")
    await do(sign, "dismiss")
    assert (sign.shown["error"], sign.shown["text"]) == (None, "first")


@in_a_notebook
async def test_an_error_can_be_dismissed_after_the_end() -> None:
    sign = Sign()
    await do(sign, "write", text="")
    sign.close()
    assert sign.shown["error"] == "text must not be empty"
    await do(sign, "dismiss")
    assert sign.shown["error"] is None


@in_a_notebook
async def test_a_slip_in_a_verb_is_shown_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    sign = Sign()
    with caplog.at_level(logging.ERROR, "horizon.widgets"):
        await do(sign, "break")
    assert sign.shown["error"] == "KeyError: 'a slip of ours'"
    assert len(caplog.records) == 1
    await do(sign, "write", text="still here")
    assert (sign.shown["text"], sign.shown["error"]) == ("still here", None)


MALFORMED = [
    None,
    [],
    ["do", "trade"],
    7,
    3.5,
    True,
    "trade",
    {},
    {"do": None},
    {"do": 5},
    {"do": ["trade"]},
    {"do": {}},
    {"verb": "trade"},
]


@pytest.mark.parametrize("content", MALFORMED, ids=repr)
@in_a_notebook
async def test_a_message_that_is_no_verb_is_passed_over(content: object) -> None:
    sign = Sign()
    sign._hear(sign, content)
    await turns()
    assert (sign.trades, sign.ended, sign.shown["error"]) == (0, "", None)


@pytest.mark.parametrize("verb", ["", "sell", "__init__", "close", "<b>", "trade "])
@in_a_notebook
async def test_an_unknown_verb_is_refused_in_words(verb: str) -> None:
    sign = Sign()
    await do(sign, verb)
    assert repr(verb) in sign.shown["error"]
    assert (sign.trades, sign.ended) == (0, "")


@in_a_notebook
async def test_a_huge_unknown_verb_does_not_fill_the_page() -> None:
    sign = Sign()
    await do(sign, "x" * 1_000_000)
    assert 0 < len(sign.shown["error"]) < 300


# ------------------------------------------------------------------------- risky verbs
@in_a_notebook
async def test_a_risky_verb_is_obeyed_on_what_its_user_saw() -> None:
    sign = Sign()
    await do(sign, "trade")
    assert sign.trades == 1
    seen = sign.beat
    await passing(4.9)  # the user thinks about it
    await do(sign, "trade", beat=seen)
    assert (sign.trades, sign.shown["error"]) == (2, None)


@pytest.mark.parametrize("beat", [None, 0, -1, 99, "1", 1.5, [], {}, float("nan")], ids=repr)
@in_a_notebook
async def test_a_risky_verb_with_an_unknown_beat_does_nothing(beat: object) -> None:
    sign = Sign()
    await do(sign, "trade", beat=beat)
    assert sign.trades == 0
    assert sign.shown["error"].startswith("nothing was sent: the click came some time after")


@in_a_notebook
async def test_a_risky_verb_without_a_beat_does_nothing() -> None:
    sign = Sign()
    sign._hear(sign, {"do": "trade"})
    await turns()
    assert sign.trades == 0
    assert sign.shown["error"].startswith("nothing was sent")


@in_a_notebook
async def test_a_risky_verb_that_waited_for_a_busy_kernel_does_nothing() -> None:
    sign = Sign()
    loop_now().block(6.0)
    await do(sign, "trade")
    assert sign.trades == 0
    assert "6 s after the numbers that it was made on" in sign.shown["error"]


@in_a_notebook
async def test_beats_that_are_long_past_are_not_kept() -> None:
    sign = Sign()
    await passing(600.0)
    assert len(sign._beats) <= 64
    await do(sign, "trade")
    assert sign.trades == 1


# ------------------------------------------------------------------------- errors in paint
@in_a_notebook
async def test_a_paint_that_fails_ends_its_widget_alone_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sign, neighbour = Sign(), Sign()
    sign.quiet = True  # on a desk the head says how things stand; this it says itself
    sign.fault = ZeroDivisionError("no such price")
    with caplog.at_level(logging.ERROR, "horizon.widgets"):
        await passing(1.0)
    assert sign.ended == "an error stopped it (ZeroDivisionError: no such price)"
    assert sign.shown["error"] is None  # it is said once
    assert not sign.quiet
    assert len(caplog.records) == 1
    assert neighbour.ended == ""


@in_a_notebook
async def test_a_first_paint_that_fails_leaves_no_widget_behind() -> None:
    class Broken(Sign):
        def picture(self) -> dict[str, Any]:
            raise LookupError("no picture")

    with pytest.raises(LookupError, match="no picture"):
        Broken()
    await passing(1.0)
    assert await timers() == 0


@in_a_notebook
async def test_a_closed_account_ends_its_widgets_in_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ex = account()
    faces = [Positions(ex), Orders(ex), Fills(ex), Balance(ex), Prices(ex), OrderTicket(ex)]
    ex.close()
    with caplog.at_level(logging.ERROR, "horizon.widgets"):
        await passing(1.0)
    for face in faces:
        assert face.ended == "its account was closed"
    assert caplog.records == []  # that is no fault of ours


# ------------------------------------------------------------------------- every widget
def deck(ex: Any, *, palette: Any) -> FeedDeck:
    return FeedDeck(ex, hz.feeds.Synthetic(1), palette=palette)


MAKERS = [
    Positions,
    Orders,
    Fills,
    Balance,
    Prices,
    OrderTicket,
    AlgoMonitor,
    PriceChart,
    Masthead,
    deck,
]
every_widget = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


@every_widget
@in_a_notebook
async def test_a_widget_refuses_what_it_cannot_use_and_leaves_nothing(
    make: Callable[..., Face],
) -> None:
    ex = account()
    venue = ex.engine.venue
    for given, palette, error, named in (
        (5, "blue-orange", TypeError, "must be a client"),
        (None, "blue-orange", TypeError, "must be a client"),
        (ex, "blue-organge", ValueError, "palette must be one of .*Did you mean 'blue-orange'"),
        (ex, 7, TypeError, "palette must be one of"),
    ):
        with pytest.raises(error, match=named):
            make(given, palette=palette)
        assert venue.apply is venue.account, "somebody still watches the venue"
    gc.collect()  # a half-made widget that complains when it goes would fail here
    await passing(1.0)
    assert await timers() == 0
    ex.close()
    with pytest.raises(hz.VenueError, match="closed"):
        make(ex, palette="blue-orange")


@every_widget
def test_without_a_notebook_a_widget_says_what_it_needs(
    make: Callable[..., Face],
) -> None:
    ex = account()
    with pytest.raises(RuntimeError, match="needs a running event loop"):
        make(ex, palette="blue-orange")
    assert ex.engine.venue.apply is ex.engine.venue.account
    gc.collect()


@every_widget
@in_a_notebook
async def test_what_is_offered_of_a_widget_is_for_its_user(make: Callable[..., Face]) -> None:
    made = make(account(), palette="blue-orange")
    offered = [name for name in dir(made) if not name.startswith("_")]
    assert {"close", "ended", "shown"} <= set(offered)
    for machinery in ("paint", "release", "verbs", "picture", "hold", "comm", "traits", "is_gone"):
        assert machinery not in offered
        assert hasattr(made, machinery)


@every_widget
@in_a_notebook
async def test_an_engine_does_for_a_client(make: Callable[..., Face]) -> None:
    assert make(account().engine, palette="green-red").ended == ""
