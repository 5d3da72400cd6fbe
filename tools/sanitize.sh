#!/usr/bin/env bash
# Runs the tests of the native core on a build with AddressSanitizer and UndefinedBehaviorSanitizer.
#
# The build goes to build/sanitize and leaves the installed core alone; arguments go to pytest.
# PYTHON is the interpreter of an environment with the package and its `dev` extra.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
. tools/sanitized_core.sh

# A finding ends the process. pytest captures what Python prints only, so that the sanitizers, which
# write straight to standard error, are heard. A spawned process would not find this core.
"${sanitized[@]}" PYTHONPATH=tools "$python" - "$core" -p no:cacheprovider --capture=sys \
    tests/nn/test_native*.py tests/nn/test_embedding.py tests/nn/test_slots.py \
    tests/nn/test_optimizers.py tests/data/conll/test_document*.py tests/models -k "not spawn" "$@" <<'EOF'
import sys
from pathlib import Path

import pytest
from core_at import use_core

use_core(Path(sys.argv[1]))
sys.exit(pytest.main(sys.argv[2:]))
EOF
