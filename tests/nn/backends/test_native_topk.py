"""The kernels of the native core give what the plain PyTorch reference gives.

The selection and the two products of a linear layer, in every instruction set that this processor
runs. The LSTM is in test_native_lstm.py, what the core refuses in test_native_border.py, threads
and processes in test_native_threads.py.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from meprop_nlp import native
from meprop_nlp.nn.backends import choose, native_topk, reference_topk
from meprop_nlp.nn.backends.core import Core
from meprop_nlp.nn.functional import LinearFunction
from meprop_nlp.nn.topk import Selection

CORE = native.core()
pytestmark = pytest.mark.skipif(CORE is None, reason=native.why_missing())

WIDTHS = (1, 2, 15, 16, 17, 33, 128, 129, 500, 2400)
ROWS = (0, 1, 7, 65, 1030, 2500)
BITS = {torch.float32: torch.int32, torch.float64: torch.int64}
each_property = settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
each_dtype = pytest.mark.parametrize("dtype", BITS, ids=["float32", "float64"])


def whole_numbers(*shape, dtype=torch.float32, largest=3):
    """Sums of a few thousand of their products are exact in either type; zeros and ties abound."""
    return torch.randint(-largest, largest + 1, shape).to(dtype)


# selection


def check_selection(core, dy, k):
    index = torch.full((len(dy), k), -1, dtype=torch.int32)
    value = torch.full((len(dy), k), 77, dtype=dy.dtype)
    core.select_topk(dy, index, value, None, None, 2)
    expected = reference_topk.select_topk(dy, k)
    assert_close(index.long(), expected, rtol=0, atol=0)
    bits = BITS[dy.dtype]  # they tell zeros apart, and keep what is in a NaN
    assert_close(value.view(bits), dy.gather(1, expected).view(bits), rtol=0, atol=0)
    masked = torch.full_like(dy, 77)
    sums, hits = dy.new_full(dy.shape[1:], 77), torch.full(dy.shape[1:], 5)
    core.mask_topk(dy, k, masked, sums, hits, 2)
    expected_masked = reference_topk.mask_selected(dy, expected)
    assert_close(masked.view(bits), expected_masked.view(bits), rtol=0, atol=0)
    expected_hits = torch.full_like(hits, 5)
    reference_topk.keep_selected(dy, expected).count(expected_hits)
    assert_close(hits, expected_hits, rtol=0, atol=0)
    wide = dy.double()
    error = (sums - wide.sum(dim=0)).abs() / wide.abs().sum(dim=0).clamp(min=1e-300)
    assert (error[error.isfinite()] <= (len(dy) + 1) * torch.finfo(dy.dtype).eps).all()


def spread(rows, width, dtype):
    """Magnitudes from the smallest subnormal to the largest number, one as likely as another."""
    low, high = {torch.float32: (-149, 127), torch.float64: (-1074, 1023)}[dtype]
    exponent = torch.randint(low, high + 1, (rows, width))
    return torch.ldexp(torch.ones(()), exponent.double()).to(dtype) * torch.randn(rows, 1).sign()


def special(rows, width, dtype):
    """Zeros of both signs, infinities and NaNs of both signs, and a few numbers."""
    choices = torch.tensor([0.0, -0.0, torch.inf, -torch.inf, torch.nan, 1.0, -1.0], dtype=dtype)
    chosen = choices[torch.randint(0, 7, (rows, width))]
    return torch.where(torch.rand(rows, width) < 0.1, -chosen, chosen)


CONTENTS = {
    "normal": lambda rows, width, dtype: torch.randn(rows, width, dtype=dtype),
    "ties": lambda rows, width, dtype: whole_numbers(rows, width, dtype=dtype),
    "mostly zero": lambda rows, width, dtype: (
        torch.randn(rows, width, dtype=dtype) * (torch.rand(rows, width) < 0.03)
    ),
    "spread": spread,
    "special": special,
}


def some_k(width):
    return sorted({1, -(-width // 20), -(-width // 3), max(1, width - 1), width})


@each_dtype
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("contents", CONTENTS)
def test_selected_entries_are_the_references(core, dtype, width, contents):
    for rows in ROWS if (contents, width) in (("normal", 33), ("ties", 17)) else ROWS[:4]:
        dy = CONTENTS[contents](rows, width, dtype)
        for k in some_k(width):
            check_selection(core, dy, k)


@each_dtype
def test_selection_among_equal_entries_takes_the_lowest_indices(core, dtype):
    dy = torch.ones(3, 500, dtype=dtype)
    dy[1, 400:] = -2  # 100 above: k = 100 ends with them, 101 takes the first of the ties
    dy[2] = torch.nextafter(dy[2], dy[1])  # all equal, one step above the row before
    dy[2, ::2] = 1
    for k in (1, 99, 100, 101, 250, 251, 499, 500):
        check_selection(core, dy, k)


@each_dtype
def test_selection_is_right_where_one_row_misleads_about_the_next(core, dtype):
    scale = torch.tensor([1e-30, 1e30, 0.0, 1.0, 1e-38, 1e38], dtype=dtype).repeat(20)
    dy = torch.randn(120, 500, dtype=dtype) * scale.unsqueeze(1)
    check_selection(core, dy, 25)


@given(data=st.data(), width=st.integers(1, 70), rows=st.integers(0, 4))
@each_property
def test_selection_is_the_references_whatever_the_row(core, data, width, rows):
    numbers = st.floats(width=32) | st.sampled_from([0.0, -0.0, 1.0, -1.0])
    row = st.lists(numbers, min_size=width, max_size=width)
    values = data.draw(st.lists(row, min_size=rows, max_size=rows))
    more = torch.full((rows, data.draw(st.sampled_from([0, 130]))), data.draw(numbers))
    k = data.draw(st.integers(1, width))
    for dtype in BITS:
        drawn = torch.tensor(values, dtype=dtype).view(rows, width)
        check_selection(core, torch.cat((more.to(dtype), drawn), dim=1), k)


# the two products of a linear layer


def products(core, selected, values, x, weight):
    index = selected.int()
    dx = torch.full((len(x), weight.shape[1]), torch.nan, dtype=x.dtype)
    dw = torch.full(weight.shape, torch.nan, dtype=x.dtype)
    core.sparse_dx(index, values, weight, dx, 2)
    core.sparse_dw(index, values, x, dw, 2)
    return dx, dw


def expected_products(dy, x, weight, selected):
    kept = reference_topk.keep_selected(dy, selected)
    return kept.dx(weight), kept.dw(x)


def check_exact_products(core, rows, outs, ins, k, dtype):
    dy = whole_numbers(rows, outs, dtype=dtype)
    x = whole_numbers(rows, ins, dtype=dtype)
    weight = whole_numbers(outs, ins, dtype=dtype)
    selected = reference_topk.select_topk(dy, k)
    actual = products(core, selected, dy.gather(1, selected), x, weight)
    expected = expected_products(dy, x, weight, selected)
    assert_close(actual, expected, rtol=0, atol=0)


SHAPES = [
    *((rows, 33, 33) for rows in ROWS),
    *((65, outs, 17) for outs in WIDTHS),
    *((65, 33, ins) for ins in WIDTHS),
    (1030, 17, 2400),  # so large that it is written past the caches
    (1030, 300, 15),
]


@each_dtype
@pytest.mark.parametrize(("rows", "outs", "ins"), SHAPES)
def test_products_of_whole_numbers_are_exactly_the_references(core, dtype, rows, outs, ins):
    for k in {1, -(-outs // 20), outs} if outs < 500 else {1, outs // 20}:
        check_exact_products(core, rows, outs, ins, k, dtype)


def test_each_bit_of_a_result_is_right_where_its_pages_are_asked_for_beforehand(core):
    # of more than 32 MB; one entry a row, so nothing is rounded but the product
    dy, weight = torch.randn(4300, 2), torch.randn(2, 2050)
    selected = reference_topk.select_topk(dy, 1)
    values = dy.gather(1, selected)
    dx, _ = products(core, selected, values, torch.zeros(4300, 2050), weight)
    assert_close(dx, values * weight[selected[:, 0]], rtol=0, atol=0)
    dy, x, weight = torch.randn(1, 4300), torch.randn(1, 2050), torch.zeros(4300, 2050)
    everything = torch.arange(4300).unsqueeze(0)
    _, dw = products(core, everything, dy, x, weight)
    assert_close(dw, dy.t() * x, rtol=0, atol=0)


@given(
    rows=st.integers(0, 300),
    outs=st.integers(1, 40),
    ins=st.integers(1, 150),
    share=st.floats(0, 1),
)
@each_property
def test_products_are_the_references_whatever_the_shape(core, rows, outs, ins, share):
    k = max(1, round(share * outs))
    for dtype in BITS:
        check_exact_products(core, rows, outs, ins, k, dtype)


@each_dtype
def test_products_are_as_near_to_the_exact_ones_as_their_sums_allow(core, dtype):
    rows, outs, ins, k = 700, 90, 70, 6
    dy, x = torch.randn(rows, outs, dtype=dtype), torch.randn(rows, ins, dtype=dtype)
    weight = torch.randn(outs, ins, dtype=dtype)
    selected = reference_topk.select_topk(dy, k)
    actual = products(core, selected, dy.gather(1, selected), x, weight)
    wide = [part.double() for part in (dy, x, weight)]
    expected = expected_products(*wide, selected)
    # A sum of n products is off by at most n units of rounding of the sum of their magnitudes; a
    # unit is eps / 2, and in float64 the expected sum may be off by as much again.
    sizes = expected_products(*(part.abs() for part in wide), selected)
    terms = k, selected.flatten().bincount(minlength=outs).unsqueeze(1)
    eps = torch.finfo(dtype).eps
    for result, exact, size, n in zip(actual, expected, sizes, terms, strict=True):
        assert ((result - exact).abs() <= n * eps * size).all()
        assert (result - exact).abs().max() < 0.01 * exact.abs().max()  # the bound says something


@each_dtype
def test_nan_reaches_its_row_of_both_products_and_no_other(core, dtype):
    selected = torch.tensor([[0, 2], [1, 2], [0, 1]])
    values = torch.tensor([[1, 2], [torch.nan, 0], [torch.inf, 5]], dtype=dtype)
    dx, dw = products(core, selected, values, *torch.ones(2, 3, 17, dtype=dtype))
    expected = torch.tensor([[3.0], [torch.nan], [torch.inf]], dtype=dtype).expand(3, 17)
    assert_close(dx, expected, rtol=0, atol=0, equal_nan=True)
    expected = torch.tensor([[torch.inf], [torch.nan], [2.0]], dtype=dtype).expand(3, 17)
    assert_close(dw, expected, rtol=0, atol=0, equal_nan=True)


def test_k_of_full_width_passes_gradcheck_through_the_core(called):
    tensors = [
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in [(3, 5), (7, 5), 7]
    ]

    def layer(*tensors):
        return LinearFunction.apply(*tensors, Selection(7), None, None, False)

    assert torch.autograd.gradcheck(layer, tensors)
    assert set(called) == {"example_backward"}


@pytest.mark.parametrize("mode", ["example", "random"])
def test_products_and_hits_are_those_of_the_reference(called, linear_backward, monkeypatch, mode):
    dy, x = whole_numbers(65, 33), whole_numbers(65, 17)
    weight, counts = whole_numbers(33, 17), [torch.zeros(33, dtype=torch.int64) for _ in range(2)]

    def run(hits):
        generator = torch.Generator().manual_seed(3)
        return linear_backward(dy, x, weight, 4, mode, hits=hits, generator=generator)

    actual = run(counts[0])
    expected_calls = {"example": ["example_backward"], "random": ["sparse_dx", "sparse_dw"]}
    assert called == expected_calls[mode]
    monkeypatch.setattr(choose, "_core", lambda: None)
    assert_close(actual, run(counts[1]), rtol=0, atol=0)
    assert counts[0].sum() > 0
    assert_close(*counts, rtol=0, atol=0)


@each_dtype
@pytest.mark.parametrize("rows", [0, 1, 65, 300])
def test_masked_products_give_the_gradients_of_the_reference(
    called, linear_backward, reference_hits, monkeypatch, rows, dtype
):
    monkeypatch.setattr(native_topk, "_dense_pays", lambda core, x, *sizes: len(x) > 0)
    shapes = (rows, 33), (rows, 17), (33, 17)
    dy, x, weight = (whole_numbers(*shape, dtype=dtype).t().contiguous().t() for shape in shapes)
    if rows > 1:
        dy[1, 30], dy[0, 3] = torch.nan, torch.inf
    hits = torch.full((33,), 5)
    dx, dw, db = linear_backward(dy, x, weight, 20, hits=hits)
    selected = reference_topk.select_topk(dy, 20)
    expected_hits = reference_hits(dy, selected, 5)
    expected = expected_products(dy, x, weight, selected)
    assert_close((dx, dw), expected, rtol=0, atol=0, equal_nan=True)
    assert_close((db, hits), (dy.sum(dim=0), expected_hits), rtol=0, atol=0, equal_nan=True)
    assert called == (["mask_topk"] if rows else ["example_backward"])


@pytest.mark.parametrize("shares", [native_topk.AVX512, native_topk.NARROWER])
@given(sizes=st.tuples(*[st.integers(1, 5000)] * 3))
def test_dense_products_pay_sooner_for_more_rows_and_narrower_inputs(shares, sizes):
    n_rows, width_in, width_out = sizes
    share = shares.share(*sizes)
    assert share > 0
    assert shares.share(n_rows + 1, width_in, width_out) < share
    assert shares.share(n_rows, width_in + 1, width_out) > share
    assert shares.share(n_rows, width_in, width_out + 1) <= share


def test_few_entries_are_multiplied_one_by_one_and_many_densely(core):
    pays, core = native_topk._dense_pays, Core(core, 1)
    assert not pays(core, torch.empty(0, 100), 100, 100)
    assert not pays(core, torch.empty(1000, 2400), 500, 20)  # the papers' parser
    assert pays(core, torch.empty(1000, 50), 25, 20)
