"""What code is made of: the names that it takes from outside, and whose module it is in."""

from __future__ import annotations

import dis
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import itertools
import random
import sys
import sysconfig
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np

__all__ = [
    "DESCRIPTORS",
    "IDLE",
    "NUMPYS_RANDOM",
    "READ_ALL",
    "Import",
    "chains_of",
    "draws",
    "globals_of",
    "held_by",
    "imports_of",
    "is_library",
    "is_library_class",
    "is_library_module",
    "load",
    "name_of",
    "names_modules",
    "nested",
    "own_code",
    "resolve",
    "source_of",
    "version_of",
]

#: A module is Python's, our own, of an installed package, or the user's.
_Place = Literal["python", "own", "package", ""]

_ROOT: Final = Path(__file__).resolve().parents[1]
_INSTALLED: Final = ("site-packages", "dist-packages")
#: What a class or a module holds that says nothing of what it does, or differs from one process
#: to the next.
# fmt: off
IDLE: Final = frozenset((
    "__abstractmethods__", "__annotate__", "__annotate_func__", "__annotations__",
    "__annotations_cache__", "__builtins__", "__cached__", "__conditional_annotations__",
    "__dict__", "__doc__", "__file__", "__firstlineno__", "__loader__", "__module__",
    "__package__", "__path__", "__qualname__", "__spec__", "__static_attributes__",
    "__warningregistry__", "__weakref__", "_abc_impl",
))
# fmt: on
DESCRIPTORS: Final = (
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
#: The generator behind `numpy.random.normal` and the like, seeded anew in each process.
NUMPYS_RANDOM: Final = getattr(np.random.mtrand, "_rand", None) or np.random.RandomState(0)
#: Python's mark of classes that are made as a program runs, not compiled in.
_HEAP_TYPE: Final = 1 << 9
#: Opcodes that load what has no name, or an attribute of what was loaded before.
_NAMELESS: Final = frozenset(("LOAD_ATTR", "LOAD_METHOD", "LOAD_CONST", "LOAD_CLOSURE"))
#: With one of them, code may read any variable of its module.
READ_ALL: Final = frozenset(("globals", "eval", "exec"))
#: With one of them, code may read any variable of its own.
_READ_OWN: Final = READ_ALL | {"locals", "vars"}
#: With one of them, code may import what its text does not say.
_IMPORTERS: Final = frozenset(
    ("__import__", "import_module", "run_module", "run_path", "spec_from_file_location")
)
#: Files of a package whose text is what they do.
_TEXT: Final = (".py", ".pyi")


# ------------------------------------------------------------------------ whose it is
@functools.cache
def _python_folders() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple({Path(paths[name]).resolve() for name in ("stdlib", "platstdlib")})


@functools.cache
def _package_folders() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple({Path(paths[name]).resolve() for name in ("purelib", "platlib")})


@functools.cache
def _place_of_file(file: str) -> _Place:
    """Whose a file is, by where it lies: a name may be anybody's."""
    path = Path(file).resolve()
    if _ROOT in path.parents:
        return "own"
    if any(part in _INSTALLED for part in path.parts):
        return "package"
    if any(folder in path.parents for folder in _package_folders()):
        return "package"
    return "python" if any(folder in path.parents for folder in _python_folders()) else ""


def _place_of(module: types.ModuleType) -> _Place:
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return _place_of_file(file)
    folders = [str(folder) for folder in getattr(module, "__path__", ())]
    if folders:  # a package that is nothing but its folders
        places = {_place_of_file(f"{folder}/__init__.py") for folder in folders}
        return places.pop() if len(places) == 1 else ""
    if getattr(getattr(module, "__spec__", None), "origin", None) in ("built-in", "frozen"):
        return "python"
    # Made by a program as it runs: by the library whose name it is under, or by the user.
    above = module.__name__.rpartition(".")[0]
    return _place_of_name(above) if above else ""


def _place_of_name(name: str) -> _Place:
    if name == "__main__":
        return ""
    module = sys.modules.get(name)
    if module is not None:
        return _place_of(module)
    try:  # of the top: to look for what lies in a package imports the package
        spec = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError, AttributeError):
        return ""
    if spec is None or spec.origin is None:
        return ""
    return "python" if spec.origin in ("built-in", "frozen") else _place_of_file(spec.origin)


def is_library(name: str) -> bool:
    """Whether a module is the standard library's, an installed package's, or our own.

    What lies anywhere else is the user's: scripts, notebooks, and packages that are installed to
    be edited.
    """
    return _place_of_name(name) != ""


