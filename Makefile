# Everything a person does with this project. Each target sets up what it needs.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: run test browser check format style types tests docs reference bench bench-peers bench-page sim chaos fuzz rewrite clean

run: $(READY)      ## the main job: a simulated contact centre with live statistics
	$(BIN)/statserver demo

JOBS ?= 2
test: $(READY)     ## the whole test suite, on two cores: JOBS=2
	$(BIN)/python -m pytest -n $(JOBS)

# Playwright drives Debian's Chromium: it brings no browser of its own, which would be a download.
browser: $(READY)  ## the wallboard in a real browser, in front of a real pair; REWRITE=1 renews docs/wallboard
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[browser]'
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& apt-get update -q && apt-get install -q -y --no-install-recommends chromium; } \
		|| { echo "chromium is needed, and could not be installed; on Debian: apt-get install chromium"; exit 1; }
	$(BIN)/python -m pytest -m browser -o faulthandler_timeout=600 -rP tests/browser

check: format style types tests

format: $(READY)
	$(BIN)/ruff format .

style: $(READY)
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

tests: test

docs: $(READY)     ## the pages of docs/ as a web site: site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

reference: $(READY) ## docs/reference anew, from the code
	$(BIN)/python -m reference

bench: $(READY)    ## how fast: events, open statistics, replication
	$(BIN)/python -m benchmarks

ROUNDS ?= 3
bench-peers: $(READY) ## workload W1 beside other engines, a C program among them: ROUNDS=3
	$(BIN)/python -m benchmarks.peers $(ROUNDS)

RUN ?= run.txt
bench-page: $(READY) ## the table and pictures of docs/performance.md, from what benchmarks printed: RUN=run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[plots]'
	$(BIN)/python -m benchmarks.table $(RUN) --into docs/performance.md
	$(BIN)/python -m benchmarks.plots $(RUN) --into docs/performance.md

RUNS  ?= 1000
FIRST ?= 0
sim: $(READY)      ## bad days of whole pairs, simulated: RUNS=1000 FIRST=0, ROUGH=1 for rough ones
	$(BIN)/python -m tests.sim --runs $(RUNS) --first $(FIRST) $(if $(ROUGH),--rough)

CYCLES ?= 50
SEED   ?= 1
chaos: $(READY)    ## real processes, really hurt: CYCLES=50 SEED=1; as root with nftables more of it
	$(BIN)/python -m tests.chaos --cycles $(CYCLES) --seed $(SEED)

EXECUTIONS ?= 20000
fuzz: $(READY)     ## input that is almost right, for everything from outside: EXECUTIONS=20000, GUIDED=1 with atheris
	$(if $(GUIDED),$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]')
	$(BIN)/python -m tests.fuzz --executions $(EXECUTIONS) $(if $(GUIDED),--guided)

rewrite: $(READY)  ## refill the values of the text tables; read the diff before you commit
	REWRITE=1 $(BIN)/python -m pytest tests/conformance tests/call_models
	git diff --stat tests/conformance tests/call_models

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help
help:              ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST)

# The environment is made anew whenever what it is made from changes.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say make PYTHON=/path/to/python3.11")'
	@echo "setting up $(VENV), once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
