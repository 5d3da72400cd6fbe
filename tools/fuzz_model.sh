#!/usr/bin/env bash
# Runs libFuzzer on the model loader; see tools/fuzz/fuzz_model.py.
#
#     tools/fuzz_model.sh [SECONDS] [CORPUS]
#
# For half of the time, libFuzzer is guided by Python's code coverage. Then it continues from the
# corpus on a core built with sanitizers, without guidance: the sanitizers' runtime replaces the
# coverage hooks. PYTHON is the interpreter of an environment with the package and its `dev` extra.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
seconds=${1:-600}
corpus=${2:-build/fuzz/model-corpus}
atheris=build/fuzz/atheris
mkdir -p build/fuzz "$corpus"
[ -d "$atheris" ] || "$python" -m pip install --quiet --target "$atheris" atheris==3.0.0
. tools/sanitized_core.sh

options=(-max_total_time=$((seconds / 2)) -max_len=96 -len_control=0 -timeout=20
    -rss_limit_mb=2500 -artifact_prefix=build/fuzz/ -print_final_stats=1)
PYTHONPATH=$atheris:tools "$python" tools/fuzz/fuzz_model.py "${options[@]}" "$corpus"
"${sanitized[@]}" PYTHONPATH="$atheris:tools" "$python" tools/fuzz/fuzz_model.py "$core" \
    "${options[@]}" -seed_inputs="$(find "$corpus" -type f | paste -sd,)"
