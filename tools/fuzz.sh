#!/usr/bin/env bash
# Runs libFuzzer on everything that reads strangers' files, one target after the other.
#
#     tools/fuzz.sh [SECONDS] [TARGET ...]
#
# Each target runs for SECONDS (default: 600), and goes on from the inputs that it kept in
# build/fuzz/corpus/TARGET. The processor time of all runs so far is printed at the end. What fails
# lies in build/fuzz/failures; the status is then 1.
#
#     document    the core's reader and writer of CoNLL text, and the n-grams of its forms; with
#                 AddressSanitizer and UndefinedBehaviorSanitizer; needs clang with compiler-rt
#     text        running text, and lines of words, through the tokenizer and a model
#     conll       CoNLL through the readers in Python and in the core
#     vectors     files of pretrained vectors
#     brackets    trees in brackets
#     header      the header of a model file
#     model       whole model files, with a checksum that is right
#
# All but the first use Atheris. For half of the time, libFuzzer is guided by Python's code coverage.
# Then text, conll and model go on from their corpus on a core built with sanitizers, without
# guidance: the sanitizers' runtime replaces the coverage hooks. PYTHON is the interpreter of an
# environment with the package and its `dev` extra.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
seconds=${1:-600}
shift $(($# > 0))
targets=("$@")
[ $# -gt 0 ] || targets=(document text conll vectors brackets header model)
folder=build/fuzz
times=$folder/times
mkdir -p "$folder/failures"
atheris=$folder/atheris
failed=()

# run TARGET COMMAND...: libFuzzer on the target's corpus; the time it took is written down
run() {
    local target=$1 TIMEFORMAT="$1 %U %S"
    shift
    { time "$@" -max_total_time=$((seconds / 2)) "-artifact_prefix=$folder/failures/$target-" \
        -print_final_stats=1 -timeout=20 2>&3; } 3>&2 2>>"$times" || failed+=("$target")
}

fuzz_document() {
    # once with the vector code, and once with the code for other processors
    for variant in vector plain; do
        define=()
        [ "$variant" = vector ] || define=(-DMEPROP_PLAIN_SEPARATORS)
        ${CXX:-clang++} -std=c++20 -O2 -g -fsanitize=fuzzer,address,undefined \
            -fno-sanitize-recover=undefined -Inative "${define[@]}" tools/fuzz/fuzz_document.cpp \
            native/document/document.cpp native/document/rewriting.cpp native/forms/ngrams.cpp \
            -o "$folder/document-$variant"
        run document "$folder/document-$variant" "$1" -max_len=600 -rss_limit_mb=1024 \
            -dict=tools/fuzz/conllu.dict
    done
}

# fuzz_python TARGET CORPUS SCRIPT...
fuzz_python() {
    local target=$1 corpus=$2
    local options=(-len_control=0 -rss_limit_mb=2500)
    shift 2
    [ -d "$atheris" ] || "$python" -m pip install --quiet --target "$atheris" atheris==3.0.0
    local variables=(env "PYTHONPATH=$atheris:tools" OMP_NUM_THREADS=1)
    case $target in
    model) options+=(-max_len=96) ;; # choices, not the file itself
    *) options+=(-max_len=400) ;;
    esac
    [ "$target" != conll ] || options+=(-dict=tools/fuzz/conllu.dict)
    run "$target" "${variables[@]}" "$python" "$@" "${options[@]}" "$corpus"
    case $target in
    vectors | brackets | header) # no native code
        run "$target" "${variables[@]}" "$python" "$@" "${options[@]}" "$corpus" ;;
    *)
        [ -n "${core:-}" ] || . tools/sanitized_core.sh
        find "$corpus" -type f | paste -sd, >"$folder/kept"
        run "$target" "${sanitized[@]}" "${variables[@]}" "$python" "$@" "$core" "${options[@]}" \
            "-seed_inputs=@$folder/kept" ;;
    esac
}

for target in "${targets[@]}"; do
    corpus=$folder/corpus/$target
    if [ ! -d "$corpus" ]; then
        mkdir -p "$corpus"
        "$python" tools/fuzz/seeds.py "$target" "$corpus"
    fi
    case $target in
    document) fuzz_document "$corpus" ;;
    model) fuzz_python "$target" "$corpus" tools/fuzz/fuzz_model.py ;;
    text | conll | vectors | brackets | header)
        fuzz_python "$target" "$corpus" tools/fuzz/fuzz_inputs.py "$target" ;;
    *) echo "there is no target $target; see the head of $0" >&2 && exit 2 ;;
    esac
done

echo "processor time of each target so far, in minutes:"
awk '{ sum[$1] += $2 + $3 } END { for (t in sum) printf "%-10s %6.1f\n", t, sum[t] / 60 }' "$times" |
    sort
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}; see $folder/failures" >&2 && exit 1; }
