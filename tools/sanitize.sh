#!/usr/bin/env bash
# Runs the tests of the native core on a build with AddressSanitizer and UndefinedBehaviorSanitizer,
# or with `sanitizers=thread` those of its threads on a build with ThreadSanitizer.
#
# Builds in build/sanitize or build/tsan and does not touch the installed core. Arguments are passed
# to pytest. PYTHON is the interpreter of an environment with the package and its `dev` extra.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
. tools/sanitized_core.sh

if [ "$sanitizers" = thread ]; then
    tests=(tests/nn/backends/test_native_threads.py tests/models/test_concurrency.py
        -k "not PyTorch and not fork and not processes and not spawn and not loader" -n 0)
else
    # Excluded are tests that run no native code (the format of model files, the reference kernels),
    # tests that spawn processes, which would not load this core, and tests that measure memory, of
    # which the sanitizer takes much.
    tests=(tests/nn/backends/test_native*.py tests/nn/test_{embedding,slots,optimizers}.py
        tests/data/conll/test_document*.py tests/parsing/test_spanning_tree.py tests/models
        --ignore=tests/models/test_{model_file,packing}.py
        -k "not (spawn or reference- or reference] or little_memory)" -n auto --dist worksteal)
fi

# A finding ends the process. With --capture=sys, pytest captures only Python's output, so the
# sanitizers' reports reach standard error. OpenMP's threads sleep while they wait: two threads that
# spin on a busy core can take minutes instead of seconds.
"${sanitized[@]}" env OMP_WAIT_POLICY=passive PYTHONPATH=tools MEPROP_NLP_CORE="$core" \
    "$python" -m pytest -p core_at -p no:cacheprovider --capture=sys "${tests[@]}" "$@"