def is_library_module(module: types.ModuleType) -> bool:
    """Whether this very module is a library's, and not another that only bears its name."""
    if module.__name__ == "__main__":
        return False
    if sys.modules.get(module.__name__) is module or getattr(module, "__file__", None):
        return _place_of(module) != ""
    return False


def is_library_class(kind: type) -> bool:
    """Whether a class is one that a library has, and not one that it has made for its user."""
    module, name = name_of(kind)
    is_made = bool(kind.__flags__ & _HEAP_TYPE)
    return is_library(module) and (not is_made or resolve(module, name) is kind)


def name_of(kind: type) -> tuple[str, str]:
    """The module that a class says it is of, and its name in there."""
    module: object = kind.__module__  # a class body may hold anything under this name
    return (module if isinstance(module, str) else "__main__"), kind.__qualname__


def resolve(module: str, name: str) -> object:
    """What stands under a dotted name in a module that is imported; None without."""
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def load(name: str) -> types.ModuleType | None:
    """Import one of the user's modules as a run would; None where that fails."""
    if name in sys.modules:
        return sys.modules[name]
    try:
        return importlib.import_module(name)
    except Exception:  # the run itself will say so, or do without
        return None


# ------------------------------------------------------------------------ which version
@functools.cache
def own_code() -> str:
    """Return the fingerprint of the library's own code, of Python's and of NumPy's version."""
    digest = hashlib.blake2b(digest_size=20)
    for path in sorted(_ROOT.rglob("*.py")):
        digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    digest.update(f"{_python()} {np.__version__}".encode())
    return digest.hexdigest()


def _python() -> str:
    return f"{sys.implementation.name} {sys.hexversion:x}"


def version_of(name: str) -> str:
    """Say which version a module is of; another wherever its library may do something else.

    Of a package that is its version and the digests of its files that were written down when it
    was installed: a package of one's own is often installed again under the same version. Of a
    package that has none, and of a user's compiled module, it is the files.
    """
    place = _place_of_name(name)
    if place == "python":
        return _python()
    if place == "own":
        return own_code()
    if place == "package":
        top = name.partition(".")[0]
        said = getattr(sys.modules.get(top), "__version__", "")
        return f"{said if isinstance(said, str) else ''} {_installed(top)}"
    file = getattr(sys.modules.get(name), "__file__", None)
    return hashlib.blake2b(source_of(file), digest_size=20).hexdigest()


@functools.cache
def _installed(top: str) -> str:
    """What is known of an installed package on disk."""
    said: list[str] = []
    for one in _distributions(top):
        lines = (line for line in _record(one) if ",sha256=" in line)
        kept = "\n".join(sorted(line for line in lines if ".dist-info/" not in line))
        if not kept:
            return _files_digest(top)
        said.append(f"{one.version} {hashlib.blake2b(kept.encode(), digest_size=20).hexdigest()}")
    return " ".join(sorted(said)) or _files_digest(top)


def _distributions(top: str) -> list[importlib.metadata.Distribution]:
    """The distributions that a package is of: more than one where they share a name."""
    try:  # most are called what their package is called; to look through all takes longer
        one = importlib.metadata.distribution(top)
        if any(line.startswith((f"{top}/", f"{top}.")) for line in _record(one)):
            return [one]
    except importlib.metadata.PackageNotFoundError:
        pass
    names = importlib.metadata.packages_distributions().get(top, [])
    return [importlib.metadata.distribution(name) for name in sorted(set(names))]


def _record(one: importlib.metadata.Distribution) -> list[str]:
    return (one.read_text("RECORD") or "").splitlines()


def _files_digest(top: str) -> str:
    """The digest of a package's files: text by what it says, others by size and time."""
    module = sys.modules.get(top)
    spec = getattr(module, "__spec__", None)
    if module is None:
        spec = importlib.util.find_spec(top)
    folders = [Path(folder) for folder in getattr(spec, "submodule_search_locations", None) or ()]
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    origin = getattr(module, "__file__", None) or getattr(spec, "origin", None)
    if not files and isinstance(origin, str):
        files = [Path(origin)]
    digest = hashlib.blake2b(digest_size=20)
    for path in files:
        if path.suffix in _TEXT:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        elif path.suffix != ".pyc":
            stat = path.stat()
            digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def source_of(file: str | None) -> bytes:
    """A module's file; its path where that cannot be read."""
    if file is None:
        return b""
    try:
        return Path(file).read_bytes()
    except OSError:
        return file.encode()


