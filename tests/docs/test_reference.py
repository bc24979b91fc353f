"""The reference's pages list every public name, once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import ModuleType

from scripts.docs import first_sentence, listed
from tests.docs.names import Name, public_names

PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference"


def listed_names() -> list[Name]:
    """Those with a page of their own: a module's names have theirs."""
    return [name for name in public_names() if not isinstance(name.thing, ModuleType)]


def test_every_public_name_is_listed_once() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in sorted(PAGES.glob("*.md")))
    names = {name.path for name in listed_names()}
    assert Counter(listed(text)) == Counter(names)


def test_every_name_has_a_line_for_its_table() -> None:
    lines = {name.path: first_sentence(name) for name in listed_names()}
    assert [path for path, line in lines.items() if not line] == []
