"""What the views save as files: pages, pictures, and numbers with every digit."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.calibration import CalibrationCurve
from horizon.analytics.decay import EdgeDecay
from horizon.analytics.pairs import ForecastPairs
from horizon.analytics.report import Table, html_page
from horizon.analytics.sheet_parts import TearsheetPart
from horizon.analytics.tearsheet import Tearsheet
from horizon.columns import NEVER
from horizon.figures.export import save
from horizon.widgets.views.tables import csv_bytes, json_bytes, page_bytes
from horizon.widgets.views.work import Answer, Saved

__all__ = ["pairs_file", "sheet_file"]


# ------------------------------------------------------------------------ tearsheets
def sheet_file(kind: str, answer: Answer, theme: str) -> Saved:
    """Write a tearsheet as ``"html"``, ``"png"``, ``"csv"``, ``"json"``, or its ``"curve"``."""
    sheet: Tearsheet = answer.of
    if kind == "html":
        return Saved("", "html", "text/html", html_page(sheet, theme=theme).encode("utf-8"))
    if kind == "png":
        return _picture(sheet.figure(theme=theme))
    if kind == "csv":
        rows = [
            ("title", "Title", "What", "text", sheet.title),
            ("period", "Period", "What", "text", answer.period),
            *((row.name, row.label, row.group, row.unit, row.value) for row in sheet.rows()),
        ]
        header = ("name", "label", "group", "unit", "value")
        return Saved("numbers", "csv", "text/csv", csv_bytes(header, rows))
    if kind == "curve":
        columns = zip(
            _stamps(sheet.curve.times_ns),
            sheet.equity.tolist(),
            sheet.underwater.tolist(),
            strict=True,
        )
        names = ("time_utc", "equity", "drawdown")
        return Saved("curve", "csv", "text/csv", csv_bytes(names, columns))
    return Saved("numbers", "json", "application/json", json_bytes(_sheet_numbers(sheet, answer)))


def _sheet_numbers(sheet: Tearsheet, answer: Answer) -> dict[str, Any]:
    markets = sheet.markets if isinstance(sheet, TearsheetPart) else None
    ends = _stamps(sheet.curve.times_ns[[0, -1]]) if len(sheet.curve) else [None, None]
    return {
        "title": sheet.title,
        "period": answer.period,
        "start_utc": ends[0],
        "end_utc": ends[1],
        "markets": None if markets is None else list(markets),
        "benchmark": None if sheet.benchmark_equity is None else sheet.benchmark_name,
        "currency": sheet.currency,
        "cautions": list(answer.cautions),
        "metrics": {row.name: row.value for row in sheet.rows()},
        "monthly_returns": sheet.monthly_returns,
        "yearly_returns": sheet.yearly_returns,
        "drawdowns": [
            {
                "depth": fall.depth,
                "depth_money": fall.depth_money,
                "peak_utc": _stamp(fall.peak_time),
                "trough_utc": _stamp(fall.trough_time),
                "recovery_utc": _stamp(fall.recovery_time),
            }
            for fall in sheet.drawdowns
        ],
        "pnl_by_market": sheet.pnl_by_market,
    }


# ------------------------------------------------------------------------ calibration
def pairs_file(
    kind: str,
    answer: Answer,
    pairs: ForecastPairs,
    curve: CalibrationCurve,
    decay: EdgeDecay | None,
    tables: Sequence[Table],
    figures: Mapping[str, Any],
    on_show: str,
    theme: str,
) -> Saved:
    """Write a calibration as ``"html"``, ``"png"``, ``"csv"``, ``"json"``, or its ``"pairs"``."""
    if kind == "html":
        page = page_bytes(
            answer.title,
            answer.period,
            answer.cautions,
            answer.key,
            tables,
            figures.values(),
            theme=theme,
        )
        return Saved("", "html", "text/html", page)
    if kind == "png":
        return _picture(figures.get(on_show) or next(iter(figures.values())))
    if kind == "csv":
        frame = curve.to_frame().reset_index()
        return Saved(
            "bins", "csv", "text/csv", csv_bytes(list(frame.columns), frame.to_numpy(object))
        )
    if kind == "pairs":
        return Saved("pairs", "csv", "text/csv", _pairs_csv(pairs))
    numbers = {
        "title": answer.title,
        "period": answer.period,
        "cautions": list(answer.cautions),
        "calibration": _curve_numbers(curve),
        "groups": {str(label): _curve_numbers(own) for label, own in curve.groups.items()},
        "edge_decay": None
        if decay is None
        else {
            "half_life_hours": decay.half_life_hours,
            "mean_edge": decay.mean_edge,
            "count": decay.count,
            "buckets": decay.to_frame().to_dict("records"),
        },
    }
    return Saved("numbers", "json", "application/json", json_bytes(numbers))


def _curve_numbers(curve: CalibrationCurve) -> dict[str, Any]:
    names = (
        "count",
        "brier_score",
        "brier_skill_score",
        "reliability",
        "resolution",
        "uncertainty",
        "within_bin",
        "log_loss",
        "ece",
        "base_rate",
        "strategy",
        "confidence",
    )
    bins = curve.to_frame().to_dict("records")
    return {**{name: getattr(curve, name) for name in names}, "bins": bins}


def _pairs_csv(pairs: ForecastPairs) -> bytes:
    n = len(pairs)
    nothing = [""] * n
    columns = {
        "time_utc": nothing if pairs.times_ns is None else _stamps(pairs.times_ns),
        "resolved_utc": nothing if pairs.resolved_ns is None else _stamps(pairs.resolved_ns),
        "market": [pairs.markets[code] for code in pairs.codes.tolist()]
        if pairs.markets
        else nothing,
        "side": nothing
        if pairs.is_buy is None
        else ["buy" if is_buy else "sell" for is_buy in pairs.is_buy.tolist()],
        "price": pairs.prices.tolist(),
        "model": pairs.model.tolist(),
        "outcome": pairs.outcomes.tolist(),
    }
    return csv_bytes(list(columns), zip(*columns.values(), strict=True))


# ------------------------------------------------------------------------ small parts
def _picture(figure: Any) -> Saved:
    with tempfile.TemporaryDirectory() as folder:
        file = save(figure, Path(folder) / "figure.png")
        return Saved("", "png", "image/png", file.read_bytes())


def _stamps(times_ns: NDArray[np.int64]) -> list[str]:
    """Times as ISO text in UTC, exact; none where there is none."""
    texts = np.datetime_as_string(times_ns.view("datetime64[ns]"), unit="ns").tolist()
    missing = (times_ns == NEVER).tolist()
    return [
        "" if is_missing else f"{text[:19]}{text[19:].rstrip('0').rstrip('.')}Z"
        for text, is_missing in zip(texts, missing, strict=True)
    ]


def _stamp(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return _stamps(np.array([checks.timestamp_ns("time", seconds)], dtype=np.int64))[0]
