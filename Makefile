# The verbs of the house. Each makes what it needs by itself: type `make demo` or `make test` on a fresh clone.
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= $(shell command -v python3 || command -v python || command -v python3.11 || command -v python3.12 || command -v python3.13)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
ALONE := spark or slow or browser or kill
bootstrap = $(if $(PYTHON),,$(error Aimwell needs Python 3.11 or newer and found none: install it (Debian, Ubuntu: apt-get install python3 python3-venv) or name it (make PYTHON=/path/to/python)))@$(PYTHON) tools/bootstrap.py

.PHONY: help demo test fast spark lint types docs bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' Makefile

demo: ## from raw data to a report, lists of whom to contact and a running journey, on real customers
	$(bootstrap) demo
	$(BIN)/aimwell demo

test: lint types ## everything that must hold: style, imports, types, every test on DuckDB, Spark, SQLite and PostgreSQL
	$(PYTEST) -n 2 -m "not ($(ALONE))" --durations=15
	$(PYTEST) tests -m "$(ALONE)" --durations=15
	$(BIN)/python tools/oldest_duckdb.py

fast: ## the fast tests alone, with the examples in the docstrings
	$(bootstrap) dev
	$(PYTEST) -n 2 -m "not (postgres or $(ALONE))" --durations=15

spark: ## the tests on a local Spark cluster
	$(bootstrap) dev
	$(PYTEST) tests -m spark --durations=15

lint: ## style, format and who may import whom
	$(bootstrap) dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: ## strict types
	$(bootstrap) dev
	$(BIN)/mypy src tests tools bench

docs: ## what the documents claim: links, verbs, commands, words and examples
	$(bootstrap) dev
	$(PYTEST) tests/test_house.py tests/test_docs.py tests/test_recipes.py src/aimwell

bench: ## the recorded measurements, as ratios against a named peer in the same run
	$(bootstrap) dev
	@for script in $(filter-out bench/%_rows.py,$(wildcard bench/*.py)); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean: ## remove the environment, caches and what the demonstration made
	rm -rf .venv demo build dist .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +
