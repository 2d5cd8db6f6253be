# The front door. `make` alone says what there is.

# A Python of 3.11 to 3.13 that is there; another one: make PYTHON=/path/to/python3.12
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo "$$python" && break; done)
VENV ?= .venv
RELEASE ?=

BIN := $(VENV)/bin
PACKAGES := $(VENV)/.packages
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
AS := $(if $(RELEASE),--config 'release=$(RELEASE)')

.DEFAULT_GOAL := help
.PHONY: help setup report test calibration backtest bench lock seal verify

help:
	@echo 'make report                  the report: results/draft/report.html'
	@echo 'make report RELEASE=2026.11  the same as a release, in results/2026.11/'
	@echo 'make test                    linters and all tests'
	@echo 'make seal RELEASE=2026.11    seal a release: it cannot be changed any more'
	@echo 'make verify RELEASE=2026.11  make a release again elsewhere, and compare'
	@echo 'make calibration             do the intervals hold? Simulated populations: docs/calibration*.md'
	@echo 'make backtest                the estimate as it could have been made on earlier days: docs/backtest.md'
	@echo 'make bench                   how long things take here: bench/results.md'
	@echo 'make lock                    renew the lock: envs/requirements.txt and environment.yaml'
	@echo 'make setup                   only the environment, in $(VENV)'
	@echo
	@echo 'With the environment active (. $(BIN)/activate), plain snakemake does the main job.'

setup: $(READY)

# The marks come last, so that an installation that was cut short is made anew.
$(PACKAGES): envs/requirements.txt
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo 'This needs Python 3.11, 3.12 or 3.13, and none was found ($(or $(PYTHON),python3) is not one).' >&2; \
		echo 'Install one, or say where it is: make report PYTHON=/path/to/python3.12' >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo '$(PYTHON) comes without venv. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@rm -f $(PACKAGES) $(READY)
	@echo 'Installing the packages of envs/requirements.txt in $(VENV) (once; it takes a minute or two).'
	@"$(PYTHON)" -m venv --clear $(VENV)
	@awk '/^[^ ]/ {wanted = /^setuptools==/} wanted' envs/requirements.txt > $(VENV)/setuptools.txt
	@$(PIP) install --quiet --no-deps --require-hashes -r $(VENV)/setuptools.txt
	@$(PIP) install --quiet --no-deps --require-hashes --no-build-isolation -r envs/requirements.txt
	@touch $@

$(READY): $(PACKAGES) pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

report: $(READY)
	@$(BIN)/snakemake $(AS)
	@$(BIN)/python -m uncounted.provenance where $(RELEASE)

test: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakemake --lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

calibration: $(READY)
	@$(BIN)/snakemake calibration

backtest: $(READY)
	@$(BIN)/snakemake backtest

bench: $(READY)
	@$(BIN)/python bench/bench.py

lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --fork-strategy fewest --python-version 3.11 \
		--upgrade --generate-hashes --no-header --no-annotate --quiet -o envs/requirements.txt
	$(BIN)/python envs/environment.py

seal: $(READY)
	@$(BIN)/python -m uncounted.provenance seal $(RELEASE)

verify: $(READY)
	@$(BIN)/python -m uncounted.provenance verify $(RELEASE)
