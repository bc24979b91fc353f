"""What a backtest says of itself in words: its summary, and what to know before the numbers."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import fields
from typing import Final

import numpy as np

from horizon import checks, words
from horizon.analytics.metrics import MARK, Metrics, annual_note
from horizon.backtesting.record import RunRecord
from horizon.backtesting.result_tables import are_foreign

__all__ = ["counted", "head_line", "instead_of", "listed", "run_cautions", "summary_text"]

#: Names that a list in a sentence has at most.
_MOST_NAMES = 5
#: What a result's number, table or picture is called elsewhere, and where it is here.
_ELSEWHERE: Final = {
    "calmar": "metrics.calmar_ratio",
    "chart": "figure()",
    "drawdown": "metrics.max_drawdown_pct",
    "max_dd": "metrics.max_drawdown_pct",
    "n_trades": "metrics.total_trades",
    "num_trades": "metrics.total_trades",
    "orders": "orders_frame()",
    "plot": "figure()",
    "pnl": "metrics.total_return",
    "portfolio": "positions",
    "profit": "metrics.total_return",
    "report": "tearsheet()",
    "returns": "equity.pct_change()",
    "sharpe": "metrics.sharpe_ratio",
    "show": "figure()",
    "sortino": "metrics.sortino_ratio",
    "statistics": "summary()",
    "stats": "summary()",
}


def counted(count: int, thing: str, things: str | None = None) -> str:
    """Write a number and what it counts: ``1 fill``, ``2 fills``."""
    return f"{count:,} {thing if count == 1 else things or f'{thing}s'}"


def listed(names: Sequence[str]) -> str:
    """Write names from outside in a row, the first five of many."""
    some = ", ".join(words.name(name) for name in names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{some} and {more:,} more" if more > 0 else some


def instead_of(name: str, kind: type) -> str:
    """Say where a result has what somebody looks for by another name; else nothing."""
    metrics = {one.name: f"metrics.{one.name}" for one in fields(Metrics)}
    own = {
        one: one if isinstance(getattr(kind, one), property) else f"{one}()"
        for one in dir(kind)
        if not one.startswith("_")
    }
    places = metrics | {"record": "record", "curve": "curve", "sampling": "sampling"} | own
    word = name.casefold()
    found = _ELSEWHERE.get(word)
    if found is None:
        near = checks.nearest(word, places)
        found = None if near is None else places[near]
    return "" if found is None else f". Did you mean result.{found}?"


def _tallied(counts: Mapping[str, int]) -> str:
    """Write counts by what they count, the largest first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return listed([f"{name}: {count:,}" for name, count in ordered])


# ------------------------------------------------------------------------ summary
def summary_text(record: RunRecord, metrics: Metrics, cautions: Sequence[str]) -> str:
    """Write the metrics that people look for first, one in a line, and the cautions below."""
    m, money = metrics, record.currency
    kind = "Paper run" if "mode" in record.config else "Backtest"
    note = annual_note(m.years)
    mark = f" {MARK}" if note else ""
    lines = [
        f"=== {kind}: {words.name(record.name)} ===",
        _line("Total Return", f"{_money(m.total_return, money)} ({_percent(m.total_return_pct)})"),
        _line("CAGR", f"{_percent(m.cagr)}{mark}"),
        _line("Sharpe", f"{_number(m.sharpe_ratio, 3)}{mark}"),
        _line("Sortino", f"{_number(m.sortino_ratio, 3)}{mark}"),
        _line("Calmar", f"{_number(m.calmar_ratio, 3)}{mark}"),
        _line("Max Drawdown", f"{_money(m.max_drawdown, money)} ({_percent(m.max_drawdown_pct)})"),
        _line("Trades", f"{m.total_trades:,} (Win Rate: {_percent(m.win_rate / 100.0)})"),
        _line("Profit Factor", _number(m.profit_factor, 2)),
        _line("Fees", _money(m.total_fees, money)),
    ]
    for label, value in (
        ("Brier Score", m.brier_score),
        ("Brier, Model", m.model_brier_score),
        ("Avg Edge", m.avg_edge),
    ):
        if value is not None:
            lines.append(_line(label, _number(value, 4)))
    lines += [note] if note else []
    return "\n".join([*lines, *(f"! {caution}" for caution in cautions)])


