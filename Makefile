# Two commands matter: `make demo` runs the main job, `make test` sets up and passes the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test test-unit lint format bench bench-accuracy label-config clean

# Set VENV_READY=1 to use an environment that you prepared yourself.
$(VENV)/.ready: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: install it or say make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

demo: $(VENV)/.ready  ## a real Label Studio with drafted suggestions, until Ctrl-C; ARGS=--once for a scripted run
	$(BIN)/review-copilot demo $(ARGS)

test: $(VENV)/.ready  ## everything: unit, contracts, adapters, functional, end to end, packaging
	$(BIN)/python -m pytest $(ARGS)

test-unit: $(VENV)/.ready  ## the fast ones
	$(BIN)/python -m pytest tests/unit tests/contracts $(ARGS)

lint: $(VENV)/.ready  ## the one definition of lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .label-studio .demo dist build
