"""What the native core and the border to it refuse, with an exception, and what they pass on.

A mistake must never crash the process: every case here would read or write beyond an array.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence
from torch.testing import assert_close

from meprop_nlp import native
from meprop_nlp.nn.backends import choose, reference_topk
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMWeights
from meprop_nlp.nn.topk import Selection

CORE = native.core()
needs_core = pytest.mark.skipif(CORE is None, reason=native.why_missing())


def ints(*shape):
    return torch.zeros(shape, dtype=torch.int32)


def valid_arguments():
    """By kernel, arguments it takes: B = 4, O = 7, I = 5, K = 2; N = 3, H = 3."""
    r = torch.randn
    selected = {"index": ints(4, 2), "value": r(4, 2)}
    steps = {"batch_sizes": [2, 1], "reverse": False}
    states = {name: r(2, 3) for name in ("h_n", "c_n")}
    trace = {name: r(3, 3) for name in ("tanh_c", "h_prev", "c_prev")}
    forward = {**steps, "h0": r(2, 3), "c0": r(2, 3), "weight_hh": r(12, 3), "gates": r(3, 12)}
    forward |= {"output": r(3, 3), **states, **trace}
    backward = {"doutput": r(3, 3), **steps, "weight_hh": r(12, 3), "gates": r(3, 12)}
    backward |= {"tanh_c": r(3, 3), "c_prev": r(3, 3), "dh": r(2, 3), "dc": r(2, 3)}
    backward |= {"index": ints(3, 8), "value": r(3, 8), "db": r(12)}
    layer = {"dy": r(4, 7), "x": r(4, 5), "weight": r(7, 5)}
    made = {"dx": r(4, 5), "dw": r(7, 5), "db": r(7), "hits": ints(7).long()}
    step = {name: backward[name] for name in ("doutput", "gates", "tanh_c", "c_prev")}
    step |= {"first": 1, "k": 2, "unified": True, "dh": r(2, 3), "dc": r(2, 3)}
    step |= {"masked": r(2, 12), "index": None, "value": None, "db": r(12)}
    arguments = {
        "lstm_step_backward": step,
        "select_topk": {"dy": r(4, 7), **selected, "db": r(7), "hits": ints(7).long()},
        "mask_topk": {"dy": r(4, 7), "k": 2, "masked": r(4, 7), "db": r(7), "hits": ints(7).long()},
        "example_backward": {**layer, "k": 2, **made},
        "unified_backward": {**layer, "neurons": ints(2), **made},
        "sparse_dx": {**selected, "weight": r(7, 5), "dx": r(4, 5)},
        "sparse_dw": {**selected, "x": r(4, 5), "dw": r(7, 5)},
        "lstm_forward": forward,
        "lstm_backward": backward,
    }
    return {name: {**values, "threads": 2} for name, values in arguments.items()}


ARRAYS = [
    (kernel, name)
    for kernel, values in valid_arguments().items()
    for name, value in values.items()
    if isinstance(value, torch.Tensor)
]
each_array = pytest.mark.parametrize(("kernel", "name"), ARRAYS, ids="-".join)


def call(kernel, **changes):
    getattr(CORE, kernel)(**{**valid_arguments()[kernel], **changes})


@needs_core
@pytest.mark.parametrize("kernel", valid_arguments())
def test_valid_arguments_are_taken(kernel):
    assert call(kernel) is None


# dimensions that no other argument ties down
FREE = {
    ("sparse_dx", "weight", 0),
    ("sparse_dw", "dw", 0),
    ("unified_backward", "neurons", 0),
}


@needs_core
@each_array
def test_wrong_shape_is_a_value_error(kernel, name):
    value = valid_arguments()[kernel][name]
    for dimension in range(value.dim()):
        for size in (value.shape[dimension] - 1, value.shape[dimension] + 1, 0):
            wrong = value.new_zeros(*value.shape[:dimension], size, *value.shape[dimension + 1 :])
            if (kernel, name, dimension) in FREE and size > 0:
                assert call(kernel, **{name: wrong}) is None
                continue
            with pytest.raises(ValueError, match=r"must|outside"):
                call(kernel, **{name: wrong})


@needs_core
@each_array
def test_other_types_dimensions_and_layouts_are_a_type_error(kernel, name):
    value = valid_arguments()[kernel][name]
    wrong = [value.double(), value.short(), value.bfloat16(), value.unsqueeze(0), value[0]]
    if value.dim() == 2:
        wrong.append(value.t().contiguous().t())
    wrong += [value.repeat_interleave(2, dim=-1)[..., ::2], value.to("meta"), "text", 3]
    for argument in wrong:
        with pytest.raises(TypeError, match="incompatible function arguments"):
            call(kernel, **{name: argument})


@needs_core
@pytest.mark.parametrize("kernel", valid_arguments())
def test_fewer_than_one_thread_is_an_error(kernel):
    for threads in (0, -1):
        with pytest.raises(ValueError, match="threads must be at least 1"):
            call(kernel, threads=threads)
    with pytest.raises(TypeError, match="incompatible function arguments"):
        call(kernel, threads=2.5)


@needs_core
@pytest.mark.parametrize("kernel", ["sparse_dx", "sparse_dw"])
@pytest.mark.parametrize("wrong", [-1, 7, 2**31 - 1, -(2**31)])
def test_index_out_of_range_is_an_error(kernel, wrong):
    index = ints(4, 2)
    index[3, 1] = wrong
    with pytest.raises(ValueError, match="an index is outside the width"):
        call(kernel, index=index)


@needs_core
@pytest.mark.parametrize("kernel", ["lstm_forward", "lstm_backward"])
@pytest.mark.parametrize("sizes", [[1, 2], [2, 2], [2], [3], [2, -1, 2], [], [2**62, 3 - 2**62]])
def test_batch_sizes_that_do_not_fit_are_an_error(kernel, sizes):
    with pytest.raises(ValueError, match=r"batch sizes|a row per sequence"):
        call(kernel, batch_sizes=sizes)


@needs_core
def test_results_that_must_not_be_written_are_an_error():
    for kernel, name in [("select_topk", "value"), ("sparse_dx", "dx"), ("sparse_dw", "dw")]:
        frozen = valid_arguments()[kernel][name].numpy()
        frozen.flags.writeable = False
        with pytest.raises(TypeError, match="incompatible function arguments"):
            call(kernel, **{name: frozen})


@needs_core
def test_numpy_arrays_are_taken_like_tensors():
    dy, dx = np.float32([[1, -3, 2]]), np.empty((1, 2), np.float32)
    index, value = np.empty((1, 2), np.int32), np.empty((1, 2), np.float32)
    CORE.select_topk(dy, index, value, None, None, 1)
    CORE.sparse_dx(index, value, np.float32([[9, 9], [1, 2], [3, 4]]), dx, 1)
    assert index.tolist() == [[1, 2]]
    assert dx.tolist() == [[3, 2]]


@needs_core
def test_unknown_instruction_set_is_an_error_and_changes_nothing():
    before = CORE.instruction_set()
    with pytest.raises(ValueError, match="no such instruction set"):
        CORE.use_instruction_set("sse9")
    assert CORE.instruction_set() == before


@needs_core
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_first_thing_a_process_computes_may_be_an_empty_batch(dtype):
    code = f"""
