# SPDX-License-Identifier: Apache-2.0
# The verbs. `make` alone lists them. Each makes what it needs first and works after any other.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-for-tests demo test check bench proofs chaos serve worker docs clean

BIN := .venv/bin
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest
HEADLESS_FLAG := $(if $(filter-out 0 no false,$(HEADLESS)),--headless)

help:
	@echo "make VERB, where VERB is one of:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-10s %s\n", $$1, $$2 }'

setup: ## install what is missing: system packages, .venv, front-end files, archives
	@scripts/setup.sh

setup-for-tests:
	@scripts/setup.sh --for-tests

demo: setup ## run the exercise, then serve it with sign-in links (HEADLESS=1 stops after the summary)
	@$(BIN)/clearwell demo $(HEADLESS_FLAG)

test: setup-for-tests ## run the whole test suite (PYTEST_ARGS='-k word' narrows it, WORKERS=1 runs it in one process)
	@$(PYTEST) -m "not chaos and not proofs" -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

check: setup ## look at the code and the documents without running the system
	@failed=0; \
	for step in "ruff check ." "ruff format --check ." "mypy" "mypy scripts/assets.py scripts/archives.py" "lint-imports --no-logo" \
	    "pytest -q -m 'not sandbox' tests/house"; do \
	  echo "check: $$step"; eval "$(BIN)/$$step" || failed=1; \
	done; \
	[ $$failed = 0 ] || { echo "check: something above is not right"; exit 1; }

bench: setup ## measure speed and size, each beside a peer or a limit; results in bench/RESULTS.md (BENCH_ARGS='intake parse' narrows it)
	@$(BIN)/python bench $(BENCH_ARGS)

proofs: setup ## run every proof under examples/proofs against its expected verdict
	@$(PYTEST) -m proofs $(PYTEST_ARGS)

chaos: setup ## kill server, worker and database at seeded points (SEED=n replays)
	@CHAOS_SEED="$(or $(CHAOS_SEED),$(SEED))" $(PYTEST) -m chaos $(PYTEST_ARGS)

serve: setup ## serve the web pages and the API on 127.0.0.1:8000
	@$(BIN)/clearwell serve

worker: setup ## work through the jobs
	@$(BIN)/clearwell worker

docs: setup ## check the documents: links, contents, and every example in them
	@$(PYTEST) -q tests/house/test_docs.py $(PYTEST_ARGS)

clean: ## remove what make made; a hub's data in .clearwell stays
	@if [ -d .clearwell ]; then echo "clean: .clearwell, a hub's data, stays: remove it yourself if you do not want it"; fi
	@rm -rf .venv .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/screenshots
	@rm -rf src/clearwell/faces/web/static/vendor src/clearwell/faces/web/static/vendor.new
	@find src tests scripts bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
