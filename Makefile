# Two commands do all the set-up: `make run` and `make test`. POSIX shell; Python 3.11 or newer.
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PACKAGES := josh_engine toolwoz taubench storage embedded app
SOURCES := $(PACKAGES) pages streamlit_app.py tests bench scripts
WORKERS ?= 2
BY_FILE := --dist loadfile --no-loadscope-reorder

.PHONY: run demo install test test-all lint tests chaos bench clean

run: $(VENV)/.installed ## set up where needed, then the app on http://127.0.0.1:8501
	$(BIN)/python -m streamlit run streamlit_app.py

install: $(VENV)/.installed

DEMO := .venv-demo
DEMO_STORE ?= demo/.store/josh.db

demo: $(DEMO)/.installed ## a read-only app over the bundled sample runs, without torch
	JOSH_STORE=$(DEMO_STORE) $(DEMO)/bin/python -m app.demo_store
	JOSH_DEMO=1 JOSH_STORE=$(DEMO_STORE) $(DEMO)/bin/python -m streamlit run streamlit_app.py

$(DEMO)/.installed: requirements-demo.txt $(CONSTRAINTS)
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip --disable-pip-version-check --quiet install -r requirements-demo.txt -c $(CONSTRAINTS)
	@touch $@

# The browser's driver keeps an event loop running in its process, so browser tests have processes of their own, a file
# each. On a busy machine a page may be drawn later than a test waits: such a test gets a second try, which its summary tells.
test: $(VENV)/.developed chromium lint ## everything but the tests marked slow
	$(BIN)/python -m pytest -m "not slow and not browser" -n $(WORKERS)
	$(BIN)/python -m pytest -m "not slow and browser" -n $(WORKERS) $(BY_FILE) --reruns 2

test-all: $(VENV)/.developed chromium lint ## everything
	$(BIN)/python -m pytest -m "not browser" -n $(WORKERS)
	$(BIN)/python -m pytest -m "browser" -n $(WORKERS) $(BY_FILE) --reruns 2

lint: $(VENV)/.developed
	$(BIN)/python -m ruff check --output-format concise $(SOURCES)
	$(BIN)/python -m ruff format --check --quiet $(SOURCES)
	$(BIN)/python -m mypy

chaos: $(VENV)/.developed ## 200 kills of runs against an endpoint, and what was asked again; minutes
	CHAOS_POINTS=200 $(BIN)/python -m pytest tests/test_chaos.py

bench: $(VENV)/.developed ## the figures in bench/README.md; minutes
	$(BIN)/python -m bench

clean: ## the environment and what tools left behind; no data
	rm -rf $(VENV) $(DEMO) demo/.store .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results

.PHONY: chromium
chromium:
	@sh tests/e2e/install_chromium.sh

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "JOSH Studio needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt $(CONSTRAINTS) | $(VENV)/bin/python
	@echo "Installing into $(VENV) (about a minute, 1.7 GB) ..."
	$(PIP) install -r requirements.txt -c $(CONSTRAINTS)
	@touch $@

$(VENV)/.developed: requirements-dev.txt $(VENV)/.installed
	$(PIP) install -r requirements-dev.txt -c $(CONSTRAINTS)
	@touch $@
