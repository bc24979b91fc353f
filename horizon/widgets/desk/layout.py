"""Where the panels of a desk stand: columns of stacks, a stack being panels one behind another.

A layout is plain data. Nothing here knows a widget; every change gives another layout.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from horizon import checks
from horizon.types import Shown

__all__ = ["Column", "Layout", "Stack", "layout_of", "read_layout"]

#: Where a panel goes, seen from the panel that it is moved to.
_SIDES: Final = ("above", "below", "behind", "left", "right")
#: Pixels between which a stack's height may be set, and shares between which a column's width.
_LOW, _HIGH = 80, 4_000
_THIN, _WIDE = 0.05, 20.0
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Stack(Shown):
    """Panels in one place, of which the front one is seen.

    Attributes
    ----------
    panels : tuple of str
        One or more.
    front : str
        One of them.
    height : int or None
        In pixels; None for as high as what it shows.
    is_folded : bool
        Whether only its head is seen.
    """

    panels: tuple[str, ...]
    front: str
    height: int | None = None
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class Column(Shown):
    """Stacks from top to bottom; `width` is its share beside the other columns."""

    stacks: tuple[Stack, ...]
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Layout(Shown):
    """Columns from left to right, and the panels that are hidden.

    Every panel is in one place, and no stack or column is empty. It never changes: each method
    returns another layout.

    Not made by hand: give `hz.workbench` columns as lists, and take ``desk.layout``, which is
    this as plain data, to have it again.

    Attributes
    ----------
    columns : tuple of Column
        Each with its stacks, from top to bottom, and its share of the width.
    hidden : tuple of str
        Panels that are nowhere.

    Examples
    --------
    >>> desk = hz.workbench(
    ...     play=False, panels=["ticket", "chart", "fills"], layout=[["ticket"], ["chart"]]
    ... )
    >>> desk.layout["hidden"]
    ['fills']
    >>> [column["width"] for column in desk.layout["columns"]]
    [1.0, 1.0]
    >>> desk.close()
    """

    columns: tuple[Column, ...]
    hidden: tuple[str, ...] = ()

    # ------------------------------------------------------------------ what it says
    @property
    def panels(self) -> tuple[str, ...]:
        """Every panel, in the order of the columns, the hidden ones last."""
        shown = [panel for stack in self.stacks for panel in stack.panels]
        return (*shown, *self.hidden)

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """Every stack, column by column."""
        return tuple(stack for column in self.columns for stack in column.stacks)

    @property
    def in_view(self) -> frozenset[str]:
        """The panels that are seen."""
        return frozenset(stack.front for stack in self.stacks if not stack.is_folded)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain lists and dictionaries, which `layout_of` reads."""
        return {
            "columns": [
                {
                    "width": column.width,
                    "stacks": [
                        {
                            "panels": list(stack.panels),
                            "front": stack.front,
                            "height": stack.height,
                            "is_folded": stack.is_folded,
                        }
                        for stack in column.stacks
                    ],
                }
                for column in self.columns
            ],
            "hidden": list(self.hidden),
        }

    # ------------------------------------------------------------------ changes
    def moved(self, panel: str, to: str, side: str) -> Layout:
        """Put a panel beside another one, or behind it.

        Parameters
        ----------
        panel, to : str
        side : str
            ``"above"`` or ``"below"`` the other one's stack, ``"behind"`` it in its stack, or
            ``"left"`` or ``"right"`` of its column, as a column of its own.

        Raises
        ------
        ValueError
            If there is no such panel or side, or the other panel is hidden.
        """
        self._require(panel)
        where = self._require(to)
        checks.one_of("side", side, _SIDES)
        if where is None:
            raise ValueError(f"to must be a panel that is shown, was {to!r}, which is hidden")
        if panel == to:
            return self
        bare = self._without(panel)
        column_at, stack_at = bare._place(to)
        column = bare.columns[column_at]
        if side in ("left", "right"):
            # Half of the column's width each.
            half = _share(column.width / 2.0)
            made = Column((_alone(panel),), half)
            columns = list(bare.columns)
            columns[column_at] = replace(column, width=half)
            columns.insert(column_at + (side == "right"), made)
            return replace(bare, columns=tuple(columns))
        stacks = list(column.stacks)
        if side == "behind":
            stack = stacks[stack_at]
            at = stack.panels.index(to) + 1
            panels = (*stack.panels[:at], panel, *stack.panels[at:])
            stacks[stack_at] = replace(stack, panels=panels, front=panel, is_folded=False)
        else:
            stacks.insert(stack_at + (side == "below"), _alone(panel))
        return bare._with_stacks(column_at, stacks)

    def hiding(self, panel: str) -> Layout:
        """Take a panel out of sight; again at no risk."""
        if self._require(panel) is None:
            return self
        bare = self._without(panel)
        return replace(bare, hidden=(*bare.hidden, panel))

    def showing(self, panel: str) -> Layout:
        """Bring a panel to sight: to the front of its stack, else to the end of the last column."""
        place = self._require(panel)
        if place is not None:
            return self._changed(place, front=panel, is_folded=False)
        bare = self._without(panel)
        if not bare.columns:
            return replace(bare, columns=(Column((_alone(panel),)),))
        last = len(bare.columns) - 1
        return bare._with_stacks(last, [*bare.columns[last].stacks, _alone(panel)])

    def folding(self, panel: str, is_folded: bool) -> Layout:
        """Fold the stack of a panel where `is_folded`, else open it."""
        place = self._require(panel)
        return self if place is None else self._changed(place, is_folded=is_folded)

    def sized(self, panel: str, height: int | None) -> Layout:
        """Give the stack of a panel a `height` in pixels, or None for that of its content.

        Raises
        ------
        TypeError, ValueError
            If it is no whole number from 80 to 4,000.
        """
        place = self._require(panel)
        if height is not None:
            height = checks.integer("height", height, least=_LOW)
            if height > _HIGH:
                raise ValueError(f"height must be at most {_HIGH:,} pixels, was {height:,}")
        return self if place is None else self._changed(place, height=height)

    def widened(self, widths: Sequence[object]) -> Layout:
        """Give the columns other shares of the width, one number of `widths` each.

        Raises
        ------
        TypeError, ValueError
            If there are more or fewer than columns, or one is no number from 0.05 to 20.
        """
        if len(widths) != len(self.columns):
            raise ValueError(f"widths must be {len(self.columns)} numbers, were {len(widths)}")
        shares = [_width(width) for width in widths]
        columns = [
            replace(column, width=share) for column, share in zip(self.columns, shares, strict=True)
        ]
        return replace(self, columns=tuple(columns))

    # ------------------------------------------------------------------ within
    def _require(self, panel: str) -> tuple[int, int] | None:
        """Where a panel stands, None if it is hidden."""
        if panel in self.hidden:
            return None
        checks.one_of("panel", panel, self.panels)
        return self._place(panel)

    def _place(self, panel: str) -> tuple[int, int]:
        for i, column in enumerate(self.columns):
            for j, stack in enumerate(column.stacks):
                if panel in stack.panels:
                    return i, j
        raise AssertionError(panel)

    def _with_stacks(self, at: int, stacks: Sequence[Stack]) -> Layout:
        columns = list(self.columns)
        columns[at] = replace(columns[at], stacks=tuple(stacks))
        return replace(self, columns=tuple(columns))

    def _changed(self, place: tuple[int, int], **changes: Any) -> Layout:
        column_at, stack_at = place
        stacks = list(self.columns[column_at].stacks)
        stacks[stack_at] = replace(stacks[stack_at], **changes)
        return self._with_stacks(column_at, stacks)

    def _without(self, panel: str) -> Layout:
        """Leave a panel out; what is empty then goes with it, its width to the neighbour."""
        columns: list[Column] = []
        lost = 0.0
        for column in self.columns:
            stacks = []
            for stack in column.stacks:
                panels = tuple(one for one in stack.panels if one != panel)
                if panels:
                    at = min(stack.panels.index(stack.front), len(panels) - 1)
                    front = stack.front if stack.front in panels else panels[at]
                    stacks.append(replace(stack, panels=panels, front=front))
            if stacks:
                columns.append(replace(column, stacks=tuple(stacks)))
            else:
                lost += column.width
        if columns and lost:
            columns[-1] = replace(columns[-1], width=_share(columns[-1].width + lost))
        hidden = tuple(one for one in self.hidden if one != panel)
        return Layout(tuple(columns), hidden)


