"""Try what Binder would make of this repository, without Docker.

    python scripts/binder_check.py                the files as they are, uncommitted ones too
    python scripts/binder_check.py --ref HEAD     what is committed

Binder builds an image with repo2docker. Here repo2docker writes its Dockerfile and builds nothing;
then its steps are taken one by one on a clean copy of the tracked files, in a virtual environment
with the Python that the image would have: the packages that the image brings along, in the
versions of repo2docker's own lock; binder/requirements.txt, if there is one; binder/postBuild.
In that environment the library is imported, the workbench notebook is run, and JupyterLab is
started and asked for the page that the link to Binder opens.

What cannot be seen here: whether apt packages exist (there are none), and Binder's own machines.

Exit codes: 0 all is well, 1 a step failed, 2 wrong arguments, 3 this machine cannot try it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for what the scripts share

from scripts.trial import (  # noqa: E402
    CannotTry,
    Fault,
    end_of,
    environment,
    make_environment,
    project_files,
    run,
    step,
)

NOTEBOOK = "notebooks/00_workbench.ipynb"  # the link to Binder opens this one
RUN_TIMEOUT, SERVER_START = 600.0, 90.0  # seconds
#: What Binder reads in binder/, and this script has no way to try.
UNTRIED = ("environment.yml", "apt.txt", "Dockerfile", "default.nix", "install.R", "Project.toml")
#: What must not be in a public repository, nor be set in an image.
KEY_FILES = re.compile(r"(^|/)(\.env(\..*)?|.*\.(pem|key|p12|pfx))$")
KEY_SET = re.compile(r"^\s*(export\s+)?\w*(KEY|SECRET|TOKEN|PASSWORD)\w*=", re.MULTILINE | re.I)
PAPER_VENUES = {"book", "paper"}

IMPORT = """
import json, re
import horizon as hz
try:
    hz.connect("no such venue")
except hz.VenueError as error:
    said = str(error)
