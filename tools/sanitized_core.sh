# To be sourced, in the repository's folder: builds the core with AddressSanitizer and
# UndefinedBehaviorSanitizer in build/sanitize, and leaves the installed core alone.
#
# `python` is the interpreter of an environment with the package and its `dev` extra. Gives `core`,
# the module, and `sanitized`, what goes before a command that loads it (tools/core_at.py does).
core_folder=build/sanitize
cmake -S native -B "$core_folder" -DMEPROP_SANITIZE=ON \
    -DPython_EXECUTABLE="$(realpath -s "$python")" \
    -Dnanobind_DIR="$("$python" -m nanobind --cmake_dir)"
cmake --build "$core_folder" -j2
core=$(echo "$core_folder"/_native.*.so)
sanitized=(env ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
    "LD_PRELOAD=$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)")