def _line(label: str, value: str) -> str:
    return f"{label + ':':<18}{value}"


def _number(value: float, places: int) -> str:
    if math.isinf(value):
        return "inf" if value > 0.0 else "-inf"
    shown = f"{value:,.{places}f}" if abs(value) < 1e9 else f"{value:.3g}"
    return shown.removeprefix("-") if float(shown.replace(",", "")) == 0.0 else shown


def _percent(fraction: float) -> str:
    return f"{_number(fraction * 100.0, 2)}%"


def _money(value: float, currency: str) -> str:
    shown = _number(abs(value), 2)
    sign = "-" if value < 0.0 and shown != "0.00" else ""
    if currency == "USD":
        return f"{sign}${shown}"
    return f"{sign}{shown} {words.name(currency)}"


def head_line(record: RunRecord) -> str:
    """Say in one line how a run went."""
    profit = float(record.equity[-1]) - record.initial_capital if len(record.equity) else 0.0
    share = _percent(profit / record.initial_capital)
    return (
        f"{words.name(record.name)}: {_money(profit, record.currency)} ({share}), "
        f"{counted(len(record.fills), 'fill')} of {counted(len(record.orders), 'order')}, "
        f"{counted(len(record.markets), 'market')}, {counted(len(record.times_ns), 'point')}"
    )


# ------------------------------------------------------------------------ cautions
def run_cautions(record: RunRecord) -> list[str]:
    """Look for what a run's numbers do not show: what was dropped, refused, passed over, left.

    Returns
    -------
    list of str
        Sentences; empty if there is nothing to say.
    """
    found = []
    dropped = {
        f"{feed}, {reason}": count
        for feed, reasons in record.dropped.items()
        for reason, count in reasons.items()
        if count
    }
    if dropped:
        total = sum(dropped.values())
        found.append(f"{counted(total, 'bad row')} left out of the data ({_tallied(dropped)}).")
    if any(record.errors.values()):
        total = sum(record.errors.values())
        first = f"; the first: {words.name(record.error_texts[0])}" if record.error_texts else ""
        found.append(
            f"{counted(total, 'exception')} in the pipeline passed over "
            f"({_tallied(record.errors)}){first}."
        )
    found += _of_orders(record)
    found += record.remarks
    found += _of_outcomes(record)
    strange = int(np.count_nonzero(are_foreign(record)))
    if strange:
        found.append(
            f"The fair values behind {strange:,} of {counted(len(record.fills), 'fill')} lie "
            "outside 0 to 1 in prediction markets: they are no probabilities, and have no part "
            "in the model's Brier score and the average edge."
        )
    return found


def _of_orders(record: RunRecord) -> list[str]:
    found = []
    refused = {rule: count for rule, count in record.rejections.items() if count}
    if refused:
        found.append(f"{counted(sum(refused.values()), 'order')} refused ({_tallied(refused)}).")
    if len(record.fills) == 0:
        sent = len(record.orders)
        if sent == 0 and not refused:
            found.append("No order was sent.")
        elif sent == 0:
            found.append("No order reached the market.")
        else:
            found.append(f"Nothing filled of {counted(sent, 'order')}; explain(order_id) says why.")
    if record.positions:
        names = list(dict.fromkeys(position.market_id for position in record.positions))
        found.append(f"Still held at the end, and counted at the last price: {listed(names)}.")
    return found


def _of_outcomes(record: RunRecord) -> list[str]:
    given = record.config.get("outcomes")
    if not isinstance(given, Mapping):
        return []
    ended = record.config.get("settled", record.outcomes)
    assert isinstance(ended, Container)
    left = [market for market in given if market not in ended]
    if not left:
        return []
    return [f"The outcome of {listed(left)} was not reached in this run, and no metric uses it."]
