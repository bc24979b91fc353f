"""The progress bar counts runs and says the best training so far."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from horizon.walkforward.execute import execute
from horizon.walkforward.progress import Progress
from horizon.walkforward.tasks import Outcome, Task
from tests.walkforward.fakes import expected, outcome_of, plan_of, summing, tasks_of

SETTINGS = [{"a": 0.5}, {"a": 100.0}, {"a": -3.0}]


def told(*objectives: float, kind: Any = "train", **others: Any) -> Progress:
    plan = plan_of(SETTINGS, **others)
    with Progress(len(objectives), plan, is_shown=False) as bar:
        for number, objective in enumerate(objectives):
            bar(outcome_of(Task(number, kind, 0, number % 3, 0, 1, 0, 0), objective))
    return bar


def test_the_best_is_the_largest_with_its_parameters() -> None:
    assert told(0.5, 1.23456, -2.0).text == "best sharpe_ratio 1.235 (a=100.0)"


def test_the_best_is_the_smallest_where_less_is_better() -> None:
    assert told(0.5, 1.2, -2.0, maximize=False).text == "best sharpe_ratio -2 (a=-3.0)"


def test_what_says_nothing_is_never_the_best() -> None:
    assert told(math.nan, -5.0, math.nan).text == "best sharpe_ratio -5 (a=100.0)"
    assert told(math.nan).text == ""


def test_tests_are_counted_and_not_compared() -> None:
    assert told(9.0, kind="test").best is None


def test_of_equal_ones_the_first_task_is_the_best_whichever_comes_first() -> None:
    plan = plan_of(SETTINGS)
    outcomes = [outcome_of(task, 1.0) for task in tasks_of(3, 3)]
    for order in (outcomes, outcomes[::-1]):
        bar = Progress(3, plan, is_shown=False)
        for outcome in order:
            bar(outcome)
        assert bar.best is outcomes[0]


def test_an_objective_of_ones_own_is_called_by_its_name() -> None:
    def calm(result: object) -> float:
        return 0.0

    assert told(1.0, objective=calm).text == "best calm 1 (a=0.5)"


def test_long_parameters_are_cut() -> None:
    bar = told(1.0)
    bar.settings = [{"a_name_of_some_length": 1234567, "another_long_name": 7654321}]

    assert bar.text == "best sharpe_ratio 1 (a_name_of_some_length=1234567, another_long_nam…)"


def test_settings_that_are_not_known_yet_are_left_out() -> None:
    bar = Progress(1, plan_of([]), is_shown=False)
    bar(Outcome(tasks_of(1, 1)[0], 2.0, "", {}, 1, 1, 0.0))

    assert bar.text == "best sharpe_ratio 2"


def test_a_terminal_shows_runs_and_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_of(SETTINGS)
    with Progress(6, plan) as bar:
        execute(plan, tasks_of(6, 3), run=summing, on_done=bar)

    said = capsys.readouterr().err
    assert expected(6, SETTINGS)[4] == 122.0  # 4 · 4 + 6 + 100
    assert "6/6" in said
    assert "best sharpe_ratio 122 (a=100.0)" in said.splitlines()[-1].split("\r")[-1]


def test_without_a_bar_nothing_is_imported() -> None:
    code = (
        "import sys\n"
        "from tests.walkforward.fakes import plan_of\n"
        "from horizon.walkforward.progress import Progress\n"
        "Progress(3, plan_of([]), is_shown=False)\n"
        "print([name for name in ('tqdm', 'joblib', 'optuna', 'distributed', 'cloudpickle')\n"
        "       if name in sys.modules])\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
