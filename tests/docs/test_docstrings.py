"""The reference is whole, and what it shows runs."""

from __future__ import annotations

import asyncio
import doctest
import importlib
import inspect
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles
from numpydoc.docscrape_sphinx import SphinxClassDoc, SphinxFunctionDoc

from horizon import client
from horizon.feeds import registry
from tests.docs.names import NAMESPACES, function_of, lacks, members, public_names

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_every_public_name_tells_parameters_errors_and_an_example(namespace: str) -> None:
    names = [name for name in public_names() if name.namespace == namespace]
    missing = {name.path: found for name in names if (found := lacks(name))}
    assert not missing


def documented(namespace: str) -> Iterator[tuple[str, Any]]:
    """The names of a namespace that are called, and their members, with the ways to them."""
    for name in public_names():
        if name.namespace == namespace and callable(name.thing):
            yield name.path, name.thing
            if inspect.isclass(name.thing):
                for it, member in members(name.thing):
                    yield f"{name.path}.{it}", function_of(member)


def examples(namespace: str) -> Iterator[doctest.DocTest]:
    """The examples of a namespace: of itself, of its names, and of their members."""
    parser = doctest.DocTestParser()
    for path, thing in [(namespace, importlib.import_module(namespace)), *documented(namespace)]:
        text = inspect.getdoc(thing) or ""
        if ">>>" in text:
            yield parser.get_doctest(text, {}, path, None, 0)


async def run(tests: list[doctest.DocTest]) -> str:
    """Run them as a notebook would, with an event loop running; return what went wrong."""
    import numpy as np
    import pandas as pd

    import horizon as hz

    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    report: list[str] = []
    for test in tests:
        test.globs = {"hz": hz, "np": np, "pd": pd}
        runner.run(test, out=report.append)
        # What an example has left running ends here.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    return "".join(report)


@pytest.mark.no_cover
@pytest.mark.parametrize("namespace", NAMESPACES)
def test_examples_run_and_show_what_they_say(
    namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # some write a file
    tests = list(examples(namespace))
    # Some register a venue or a feed, which no other test should meet.
    with patch.dict(client._VENUES), patch.dict(registry._FACTORIES):
        found = asyncio.run(run(tests))
    assert not found, found


def test_an_example_that_shows_something_else_is_found() -> None:
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert "Expected:\n    3\nGot:\n    2" in asyncio.run(run([wrong]))


class Nested(Directive):
    """A directive of Sphinx's: what stands in it is read, and nothing more."""

    has_content = True
    optional_arguments = 10
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        self.state.nested_parse(self.content, self.content_offset, nodes.container())
        return []


@pytest.fixture(scope="module")
def sphinx_words() -> None:
    """Docutils knows the directives and roles that numpydoc writes."""
    for directive in ("rubric", "seealso", "only"):
        directives.register_directive(directive, Nested)
    for role in ("obj", "py:obj"):
        roles.register_generic_role(role, nodes.literal)


@pytest.mark.no_cover
@pytest.mark.parametrize("namespace", NAMESPACES)
def test_docstrings_are_text_that_sphinx_can_read(namespace: str, sphinx_words: None) -> None:
    found = {}
    for path, thing in documented(namespace):
        kind = SphinxClassDoc if inspect.isclass(thing) else SphinxFunctionDoc
        text = str(kind(thing, config={"show_class_members": False}))
        problems = io.StringIO()
        settings = {"warning_stream": problems, "report_level": 2}
        publish_doctree(text, settings_overrides=settings)
        if problems.getvalue():
            found[path] = problems.getvalue()
    assert not found
