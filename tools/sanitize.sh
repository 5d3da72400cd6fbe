#!/usr/bin/env bash
# Runs the tests of the native core on a build with AddressSanitizer and UndefinedBehaviorSanitizer.
#
# The build goes to build/sanitize and leaves the installed core alone; arguments go to pytest.
# PYTHON is the interpreter of an environment with the package and its `dev` extra.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
. tools/sanitized_core.sh

# Left out are files and parameters that run Python alone (the format of model files, the reference
# kernels), and tests of spawned processes, which would not find this core.
tests=(tests/nn/backends/test_native*.py tests/nn/test_{embedding,slots,optimizers}.py
    tests/data/conll/test_document*.py tests/models
    --ignore=tests/models/test_{model_file,packing}.py
    -k "not (spawn or reference- or reference])")

# A finding ends the process. pytest captures what Python prints only, so that the sanitizers, which
# write straight to standard error, are heard. OpenMP's threads sleep while they wait: spinning, two
# of them on a busy core take minutes for what takes seconds.
"${sanitized[@]}" OMP_WAIT_POLICY=passive PYTHONPATH=tools MEPROP_NLP_CORE="$core" \
    "$python" -m pytest -p core_at -p no:cacheprovider --capture=sys "${tests[@]}" "$@"
