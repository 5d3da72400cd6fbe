#!/usr/bin/env bash
# Runs the tests of the native core on a build with AddressSanitizer and UndefinedBehaviorSanitizer.
#
# The build goes to build/sanitize and leaves the installed core alone; arguments go to pytest.
# PYTHON is the interpreter of an environment with the package and its `dev` extra.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
build=build/sanitize

cmake -S native -B "$build" -DMEPROP_SANITIZE=ON -DPython_EXECUTABLE="$(realpath -s "$python")" \
    -Dnanobind_DIR="$("$python" -m nanobind --cmake_dir)"
cmake --build "$build" -j2

# A finding ends the process. pytest captures what Python prints only, so that the sanitizers, which
# write straight to standard error, are heard.
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
    "$python" - "$build" -p no:cacheprovider --capture=sys tests/nn/test_native*.py \
    tests/nn/test_embedding.py tests/nn/test_row_optim.py tests/data/test_document*.py "$@" <<'EOF'
import importlib.util
import sys
from pathlib import Path

import pytest

(path,) = Path(sys.argv[1]).glob("_native.*.so")
spec = importlib.util.spec_from_file_location("meprop_nlp._native", path)
core = importlib.util.module_from_spec(spec)
spec.loader.exec_module(core)
sys.modules[spec.name] = core  # what the package will find
sys.exit(pytest.main(sys.argv[2:]))
EOF
