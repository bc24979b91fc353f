"""Build the packages that would be published, and try them where nothing else is installed.

    python scripts/package_check.py               build into dist/ and try
    python scripts/package_check.py --build-only  build and look inside, install nothing

The source distribution and the wheel are built from the files as they are now, without asking a
package index for the build's own tools. The wheel must hold what the folder horizon/ holds, no
more and no less, and the source distribution must build the same wheel. Then the wheel is
installed into a virtual environment with the core dependencies alone, in the versions of
requirements.lock, and used there from outside the repository: orders, a backtest, the command
line. At last the extra `lab` is added, and a workbench is made.

Exit codes: 0 all is well, 1 a step failed, 2 wrong arguments, 3 this machine cannot try it.
"""

from __future__ import annotations

import argparse
import email
import json
import os
import re
import sys
import tarfile
import tempfile
import time
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for what the scripts share

from scripts.trial import (  # noqa: E402
    CannotTry,
    Fault,
    environment,
    make_environment,
    pins,
    project_files,
    run,
    step,
)

ADDRESS = "https://github.com/horizon-workbench/horizon"
WHEEL_CAP, SDIST_CAP = 1_500_000, 4_000_000  # bytes; more than that would be a file gone astray
#: What the source distribution needs besides the package: to build, to read, to test.
SDIST_NEEDS = ("pyproject.toml", "README.md", "LICENSE", "tests/conftest.py")
SDIST_REFUSES = re.compile(r"(^|/)(\.venv|\.git|dist|build|__pycache__|\.env)(/|$)|\.pyc$")

CORE = """
import importlib.util, json, sys
import horizon as hz

absent = ["IPython", "anywidget", "ipywidgets", "jupyterlab", "plotly", "pyarrow", "scipy"]
there = [name for name in absent if importlib.util.find_spec(name)]
assert not there, f"this environment has more than the core dependencies: {there}"

with hz.connect("paper", initial_cash_usd=100_000, fee_bps=10, clock=lambda: 0.0) as ex:
    ex.tick("AAPL", 181.0)
    order = ex.buy("AAPL", qty=10, limit=180.0)
    ex.tick("AAPL", 179.5)
    assert ex.order(order.id).status == "filled", ex.order(order.id)
    # 100,000 less 10 x 180, less 10 bps of 1,800.
    assert abs(ex.balance().cash - 98_198.2) < 1e-9, ex.balance()
    assert len(ex.positions_frame()) == 1

result = hz.backtest(
    "one order",
    markets=["m"],
    data={"timestamp": [0, 60, 120], "price": [0.42, 0.40, 0.45]},
    pipeline=[lambda ctx: hz.quotes(0.42, spread=0.04, size=10)],
    initial_capital=1_000,
)
# Bid 0.40, ask 0.44: the second row reaches the bid, the third the ask.
fills = [(round(fill.price, 9), fill.size, fill.is_maker) for fill in result.fills]
assert fills == [(0.40, 10, True), (0.44, 10, True)], fills
assert "one order" in result.summary()

try:
    hz.widgets.OrderTicket
except ImportError as error:
    refusal = str(error)
else:
    raise AssertionError("hz.widgets loads without ipywidgets")
assert "[lab]" in refusal, f"the message does not name the extra: {refusal}"
print(json.dumps({"version": hz.__version__, "file": hz.__file__, "refusal": refusal}))
"""
SCRIPT = """
import horizon as hz

result = hz.backtest(
    "one order",
    markets=["m"],
    data={"timestamp": [0, 60, 120], "price": [0.42, 0.40, 0.45]},
    pipeline=[lambda ctx: hz.quotes(0.42, spread=0.04, size=10)],
    initial_capital=1_000,
)
"""
LAB = """
import asyncio, gc, json
from importlib.resources import files
import anywidget
import horizon as hz

async def main():
    desk = hz.workbench()
    faces = [part for part in gc.get_objects() if isinstance(part, anywidget.AnyWidget)]
    blank = [type(face).__name__ for face in faces if not getattr(face, "_esm", "")]
    assert not blank, f"these came without their page side: {blank}"
    desk.close()
    return sorted({type(face).__name__ for face in faces})

faces = asyncio.run(main())
assert {"Dock", "OrderTicket", "PriceChart"} <= set(faces), faces
static = sorted(part.name for part in files("horizon.widgets").joinpath("static").iterdir())
print(json.dumps({"faces": faces, "static": static}))
"""


# Archives keep times; with a fixed one two builds of the same files are the same bytes.
_DATED = {"SOURCE_DATE_EPOCH": "1577836800"}
_ENTRY_POINT = '[project.scripts] horizon = "horizon.cli:main"'


