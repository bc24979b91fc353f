"""The examples of the README and of the pages run as they stand."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/start.md", "docs/tour.md", "docs/coming-from.md")
PAGES_OF_DOCS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md"))
#: What each page's examples print, worked out by hand.
SHOWN = {
    # 100,000 - 10 x 180 - 10 bps of 1,800
    "README.md": ["filled", "cash                98,198.20"],
    # 10,000 - 38 + 100
    "docs/start.md": ["new\nfilled\n10062.0"],
    "docs/tour.md": ["filled", "cash                98,198.20"],
    # The buy of the first row meets the second, 101. 96 is below 0.97 x 101, and the sale that it
    # brings about meets the fourth, 95.5.
    "docs/coming-from.md": ["[101.0, 95.5]", "=== Backtest: cross ==="],
}


def examples(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_a_page_run_one_after_the_other(
    page: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert examples(page)
    monkeypatch.chdir(tmp_path)  # some write a file
    namespace: dict[str, object] = {}
    for example in examples(page):
        exec(compile(example, page, "exec"), namespace)
    shown = capsys.readouterr().out
    for text in SHOWN[page]:
        assert text in shown


def test_an_example_of_each_comparison_is_the_same_number_twice(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says that these two ratios are the same, at 252 returns a year."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for example in examples("docs/coming-from.md"):
        exec(compile(example, "coming-from.md", "exec"), namespace)
    one, other = capsys.readouterr().out.split()[-2:]
    assert float(one) == float(other)


LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)|(?:src|srcset)=\"(?!https?://)([^\"]+)\"")


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", *PAGES_OF_DOCS]
)
def test_links_of_a_page_lead_to_files(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [one or other for one, other in LINK.findall(text)]
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert not missing
