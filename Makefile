# Everything runs in .venv; the first target that needs it makes it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo run test check faults bench pictures clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## Review a merge request with planted defects on this machine, end to end
	@$(BIN)/cloister demo $(ARGS)

run: $(VENV)/.installed ## Run Cloister on the GitLab that the CLOISTER_ settings name
	@$(BIN)/cloister up $(ARGS)

# In the order of their names, the long files come first and the many short ones fill both workers to the end.
# What breaks things on purpose has the machine for itself; ARGS names tests or options for one plain run.
test: $(VENV)/.installed-dev ## Run all tests
ifeq ($(strip $(ARGS)),)
	$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder --ignore=tests/faults
	$(BIN)/pytest -q tests/faults
else
	$(BIN)/pytest -q $(ARGS)
endif

check: $(VENV)/.installed-dev ## Lint, check types, layers and container files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose*.yaml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci deploy/gitlab-ci/*.yml

faults: $(VENV)/.installed-dev ## Break everything on purpose: long outages, and FAULT_RUNS kills
	FAULT_RUNS=$${FAULT_RUNS:-100} $(BIN)/pytest -q tests/faults $(ARGS)

bench: $(VENV)/.installed-dev ## Measure speed and memory, as ratios to a baseline of the same run
	$(BIN)/python -m tests.bench $(ARGS)

pictures: $(VENV)/.installed-dev ## Take the pictures of docs/dashboard.md anew
	$(BIN)/python -m tests.pictures docs/pictures

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Cloister needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps trl
	@touch $@
