"""A plan on its way to the workers: once to each, its arrays as memory-mapped files.

The plan is pickled once. Its arrays go into one file, which every worker on this machine maps:
they all read the same pages, and nothing is copied. What a task carries is the folder's name, a
few numbers and its parameters. A worker that cannot see the folder, for it is on another machine,
says so and is given the plan with a task.

Arrays are mapped copy-on-write: what a pipeline writes into an array that it closes over stays in
its worker, as it would have stayed in the array. A worker lets go of a plan when it is given the
next one, or ends.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import pickle
import secrets
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np

from horizon.walkforward.keys import user_modules

__all__ = ["Address", "NotHere", "Parcel", "Shipment", "dumps", "fetch"]

#: Smaller arrays travel within the pickle: a page would be more than they are.
_LEAST: Final = 4096
#: Arrays begin at multiples of it, as they do when NumPy makes them.
_ALIGNED: Final = 64
#: Larger files are looked at page by page when they are mapped. loky counts mapped pages as the
#: worker's memory, from its first task on, and ends a worker that has grown by 300 MB since.
_LARGE: Final = 1 << 27
_PLAN: Final = "plan.pickle"
_ARRAYS: Final = "arrays.bin"


class Address(NamedTuple):
    """Where a worker finds a plan: what a task carries of it.

    Attributes
    ----------
    token : str
        Another for every shipment.
    folder : str
        Empty where the plan never leaves this process.
    """

    token: str
    folder: str


class Parcel(NamedTuple):
    """A plan on its way to a worker that does not see the folder."""

    plan: bytes
    arrays: bytes


class NotHere(Exception):
    """A worker has no such plan, and cannot see the folder that has it."""


#: Plans that this process has made, and those that it has been sent, by token.
_MADE: Final[dict[str, Any]] = {}
_SENT: Final[dict[str, Any]] = {}
_LOCK: Final = threading.Lock()


class Shipment:
    """A plan in a temporary folder, until it is closed.

    Parameters
    ----------
    plan : object
        Anything that cloudpickle takes.
    is_local : bool
        Whether all workers are threads of this process: then nothing is written.

    Attributes
    ----------
    address : Address
    is_local : bool
    """

    def __init__(self, plan: object, *, is_local: bool = False) -> None:
        self._plan = plan
        self.is_local = is_local
        token = secrets.token_hex(8)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.address = Address(token, "")
        if not is_local:
            # Where a worker still maps the files (on Windows) they stay until it ends.
            self._folder = tempfile.TemporaryDirectory(
                prefix="horizon-plan-", ignore_cleanup_errors=True
            )
            try:
                self._write(Path(self._folder.name))
            except BaseException:
                self._folder.cleanup()
                raise
            self.address = Address(token, self._folder.name)
        _MADE[token] = plan

    def _write(self, folder: Path) -> None:
        pickled, buffers = _packed(self._plan)
        sizes = []
        with folder.joinpath(_ARRAYS).open("wb") as file:
            for buffer in buffers:
                raw = buffer.raw()
                file.write(bytes(-file.tell() % _ALIGNED))
                sizes.append((file.tell(), raw.nbytes, raw.readonly))
                file.write(raw)
        folder.joinpath(_PLAN).write_bytes(pickle.dumps((sizes, pickled)))

    def parcel(self) -> Parcel:
        """The plan for a worker that cannot see the folder."""
        assert self._folder is not None
        folder = Path(self._folder.name)
        return Parcel(folder.joinpath(_PLAN).read_bytes(), folder.joinpath(_ARRAYS).read_bytes())

    def close(self) -> None:
        """Forget the plan and remove its folder; workers that map it keep what they map."""
        _MADE.pop(self.address.token, None)
        if self._folder is not None:
            self._folder.cleanup()


def fetch(address: Address, parcel: Parcel | None = None) -> Any:
    """Return the plan at an address: from memory, from its folder, or from a parcel.

    Raises
    ------
    NotHere
        If it is in none of them.
    """
    token = address.token
    if token in _MADE:
        return _MADE[token]
    with _LOCK:  # threads of one worker load it once
        if token not in _SENT:
            plan = _loaded(address, parcel)
            _SENT.clear()  # a worker that lives on keeps one plan, not all
            _SENT[token] = plan
        return _SENT[token]


def _loaded(address: Address, parcel: Parcel | None) -> Any:
    if parcel is not None:
        with tempfile.TemporaryFile() as own:
            own.write(parcel.arrays)
            own.flush()
            return _unpacked(parcel.plan, own.fileno())
    folder = Path(address.folder)
    try:
        plan = folder.joinpath(_PLAN).read_bytes()
        file = folder.joinpath(_ARRAYS).open("rb")
    except OSError:
        raise NotHere(address.folder) from None
    with file:
        return _unpacked(plan, file.fileno())


def _unpacked(plan: bytes, handle: int) -> Any:
    sizes, pickled = pickle.loads(plan)
    if not sizes:
        return pickle.loads(pickled)
    mapped = memoryview(mmap.mmap(handle, 0, access=mmap.ACCESS_COPY))
    if len(mapped) > _LARGE:
        np.frombuffer(mapped, dtype=np.uint8)[:: mmap.PAGESIZE].max()
    buffers = [
        mapped[at : at + size].toreadonly() if is_readonly else mapped[at : at + size]
        for at, size, is_readonly in sizes
    ]
    return pickle.loads(pickled, buffers=buffers)


# ------------------------------------------------------------------------ pickling
def dumps(value: object) -> bytes:
    """Pickle anything, functions of the user's by what they do and not by their name."""
    return _packed(value, is_whole=True)[0]


