# `make demo` and `make test` are all that a fresh machine needs: Python 3.11+, pip and make.
# The environment lives in .venv, installed from requirements.lock with hashes.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# One home for the demo, so that a second `make demo` shows what resuming costs: nothing.
DEMO_HOME ?= .venv/demo-home

.PHONY: setup demo test check test-faults test-mutants bench lock media reference clean

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Framekeep needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@$(BIN)/python -m compileall -q config checkpoints stages pipeline
	@touch $(READY)

demo: $(READY)
	$(BIN)/framekeep render sample_media/brief.md --out videos --home $(DEMO_HOME)

test: $(READY)
	$(BIN)/python -m pytest -n logical --maxprocesses 4

# Long fault-injection runs: hundreds of kills, full disks, memory that runs out. See docs/reliability.md.
FAULT_JOBS ?= 2
test-faults: $(READY)
	$(BIN)/python -m pytest -m faults -n $(FAULT_JOBS) --timeout=3600

# Breaks each guard once, in a copy of the tree: a test must notice.
test-mutants: $(READY)
	$(BIN)/python tests/faults/mutants.py --jobs $(FAULT_JOBS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python benchmarks/run.py

# For maintainers: the lock is made by `uv` and holds hashes, markers and no address.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate pyproject.toml --group dev -o requirements.lock

media: $(READY)
	$(BIN)/python sample_media/make_media.py

reference: $(READY)
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info
