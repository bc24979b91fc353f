"""Several equity curves compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.compare import common_start_ns, rebased, since
from horizon.analytics.curves import Curve, curve_of
from horizon.analytics.drawdown import underwater
from horizon.figures.long import LongFigure
from horizon.figures.page import Page, hover_moment, stamps
from horizon.figures.themes import Theme, theme_named
from horizon.figures.words import plain

if TYPE_CHECKING:
    from horizon.analytics.tearsheet import Tearsheet

__all__ = ["equity_curves"]

#: Curves that share a colour differ in their dash, and the first few differ in both.
_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
#: What a rebased curve begins with.
_BASE: Final = 100.0


def equity_curves(
    curves: Mapping[str, Any] | Iterable[Tearsheet],
    *,
    rebase: bool = True,
    log: bool = False,
    theme: str = "light",
    currency: str = "USD",
    title: str = "Equity compared",
) -> LongFigure:
    """Draw several equity curves on one axis, and how far each was below its peak.

    Parameters
    ----------
    curves : mapping of str to curve, or results or Tearsheets
        By name, each as `generate_tearsheet` takes one (a Series indexed by time, a frame, a
        list of (time, equity) tuples), a result, or a Tearsheet. A result alone, or several in a
        list, go by their names, Tearsheets by their titles.
    rebase : bool
        Show all from the first moment that they have in common, where each is 100. Without it
        they are drawn as they are, in money, each from its own start.
    log : bool
        A logarithmic axis: equal distances are equal growth.
    theme : {"light", "dark"}
    currency : str
        What the equity is in; shown where curves are not rebased.
    title : str

    Returns
    -------
    LongFigure
        As wide as its container. Curves of more than 2,000 points are thinned, keeping the
        extremes; the figure then says so.

    Raises
    ------
    ValueError
        If there is no curve or one is empty; if one to be rebased does not begin above 0 or has
        no time in common with the others; if one on a logarithmic axis is not above 0
        throughout.
    DataError, TypeError
        If a curve cannot be read.

    Examples
    --------
    >>> day = 86_400
    >>> fund = [(0, 200.0), (day, 210.0)]
    >>> index = [(0, 1000.0), (day, 950.0)]
    >>> figure = hz.figures.equity_curves({"Fund": fund, "Index": index})
    >>> {line.name: line.y.tolist() for line in figure.data if line.yaxis != "y2"}
    {'Fund': [100.0, 105.0], 'Index': [100.0, 95.0]}
    """
    look = theme_named(theme)
    is_rebased, is_log = checks.flag("rebase", rebase), checks.flag("log", log)
    money = plain(checks.text("currency", currency))
    read = _read(curves)
    start = common_start_ns(read) if is_rebased else None
    if start is not None:
        read = {name: _on_base(name, curve, start) for name, curve in read.items()}
    for name, curve in read.items():
        if is_log and not curve.equity.min() > 0.0:
            raise ValueError(
                f"curves on a logarithmic axis must be above 0, {checks.show(name)} falls to "
                f"{curve.equity.min():g}; draw them with log=False"
            )
    page = Page(look)
    figure = LongFigure()
    # The names stand in rows above the first panel, in as many as a figure of 700 pixels needs.
    page.depth += 20.0 * (_rows(read) - 1)
    page.panel("y", "Equity", 340)
    begins = f"{_BASE:g} = {_day(start)}" if start is not None else money
    page.axis("y", title={"text": begins + (", logarithmic" if is_log else "")}, tickformat=",~f")
    page.axis("y", type="log" if is_log else "linear")
    page.panel("y2", "Below the highest so far", 150)
    page.axis("y2", title={"text": "Drawdown"}, tickformat=".3~%", rangemode="tozero")
    _draw(figure, look, read, "" if is_rebased else f" {money}")
    dates = np.concatenate([curve.times_ns for curve in read.values()])
    page.axis("x", anchor="y2", title={"text": "Time, UTC"}, hoverformat=hover_moment(dates))
    page.axis("x", spikecolor=look.muted, spikethickness=1, spikedash="solid")
    if start is not None:
        page.across("x", "y", _BASE, color=look.muted, width=1, dash="dash")
    counted = f"{len(read)} curve{'' if len(read) == 1 else 's'}"
    told = f"{counted}, each {_BASE:g} on {_day(start)}" if start is not None else counted
    figure.layout = {
        **page.layout(plain(checks.text("title", title)), [told, *figure.notes]),
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "showlegend": True,
        "legend": {
            "x": 0.08,
            "xanchor": "left",
            "y": page.share(page.depth_of("y")),
            "yanchor": "bottom",
            "tracegroupgap": 0,
        },
    }
    return figure


def _read(curves: Any) -> dict[str, Curve]:
    if _has_curve(curves):
        curves = [curves]
    if not isinstance(curves, Mapping):
        accepted = "curves must be a dictionary of curves by name, or results or Tearsheets"
        if not isinstance(curves, Iterable):
            raise TypeError(f"{accepted}; was {checks.show(curves)}")
        named: dict[str, Any] = {}
        for one in list(curves):
            if not _has_curve(one):
                raise TypeError(f"{accepted}; had {checks.show(one)}")
            title = name = str(getattr(one, "title", None) or getattr(one, "name", "curve"))
            number = 2
            while name in named:
                name, number = f"{title} ({number})", number + 1
            named[name] = one
        curves = named
    read = {}
    for name, curve in curves.items():
        checks.text("name of a curve", name)
        read[name] = curve_of(curve, name=f"curve {checks.show(name)}")
    return read


def _has_curve(value: object) -> bool:
    """Whether something brings its own curve, as a result and a tearsheet do."""
    return isinstance(getattr(value, "curve", None), Curve)


def _on_base(name: str, curve: Curve, start_ns: int) -> Curve:
    try:
        return rebased(since(curve, start_ns), _BASE)
    except ValueError as error:
        raise ValueError(
            f"curves can be rebased where each begins above 0, {checks.show(name)} does not; draw "
            "them with rebase=False"
        ) from error


def _draw(figure: LongFigure, look: Theme, curves: Mapping[str, Curve], unit: str) -> None:
    for number, (name, curve) in enumerate(curves.items()):
        lap, place = divmod(number, len(look.series))
        label = plain(name)
        line = {
            "color": look.series[place],
            "dash": _DASHES[(place + lap) % len(_DASHES)],
            "width": 2,
        }
        depth = underwater(curve.equity)
        shared = {"name": label, "legendgroup": str(number)}
        # One line in the hover box for both panels: it is the same moment of the same curve.
        said = f"{label} %{{y:,.2f}}{unit}, %{{customdata:.2%}} from its peak<extra></extra>"
        _add(
            figure,
            curve.times_ns,
            curve.equity,
            depth,
            **shared,
            line=line,
            hovertemplate=said,
        )
        _add(
            figure,
            curve.times_ns,
            depth,
            None,
            **shared,
            line={**line, "width": 1.25},
            yaxis="y2",
            showlegend=False,
            hoverinfo="skip",
        )


def _add(
    figure: LongFigure,
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    beside: NDArray[np.float64] | None,
    **parts: Any,
) -> None:
    mode = "lines" if len(times) > 1 else "markers"

    def draw(kept: NDArray[np.intp]) -> dict[str, Any]:
        trace = {
            "type": "scatter",
            "mode": mode,
            **parts,
            "x": stamps(times[kept]),
            "y": values[kept],
        }
        return trace if beside is None else {**trace, "customdata": beside[kept]}

    figure.add_long(times, values, draw, what="points")


def _rows(names: Iterable[str]) -> int:
    """Rows of the legend where the figure is 700 pixels wide; a letter takes about 7.5."""
    rows, used = 1, 0.0
    for name in names:
        width = 55.0 + 7.5 * min(len(name), 48)
        if used and used + width > 540.0:
            rows, used = rows + 1, 0.0
        used += width
    return rows


def _day(ns: int) -> str:
    return str(np.datetime64(ns, "ns").astype("datetime64[D]"))
