# x.titan: every target creates .venv and installs on first use, and is quick when nothing changed.
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
BUILD   := $(if $(GPU),gpu,cpu)
STAMP   := $(VENV)/.installed-$(BUILD)

# torch: the CPU build unless GPU=1. A wheel folder that pip already knows (PIP_FIND_LINKS) is preferred over a download.
ifeq ($(BUILD),gpu)
TORCH_ENV  := UV_FIND_LINKS=
TORCH_FLAG :=
else ifneq ($(PIP_FIND_LINKS),)
TORCH_ENV  := UV_FIND_LINKS="$(PIP_FIND_LINKS)"
TORCH_FLAG :=
else
TORCH_ENV  :=
TORCH_FLAG := --torch-backend cpu
endif

# Telemetry of every tool is off. Bytecode is written, so that later processes start faster.
export DAGSTER_DISABLE_TELEMETRY = 1
export MLFLOW_DISABLE_TELEMETRY  = true
export DVC_NO_ANALYTICS          = 1
export GX_ANALYTICS_ENABLED      = false
export DO_NOT_TRACK              = 1
export PYTHONDONTWRITEBYTECODE   =

.DEFAULT_GOAL := help
.PHONY: help install demo test lint house clients drill bench ui clean

help:  ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

install: $(STAMP)  ## Create .venv and install everything (GPU=1 takes torch's CUDA build)

$(STAMP): pyproject.toml constraints/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "error: Python 3.11 to 3.13 is needed, this is %d.%d; set PYTHON=python3.11" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"
	@$(TORCH_ENV) UV_COMPILE_BYTECODE=1 $(BIN)/uv pip install --quiet --python $(BIN)/python $(TORCH_FLAG) -r constraints/dev.txt
	@$(TORCH_ENV) $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@rm -f $(VENV)/.installed-* && touch $@
	@echo "installed."

demo: install  ## The main job, end to end: train, prove, promote, trade, survive a kill -9, report
	$(BIN)/xtitan demo $(ARGS)

test: install lint clients  ## All tests
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

lint: install  ## Style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

house: install  ## The plan of the house: files, folders, arrows and circles of the imports, the longest functions and files
	@PYTHONPATH=.:tests $(BIN)/python -m support.house

clients: install  ## Deriv's own two clients under .clients/, for the tests that run them (skipped where they cannot be had)
	@sh tests/exchange/clients/install.sh

drill: install  ## Claims measured at length: gate error rates, fair prices, faults, malformed frames, many clients, payouts, five demo seeds
	$(BIN)/python -m drills $(ARGS)

bench: install  ## Speed and memory: runner footprint, features, lockstep, the exchange in process and over sockets
	$(BIN)/python -m benchmarks $(ARGS)

ui: install  ## Dagster, MLflow and the paper exchange in one go; shows the demo's runs when there are any
	$(BIN)/xtitan ui $(if $(wildcard .demo/.dagster),--home .demo) $(ARGS)

clean:  ## Remove the environment, caches and the demo's folder; data/ and mlruns/ stay
	rm -rf $(VENV) .demo .clients .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