def _packed(value: object, *, is_whole: bool = False) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """A pickle, and beside it the arrays that are not in it: none of a whole one."""
    buffers: list[pickle.PickleBuffer] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        """Whether it travels within the pickle."""
        try:
            if buffer.raw().nbytes < _LEAST:
                return True
        except BufferError:  # in no order that a file has
            return True
        buffers.append(buffer)
        return False

    aside = None if is_whole else keep
    modules = user_modules(value)
    # By value: a worker that lives on has an older version of a module that was edited since, and
    # one on another machine has none. What cannot be taken by value (a module's lock, a handle)
    # goes by name, as pickle would have it.
    for named in ([], *([one] for one in modules), modules):
        buffers.clear()
        try:
            with _by_value([one for one in modules if one not in named]):
                packed = _written(value, aside)
        except (TypeError, pickle.PicklingError) as error:
            if named == modules:
                raise
            why = error
            continue
        if named:
            names = ", ".join(one.__name__ for one in named)
            warnings.warn(
                f"{names} cannot be sent to workers as it stands here ({why}): they import it, as "
                "it is on disk. What was changed in it since is not seen there; make what cannot "
                "be sent, such as a lock, where it is used",
                RuntimeWarning,
                stacklevel=2,
            )
        break
    return packed, buffers


def _written(value: object, keep: Any) -> bytes:
    import cloudpickle

    class Packer(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, held: Any) -> Any:
            made = _array_out_of_band(held) if isinstance(held, np.ndarray) else None
            return super().reducer_override(held) if made is None else made

    out = io.BytesIO()
    Packer(out, protocol=5, buffer_callback=keep).dump(value)
    return out.getvalue()


def _array_out_of_band(array: np.ndarray[Any, Any]) -> Any:
    """How to pickle an array whose content NumPy would write into the pickle; None for others."""
    if type(array) not in (np.ndarray, np.memmap) or array.nbytes < _LEAST:
        return None
    if array.dtype.hasobject:
        return None
    whole = np.ascontiguousarray(array).view(np.ndarray)
    if array.dtype.kind in "mM":  # times have no buffer
        return _viewed, (whole.view(np.int64), array.dtype.str)
    if type(array) is np.memmap or not array.flags.forc:  # a file's, or with gaps
        return whole.__reduce_ex__(5)
    return None


def _viewed(array: np.ndarray[Any, Any], kind: str) -> np.ndarray[Any, Any]:
    return array.view(kind)


@contextlib.contextmanager
def _by_value(modules: Sequence[ModuleType]) -> Iterator[None]:
    import cloudpickle

    known = cloudpickle.list_registry_pickle_by_value()
    added = [module for module in modules if module.__name__ not in known]
    for module in added:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in added:
            cloudpickle.unregister_pickle_by_value(module)
