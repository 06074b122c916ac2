# Two commands matter: `make demo` runs the main job, `make test` sets up and passes the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
# An environment that has Label Studio 1.23.2 already; empty for one of our own in .label-studio
LABEL_STUDIO_ENV ?=
# Fault tests: actions beside each fault, which they are, and the file that the figures go to
EVENTS ?= 24
SEED ?= 1
FIGURES ?=
# Folders with photographs and circuit boards for the accuracy figures; scikit-image's photographs when empty
PHOTOS ?=
PCB ?=

LABEL_STUDIO := $(if $(LABEL_STUDIO_ENV),--label-studio-env $(LABEL_STUDIO_ENV))

.PHONY: lock licenses audit demo test test-unit test-lowest test-requests test-faults test-scale test-local lint format docs pictures label-config \
	mutants bench bench-accuracy bench-study bench-scale clean

$(VENV)/.ready: pyproject.toml requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: install it, or say make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable . --group dev
	@touch $@

demo: $(VENV)/.ready  ## a real Label Studio with drafted suggestions, until Ctrl-C; ARGS=--once for a scripted run
	$(BIN)/review-copilot demo $(LABEL_STUDIO) $(ARGS)

test: $(VENV)/.ready  ## everything: unit, contracts, adapters, functional, end to end, packaging
	$(BIN)/python -m pytest $(LABEL_STUDIO) $(ARGS)

test-unit: $(VENV)/.ready  ## the fast ones
	$(BIN)/python -m pytest tests/review_copilot/unit $(ARGS)

test-requests: $(VENV)/.ready  ## malformed requests, ROUNDS times as many as in the tests: no answer may be a 5xx
	REVIEW_COPILOT_REQUEST_ROUNDS=$(or $(ROUNDS),10) $(BIN)/python -m pytest \
		tests/review_copilot/functional/test_api_description.py \
		tests/review_copilot/functional/test_malformed_requests.py $(ARGS)

test-faults: $(VENV)/.ready  ## reviewers at work on a real Label Studio while things break; EVENTS, SEED, FIGURES=FILE
	@command -v faketime >/dev/null || { echo "faketime is needed to set clocks back: apt-get install faketime"; exit 1; }
	REVIEW_COPILOT_FAULT_EVENTS=$(EVENTS) REVIEW_COPILOT_FAULT_SEED=$(SEED) REVIEW_COPILOT_FAULT_FIGURES=$(FIGURES) \
		$(BIN)/python -m pytest tests/review_copilot/faults $(LABEL_STUDIO) $(ARGS)

test-scale: $(VENV)/.ready  ## a thousand tasks of four seconds each, through a real Label Studio; about 6 minutes
	$(BIN)/python -m pytest tests/review_copilot/scale $(LABEL_STUDIO) $(ARGS)

test-local: $(VENV)/.ready  ## local models: a tiny one is made on the spot, and `transformers serve` is started with it
	$(BIN)/python -m pip install --quiet --editable ".[local]" --group test-local
	$(BIN)/python -m pytest tests/review_copilot/local_models $(ARGS)

mutants: $(VENV)/.ready  ## change compare, suggest and the study's pure modules bit by bit: do the tests notice? about 40 minutes
	$(BIN)/python -m pip install --quiet --group mutants
	nice $(BIN)/python tests/mutants/run_mutants.py $(ARGS)

lint: $(VENV)/.ready  ## the one definition of lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock:  ## choose the newest versions that fit pyproject.toml, for tests and image
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile pyproject.toml --extra postgres --extra parquet --group dev --universal \
		--python-version 3.11 --no-header --no-annotate --no-emit-index-url --upgrade -o requirements.lock

test-lowest: $(VENV)/.ready  ## unit tests with the lowest version of each dependency that pyproject.toml allows
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python -m uv pip compile pyproject.toml --extra postgres --extra parquet --group dev \
		--python-version 3.11 --resolution lowest-direct --quiet --no-header -o .lowest.txt
	$(BIN)/python -m venv --clear .venv-lowest
	$(BIN)/python -m uv pip install --quiet --python .venv-lowest/bin/python --requirement .lowest.txt --editable .
	.venv-lowest/bin/python -m pytest tests/review_copilot/unit tests/photo_inspector -p no:cacheprovider $(ARGS)

licenses: $(VENV)/.ready  ## the license of each locked package
	$(BIN)/python -m pip install --quiet pip-licenses
	$(BIN)/pip-licenses --order=license

audit: $(VENV)/.ready  ## known vulnerabilities of the locked versions
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --requirement requirements.lock --no-deps --disable-pip

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.ready  ## pages that are made from the code
	$(BIN)/python docs/make_settings_table.py
	$(BIN)/python docs/make_reliability_table.py
	$(BIN)/python docs/make_export_schema.py

pictures: $(VENV)/.ready  ## the README's picture, from a demo in Chromium
	PYTHONPATH=$(CURDIR)/tests/support $(BIN)/python docs/make_pictures.py $(LABEL_STUDIO)

label-config: $(VENV)/.ready  ## label_config/ from the guidelines
	$(BIN)/review-copilot label-config --guideline photo-quality --out label_config/photo-quality.xml
	$(BIN)/review-copilot label-config --guideline pcb --reference --out label_config/pcb.xml
	$(BIN)/review-copilot label-config --guideline generated-image --prompt --out label_config/generated-image.xml
	$(BIN)/review-copilot label-config --guideline edited-photo --out label_config/edited-photo.xml

bench: $(VENV)/.ready  ## speed: command start, pairing, requests, webhooks, imports, image tokens, inspector; ratios from one run
	$(BIN)/python benchmarks/command_start.py
	$(BIN)/python benchmarks/matching.py
	$(BIN)/python benchmarks/predict_load.py
	$(BIN)/python benchmarks/magic.py
	$(BIN)/python benchmarks/webhooks.py
	$(BIN)/python benchmarks/imports.py
	$(BIN)/python benchmarks/image_tokens.py $(if $(PHOTOS),--photographs $(PHOTOS))
	$(BIN)/python -m pip install --quiet cleanvision
	$(BIN)/python benchmarks/inspector_speed.py $(if $(PHOTOS),--photos $(PHOTOS))
	$(BIN)/python benchmarks/inspector_speed.py --folder 1000 $(if $(PHOTOS),--photos $(PHOTOS))

bench-accuracy: $(VENV)/.ready  ## how right the built-in inspector is, beside CleanVision; PHOTOS=DIR and PCB=DIR for your own
	$(BIN)/python -m pip install --quiet cleanvision
	$(BIN)/python benchmarks/accuracy.py $(if $(PHOTOS),--photos $(PHOTOS)) $(if $(PCB),--pcb $(PCB)) $(ARGS)

bench-study: $(VENV)/.ready  ## how well the study finds planted causes
	$(BIN)/python benchmarks/study_worlds.py $(ARGS)

bench-scale: $(VENV)/.ready  ## a bulk run over 10 000 tasks, workers on Ray, the log with 100 000 tasks, sweeps of a real project with 5 000
	$(BIN)/python benchmarks/bulk.py
	$(BIN)/python benchmarks/ray_scaling.py
	$(BIN)/python benchmarks/override_log.py
	$(BIN)/python benchmarks/sweep.py $(if $(LABEL_STUDIO_ENV),--label-studio-env $(LABEL_STUDIO_ENV))
	$(BIN)/python benchmarks/store_size.py

clean:
	rm -rf $(VENV) .label-studio .demo dist build
