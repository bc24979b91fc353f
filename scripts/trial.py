"""What the trials of Binder and of the packages share: environments of their own, steps, words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = [
    "CannotTry",
    "Fault",
    "end_of",
    "environment",
    "make_environment",
    "pins",
    "project_files",
    "run",
    "step",
]

INSTALL_TIMEOUT = 1_800.0  # seconds
_DROPPED = re.compile(r"PYTHON|JUPYTER|IPYTHON|VIRTUAL_ENV|CONDA|HORIZON|MPL")
_KEY_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL", re.I)


class Fault(Exception):
    """What was tried does not do what it should."""


class CannotTry(Exception):
    """This machine lacks what the trial needs."""


def project_files(repository: Path, *under: str) -> list[str]:
    """The names of the project's files as they are now: tracked, or new and not ignored."""
    command = ["git", "-C", str(repository), "ls-files", "-z", "--cached", "--others"]
    said = run([*command, "--exclude-standard", "--", *under], what="git ls-files")
    # One that was deleted is listed as well.
    return sorted({name for name in said.split("\0") if name and (repository / name).is_file()})


def pins(lock: Path, target: Path) -> Path:
    """Write the lock without its hashes to `target`: the project itself has no hash."""
    text = re.sub(r"^ *--hash=.*\n", "", lock.read_text(encoding="utf-8"), flags=re.M)
    target.write_text(re.sub(r" *\\$", "", text, flags=re.M), encoding="utf-8")
    return target


def make_environment(version: str, folder: Path) -> Path:
    """Make a virtual environment with Python `version`, as ``"3.11"``; return its interpreter."""
    for name in (sys.executable, f"python{version}", "python3", "python"):
        found = shutil.which(name)
        if found is None:
            continue
        code = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
        said = subprocess.run([found, "-c", code], capture_output=True, text=True, check=False)
        if said.stdout.strip() == version:
            run([found, "-m", "venv", str(folder)], what="python -m venv")
            return folder / "bin" / "python"
    raise CannotTry(f"there is no Python {version} on this machine")


def environment(python: Path, home: Path | None = None) -> dict[str, str]:
    """The variables of a step: as here, without this environment's own and without keys."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not _DROPPED.match(name) and not _KEY_NAME.search(name)
    }
    kept["PATH"] = f"{python.parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        kept |= {"HOME": str(home), "JUPYTER_PLATFORM_DIRS": "1"}
    return kept


def run(
    command: list[str],
    *,
    what: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = INSTALL_TIMEOUT,
) -> str:
    """Run a command and return what it prints; a Fault with the end of it if it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise Fault(f"{what}: cannot be run: {error}") from None
    except subprocess.TimeoutExpired:
        raise Fault(f"{what}: not done after {timeout:.0f} s") from None
    if done.returncode:
        said = end_of(done.stdout + done.stderr)
        raise Fault(f"{what}: ended with code {done.returncode}:\n{said}")
    return done.stdout


def end_of(text: str, lines: int = 20) -> str:
    """The last lines of what a command said."""
    kept = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in kept[-lines:])


def step(name: str, work: Callable[[], str]) -> str:
    """Take a step, and print its seconds and what it found."""
    begun = time.monotonic()
    said = work()
    print(f"{time.monotonic() - begun:7.1f} s  {name}: {said}", flush=True)
    return said
