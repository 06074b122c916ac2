# Two commands matter: `make demo` runs the main job, `make test` sets up and passes the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
# An environment that has Label Studio 1.23.2 already; empty for one of our own in .label-studio
LABEL_STUDIO_ENV ?=

.PHONY: demo test test-unit lint format bench bench-accuracy label-config clean

$(VENV)/.ready: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: install it or say make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

demo: $(VENV)/.ready  ## a real Label Studio with drafted suggestions, until Ctrl-C; ARGS=--once for a scripted run
	$(BIN)/review-copilot demo $(if $(LABEL_STUDIO_ENV),--label-studio-env $(LABEL_STUDIO_ENV)) $(ARGS)

test: $(VENV)/.ready  ## everything: unit, contracts, adapters, functional, end to end, packaging
	$(BIN)/python -m pytest $(if $(LABEL_STUDIO_ENV),--label-studio-env $(LABEL_STUDIO_ENV)) $(ARGS)

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
