#!/usr/bin/env bash
# Builds the wheel for Linux, for any distribution since 2014, into dist/.
#
#     tools/wheels/build.sh [x86_64|aarch64]
#
# The compiler is Zig's clang, which comes from PyPI: it links against the glibc of manylinux_2_17,
# and for another processor as well. auditwheel checks what the module needs, and names the wheel for
# it. PYTHON is the interpreter of an environment with the extra `wheels`.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-.venv/bin/python}
machine=${1:-x86_64}
glibc=2.17
tag=manylinux_${glibc/./_}_$machine
work=$PWD/build/wheel-$machine
python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")

rm -rf "$work"
mkdir -p "$work/bin" "$work/made" dist
for tool in cc c++ ar ranlib; do
    target=
    [[ $tool != c* ]] || target="-target $machine-linux-gnu.$glibc"
    printf '#!/bin/sh\nexec %s -m ziglang %s %s "$@"\n' "$python" $tool "$target" >"$work/bin/$tool"
    chmod +x "$work/bin/$tool"
done
export CC=$work/bin/cc CXX=$work/bin/c++
export CMAKE_ARGS="-DCMAKE_AR=$work/bin/ar -DCMAKE_RANLIB=$work/bin/ranlib"
if [ "$machine" != "$(uname -m)" ]; then
    # the headers of this Python serve: both processors have the same types
    CMAKE_ARGS+=" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=$machine"
    export _PYTHON_HOST_PLATFORM=linux-$machine
    SETUPTOOLS_EXT_SUFFIX=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
    export SETUPTOOLS_EXT_SUFFIX=${SETUPTOOLS_EXT_SUFFIX/$(uname -m)/$machine}
fi
"$python" -m build --quiet --wheel --outdir "$work/made" -Cbuild-dir="$work/cmake" .
# a wheel without the core, which is what a failed compilation gives, is refused here
PATH=$(dirname "$python"):$PATH "$python" -m auditwheel repair --plat auto \
    --wheel-dir "$work/repaired" "$work"/made/*.whl
wheel=$(echo "$work"/repaired/*."$tag".whl)
[ -f "$wheel" ] || { echo "expected a wheel for $tag, found: $(ls "$work/repaired")" >&2 && exit 1; }
mv "$wheel" dist/
ls -l "dist/$(basename "$wheel")"
