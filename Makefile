# Two commands matter: `make demo` runs the main job, `make test` sets up and passes the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
# An environment that has Label Studio 1.23.2 already; empty for one of our own in .label-studio
LABEL_STUDIO_ENV ?=
# Folders with photographs and circuit boards for the accuracy figures; scikit-image's photographs when empty
PHOTOS ?=
PCB ?=

LABEL_STUDIO := $(if $(LABEL_STUDIO_ENV),--label-studio-env $(LABEL_STUDIO_ENV))

.PHONY: demo test test-unit test-local lint format docs label-config bench clean

$(VENV)/.ready: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: install it, or say make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

demo: $(VENV)/.ready  ## a real Label Studio with drafted suggestions, until Ctrl-C; ARGS=--once for a scripted run
	$(BIN)/review-copilot demo $(LABEL_STUDIO) $(ARGS)

test: $(VENV)/.ready  ## everything: unit, contracts, adapters, functional, end to end, packaging
	$(BIN)/python -m pytest $(LABEL_STUDIO) $(ARGS)

test-unit: $(VENV)/.ready  ## the fast ones
	$(BIN)/python -m pytest tests/unit $(ARGS)

test-local: $(VENV)/.ready  ## local models: a tiny one is made on the spot, and `transformers serve` is started with it
	$(BIN)/python -m pip install --quiet --editable ".[local]" --group test-local
	$(BIN)/python -m pytest tests/local_models $(ARGS)

lint: $(VENV)/.ready  ## the one definition of lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.ready  ## pages that are made from the code
	$(BIN)/python docs/make_settings_table.py
	$(BIN)/python docs/make_export_schema.py

label-config: $(VENV)/.ready  ## label_config/ from the guidelines
	$(BIN)/review-copilot label-config --guideline photo-quality --out label_config/photo-quality.xml
	$(BIN)/review-copilot label-config --guideline pcb --reference --out label_config/pcb.xml
	$(BIN)/review-copilot label-config --guideline generated-image --prompt --out label_config/generated-image.xml

bench: $(VENV)/.ready  ## figures, as ratios from one run
	$(BIN)/python benchmarks/matching.py
	$(BIN)/python benchmarks/image_tokens.py $(if $(PHOTOS),--photographs $(PHOTOS))
	$(if $(PCB),$(BIN)/python benchmarks/pcb.py --pcb $(PCB))

clean:
	rm -rf $(VENV) .label-studio .demo dist build
