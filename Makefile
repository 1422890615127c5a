# The commands of README.md. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
RUN := $(VENV)/bin/python -m

.PHONY: help demo test lint bench lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: ## all set-up, then a resident's call from ringing to the ticket (ONCE=1: one call, then stop)
	@tools/setup.sh run
	@$(RUN) callcenter demo $(if $(ONCE),--once)

test: ## all set-up, then the whole test suite
	@tools/setup.sh test
	@$(RUN) pytest $(or $(ARGS),-n auto --maxprocesses=4)

lint: ## ruff, mypy, import-linter
	@tools/setup.sh lint
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy callcenter
	@$(VENV)/bin/lint-imports
	@$(RUN) callcenter dialplan check

bench: ## figures, into bench/results (ONLY=calls: one area)
	@tools/setup.sh test
	@$(RUN) bench $(if $(ONLY),--only $(ONLY))

lock: ## write requirements/*.txt anew from pyproject.toml
	@$(VENV)/bin/python -m pip install -q uv
	@cd requirements && for set in "build:build.in" "run:build.in ../pyproject.toml" \
	  "test:build.in ../pyproject.toml --extra test --extra lint"; do \
	  ../$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links --upgrade $${set#*:} -o $${set%%:*}.txt; done

clean: ## remove what the commands above made (not var/, which holds calls)
	@rm -rf $(VENV) .venv-model build .mypy_cache .ruff_cache .pytest_cache .hypothesis

-include models/model.mk
