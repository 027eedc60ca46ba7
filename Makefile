# For working on frpoold. The list of `make help` is made from the comments behind the targets.
.DEFAULT_GOAL := help
.PHONY: help build test lint fuzz bench demo ci

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the program, as bin/frpoold
	go build -trimpath -o bin/frpoold ./cmd/frpoold

test: ## every test, with the race detector
	go test -race -timeout 10m ./...

lint: ## gofmt, go vet and golangci-lint, which is built on first use
	bash .ci/run format
	bash .ci/run lint

fuzz: ## every fuzz function for a few seconds
	bash .ci/run fuzz

bench: ## every benchmark, with allocations
	go test -run '^$$' -bench . -benchmem ./...

demo: ## a rack in software and the daemon, making receipts
	go run ./cmd/frpoold demo

ci: ## what has to pass before a change lands
	bash .ci/run