def _alone(panel: str) -> Stack:
    return Stack((panel,), panel)


def _share(width: float) -> float:
    return min(max(width, _THIN), _WIDE)


def _width(width: object) -> float:
    if isinstance(width, bool) or not isinstance(width, (int, float)) or not math.isfinite(width):
        raise TypeError(f"width must be a number, was {checks.show(width)}")
    if not _THIN <= width <= _WIDE:
        raise ValueError(f"width must be from {_THIN} to {_WIDE:g}, was {width:g}")
    return float(width)


def layout_of(given: object, panels: Iterable[str] | None) -> Layout:
    """Read a layout of these panels.

    Parameters
    ----------
    given : Layout, mapping or iterable
        A layout, what `Layout.to_dict` gives, or columns as lists: each entry is a panel's name,
        or a tuple of names that stand one behind another.
    panels : iterable of str or None
        The panels that there are; None for those that the layout names. Those that the layout
        does not place are hidden.

    Raises
    ------
    TypeError, ValueError
        For anything else, a name that is no panel's, or one that is there twice.
    """
    known = None if panels is None else tuple(panels)
    hidden: list[Any] = []
    if isinstance(given, Layout):
        given = given.to_dict()
    if isinstance(given, str) or not isinstance(given, (Mapping, Iterable)):
        raise TypeError(
            "layout must be columns of panels, such as [['ticket'], ['chart', ('orders', "
            f"'fills')]], was {checks.show(given)}"
        )
    if isinstance(given, Mapping):
        _only("layout", given, ("columns", "hidden"))
        columns = [_column(column) for column in _listed("columns", given.get("columns"))]
        hidden = _listed("hidden", given.get("hidden", ()))
    else:
        columns = [_column(column) for column in given]
        if not any(column.stacks for column in columns):
            raise ValueError("layout must place at least one panel, placed none")
    columns = [column for column in columns if column.stacks]
    placed = [panel for column in columns for stack in column.stacks for panel in stack.panels]
    for panel in (*placed, *hidden):
        if known is None:
            checks.text("a panel of layout", panel)
        else:
            checks.one_of("a panel of layout", panel, known)
        if (*placed, *hidden).count(panel) > 1:
            raise ValueError(f"layout must have each panel once, has {panel!r} twice")
    unplaced = (panel for panel in known or () if panel not in placed and panel not in hidden)
    return Layout(tuple(columns), (*hidden, *unplaced))


