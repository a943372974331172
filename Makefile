SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

MODULE  := github.com/docker-space/docker-space
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null)
LDFLAGS := -s -w -X $(MODULE)/internal/api.Version=$(VERSION) -X $(MODULE)/internal/api.Commit=$(COMMIT)
GOBUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false

TOOLS         := $(CURDIR)/.tools
GOLANGCI_LINT := $(TOOLS)/golangci-lint-v2.15.0
GOTESTSUM     := $(TOOLS)/gotestsum-v1.13.0

DIST    := internal/guest/bin/dist
GUESTS  := $(DIST)/space-guest-linux-amd64 $(DIST)/space-guest-linux-arm64
SOURCES := $(shell find cmd internal -type f -not -path '*/testdata/*' -not -name '*_test.go' -not -path '$(DIST)/*' 2>/dev/null) go.mod go.sum

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

.PHONY: up
up: ## set everything up and run a first command in the space `dev`
	@docker/up.sh

.PHONY: down
down: ## stop the daemon; spaces and their files are kept
	@docker/down.sh

.PHONY: install-plugin
install-plugin: build ## put `docker space` into the docker CLI's plugin folder
	@docker/install-plugin.sh

.PHONY: build
build: toolchain bin/spaced bin/docker-space ## build bin/spaced, bin/docker-space and the guests

.PHONY: toolchain
toolchain:
	@docker/toolchain.sh

# Changes only when the version does, so that a commit relinks and nothing else does.
$(TOOLS)/version: toolchain
	@mkdir -p $(TOOLS)
	@echo '$(LDFLAGS)' | cmp -s - $@ || echo '$(LDFLAGS)' > $@

# The guest says its protocol, not a version: its content must not change with
# every commit, because each change makes spaced replace it.
$(DIST)/space-guest-linux-%: $(SOURCES)
	@mkdir -p $(DIST)
	GOOS=linux GOARCH=$* $(GOBUILD) -ldflags '-s -w' -o $@ ./cmd/space-guest
	@touch $@

bin/spaced: $(SOURCES) $(GUESTS) $(TOOLS)/version
	$(GOBUILD) -ldflags '$(LDFLAGS)' -o $@ ./cmd/spaced
	@touch $@

bin/docker-space: $(SOURCES) $(TOOLS)/version
	$(GOBUILD) -ldflags '$(LDFLAGS)' -o $@ ./cmd/docker-space
	@touch $@

.PHONY: image
image: ## build the sandbox image docker-space/base
	@docker/engine.sh
	@docker/image.sh full

.PHONY: image-slim
image-slim: ## build the small sandbox image docker-space/base:slim
	@docker/engine.sh
	@docker/image.sh slim

.PHONY: generate
generate: ## write everything generated: docs/openapi.json and docs/reference
	@.ci/generate

.PHONY: clean
clean: ## remove what was built here; images, spaces and caches are kept
	rm -rf bin $(GUESTS)

.PHONY: test
test: build image-slim $(GOTESTSUM) ## all tests, with the race detector and a real engine
	go vet ./...
	SPACE_REQUIRE_ENGINE=1 SPACE_TEST_IMAGE=docker-space/base:slim \
		$(GOTESTSUM) --format pkgname -- -race -timeout 15m ./...

.PHONY: test-unit
test-unit: toolchain ## the tests that need no engine
	DOCKER_HOST=unix:///nonexistent/docker.sock go test -race -timeout 5m ./...

.PHONY: lint
lint: toolchain $(GOLANGCI_LINT) ## golangci-lint, and shellcheck where it is installed
	$(GOLANGCI_LINT) run
	@if command -v shellcheck >/dev/null; then shellcheck docker/*.sh docker/rootfs/usr/local/bin/apt-get .ci/*; \
	else echo 'shellcheck is not installed: the scripts were not checked'; fi

.PHONY: validate
validate: $(GOLANGCI_LINT) ## formatting, vet, go.mod and generated files are as they should be
	@GOLANGCI_LINT=$(GOLANGCI_LINT) .ci/validate

$(TOOLS)/golangci-lint-v%:
	@echo "building golangci-lint v$*, once (about two minutes)"
	@GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$* && mv $(TOOLS)/golangci-lint $@

$(TOOLS)/gotestsum-v%:
	@GOBIN=$(TOOLS) go install gotest.tools/gotestsum@v$* && mv $(TOOLS)/gotestsum $@
