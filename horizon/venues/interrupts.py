"""An interrupt waits for the end of the command that it falls into.

Python raises KeyboardInterrupt between any two steps of the main thread. Between the two halves
of a fill that would leave money without its position. So, while a venue is open, the interrupt
signal is looked at first: inside a command (the thread holds a venue's lock) it is sent again a
moment later, outside it goes where it always went. A command pays nothing for this.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
import weakref
from types import FrameType
from typing import Any, Final

__all__ = ["defer_interrupts"]

_RETRY_SECS: Final = 0.001
#: A command that takes longer than this is stuck, in a listener say: it is interrupted.
_PATIENCE_SECS: Final = 5.0

_locks: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_previous: Any = None
_waiting_since: float | None = None
_watched_shells: weakref.WeakSet[Any] = weakref.WeakSet()


def defer_interrupts(owner: Any) -> None:
    """Let interrupts wait for the commands of a venue; `owner` has a ``_lock``.

    Only the main thread is ever interrupted, and only there can this be set up: elsewhere it
    does nothing. In a notebook it is set up anew for each cell, since the kernel resets the
    signal's handler before it runs one.
    """
    _locks[id(owner)] = owner
    _install()
    shell = _shell()
    if shell is not None and shell not in _watched_shells:
        _watched_shells.add(shell)
        shell.events.register("pre_run_cell", _before_cell)


def _before_cell(*_: object) -> None:
    _install()


def _install() -> None:
    global _previous
    if threading.current_thread() is not threading.main_thread():
        return
    current = signal.getsignal(signal.SIGINT)
    # A program that ignores interrupts, or handles them outside Python, is left alone.
    if current is not _on_interrupt and callable(current):
        _previous = current
        signal.signal(signal.SIGINT, _on_interrupt)


def _on_interrupt(signum: int, frame: FrameType | None) -> None:
    global _waiting_since
    now = time.monotonic()
    since = _waiting_since if _waiting_since is not None else now
    if _inside_command() and now - since < _PATIENCE_SECS:
        _waiting_since = since
        retry = threading.Timer(_RETRY_SECS, _send_again)
        retry.daemon = True
        retry.start()
        return
    _waiting_since = None
    if callable(_previous):
        _previous(signum, frame)


def _send_again() -> None:
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGINT)  # wakes it where it sleeps, too
    else:
        _thread.interrupt_main()


def _inside_command() -> bool:
    # threading.Condition asks its lock the same; there is no public way to.
    return any(owner._lock._is_owned() for owner in list(_locks.values()))


def _shell() -> Any:
    """The IPython shell, where there is one; IPython is never loaded for this."""
    module = sys.modules.get("IPython")
    get = getattr(module, "get_ipython", None)
    return get() if callable(get) else None
