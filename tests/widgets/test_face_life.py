"""How long a widget lives: with its output, its cell, and until it is closed."""

from __future__ import annotations

import asyncio

import pytest

from horizon.errors import HorizonError
from horizon.widgets import live as live_module
from tests.widgets.notebook import Page, do, in_a_notebook, passing, turns
from tests.widgets.signs import Sign


# ------------------------------------------------------------------------- the output's life
@in_a_notebook
async def test_a_widget_rests_when_its_output_has_gone_and_wakes_when_it_is_back() -> None:
    sign = Sign()
    page = Page(sign)
    task = sign._live.start(asyncio.sleep(60), sign)
    await do(sign, "left")
    assert page.asked == [{"ask": "who looks?"}]
    await passing(4.9)
    assert not task.done()
    await passing(0.2)  # nobody has answered
    await turns()
    assert task.cancelled()
    page.updates.clear()
    sign.text = "unseen"
    await passing(30.0)
    assert page.updates == []
    await do(sign, "looks")
    assert [picture["text"] for picture in page.pictures] == ["unseen"]
    await passing(2.0)
    assert len(page.beats) >= 2


@in_a_notebook
async def test_a_widget_that_another_tab_shows_does_not_rest() -> None:
    sign = Sign()
    task = sign._live.start(asyncio.sleep(60), sign)
    page = Page(sign)
    await do(sign, "left")
    await do(sign, "looks")  # the other tab's answer
    await passing(10.0)
    assert not task.done()
    assert len(page.beats) >= 9


@in_a_notebook
async def test_leaving_twice_starts_one_grace() -> None:
    sign = Sign()
    await do(sign, "left")
    await passing(3.0)
    await do(sign, "left")
    await do(sign, "looks")
    page = Page(sign)
    await passing(10.0)
    assert len(page.beats) >= 9  # neither of the two has put it to rest


@in_a_notebook
async def test_what_has_ended_and_is_seen_by_nobody_is_given_back() -> None:
    sign = Sign()
    sign.close()
    assert sign.comm is not None  # the page still shows how it ended
    await do(sign, "left")
    await passing(6.0)
    assert sign.comm is None


# ------------------------------------------------------------------------- end
@in_a_notebook
async def test_closing_ends_paints_and_tasks_and_may_be_repeated() -> None:
    sign = Sign()
    task = sign._live.start(asyncio.sleep(60), sign)
    page = Page(sign)
    sign.close()
    sign.close()
    await turns()
    assert sign.ended == "it was closed"
    assert task.cancelled()
    sign.text = "too late"
    await do(sign, "write", text="too late")
    await do(sign, "trade")
    await passing(5.0)
    assert [list(update) for update in page.updates] == [["ended"]]
    assert sign.trades == 0


@in_a_notebook
async def test_a_cell_that_is_run_again_ends_the_widget_of_its_former_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = ["1"]
    monkeypatch.setattr(live_module, "_cell", lambda: ("here", run[0]))
    first, beside = Sign(), Sign()
    assert (first.ended, beside.ended) == ("", "")
    run[0] = "2"
    again = Sign()
    assert first.ended == beside.ended == "its cell was run again"
    assert again.ended == ""


@in_a_notebook
async def test_its_text_says_whether_it_lives_and_is_safe_in_html() -> None:
    sign = Sign()
    assert repr(sign) == "<Sign, live; run its cell in a notebook to use it>"
    assert sign._repr_html_().startswith("<code>&lt;Sign, live;")
    sign.fail(HorizonError("<img src=x>"))
    sign.release("<b>")
    assert "<b>" not in sign._repr_html_()