from importlib import util
import numpy as np
spec = util.spec_from_file_location("meprop_nlp._native", {CORE.__file__!r})
core = util.module_from_spec(spec)
spec.loader.exec_module(core)
index, dw = np.empty((0, 2), np.int32), np.ones((7, 5), {dtype!r})
core.sparse_dw(index, index.astype({dtype!r}), dw[:0], dw, 1)
print(dw.any())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


# what the backends pass on


def linear_arguments():
    return {"dy": torch.randn(4, 7), "x": torch.randn(4, 5), "weight": torch.randn(7, 5), "k": 2}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"k": 0}, (ValueError, RuntimeError)),
        ({"k": 8}, (ValueError, RuntimeError)),
        ({"k": 2.0}, TypeError),
        ({"x": torch.zeros(3, 5)}, (ValueError, RuntimeError)),
        ({"weight": torch.zeros(2, 5)}, (ValueError, RuntimeError)),
        ({"x": torch.zeros(4, 5).double()}, RuntimeError),
        ({"dy": torch.zeros(4, 7).int()}, RuntimeError),
    ],
    ids=lambda value: str(list(value)) if isinstance(value, dict) else "",
)
def test_wrong_argument_of_a_linear_backward_pass_is_an_error(linear_backward, changes, error):
    with pytest.raises(error):
        linear_backward(**{**linear_arguments(), **changes})


