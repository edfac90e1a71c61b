# Everything a newcomer needs: `make up` and `make test`. See README.md.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PROTOS := $(wildcard protos/trilithon/v1/*.proto)
# Arguments for `trilithon up`, e.g. make up ARGS="--rtt-ms 20"
ARGS ?=
# Arguments for pytest, e.g. make test TESTS="tests/link -x"
TESTS ?= tests

.PHONY: up down status install lint test bench compat simulate prove drills lock clean help

help:
	@echo "make up       start a whole cluster on this machine (Ctrl-C stops it; ARGS=... for options)"
	@echo "make down     stop a cluster that was started with ARGS=--detach"
	@echo "make test     lint, types and all tests"
	@echo "make bench    pgbench and five statements beside PostgreSQL, and where a commit's time goes"
	@echo "make compat   the corpus on PostgreSQL and here: what agrees, SEEDS=n random schemas with statements"
	@echo "make simulate a simulated cluster under faults, SEEDS=n of them (100) from FIRST=n on (0)"
	@echo "make prove    every rule of the protocol broken in turn: the checkers must notice"
	@echo "make drills   what failures cost: REPEAT=n faults of each kind (30), measured against the goals"
	@echo "make lint     lint and types only"
	@echo "make install  build $(VENV) from requirements.lock (the others do that as well)"
	@echo "make lock     refresh requirements.lock"
	@echo "make clean    remove $(VENV), generated code and caches (never a cluster's data)"

up: install
	@$(BIN)/trilithon up $(ARGS)

down: install
	@$(BIN)/trilithon down

status: install
	@$(BIN)/trilithon status

install: $(STAMP)

# Hashes are checked; where packages come from is the environment's own business (pip's settings).
$(STAMP): requirements.lock pyproject.toml hatch_build.py $(PROTOS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Say PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "cannot make $(VENV): on Debian and Ubuntu, apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade
	@echo "installing what requirements.lock names ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Tests with real clusters share one of the two workers, see tests/conftest.py.
test: lint
	@tests/prepare
	$(BIN)/python -m pytest -n 2 -rs $(TESTS)

bench: install
	$(BIN)/python tests/bench/bench.py $(ARGS)

simulate: install
	$(BIN)/python tests/simulation/simulate.py --first $(or $(FIRST),0) --seeds $(or $(SEEDS),100) --keep-going

prove: install
	TRILITHON_ALL_RULES=1 $(BIN)/python -m pytest -n 2 tests/simulation/test_mutations.py tests/simulation/test_simulated_sql.py

# Goes on where it was stopped; remove .trilithon-drills to measure anew.
drills: install
	$(BIN)/trilithon drill goals --repeat $(or $(REPEAT),30) $(ARGS)

# The same statements run on PostgreSQL 15 and on the engine; SEEDS=n adds n random schemas with queries and changes.
compat: install
	@tests/prepare
	$(BIN)/python tests/engine/compat.py --seeds $(or $(SEEDS),0) $(ARGS)

lock:
	@test -x $(BIN)/uv || $(MAKE) install
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" --quiet --upgrade \
	  --extra dev --no-emit-package trilithon --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f protos/trilithon/v1/*_pb2*.py protos/trilithon/v1/*_pb2*.pyi
	find . -name __pycache__ -type d -not -path './.trilithon/*' -prune -exec rm -rf {} +