known = re.search(r"known are (.*?)[.;]", said)
print(json.dumps({
    "version": hz.__version__,
    "file": hz.__file__,
    "venues": re.findall(r"'([^']+)'", known.group(1)) if known else said,
    "widgets": len(hz.widgets.__all__),
}))
"""


# The steps. Each says in words what it found, or raises.


def copy_files(repository: Path, ref: str | None, target: Path) -> str:
    """Copy the tracked files into `target`: those of `ref`, or as they are now, new ones too."""
    target.mkdir(parents=True)
    if ref is not None:
        archive = target.parent / "tracked.tar"
        command = ["git", "-C", str(repository), "archive", "--output", str(archive), ref]
        run(command, what=f"git archive {ref}")
        shutil.unpack_archive(archive, target, filter="data")
        archive.unlink()
    else:
        for name in project_files(repository):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, target / name)
    names = [str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()]
    if found := sorted(name for name in names if KEY_FILES.search(name)):
        raise Fault(f"a file that holds keys is tracked: {', '.join(found)}")
    return f"{len(names)} files of {ref or 'the working tree'}"


def check_image(copy: Path) -> str:
    """Let repo2docker write its Dockerfile for `copy`; return the Python version of the image."""
    binder = copy / "binder"
    if not (binder / "runtime.txt").is_file():
        raise Fault("binder/runtime.txt is missing: Binder would take a Python of its own choice")
    asked = (binder / "runtime.txt").read_text(encoding="utf-8").strip()
    named = re.fullmatch(r"python-(3\.\d+)", asked)
    if named is None:
        raise Fault(f"binder/runtime.txt must say python-3.N, as in python-3.11; it says {asked!r}")
    for name in UNTRIED:
        if (binder / name).exists():
            raise Fault(f"binder/{name} is nothing that this script can try; it would go unchecked")
    for path in sorted(binder.iterdir()):
        if found := KEY_SET.search(path.read_text(encoding="utf-8")):
            raise Fault(f"binder/{path.name} sets a key: {found.group().strip()!r}")
    version = named.group(1)
    with (copy / "pyproject.toml").open("rb") as source:
        wanted = tomllib.load(source)["project"]["requires-python"]
    # repo2docker compares the two only where there is no folder binder/.
    if f"{version}.0" not in SpecifierSet(wanted):
        raise Fault(f"binder/runtime.txt says Python {version}; pyproject.toml wants {wanted}")

    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT,
        check=False,
    )
    said = done.stdout + done.stderr
    if "No module named repo2docker" in said:
        raise CannotTry("repo2docker is not installed: make setup")
    if done.returncode:
        raise Fault(f"repo2docker ended with code {done.returncode}:\n{end_of(said)}")
    if f"Building conda environment for python={version}" not in said:
        raise Fault(f"repo2docker does not take Python {version}:\n{end_of(done.stderr)}")
    if warned := re.findall(r"^.*(?:warning|deprecated|unspecified).*$", done.stderr, re.M | re.I):
        raise Fault("repo2docker warns: " + "; ".join(warned))
    if (binder / "postBuild").exists() and "RUN ./binder/postBuild" not in done.stdout:
        raise Fault("the Dockerfile does not run binder/postBuild")
    if (binder / "requirements.txt").exists() and "binder/requirements.txt" not in done.stdout:
        raise Fault("the Dockerfile does not install binder/requirements.txt")
    return version


def image_packages(version: str) -> list[str]:
    """What the image has before binder/ is read: names and versions, from repo2docker's lock."""
    # Its files are read; importing it warns of what it imports itself.
    found = importlib.util.find_spec("repo2docker")
    if found is None or found.origin is None:
        raise CannotTry("repo2docker is not installed: make setup")
    folder = Path(found.origin).parent / "buildpacks" / "conda"
    asked = (folder / f"environment.py-{version}.yml").read_text(encoding="utf-8")
    lock = (folder / f"environment.py-{version}-linux-64.lock").read_text(encoding="utf-8")
    versions = dict(re.findall(r"/([\w.-]+)-([^-/]+)-[^-/]+\.(?:conda|tar\.bz2)", lock))
    names = re.findall(r"^- ([\w-]+)", asked.split("dependencies:")[1], re.M)
    # A name of its own on conda-forge; both are parts of one package.
    versions["jupyterhub"] = versions.get("jupyterhub-singleuser", "")
    names = ["jupyterhub" if name == "jupyterhub-singleuser" else name for name in names]
    names = [name for name in names if name not in ("python", "nodejs", "pip")]
    # A kernel of Python comes with Lab, and its version matters: it is what runs the widgets.
    return [f"{name}=={versions[name]}" for name in [*names, "ipykernel"]]


def install(copy: Path, python: Path, base: list[str]) -> str:
    """Install what the image has, then what binder/ says, as the image's build would."""
    variables = environment(python)
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    if base:
        run([*pip, *base], what="the image's own packages", env=variables)
    requirements = copy / "binder" / "requirements.txt"
    if requirements.exists():
        run([*pip, "-r", str(requirements)], what=str(requirements.name), cwd=copy, env=variables)
    script = copy / "binder" / "postBuild"
    if script.exists():
        script.chmod(0o755)  # as the image's build does
        said = run(["./binder/postBuild"], what="binder/postBuild", cwd=copy, env=variables)
        return said.strip().rpartition("\n")[2]
    return "there is no binder/postBuild"


def check_import(python: Path, home: Path) -> str:
    """Import the installed library, and see that it trades on paper only."""
    said = run([str(python), "-c", IMPORT], what="import", cwd=home, env=environment(python, home))
    found = json.loads(said.strip().rpartition("\n")[2])
    if not Path(found["file"]).is_relative_to(python.parents[1]):
        raise Fault(f"horizon was imported from {found['file']}, not from the environment")
    if set(found["venues"]) != PAPER_VENUES:
        raise Fault(f"hz.connect knows {found['venues']}; only paper may be there")
    return f"horizon {found['version']}; hz.connect knows {' and '.join(found['venues'])} only"