def build(repository: Path, target: Path) -> tuple[Path, Path]:
    """Build the source distribution, and the wheel from it; return both."""
    target.mkdir(parents=True, exist_ok=True)
    for old in [*target.glob("horizon_workbench-*.whl"), *target.glob("horizon_workbench-*.gz")]:
        old.unlink()
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target)]
    run([*command, str(repository)], what="python -m build", env=os.environ | _DATED)
    wheels, sources = list(target.glob("*.whl")), list(target.glob("*.tar.gz"))
    if len(wheels) != 1 or len(sources) != 1:
        raise Fault(f"one wheel and one source distribution were expected in {target.name}/")
    return wheels[0], sources[0]


def check_wheel(repository: Path, wheel: Path) -> str:
    """The wheel holds horizon/ as it is, says the right things of itself, and is small."""
    wanted = set(project_files(repository, "horizon"))
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = {name for name in names if ".dist-info/" in name}
        if missing := sorted(wanted - names):
            raise Fault(f"the wheel lacks {', '.join(missing[:10])}")
        if extra := sorted(names - info - wanted):
            raise Fault(f"the wheel holds what is no part of horizon/: {', '.join(extra[:10])}")
        if "horizon/py.typed" not in names:
            raise Fault("horizon/py.typed is missing: type checkers would not see our types")
        folder = next(iter(info)).split("/")[0]
        metadata = email.message_from_bytes(archive.read(f"{folder}/METADATA"))
        entries = f"{folder}/entry_points.txt"
        commands = archive.read(entries).decode() if entries in names else ""
    _check_metadata(repository, metadata)
    if not re.search(r"^horizon *= *horizon\.cli:main$", commands, re.M):
        raise Fault(f"the wheel has no command `horizon`; pyproject.toml lacks {_ENTRY_POINT}")
    size = wheel.stat().st_size
    if size > WHEEL_CAP:
        raise Fault(f"the wheel has {size:,} bytes, over the cap of {WHEEL_CAP:,}")
    pages = sum(name.endswith((".js", ".css")) for name in wanted)
    return f"{wheel.name}, {size / 1000:.0f} kB, {len(wanted)} files, {pages} of them js and css"


def _check_metadata(repository: Path, metadata: Message) -> None:
    version = declared_version(repository)
    with (repository / "pyproject.toml").open("rb") as source:
        project = tomllib.load(source)["project"]
    said = {
        "Name": (metadata["Name"], project["name"]),
        "Version": (metadata["Version"], version),
        "Requires-Python": (metadata["Requires-Python"], project["requires-python"]),
        "License-Expression": (metadata["License-Expression"], project["license"]),
        "Description-Content-Type": (metadata["Description-Content-Type"], "text/markdown"),
    }
    for field, (found, wanted) in said.items():
        if found != wanted:
            raise Fault(f"the wheel's {field} is {found!r}, expected {wanted!r}")
    addresses = metadata.get_all("Project-URL", [])
    if not any(text.partition(", ")[2].startswith(ADDRESS) for text in addresses):
        raise Fault(f"the wheel names no {ADDRESS}; pyproject.toml wants [project.urls]")


def declared_version(repository: Path) -> str:
    """The version that the package's own file declares."""
    text = (repository / "horizon" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.M)
    if found is None:
        raise Fault("horizon/__init__.py declares no __version__")
    return found.group(1)


def check_source(source: Path, wheel: Path, folder: Path, repository: Path) -> str:
    """The source distribution has what it needs, and is what the wheel was built from."""
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {*SDIST_NEEDS, *project_files(repository, "horizon")}
    if missing := sorted(wanted - names):
        raise Fault(f"the source distribution lacks {', '.join(missing[:10])}")
    if stray := sorted(name for name in names if SDIST_REFUSES.search(name)):
        raise Fault(f"the source distribution holds {', '.join(stray[:10])}")
    if source.stat().st_size > SDIST_CAP:
        raise Fault(f"{source.name} has {source.stat().st_size:,} bytes, over {SDIST_CAP:,}")
    # `python -m build` made the wheel from the source distribution; this one is from the files.
    again = folder / "again"
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(again)]
    run([*command, str(repository)], what="python -m build --wheel", env=os.environ | _DATED)
    if different := differences(wheel, next(again.glob("*.whl"))):
        raise Fault(f"the source distribution builds another wheel: {', '.join(different[:10])}")
    size = source.stat().st_size / 1000
    return f"{source.name}, {size:.0f} kB, {len(names)} files; builds the same wheel"


def differences(one: Path, other: Path) -> list[str]:
    """The names of the files in which two wheels differ."""
    contents = []
    for path in (one, other):
        with zipfile.ZipFile(path) as archive:
            contents.append({name: archive.read(name) for name in archive.namelist()})
    first, second = contents
    return sorted(n for n in first.keys() | second.keys() if first.get(n) != second.get(n))


