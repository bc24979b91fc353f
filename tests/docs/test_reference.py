"""The reference's pages list every public name, once; other pages lead to them."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from horizon import widgets
from horizon.widgets.face import Face
from scripts.docs import ALPHABET, PICTURES, alphabet, first_sentence, linked, listed
from tests.docs.names import Name, public_names

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = DOCS / "reference"


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


def test_the_alphabet_has_every_name_once_and_in_order() -> None:
    text = alphabet(public_names())
    paths = re.findall(r"\(api/([\w.]+)\.rst\)", text)
    assert Counter(paths) == Counter(name.path for name in listed_names())
    lasts = [path.rpartition(".")[2].casefold() for path in paths]
    assert lasts == sorted(lasts)
    letters = re.findall(r"^## (.)$", text, re.MULTILINE)
    assert letters == sorted({one[0].upper() for one in lasts})


def test_one_page_has_the_alphabet() -> None:
    pages = [page.name for page in PAGES.glob("*.md") if ALPHABET in page.read_text("utf-8")]
    assert pages == ["names.md"]


def test_each_picture_of_a_front_end_stands_with_its_name() -> None:
    files = {path.stem for path in (DOCS / "pictures").glob("*.png")}
    assert set(PICTURES.values()) == files
    for name in PICTURES:
        front_end = getattr(widgets, name)
        assert inspect.isclass(front_end)
        assert issubclass(front_end, Face)


@pytest.mark.parametrize(
    "text, leads",
    [
        ("`hz.SMA`", "[`hz.SMA`](api/horizon.SMA.rst)"),
        ("`hz.SMA(20)`", "[`hz.SMA(20)`](api/horizon.SMA.rst)"),
        ("`hz.Signal.flatten(m)`", "[`hz.Signal.flatten(m)`](api/horizon.Signal.rst)"),
        ("`hz.venues.Fees`", "[`hz.venues.Fees`](api/horizon.venues.Fees.rst)"),
        # A module has no page, nor has what is not public; and what is a link leads on already.
        ("`hz.widgets`", "`hz.widgets`"),
        ("`hz.nothing`", "`hz.nothing`"),
        ("[`hz.SMA`](elsewhere.md)", "[`hz.SMA`](elsewhere.md)"),
        ("```python\n`hz.SMA`\n```\n", "```python\n`hz.SMA`\n```\n"),
    ],
    ids=["class", "call", "method", "namespace", "module", "unknown", "link", "example"],
)
def test_what_a_page_names_leads_to_the_reference(text: str, leads: str) -> None:
    assert linked(text, "api") == leads
