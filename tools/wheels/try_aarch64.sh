#!/usr/bin/env bash
# Runs the decoding tests of the ARM wheel in dist/ under qemu-user (Debian: qemu-user).
#
# A Python for ARM and the libraries it needs come from Debian, and are unpacked into a folder; the
# packages come from PyPI. Only annotating is tried: there is no torch in it. PYTHON is the
# interpreter of an environment with the package.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-.venv/bin/python}
work=$PWD/build/aarch64
root=$work/root
site=$work/site
allowed=()
libraries=(libc6 libgcc-s1 libstdc++6 zlib1g libexpat1 libssl3 libffi8 libbz2-1.0 liblzma5 libsqlite3-0
    libuuid1 libcrypt1)

if [ ! -x "$root/usr/bin/python3.11" ]; then
    mkdir -p "$work/debs" "$root"
    dpkg --print-foreign-architectures | grep -qx arm64 ||
        { dpkg --add-architecture arm64 && apt-get update -qq; }
    packages=(python3.11-minimal libpython3.11-minimal libpython3.11-stdlib "${libraries[@]}")
    (cd "$work/debs" && apt-get download -qq "${packages[@]/%/:arm64}")
    for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$root"; done
fi
rm -rf "$site"
"$python" tools/wheels/requirements.py >"$work/requirements.txt"
install() {
    "$python" -m pip install --quiet --disable-pip-version-check --target "$site" \
        --platform manylinux_2_28_aarch64 --platform manylinux_2_17_aarch64 \
        --only-binary=:all: --python-version 3.11 --implementation cp "$@"
}
install -c constraints.txt -r "$work/requirements.txt" pytest hypothesis
install --no-deps --upgrade dist/*manylinux_2_17_aarch64.whl
arm() { PYTHONHOME=$root/usr PYTHONPATH=$site qemu-aarch64 -L "$root" "$root/usr/bin/python3.11" "$@"; }

check='import platform; from meprop_nlp import native; assert platform.machine() == "aarch64" and native.core()'
(cd "$work" && arm -c "$check")
# confidences differ in the fourth digit
text="Time flies like an arrow. Mr. O'Neill didn't see 3.5 of them at http://example.org, did he?"
for kernels in default reference; do
    export MEPROP_NLP_KERNELS=$kernels
    [ "$kernels" != default ] || unset MEPROP_NLP_KERNELS
    (cd "$work" && echo "$text" | arm -m meprop_nlp.cli annotate -m en >"arm-$kernels")
done
(cd "$work" && echo "$text" | "$OLDPWD/$python" -m meprop_nlp.cli annotate -m en >here)
unset MEPROP_NLP_KERNELS
cmp "$work/arm-default" "$work/arm-reference"
cmp "$work/arm-default" "$work/here"
echo "the same answers as here, from the core and from NumPy"
# The tests stand beside the wheel, not beside the sources. One is about the sources; and the
# products of NumPy's BLAS raise floating-point flags under qemu, which NumPy warns of.
rm -rf "$work/tests" && cp -r tests pyproject.toml "$work"
for flag in "divide by zero" "overflow" "invalid value"; do
    allowed+=(-W "ignore:$flag encountered in matmul")
done
cd "$work" && arm -m pytest -q -p no:cacheprovider --rootdir . "${allowed[@]}" \
    -k "not s_metadata" tests/models/test_boxed.py \
    tests/models/test_digits.py tests/models/test_words.py tests/models/test_rows.py
