"""The Triton kernels without a GPU: Triton's interpreter runs them, and its compiler compiles them.

Each in a process of its own: Triton reads TRITON_INTERPRET when it is imported. On a GPU the
kernels themselves are tested by `test_cuda_topk.py` and `test_cuda_lstm.py`.
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

SELECT = """
import torch
from torch.testing import assert_close
from meprop_nlp.nn.backends import reference_topk, triton_topk

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
                actual = triton_topk.select_rows(dy, k)
                expected = reference_topk.select_topk(dy, k)
                assert torch.equal(actual, expected), (dtype, width, k, dy, actual, expected)
                masked = triton_topk.mask_rows(dy, k)
                expected = reference_topk.mask_selected(dy, actual)
                assert_close(masked, expected, rtol=0, atol=0, equal_nan=True)
print("equal")
"""

LSTM = """
import itertools
import torch
from torch.testing import assert_close
from meprop_nlp.nn.backends import cuda_lstm, reference_lstm
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMWeights
from meprop_nlp.nn.topk import Selection

torch.manual_seed(0)
dtypes = torch.float32, torch.float64
shapes = itertools.product(([3, 2, 2], [1], [2, 2]), (False, True), (1, 5, 130), dtypes)
for batch_sizes, reverse, width, dtype in shapes:
    n_words, n_sequences = sum(batch_sizes), batch_sizes[0]
    packed, sizes = Packed(batch_sizes, reverse), torch.tensor(batch_sizes)
    tensors = [
        torch.randn(shape, dtype=dtype)
        for shape in ((n_words, 3), (n_sequences, width), (n_sequences, width), (4 * width, 3))
    ]
    weight_hh = torch.randn(4 * width, width, dtype=dtype) / width**0.5
    for bias in (None, torch.randn(4 * width, dtype=dtype)):
        x, *state, weight_ih = tensors
        weights = LSTMWeights(weight_ih, weight_hh, bias)
        results, trace = reference_lstm.forward(x, packed, state, weights)
        again = cuda_lstm.trace(x, sizes, state, weights, results.output, reverse=reverse)
        assert_close(again, trace)
    upstream = LSTMOutput(*(
        torch.randn(n, width, dtype=dtype) for n in (n_words, n_sequences, n_sequences)
    ))
    upstream.output[0, 0] = 0
    for k in {1, max(1, width // 3), width}:
        expected, *expected_states = reference_lstm.backward_through_time(
            upstream, packed, weight_hh, trace, Selection(k)
        )
        actual, *actual_states = cuda_lstm.backward_through_time(
            upstream, sizes, weight_hh, trace, k, reverse=reverse
        )
        assert_close((actual.sdy, actual.db), (expected.sdy, expected.db))
        assert_close(actual_states, expected_states)
        assert ((actual.sdy != 0).view(n_words, 4, width).sum(dim=2) <= k).all()
print("equal")
"""

COMPILE = """
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from meprop_nlp.nn.backends import triton_lstm
from meprop_nlp.nn.backends.triton_topk import LAYOUTS, launch_settings, topk_kernel

names = dict(zip(LAYOUTS, ("fp16", "bf16", "fp32", "fp64"), strict=True))

def compile(kernel, signature, constants):
    warps = constants.pop("num_warps", 4)
    signature |= dict.fromkeys(constants, "constexpr")
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants)
    target = GPUTarget("cuda", 90, 32)
    assert triton.compile(source, target=target, options={"num_warps": warps}).asm["cubin"]

for dtype, name in names.items():
    rows = {"entries": f"*{name}", "width": "i32", "k": "i32"}
    for masked, result in ((False, "*i64"), (True, f"*{name}")):
        constants = {**launch_settings(dtype, 8192), "masked": masked}
        compile(topk_kernel, {**rows, "result": result}, constants)

    real = {torch.float32: "fp32", torch.float64: "fp64"}[triton_lstm.COMPUTED[dtype]]
    constants = {**triton_lstm.launch_settings(dtype, 500), "reverse": False}
    constants["times"] = 32
    rows = {"batch_sizes": "*i64", "n_times": "i32", "width": "i32"}
    gates = dict.fromkeys(("gates", "tanh_c", "c_prev"), f"*{name}")
    states = dict.fromkeys(("recurrent", "states", "c0", "h_prev"), f"*{name}")
    states |= {"n_sequences": "i32"}
    scan = {"reverse": True, "times": 32, "block": triton_lstm.FOLLOWED, "real": constants["real"]}
    compile(triton_lstm.trace_kernel, {**gates, **states, **rows}, scan)
    states = dict.fromkeys(("doutput", "weight_hh", "dh", "dc", "sparse"), f"*{name}")
    room = {"db": f"*{real}", "index": "*i32", "value": f"*{real}", "k": "i32"}
    compile(triton_lstm.backward_kernel, {**gates, **states, **room, **rows}, constants)
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


@pytest.mark.parametrize("code", [SELECT, LSTM], ids=["select", "lstm"])
def test_the_interpreted_kernels_give_what_the_reference_gives(code):
    assert run(code, TRITON_INTERPRET="1") == "equal"


def test_the_kernels_compile_for_a_gpu_that_is_not_here(tmp_path):
    assert run(COMPILE, TRITON_INTERPRET="0", TRITON_CACHE_DIR=str(tmp_path)) == "compiled"
