"""A round of tasks: what waits, what is on its way, what has come back; and what a worker does."""

from __future__ import annotations

import pickle
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from horizon.walkforward.failures import Failure, failure_of, raised
from horizon.walkforward.shipping import Address, NotHere, Parcel, Shipment, dumps, fetch
from horizon.walkforward.tasks import Outcome, Plan, Task

if TYPE_CHECKING:
    from horizon.walkforward.store import Store

__all__ = ["Job", "Queue", "Round", "Runner", "Settings", "WorkerLost", "do_one", "work"]

Runner = Callable[[Plan, Task], Outcome]
Settings = Sequence[Mapping[str, Any]]


class WorkerLost(RuntimeError):
    """A worker has ended while it was at a task, time and again."""


# ------------------------------------------------------------------------ in a worker
class Answer(NamedTuple):
    """What a worker says of a task: what came of it, what went wrong, or that it has no plan."""

    number: int
    kind: Literal["done", "failed", "not here"]
    content: Any


class Message(NamedTuple):
    """What a worker is told of a task; its parameters pickled for another process."""

    address: Address
    task: Task
    setting: Any
    parcel: Parcel | None


def work(message: bytes | Message) -> bytes | Answer:
    """Do a task; called in the worker, with bytes where that is another process."""
    if not isinstance(message, bytes):
        return _answer(message)
    answer = _answer(pickle.loads(message))
    if answer.kind == "failed":
        answer = answer._replace(content=failure_of(answer.content))
    return pickle.dumps(answer, protocol=5)


def _answer(message: Message) -> Answer:
    address, task, setting, parcel = message
    try:
        run, plan = fetch(address, parcel)
    except NotHere:
        return Answer(task.number, "not here", None)
    try:
        own = pickle.loads(setting) if isinstance(setting, bytes) else setting
        outcome = do_one(run, plan, task, own)
    except Exception as error:
        return Answer(task.number, "failed", error)
    return Answer(task.number, "done", outcome)


def do_one(run: Runner, plan: Plan, task: Task, setting: Mapping[str, Any]) -> Outcome:
    """Do a task whose parameters come along with it."""
    alone = replace(plan, settings=(dict(setting),))
    return replace(run(alone, task._replace(setting=0)), task=task)


# ------------------------------------------------------------------------ at home
@dataclass(slots=True, eq=False)
class Job:
    """A task that is yet to be done.

    Attributes
    ----------
    setting : mapping
        Its parameters.
    losses : int
        How often a worker was lost while it was on its way.
    wants_plan : bool
        Whether it goes to a worker that could not see the plan.
    """

    task: Task
    setting: Mapping[str, Any]
    losses: int = 0
    wants_plan: bool = False

    @property
    def number(self) -> int:
        """Its place among all tasks."""
        return self.task.number


