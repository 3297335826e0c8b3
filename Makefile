# Two commands on a fresh machine with Python 3.11+ and make: `make run`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SIZE ?= 100000
ROUNDS ?= 3
PYTHONS ?= 3.11 3.12 3.13

.DEFAULT_GOAL := help
.PHONY: help install run test test-all check audit pictures bench bundle-windows clean

help:  ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

install: $(STAMP)  ## Create .venv with geopipe in it

# gdal-utils holds a checker of GeoPackages that needs nothing else, but asks for GDAL's own bindings.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "geopipe needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 install")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --only-binary :all: --constraint constraints.txt hatchling editables
	$(BIN)/pip install --quiet --only-binary :all: --no-build-isolation --constraint constraints.txt --editable '.[dev]'
	$(BIN)/pip install --quiet --only-binary :all: --no-deps --constraint constraints.txt gdal-utils
	@touch $(STAMP)

run: install  ## Make demo deliveries, compare them, show the first screen
	$(BIN)/geopipe demo demo --size 2000 --quiet
	$(BIN)/geopipe compare demo -o out || test $$? -eq 4

test: install  ## Run the tests (slow ones excluded), the files of tests side by side
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-all: install  ## Run every test, the slow ones too
	$(BIN)/python -m pytest -m ''

check: install  ## Lint, types, import contracts, what is installed
	$(BIN)/ruff check .
	$(BIN)/ruff check --quiet --preview --select PLW1514 geopipe
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/audit.py

# The service that knows the holes of packages is on the network; its client is no part of .venv.
audit:  ## Ask a public service for known holes in the pinned packages (needs the network)
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/pip install --quiet --only-binary :all: pip-audit
	$(VENV)-audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip

pictures: install  ## Make the pictures of the README again, from a fresh demo
	$(BIN)/python notebooks/pictures/make.py

bench: install  ## Measure geopipe and its peers; SIZE="100000 1000000" ROUNDS=3
	$(BIN)/pip install --quiet --only-binary :all: --no-build-isolation --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python tests/bench/run.py --size $(SIZE) --rounds $(ROUNDS)

bundle-windows: install  ## Build the ZIP for Windows laptops in dist/; PYTHONS="3.13" for a smaller one
	$(BIN)/python -m geopipe.bundling --python $(PYTHONS)

clean:  ## Remove the environment and what run has made
	rm -rf $(VENV) demo out
