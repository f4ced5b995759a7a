# Everything a contributor types. `make help` lists it; CONTRIBUTING.md says when to use what.
SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
export JOBS

.PHONY: help setup build test unit tsan conformance e2e e2e-long demo playground differential differential-rego bench bench-engines bench-controller lint format fuzz image manifests clean

help: ## show this list
	@echo "Portcullis: a Kubernetes policy controller that takes the place of OPA Gatekeeper."; echo
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the packages that are missing (Debian) and say what else is needed
	@tools/setup.sh

build: ## the optimised program: bin/portcullis, with links bin/gator, bin/opa and bin/manager
	@tools/build.sh

test: ## everything that must hold: unit and data tests under ASan+UBSan, concurrent ones under TSan, e2e
	@tools/test.sh

unit: ## only the unit and data tests, under ASan+UBSan
	@tools/test.sh unit

tsan: ## only the concurrent tests, under ThreadSanitizer
	@tools/test.sh tsan

conformance: ## the OPA corpora: passed and total, against the list of known failures
	@tools/test.sh conformance

differential-rego: ## random modules beside OPA's Go library: PAIRS (100000) from SEED (1); needs Go
	@test/differential/run.sh

e2e: ## the cases on a real etcd and kube-apiserver, driven by kubectl (needs Go)
	@e2e/run.sh

e2e-long: ## what takes longer: the chart, a real node with pods, Gatekeeper switched over and back, the Dockerfile (root, Go)
	@e2e/long.sh

differential: ## only the real Gatekeeper's manager and ours on equal API servers, inputs from a seed (needs Go)
	@e2e/long.sh controller_differential

demo: ## see it work: build, start a real control plane, deny, audit, metrics, and stop it all again (needs Go)
	@e2e/demo.sh

playground: ## the demo's control plane and manager, kept running until Ctrl-C (needs Go)
	@e2e/demo.sh --playground

bench: ## the benchmarks, each beside its peer where the peer is there
	@tools/bench.sh

bench-engines: ## only the Rego engine, beside OPA, regorus, rego-cpp and OPA's wasm build where they can be built
	@tools/setup.sh build bench
	@bench/engines/run.sh

bench-controller: ## only the manager beside Gatekeeper's: CPU per request, memory, start, audit (needs Go, wrk)
	@bench/run.sh controller

lint: ## formatting, include rules, script syntax, generated manifests and clang-tidy
	@tools/lint.sh

format: ## format every C++ file in place
	@git ls-files '*.h' '*.cpp' | xargs -r clang-format-19 -i

fuzz: ## every fuzz target for FUZZ_SECONDS (120) each
	@tools/fuzz.sh

image: build ## an image archive of the program, made without Docker: build/portcullis-image.tar
	@tools/image.sh

manifests: ## write manifests/ and the generated part of charts/ again from config/ and crds/
	@python3 tools/manifests.py

clean: ## remove everything that was built (not the packages, nor Go's own caches)
	rm -rf build bin .cache
