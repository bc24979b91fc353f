"""Every public name, and what its documentation lacks.

    python -m tests.docs.names            the coverage, and what is missing
    python -m tests.docs.names analytics  of one namespace

A *public name* stands in the `__all__` of a public namespace. Whoever imports it from there finds,
in its docstring, every parameter, what raises, and an example that runs; the methods of a class
have their parameters, and the class the example.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from numpydoc.docscrape import ClassDoc, FunctionDoc
from sphinx.pycode import ModuleAnalyzer

import horizon

#: Where a user imports from, the shortest way first: a name is documented where it comes first.
NAMESPACES = (
    "horizon",
    "horizon.types",
    "horizon.errors",
    "horizon.venues",
    "horizon.algos",
    "horizon.feeds",
    "horizon.strategies",
    "horizon.strategies.prebuilt",
    "horizon.backtesting",
    "horizon.walkforward",
    "horizon.running",
    "horizon.analytics",
    "horizon.figures",
    "horizon.widgets",
)
PACKAGE = Path(horizon.__file__).parent


@dataclasses.dataclass(frozen=True)
class Name:
    """A public name: where it is imported from, and what it is."""

    path: str
    thing: Any

    @property
    def namespace(self) -> str:
        return self.path.rpartition(".")[0]


@cache
def public_names() -> tuple[Name, ...]:
    """Every public name once, by the shortest way to it."""
    found: dict[object, Name] = {}
    for namespace in NAMESPACES:
        module = importlib.import_module(namespace)
        for name in module.__all__:
            thing = getattr(module, name)
            plain = not (callable(thing) or isinstance(thing, ModuleType))
            # Two constants may be equal; a class or function is itself, however it is reached.
            key: object = f"{namespace}.{name}" if plain else id(thing)
            found.setdefault(key, Name(f"{namespace}.{name}", thing))
    return tuple(found.values())


def members(thing: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties that a class of ours has, its bases' included."""
    for name in dir(thing):
        if name.startswith("_"):
            continue
        owner = next((base for base in thing.__mro__ if name in vars(base)), None)
        if owner is None or not owner.__module__.startswith("horizon"):
            continue
        member = vars(owner)[name]
        if isinstance(member, staticmethod | classmethod):
            member = member.__func__
        if inspect.isfunction(member) or isinstance(member, property | cached_property):
            yield name, member


def function_of(member: Any) -> Callable[..., Any]:
    """What a method, a property or a cached property calls."""
    found: Callable[..., Any] = getattr(member, "fget", getattr(member, "func", member))
    return found


def lacks(name: Name) -> list[str]:
    """What a reader of the name's documentation would miss; empty if nothing."""
    thing = name.thing
    if isinstance(thing, ModuleType):
        return [] if _summary(thing) else ["a summary"]
    if not callable(thing):
        return [] if comment(name) else ["a comment that begins with '#:'"]
    found = list(_class(thing) if inspect.isclass(thing) else _function_lacks(thing))
    if ">>>" not in (inspect.getdoc(thing) or ""):
        found.append("an example")
    if inspect.isclass(thing):
        # Told once on the class's page is enough, whichever of its methods tells it.
        told = _told(thing).union(*(_told(function_of(it)) for _, it in _inherited(thing)))
        for member_name, member in members(thing):
            lacking = _function_lacks(function_of(member), told)
            found += [f"{member_name}: {lack}" for lack in lacking]
    return found


def _inherited(thing: type) -> Iterator[tuple[str, Any]]:
    """The public members of a class and of each of its bases, overridden ones included."""
    for base in thing.__mro__:
        if base.__module__.startswith("horizon"):
            yield from members(base)


def _summary(thing: Any) -> str:
    doc = inspect.getdoc(thing) or ""
    return doc.strip().split("\n\n")[0]


#: In the docstring of a class that only the library makes: its parameters are nobody's business.
MADE = "Not made by hand"


def _class(thing: type) -> Iterator[str]:
    if not vars(thing).get("__doc__") or _generated(thing):
        yield "a summary"
        return
    if issubclass(thing, enum.Enum):
        return
    told = _told(thing) | _commented(thing)
    missing = {name for name in _made_of(thing) if not name.startswith("_")} - told
    if MADE not in (thing.__doc__ or ""):
        yield from (f"parameter {name}" for name in sorted(missing))
    own = "__init__" in vars(thing) and not getattr(thing, "_is_protocol", False)
    if own and not _tells_raises(thing) and _raises(thing.__init__):
        yield "what it raises"


