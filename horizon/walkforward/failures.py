"""Errors on their way back from a worker, with their causes; and which errors mean a lost one."""

from __future__ import annotations

import pickle
import traceback
from concurrent.futures import BrokenExecutor, CancelledError
from itertools import pairwise
from typing import Final, NamedTuple

from horizon import words

__all__ = ["Failure", "WorkerTraceback", "failure_of", "is_loss", "raised"]

#: Names of the errors of clusters that say that a worker, and not a run, has failed. Their
#: modules are imported by nobody who does not use them.
_LOSSES: Final = {
    "distributed": {"CommClosedError", "FutureCancelledError", "KilledWorker"},
    "ray": {
        "ActorDiedError",
        "ActorUnavailableError",
        "NodeDiedError",
        "OutOfMemoryError",
        "OwnerDiedError",
        "RayActorError",
        "WorkerCrashedError",
    },
}


class WorkerTraceback(Exception):
    """Where in a worker an error was raised: the end of its chain of causes, in words."""


class Link(NamedTuple):
    """One error of a chain: its pickle, or its type and text where it has none."""

    pickled: bytes | None
    text: str
    notes: tuple[str, ...]


class Failure(NamedTuple):
    """An error, then its cause, then the cause's; and where it was raised."""

    links: tuple[Link, ...]
    trace: str


def failure_of(error: BaseException) -> Failure:
    """Pack an error with the chain of its causes, which pickle would leave behind."""
    links = []
    each: BaseException | None = error
    met: set[int] = set()
    while each is not None and id(each) not in met:
        met.add(id(each))
        links.append(_link(each))
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return Failure(tuple(links), "".join(traceback.format_exception(error)))


def raised(failure: Failure) -> BaseException:
    """Unpack an error, to be raised: as it would be in this process.

    Behind its last cause stands where it was raised, as text: a traceback cannot be pickled.
    """
    errors = [_error(link) for link in failure.links]
    errors.append(WorkerTraceback(f"\n{failure.trace.rstrip()}"))
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def _link(error: BaseException) -> Link:
    import cloudpickle

    text = words.raised(error)
    notes = tuple(map(str, getattr(error, "__notes__", ())))
    try:
        pickled: bytes | None = cloudpickle.dumps(error)
        pickle.loads(pickled)  # type: ignore[arg-type]  # some can be written and not read
    except Exception:  # an error can hold anything; what it says must still arrive
        pickled = None
    return Link(pickled, text, notes)


def _error(link: Link) -> BaseException:
    error: object = None
    if link.pickled is not None:
        try:
            error = pickle.loads(link.pickled)
        except Exception:  # of a class that this process does not have
            error = None
    if not isinstance(error, BaseException):
        error = RuntimeError(link.text)
    if link.notes:
        error.__notes__ = list(link.notes)
    return error


def is_loss(error: BaseException) -> bool:
    """Whether an error says that a worker was lost, and nothing of the run that it was at."""
    if isinstance(error, (BrokenExecutor, CancelledError)):
        return True
    return any(
        kind.__name__ in _LOSSES.get(kind.__module__.partition(".")[0], ())
        for kind in type(error).__mro__
    )
