# The project's commands, one target each; `make help` lists them.
# Needs make and Python 3.11 or newer with its venv module (Debian: python3, python3-venv).
# Everything else is installed with pip into .venv, once; later runs start at once.

PYTHON ?= python3
VENV ?= .venv
OUT ?= demo-out
PYTEST_ARGS ?=

BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip -qq --disable-pip-version-check install

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-hub check lint format-check types layers scripts format package fresh bench quality clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.run ## Install offhand, fetch weights, analyse samples/, say where the report is
	@$(BIN)/offhand run samples -o $(OUT) --download
	@echo "Report: $(abspath $(OUT))/report.html"

test: $(VENV)/.test ## Install offhand, run its tests (PYTEST_ARGS="-m slow -k name")
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

test-hub: $(VENV)-hub/.hub ## Run the tests of the hub models, with torch, in an environment of their own
	@$(VENV)-hub/bin/python -m pytest tests/unit/models tests/unit/signals \
		tests/integration/test_ray_models.py $(PYTEST_ARGS)

check: lint format-check types layers scripts test ## Everything a change must pass

lint: $(VENV)/.dev ## Check style and docstrings
	@$(BIN)/ruff check .

format-check: $(VENV)/.dev ## Check the formatting
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check the types
	@$(BIN)/mypy

layers: $(VENV)/.dev ## Check which module imports which
	@$(BIN)/lint-imports

scripts: tests/browser/node_modules/.stamp ## Check the page's and the viewer's scripts (npm)
	@npm --prefix tests/browser run --silent types
	@npm --prefix tests/browser run --silent lint

format: $(VENV)/.dev ## Format the code, repair what ruff can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

package: $(VENV)/.run ## Build the wheel, compare its content with the sources
	@rm -rf dist
	@$(BIN)/python -m pip -qq --disable-pip-version-check wheel --no-deps --wheel-dir dist .
	@$(BIN)/python -c "$$compare_wheel"

fresh: ## Run the demo and the tests on a bare Debian (root, debootstrap)
	@tests/fresh_machine.sh

bench: $(VENV)/.test ## Measure speed, memory and scaling (three hours on two cores)
	@$(BIN)/python -m benchmarks.speed
	@$(BIN)/python -m benchmarks.speed.costs benchmarks/speed/.footage/libx264-300s.mp4 samples/*.mp4
	@$(BIN)/python -m benchmarks.speed.scaling benchmarks/speed/.footage/libx264-300s.mp4
	@$(BIN)/python -m benchmarks.speed.pooled
	@$(BIN)/python -m benchmarks.speed.report

quality: $(VENV)/.test ## Measure quality on labelled footage (FOOTAGE=folder)
	@test -n "$(FOOTAGE)" || { echo "make quality needs FOOTAGE=folder" >&2; exit 2; }
	@$(BIN)/python -m benchmarks.quality "$(FOOTAGE)"

clean: ## Remove .venv, caches and build results
	rm -rf .venv .venv-hub dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: what is installed. A stamp is renewed when pyproject.toml changes.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("offhand needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV) || { rm -f $@; exit 1; }

$(VENV)/.run: pyproject.toml | $(BIN)/python
	@echo "Installing offhand into $(VENV)"
	@$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	@echo "Installing offhand and its test packages into $(VENV)"
	@$(PIP_INSTALL) --editable '.[test]'
	@touch $(VENV)/.run $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing offhand and its development packages into $(VENV)"
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch $(VENV)/.run $(VENV)/.test $@

$(VENV)-hub/.hub: pyproject.toml constraints-ci.txt
	@echo "Installing offhand and its hub models into $(VENV)-hub"
	@$(PYTHON) -m venv $(VENV)-hub
	@$(VENV)-hub/bin/python -m pip -qq --disable-pip-version-check install \
		-c constraints-ci.txt --editable '.[hub,test]'
	@touch $@

tests/browser/node_modules/.stamp: tests/browser/package-lock.json
	@command -v npm >/dev/null || { echo "checking scripts needs npm (Debian: nodejs, npm)" >&2; exit 1; }
	@npm --prefix tests/browser ci --silent
	@touch $@

# A file of the package that is missing in the wheel, such as a template, shows nowhere else.
define compare_wheel
import pathlib, sys, zipfile
source = pathlib.Path("src")
wheel, = pathlib.Path("dist").glob("*.whl")
packed = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
files = {
    path.relative_to(source).as_posix()
    for path in source.glob("offhand/**/*")
    if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
}
if packed != files:
    sys.exit(f"{wheel} and {source} differ: {sorted(packed ^ files)}")
print(f"{wheel} holds all {len(files)} files of the package")
endef
export compare_wheel
