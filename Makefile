# Everything a contributor types. `make help` lists it.
#
# A fresh machine needs make and Python 3.11 or newer (another one: make PYTHON=python3.12 ...).
# Everything else is installed into .venv, in the versions and hashes of requirements.lock.

PYTHON ?= python3
JOBS ?= 2
WORKBENCH ?= notebooks/00_workbench.ipynb

VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.lock-installed
READY := $(VENV)/.ready
NOTEBOOKS = $(wildcard notebooks/*.ipynb)
# These alone are collected: importing all tests takes longer than some of the browser's run.
BROWSER_TESTS = $(shell grep -rl --include='*.py' 'mark\.browser' tests | sort)

# Importing nbval takes seconds in each process, and only the notebooks need it.
PYTEST := $(BIN)/python -m pytest -p no:nbval
# Where bytecode may not be kept, as in many images for containers, each process compiles the tests
# and the library for itself: the half of a short run.
unexport PYTHONDONTWRITEBYTECODE
# pytest exits with 5 when it collected nothing, which is no failure here.
NONE_OK = || { code=$$?; [ $$code -eq 5 ] && echo "nothing to collect for '$@', going on" || exit $$code; }

.DEFAULT_GOAL := help
.PHONY: help setup lab test lint unit notebooks browser coverage test-long bench docs dist \
  binder-check picture lock format clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' \
	  | while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

setup: $(READY) ## create .venv from requirements.lock and install the project into it

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Horizon needs Python 3.11 or newer; '$(PYTHON)' is" \
	       "$$($(PYTHON) -c 'import platform; print(platform.python_version())' 2>/dev/null || echo missing)." \
	       "Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@rm -f $(LOCKED) $(READY)
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(LOCKED): requirements.lock $(VENV)/pyvenv.cfg
	@echo "installing the locked packages into $(VENV), some minutes"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@touch $@

# The build backend is in the lock as well, so this step downloads nothing.
$(READY): $(LOCKED) pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lab: setup ## open the workbench in JupyterLab (WORKBENCH=notebooks/index.ipynb, LAB_ARGS="--port=9000")
	@# exec, so that stopping make stops the server and not only its parent.
	exec $(BIN)/python -m jupyterlab --ServerApp.root_dir="$(CURDIR)" \
	  $(addprefix --LabApp.default_url=/lab/tree/,$(wildcard $(WORKBENCH))) $(LAB_ARGS)

test: lint unit notebooks browser ## every check but the long ones (JOBS=4: on as many processes)

lint: setup ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: setup ## the quick tests
	$(PYTEST) -n $(JOBS) $(NONE_OK)

notebooks: setup ## run the course and its solutions, and check that it is committed clean
	$(BIN)/python scripts/notebooks.py --check
	$(BIN)/python scripts/notebooks.py --solutions --repeat -j $(JOBS)
	$(if $(NOTEBOOKS),$(BIN)/python -m pytest --nbval-lax -n $(JOBS) --dist loadfile $(NOTEBOOKS) $(NONE_OK),@echo "no notebooks yet")

browser: setup ## drive the desk and run the notebooks in JupyterLab in a headless Chromium
	$(PYTEST) -m "browser and not long" -n $(JOBS) --dist worksteal $(BROWSER_TESTS) $(NONE_OK)

coverage: setup ## the quick tests again, with branch coverage, which doubles their time
	$(PYTEST) -n $(JOBS) --cov --cov-report=term $(NONE_OK)

test-long: setup ## the tests that take minutes, and the properties with examples of their own
	$(PYTEST) -m long -n $(JOBS) tests $(NONE_OK)
	$(PYTEST) -m "hypothesis and not long and not browser" --hypothesis-profile=other -n $(JOBS)

docs: setup ## build the site into build/docs/html, its examples run (DOCS_ARGS=--quick: not the course)
	$(PYTEST) -q -n $(JOBS) tests/docs tests/test_readme.py
	$(BIN)/python scripts/docs.py $(DOCS_ARGS)

dist: setup ## build sdist and wheel into dist/, and try the wheel in environments of its own
	$(BIN)/python scripts/package_check.py

binder-check: setup ## make Binder's environment as Binder would, and run the workbench there
	$(BIN)/python scripts/binder_check.py

bench: setup ## print the figures of benchmarks/
	@for script in $(wildcard benchmarks/bench_*.py); do \
	  echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

picture: setup ## make the pictures of README, pages and course anew
	$(BIN)/python scripts/picture.py

lock: $(LOCKED) ## resolve pyproject.toml into requirements.lock again (UPGRADE=1: newest versions)
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) --quiet -o requirements.lock

format: setup ## let ruff rewrite what it can, and normalise the notebooks
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python scripts/notebooks.py --normalise

clean: ## remove .venv and everything generated
	rm -rf $(VENV) build dist .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
