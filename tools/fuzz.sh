#!/usr/bin/env bash
# Runs libFuzzer on the core's reader and writer of CoNLL text, with AddressSanitizer and
# UndefinedBehaviorSanitizer. Needs clang with compiler-rt.
#
#     tools/fuzz.sh [SECONDS] [CORPUS]
#
# Interesting inputs are kept in CORPUS (default: build/fuzz/corpus), failures in build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
corpus=${2:-build/fuzz/corpus}
mkdir -p build/fuzz "$corpus"
# once with the vector code, and once with the code for other processors
for variant in vector plain; do
    define=(); [ "$variant" = vector ] || define=(-DMEPROP_PLAIN_SEPARATORS)
    ${CXX:-clang++} -std=c++20 -O2 -g -fsanitize=fuzzer,address,undefined \
        -fno-sanitize-recover=undefined -Inative "${define[@]}" tools/fuzz/fuzz_document.cpp \
        native/document/document.cpp native/document/rewriting.cpp -o "build/fuzz/document-$variant"
    # seeds: the first byte chooses the layout
    for choice in 0 1 2; do
        printf '\x0'"$choice"'1\ta\t_\t_\t_\t_\t0\t_\t_\t_\n\n' >"build/fuzz/seed-$choice"
    done
    "build/fuzz/document-$variant" "$corpus" -max_total_time=$((seconds / 2)) -max_len=600 \
        -dict=tools/fuzz/conllu.dict -seed_inputs="$(printf 'build/fuzz/seed-%s,' 0 1)build/fuzz/seed-2" \
        -artifact_prefix=build/fuzz/ -print_final_stats=1 -timeout=5 -rss_limit_mb=1024
done