def run_notebook(python: Path, copy: Path, notebook: str, home: Path) -> str:
    """Run a notebook from its first cell to its last."""
    target = home / "run"
    command = [str(python), "-m", "nbconvert", "--to", "notebook", "--execute"]
    run(
        [*command, "--output-dir", str(target), notebook],
        what=notebook,
        cwd=copy,
        env=environment(python, home),
        timeout=RUN_TIMEOUT,
    )
    made = json.loads((target / Path(notebook).name).read_text(encoding="utf-8"))
    counts = [cell.get("execution_count") for cell in made["cells"] if cell["cell_type"] == "code"]
    if not counts or None in counts:
        raise Fault(f"{notebook}: not all of its cells were run: {counts}")
    return f"{notebook}: {len(counts)} cells"


def check_lab(python: Path, copy: Path, notebook: str, home: Path) -> str:
    """Start JupyterLab and open the page that the link to Binder opens."""
    with _serve(python, copy, home) as (url, token):
        pages = [f"lab/tree/{notebook}", f"api/contents/{notebook}?content=0", "api/kernelspecs"]
        answers = {}
        for page in pages:
            mark = "&" if "?" in page else "?"
            try:
                with urllib.request.urlopen(f"{url}/{page}{mark}token={token}", timeout=60) as got:
                    answers[page] = got.read().decode("utf-8", "replace")
            except urllib.error.HTTPError as error:
                with error:
                    raise Fault(f"JupyterLab answers {error.code} to /{page}") from None
        # Lab's page is the same for any path; whether the notebook is there says the second one.
        if "jupyter-config-data" not in answers[pages[0]]:
            raise Fault(f"/{pages[0]} is no page of JupyterLab")
        if "python3" not in json.loads(answers[pages[2]])["kernelspecs"]:
            raise Fault("there is no kernel named python3, which the notebooks ask for")
    return f"/lab/tree/{notebook}: 200"


@contextmanager
def _serve(python: Path, copy: Path, home: Path) -> Iterator[tuple[str, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, token = f"http://127.0.0.1:{port}", secrets.token_hex(16)
    command = [str(python), "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", "--LabApp.extension_manager=readonly"]
    variables = environment(python, home) | {"JUPYTER_TOKEN": token}
    log = home / "lab.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            command,
            cwd=copy,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
    try:
        end = time.monotonic() + SERVER_START
        while True:
            if server.poll() is not None or time.monotonic() > end:
                raise Fault(f"JupyterLab did not start:\n{end_of(log.read_text(errors='replace'))}")
            try:
                urllib.request.urlopen(f"{url}/api?token={token}", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield url, token
    finally:
        server.terminate()  # it then ends its kernels, which a kill would leave
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def check(repository: Path, ref: str | None, folder: Path, *, with_base: bool = True) -> None:
    """Take all steps, each with its seconds; the first that fails raises."""
    copy, home = folder / "copy", folder / "home"
    step("copy", lambda: copy_files(repository, ref, copy))
    version = step("Dockerfile, Python", lambda: check_image(copy))
    python = folder / "environment" / "bin" / "python"
    base = image_packages(version) if with_base else []
    step("environment", lambda: str(make_environment(version, python.parents[1]).name))
    step(f"install, {len(base)} packages of the image first", lambda: install(copy, python, base))
    step("import", lambda: check_import(python, home))
    step("notebook", lambda: run_notebook(python, copy, NOTEBOOK, home))
    step("JupyterLab", lambda: check_lab(python, copy, NOTEBOOK, home))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ref", help="a commit; without it, the files as they are now")
    parser.add_argument("--repository", type=Path, default=ROOT, help="another folder than this")
    parser.add_argument(
        "--bare", action="store_true", help="leave out the packages that the image brings along"
    )
    args = parser.parse_args(argv)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="horizon-binder-") as folder:
        try:
            check(args.repository, args.ref, Path(folder), with_base=not args.bare)
        except Fault as fault:
            print(f"Binder would fail.\n{fault}", file=sys.stderr)
            return 1
        except CannotTry as reason:
            print(f"Binder cannot be tried here: {reason}", file=sys.stderr)
            return 3
    print(f"{time.monotonic() - begun:7.1f} s  all of it: Binder would open {NOTEBOOK}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
