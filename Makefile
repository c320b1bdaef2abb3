# Two commands do everything for a newcomer: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(shell command -v uv 2>/dev/null)
LOCKED := --no-header --no-annotate --no-emit-index-url --universal --generate-hashes --python-version 3.11

.PHONY: run test check fmt lock mutants

run: $(STAMP)
	@$(BIN)/levitate-clio demo $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile $(ARGS)

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

fmt: $(STAMP)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

mutants: ## change the rules in every way that mutmut knows, and list the changes that no case notices (docs/rules.md)
	@test -x .venv-mutants/bin/mutmut || { $(PYTHON) -m venv .venv-mutants && \
		.venv-mutants/bin/python -m pip install --quiet --disable-pip-version-check \
			"mutmut>=3.8,<4" pytest pytest-asyncio hypothesis phonenumbers; }
	@.venv-mutants/bin/mutmut run $(ARGS)
	@.venv-mutants/bin/mutmut results

lock:
	@$(if $(UV),,echo "make lock needs uv"; exit 1)
	$(UV) pip compile pyproject.toml $(LOCKED) -o requirements-run.lock
	$(UV) pip compile pyproject.toml --extra embedded --extra otel --extra dev $(LOCKED) -o requirements-dev.lock

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "levitate-clio needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	@echo "Setting up $(VENV) (once)…"
ifneq ($(UV),)
	@$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)
	@$(UV) pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements-dev.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
else
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endif
	@touch $@
