"""Where panels stand: every change keeps each of them in one place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.widgets.desk.layout import Column, Layout, Stack, layout_of, read_layout
from horizon.widgets.desk.presets import PANELS, presets_of

NAMES = ("a", "b", "c", "d", "e")
#: Two columns: a over b, and c with d behind it; e is hidden.
START = layout_of([["a", "b"], [("c", "d")]], NAMES)


def brief(layout: Layout) -> list[list[Any]]:
    """Columns of stacks as lists; a stack of several as a tuple, its front first in capitals."""
    return [
        [
            tuple(p.upper() if p == s.front else p for p in s.panels)
            if len(s.panels) > 1
            else s.panels[0]
            for s in column.stacks
        ]
        for column in layout.columns
    ]


def test_what_a_layout_says() -> None:
    assert brief(START) == [["a", "b"], [("C", "d")]]
    assert START.panels == ("a", "b", "c", "d", "e")
    assert START.hidden == ("e",)
    assert START.in_view == {"a", "b", "c"}
    assert START.folding("c", True).in_view == {"a", "b"}


@pytest.mark.parametrize(
    ("panel", "to", "side", "expected"),
    [
        ("d", "a", "above", [["d", "a", "b"], ["c"]]),
        ("d", "a", "below", [["a", "d", "b"], ["c"]]),
        ("a", "d", "behind", [["b"], [("c", "d", "A")]]),
        ("a", "c", "behind", [["b"], [("c", "A", "d")]]),
        ("a", "b", "left", [["a"], ["b"], [("C", "d")]]),
        ("c", "d", "right", [["a", "b"], ["d"], ["c"]]),
        ("d", "c", "above", [["a", "b"], ["d", "c"]]),
        ("e", "b", "below", [["a", "b", "e"], [("C", "d")]]),
        ("a", "a", "left", [["a", "b"], [("C", "d")]]),
    ],
    ids=str,
)
def test_moving_a_panel(panel: str, to: str, side: str, expected: list[Any]) -> None:
    assert brief(START.moved(panel, to, side)) == expected


def test_a_column_that_is_empty_goes_and_leaves_its_width() -> None:
    layout = START.widened([2, 1]).moved("a", "c", "below").moved("b", "c", "above")
    assert brief(layout) == [["b", ("C", "d"), "a"]]
    assert [column.width for column in layout.columns] == [3.0]


def test_a_new_column_takes_half_of_the_width() -> None:
    layout = START.widened([2, 1]).moved("d", "b", "right")
    assert [column.width for column in layout.columns] == [1.0, 1.0, 1.0]


def test_hiding_and_showing() -> None:
    hidden = START.hiding("c")
    assert (brief(hidden), hidden.hidden) == ([["a", "b"], ["d"]], ("e", "c"))
    assert hidden.hiding("c") == hidden
    assert brief(hidden.showing("c")) == [["a", "b"], ["d", "c"]]
    assert brief(START.showing("d")) == [["a", "b"], [("c", "D")]]
    assert START.folding("a", True).showing("a") == START
    bare = START
    for panel in NAMES:
        bare = bare.hiding(panel)
    assert (bare.columns, bare.in_view) == ((), frozenset())
    assert brief(bare.showing("b")) == [["b"]]


def test_sizes() -> None:
    layout = START.sized("d", 300).sized("a", 80).widened([1, 2.5])
    assert [stack.height for stack in layout.stacks] == [80, None, 300]
    assert layout.sized("c", None).stacks[2].height is None
    for height, error in ((79, "80 or more"), (4001, "at most 4,000"), (2.5, "a whole number")):
        with pytest.raises((TypeError, ValueError), match=error):
            START.sized("a", height)  # type: ignore[arg-type]
    for widths, message in (([1], "2 numbers, were 1"), ([1, 0.01], "from 0.05 to 20")):
        with pytest.raises(ValueError, match=message):
            START.widened(widths)
    for width in (True, "1", float("nan")):
        with pytest.raises(TypeError, match="width must be a number"):
            START.widened([1, width])


def test_wrong_moves_name_what_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"panel must be one of 'a', 'b'.*was 'x'"):
        START.moved("x", "a", "left")
    with pytest.raises(ValueError, match="to must be a panel that is shown, was 'e'"):
        START.moved("a", "e", "left")
    with pytest.raises(ValueError, match=r"side must be one of .*was 'onto'"):
        START.moved("a", "b", "onto")


def test_a_layout_is_read_from_what_it_is_written_to() -> None:
    layout = START.sized("a", 200).folding("c", True).showing("e").widened([1, 3])
    assert layout_of(json.loads(json.dumps(layout.to_dict())), NAMES) == layout
    assert layout_of(layout, NAMES) == layout
    assert read_layout(json.dumps(layout.to_dict()), NAMES) == layout


def test_a_file_of_another_desk_is_taken_as_far_as_it_goes() -> None:
    text = json.dumps(START.hiding("b").to_dict())
    layout = read_layout(text, ("a", "b", "d", "new"))
    assert brief(layout) == [["a"], ["d", "new"]]
    assert layout.hidden == ("b",)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("a", "layout must be columns of panels"),
        (3, "layout must be columns of panels"),
        ([["a", "a"]], "each panel once, has 'a' twice"),
        ([["x"]], "a panel of layout must be one of .*was 'x'"),
        (["a"], "a column must be a list, was 'a'"),
        ([[()]], "a stack must be names of panels"),
        ([[(1,)]], "a stack must be names of panels"),
        ({"rows": []}, "layout has 'rows'; it may have 'columns', 'hidden'"),
        ({"columns": [], "hidden": ["x"]}, "a panel of layout must be one of .*was 'x'"),
        ({"columns": [{"stacks": [["a"]], "high": 1}]}, "a column has 'high'"),
        ({"columns": [{"stacks": [{"panels": ["a"], "top": 1}]}]}, "a stack has 'top'"),
        ({"columns": [{"stacks": [{"panels": ["a"], "front": "b"}]}]}, "front must be one of 'a'"),
        ({"columns": [{"stacks": [{"panels": ["a"], "is_folded": 1}]}]}, "is_folded must be"),
        ({"columns": None}, "columns must be a list"),
        ([[tuple("a" for _ in range(201))]], "at most 200 entries, has 201"),
    ],
    ids=str,
)
def test_what_is_no_layout_is_refused(given: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        layout_of(given, NAMES)


MOVES = st.one_of(
    st.tuples(
        st.just("moved"),
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        st.sampled_from(["above", "below", "behind", "left", "right"]),
    ),
    st.tuples(st.sampled_from(["hiding", "showing"]), st.sampled_from(NAMES)),
    st.tuples(st.just("folding"), st.sampled_from(NAMES), st.booleans()),
    st.tuples(st.just("sized"), st.sampled_from(NAMES), st.sampled_from([None, 80, 500])),
)


@pytest.mark.no_cover
@given(st.lists(MOVES, max_size=12))
def test_every_panel_stays_in_one_place(moves: list[tuple[Any, ...]]) -> None:
    layout = START
    for name, *arguments in moves:
        if name == "moved" and arguments[1] in layout.hidden:
            continue
        layout = getattr(layout, name)(*arguments)
        assert sorted(layout.panels) == sorted(NAMES)
        assert all(stack.front in stack.panels for stack in layout.stacks)
        assert all(column.stacks for column in layout.columns)
        assert all(0.05 <= column.width <= 20.0 for column in layout.columns)
        assert layout_of(layout.to_dict(), NAMES) == layout


def test_presets_hold_the_panels_that_there_are() -> None:
    for panels in (PANELS, (*PANELS, "run", "Backtest explorer"), ("ticket",), ("mine",)):
        for layout in presets_of(panels).values():
            assert sorted(layout.panels) == sorted(panels)
            assert layout.hidden == ()
    desk = presets_of(("ticket", "mine", "orders"))["desk"]
    assert brief(desk) == [["ticket"], ["mine", "orders"]]
    assert brief(presets_of(("chart", "mine", "fills"))["desk"]) == [[("MINE", "chart"), "fills"]]
    assert presets_of(())["desk"] == Layout(())
    assert presets_of(("ticket",))["desk"] == Layout((Column((Stack(("ticket",), "ticket"),)),))
