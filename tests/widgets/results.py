"""Views of results in a test: work in a thread, forms and files as a page has them."""

from __future__ import annotations

import time
from typing import Any

from horizon import words
from horizon.widgets.face import Face
from tests.widgets.notebook import do, turns

#: Names that were made to mislead or to break out.
HOSTILE = ["<b>x</b>", "A\u202eB", "=1+1|' /C calc'!A0", "</script>", "__proto__"]


async def settled(view: Any) -> None:
    """Wait for the work of a view, without racing through the loop's time meanwhile."""
    await turns()
    end = time.monotonic() + 20.0
    while view.is_working and time.monotonic() < end:
        time.sleep(0.002)  # the thread works; the loop of a test has nothing else to do
        await turns(2)
    assert not view.is_working


async def change(view: Any, **values: str) -> None:
    """Change fields as a page does, and wait for what comes of it."""
    await do(view, "change", values={**view.shown["form"]["values"], **values}, by="page", edit=1)
    await settled(view)


def saved(view: Any) -> list[tuple[str, str, bytes]]:
    """Let files come here instead of a page: name, kind, content."""
    files: list[tuple[str, str, bytes]] = []

    def take(content: dict[str, Any], buffers: Any = None) -> None:
        if "file" in content:
            files.append((content["file"], content["mime"], bytes(buffers[0])))

    view.send = take
    return files


def key(view: Any) -> dict[str, str]:
    """The numbers above the tabs."""
    return dict(view.shown["key"])


def rows(view: Any, caption: str) -> dict[str, list[str]]:
    """The rows of a table on show, by what they are about."""
    (table,) = [one for one in view.shown["tables"] if one["caption"].startswith(caption)]
    return {row["name"]: [cell[0] for cell in row["cells"]] for row in table["rows"]}


def assert_shows_text_as_it_stands(face: Face) -> None:
    """No text of a picture hides anything; values that only go back to the kernel may."""
    picture = {**face.shown, "form": face.shown["form"]["fields"]}
    for text in _texts(picture):
        assert words.name(text) == text, ascii(text)


def _texts(part: Any, at: str = "") -> Any:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for name, value in part.items():
            if name == "options":  # each its value, which goes back, and its text
                yield from (option[1] for option in value)
            elif name != "suggestions":
                yield from _texts(value, name)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _texts(value, at)
