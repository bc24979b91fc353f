"""Runs of a plan done somewhere: in this process, by any joblib backend, by any executor."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from horizon import checks
from horizon.walkforward.backends import (
    HERE,
    THREADS,
    UNSTREAMED,
    check_executor,
    jobs_from,
    prepare,
)
from horizon.walkforward.failures import is_loss
from horizon.walkforward.rounds import (
    Job,
    Queue,
    Round,
    Runner,
    Settings,
    WorkerLost,
    do_one,
    work,
)
from horizon.walkforward.shipping import Shipment
from horizon.walkforward.tasks import Outcome, Plan, Task, run_task

if TYPE_CHECKING:
    from horizon.walkforward.store import Store

__all__ = ["Crew", "Interrupted", "WorkerLost", "execute"]

#: Tasks given out for each worker: the one that it is at, and the next. With more than loky has
#: room for between processes, an interrupt would end in an error of loky's own thread.
_AHEAD: Final = 2
#: The same where nobody says how many workers there are.
_MANY: Final = 512


class Interrupted(KeyboardInterrupt):
    """The user has interrupted; what was finished is kept.

    Attributes
    ----------
    done : list of Outcome
        In task order.
    """

    def __init__(self, done: list[Outcome]) -> None:
        super().__init__(f"interrupted with {len(done):,} runs done")
        self.done = done


def execute(
    plan: Plan,
    tasks: Sequence[Task],
    *,
    n_jobs: int = 1,
    backend: str = "loky",
    executor: Executor | None = None,
    store: Store | None = None,
    on_done: Callable[[Outcome], None] | None = None,
    retries: int = 2,
    run: Runner = run_task,
) -> list[Outcome]:
    """Do the tasks of a plan; see `Crew` for the arguments and `Crew.run` for the errors.

    Returns
    -------
    list of Outcome
        In task order, whoever has done what when.
    """
    with Crew(
        plan,
        n_jobs=n_jobs,
        backend=backend,
        executor=executor,
        store=store,
        retries=retries,
        run=run,
    ) as crew:
        return crew.run(tasks, on_done=on_done)


class Crew:
    """Workers that are given a plan once, for as many rounds of tasks as it takes.

    Parameters
    ----------
    plan : Plan
    n_jobs : int
        How many workers: 1 is this process, -1 one for each core, -2 one less.
    backend : str
        Of joblib: ``"loky"``, ``"threading"``, ``"multiprocessing"``; ``"dask"``, on the current
        `distributed.Client`; ``"ray"``; or any other that is registered. A cluster's workers are
        used where it is named, also with ``n_jobs=1``.
    executor : concurrent.futures.Executor, optional
        In place of both. It is not shut down.
    store : Store, optional
        Where finished runs are looked up, and kept.
    retries : int
        How often a task is given out again whose worker has ended (killed, out of memory).
    run : callable
        Plan and task to outcome.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above; for `executor` together with the others.
    ImportError
        If the backend's package is not installed.

    Notes
    -----
    The plan goes once to each process, its arrays as memory-mapped files. A task carries its
    numbers and its parameters. Results do not depend on who has done what when, as long as the
    pipeline of a run keeps nothing for the next one.

    joblib's ``"multiprocessing"`` waits for ever for a worker that was killed; ``"loky"`` and
    clusters give its tasks to another.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        n_jobs: int = 1,
        backend: str = "loky",
        executor: Executor | None = None,
        store: Store | None = None,
        retries: int = 2,
        run: Runner = run_task,
    ) -> None:
        self._n_jobs = jobs_from(n_jobs)
        self._retries = checks.integer("retries", retries, least=0)
        check_executor(executor, n_jobs, backend)
        if executor is None:
            prepare(backend)
        self._plan = plan
        self._backend = backend
        self._executor = executor
        self._substitute: Executor | None = None
        self._store = store
        self._run = run
        self._shipment: Shipment | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the plan back; workers of joblib and of an executor live on."""
        if self._shipment is not None:
            self._shipment.close()
            self._shipment = None
        if self._substitute is not None:
            self._substitute.shutdown(cancel_futures=True)
            self._substitute = None

    def run(
        self,
        tasks: Sequence[Task],
        *,
        settings: Settings | None = None,
        on_done: Callable[[Outcome], None] | None = None,
        on_found: Callable[[Outcome], None] | None = None,
    ) -> list[Outcome]:
        """Do some tasks.

        Parameters
        ----------
        tasks : sequence of Task
            Each with a number of its own.
        settings : sequence of dict, optional
            What ``task.setting`` counts; the plan's, where left out.
        on_done : callable, optional
            Called in this thread with each outcome as it comes, those of the store first.
        on_found : callable, optional
            Called with those of the store in its place.

        Returns
        -------
        list of Outcome
            In task order.

        Raises
        ------
        Exception
            What a task raises, with its causes: of several the one with the smallest number, so
            that it is the same each time.
        WorkerLost
            If a task's worker has ended more than `retries` times.
        Interrupted
            At a KeyboardInterrupt, with what was done.
        """
        own = self._plan.settings if settings is None else settings
        round_ = Round(own, self._store, on_done, on_found)
        try:
            jobs = round_.look_up(tasks)
            if jobs and self._is_alone:
                for job in jobs:
                    round_.finish(job, do_one(self._run, self._plan, job.task, job.setting))
            elif jobs:
                self._elsewhere(jobs, round_)
        except KeyboardInterrupt:
            raise Interrupted(round_.outcomes()) from None
        return round_.outcomes()

    # ------------------------------------------------------------------ elsewhere
    @property
    def _is_alone(self) -> bool:
        return self._executor is None and self._n_jobs == 1 and self._backend in HERE

    def _elsewhere(self, jobs: Sequence[Job], round_: Round) -> None:
        if self._shipment is None:
            is_local = self._backend in THREADS or isinstance(self._executor, ThreadPoolExecutor)
            self._shipment = Shipment((self._run, self._plan), is_local=is_local)
        queue = Queue(jobs, self._shipment, round_)
        while queue.has_next:
            answers = self._by_joblib(queue) if self._executor is None else self._by_executor(queue)
            try:
                with contextlib.closing(answers):
                    for answer in answers:
                        queue.take(answer)
            except Exception as error:
                if not is_loss(error):
                    raise
                queue.lost(error, self._retries)
                self._replace_executor(error)
        queue.raise_failure()

    def _by_joblib(self, queue: Queue) -> Generator[Any]:
        import joblib

        n_jobs = self._n_jobs if self._backend in HERE or self._n_jobs != 1 else -1
        calls = (joblib.delayed(work)(message) for message in queue.messages())
        # By the context: Dask's backend does not take what `Parallel` hands to one by name.
        with joblib.parallel_config(backend=self._backend, n_jobs=n_jobs):
            parallel = joblib.Parallel(
                batch_size=1,  # a task is long enough to go alone, and then none waits for another
                pre_dispatch=f"{_AHEAD}*n_jobs",
                max_nbytes=None,  # messages are bytes, not arrays
                return_as="list" if self._backend in UNSTREAMED else "generator_unordered",
            )
            workers = joblib.effective_n_jobs(n_jobs)
        if self._backend in UNSTREAMED:
            yield from _in_parts(parallel, calls, 4 * workers)
            return
        answers = parallel(calls)
        try:
            for answer in answers:
                if isinstance(answer, BaseException):  # Dask's, for a task that it has given up
                    raise answer
                yield answer
        finally:
            with warnings.catch_warnings():
                # That tasks are cancelled is what we want here.
                warnings.filterwarnings("ignore", ".*tasks (have been|which were)", UserWarning)
                answers.close()

    def _by_executor(self, queue: Queue) -> Generator[Any]:
        executor = self._substitute or self._executor
        assert executor is not None
        ahead = getattr(executor, "_max_workers", 0) * _AHEAD or _MANY
        pending: set[Future[Any]] = set()
        try:
            while True:
                for message in itertools.islice(queue.messages(), ahead - len(pending)):
                    pending.add(executor.submit(work, message))
                if not pending:
                    return
                ended, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield future.result()
                if queue.is_decided:
                    return
        finally:
            for future in pending:
                future.cancel()

    def _replace_executor(self, error: Exception) -> None:
        """Go on with a pool of processes of the same kind: a broken one takes no more tasks."""
        broken = self._substitute or self._executor
        if broken is None or not isinstance(error, BrokenExecutor):
            return
        if type(broken) is not ProcessPoolExecutor:
            raise WorkerLost(
                f"the executor ({type(broken).__name__}) has lost a worker and takes no more tasks"
            ) from error
        if self._substitute is not None:
            self._substitute.shutdown(cancel_futures=True)
        self._substitute = ProcessPoolExecutor(
            broken._max_workers,  # type: ignore[attr-defined]
            broken._mp_context,
            broken._initializer,
            broken._initargs,
        )


def _in_parts(parallel: Any, calls: Iterator[Any], size: int) -> Iterator[Any]:
    with parallel:  # one pool for all parts
        while part := list(itertools.islice(calls, size)):
            yield from parallel(part)
