# What a contributor and CI run. Everything is installed into .venv and .demo; nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test dagster check wheel lowest format definitions requirements clean

help:  ## Show what there is to run
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

demo: $(READY)  ## Start a local HubSpot, run the real pipeline through Meltano, and print what happened
	@$(BIN)/python -m examples.demo

test: $(READY)  ## Run the tests, one worker for each core
	@$(BIN)/python -m pytest -n auto

dagster: $(VENV)/.dagster  ## Install Dagster, so that the tests run its example (examples/side_by_side), too

check: $(READY)  ## Lint, check types, run the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto

# The tests come out of the sdist; -m leaves out those that read the sources of the packages.
RESOLUTION ?= highest
wheel: $(READY)  ## Test the built package, without its sources and with the newest dependencies (needs uv)
	rm -rf dist .wheel && mkdir .wheel
	$(BIN)/python -m hatchling build
	tar -xzf dist/*.tar.gz --strip-components=1 -C .wheel
	cd .wheel && rm -r hubspot_singer tap_hubspot_email_events target_hubspot_lists
	uv venv --quiet --python $(PYTHON) .wheel/.venv
	cd .wheel && uv pip install --quiet --resolution $(RESOLUTION) -r pyproject.toml --group test
	cd .wheel && uv pip install --quiet --no-deps ../dist/*.whl
	cd .wheel && .venv/bin/python -m pytest -n auto -m 'not sources'

lowest:  ## The same with the lowest versions of the dependencies that pyproject.toml allows
	@$(MAKE) wheel RESOLUTION=lowest-direct

format: $(READY)  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

definitions: $(READY)  ## Write the plugin definitions and the settings in meltano.yml and README.md
	$(BIN)/python -m tests.definitions

PIN := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 $(if $(UPGRADE),--upgrade)
requirements:  ## Pin what pyproject.toml asks for (needs uv); UPGRADE=1 takes the newest versions that it allows
	$(PIN) --group dev pyproject.toml -o requirements-dev.txt
	$(PIN) --group docs -c requirements-dev.txt -o requirements-docs.txt
	$(PIN) --group audit -c requirements-dev.txt -o requirements-audit.txt
	echo 'meltano==4.4.1' | $(PIN) - -o examples/requirements-meltano.txt
	echo 'dagster==1.13.29' | $(PIN) -c requirements-dev.txt - -o examples/requirements-dagster.txt

clean:  ## Remove what the other targets installed
	rm -rf $(VENV) .demo .meltano

# Hashes pin what is installed; the project itself is built by the hatchling that they pin.
$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 test"; exit 1; }
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Thirty packages more, which is why `make test` does without them.
$(VENV)/.dagster: examples/requirements-dagster.txt $(READY)
	@echo "Installing Dagster into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r examples/requirements-dagster.txt
	@touch $@
