# Source this file in the repository's folder. It builds the core with AddressSanitizer and
# UndefinedBehaviorSanitizer in build/sanitize, and does not touch the installed core.
#
# Input: `python`, the interpreter of an environment with the package and its `dev` extra. Output:
# `core`, the module, and `sanitized`, the prefix of a command that loads it with tools/core_at.py.
core_folder=build/sanitize
cmake -S native -B "$core_folder" -DMEPROP_SANITIZE=ON \
    -DPython_EXECUTABLE="$(realpath -s "$python")" \
    -Dnanobind_DIR="$("$python" -m nanobind --cmake_dir)"
cmake --build "$core_folder" -j2
core=$(echo "$core_folder"/_native.*.so)
sanitized=(env ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
    "LD_PRELOAD=$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)")