def _column(given: object) -> Column:
    if isinstance(given, Column):
        return given
    width: object = 1.0
    if isinstance(given, Mapping):
        _only("a column", given, ("width", "stacks"))
        width = given.get("width", 1.0)
        given = given.get("stacks")
    return Column(tuple(_stack(stack) for stack in _listed("a column", given)), _width(width))


def _stack(given: object) -> Stack:
    if isinstance(given, str):
        return _alone(given)
    options: Mapping[str, Any] = {}
    if isinstance(given, Mapping):
        _only("a stack", given, ("panels", "front", "height", "is_folded"))
        options = given
        given = given.get("panels")
    panels = tuple(_listed("a stack", given))
    if not panels or not all(isinstance(panel, str) for panel in panels):
        raise TypeError(f"a stack must be names of panels, was {checks.show(given)}")
    made = Layout((Column((Stack(panels, panels[0]),)),))
    if options.get("front") is not None:
        made = made.showing(checks.one_of("front", options["front"], panels))
    made = made.sized(panels[0], options.get("height"))
    folded = checks.flag("is_folded", options.get("is_folded", False))
    return made.folding(panels[0], folded).columns[0].stacks[0]


def _listed(name: str, given: object) -> list[Any]:
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(f"{name} must be a list, was {checks.show(given)}")
    found = list(given)
    if len(found) > _MOST:
        raise ValueError(f"{name} must have at most {_MOST} entries, has {len(found):,}")
    return found


def _only(name: str, given: Mapping[Any, Any], accepted: Sequence[str]) -> None:
    for key in given:
        if key not in accepted:
            listed = ", ".join(repr(word) for word in accepted)
            raise ValueError(f"{name} has {checks.show(key)}; it may have {listed}")


def read_layout(text: str, panels: Iterable[str]) -> Layout:
    """Read a layout that was written as JSON, for a desk that may have other panels by now.

    Panels that are not there any more are left out; those that it does not know are shown.

    Raises
    ------
    TypeError, ValueError
        If it is no layout.
    """
    known = tuple(panels)
    layout = layout_of(json.loads(text), None)
    for panel in layout.panels:
        if panel not in known:
            layout = layout._without(panel)
    for panel in known:
        if panel not in layout.panels:
            layout = replace(layout, hidden=(*layout.hidden, panel)).showing(panel)
    return layout