def _made_of(thing: type) -> set[str]:
    """What a class is called with, where the class itself says so."""
    if dataclasses.is_dataclass(thing):
        return {field.name for field in dataclasses.fields(thing) if field.init}
    if issubclass(thing, tuple) and hasattr(thing, "_fields"):
        return set(thing._fields)
    own = getattr(thing.__init__, "__module__", "").startswith("horizon")
    return _parameters(thing.__init__) if own else set()


def _generated(thing: type) -> bool:
    """Whether the docstring is the one that a dataclass makes of its fields."""
    return (thing.__doc__ or "").startswith(f"{thing.__name__}(")


def _told(thing: Any) -> set[str]:
    """The parameters that a docstring tells, in a section or in its text."""
    text = inspect.getdoc(thing) or ""
    doc = ClassDoc(thing, config={"show_class_members": False}) if inspect.isclass(thing) else None
    doc = doc or FunctionDoc(thing)
    sections = ("Parameters", "Other Parameters", "Attributes")
    names = set().union(*(_names(doc[section]) for section in sections))
    return names | set(re.findall(r"(?<!`)`\*{0,2}([a-z_]+)`(?!`)", text))


def _function_lacks(
    thing: Callable[..., Any], elsewhere: AbstractSet[str] = frozenset()
) -> Iterator[str]:
    if not _summary(thing):
        yield "a summary"
        return
    missing = _parameters(thing) - _told(thing) - elsewhere
    yield from (f"parameter {name}" for name in sorted(missing))
    gone = _names(FunctionDoc(thing)["Parameters"]) - _parameters(thing, every=True)
    if not inspect.signature(thing).parameters.keys() & {"args", "kwargs"}:
        yield from (f"no longer has {name}" for name in sorted(gone))
    if not _tells_raises(thing) and _raises(thing):
        yield "what it raises"


def _tells_raises(thing: Any) -> bool:
    return bool(re.search(r"\bRaises?\b|Error\b|RiskRejected", inspect.getdoc(thing) or ""))


def _names(section: list[Any]) -> set[str]:
    """The names of a section, whose entries may hold several: ``bids, asks``."""
    return {part.strip().lstrip("*") for entry in section for part in entry.name.split(",")} - {""}


def _parameters(thing: Callable[..., Any], every: bool = False) -> set[str]:
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return set()
    names = {name for name in signature.parameters if name not in ("self", "cls")}
    return names if every else {name for name in names if not name.startswith("_")}


def _raises(thing: Callable[..., Any]) -> bool:
    """Whether the function's own body raises what a caller can bring about."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError, SyntaxError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            # What a base leaves to its subclasses, and what would be a mistake of our own, is no
            # caller's doing.
            ours = ("AttributeError", "AssertionError", "NotImplementedError")
            if not (isinstance(kind, ast.Name) and kind.id in ours):
                return True
    return False


@cache
def _comments(module: str) -> dict[tuple[str, str], list[str]]:
    return ModuleAnalyzer.for_module(module).find_attr_docs()


def _commented(thing: type) -> set[str]:
    """Fields of a class that have a comment of their own."""
    return {
        name
        for base in thing.__mro__
        if base.__module__.startswith("horizon")
        for owner, name in _comments(base.__module__)
        if owner == base.__qualname__
    }


def comment(name: Name) -> list[str]:
    """The lines of a constant's comment that begins with ``#:``, wherever it is assigned."""
    last = name.path.rpartition(".")[2]
    for file in sorted(PACKAGE.rglob("*.py")):
        if f"\n{last}" in file.read_text(encoding="utf-8"):
            module = ".".join(("horizon", *file.relative_to(PACKAGE).with_suffix("").parts))
            if found := _comments(module.removesuffix(".__init__")).get(("", last)):
                return found
    return []


def main(argv: list[str]) -> int:
    """Print the coverage of each namespace, and what is missing in those that are named."""
    wanted = {f"horizon.{name}".removesuffix(".horizon") for name in argv}
    total = good = 0
    for namespace in NAMESPACES:
        names = [name for name in public_names() if name.namespace == namespace]
        missing = {name.path: found for name in names if (found := lacks(name))}
        total, good = total + len(names), good + len(names) - len(missing)
        print(f"{namespace:22} {len(names) - len(missing):4} of {len(names):4}")
        if not wanted or namespace in wanted:
            for path, found in missing.items():
                print(f"    {path}: {'; '.join(found)}")
    print(f"{'all public names':22} {good:4} of {total:4}, {good / total:.1%}")
    return int(good < total)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
