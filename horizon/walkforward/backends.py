"""Which backends of joblib there are, and what they can do."""

from __future__ import annotations

from typing import Final

from horizon import checks

__all__ = ["HERE", "THREADS", "UNSTREAMED", "check_executor", "jobs_from", "prepare"]

#: Backends whose workers are of this computer. The others are clusters, whose workers are asked
#: for by their name: n_jobs=1, the default, does not keep the work in this process.
HERE: Final = ("loky", "multiprocessing", "sequential", "threading")
#: Backends whose workers are threads of this process.
THREADS: Final = ("sequential", "threading")
#: Backends that answer only when all is done: they are given a few tasks at a time.
UNSTREAMED: Final = ("multiprocessing", "ray")


def jobs_from(n_jobs: object) -> int:
    """Take a number of workers, below 0 counted from the cores."""
    least = -1_000_000
    jobs = checks.integer("n_jobs", n_jobs, least=least)
    if jobs == 0:
        raise ValueError("n_jobs must be 1 or more, or -1 for one worker a core; was 0")
    return jobs


def check_executor(executor: object, n_jobs: int, backend: str) -> None:
    """Require an executor, if there is one, to be one, and to stand alone."""
    if executor is None:
        return
    if not callable(getattr(executor, "submit", None)):
        raise TypeError(
            "executor must be a concurrent.futures.Executor, was "
            f"{checks.show(executor)} ({type(executor).__name__})"
        )
    if n_jobs != 1 or backend != "loky":
        given = f"n_jobs={n_jobs!r}" if n_jobs != 1 else f"backend={backend!r}"
        raise ValueError(f"executor and {given} exclude each other: an executor has its workers")


def prepare(backend: object) -> None:
    """Take the name of a backend that can be used."""
    if backend in HERE:
        return
    import joblib.parallel

    if backend == "ray":
        try:
            from ray.util.joblib import register_ray
        except ImportError as error:
            raise ImportError(_missing("ray")) from error
        register_ray()
    elif backend == "dask":
        try:
            import distributed  # noqa: F401
        except ImportError as error:
            raise ImportError(_missing("dask")) from error
    known = [*HERE, *joblib.parallel.BACKENDS, *joblib.parallel.EXTERNAL_BACKENDS, "ray"]
    checks.one_of("backend", backend, dict.fromkeys(known))


def _missing(name: str) -> str:
    return f"backend={name!r} needs {name}: pip install 'horizon-workbench[{name}]'"
