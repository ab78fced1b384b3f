# One command each; CI runs the same ones (.ci/run). `make check` is what a change must pass.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Warnings are errors and asyncio watches for forgotten awaits and slow callbacks, in every test run.
STRICT := PYTHONASYNCIODEBUG=1 $(BIN)/python -X dev -W error
PYTEST_ARGS ?=
# One worker a core; WORKERS=0 runs all in one process, which a debugger needs.
WORKERS ?= auto
# What `make soak` runs; `make test` runs a thousand histories and some thousand cancels of its own.
SOAK_SEEDS ?= 20000
SOAK_CANCELS ?= 1000000
BENCH_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo server test lint types guards packaging security check bench cover mutation docs clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "bitget_async needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# One stamp for each set of extras: installed again only when pyproject.toml changes.
$(VENV)/.stamp-cli: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[cli]'
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,peers]'
	@touch $@ $(VENV)/.stamp-cli

$(VENV)/.stamp-bench: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,peers,bench]'
	@touch $@ $(VENV)/.stamp-cli $(VENV)/.stamp-dev

demo: $(VENV)/.stamp-cli ## cancel against the bundled simulator, no keys needed; EXPOSE=socket for `bitget-async top socket`
	$(BIN)/bitget-async demo $(if $(EXPOSE),--expose $(EXPOSE))

server: ## a Redis server for the tests, where the system has packages and allows it
	@command -v redis-server >/dev/null || command -v valkey-server >/dev/null || { \
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
		command -v apt-get >/dev/null && { [ -z "$$as_root" ] || command -v sudo >/dev/null; } && { \
		$$as_root apt-get install -y -q --no-install-recommends redis-server || \
		{ $$as_root apt-get update -q && $$as_root apt-get install -y -q --no-install-recommends redis-server; }; }; } || \
		echo "no redis-server, and it cannot be installed here: its tests will be skipped" >&2

test: $(VENV)/.stamp-dev ## every test, strictly; PYTEST_ARGS='-k name' for some
	$(STRICT) -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.stamp-dev ## format and lint, changing nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.stamp-dev ## mypy --strict
	$(BIN)/mypy --strict

guards: $(VENV)/.stamp-dev ## who may import whom, banned calls, exports
	$(STRICT) -m pytest -q tests/test_floors.py tests/test_guards.py

packaging: $(VENV)/.stamp-dev ## build sdist and wheel, look at what is in them
	$(STRICT) -m pytest -q tests/test_packaging.py

security: $(VENV)/.stamp-dev ## bandit, and a search for secrets in the sources
	$(BIN)/bandit -q -c pyproject.toml -r bitget_async
	$(BIN)/python .ci/secrets.py

check: lint types security test ## all that a change must pass: guards and packaging are tests too

soak: $(VENV)/.stamp-dev ## the long run, an hour: SOAK_SEEDS histories, then SOAK_CANCELS cancels; leaves docs/measured
	$(BIN)/python -m tests.soak seeds --count $(SOAK_SEEDS)
	$(BIN)/python -m tests.soak cancels --count $(SOAK_CANCELS)

bench: $(VENV)/.stamp-bench ## every benchmark, twelve minutes; writes docs/performance.md; BENCH_ARGS=--quick: two, and docs stay
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

cover: $(VENV)/.stamp-dev ## branch coverage: all rooms shown, the pure ones must be complete
	@mkdir -p .cache
	$(STRICT) -m coverage run -m pytest -q $(PYTEST_ARGS)
	$(BIN)/coverage report --include='bitget_async/*' --fail-under=0
	$(BIN)/coverage report

mutation: $(VENV)/.stamp-dev ## would the tests of the pure rooms notice a changed line? half an hour; writes docs/measured/mutation.json
	$(BIN)/python -m tests.mutation

docs: $(VENV)/.stamp-dev ## docs/endpoints.md, docs/grafana.json, the picture of top; docs/reliability.md from the last whole test run
	$(BIN)/python -c 'from bitget_async.endpoints.page import page; open("docs/endpoints.md", "w").write(page())'
	$(BIN)/python -m tests.reliability_page
	$(BIN)/python -m tests.telemetry.dashboard
	$(BIN)/python -m tests.top_picture

clean: ## everything that was made, the virtual environment too
	rm -rf $(VENV) .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
