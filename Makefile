# Everything a newcomer needs: `make demo` and `make test`. See README.md.
SHELL := /bin/bash
NODE := node_modules/node-linux-$(if $(filter aarch64,$(shell uname -m)),arm64,x64)/bin/node
RUN := $(NODE) --disable-warning=ExperimentalWarning
VECTORS ?= test/vectors

.PHONY: setup setup-demo demo demo-stop test unit vectors e2e bench lint check format proto clean help

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Install everything: apt packages, Node 24, Go, test peers, boot images
	@scripts/setup all

setup-demo: ## Install what the demo needs (no Go)
	@scripts/setup demo

demo: setup-demo ## A virtual rack from power-on to a ready cluster
	@$(RUN) packages/lab/src/demo/main.ts

demo-stop: ## End the demo and everything that it started
	@if [ -x $(NODE) ]; then $(RUN) packages/lab/src/demo/stop.ts; else echo "demo: nothing to stop, Node 24 was never installed"; fi

test: setup ## Every test; the last line is `N passed, N failed`
	@$(RUN) scripts/run-tests.ts all

unit: ## Unit and vector tests only
	@$(RUN) scripts/run-tests.ts unit

vectors: ## Vector tests over VECTORS=DIR (default test/vectors)
	@test -x $(NODE) || scripts/setup base
	@test -d "$(VECTORS)" || { echo "vectors: $(VECTORS) is no directory; give one with VECTORS=DIR" >&2; exit 2; }
	@VECTORS="$(abspath $(VECTORS))" $(RUN) scripts/run-tests.ts vectors

e2e: setup ## The QEMU journeys (root)
	@$(RUN) scripts/run-tests.ts e2e

bench: setup ## Side by side with peers: ratios as a table, JSON in bench/out/
	@$(RUN) bench/main.ts

lint: ## Lint and format check, zero warnings
	@test -x $(NODE) || scripts/setup base
	@npx --no-install biome check --error-on-warnings .

format:
	@npx --no-install biome check --write .

check: lint ## Types, lint, import direction, cycles; prints the figures of the house style
	@npx --no-install tsc -p tsconfig.json
	@$(RUN) scripts/check-structure.ts

proto: ## Regenerate packages/wire/src/gen from proto/
	@npm run --silent proto

clean: ## Remove node_modules and bench output (the cache under ~/.cache/bloomery stays)
	rm -rf node_modules bench/out
