# Two commands are all that a bare clone needs:
#
#   make demo     trains the toy networks and writes a report (minutes)
#   make test     runs the tests
#
# Both make .venv and install what they need; the second time they find it there. To choose the Python or the torch:
#
#   make test PYTHON=python3.12 TORCH=torch==2.13.0
#
# TORCH is what pip is asked for first. The choice is made once; `make clean` forgets it.

PYTHON ?= python3
TORCH ?= torch
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check
SOURCES := src tests docs examples .ci
PYTHONS ?= $(PYTHON)

# One thread a test process: the processes already use all cores. Compiled modules are kept, whatever the environment says: many tests
# start processes, and each would compile all that it imports.
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

.PHONY: demo test test-slow lint format types floors snippets docs audit sbom dist lowest check clean help

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -e 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.installed  ## train the toy networks and write a report
	$(BIN)/semicoupled demo

test: $(VENV)/.installed-dev  ## run the tests
	$(PYTEST)

test-slow: $(VENV)/.installed-dev  ## run the tests that take minutes, too
	$(PYTEST) -m ""

lint: $(VENV)/.installed-dev  ## look for mistakes and for formatting
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

format: $(VENV)/.installed-dev  ## format the code
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

types: $(VENV)/.installed-dev  ## check the types
	$(BIN)/basedpyright --pythonpath $(BIN)/python

floors: $(VENV)/.installed-dev  ## check that imports go down only
	$(BIN)/lint-imports --no-cache

snippets: $(VENV)/.installed-dev  ## run the examples of the README and of the docs
	$(BIN)/python .ci/snippets.py README.md docs

docs: $(VENV)/.installed-docs  ## build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build/html

audit: $(VENV)/.installed-dev  ## look for installed packages that are known to be vulnerable
	$(BIN)/python .ci/audit.py

sbom: $(VENV)/.installed-audit  ## list what semicoupled consists of, as CycloneDX, in dist/sbom.json
	@mkdir -p dist
	$(BIN)/cyclonedx-py environment --output-format JSON --output-reproducible --pyproject pyproject.toml --output-file dist/sbom.json $(BIN)/python
	$(BIN)/python .ci/sbom.py dist/sbom.json

dist: $(VENV)/.installed-dev  ## build wheel and sdist, look into them, and use the wheel in clean environments (PYTHONS=...)
	$(BIN)/python .ci/dist.py $(PYTHONS) --torch "$(TORCH)" --checker $(BIN)/basedpyright

lowest:  ## run the tests with the lowest versions that pyproject.toml allows, in .venv-lowest
	$(PYTHON) -m venv .venv-lowest
	$(PYTHON) .ci/lowest.py > .venv-lowest/constraints.txt
	.venv-lowest/bin/python -m pip install --disable-pip-version-check --constraint .venv-lowest/constraints.txt --editable ".[dev]"
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= .venv-lowest/bin/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

check:  ## run everything that has to pass before a change goes in
	.ci/run

clean:  ## remove what was installed and built
	rm -rf $(VENV) .venv-lowest docs/_build docs/figures dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("semicoupled needs Python 3.11 or newer and found " + sys.version.split()[0] + ": choose another, for example make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(PIP) "$(TORCH)"
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable ".[dev]"
	@touch $@

$(VENV)/.installed-audit: $(VENV)/.installed
	$(PIP) --editable ".[audit]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) --editable ".[docs]"
	@touch $@
