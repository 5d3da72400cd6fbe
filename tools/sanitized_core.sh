# Source this file in the repository's folder. It builds the core with sanitizers, and does not touch
# the installed core.
#
# Input: `python`, the interpreter of an environment with the package and its `dev` extra; and
# `sanitizers`: address,undefined (the default), built in build/sanitize, or thread, in build/tsan.
# Output: `core`, the module, and `sanitized`, the prefix of a command that loads it with
# tools/core_at.py.
sanitizers=${sanitizers:-address,undefined}
case "$sanitizers" in
thread)
    core_folder=build/tsan
    # addresses are not drawn at random: the sanitizer's shadow has its place
    # PyTorch and the C library were not built with it, so that it would not see how their threads
    # wait for each other: the core starts its own, and what the others do is left out
    mkdir -p "$core_folder"
    printf '%s\n' race:_dl_deallocate_tls called_from_lib:lib{torch_cpu,torch_python,c10}.so \
        >"$core_folder/suppressions"
    options=halt_on_error=1:report_signal_unsafe=0:suppressions=$PWD/$core_folder/suppressions
    sanitized=(env PLAIN_THREADS=1 "TSAN_OPTIONS=$options"
        "LD_PRELOAD=$(gcc -print-file-name=libtsan.so)" setarch -R)
    ;;
*)
    core_folder=build/sanitize
    sanitized=(env ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
        "LD_PRELOAD=$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)")
    ;;
esac
cmake -S native -B "$core_folder" "-DMEPROP_SANITIZE=$sanitizers" \
    -DPython_EXECUTABLE="$(realpath -s "$python")" \
    -Dnanobind_DIR="$("$python" -m nanobind --cmake_dir)"
cmake --build "$core_folder" -j2
core=$(echo "$core_folder"/_native.*.so)
