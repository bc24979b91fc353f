"""Outcomes as bytes and back, bit for bit, without pickle.

A cache may have come from somebody else, and what is read with pickle can run anything. Here only
numbers, texts, arrays and the few records below are read; what is torn, cut or altered is refused
by its checksum.

The bytes are a line that says what they are, a checksum of all that follows, the length of a JSON
text, that text, and the arrays it speaks of, one after the other.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon.backtesting.record import RunRecord
from horizon.instruments import Market
from horizon.types import AssetClass, Position, Side
from horizon.venues.history import FillColumns, OrderColumns, PackedOrders
from horizon.walkforward.tasks import Outcome, Task

__all__ = ["decode", "encode"]

_MAGIC: Final = b"horizon outcome, format 1\n"
_SUM: Final = 20
_LENGTH: Final = struct.Struct("<Q")
_RECORDS: Final[dict[str, type]] = {
    kind.__name__: kind
    for kind in (
        FillColumns,
        Market,
        OrderColumns,
        Outcome,
        PackedOrders,
        Position,
        RunRecord,
        Task,
    )
}
_ENUMS: Final[dict[str, type[Enum]]] = {kind.__name__: kind for kind in (AssetClass, Side)}


def encode(outcome: Outcome) -> bytes:
    """Write an outcome.

    Raises
    ------
    TypeError
        If it holds what there is no way to write.
    """
    arrays: list[NDArray[Any]] = []
    tree = _written(outcome, arrays)
    head = {"arrays": [[one.dtype.str, list(one.shape)] for one in arrays], "tree": tree}
    text = json.dumps(head, separators=(",", ":")).encode()
    body = b"".join([_LENGTH.pack(len(text)), text, *(one.tobytes() for one in arrays)])
    return b"".join([_MAGIC, _checksum(body), body])


def decode(content: bytes) -> Outcome:
    """Read an outcome.

    Raises
    ------
    ValueError
        If these are not the bytes of an outcome, all of them and as they were written.
    """
    start = len(_MAGIC) + _SUM
    if not content.startswith(_MAGIC):
        raise ValueError("it does not begin as an outcome does")
    body = memoryview(content)[start:]
    if _checksum(body) != content[len(_MAGIC) : start]:
        raise ValueError("its checksum is not that of its content")
    try:
        (length,) = _LENGTH.unpack_from(body)
        head = json.loads(bytes(body[_LENGTH.size : _LENGTH.size + length]))
        arrays = _arrays(head["arrays"], body[_LENGTH.size + length :])
        read = _read(head["tree"], arrays)
    except (LookupError, TypeError, ValueError, struct.error) as error:
        raise ValueError(f"its content is none of an outcome: {error}") from error
    if not isinstance(read, Outcome):
        raise ValueError(f"it holds no outcome but a {type(read).__name__}")
    return read


def _checksum(body: bytes | memoryview) -> bytes:
    return hashlib.blake2b(body, digest_size=_SUM).digest()


# ------------------------------------------------------------------------ writing
def _written(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """A value as JSON has it; what JSON has no word for is a dict of one tag and its content."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        # Which NaN it is, and its sign, are bits too.
        return value if math.isfinite(value) else {"float": struct.pack("<d", value).hex()}
    if isinstance(value, np.generic):
        return {"scalar": [value.dtype.str, value.tobytes().hex()]}
    if kind is list:
        return [_written(one, arrays) for one in value]
    if kind is tuple:
        return {"tuple": [_written(one, arrays) for one in value]}
    if kind is dict:
        return {"dict": [[_written(k, arrays), _written(v, arrays)] for k, v in value.items()]}
    if kind is np.ndarray and not value.dtype.hasobject and not value.dtype.names:
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if kind in (bytes, bytearray):
        arrays.append(np.frombuffer(value, dtype=np.uint8))
        return {kind.__name__: len(arrays) - 1}
    if kind is date:
        return {"date": value.isoformat()}
    if _ENUMS.get(kind.__name__) is kind:
        return {"enum": [kind.__name__, value.name]}
    if _RECORDS.get(kind.__name__) is kind:
        held = [_written(getattr(value, name), arrays) for name in _names(kind)]
        return {"record": [kind.__name__, held]}
    raise TypeError(f"an outcome cannot be kept with a {kind.__qualname__} in it")


def _names(kind: type) -> Sequence[str]:
    """What a record holds, in order."""
    if is_dataclass(kind):
        return [one.name for one in fields(kind)]
    names: Sequence[str] = kind._fields if issubclass(kind, tuple) else kind.__slots__  # type: ignore[attr-defined]
    return names


# ------------------------------------------------------------------------ reading
def _arrays(heads: list[tuple[str, list[int]]], content: memoryview) -> list[NDArray[Any]]:
    arrays, at = [], 0
    for name, shape in heads:
        kind = np.dtype(name)
        if kind.hasobject:
            raise ValueError(f"arrays of {name!r} are never written")
        count = math.prod(shape)
        size = count * kind.itemsize
        # A copy, which may be written to as the run's own arrays may.
        part = bytearray(content[at : at + size])
        arrays.append(np.frombuffer(part, dtype=kind, count=count).reshape(shape))
        at += size
    return arrays


def _read(tree: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(tree, list):
        return [_read(one, arrays) for one in tree]
    if not isinstance(tree, dict):
        return tree
    ((tag, held),) = tree.items()
    if tag == "float":
        return struct.unpack("<d", bytes.fromhex(held))[0]
    if tag == "scalar":
        return np.frombuffer(bytes.fromhex(held[1]), dtype=held[0])[0]
    if tag == "tuple":
        return tuple(_read(one, arrays) for one in held)
    if tag == "dict":
        return {_read(name, arrays): _read(value, arrays) for name, value in held}
    if tag == "array":
        return arrays[held]
    if tag == "bytes":
        return arrays[held].tobytes()
    if tag == "bytearray":
        return bytearray(arrays[held].tobytes())
    if tag == "date":
        return date.fromisoformat(held)
    if tag == "enum":
        return _ENUMS[held[0]][held[1]]
    if tag == "record":
        return _record(_RECORDS[held[0]], [_read(one, arrays) for one in held[1]])
    raise ValueError(f"unknown word {tag!r}")


def _record(kind: type, held: list[Any]) -> Any:
    """A record as it was, made without the checks that it has passed once."""
    if issubclass(kind, tuple):
        return kind(*held)
    made = object.__new__(kind)
    for name, value in zip(_names(kind), held, strict=True):
        object.__setattr__(made, name, value)
    return made
