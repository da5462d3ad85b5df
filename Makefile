# make help shows what there is. Everything runs in .venv, which `make setup` makes.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow check format docs bench mutants golden-update lock gpu-wheels wheel

# The first Python from 3.11 to 3.13 that can make virtual environments.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3 python; do \
	"$$name" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  >/dev/null 2>&1 && { echo "$$name"; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq
TORCH := $(shell grep -m1 '^torch==' requirements.lock)
# Oracles of tests whose own needs would pull in far more than their readers.
ORACLES := megatron-core==0.16.1
STAMP := .venv/.ready
FAST := not slow and not distributed and not ray and not gpu and not net
SLOW := (slow or distributed or gpu) and not net and not ray

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP) ## .venv with the pinned versions and this package

# torch comes first and alone, so that a build chosen for this machine (with or without CUDA) is never replaced.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "needs Python 3.11, 3.12 or 3.13 with venv; set PYTHON=…" >&2; exit 2; }
	@test -x $(BIN)/python || { echo "making .venv with $(PYTHON)"; $(PYTHON) -m venv .venv; }
	@$(BIN)/python tools/has.py "$(TORCH)" || { echo "installing $(TORCH)"; $(PIP) "$(TORCH)"; }
	@echo "installing requirements.lock"
	@$(PIP) -r requirements.lock
	@$(PIP) --no-deps $(ORACLES) || echo "without $(ORACLES): the tests that need it will be skipped" >&2
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## a small model from the built-in corpus, in a few minutes
	$(BIN)/pretextual demo

test: setup ## the fast tests
	$(BIN)/python -m pytest -m "$(FAST)" $(ARGS)

test-slow: setup ## the tests that take their time
	$(BIN)/python -m pytest -m "$(SLOW)" $(ARGS)

check: setup ## format, lint, types, import directions, generated pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/docs.py --check

format: setup ## rewrite the code as `check` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## write the generated pages of docs/reference
	$(BIN)/python tools/docs.py

bench: setup ## speed against the usual ways of doing it
	for script in benchmarks/[a-z]*.py; do $(BIN)/python "$$script"; done

mutants: setup ## break every law on purpose and see its test go red; AREA=… takes one area
	$(BIN)/python tools/mutants.py $(if $(AREA),--area $(AREA)) $(ARGS)

golden-update: setup ## rewrite golden files: REASON="why the numbers may change"
	@test -n "$(REASON)" || { echo 'say why: make golden-update REASON="…"' >&2; exit 2; }
	PRETEXTUAL_GOLDEN_UPDATE="$(REASON)" $(BIN)/python -m pytest tests -k golden $(ARGS)
	@echo "now add to CHANGELOG.md: $(REASON)"

lock: setup ## freeze the versions of .venv into requirements.lock
	$(BIN)/python tools/lock.py requirements.lock

# For a GPU machine that has torch and transformers but no network: what it lacks, as files in wheels/.
GPU_PYTHON ?= 3.12
GPU_PACKAGES ?= pydantic pydantic-core annotated-types typing-inspection typing-extensions
gpu-wheels: setup ## wheels that a GPU machine without a network lacks, into wheels/
	mkdir -p wheels
	for name in $(GPU_PACKAGES); do \
	  $(BIN)/python -m pip --disable-pip-version-check download --quiet --no-deps --only-binary=:all: \
	    --python-version $(GPU_PYTHON) --implementation cp --platform manylinux_2_28_x86_64 \
	    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 -d wheels \
	    "$$(grep -m1 "^$$name==" requirements.lock)"; done
	ls -1 wheels

wheel: setup ## a wheel of this package in dist/
	$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation -w dist .