def install(python: Path, wheel: str, constraints: Path) -> str:
    """Install the wheel, or one of its extras, in the versions of the lock; see that all fit."""
    pip = [str(python), "-m", "pip"]
    variables = environment(python)
    run(
        [*pip, "install", "--quiet", "--constraint", str(constraints), wheel],
        what="pip install",
        env=variables,
    )
    run([*pip, "check"], what="pip check", env=variables)
    listed = json.loads(run([*pip, "list", "--format=json"], what="pip list", env=variables))
    return f"{len(listed)} packages"


def check_core(python: Path, home: Path, version: str) -> str:
    """Trade, backtest and be refused, with nothing but the core dependencies."""
    said = _python(python, home, CORE, "what needs no extra")
    if said["version"] != version:
        raise Fault(f"the installed version is {said['version']}, expected {version}")
    if not Path(said["file"]).is_relative_to(python.parents[1]):
        raise Fault(f"horizon was imported from {said['file']}, not from the environment")
    return f"an order, a backtest; without the extra: {said['refusal']}"


def check_command(python: Path, home: Path, version: str) -> str:
    """The command line, with nothing but the core dependencies."""
    command = str(python.parent / "horizon")
    variables = environment(python, home)
    said = run([command, "--version"], what="horizon --version", cwd=home, env=variables)
    if version not in said:
        raise Fault(f"horizon --version says {said.strip()!r}, expected {version}")
    (home / "one_order.py").write_text(SCRIPT, encoding="utf-8")
    told = run(
        [command, "backtest", "one_order.py"], what="horizon backtest", cwd=home, env=variables
    )
    if "one order" not in told:
        raise Fault(f"horizon backtest does not print the summary: {told[-300:]!r}")
    return f"{said.strip()}; horizon backtest prints {len(told.splitlines())} lines"


def check_lab(python: Path, home: Path, repository: Path) -> str:
    """Make a workbench with the extra `lab`, and see that the page side came along."""
    said = _python(python, home, LAB, "a workbench")
    names = project_files(repository, "horizon/widgets/static")
    if missing := sorted({Path(name).name for name in names} - set(said["static"])):
        raise Fault(f"not installed: {', '.join(missing)}")
    return f"a workbench of {len(said['faces'])} kinds of widgets; {len(said['static'])} files"


def _python(python: Path, home: Path, code: str, what: str) -> dict[str, object]:
    variables = environment(python, home)
    said = run([str(python), "-W", "error", "-c", code], what=what, cwd=home, env=variables)
    return json.loads(said.strip().rpartition("\n")[2])


def check(repository: Path, target: Path, folder: Path, *, build_only: bool) -> None:
    """Take all steps, each with its seconds; the first that fails raises."""
    made: list[Path] = []

    def build_both() -> str:
        made.extend(build(repository, target))
        return " and ".join(path.name for path in made)

    step("build", build_both)
    wheel, source = made
    step("wheel", lambda: check_wheel(repository, wheel))
    step("source", lambda: check_source(source, wheel, folder, repository))
    if build_only:
        return
    version, home = declared_version(repository), folder / "home"
    constraints = pins(repository / "requirements.lock", folder / "pins.txt")
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "environment" / "bin" / "python"
    step(f"environment, Python {own}", lambda: make_environment(own, python.parents[1]).name)
    step("install the core", lambda: install(python, str(wheel), constraints))
    step("core", lambda: check_core(python, home, version))
    step("command line", lambda: check_command(python, home, version))
    step("install [lab]", lambda: install(python, f"{wheel}[lab]", constraints))
    step("lab", lambda: check_lab(python, home, repository))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-only", action="store_true", help="install nothing")
    parser.add_argument("--repository", type=Path, default=ROOT, help="another folder than this")
    parser.add_argument("--outdir", type=Path, help="where to; by default dist/ of the repository")
    args = parser.parse_args(argv)
    begun = time.monotonic()
    target = args.outdir or args.repository / "dist"
    with tempfile.TemporaryDirectory(prefix="horizon-package-") as folder:
        try:
            check(args.repository, target, Path(folder), build_only=args.build_only)
        except Fault as fault:
            print(f"The packages are not fit to be published.\n{fault}", file=sys.stderr)
            return 1
        except CannotTry as reason:
            print(f"The packages cannot be tried here: {reason}", file=sys.stderr)
            return 3
    print(f"{time.monotonic() - begun:7.1f} s  all of it: {target.name}/ is fit to be published")
    return 0


if __name__ == "__main__":
    sys.exit(main())
