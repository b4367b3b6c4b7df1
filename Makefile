# The only door: CI runs the same targets. `make` alone lists them.
#
# Builds go to a cache outside the checkout, so that a second clean checkout on this machine builds in minutes.
# Override with DANGO_BUILD_CACHE.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export DANGO_BUILD_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/dango-build
export CARGO_TARGET_DIR ?= $(DANGO_BUILD_CACHE)/target

platform := $(shell uname -s)-$(shell uname -m)
duckdb_platform := $(if $(filter Linux-x86_64,$(platform)),linux-x64,$(if $(filter Linux-aarch64,$(platform)),linux-arm64,darwin-arm64))
export DUCKDB_LIB_DIR := $(DANGO_BUILD_CACHE)/libduckdb-1.5.5-r.5-$(duckdb_platform)

DEMO ?= dango-demo

.PHONY: help
help: ## lists the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

.PHONY: tools
tools:
	@scripts/check-tools.sh build
	@scripts/fetch-libduckdb.sh "$(DANGO_BUILD_CACHE)" \
	  "$(CARGO_TARGET_DIR)"/{debug,release}{,/deps,/examples} > /dev/null

.PHONY: web
web: web/dist/index.html ## builds the pages, which the binary then holds

web_sources := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -path web/e2e -prune \
  -o -path web/src/generated -prune -o -type f -print)

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

web/dist/index.html: web/node_modules/.package-lock.json openapi.json $(web_sources)
	cd web && npm run --silent build

.PHONY: build
build: tools web ## builds the release binary
	cargo build --release --locked --bin dango

.PHONY: run
run: build ## builds, then creates and syncs a demo project and shows what is in it
	"$(CARGO_TARGET_DIR)/release/dango" demo "$(DEMO)"

.PHONY: install
install: build ## installs the binary and libduckdb into PREFIX (default /usr/local)
	scripts/install.sh "$(CARGO_TARGET_DIR)/release/dango" "$(DUCKDB_LIB_DIR)" "$(or $(PREFIX),/usr/local)"

.PHONY: check
check: tools ## the fast part, before every commit: format, lints, unit tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --workspace --locked --lib --bins
	cargo test --workspace --locked --doc
	$(MAKE) web-check

.PHONY: web-check
web-check: web/node_modules/.package-lock.json
	cd web && npm run --silent check

.PHONY: e2e
e2e: tools web ## drives the pages with a real browser
	@scripts/check-tools.sh test
	cargo build --locked --bin dango
	scripts/e2e.sh "$(CARGO_TARGET_DIR)/debug/dango"

.PHONY: fix
fix: tools ## formats, applies lint fixes, accepts generated files
	cargo fmt --all
	cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	DANGO_ACCEPT=1 cargo test --locked -p dango --test it generated
	DANGO_ACCEPT=1 cargo test --locked -p dango-server --test it -- documents sweep

.PHONY: test
test: tools web ## everything, as CI runs it
	@scripts/check-tools.sh test
	scripts/test.sh

.PHONY: soak
soak: tools ## the long campaigns; results go to bench/soak
	@scripts/check-tools.sh test
	scripts/soak.sh

.PHONY: bench
bench: build ## the measurements of bench/, beside the peers, in one run
	bench/run.sh
	bench/web.sh
	bench/timing.sh
	bench/audit.sh

.PHONY: env
env: ## prints the variables for plain cargo: eval "$(make -s env)"
	@echo "export CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)' DUCKDB_LIB_DIR='$(DUCKDB_LIB_DIR)'"
