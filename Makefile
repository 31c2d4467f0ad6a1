# make book  builds the pages    make test  runs everything    make quick  a minute or two    make execute  re-runs chapters
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
PAGES = book/_build/html
# Sphinx does not copy changed styles, scripts, extensions or settings by itself: then every page is built again.
BUILT = book/_build/.built
SHARED = _config.yml _toc.yml $(wildcard book/assets/* book/_ext/*.py book/_ext/*.js)
ALL = $(shell test -e $(BUILT) && find $(SHARED) -newer $(BUILT) | grep -q . && echo --all)
BUILD = $(BIN)/jupyter-book build . --path-output book -W -n --keep-going --quiet $(ALL) \
	&& $(BIN)/python tools/twins.py && touch $(BUILT)

# What you give reaches a recipe as it is, through its environment: it is never expanded, and never part of a command.
ifneq ($(origin REPO),undefined)
override export REPO := $(value REPO)
endif
ifneq ($(origin CHAPTER),undefined)
override export CHAPTER := $(value CHAPTER)
endif
ifneq ($(origin SECTION),undefined)
override export SECTION := $(value SECTION)
endif
ifneq ($(value VAELIB_DATA),)
override export VAELIB_DATA := $(if $(filter /%,$(value VAELIB_DATA)),,$(CURDIR)/)$(value VAELIB_DATA)
endif

.PHONY: help book test quick unit notebooks lint execute links pdf bench mutants sabotage publish unpublish \
	colab-test slides clean

help:
	@sed -n 1p Makefile

# The environment: made once, and again only when what it is made from changes.
$(STAMP): requirements.txt constraints.txt pyproject.toml book/_ext/typeset.py book/_ext/find.py tests/tools/twin_engines.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || $(PYTHON) -m virtualenv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	$(BIN)/python book/_ext/typeset.py
	$(BIN)/python book/_ext/find.py
	$(BIN)/python tests/tools/twin_engines.py
	touch $@

book: $(STAMP)
	$(BUILD)
	@echo "The book is built. Open $(PAGES)/index.html"

# `pytest --nbval`, with a file of the library's tests on every core: half of their time.
test: $(STAMP) lint
	$(BUILD)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile tests/vaelib
	$(BIN)/python -m pytest --nbval tests/book tests/browser tests/tools book

# The inner loop: library, guards and commands, without a browser, a build or a training. Every core has its own tests,
# which would wait for each other's threads.
quick: $(STAMP)
	$(BIN)/ruff check .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto -m "not slow and not browser" tests

unit: $(STAMP)
	$(BIN)/python -m pytest tests

# What can differ where there is neither data nor a network: the build, loading, and the chapters that load something.
offline: $(STAMP)
	$(BUILD)
	$(BIN)/python -m pytest --nbval tests/vaelib/test_data.py tests/vaelib/test_folder.py tests/vaelib/test_wheel.py \
		tests/book/test_many_gpus.py $(shell grep -l vaelib.data book/*.ipynb)

notebooks: $(STAMP)
	$(BIN)/python -m pytest --nbval book

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

execute: $(STAMP)
	$(PYTHON) tools/publish.py
	$(BIN)/python tools/execute.py

# Asks other sites, so it is no part of the tests.
links: $(STAMP)
	$(BIN)/jupyter-book build . --path-output book --builder linkcheck

pdf: book
	$(BIN)/python tools/pdf.py

bench: $(STAMP)
	$(BIN)/python -m benchmarks

mutants: $(STAMP)
	$(BIN)/python -m tools.mutants

# make sabotage [CHAPTER=03_elbo] [SECTION=eq-elbo-gap]: which checks notice when their ingredients are replaced.
sabotage: $(STAMP)
	$(BIN)/python tools/sabotage.py --write $(if $(value SECTION),"--section=$$SECTION") \
		$(if $(value CHAPTER),-- "$$CHAPTER")

# make slides CHAPTER=04_kl
slides: $(STAMP)
	$(BIN)/python tools/slides.py $(if $(value CHAPTER),-- "$$CHAPTER",04_kl)

# make publish REPO=https://github.com/owner/name: needs Python and git only; then commit and push.
publish:
	$(if $(filter undefined,$(origin REPO)),$(error use: make publish REPO=https://github.com/owner/name))
	$(PYTHON) tools/publish.py $(if $(value REPO),-- "$$REPO",--remove)

unpublish:
	$(PYTHON) tools/publish.py --remove

# Every chapter as in Colab, the newest and the oldest; two environments of 5 GB in .colab, made once.
colab-test:
	$(PYTHON) tools/colab/run.py --python 3.13
	$(PYTHON) tools/colab/run.py --python 3.11

clean:
	rm -rf book/_build
