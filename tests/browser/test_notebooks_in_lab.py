"""Each notebook runs to its end in JupyterLab, draws its widgets, and stays offline."""

from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
NONE_YET = pytest.param(None, marks=pytest.mark.skip(reason="notebooks/ holds no notebooks"))

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("notebook", NOTEBOOKS or [NONE_YET], ids=lambda p: p.stem if p else "none")
def test_notebook_runs_in_lab(lab, notebook: Path) -> None:
    lab.open(notebook)
    lab.run_all()
    lab.screenshot(notebook.stem)

    problems = lab.problems()
    assert not problems, "\n".join(problems)
