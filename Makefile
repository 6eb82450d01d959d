# What one does here: `make check` before a commit, `make test-all` before a merge.
.PHONY: check test test-all bench mutate pictures pages install

BIN := .venv/bin
PYTHON := python3

install: $(BIN)/m3cred  ## set up .venv with what the tests are run with

$(BIN)/m3cred: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

check: install  ## lint, format, types and import contracts; about 30 seconds
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: install  ## the quick tests
	$(BIN)/pytest

test-all: install  ## every test; some need other programs, and say which
	$(BIN)/pytest --long

bench: install  ## what everything costs, as ratios to a bare Textual app in the same run
	$(BIN)/python -m tests.benchmarks

ROOMS := authorize store stripe upkeep callback
JOBS := 2

mutate: install  ## faults in ROOMS that their quick tests do not notice; hours, resumes where it stopped
	$(BIN)/pip install --quiet -c constraints.txt -e '.[mutate]'
	for room in $(ROOMS); do \
		git checkout-index --all --force --prefix=build/mutate/$$room/ && \
		sed "s/ROOM/$$room/" pyproject.toml > build/mutate/$$room/pyproject.toml && \
		(cd build/mutate/$$room && $(CURDIR)/$(BIN)/mutmut run --max-children $(JOBS) && \
			$(CURDIR)/$(BIN)/mutmut results) || exit; \
	done

pictures: install  ## draw the README's picture and the snapshots of the screens again
	$(BIN)/python docs/picture.py
	$(BIN)/pytest --long tests/ui -k snapshots --snapshot-update
	git diff --stat -- docs/m3cred.svg tests/ui/__snapshots__

pages: install  ## write the generated pages of docs/ again
	$(BIN)/python -m docs.commands
	$(BIN)/python -m docs.configuration
	$(BIN)/python -m docs.problems
