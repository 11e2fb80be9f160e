# Everything a stranger needs: `make run` and `make test`.
# The logic is in tools/, so that it can be read and tested; this file only names it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin
UV_LOCK := uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header

.PHONY: help python setup run test lint format bench lock translations

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }

setup: python ## Install everything for development and testing
	@$(PYTHON) tools/setup.py dev </dev/null

run: python ## Start the demonstration at http://127.0.0.1:5000 (PORT=… for another port)
	@$(PYTHON) tools/setup.py run </dev/null
	@GOVERN_ENV=$${GOVERN_ENV:-demo} LOG_LEVEL=$${LOG_LEVEL:-WARNING} exec $(BIN)/govern serve --prepare

test: setup ## Run every check and every test
	@$(BIN)/python -m tools.checks all </dev/null

lint: setup ## Run the checks that run nothing: formatting, lint, types, layers
	@$(BIN)/python -m tools.checks lint </dev/null

format: setup ## Put the sources in form
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: setup ## Measure; prints JSON
	@$(BIN)/python -m tools.bench </dev/null

lock: ## Resolve the dependencies again (hashes, no addresses; needs uv)
	$(UV_LOCK) $(UPGRADE) pyproject.toml -o requirements/run.txt
	$(UV_LOCK) $(UPGRADE) --extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	$(UV_LOCK) $(UPGRADE) -c requirements/dev.txt --group build -o requirements/build.txt
	$(UV_LOCK) $(UPGRADE) -c requirements/dev.txt --group node -o requirements/node.txt

translations: setup ## Bring new messages of the sources into the catalogues
	@$(BIN)/python -m tools.translations update && $(BIN)/python -m tools.translations check
