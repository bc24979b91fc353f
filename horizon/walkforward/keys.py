"""Fingerprints of code and data: equal where a run would do the same, different where it may not.

A function is known by what it does: its compiled code without names of files and numbers of
lines, its defaults, what it closes over, and the globals that it uses, helper functions and the
functions of the user's own modules among them, all the way down. Of a user's module that counts
what code takes of it by name; where a module is handed about, everything that it holds does. What
comes with an installed library is known by its name and the library's version.

Objects may hold each other in circles. They are numbered in the order in which they are met, and
each is written down once, with the numbers of those that it holds: two walks write the same only
if they went through the same objects, joined in the same way.
"""

from __future__ import annotations

import copyreg
import functools
import hashlib
import marshal
import pickle
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from horizon import checks
from horizon.walkforward.code import (
    DESCRIPTORS,
    IDLE,
    NUMPYS_RANDOM,
    READ_ALL,
    Import,
    chains_of,
    draws,
    globals_of,
    held_by,
    imports_of,
    is_library,
    is_library_class,
    is_library_module,
    load,
    name_of,
    names_modules,
    nested,
    resolve,
    version_of,
)

__all__ = ["Fingerprint", "fingerprint", "user_modules"]

_ATOMS: Final = (type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented))
#: What `marshal` writes the same each time, so that long lists of them need no loop.
_PLAIN: Final = frozenset((type(None), bool, int, float, str))
#: So many objects are looked at to put the items of a set in order, and so many sets in sets.
_SKETCHED: Final = 64
_DEEPEST: Final = 3


def fingerprint(*values: object) -> str:
    """Return the fingerprint of objects of any kind, as 40 hexadecimal digits.

    Raises
    ------
    TypeError
        If one holds what cannot be told apart from another of its kind: a lock, an open file,
        code that imports modules whose names it makes up as it runs.
    """
    made = Fingerprint()
    made.update(*values)
    return made.hexdigest()


class Fingerprint:
    """A fingerprint that is made a part at a time, such as of data that comes in pieces."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=20)

    def update(self, *values: object) -> None:
        """Take more into account."""
        self._digest.update(_Walk().through(*values))

    def hexdigest(self) -> str:
        """The fingerprint of everything so far, as 40 hexadecimal digits."""
        return self._digest.hexdigest()


def user_modules(*values: object) -> list[types.ModuleType]:
    """Return the modules whose code these objects use and no library brings.

    They stand in the order in which they were met; ``__main__`` is not among them.
    """
    walk = _Walk(is_strict=False)
    walk.through(*values)
    names = [name for name in walk.modules if name != "__main__"]
    return [sys.modules[name] for name in names if name in sys.modules]


def _digest(tag: str, *parts: bytes | memoryview) -> bytes:
    """The digest of parts, each with its length, so that none can be taken for two."""
    digest = hashlib.blake2b(tag.encode() + b"\0", digest_size=20)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


class _Walk:
    """One walk through objects that may hold each other.

    Where it is not strict, it only looks for code: it imports nothing, and passes over numbers
    and over what cannot be told from another of its kind. A sketch, which is a walk of a higher
    `level`, ends after a few objects: enough to put things in order, and no fingerprint.
    """

    def __init__(self, *, is_strict: bool = True, level: int = 0) -> None:
        self._is_strict = is_strict
        self._level = level
        #: Everything that was met and has an identity: what is kept takes no other's.
        self._met: list[object] = []
        self._numbers: dict[int, int] = {}
        #: Digests of what is known by what it holds alone, with the object.
        self._known: dict[int, tuple[object, bytes]] = {}
        self.modules: dict[str, None] = {}

    def through(self, *values: object) -> bytes:
        """The digest of objects and of everything that they hold."""
        parts = [self.of(value) for value in values]
        for place, value in enumerate(self._met):  # which grows meanwhile
            if self._level and place == _SKETCHED:
                break
            parts.append(self._of(value))
        return _digest("walk", *parts)

    def of(self, value: object) -> bytes:
        """What stands for an object in the one that holds it.

        For one that cannot change that is its digest: two that are equal are one. For any other
        it is the object's number, and its turn comes later.
        """
        kind = type(value)
        if kind in _ATOMS:
            shown = value.hex() if type(value) is float else repr(value)
            if type(value) is int:
                shown = hex(value)  # repr refuses very long ones
            return _digest(kind.__name__, shown.encode("utf-8", "surrogatepass"))
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        number = self._numbers.get(id(value))
        if number is None:
            made = self._fixed(value)
            if made is not None:
                self._known[id(value)] = (value, made)
                return made
            number = self._numbers[id(value)] = len(self._met)
            self._met.append(value)
        return number.to_bytes(8, "little")

    def _fixed(self, value: Any) -> bytes | None:
        """The digest of what cannot change, or belongs to a library; None for anything else."""
        kind = type(value)
        if value is NUMPYS_RANDOM:  # SciPy's distributions hold it, and few uses draw from it
            return self._named("numpy", "random")
        if kind is tuple:
            return self._row(value)
        if kind is frozenset:
            return self._set(value)
        if isinstance(value, np.generic):
            if value.dtype.hasobject:
                return None
            return _digest("scalar", repr(value.dtype).encode(), value.tobytes())
        if isinstance(value, types.CodeType):
            return self._code(value)
        if isinstance(value, types.ModuleType):
            return self._named(value.__name__, "") if is_library_module(value) else None
        if isinstance(value, type):
            return self._named(*name_of(value)) if is_library_class(value) else None
        if isinstance(value, types.FunctionType):
            module = value.__globals__.get("__name__") or "__main__"
            # Not its `__module__`: what wraps a library's function bears its name.
            if is_library(module) and resolve(module, value.__qualname__) is value:
                return self._named(module, value.__qualname__)
            return None
        if isinstance(value, types.BuiltinFunctionType):
            owner = value.__self__
            if owner is None or isinstance(owner, types.ModuleType):
                return self._named(value.__module__ or "builtins", value.__qualname__)
        return None

    def _of(self, value: Any) -> bytes:
        """The digest of an object whose turn it is."""
        kind = type(value)
        if kind in (np.ndarray, np.memmap):
            return self._array(value)
        if kind is list:
            return self._row(value)
        if kind in (dict, types.MappingProxyType):
            return _digest("dict", *(self.of(part) for pair in value.items() for part in pair))
        if isinstance(value, (set, frozenset)):
            # What pickle would keep of a kind of set has its items in no order.
            more = () if kind in (set, frozenset) else (self.of(kind), self._dict_of(value))
            return _digest("set", self._set(value), *more)
        if kind is bytearray:
            return _digest("bytearray", bytes(value))
        if kind is memoryview:
            return _digest("view", f"{value.format} {value.shape}".encode(), value.tobytes())
        if isinstance(value, types.ModuleType):
            return self._module(value)
        if isinstance(value, type):
            return self._class(value)
        made = self._callable(value)
        return self._reduced(value) if made is None else made

    # ------------------------------------------------------------------ data
    def _row(self, row: list[Any] | tuple[Any, ...]) -> bytes:
        name = type(row).__name__
        if all(type(item) in _PLAIN for item in row):
            if not self._is_strict:
                return b""
            return _digest(name, b"plain", marshal.dumps(tuple(row), 2))
        return _digest(name, *map(self.of, row))

    def _set(self, items: set[Any] | frozenset[Any]) -> bytes:
        """Items in an order that is the same in every process, as far as one can be told."""
        rows = (*_ATOMS, tuple, frozenset)
        if self._level and not (self._level < _DEEPEST and all(type(i) in rows for i in items)):
            return _digest("items", len(items).to_bytes(8, "little"))

        def sketch(item: object) -> bytes:
            if type(item) in _ATOMS:
                return self.of(item)
            return _Walk(level=self._level + 1).through(item)

        return _digest("items", *map(self.of, sorted(items, key=sketch)))

    def _array(self, array: np.ndarray[Any, Any]) -> bytes:
        if not self._is_strict and not array.dtype.hasobject:
            return b""  # no code in it
        # How it lies in memory decides the order in which it is summed, and so the last bit.
        head = f"{array.dtype!r} {array.shape} {array.strides}".encode()
        if array.dtype.hasobject:
            return _digest("array", head, *map(self.of, array.ravel().tolist()))
        flat = np.ascontiguousarray(array).reshape(-1)
        return _digest("array", head, flat.view(np.uint8).data if flat.size else b"")

    # ------------------------------------------------------------------ code
    def _callable(self, value: Any) -> bytes | None:
        """The digest of something that is called; None for anything else."""
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return _digest("method", self.of(value.__func__), self._owner(value.__self__))
        if isinstance(value, types.BuiltinFunctionType):
            return _digest("bound", self._owner(value.__self__), value.__name__.encode())
        if isinstance(value, DESCRIPTORS):
            return _digest("slot", self.of(value.__objclass__), value.__name__.encode())
        if type(value) in (staticmethod, classmethod):
            return _digest(type(value).__name__, self.of(value.__func__))
        if type(value) is property:
            return _digest("property", *map(self.of, (value.fget, value.fset, value.fdel)))
        if type(value) is functools.cached_property:
            return _digest("cached", self.of(value.func))
        if isinstance(value, types.CellType):
            return _digest("cell", self.of(held_by(value)))
        python = getattr(value, "py_func", None)
        if isinstance(python, types.FunctionType) and type(value).__module__.startswith("numba."):
            options = getattr(value, "targetoptions", None)
            parts = (type(value), python, options, getattr(value, "locals", None))
            return _digest("compiled", *map(self.of, parts))
        return None

    def _owner(self, owner: object) -> bytes:
        """What a method is of; of a generator, its state."""
        return self._reduced(owner) if owner is NUMPYS_RANDOM else self.of(owner)

    def _function(self, function: types.FunctionType) -> bytes:
        module = function.__globals__.get("__name__") or "__main__"
        code, space = function.__code__, function.__globals__
        for name in (module, function.__module__ or "__main__"):
            if not is_library(name):
                self.modules[name] = None
        chains = chains_of(nested(code))
        parts = [
            self._code(code),
            self.of(function.__defaults__),
            self.of(function.__kwdefaults__),
            self.of(dict(vars(function))),
        ]
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            held = held_by(cell)
            if isinstance(held, types.ModuleType):
                parts += self._taken(held, chains.get(name, {()}))
            else:
                parts.append(self.of(cell))
        if is_library(module) and resolve(module, "__dict__") is space:
            parts.append(self._named(module, ""))  # what it finds in its module is the library's
        else:
            parts += self._used(function, chains)
        return _digest("function", *parts)

    def _code(self, code: types.CodeType) -> bytes:
        """What code does, wherever it stands."""
        shape = (
            code.co_argcount,
            code.co_posonlyargcount,
            code.co_kwonlyargcount,
            code.co_flags,
            code.co_names,
            code.co_varnames,
            code.co_freevars,
            code.co_cellvars,
        )
        table = getattr(code, "co_exceptiontable", b"")
        return _digest("code", code.co_code, table, self.of(shape), *map(self.of, code.co_consts))

    def _used(
        self, function: types.FunctionType, chains: Mapping[str, set[tuple[str, ...]]]
    ) -> Iterator[bytes]:
        """What a function takes from outside by name: globals, and imports of its own."""
        codes = list(nested(function.__code__))
        space = function.__globals__
        wanted = {name for code in codes for name in globals_of(code)}
        for name in sorted(wanted):
            value = space.get(name)
            yield name.encode()
            if isinstance(value, types.ModuleType):
                yield from self._taken(value, chains.get(name, {()}))
            elif name in space:
                yield self.of(value)
        imported = sorted({one for code in codes for one in imports_of(code, space)})
        for each in imported:
            yield repr(tuple(each)).encode()
            yield from self._imported(each, chains)
        if wanted & READ_ALL:
            yield self._space(space)
        if names_modules(codes, chains, space):
            yield self._unknown(function, "it takes modules by names that are made as it runs")

    def _imported(self, one: Import, chains: Mapping[str, set[tuple[str, ...]]]) -> Iterator[bytes]:
        """What an import of the user's own modules brings: it is made now, as a run would."""
        if is_library(one.module):
            taken = resolve(one.module, one.taken) if one.taken else None
            yield self.of(taken) if draws(taken) else self._named(one.module, "")
            return
        module = load(one.module) if self._is_strict else sys.modules.get(one.module)
        if module is None:
            yield _digest("absent")
            return
        value: object = module
        if one.is_top:
            value = sys.modules[one.module.partition(".")[0]]
        elif one.taken:
            if not hasattr(module, one.taken) and self._is_strict:
                load(f"{one.module}.{one.taken}")
            value = getattr(module, one.taken, module)
        if isinstance(value, types.ModuleType):
            yield from self._taken(value, chains.get(one.bound, {()}) if one.bound else {()})
        else:
            self.modules[module.__name__] = None
            yield self.of(value)

    def _taken(self, module: types.ModuleType, chains: set[tuple[str, ...]]) -> Iterator[bytes]:
        """What code takes of a module: by chains of attributes, or all of it for an empty one."""
        for chain in sorted(chains):
            home, value = module, vars(module).get(chain[0], module) if chain else module
            for name in (*chain[1:], ""):
                if not is_library_module(home):
                    self.modules[home.__name__] = None
                if not name or not isinstance(value, types.ModuleType) or value is home:
                    break  # of a module that makes what is asked for, everything may count
                home, value = value, vars(value).get(name, value)
            yield ".".join(chain).encode()
            is_named = is_library_module(home) and not draws(value)
            yield self._named(home.__name__, "") if is_named else self.of(value)

    def _module(self, module: types.ModuleType) -> bytes:
        """A module of the user's, with everything in it."""
        self.modules[module.__name__] = None
        parts = (module.__name__.encode(), self.of(type(module)), self._space(vars(module)))
        return _digest("module", *parts)

    def _space(self, space: Mapping[str, Any]) -> bytes:
        """Names and what they stand for, in no order of their own."""
        parts = []
        for name in sorted(space.keys() - IDLE):
            parts += [name.encode(), self.of(space[name])]
        return _digest("space", *parts)

    def _class(self, kind: type) -> bytes:
        module, _ = name_of(kind)
        if not is_library(module):
            self.modules[module] = None
        head = (kind.__qualname__.encode(), self.of(type(kind)), self.of(kind.__bases__))
        return _digest("class", *head, self._space(vars(kind)))

    def _named(self, module: str, name: str) -> bytes:
        return _digest("library", f"{module}:{name}:{version_of(module)}".encode())

    # ------------------------------------------------------------------ anything else
    def _reduced(self, value: Any) -> bytes:
        """An object by what pickle would keep of it."""
        try:
            reduce = copyreg.dispatch_table.get(type(value))
            how = value.__reduce_ex__(4) if reduce is None else reduce(value)
        except Exception as error:
            return self._unknown(value, error)
        if isinstance(how, str):
            return self._by_name(value, how)
        function, arguments, *rest = how
        state, items, pairs, setter = (*rest, None, None, None, None)[:4]
        return _digest(
            "object",
            self.of(function),
            self.of(arguments),
            self.of(state),
            *(() if items is None else map(self.of, items)),
            *(() if pairs is None else (self.of(part) for pair in pairs for part in pair)),
            self.of(setter),
            # Arrays with more to them leave out what else they hold.
            *((self._dict_of(value),) if isinstance(value, np.ndarray) else ()),
        )

    def _dict_of(self, value: object) -> bytes:
        return self.of(dict(getattr(value, "__dict__", {})))

    def _by_name(self, value: Any, name: str) -> bytes:
        """An object that pickle would know by its name alone."""
        try:
            module = pickle.whichmodule(value, name)  # type: ignore[attr-defined]
        except Exception as error:
            return self._unknown(value, error)
        if is_library(module) and resolve(module, name) is value:
            return self._named(module, name)
        if isinstance(value, functools._lru_cache_wrapper):
            return _digest("wrapped", self.of(value.__wrapped__), self._dict_of(value))
        if type(value).__module__ == "typing":  # says nothing of what is done
            return _digest("typing", name.encode())
        file = getattr(sys.modules.get(module), "__file__", None) or ".py"
        if not file.endswith(".py"):  # compiled: version_of looks at the file
            return self._named(module, name)
        return self._unknown(value, "it is known by its name alone")

    def _unknown(self, value: object, why: Exception | str) -> bytes:
        if self._is_strict and not self._level:
            error = TypeError(
                f"cannot tell {checks.show(value)} ({type(value).__name__}) from another of "
                f"its kind, and so not whether it has changed: {why}"
            )
            raise error from why if isinstance(why, Exception) else error
        return _digest("unknown", type(value).__qualname__.encode())
