"""docs/command-line.md: every option is told, and its script does what it says."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest

import horizon as hz
from tests.cli.conftest import Run

DOCUMENT = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["backtest", "desk", "tearsheet"])
def test_every_option_is_told_in_the_help_and_in_the_document(horizon: Run, name: str) -> None:
    command: click.Command = getattr(importlib.import_module(f"horizon.cli.{name}"), name)
    part = DOCUMENT.split(f"## horizon {name}")[1].split("\n## ")[0]
    shown = horizon(name, "--help").out
    options = [param for param in command.params if isinstance(param, click.Option)]
    for param in options:
        assert param.help, param.name
        for option in (*param.opts, *param.secondary_opts):
            assert option in shown
        assert any(option in part for option in param.opts), param.opts
    told = set(re.findall(r"--[a-z][a-z-]+", part)) - {"--help"}
    known = {o for param in options for o in (*param.opts, *param.secondary_opts)}
    assert told <= known


def test_exit_codes_of_the_help_are_those_of_the_document(horizon: Run) -> None:
    text = " ".join(horizon("--help").out.split())
    codes = re.findall(r"(\d+) (?:done|something|wrong|interrupted)", text)
    assert codes == ["0", "1", "2", "130"]
    for code in codes:
        assert f"| {code} |" in DOCUMENT


def test_the_script_of_the_document_runs(horizon: Run) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    Path("momentum.py").write_text(script, encoding="utf-8")
    hours = np.arange(48)
    rows = {"timestamp": 3600.0 * hours, "price": 100.0 + np.sin(hours / 4.0)}
    pd.DataFrame(rows).to_csv("prices.csv", index=False)
    code, out, err = horizon("backtest", "momentum.py", "--json", "-o", "run")
    assert code == 0, err
    expected = hz.backtest(
        data=rows,
        markets=[hz.Market("ACME", hz.Equity)],
        initial_capital=10_000.0,
        pipeline=[lambda ctx: hz.quotes(ctx.feed.price, spread=0.2, size=5)],
    ).metrics
    assert expected.total_trades > 0
    assert json.loads(out)["metrics"]["total_return"] == expected.total_return
    assert horizon("tearsheet", "run", "-o", "report.html").code == 0
