# What a person types here. `make` alone prints the list.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml $(shell find card sipua cli -name '*.py' -o -name '*.toml' -o -name py.typed)
REPORT := build/junit.xml
# A test that hangs ends the run and shows where.
NO_HANG := -o faulthandler_timeout=120 -o faulthandler_exit_on_timeout=true

# The environment's own pip; Debian's python3 without python3-venv has none to give it.
PIP = $$(test -x $(BIN)/pip && echo $(BIN)/pip || echo $(PYTHON) -m pip --python $(BIN)/python) \
	--disable-pip-version-check --quiet

# The extra "test" without the one package that has to be compiled.
define TEST_TOOLS
import tomllib
extras = tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']
print(*(need for need in extras['test'] if 'pyscard' not in need), sep='\n')
endef
export TEST_TOOLS

.PHONY: help demo test lint bench clean

help:
	@echo 'make demo    install into .venv and watch a SIM-authenticated registration'
	@echo 'make test    install what the tests need, then style, types and every test'
	@echo 'make lint    style and types only'
	@echo 'make bench   figures of speed, measured side by side'
	@echo 'make clean   remove .venv and everything that was built'

demo: $(VENV)/installed
	@$(BIN)/sipua demo

test: packages lint
	@mkdir -p build
	$(BIN)/pytest -m 'not device' --junit-xml=$(REPORT) $(NO_HANG)

lint: $(VENV)/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: packages $(VENV)/installed-for-tests
	PYTHONPATH=tests $(BIN)/python bench/run.py

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Foreign programs (pcscd, Kamailio, SIPp …) and what pyscard needs to compile.
.PHONY: packages
packages:
	@.ci/install-test-packages

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'sipua needs Python 3.11 or newer: make PYTHON=python3.12 …' >&2; exit 1; }
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then $(PYTHON) -m venv --without-pip $(VENV); \
	else echo 'No pip here: on Debian, apt-get install python3-venv' >&2; exit 1; fi
	@$(PIP) install --upgrade pip  # its scripts start faster than those of Debian 12's pip

# A copy, not an editable install, whose import hook would slow every start. What an
# earlier build left behind must not get into it.
$(VENV)/installed: $(SOURCES) | $(VENV)/bin/python
	@echo 'Installing into $(VENV) …'
	@rm -rf build/lib build/bdist.* *.egg-info
	@$(PIP) install .
	@touch $@

$(VENV)/installed-for-tests: $(SOURCES) | $(VENV)/bin/python packages
	@echo 'Installing into $(VENV) with what the tests need …'
	@rm -rf build/lib build/bdist.* *.egg-info
	@$(PIP) install '.[pcsc,test]' || { \
		echo 'pyscard could not be compiled (it needs gcc, python3-dev and libpcsclite-dev):'; \
		echo 'going on without it; tests that need PC/SC will be skipped.'; \
		$(BIN)/python -c "$$TEST_TOOLS" >$(VENV)/test-tools && $(PIP) install . -r $(VENV)/test-tools; }
	@touch $@ $(VENV)/installed
