# kb-service: every task of a user and of a developer. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup llm run test check tools bench lock

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# TORCH=cuda installs the CUDA build of PyTorch instead of the CPU one.
TORCH ?= cpu
LLM_LOCK := requirements/$(if $(filter cuda,$(TORCH)),cuda,llm).lock
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK_ARGS ?=

help: ## List the tasks
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.runtime: requirements/runtime.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v >= (3, 11) else "Python 3.11 or newer is needed, %s is %d.%d: make PYTHON=/path/to/python3.11" % (sys.executable, *v))'
	@echo "Installing the pinned dependencies into $(VENV) (half a minute, once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements/runtime.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	-@$(BIN)/python -m llm.kernels.build
	@touch $@

$(VENV)/.llm: $(LLM_LOCK) $(VENV)/.runtime
	@echo "Installing PyTorch and what reads checkpoints into $(VENV) (about two minutes, once) ..."
	@$(PIP) --require-hashes -r $(LLM_LOCK)
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	@echo "Installing the development tools into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements/dev.lock
	@touch $@

setup: $(VENV)/.runtime ## Create the environment and install what a start without settings needs

llm: $(VENV)/.llm ## Add what ChatGLM and other models from folders need (TORCH=cuda: on a GPU)

run: $(VENV)/.runtime ## Serve the page on http://127.0.0.1:8000 (loads the demo base on first start)
	@$(BIN)/kb serve

test: $(VENV)/.dev ## Install what the tests need, then run them
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev ## Format, lint, types, import contracts, length limits, the page's scripts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tests.length_gate
	@$(BIN)/python -m tests.web.page_check

tools: ## Install what checks the page's scripts (needs npm; nothing of it is served)
	npm ci --prefix tests/web/tools --no-audit --no-fund

bench: $(VENV)/.dev ## Run the benchmarks whose tables stand in benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks.run

COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-find-links --no-emit-index-url -q
lock: ## Pin and hash the dependencies again (needs uv; LOCK_ARGS go to it)
	$(COMPILE) $(LOCK_ARGS) -o requirements/runtime.lock
	$(COMPILE) $(LOCK_ARGS) --extra llm -o requirements/llm.lock
	$(COMPILE) $(LOCK_ARGS) --extra sources -o requirements/sources.lock
	$(COMPILE) $(LOCK_ARGS) --extra sources --extra postgres --extra milvus -o requirements/scale.lock
	$(COMPILE) $(LOCK_ARGS) --extra sources --extra postgres --extra milvus --extra ray -o requirements/ray.lock
	$(COMPILE) $(LOCK_ARGS) --extra llm --extra langchain --extra postgres --extra sources --extra milvus --extra eval --extra dev -o requirements/dev.lock
	$(COMPILE) --extra llm --extra cuda -o requirements/cuda.lock