# ------------------------------------------------------------------------ what code takes
class Import(NamedTuple):
    """One thing that code imports as it runs.

    Attributes
    ----------
    module : str
        Full name of what is imported.
    taken : str
        What is taken from it by ``from module import taken``; else empty.
    bound : str
        The variable that it goes to; empty where that is not plain to see.
    is_top : bool
        Whether the variable is given the outermost package, as ``import a.b`` does.
    """

    module: str
    taken: str
    bound: str
    is_top: bool


def nested(code: types.CodeType) -> Iterator[types.CodeType]:
    """Code, and all the code that is written within it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from nested(const)


def _steps(code: types.CodeType) -> list[dis.Instruction]:
    return [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]


def chains_of(codes: Iterable[types.CodeType]) -> dict[str, set[tuple[str, ...]]]:
    """Variables that code reads, each with the attributes that are taken of it at once.

    ``a.b.c(d)`` reads ``a`` with the chain ``("b", "c")``, and ``d`` with the empty chain: what
    is done with it is not plain to see.
    """
    found: dict[str, set[tuple[str, ...]]] = {}
    for code in codes:
        steps = _steps(code)
        for place, step in enumerate(steps):
            names = _read(step)
            for name in names[:-1]:
                found.setdefault(name, set()).add(())
            if names:
                after = itertools.takewhile(
                    lambda one: one.opname in ("LOAD_ATTR", "LOAD_METHOD"),
                    itertools.islice(steps, place + 1, None),
                )
                found.setdefault(names[-1], set()).add(tuple(str(one.argval) for one in after))
    return {name: {()} for name in found} if found.keys() & _READ_OWN else found


def _read(step: dis.Instruction) -> list[str]:
    """Variables that an instruction reads: newer Pythons read two at once."""
    if "LOAD_" not in step.opname or step.opname in _NAMELESS:
        return []
    read: Any = step.argval if isinstance(step.argval, tuple) else (step.argval,)
    if step.opname.startswith("STORE_"):  # writes the first, reads the second
        read = read[1:]
    return [name for name in read if isinstance(name, str)]


def draws(value: object) -> bool:
    """Whether something of a library draws from a generator that all of a process share."""
    return isinstance(getattr(value, "__self__", None), (np.random.RandomState, random.Random))


def held_by(cell: types.CellType) -> object:
    """What a cell holds; its type in place of a value that comes later."""
    try:
        return cell.cell_contents
    except ValueError:
        return types.CellType


def globals_of(code: types.CodeType) -> Iterator[str]:
    """Names that code looks up in its module."""
    for step in _steps(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            yield step.argval


def names_modules(
    codes: Iterable[types.CodeType],
    chains: Mapping[str, set[tuple[str, ...]]],
    space: Mapping[str, Any],
) -> bool:
    """Whether code takes modules by names that are not to be seen in it."""
    if any(_IMPORTERS.intersection(code.co_names) for code in codes):
        return True
    loaded = (chain for name in chains if space.get(name) is sys for chain in chains[name])
    return any(chain[:1] in ((), ("modules",)) for chain in loaded)


def imports_of(code: types.CodeType, space: Mapping[str, Any]) -> Iterator[Import]:
    """What code imports as it runs, seen from the module whose names are `space`."""
    steps = _steps(code)
    package = space.get("__package__") or ""
    for place, step in enumerate(steps):
        if step.opname != "IMPORT_NAME":
            continue
        level, taken = steps[place - 2].argval, steps[place - 1].argval
        dots = "." * level if isinstance(level, int) else ""
        try:
            module = importlib.util.resolve_name(dots + step.argval, package)
        except ImportError:  # the import itself will say so
            continue
        after = steps[place + 1 :]
        if not taken:
            bound = _stored(after[0])
            yield Import(module, "", bound, is_top=bool(bound))
        for number, name in enumerate(taken or ()):
            pair = after[2 * number : 2 * number + 2]
            is_plain = len(pair) == 2 and pair[0].opname == "IMPORT_FROM"
            yield Import(module, name, _stored(pair[1]) if is_plain else "", is_top=False)


def _stored(step: dis.Instruction) -> str:
    """The variable of this code alone that a step writes; empty for anything else."""
    name = step.argval[0] if isinstance(step.argval, tuple) else step.argval
    is_own = step.opname.startswith(("STORE_FAST", "STORE_DEREF", "STORE_NAME"))
    return name if is_own and isinstance(name, str) else ""