def lstm_arguments():
    """What both directions take, and what the backward pass takes besides."""
    r = torch.randn
    given = {"x": r(3, 5), "batch_sizes": [2, 1], "weight_ih": r(12, 5), "weight_hh": r(12, 3)}
    first = {"h0": r(2, 3), "c0": r(2, 3), "bias": r(12)}
    trace = lstm_forward(**given, **first)[1]
    upstream = {"doutput": r(3, 3), "dh_n": r(2, 3), "dc_n": r(2, 3), "trace": trace, "k": 1}
    return given, first, upstream


def lstm_forward(*, x, batch_sizes, h0, c0, weight_ih, weight_hh, bias):
    weights = LSTMWeights(weight_ih, weight_hh, bias)
    return choose.lstm_forward(x, Packed(batch_sizes), (h0, c0), weights)


def lstm_backward(*, x, batch_sizes, weight_ih, weight_hh, doutput, dh_n, dc_n, trace, k):
    """dx, dh0, dc0, dw_ih, dw_hh and db."""
    upstream = LSTMOutput(doutput, dh_n, dc_n)
    kept, dh0, dc0 = choose.backward_through_time(
        upstream, Packed(batch_sizes), weight_hh, trace, Selection(k)
    )
    return kept.dx(weight_ih), dh0, dc0, kept.dw(x), kept.dw(trace.h_prev), kept.db


@pytest.mark.parametrize(
    ("direction", "changes"),
    [
        ("forward", {"x": torch.zeros(3, 4)}),
        ("forward", {"x": torch.zeros(4, 5)}),
        ("forward", {"x": torch.zeros(3, 5).double()}),
        ("forward", {"h0": torch.zeros(2, 4)}),
        ("forward", {"c0": torch.zeros(1, 3)}),
        ("forward", {"weight_hh": torch.zeros(9, 3)}),
        ("forward", {"bias": torch.zeros(3)}),
        ("backward", {"k": 0}),
        ("backward", {"k": 4}),
        ("backward", {"batch_sizes": [2]}),
        ("backward", {"doutput": torch.zeros(2, 3)}),
        ("backward", {"dh_n": torch.zeros(2, 4)}),
        ("backward", {"weight_hh": torch.zeros(12, 4)}),
    ],
    ids=lambda value: "".join(value),
)
def test_wrong_argument_of_the_lstm_is_an_error(direction, changes):
    given, first, upstream = lstm_arguments()
    rest = {"forward": first, "backward": upstream}[direction]
    run = {"forward": lstm_forward, "backward": lstm_backward}[direction]
    with pytest.raises((ValueError, RuntimeError)):
        run(**{**given, **rest, **changes})


def test_types_that_the_core_does_not_take_are_computed_by_the_reference(
    linear_backward, reference_products
):
    arguments = linear_arguments()
    dy, x, weight = (arguments[name].bfloat16() for name in ("dy", "x", "weight"))
    expected = reference_products(dy, x, weight, reference_topk.select_topk(dy, 2))
    assert_close(linear_backward(dy, x, weight, 2)[:2], expected, rtol=0, atol=0)
    layer = MePropLinear(5, 7, k=2, dtype=torch.bfloat16)
    x.requires_grad_()
    layer(x).backward(dy)
    expected = linear_backward(dy, x.detach(), layer.weight.detach(), 2)
    assert_close((x.grad, layer.weight.grad, layer.bias.grad), expected, rtol=0, atol=0)


