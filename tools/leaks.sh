#!/usr/bin/env bash
# Runs random sentences through the models on a build with LeakSanitizer, and fails if memory that
# the core took is lost.
#
#     tools/leaks.sh [SECONDS]
#
# Builds in build/sanitize. PYTHON is the interpreter of an environment with the package and its
# `dev` extra. Python and its libraries keep some memory until they end, so the report, in
# build/sanitize/leaks, is searched for the core's own calls.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
. tools/sanitized_core.sh
report=$core_folder/leaks
"${sanitized[@]}" env ASAN_OPTIONS=detect_leaks=1:exitcode=0 PYTHONMALLOC=malloc OMP_NUM_THREADS=1 \
    "$python" tools/stream.py "$core" "${1:-600}" 2>"$report"
grep -q "SUMMARY: AddressSanitizer" "$report" || echo "no memory was lost at all"
if grep -nE '_native\..*\.so|meprop::' "$report"; then
    echo "memory of the core was lost; see $report" >&2
    exit 1
fi
echo "no memory of the core was lost"
