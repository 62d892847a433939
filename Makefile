# Every command sets up what it needs by itself, from nothing but Python 3.11+ and make.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# The first interpreter that is new enough; `make PYTHON=/path/to/python3 …` overrides it.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$p" && break; done)

# One process for each core, up to eight: each starts a PostgreSQL of its own.
WORKERS ?= logical

export PORT RESET

# The suite starts many processes: each finds its modules compiled, whatever the machine prefers.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install demo test quick check lint types imports dead duplicates bench bench-worker kill sim screenshot screenshots format lock messages clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

demo: $(INSTALLED) ## serve the demo (PORT=8000; RESET=1 starts it over)
	$(BIN)/skileez demo

test: $(INSTALLED) ## the whole suite, on SQLite and on a real PostgreSQL, and in a browser if there is one
	$(BIN)/pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal $(ARGS)

quick: $(INSTALLED) ## the tests that need neither PostgreSQL nor a browser
	$(BIN)/pytest -m "not postgresql" --ignore tests/browser $(ARGS)

check: lint types imports dead duplicates ## everything that reads the code without running it

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/deptry .

types: $(INSTALLED)
	$(BIN)/mypy

imports: $(INSTALLED)
	$(BIN)/lint-imports --no-logo

dead: $(INSTALLED)
	$(BIN)/python tests/house/dead_code.py

duplicates: $(INSTALLED)
	$(BIN)/pytest -q tests/house/test_rules_stand_once.py

bench: $(INSTALLED) ## time the product beside its floor; a table and bench/results.json
	$(BIN)/python -m bench $(ARGS)

sim: $(INSTALLED) ## simulated half years (SEEDS=20 or from-to, COACHES=50); a failing seed prints itself
	$(BIN)/python -m tests.sim $(or $(SEEDS),20) $(or $(COACHES),50)

bench-worker: $(INSTALLED) ## how fast the worker works off what is due, and what it costs when nothing is
	$(BIN)/python -m bench.worker $(ARGS)

kill: $(INSTALLED) ## kill -9 a real worker 200 times at its work, and count what was lost
	$(BIN)/python -m bench.kill $(ARGS)

screenshot: $(INSTALLED) ## take the README's pictures anew, of the real thing
	$(BIN)/python scripts/screenshot.py

screenshots: $(INSTALLED) ## take a picture of every page, to look at (instance/pages)
	$(BIN)/python scripts/screenshots.py

format: $(INSTALLED) ## put the code into its one format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

install: $(INSTALLED) ## build .venv from the lock file (the other commands do it when needed)

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt install python3 python3-venv)"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

messages: $(INSTALLED) ## collect every string marked for translation
	@mkdir -p skileez/translations
	$(BIN)/pybabel --quiet extract -F babel.cfg -k _l -k N_ --ignore-dirs static --project skileez \
		-o skileez/translations/messages.pot skileez

lock: ## resolve the dependencies anew into requirements.lock (needs uv)
	uv pip compile pyproject.toml --extra dev --generate-hashes --universal --python-version 3.11 --upgrade --quiet \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --output-file requirements.lock
	@! grep -nE '(https?|file)://' requirements.lock

clean: ## remove what the commands made, but not the demo's data
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis test-results