@pytest.mark.parametrize("reverse", [False, True])
def test_lstm_in_a_type_that_the_core_does_not_take_trains_like_one_that_it_takes(reverse):
    layer = MePropLSTM(5, 16, k=4, reverse=reverse)
    words = pack_sequence([torch.randn(n, 5) for n in (4, 2)])
    grads = []
    for dtype in (torch.bfloat16, torch.float32):
        layer.to(torch.bfloat16).to(dtype)
        output, _ = layer(words._replace(data=words.data.bfloat16().to(dtype)))
        grads.append(torch.autograd.grad(output.data.sum(), layer.bias_ih_l0)[0])
    assert grads[0].dtype == torch.bfloat16
    # about three digits, over a handful of steps
    assert_close(grads[0].float(), grads[1], rtol=0.05, atol=0.05)


def test_layout_of_tensors_changes_nothing(linear_backward):
    arguments = linear_arguments()
    turned = {n: v.t().contiguous().t() for n, v in arguments.items() if n != "k"}
    expected = linear_backward(**arguments)
    assert_close(linear_backward(**turned, k=2), expected, rtol=0, atol=0)
    given, first, upstream = lstm_arguments()
    whole = {"doutput": torch.ones(3, 3), "dh_n": torch.ones(2, 3), "dc_n": torch.ones(2, 3)}
    expanded = {name: torch.ones(()).expand(value.shape) for name, value in whole.items()}
    actual = lstm_backward(**{**given, **upstream, **expanded})
    expected = lstm_backward(**{**given, **upstream, **whole})
    assert_close(actual, expected, rtol=0, atol=0)
    turned = {n: v.t().contiguous().t() for n, v in {**given, **first}.items() if hasattr(v, "t")}
    turned["bias"] = first["bias"].repeat_interleave(2)[::2]
    actual, _ = lstm_forward(**turned, batch_sizes=[2, 1])
    assert_close(actual, lstm_forward(**given, **first)[0], rtol=0, atol=0)


def test_a_negative_view_is_read_with_its_signs(linear_backward):
    # the imaginary part of a conjugate: its memory holds the opposite signs
    whole = linear_arguments()
    lazy = {
        name: torch.complex(torch.zeros_like(value), -value).conj().imag
        for name, value in whole.items()
        if name != "k"
    }
    assert all(value.is_neg() for value in lazy.values())
    assert_close(linear_backward(**lazy, k=2), linear_backward(**whole))


@pytest.mark.parametrize("shape", [(2, 4), (4,), (2, 3, 6), (0, 4), ()])
def test_input_of_a_shape_that_nn_linear_refuses_is_refused(shape):
    for layer in (nn.Linear(5, 7), MePropLinear(5, 7, k=2)):
        with pytest.raises((RuntimeError, IndexError)):
            layer(torch.zeros(shape))


def test_input_that_nn_lstm_refuses_is_refused():
    states = tuple(torch.zeros(1, 3, 16) for _ in range(2))
    words = pack_sequence([torch.zeros(3, 4), torch.zeros(2, 4)])
    for layer in (nn.LSTM(5, 16), MePropLSTM(5, 16, k=2)):
        for wrong in (torch.zeros(3, 2, 4), torch.zeros(5), torch.zeros(0, 2, 5), words):
            with pytest.raises((ValueError, RuntimeError)):
                layer(wrong)
        for wrong in (torch.zeros(3, 2, 5), words._replace(data=torch.zeros(5, 5))):
            with pytest.raises((ValueError, RuntimeError)):
                layer(wrong, states)
