# Gatehouse. `make` alone lists what can be done here.

# The Go command fetches the toolchain that go.mod names, and never asks a version control system.
export GOTOOLCHAIN := auto
export GOFLAGS ?= -buildvcs=false

LISTEN ?= 127.0.0.1:8090
BUILD = CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o gatehouse .
LINTER = .tools/bin/golangci-lint

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build dev hooks test install lint test-go test-portal test-console test-browser simulate fmt golden ui bench bench-sizes clean need-go

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Running

run: need-go ## compile, then start the portal with a made-up firm on http://127.0.0.1:8090 (needs Go alone)
	@echo "Compiling Gatehouse. The first time takes a few minutes; after that, seconds."
	@$(BUILD)
	@exec ./gatehouse serve --demo --dir demo_data --http $(LISTEN)

build: need-go ## compile ./gatehouse, one file that runs anywhere
	@$(BUILD)

dev: need-go ## start with an empty firm in dist/dev_data, SQL and all requests on the terminal
	@$(BUILD)
	@exec ./gatehouse serve --dev --dir dist/dev_data --http $(LISTEN)

hooks: build ## print every hook, route and schedule in the order they run
	@./gatehouse hooks

## Testing

test: ## install what the tests need, then lint and run every test: what CI runs
	@.ci/test.sh

install: ## install what the tests need, where it is missing
	@.ci/install.sh

lint: ## lint the Go code
	@.ci/lint.sh

test-go: ## run the Go tests, with the race detector and in random order
	@.ci/go.sh

test-portal: ## check, lint and test the client portal, and compare pb_public with its source
	@.ci/portal.sh

test-console: ## lint and test the staff console
	@.ci/console.sh

test-browser: build ## run the stories in a real browser
	@.ci/browser.sh

simulate: build ## walk the shipped workflows at random: 100,000 acts, each checked
	@.ci/simulate.sh

bench: build ## measure beside bare PocketBase, and write docs/performance.md
	@go run ./hooks/gatetest/bench -gatehouse ./gatehouse -write docs/performance.md

bench-sizes: build dist/small_data dist/large_data ## measure every list at a million requests, and write docs/performance.md
	@go run ./hooks/gatetest/bench -gatehouse ./gatehouse -small dist/small_data -large dist/large_data -rounds 2 -length 400ms -write docs/performance.md

dist/small_data: CROWD = --organizations 50 --requests 10000
dist/large_data: CROWD = --organizations 5000 --requests 1000000
dist/small_data dist/large_data:
	@rm -rf $@.part
	@./gatehouse demo $(CROWD) --dir $@.part
	@mv $@.part $@

## Writing

fmt: ## format everything
	@$(LINTER) fmt . ./hooks/... ./pb_migrations/...
	@cd ui/portal && npm run --silent format

golden: ## rewrite the golden files from what the code does now
	@.ci/golden.sh

ui: ## build the client portal into pb_public
	@cd ui/portal && npm ci --no-audit --no-fund && npm run build

clean: ## remove what was built, and the data of `make run` and `make dev`
	@rm -rf gatehouse demo_data dist test-results .tools

need-go:
	@command -v go >/dev/null || { echo "Gatehouse is compiled with Go, and there is no go command here. Get Go 1.21 or newer from https://go.dev/dl/ and try again."; exit 1; }
