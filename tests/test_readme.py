"""The README's examples run as they stand."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 2


def test_readme_examples_run_one_after_the_other(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # one of them writes a file
    namespace: dict[str, object] = {}
    for example in EXAMPLES:
        exec(compile(example, str(README), "exec"), namespace)
    shown = capsys.readouterr().out
    assert "filled" in shown
    assert "VenueCapital(cash=98198.2" in shown  # 100,000 - 10 x 180 - 10 bps of 1,800
