"""The desk's frame: panels where a layout says, changed by its user, kept in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import horizon as hz
from horizon.widgets.desk.dock import Dock
from horizon.widgets.desk.layout import layout_of
from tests.widgets.notebook import Page, account, do, in_a_notebook, passing
from tests.widgets.signs import Sign

PANELS = ["balance", "chart", "prices", "orders"]
COLUMNS = [["balance"], ["chart", ("prices", "orders")]]


def desk_of(**options: Any) -> hz.Workbench:
    return hz.workbench(account(), panels=PANELS, layout=COLUMNS, **options)


def dock_of(desk: hz.Workbench) -> Dock:
    dock = desk._dock
    assert dock is not None
    return dock


def panels_of(desk: hz.Workbench) -> list[list[list[str]]]:
    return [[stack["panels"] for stack in column["stacks"]] for column in desk.layout["columns"]]


@in_a_notebook
async def test_the_picture_says_where_each_panel_stands() -> None:
    desk = desk_of()
    dock = dock_of(desk)
    assert panels_of(desk) == [[["balance"]], [["chart"], ["prices", "orders"]]]
    assert dock.shown["columns"] == desk.layout["columns"]
    assert dock.shown["heads"] == ["masthead"]
    assert ["orders", "Orders"] in dock.shown["panels"]
    assert set(dock.parts) == {"masthead", *PANELS}
    assert all(dock.parts[name].is_held and dock.parts[name].quiet for name in PANELS)
    assert dock.parts["masthead"].quiet is False


@in_a_notebook
async def test_its_user_changes_it_by_verbs() -> None:
    desk = desk_of()
    dock = dock_of(desk)
    await do(dock, "move", panel="orders", to="balance", side="below")
    assert panels_of(desk) == [[["balance"], ["orders"]], [["chart"], ["prices"]]]
    await do(dock, "hide", panel="chart")
    assert desk.layout["hidden"] == ["chart"]
    await do(dock, "show", panel="chart")
    assert panels_of(desk)[1] == [["prices"], ["chart"]]
    await do(dock, "height", panel="prices", height=200)
    await do(dock, "fold", panel="chart", on=True)
    await do(dock, "widths", widths=[1, 3])
    assert [column["width"] for column in desk.layout["columns"]] == [1.0, 3.0]
    stacks = desk.layout["columns"][1]["stacks"]
    assert [stack["height"] for stack in stacks] == [200, None]
    assert [stack["is_folded"] for stack in stacks] == [False, True]
    await do(dock, "preset", name="single")
    assert len(desk.layout["columns"]) == 1
    assert dock.shown["presets"][-1] == ["single", "Single", True]
    assert dock.shown["error"] is None
    for verb, given, message in (
        ("move", {"panel": "x", "to": "chart", "side": "left"}, "panel must be one of"),
        ("widths", {"widths": "12"}, "widths must be a list of numbers"),
        ("widths", {"widths": [1, 2]}, "widths must be 1 numbers"),
        ("preset", {"name": "mine"}, "layout must be one of desk"),
        ("height", {"panel": "chart", "height": 1e9}, "height must be a whole number"),
    ):
        before = desk.layout
        await do(dock, verb, **given)
        assert message in dock.shown["error"]
        assert desk.layout == before


@in_a_notebook
async def test_a_layout_can_be_set_and_given_back() -> None:
    desk = desk_of()
    desk.layout = [["orders", "chart"]]
    assert panels_of(desk) == [[["orders"], ["chart"]]]
    assert desk.layout["hidden"] == ["balance", "prices"]
    other = hz.workbench(account(), panels=PANELS, layout=desk.layout)
    assert other.layout == desk.layout
    desk.layout = "desk"
    assert desk.layout["hidden"] == []
    with pytest.raises(ValueError, match=r"layout must be one of 'desk', .*was 'mine'"):
        desk.layout = "mine"
    with pytest.raises(ValueError, match=r"a panel of layout must be one of .*was 'ticket'"):
        desk.layout = [["ticket"]]


@in_a_notebook
async def test_a_layout_file_is_kept_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    desk = hz.workbench(account(), panels=PANELS, layout=path)
    assert not path.exists()  # nothing has changed yet
    await do(dock_of(desk), "hide", panel="chart")
    assert json.loads(path.read_text())["hidden"] == ["chart"]
    again = hz.workbench(account(), panels=PANELS, layout=str(path))
    assert again.layout == desk.layout
    path.write_text("{")
    with pytest.raises(ValueError, match="holds no layout"):
        hz.workbench(account(), panels=PANELS, layout=path)
    with pytest.raises(ValueError, match="must be in a folder that exists"):
        hz.workbench(account(), panels=PANELS, layout=tmp_path / "none" / "mine.json")
    with pytest.raises(ValueError, match=r"must end with \.json"):
        hz.workbench(account(), panels=PANELS, layout=tmp_path / "mine.txt")


@in_a_notebook
async def test_what_is_behind_another_is_painted_once_a_second() -> None:
    desk = desk_of()
    behind, front = Page(desk.panel("orders")), Page(desk.panel("prices"))
    for n in range(20):
        desk.ex.tick("M", 100.0 + n)
        desk.ex.buy("M", 1, limit=50)
        await passing(0.1)
    assert len(front.pictures) >= 18
    assert 1 <= len(behind.pictures) <= 3
    await do(dock_of(desk), "front", panel="orders")
    assert desk.panel("orders").shown["name"] == "Orders: 20 open"


@in_a_notebook
async def test_widgets_of_ones_own_are_placed_and_end_with_the_desk() -> None:
    one, two, named = Sign(), Sign(), Sign()
    desk = hz.workbench(account(), panels=["balance"], widgets=[one, two])
    assert panels_of(desk) == [[["balance"]], [["Sign", "Sign 2"]]]
    assert desk.panel("Sign 2") is two
    with pytest.raises(ValueError, match="widgets must be free ones: 'Sign' is on a desk already"):
        hz.workbench(account(), widgets=one)
    desk.close()
    assert one.ended == "it was closed"
    with pytest.raises(ValueError, match="'mine' has ended"):
        hz.workbench(account(), widgets={"mine": one})
    with pytest.raises(ValueError, match="names of their own, has 'chart'"):
        hz.workbench(account(), widgets={"chart": named})
    with pytest.raises(TypeError, match="widgets must hold widgets"):
        hz.workbench(account(), widgets=[3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"widgets must be a widget .*, or several, was 3"):
        hz.workbench(account(), widgets=3)  # type: ignore[arg-type]
    assert (named.ended, named.is_held) == ("", False)


@in_a_notebook
async def test_a_desk_that_has_ended_can_still_be_laid_out() -> None:
    desk = desk_of()
    dock = dock_of(desk)
    desk.close()
    assert dock.ended == "it was closed"
    await do(dock, "fold", panel="chart", on=True)
    assert desk.layout["columns"][1]["stacks"][0]["is_folded"] is True
    assert dock.shown["columns"][1]["stacks"][0]["is_folded"] is True


@in_a_notebook
async def test_a_desk_without_an_account_s_panels_is_a_place_for_widgets() -> None:
    sign = Sign()
    desk = hz.workbench(panels=(), widgets={"mine": sign})
    assert panels_of(desk) == [[["mine"]]]
    assert desk.feeds == ()
    assert dock_of(desk).shown["heads"] == []
    assert dock_of(desk).quiet is False
    assert layout_of(desk.layout, ["mine"]).panels == ("mine",)
