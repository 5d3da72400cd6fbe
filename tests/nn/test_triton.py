"""The Triton kernel without a GPU: Triton's interpreter runs it, and its compiler compiles it.

Each in a process of its own: Triton reads TRITON_INTERPRET when it is imported. On a GPU the
kernel itself is tested by `test_cuda.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed"),
]

INTERPRET = """
import torch
from meprop_nlp.nn import reference, triton_topk

torch.manual_seed(0)
for dtype in triton_topk.LAYOUTS:
    for width in (1, 2, 16, 33):
        ties = torch.randint(-2, 3, (3, width)).to(dtype)
        broken = torch.randn(3, width).to(dtype)
        broken[0, ::3], broken[1, ::2], broken[2] = torch.nan, -torch.inf, -0.0
        tiny = ties * torch.finfo(dtype).smallest_normal / 4
        plain, strided = torch.randn(3, width).to(dtype), ties.t().clone().t()
        for dy in (plain, ties, broken, tiny, ties[:0], strided):
            for k in {1, max(1, width // 3), width}:
                actual, expected = triton_topk.select_rows(dy, k), reference.select_topk(dy, k)
                assert torch.equal(actual, expected), (dtype, width, k, dy, actual, expected)
print("equal")
"""

COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from meprop_nlp.nn.triton_topk import LAYOUTS, launch_settings, select_kernel

names = dict(zip(LAYOUTS, ("fp16", "bf16", "fp32", "fp64"), strict=True))
for dtype, name in names.items():
    constants = launch_settings(dtype, 8192)
    warps = constants.pop("num_warps")
    signature = {"entries": f"*{name}", "selected": "*i64", "width": "i32", "k": "i32"}
    signature |= dict.fromkeys(constants, "constexpr")
    source = ASTSource(fn=select_kernel, signature=signature, constexprs=constants)
    target = GPUTarget("cuda", 90, 32)
    assert triton.compile(source, target=target, options={"num_warps": warps}).asm["cubin"]
print("compiled")
"""


def run(code, **environment):
    """What a Python process with this code printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_interpreted_kernel_selects_as_the_reference_does():
    assert run(INTERPRET, TRITON_INTERPRET="1") == "equal"


def test_the_kernel_compiles_for_a_gpu_that_is_not_here(tmp_path):
    assert run(COMPILE, TRITON_INTERPRET="0", TRITON_CACHE_DIR=str(tmp_path)) == "compiled"