class Round:
    """What has come of some tasks so far."""

    def __init__(
        self,
        settings: Settings,
        store: Store | None,
        on_done: Callable[[Outcome], None] | None,
        on_found: Callable[[Outcome], None] | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._on_done = on_done
        self._on_found = on_done if on_found is None else on_found
        self._outcomes: dict[int, Outcome] = {}

    def look_up(self, tasks: Sequence[Task]) -> list[Job]:
        """Return what is yet to be done, in order; the rest is in the store."""
        jobs = []
        for task in sorted(tasks, key=lambda one: one.number):
            job = Job(task, self._settings[task.setting])
            known = None if self._store is None else self._store.load(task, job.setting)
            if known is None:
                jobs.append(job)
            else:
                self._note(known, self._on_found)
        return jobs

    def finish(self, job: Job, outcome: Outcome) -> None:
        """Keep what came of a task."""
        if self._store is not None:
            self._store.save(outcome, job.setting)
        self._note(outcome, self._on_done)

    def _note(self, outcome: Outcome, tell: Callable[[Outcome], None] | None) -> None:
        self._outcomes[outcome.task.number] = outcome
        if tell is not None:
            tell(outcome)

    def outcomes(self) -> list[Outcome]:
        """All so far, in the order of their tasks."""
        return [self._outcomes[number] for number in sorted(self._outcomes)]


class Queue:
    """Jobs in the order of their tasks: given out in it, given out again where they are lost.

    Parameters
    ----------
    jobs : list of Job
    shipment : Shipment
        Where workers find the plan.
    round_ : Round
        What is told of answers.
    """

    def __init__(self, jobs: Sequence[Job], shipment: Shipment, round_: Round) -> None:
        self._waiting = list(reversed(jobs))  # the next one last
        self._away: dict[int, Job] = {}
        self._failures: dict[int, Exception | Failure] = {}
        self._shipment = shipment
        self._parcel: Parcel | None = None
        self._round = round_
        self._lock = threading.Lock()
        # Here and now: what cannot be pickled is said in the caller's thread, before anything
        # has begun, and a setting is pickled once for all its windows.
        settings: dict[int, Any] = {job.task.setting: dict(job.setting) for job in jobs}
        if not shipment.is_local:
            settings = {number: dumps(setting) for number, setting in settings.items()}
        self._settings = settings

    # ------------------------------------------------------------------ giving out
    @property
    def has_next(self) -> bool:
        """Whether a job is to be given out: none behind one that has failed."""
        return bool(self._waiting) and self._is_before_failures(self._waiting[-1].number)

    @property
    def is_decided(self) -> bool:
        """Whether a task has failed, and each before it has been done."""
        if not self._failures:
            return False
        return not self.has_next and not any(map(self._is_before_failures, self._away))

    def messages(self) -> Iterator[bytes | Message]:
        """What workers are told, job by job, until none waits; taken from in any thread."""
        while True:
            with self._lock:
                if not self.has_next:
                    return
                job = self._waiting.pop()
                self._away[job.number] = job
            yield self._message(job)

    def _message(self, job: Job) -> bytes | Message:
        shipment = self._shipment
        parcel = self._parcel if job.wants_plan else None
        setting = self._settings[job.task.setting]
        message = Message(shipment.address, job.task, setting, parcel)
        return message if shipment.is_local else pickle.dumps(message, protocol=5)

    def _is_before_failures(self, number: int) -> bool:
        return not self._failures or number < min(self._failures)

    # ------------------------------------------------------------------ taking back
    def take(self, answer: bytes | Answer) -> None:
        """Note what a worker says."""
        said = pickle.loads(answer) if isinstance(answer, bytes) else answer
        with self._lock:
            job = self._away.pop(said.number)
            if said.kind == "failed":
                self._failures[said.number] = said.content
            elif said.kind == "not here":
                job.wants_plan = True
                self._parcel = self._parcel or self._shipment.parcel()
                self._put_back([job])
        if said.kind == "done":
            self._round.finish(job, said.content)

    def lost(self, error: BaseException, retries: int) -> None:
        """Let all that is on its way wait again, for nobody knows which task it was.

        Raises
        ------
        WorkerLost
            If one of them has been lost too often.
        """
        with self._lock:
            jobs = sorted(self._away.values(), key=lambda job: job.number)
            self._away.clear()
            for job in jobs:
                job.losses += 1
            self._put_back(jobs)
        tired = [job.task.where for job in jobs if job.losses > retries]
        if tired:
            raise WorkerLost(
                f"a worker has ended {retries + 1} times while it was at {_some(tired)}: it was "
                f"killed, ran out of memory, or a compiled library has crashed ({error})"
            ) from error
        warnings.warn(
            f"a worker has ended while {len(jobs)} runs were on their way, which are made again: "
            f"{_some([job.task.where for job in jobs])} ({type(error).__name__})",
            RuntimeWarning,
            stacklevel=2,
        )

    def _put_back(self, jobs: Sequence[Job]) -> None:
        self._waiting += jobs
        self._waiting.sort(key=lambda job: -job.number)

    def raise_failure(self) -> None:
        """Raise the error of the first task that has failed, if one has."""
        if self._failures:
            first = self._failures[min(self._failures)]
            raise raised(first) if isinstance(first, Failure) else first


def _some(places: Sequence[str]) -> str:
    """The first few of a list, in words."""
    shown = ", ".join(dict.fromkeys(places[:3]))
    return shown if len(places) <= 3 else f"{shown}, …"
