# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
PY := .venv/bin/python
PYTEST := $(PY) -m pytest
# Tests at the same time: a test that waits for a server or a browser leaves its core to others.
WORKERS ?= 4
# What `make test` leaves to `.ci/run` and `make test-long`.
MARKS ?= not long and not slow
LONG ?= long or slow

# Byte code is kept: the tests start hundreds of processes, and each would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

CHECKS := lint types imports javascript
TOGETHER := $(MAKE) --no-print-directory -j2 --output-sync=target

.PHONY: run setup test test-long check $(CHECKS) collected lock sbom digests clean help

help:            ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

run: setup       ## set up, seed the demo city, start everything, print one URL (DEMO=full: 370,000 records)
	@exec $(PY) -m app run $(if $(filter full,$(DEMO)),--full-demo)

setup:           ## virtual environment, pinned requirements, locked front-end packages
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

test: setup      ## lint, types, import contract and the tests (long ones apart)
	@$(TOGETHER) $(CHECKS) collected
	@# in the order of tests/conftest.py, which mixes those that wait with those that compute
	@$(PYTEST) -m "$(MARKS)" -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-long: setup ## the tests that take minutes: fuzzing, random histories, kills
	@$(PYTEST) -m "$(LONG)" -q -n 2 --dist worksteal --timeout 3000 -k "not kill and not selftest"
	@# what starts and kills whole instances runs alone: a machine too busy to start a process proves nothing
	@$(PYTEST) -m "$(LONG)" -q --timeout 1500 -k "kill or selftest"

check:           ## lint, types, import contract, the browser's modules; two at a time
	@$(TOGETHER) $(CHECKS)

collected:       # compiles every test once, before three processes at once would
	@out=$$($(PYTEST) --collect-only -q -n 0 -m "$(MARKS)" 2>&1) || { echo "$$out" | tail -n 60; exit 1; }

lint:
	@$(PY) -m ruff check .

types:
	@$(PY) -m mypy

imports:
	@.venv/bin/lint-imports --no-cache

javascript:      ## ESLint, tsc --checkJs and node --test over the browser's modules
	@$(PY) -m scripts.javascript

lock: setup      ## write the locks of requirements/*.in from what is installed
	@$(PY) scripts/lock.py

digests:         ## pins the images of docker compose by digest (docker and its registry are asked)
	@$(PY) -m scripts.digests

sbom:            ## the bill of materials (CycloneDX) as sbom.json
	@$(PY) -m scripts.sbom sbom.json

clean:           ## remove the environment and the demo's data
	rm -rf .venv var dashboard/node_modules dashboard/static/vendor
