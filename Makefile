# make demo    install, then simulate, train and report (offline once installed)
# make test    install, then lint and test
# make lint    ruff and pyright
#
# TORCH_INDEX=URL  take torch from another index, such as https://download.pytorch.org/whl/cu126.
#                  Empty (TORCH_INDEX=) takes PyPI's build. On Linux without an NVIDIA driver the
#                  CPU build is tried first, which spares about 3 GB.
# PIP=...          another installer; PYTHON=... another interpreter for .venv.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PIP ?= $(BIN)/python -m pip
PYTHON ?= $(firstword $(shell command -v python3.11 python3))

CPU_INDEX := https://download.pytorch.org/whl/cpu
ifeq ($(origin TORCH_INDEX),undefined)
  ifeq ($(shell uname -s)$(shell command -v nvidia-smi),Linux)
    TORCH_INDEX := $(CPU_INDEX)
    TORCH_OPTIONAL := yes
  endif
endif

.PHONY: demo test lint install
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	$(BIN)/phosphene demo

test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile -m "not slow and not network"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

install: $(VENV)/.installed

$(BIN)/python:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Phosphene needs Python 3.11 or newer; found: $$("$(PYTHON)" --version 2>/dev/null || echo none)."; \
	  echo "Install it (Debian, Ubuntu: sudo apt install python3 python3-venv), or name one: make PYTHON=/path/to/python3.12"; \
	  exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
	  version=$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "$(PYTHON) cannot make virtual environments: its package python3-venv is missing."; \
	  echo "Install it (Debian, Ubuntu: sudo apt install python$$version-venv), then call make again."; \
	  exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV). Packages that pip has not kept yet are downloaded:"
	@echo "  torch, about $(if $(TORCH_INDEX),0.2 GB for the CPU or 1 to 3 GB for a GPU (from $(TORCH_INDEX)),3 GB with its CUDA libraries on Linux and 0.1 GB on a Mac (from PyPI)),"
	@echo "  numpy, scipy, scikit-learn, pandas, matplotlib, mne, lightning-fabric and what they need, about 0.15 GB."
ifneq ($(TORCH_INDEX),)
	@$(PIP) install --no-deps -c constraints.txt --index-url "$(TORCH_INDEX)" $(if $(TORCH_OPTIONAL),--retries 1 --timeout 20) torch || \
	  { test -n "$(TORCH_OPTIONAL)" && echo "No CPU build from $(TORCH_INDEX); taking PyPI's, about 3 GB."; }
endif
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what tests and linters need, about 0.03 GB."
	$(PIP) install -c constraints.txt -e ".[dev]"
	@touch $@
