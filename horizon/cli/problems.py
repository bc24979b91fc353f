"""What becomes of an error: which are said in a line, and what is shown of a traceback."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from horizon.errors import HorizonError

__all__ = ["Failed", "in_words", "is_of_script", "script_traceback", "unreadable"]

_PACKAGE: Final = str(Path(__file__).resolve().parents[1])
#: Where other people's code is.
_INSTALLED: Final = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


class Failed(Exception):
    """Something in the work went wrong, in words for the reader; exit code 1."""


def in_words(error: BaseException) -> str | None:
    """Return what to say of an error that its user can mend; None of one that is a fault of ours.

    Wrong arguments are ``ValueError`` and the like, which a fault may raise as well: they are
    ours to say if this package has raised them itself.
    """
    if isinstance(error, OSError) and error.strerror:
        # Two names where something was moved.
        names = [str(name) for name in (error.filename, error.filename2) if name is not None]
        return ": ".join([*names, error.strerror])
    if isinstance(error, (Failed, HorizonError, OSError)):
        return str(error)
    if isinstance(error, (ValueError, TypeError, ImportError)) and _is_raised_here(error):
        return str(error)
    return None


def unreadable(error: BaseException) -> str | None:
    """Return what is wrong with a file that a library could not read; None of another error."""
    library = type(error).__module__.partition(".")[0]
    if isinstance(error, UnicodeDecodeError) or library in ("pandas", "pyarrow"):
        return str(error).strip().split("\n", 1)[0]
    if isinstance(error, ImportError) and "pyarrow" in str(error):
        return "Parquet files need pyarrow: pip install 'horizon-workbench[parquet]'"
    return None


def _is_raised_here(error: BaseException) -> bool:
    files = list(_files(error.__traceback__))
    return bool(files) and files[-1].startswith(_PACKAGE)


def _files(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename
        trace = trace.tb_next


# ------------------------------------------------------------------------ a user's script
def is_of_script(error: BaseException) -> bool:
    """Whether an error, or what has caused it, came up in a user's own code."""
    seen: BaseException | None = error
    while seen is not None:
        if any(_is_users(name) for name in _files(seen.__traceback__)):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _is_users(name: str) -> bool:
    return not name.startswith((_PACKAGE, *_INSTALLED, "<"))


def script_traceback(error: BaseException) -> str:
    """Write the traceback of an error in a user's script, without the frames of this package."""
    whole = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = whole
    while part is not None:
        kept = [frame for frame in part.stack if not frame.filename.startswith(_PACKAGE)]
        part.stack = traceback.StackSummary.from_list(kept)
        part = part.__cause__ or part.__context__
    return "".join(whole.format()).rstrip("\n")
