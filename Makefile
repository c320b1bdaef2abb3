# Two commands do everything for a newcomer: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH_VENV := .venv-bench
BENCH_STAMP := $(BENCH_VENV)/.installed
SBOM_VENV := .venv-sbom
CLIENTS_VENV := .venv-clients
UV := $(shell command -v uv 2>/dev/null)
LOCKED := --no-header --no-annotate --no-emit-index-url --universal --generate-hashes --python-version 3.11

# The tiers of tests, by folder (CONTRIBUTING.md). A test checks that they are those of tests/support/tiers.py.
FAST := tests/unit tests/rules tests/contract
STANDARD := tests/integration tests/e2e
WIDE := tests/wide
PYTEST := $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal
# Each worker, and each process that a test starts, would compile everything anew where this variable is set.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test test-fast test-wide wide-tests soak nightly check fmt lock mutants mutants-sample bench bench-neighbours clients sbom

run: $(STAMP)
	@$(BIN)/levitate-clio demo $(ARGS)

test: $(STAMP) ## everything that needs only Python and PostgreSQL
	@$(PYTEST) $(FAST) $(STANDARD) $(ARGS)

test-fast: $(STAMP) ## what needs no database
	@$(PYTEST) $(FAST) $(ARGS)

# Both wait for long: side by side they take little more than one of them.
test-wide: $(STAMP) ## real processes: kills, generated requests and firms, and beside these a soak of two minutes
	@$(MAKE) --no-print-directory --jobs=2 wide-tests soak

wide-tests: $(STAMP)
	@$(PYTEST) $(WIDE) $(ARGS)

soak: $(STAMP)
	@$(BIN)/python -m tests.chaos.soak --minutes 2 --slots 1 --stops 20 --kills 45

nightly: $(STAMP) ## the wide tier at full size, mutants and benchmarks; takes many hours
	@SCHEMATHESIS_CASES=10000 $(BIN)/python -m pytest tests/wide/api
	@PHONE_NUMBERS=70000 $(BIN)/python -m pytest tests/rules/test_phone_numbers.py
	@HTML_SHARE=1 $(BIN)/python -m pytest tests/unit/sync/writeback/test_html_to_text.py
	@INTERRUPTED_SHARE=1 $(BIN)/python -m pytest tests/integration/db/runs/test_turns.py
	@SCHEMA_FIRMS=100 $(BIN)/python -m pytest tests/wide/schema
	@$(BIN)/python -m tests.chaos.soak --minutes 60 --slots 5 --stops 120 --kills 300
	@$(BIN)/python -m tests.chaos.chaos --minutes 60 --rounds 100000 --contacts 250 --seed 1
	@$(BIN)/python -m tests.chaos.kills --contacts 5000 --kills 50 --seed 1 --latency 0.4 --pause 6
	@$(BIN)/python -m tests.chaos.writeback --activities 1000 --kills 200 --seed 1
	@$(BIN)/python -m tests.chaos.feed --seconds 300 --seed 1
	@$(BIN)/python -m tests.chaos.takeover --rounds 10 --seed 1
	@$(MAKE) bench ARGS=--full
	@for name in rules token_timing row_level_security many_accounts many_firms writeback deliveries outages; do $(BIN)/python -m benchmarks.$$name || exit 1; done
	@$(MAKE) bench-neighbours
	@$(MAKE) mutants
	@for seed in 1 2 3; do $(MAKE) mutants-sample SEED=$$seed || exit 1; done

bench: $(STAMP) $(BENCH_STAMP) ## this service beside the references; a quarter of an hour, or ARGS=--full for hours
	@$(BIN)/python -m benchmarks $(ARGS)

bench-neighbours: $(STAMP) ## how long a small firm waits beside each kind of busy neighbour; an hour, or ARGS for a part
	@$(BIN)/python -m benchmarks.neighbours $(ARGS)

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
			"mutmut>=3.8,<4" pytest pytest-asyncio hypothesis phonenumbers msgspec; }
	@.venv-mutants/bin/mutmut run $(ARGS)
	@.venv-mutants/bin/mutmut results

mutants-sample: $(STAMP) ## 200 random changes of sync and db that SEED chooses; lists those that no test notices
	@$(BIN)/python -m tests.mutants --seed $(or $(SEED),1) --pytest="--ignore=tests/wide" $(ARGS)

# The generator needs an older typer than the service, so it has an environment of its own.
clients: $(CLIENTS_VENV)/.installed ## write the generated code of both clients anew, from docs/openapi.json; needs Node 20
	@$(CLIENTS_VENV)/bin/python clients/python/generate.py
	@cd clients/typescript && npm ci --silent --no-audit --no-fund && npm run --silent generate && npm test --silent

$(CLIENTS_VENV)/.installed: clients/python/requirements-generate.txt
	@rm -rf $(CLIENTS_VENV)
	@$(PYTHON) -m venv $(CLIENTS_VENV)
	@$(CLIENTS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# What an image contains. It reads the lock and installs nothing of it.
sbom: ## write sbom.json: what the service needs at run time, in CycloneDX format
	@test -x $(SBOM_VENV)/bin/cyclonedx-py || { $(PYTHON) -m venv $(SBOM_VENV) && \
		$(SBOM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check "cyclonedx-bom==7.5.0"; }
	@$(SBOM_VENV)/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-file sbom.json requirements-run.lock
	@echo "sbom.json is written."

lock:
	@$(if $(UV),,echo "make lock needs uv"; exit 1)
	$(UV) pip compile pyproject.toml $(LOCKED) -o requirements-run.lock
	$(UV) pip compile pyproject.toml --extra embedded --extra otel --extra dev $(LOCKED) -o requirements-dev.lock
	@echo hatchling | $(UV) pip compile - --constraint requirements-dev.lock $(LOCKED) -o requirements-build.lock
	$(UV) pip compile benchmarks/requirements.in $(LOCKED) -o benchmarks/requirements.lock

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

# What the references of the benchmark import. The service's own environment stays as it is on a server.
$(BENCH_STAMP): benchmarks/requirements.lock
	@echo "Setting up $(BENCH_VENV) (once)…"
ifneq ($(UV),)
	@$(UV) venv --quiet --clear --python $(PYTHON) $(BENCH_VENV)
	@$(UV) pip sync --quiet --require-hashes --compile-bytecode --python $(BENCH_VENV)/bin/python $<
else
	@rm -rf $(BENCH_VENV)
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
endif
	@touch $@
