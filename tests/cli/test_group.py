"""The group of commands: version, help, and what becomes of errors."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import horizon as hz
from horizon.cli import group
from horizon.cli.hints import Hinting
from horizon.cli.problems import Failed, in_words, is_of_script, unreadable
from horizon.errors import DataError
from tests.cli.conftest import Run

HEAVY = {"IPython", "ipywidgets", "numpy", "pandas", "plotly", "tornado", "traitlets", "voila"}


def test_version_is_the_packages_own(horizon: Run) -> None:
    assert horizon("--version") == (0, f"horizon {hz.__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_names_every_command_and_the_exit_codes(horizon: Run, arguments: list[str]) -> None:
    code, out, err = horizon(*arguments)
    assert (code, err) == (0, "")
    for word in ("backtest", "desk", "tearsheet", "Exit codes", "no real money"):
        assert word in " ".join(out.split())


@pytest.mark.parametrize("command", ["backtest", "desk", "tearsheet"])
def test_help_of_a_command_has_examples(horizon: Run, command: str) -> None:
    code, out, _ = horizon(command, "--help")
    assert code == 0
    assert f"horizon {command} " in out.split("Examples:")[1]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["desk", "--help"]])
def test_help_imports_nothing_that_takes_long(arguments: list[str]) -> None:
    code = (
        "import sys; from horizon.cli import main\n"
        f"code = main({arguments!r})\n"
        f"assert code == 0, code\nprint(sorted({HEAVY!r} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_module_runs_like_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "horizon", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"horizon {hz.__version__}\n"


# ------------------------------------------------------------------------ errors
@pytest.mark.parametrize("name", ["backtest", "desk", "tearsheet"])
def test_options_of_other_commands_are_hinted_at_by_what_there_is(horizon: Run, name: str) -> None:
    command = getattr(importlib.import_module(f"horizon.cli.{name}"), name)
    assert isinstance(command, Hinting)
    own = {option for param in command.params for option in param.opts}
    assert command.instead
    for option, hint in command.instead.items():
        assert option not in own
        # What is named instead is there.
        assert set(re.findall(r"--[a-z-]+", hint)) <= own
        code, out, err = horizon(name, "x", option, "y")
        assert (code, out) == (2, "")
        assert err.splitlines()[0] == f"horizon {name}: No such option {option!r}: {hint}"


def test_other_options_are_guessed_at(horizon: Run) -> None:
    code, _, err = horizon("tearsheet", "x", "--titel", "y")
    assert code == 2
    assert "'--title'" in err
    assert "'--help'" not in err
    assert "Did you mean" not in horizon("tearsheet", "x", "--zzzz").err


@pytest.mark.parametrize("name", ["backtest", "tearsheet"])
def test_short_form_of_json_excludes_another_format(horizon: Run, name: str) -> None:
    Path("x.py").write_text("")
    code, _, err = horizon(name, "x.py", "--json", "--format", "csv")
    assert code == 2
    assert "give --json or --format csv, not both" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["dsk"], "horizon: no command 'dsk'; there are backtest, desk, tearsheet"),
        (["tearsheet"], "horizon tearsheet: Missing argument 'FILE'."),
        (["tearsheet", "none.csv"], "horizon tearsheet: Invalid value for 'FILE'"),
        (["desk", "--cash", "0"], "must be a number above 0, was 0"),
        (["desk", "--cash", "nan"], "must be a number above 0, was nan"),
        (["desk", "--cash", "much"], "must be a number above 0, was much"),
        (["desk", "--fee-bps", "10000"], "of at least 0 and below 10000, was 10000"),
    ],
)
def test_wrong_usage_is_two_lines_and_exit_code_2(
    horizon: Run, arguments: list[str], says: str
) -> None:
    code, out, err = horizon(*arguments)
    assert (code, out) == (2, "")
    assert says in err
    lines = err.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("Try horizon")
    assert lines[1].endswith("--help")


def test_what_is_not_expected_has_its_traceback(
    horizon: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: object) -> None:
        raise ValueError("out of the blue")

    monkeypatch.setattr(group._commands, "main", fails)
    code, out, err = horizon("desk")
    assert (code, out) == (1, "")
    assert "Traceback" in err
    assert "ValueError: out of the blue" in err
    assert "may be a fault of Horizon" in err.splitlines()[-1]


def test_interrupt_ends_quietly_with_130(horizon: Run) -> None:
    Path("script.py").write_text("raise KeyboardInterrupt\n")
    assert horizon("backtest", "script.py") == (130, "", "\n")


def test_closed_pipe_is_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "horizon", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(20), said) == (141, b"")


def test_errors_in_words() -> None:
    def raised(call: object, *arguments: object) -> Exception:
        with pytest.raises(Exception) as caught:
            call(*arguments)  # type: ignore[operator]
        return caught.value

    assert in_words(Failed("so")) == "so"
    assert in_words(DataError("row 1")) == "row 1"
    # Ours, for the package has raised it; not one of this test.
    ours = raised(lambda: hz.Market("", hz.Equity))
    assert in_words(ours) == str(ours)
    assert in_words(raised(int, "x")) is None
    assert in_words(raised(open, "none.txt")) == "none.txt: No such file or directory"
    assert is_of_script(ours)  # this test is a user's code
    assert unreadable(raised(b"\xff".decode)) is not None
    assert unreadable(ValueError("x")) is None
