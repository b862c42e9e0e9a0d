# The front door. `make up` sets everything up and leaves it running; `make test` tests everything.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing
BUILD := .build/release
HOME_DIR := $(or $(SOULBOX_HOME),.soulbox)

.PHONY: up down build images dependencies test test-cgroup2 bench bench-reports bench-snapshots check format clean

up:
	@scripts/up

down: 
	@$(HOME_DIR)/bin/soulbox down --home $(HOME_DIR)

dependencies:
	@scripts/install-dependencies

build: dependencies
	swift build $(SWIFT_FLAGS)

images: build
	$(BUILD)/soulbox image build all

test:
	@scripts/test

# The isolation tests alone, in a guest with pure cgroup v2; part of `make test`.
test-cgroup2:
	@scripts/test-cgroup2

# SoulBox beside a bare interpreter and other sandboxes: about ten minutes. `bench/run --quick` takes three.
bench: images
	@bench/run

# Reports on ten million executions of a year: about ten minutes, 12 GB of disk.
bench-reports: images
	@bench/reports

# Snapshots and restores beside cp and CRIU by themselves: about five minutes, 8 GB of disk.
bench-snapshots: images
	@bench/snapshots

check:
	@scripts/check

format:
	swift format --in-place --recursive --parallel Sources Tests Package.swift

clean:
	rm -rf .build
