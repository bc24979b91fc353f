"""Notebooks become pages: what a page cannot show stands there in words, or as a picture."""

from __future__ import annotations

import nbformat
import pytest
from nbformat import NotebookNode

from scripts.docs import FIGURE, WIDGET, drawn, shown, unfold

FOLDED = "<details><summary>How it looks, for readers of a saved notebook</summary>\n\n…"


def notebook(*outputs: NotebookNode, tag: str = "picture") -> NotebookNode:
    cell = nbformat.v4.new_code_cell("figure", outputs=list(outputs))
    cell.metadata["tags"] = [tag]
    return nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_markdown_cell(FOLDED)])


def figure() -> NotebookNode:
    return nbformat.v4.new_output("display_data", {FIGURE: {"data": [], "layout": {}}})


def widget(text: str) -> NotebookNode:
    return nbformat.v4.new_output("display_data", {WIDGET: {}, "text/plain": text})


@pytest.mark.parametrize(
    "text, words",
    [
        (
            "<Workbench on paper, live; a cell with its name alone shows it, …>",
            "<code>Workbench</code>",
        ),
        ("HBox(children=())", "<code>HBox</code>"),
        ("", "a widget"),
    ],
    ids=["front end", "widget", "nameless"],
)
def test_a_widget_is_named_on_a_page(text: str, words: str) -> None:
    page = shown(widget(text), "00-1")
    assert page.data["text/html"] == f'<p class="hz-live">Live when the notebook runs: {words}.</p>'


def test_a_figure_has_the_same_id_whenever_it_is_built() -> None:
    assert 'id="figure-08-3"' in shown(figure(), "08-3").data["text/html"]


def test_text_stays_as_it_is() -> None:
    text = nbformat.v4.new_output("stream", text="1\n")
    assert shown(text, "00-1") is text


def test_a_picture_is_unfolded_where_nothing_else_is_shown() -> None:
    nb = notebook(widget("<Workbench>"))
    assert not drawn(nb)
    unfold(nb)
    assert nb.cells[1].source == FOLDED.replace("<details>", "<details open>")


def test_a_figure_of_another_cell_is_not_that_of_the_picture() -> None:
    assert drawn(notebook(figure()))
    assert not drawn(notebook(figure(), tag="other"))


def test_a_folded_solution_stays_folded() -> None:
    solution = "<details><summary>A solution</summary>\n\n…"
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(solution)])
    unfold(nb)
    assert nb.cells[0].source == solution
