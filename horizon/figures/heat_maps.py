"""What a search found, by its parameters: a heat map for each window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from horizon import checks
from horizon.figures.heat_panels import Drawing
from horizon.figures.parameters import axes_of, parameters_of
from horizon.figures.searched import (
    called,
    chosen_of,
    counted,
    matrix_of,
    objective_of,
    reason_words,
    settings_of,
)
from horizon.figures.themes import theme_named
from horizon.figures.words import plain

__all__ = ["parameter_heat_map"]

#: Windows drawn at most, side by side.
_MOST: Final = 12


def parameter_heat_map(
    settings: Any,
    values: Any,
    *,
    window: int | None = None,
    x: str | None = None,
    y: str | None = None,
    chosen: Sequence[int | None] | None = None,
    reasons: Mapping[tuple[int, int], str] | None = None,
    numbers: Sequence[int] | None = None,
    row_name: str = "window",
    objective: str = "sharpe_ratio",
    maximize: bool = True,
    theme: str = "light",
    title: str = "Objective by parameters",
) -> go.Figure:
    """Draw an objective by two parameters, a heat map for each window.

    An optimum that lies at another place in each window, or stands alone among bad neighbours,
    is one of chance. With a single parameter the windows are the rows. Where a search has not
    tried most of the grid, each setting is a point.

    Parameters
    ----------
    settings : sequence of mapping
        Parameters of each setting.
    values : array_like of float, shape (n_windows, n_settings)
        The objective; NaN where there is none.
    window : int, optional
        The number of the window to draw alone; all of them by default, of more than twelve as many
        from first to last.
    x, y : str, optional
        The parameters along the axes; the first two that vary by default. Any others are held
        at what the window has chosen.
    chosen : sequence of int or None, optional
        By window, the index of the setting it has chosen: drawn in a frame.
    reasons : mapping of (int, int) to str, optional
        By row of `values` and setting, why there is no number: ``"no trades"``. A cell without
        one and without a number was not run.
    numbers : sequence of int, optional
        What the windows are called, by default from 0.
    row_name : str
        What a row of `values` is: a window, or a split of a cross-validation.
    objective : str
        What the values are: the name of a metric, or any other name.
    maximize : bool
        Whether more is better: the better is blue.
    theme : {"light", "dark"}
    title : str

    Returns
    -------
    plotly.graph_objects.Figure
        As wide as its container. All windows share their colours.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> settings = [{"fast": f, "slow": s} for s in (10, 20) for f in (1, 2)]
    >>> figure = hz.figures.parameter_heat_map(settings, [[0.1, 0.2, 0.3, 0.4]], chosen=[3])
    >>> [list(figure.data[0].x), list(figure.data[0].y)]
    [['1', '2'], ['10', '20']]
    >>> np.asarray(figure.data[0].z, dtype=float).tolist()
    [[0.1, 0.2], [0.3, 0.4]]
    """
    look = theme_named(theme)
    measure = objective_of(objective)
    is_max = checks.flag("maximize", maximize)
    listed = settings_of(settings)
    matrix = matrix_of("values", values, len(listed))
    picked = chosen_of(chosen, len(matrix), len(listed))
    said = _reasons(reasons, matrix.shape)
    names = called(numbers, len(matrix))
    rows = _rows(window, names)
    parameters = parameters_of(listed)
    across, down = axes_of(parameters, x, y)
    unit = plain(checks.text("row_name", row_name))
    drawing = Drawing(
        look, measure, listed, parameters, matrix, picked, said, names, across, down, unit
    )
    if down is None:
        drawing.by_window(rows)
    elif drawing.is_grid():
        drawing.cells(rows, down)
    else:
        drawing.points(rows, down)
    notes = [drawing.told(rows)]
    if down is not None and drawing.is_grid() and any(drawing.held(row) for row in rows):
        notes.append(f"The other parameters are held at what each {unit} chose")
    if len(rows) < len(matrix) and window is None:
        notes.append(f"Drawn: {len(rows)} of {counted(len(matrix), unit)}")
    return drawing.figure(plain(checks.text("title", title)), notes, rows, is_max)


# ------------------------------------------------------------------------ what is given
def _reasons(
    reasons: Mapping[tuple[int, int], str] | None, shape: tuple[int, ...]
) -> dict[tuple[int, int], str]:
    if reasons is None:
        return {}
    if not isinstance(reasons, Mapping):
        raise TypeError(
            "reasons must be a dictionary of texts by (window, setting), was "
            f"{checks.show(reasons)}"
        )
    return {
        (int(row), int(column)): reason_words(str(text)) for (row, column), text in reasons.items()
    }


def _rows(window: int | None, names: Sequence[int]) -> list[int]:
    """The places of the windows to draw: the one, or all, or twelve from first to last."""
    count = len(names)
    if window is None:
        if count <= _MOST:
            return list(range(count))
        return [round(i * (count - 1) / (_MOST - 1)) for i in range(_MOST)]
    one = checks.integer("window", window, least=0)
    if one not in names:
        raise ValueError(f"window must be one of {names[0]} to {names[-1]}, was {one}")
    return [names.index(one)]
