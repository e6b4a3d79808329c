# Two commands do everything on a fresh machine that has the Rust toolchain:
#   make run    builds and starts Sheetmill; prints the address and a one-time link for the first account
#   make test   every check and every test
# What is built and fetched goes to a cache outside the checkout.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

export SHEETMILL_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sheetmill
export CARGO_TARGET_DIR ?= $(SHEETMILL_CACHE)/target
# Queries were checked when they were written: .sqlx holds what the database said.
export SQLX_OFFLINE ?= true

TOOLS := $(SHEETMILL_CACHE)/tools
export PATH := $(TOOLS)/bin:$(PATH)

.PHONY: help run build test check million agree agree-steps libreoffice mutate fuzz tidy bench bench-preview load alone postgres browser garage deny readers

help:
	@sed -n 's/^#   //p' Makefile

## Running

run: postgres build
	@exec "$(CARGO_TARGET_DIR)/debug/sheetmill" up

build:
	cargo build --locked

## Testing

# Not nextest: the tests of one binary share one Postgres and one Garage, and it would start them for each test.
test: postgres browser garage deny readers check
	# Programs that tests start; as a test, --examples builds them under other names.
	cargo build --locked --workspace --bins --examples
	cargo test --locked --workspace --no-fail-fast --lib --bins --tests --examples
	cargo test --locked --workspace --doc

# What needs no test to run. Clippy first: it compiles what the documentation needs too.
check:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items
	cargo deny --locked check licenses bans sources

# The walk of a newcomer in Chromium, and kill -9 of each process, with a million rows: some two minutes.
million: postgres browser garage
	cargo build --locked --workspace --bins --examples
	SHEETMILL_TEST_ROWS=1000000 cargo test --locked --test app -- first_light:: crashes:: --nocapture

# Our cells beside those of independent readers, over the corpus: some ten minutes.
agree: build
	@.ci/need readers
	"$(SHEETMILL_CACHE)/readers/bin/python" tests/corpus/judge.py "$(CARGO_TARGET_DIR)/debug/sheetmill cells" ../shared/corpus

# Each step and function on generated tables of nasty values beside DuckDB: STEPS_CASES (25) each, STEPS_SEED; some five minutes.
agree-steps: build
	@.ci/need duckdb
	"$(SHEETMILL_CACHE)/duckdb/bin/python" tests/steps/agree.py "$(CARGO_TARGET_DIR)/debug/sheetmill"

# Workbooks that we wrote, opened in LibreOffice: two minutes.
libreoffice: build
	@.ci/need readers
	@.ci/need libreoffice
	"$(SHEETMILL_CACHE)/readers/bin/python" tests/corpus/libreoffice.py "$(CARGO_TARGET_DIR)/debug/sheetmill" ../shared/corpus/files

# Damaged copies of the corpus: read or refused in time, whatever they hold.
mutate: build
	@.ci/need python
	python3 tests/corpus/mutate.py "$(CARGO_TARGET_DIR)/debug/sheetmill" ../shared/corpus 120

# Coverage-guided fuzzing of what reads strangers' files: FUZZ_SECONDS (60) for each of five targets.
fuzz:
	@.ci/need python
	fuzz/run

tidy:
	cargo test --locked --test tidy

# The server under load: small files, trivial tasks, a killed worker, a million tasks in the list; some five minutes.
load: postgres build
	@.ci/need python
	python3 tests/load/load.py "$(CARGO_TARGET_DIR)/debug/sheetmill"

# What goes wrong on the queue's library alone, and why we do not rely on it: two minutes.
alone: postgres
	@.ci/need python
	cargo build --locked --example apalis-alone
	python3 tests/alone/alone.py "$(CARGO_TARGET_DIR)/debug/examples/apalis-alone"

bench:
	@.ci/need python
	bench/run

# Previews of a million rows as the builder asks for them: some ten minutes.
bench-preview: postgres
	@.ci/need python
	bench/preview

## What has to be on the machine. As root on Debian it is installed; otherwise it is named.

postgres:
	@.ci/need postgres

browser:
	@.ci/need browser

garage:
	@.ci/need garage

deny:
	@.ci/need deny

# Python with openpyxl: what we write, read by somebody else.
readers:
	@.ci/need readers
