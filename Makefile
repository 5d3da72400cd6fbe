# Two commands set up everything they need: `make demo` and `make test`.
PYTHON ?= python3
# more for pip, such as an index of CPU builds of torch
PIP_ARGS ?=
# how long a campaign runs: for fuzz, each of its targets
SECONDS := 600
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt
EXTRAS := docs,spacy,serve,hub,sklearn,ray,spark,tensorboard,browser
comma := ,
# of just these extras
EXTRAS_STAMP := $(VENV)/.extras-$(subst $(comma),-,$(EXTRAS))
# of test-extras: which tests run, and whether one that is skipped is a failure
MARKS := extras
DEMANDED := all

.PHONY: demo test test-extras bench sanitize threads leaks fuzz fuzz-serve differential torture lint types build wheel \
        docs wheel-aarch64 test-wheel test-aarch64 sample clean

$(STAMP): pyproject.toml constraints.txt $(wildcard native/* native/*/*)
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "meprop_nlp needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[dev]'
	touch $(STAMP)

$(EXTRAS_STAMP): $(STAMP)
	$(PIP) $$($(BIN)/python tools/extras.py $(EXTRAS))
	touch $(EXTRAS_STAMP)

demo: $(STAMP)
	$(BIN)/python benchmarks/demo.py

# on all cores; OpenMP's threads sleep while they wait, so that they leave the cores to each other
test: $(STAMP)
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n auto --dist worksteal

# what needs spaCy, Starlette, Ray, Spark, Chromium ...: installed, and none of its tests skipped
test-extras: $(EXTRAS_STAMP)
	MEPROP_NLP_EXTRAS=$(DEMANDED) OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n auto --dist worksteal -m "$(MARKS)"

# most speeds of docs/speed.md; nothing else should run beside it
bench: $(STAMP)
	$(BIN)/python benchmarks/bench_linear.py
	$(BIN)/python benchmarks/bench_lstm.py
	$(BIN)/python benchmarks/bench_training.py
	$(BIN)/python benchmarks/bench_decode.py --train
	$(BIN)/python benchmarks/readme.py

# the tests of the native core with AddressSanitizer and UndefinedBehaviorSanitizer, on a separate
# build in build/sanitize
sanitize: $(STAMP)
	PYTHON=$(BIN)/python tools/sanitize.sh

# the core's threads with ThreadSanitizer, on a separate build in build/tsan
threads: $(STAMP)
	sanitizers=thread PYTHON=$(BIN)/python tools/sanitize.sh

# a stream of sentences with LeakSanitizer, on the build of `sanitize`
leaks: $(STAMP)
	PYTHON=$(BIN)/python tools/leaks.sh $(SECONDS)

# libFuzzer on everything that reads strangers' files; goes on from the inputs it has kept; needs
# clang with compiler-rt, and Atheris from PyPI
fuzz: $(STAMP)
	PYTHON=$(BIN)/python tools/fuzz.sh $(SECONDS)

# strange requests to a server of its own; needs Schemathesis from PyPI
fuzz-serve: $(EXTRAS_STAMP)
	$(BIN)/python tools/fuzz_serve.py $(SECONDS)

# random models over random sentences in the core, in NumPy and in PyTorch; goes on where it stopped
differential: $(STAMP)
	$(BIN)/python tools/differential.py $(SECONDS)

# kills, full disks, slow pipes and two of everything, for an hour; what is resumed must end as if
# never disturbed. SECONDS=600 is shorter, SEED=1 repeats a run
torture: $(STAMP)
	$(BIN)/python tools/torture --seconds $(if $(filter command%,$(origin SECONDS)),$(SECONDS),3600) $(if $(SEED),--seed $(SEED))

# the manual as a site in build/site; links that lead nowhere are errors
docs: $(STAMP)
	$(PIP) $$($(BIN)/python tools/extras.py docs)
	NO_MKDOCS_2_WARNING=1 PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m mkdocs build --strict

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror native/*.?pp native/*/*.?pp tools/fuzz/*.cpp

types: $(STAMP)
	$(BIN)/mypy
	MYPYPATH=benchmarks $(BIN)/mypy --explicit-package-bases benchmarks
	MYPYPATH=tools:tools/fuzz:tools/manual:tools/sample_grammar:tools/torture \
	  $(BIN)/mypy --explicit-package-bases tools

build: $(STAMP)
	$(BIN)/python -m build --quiet --outdir dist .

# the wheel for Linux on x86-64, named by auditwheel, and what annotating needs beside it
wheel: $(STAMP)
	$(PIP) $$($(BIN)/python tools/extras.py wheels)
	tools/wheels/build.sh x86_64
	$(BIN)/python tools/wheels/requirements.py > dist/requirements-annotate.txt

# cross-compiled, with the portable kernels; not for `make test-wheel`, which runs it here
wheel-aarch64: wheel
	tools/wheels/build.sh aarch64

# in empty environments without a compiler
test-wheel: wheel
	$(BIN)/python -m pytest -m slow tests/test_wheel.py

# the decoding tests of the wheel for ARM, under qemu-user; fetches a Python for it from Debian
test-aarch64: wheel-aarch64
	tools/wheels/try_aarch64.sh

sample: $(STAMP)
	$(BIN)/python tools/sample_grammar/make_sample.py

clean:
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
