# `make` lists the targets. Everything is installed into .venv, from locked requirements; nothing outside is touched.

PYTHON ?= python3
UV ?= uv
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKED := --require-hashes --requirement
# The checkout's packages must win over an installed namesake.
export PYTHONPATH := $(CURDIR)
export PATH := $(CURDIR)/.tools:$(PATH)
# Kept bytecode: a worker starts in a third of the time, and the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE
# Processes of tests, each with a broker of its own; who has finished takes over half of what is left. 0: all in one.
PROCESSES ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist worksteal
# What runs side by side is printed one after the other, by a make that can (4.0 and newer).
ASIDE := --no-print-directory --keep-going --jobs 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync)

.DEFAULT_GOAL := help
.PHONY: help run test check lint unit bench soak audit fmt lock tools clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "make run DATA=cdnow         the CDNOW purchase log through Kafka instead of made-up traffic"
	@echo "make run DATA=events.jsonl  the same with a file of your own"
	@echo "make run RATE=200/s         more traffic"
	@echo "make bench ONLY=core        one part of it: core, signals, detection, quality, learning, worker, peers, intake, latency or profile"
	@echo "make soak SOAK_MIN=120 SOAK_SEED=7   two hours of it, and other faults (docs/soak.md)"
	@echo "KAFKA_BOOTSTRAP=host:port   a broker of yours (else Docker's if an engine answers, else Kafka's jars)"

.venv/ready: requirements-dev.lock requirements-data.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "churnwatch needs Python 3.11 or newer; say which by make PYTHON=python3.11"; exit 1; }
	@echo "Setting up .venv (once)…"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) install $(LOCKED) requirements-dev.lock
	@$(PIP) install --no-deps $(LOCKED) requirements-data.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv-bench/ready: requirements-bench.lock requirements-data.lock pyproject.toml
	@echo "Setting up .venv-bench with the engines to compare with (once)…"
	@$(PYTHON) -m venv --clear .venv-bench
	@.venv-bench/bin/python -m pip --disable-pip-version-check --quiet install $(LOCKED) requirements-bench.lock
	@.venv-bench/bin/python -m pip --disable-pip-version-check --quiet install --no-deps $(LOCKED) requirements-data.lock
	@touch $@

.venv-audit/ready: requirements-audit.lock
	@echo "Setting up .venv-audit with pip-audit (once)…"
	@$(PYTHON) -m venv --clear .venv-audit
	@.venv-audit/bin/python -m pip --disable-pip-version-check --quiet install $(LOCKED) requirements-audit.lock
	@touch $@

run: .venv/ready  ## Start a broker if none is given, a worker and traffic; show alerts until Ctrl-C
	@$(BIN)/python -m deploy.run $(if $(DATA),--data '$(DATA)') $(if $(RATE),--rate '$(RATE)')

test: .venv/ready  ## Run every test, those on a real broker included
	@$(PYTEST)

check: .venv/ready  ## Lint, format, types, import rules and the unit tests: no broker, no whole lives
	@$(MAKE) $(ASIDE) lint unit

lint: .venv/ready
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports
	@$(BIN)/mypy

unit: .venv/ready
	@$(PYTEST) -m "not broker and not whole" --quiet

bench: .venv-bench/ready  ## Measure everything that README states, and print it as a table
	@.venv-bench/bin/python -m benchmarks $(ONLY)

soak: .venv/ready  ## A long run at half of the top speed, then faults by seed, all of it against the oracle (SOAK_MIN=30)
	@$(if $(SOAK_MIN),SOAK_MIN='$(SOAK_MIN)') $(if $(SOAK_SEED),SOAK_SEED='$(SOAK_SEED)') $(BIN)/python -m tests.soak

audit: .venv/ready .venv-audit/ready  ## Known faults and licences of what is locked (3: nobody could be asked)
	@$(BIN)/python -m deploy.audit .venv-audit/bin/pip-audit

fmt: .venv/ready  ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"
lock:  ## Renew the locked requirements (needs uv; UPGRADE=1 takes the newest versions)
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --output-file requirements.lock
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra tracing --output-file requirements-tracing.lock
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra dev --output-file requirements-dev.lock
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra bench --output-file requirements-bench.lock
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --group pyproject.toml:audit --output-file requirements-audit.lock
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --no-deps --group pyproject.toml:data --output-file requirements-data.lock

tools:  ## Install helm into .tools (needs Go), so that the tests try the chart; for promtool: apt install prometheus
	@GOBIN=$(CURDIR)/.tools go install helm.sh/helm/v3/cmd/helm@v3.19.2

clean:  ## Remove everything that was made here, Kafka's jars included
	@rm -rf .venv .venv-bench .venv-audit .run .tools build dist *.egg-info deploy/kafka/.data deploy/kafka/.jars
	@rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +
