"""The files that speak for the project: they are valid, and agree with each other."""

from __future__ import annotations

import datetime
import re
import subprocess
import tomllib
from pathlib import Path

import check_jsonschema
import pytest
import yaml
from click.testing import CliRunner

import horizon as hz

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://github.com/horizon-workbench/horizon"
BINDER = (
    "https://mybinder.org/v2/gh/horizon-workbench/horizon/HEAD"
    "?urlpath=lab/tree/notebooks/00_workbench.ipynb"
)
SCHEMAS = {
    "CITATION.cff": "vendor.citation-file-format",
    ".github/workflows/ci.yml": "vendor.github-workflows",
    ".github/ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
    ".github/ISSUE_TEMPLATE/bug.yml": "vendor.github-issue-forms",
    ".github/ISSUE_TEMPLATE/wrong-number.yml": "vendor.github-issue-forms",
    ".github/ISSUE_TEMPLATE/feature.yml": "vendor.github-issue-forms",
}
#: Where packages come from is the user's own affair; a mirror's address helps nobody else.
REGISTRIES = (
    "pypi.org",
    "pythonhosted.org",
    "npmjs.org",
    "/simple/",
    "conda.anaconda.org",
)
TEXTS = {"", ".cff", ".css", ".html", ".ipynb", ".j2", ".js", ".json", ".lock", ".md", ".py"}
TEXTS |= {".toml", ".txt", ".yml"}


def files() -> list[Path]:
    """The project's files as they are now: tracked, or new and not ignored."""
    said = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode:
        pytest.skip("this is no git repository")
    return [ROOT / name for name in said.stdout.split("\0") if name and (ROOT / name).is_file()]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def load(name: str) -> dict[str, object]:
    return yaml.safe_load(text_of(name))


@pytest.mark.parametrize("schema", sorted(set(SCHEMAS.values())))
def test_files_are_valid_by_their_published_schema(schema: str) -> None:
    names = [name for name, wanted in SCHEMAS.items() if wanted == schema]
    arguments = ["--builtin-schema", schema, *(str(ROOT / name) for name in names)]
    # In this process: starting it anew for each schema takes seconds.
    done = CliRunner().invoke(check_jsonschema.main, arguments)
    assert done.exit_code == 0, done.output


def test_every_file_of_github_that_has_a_schema_is_checked() -> None:
    found = {str(p.relative_to(ROOT)) for p in (ROOT / ".github").rglob("*.yml")}
    assert found == {name for name in SCHEMAS if name.startswith(".github")}


def test_a_form_names_no_field_twice() -> None:
    for name in SCHEMAS:
        if "ISSUE_TEMPLATE" in name and not name.endswith("config.yml"):
            fields = [part["id"] for part in load(name)["body"] if part["type"] != "markdown"]
            assert len(set(fields)) == len(fields), name


def test_versions_agree() -> None:
    version = hz.__version__
    assert load("CITATION.cff")["version"] == version
    headings = re.findall(r"^## (.+)$", text_of("CHANGELOG.md"), re.M)
    if ".dev" in version:
        # What comes next has no number yet, and stands on top.
        assert headings[0] == "Unreleased"
    else:
        assert re.fullmatch(rf"\[?{re.escape(version)}\]?[ ,(–-]+\d{{4}}-\d\d-\d\d\)?", headings[0])


def test_a_version_that_is_released_has_a_date_and_one_that_is_not_has_none() -> None:
    released = load("CITATION.cff").get("date-released")
    if ".dev" in hz.__version__:
        assert released is None
    else:
        # YAML reads 2026-01-31 as a date, and anything else as text.
        assert isinstance(released, datetime.date)
        assert str(released) in re.findall(r"^## .+$", text_of("CHANGELOG.md"), re.M)[0]


def test_the_licence_is_the_same_everywhere() -> None:
    with (ROOT / "pyproject.toml").open("rb") as source:
        assert load("CITATION.cff")["license"] == tomllib.load(source)["project"]["license"]
    assert text_of("LICENSE").startswith("MIT License")


def test_the_public_address_is_the_same_everywhere() -> None:
    assert load("CITATION.cff")["repository-code"] == ADDRESS
    with (ROOT / "pyproject.toml").open("rb") as source:
        urls = tomllib.load(source)["project"]["urls"]
    assert urls
    for name, url in urls.items():
        assert url.startswith(ADDRESS) or "github.io" in url, f"{name}: {url}"
    for name in (".github/ISSUE_TEMPLATE/config.yml", "SECURITY.md"):
        assert f"{ADDRESS}/security/advisories" in text_of(name)
    own = re.compile(r"(?<![\w/.-])(?:gh/|github\.com/)([\w.-]*horizon[\w.-]*)/", re.I)
    for path in files():
        if path.suffix in TEXTS and path.name != "requirements.lock":
            found = set(own.findall(path.read_text(encoding="utf-8")))
            assert found <= {"horizon-workbench"}, f"{path.name}: {found}"


def test_the_link_to_binder_is_the_same_everywhere_and_opens_a_notebook_that_is_there() -> None:
    link = re.compile(r"https://mybinder\.org/v2/[^\s)>\"'\]\\]+")
    for path in files():
        if path.suffix in {".md", ".ipynb", ".py", ".toml", ".cff"} and path != Path(__file__):
            for found in link.findall(path.read_text(encoding="utf-8")):
                assert found == BINDER, f"{path.name}: {found}"
    assert (ROOT / BINDER.partition("lab/tree/")[2]).is_file()
    assert f'NOTEBOOK = "{BINDER.partition("lab/tree/")[2]}"' in text_of("scripts/binder_check.py")


def test_no_address_of_a_package_registry_is_tracked() -> None:
    for path in files():
        if path.suffix in TEXTS and path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            found = [address for address in REGISTRIES if address in text]
            assert not found, f"{path.relative_to(ROOT)}: {found}"


def test_no_file_that_holds_keys_is_tracked() -> None:
    names = [path.name for path in files()]
    assert [n for n in names if n.startswith(".env") or n.endswith((".pem", ".key", ".p12"))] == []


def test_the_pictures_of_the_readme_and_of_the_course_are_small() -> None:
    caps = {"docs": 300_000, "course": 120_000, "pictures": 120_000}
    for path in files():
        if path.suffix == ".png" and "docs" in path.parts:
            assert path.stat().st_size <= caps[path.parent.name], path.name


def test_the_release_checklist_names_the_commands_of_the_makefile() -> None:
    asked = set(re.findall(r"`make ([a-z-]+)", text_of("docs/releasing.md")))
    made = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))
    assert asked
    assert asked <= made, f"no such target: {asked - made}"
