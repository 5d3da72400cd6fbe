"""The LSTM of the native core gives what the plain PyTorch reference gives.

In every instruction set that this processor runs.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from meprop_nlp import native
from meprop_nlp.nn.backends import choose, reference_lstm, reference_topk
from meprop_nlp.nn.functional import LSTMFunction
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMWeights
from meprop_nlp.nn.topk import Selection

CORE = native.core()
pytestmark = pytest.mark.skipif(CORE is None, reason=native.why_missing())

each_dtype = pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64], ids=["float32", "float64"]
)
each_direction = pytest.mark.parametrize("reverse", [False, True], ids=["ahead", "reverse"])

# inputs, units, rows of each time step
PACKED = [
    (1, 1, [1]),
    (3, 2, [2, 2, 1]),
    (2, 15, [7, 7]),
    (17, 16, [7, 5, 1, 1]),
    (33, 17, [65, 30, 2]),
    (3, 33, [131, 1]),
    (9, 500, [3, 2]),
    (4, 8, [0, 0]),
    (4, 8, []),
]


def lstm_tensors(ins, units, batch_sizes, dtype, *, bias=True):
    """Packed input, first state, and weights as PyTorch makes them, all in `dtype`."""
    sequences = batch_sizes[0] if batch_sizes else 2
    states = torch.randn(2, sequences, units, dtype=dtype)
    bound = units**-0.5
    weights = [torch.empty(4 * units, n, dtype=dtype).uniform_(-bound, bound) for n in (ins, units)]
    return (
        torch.randn(sum(batch_sizes), ins, dtype=dtype),
        tuple(states),
        LSTMWeights(*weights, torch.randn(4 * units, dtype=dtype) if bias else None),
    )


def check_lstm_forward(ins, units, batch_sizes, dtype, *, reverse, bias=True):
    x, state, weights = lstm_tensors(ins, units, batch_sizes, dtype, bias=bias)
    packed = Packed(batch_sizes, reverse)
    actual = choose.lstm_forward(x, packed, state, weights)
    wide_state = tuple(part.double() for part in state)
    wide = LSTMWeights(*(None if part is None else part.double() for part in weights))
    expected = reference_lstm.forward(x.double(), packed, wide_state, wide)
    # A gate sums ins + units + 1 products, of about one at most, and its slope is below one. The
    # cell hands on a share of its error and adds that of three gates, at each step.
    terms = ins + units + 1
    atol = 4 * (len(batch_sizes) + 1) * terms * torch.finfo(dtype).eps
    for result, exact in zip((*actual[0], *actual[1]), (*expected[0], *expected[1]), strict=True):
        assert_close(result.double(), exact, rtol=0, atol=atol)


@each_dtype
@each_direction
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("ins", "units", "batch_sizes"), PACKED)
def test_lstm_forward_is_the_references(
    core, called, dtype, reverse, bias, ins, units, batch_sizes
):
    check_lstm_forward(ins, units, batch_sizes, dtype, reverse=reverse, bias=bias)
    assert called == ["lstm_forward"]


def check_lstm_backward(ins, units, batch_sizes, dtype, k, *, reverse):
    """Each step's selection is one of the k largest, and all else follows from it.

    What a step selects among depends on sums whose order is free, so that a near tie may fall
    either way in float32. The reference therefore keeps, at each step, what the core kept.
    """
    x, state, weights = lstm_tensors(ins, units, batch_sizes, torch.float64)
    packed = Packed(batch_sizes, reverse)
    _, trace = reference_lstm.forward(x, packed, state, weights)
    weight_hh, n_rows = weights.hh, len(x)
    doutput, states = torch.randn(n_rows, units).double(), torch.randn(2, len(state[0]), units)
    index = torch.full((n_rows, 4 * k), -1, dtype=torch.int32)
    value, db = (
        torch.full((n_rows, 4 * k), torch.nan, dtype=dtype),
        torch.empty(4 * units).to(dtype),
    )
    dh, dc = (state.clone().to(dtype) for state in states)
    given = (part.to(dtype) for part in (weight_hh, trace.gates, trace.tanh_c, trace.c_prev))
    CORE.lstm_backward(doutput.to(dtype), batch_sizes, reverse, *given, dh, dc, index, value, db, 2)
    kept = torch.zeros(n_rows, 4 * units, dtype=torch.bool).scatter_(1, index.long(), True)
    steps = iter(Packed(batch_sizes, not reverse).steps())

    def sparsify(dgates):
        start, n = next(steps)
        return dgates * kept[start : start + n].view(n, 4, units)

    upstream = LSTMOutput(doutput, *states.double())
    dgates, sparse, *expected = reference_lstm.gate_gradients(
        upstream, packed, weight_hh, trace, sparsify
    )
    # 4k products a step, handed on over the steps, relative to the largest that takes part
    terms = (len(batch_sizes) + 1) * (4 * k + 8)
    sizes = [1.0, *(part.abs().max() for part in (states, dgates) if part.numel())]
    atol = 4 * terms * torch.finfo(dtype).eps * float(max(sizes))
    gates = index.view(n_rows, 4, k) // units
    assert_close(gates, torch.arange(4, dtype=torch.int32).view(1, 4, 1).expand(n_rows, 4, k))
    assert (index.view(n_rows, 4, k).diff(dim=2) > 0).all()
    magnitude, kept = dgates.abs().view(n_rows, 4, units), kept.view(n_rows, 4, units)
    least = magnitude.masked_fill(~kept, torch.inf).amin(dim=2)
    dropped = magnitude.masked_fill(kept, 0).amax(dim=2)
    assert (least >= dropped - 2 * atol).all()
    assert_close(value.double(), sparse.gather(1, index.long()), rtol=0, atol=atol)
    assert_close([dh.double(), dc.double()], expected, rtol=0, atol=atol)
    assert_close(db.double(), dgates.sum(dim=0), rtol=0, atol=(n_rows + 1) * atol)


@each_dtype
@each_direction
@pytest.mark.parametrize(("ins", "units", "batch_sizes"), PACKED)
def test_lstm_backward_is_the_references(core, dtype, reverse, ins, units, batch_sizes):
    for k in {1, -(-units // 20), -(-units // 3), units}:
        check_lstm_backward(ins, units, batch_sizes, dtype, k, reverse=reverse)


@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=20),
    ins=st.integers(1, 20),
    units=st.integers(1, 40),
    share=st.floats(0, 1),
    reverse=st.booleans(),
    bias=st.booleans(),
)
@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_lstm_is_the_references_whatever_the_shape(core, lengths, ins, units, share, reverse, bias):
    batch_sizes = [sum(length > t for length in lengths) for t in range(max(lengths))]
    k = max(1, round(share * units))
    for dtype in (torch.float32, torch.float64):
        check_lstm_forward(ins, units, batch_sizes, dtype, reverse=reverse, bias=bias)
        check_lstm_backward(ins, units, batch_sizes, dtype, k, reverse=reverse)


@each_direction
def test_gradients_and_hits_are_those_of_the_reference(called, monkeypatch, reverse):
    packed, k, units = Packed([7, 5, 1], reverse), 5, 33
    x, state, weights = lstm_tensors(9, units, packed.batch_sizes, torch.float64)
    _, trace = reference_lstm.forward(x, packed, state, weights)
    upstream = LSTMOutput(torch.randn(13, units).double(), *torch.randn(2, 7, units).double())
    counts = [torch.zeros(units, dtype=torch.int64) for _ in range(2)]

    def run(hits):
        kept, dh0, dc0 = choose.backward_through_time(
            upstream, packed, weights.hh, trace, Selection(k)
        )
        kept.count(hits)
        return kept.dx(weights.ih), dh0, dc0, kept.dw(x), kept.dw(trace.h_prev), kept.db

    actual = run(counts[0])
    assert called == ["lstm_backward", "sparse_dx", "sparse_dw", "sparse_dw"]
    monkeypatch.setattr(choose, "_core", lambda: None)
    assert_close(actual, run(counts[1]), rtol=0, atol=1e-12)  # sums of at most 4k products
    assert counts[0].sum() > 0
    assert_close(*counts, rtol=0, atol=0)


@each_dtype
def test_gradients_that_tie_keep_the_lowest_units(core, dtype):
    n_rows, units, k = 5, 33, 4
    trace = [torch.ones(n_rows, n * units, dtype=dtype) for n in (4, 1, 1)]
    states = torch.zeros(2, 5, units, dtype=dtype)
    index, value = torch.empty(5, 4 * k, dtype=torch.int32), torch.ones(5, 4 * k, dtype=dtype)
    weight_hh, db = torch.ones(4 * units, units, dtype=dtype), torch.ones(4 * units, dtype=dtype)
    doutput = torch.zeros(n_rows, units, dtype=dtype)
    core.lstm_backward(doutput, [5], False, weight_hh, *trace, *states, index, value, db, 2)
    expected = reference_topk.select_topk(torch.zeros(20, units, dtype=dtype), k).view(5, 4, k)
    assert_close(index.view(5, 4, k) - units * torch.arange(4).view(4, 1), expected)
    assert_close([value, db], [torch.zeros_like(value), torch.zeros_like(db)])


@each_direction
def test_k_of_full_width_passes_gradcheck_through_the_core(called, reverse):
    shapes = [(6, 3), (3, 5), (3, 5), (20, 3), (20, 5), (20,)]
    tensors = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]

    def layer(*tensors):
        return LSTMFunction.apply(*tensors, Packed([3, 2, 1], reverse), Selection(5), (None, None))

    assert torch.autograd.gradcheck(layer, tensors)
    assert set(called) == {"lstm_forward", "lstm_backward", "sparse_dx", "sparse_dw"}


@each_dtype
def test_gates_are_right_far_from_zero_and_nan_stays(core, dtype):
    far = torch.tensor([0, 1e-8, 0.3, 0.624, 0.626, 1, 5, 10, 20, 80, 100, 1e4, 3e38, torch.inf])
    x = torch.cat((far, -far, torch.tensor([torch.nan]))).to(dtype).unsqueeze(1)  # (29, 1)
    zero, weight_hh = torch.zeros(29, 1, dtype=dtype), torch.zeros(4, 1, dtype=dtype)
    weights = LSTMWeights(torch.ones(4, 1, dtype=dtype), weight_hh, None)
    _, trace = choose.lstm_forward(x, Packed([29]), (zero, zero), weights)
    i, f, g, o = trace.gates.unbind(dim=1)
    bound = {"rtol": 4 * torch.finfo(dtype).eps, "atol": 1e-37, "equal_nan": True}
    assert_close(g, x[:, 0].tanh(), **bound)
    assert_close((i, f, o), (x[:, 0].sigmoid(),) * 3, **bound)
