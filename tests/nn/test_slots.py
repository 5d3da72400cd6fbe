"""A layer over slots of a table: that of the rows side by side, with the core and without."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from meprop_nlp import native
from meprop_nlp.nn.backends import choose, reference_topk
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.slots import SlotFunction, slot_linear
from meprop_nlp.nn.topk import Selection

each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
needs_core = pytest.mark.skipif(native.core() is None, reason=native.why_missing())


@pytest.fixture(params=["core", "reference"])
def kernels(request, monkeypatch):
    """With the core, and as it is without."""
    if request.param == "reference":
        monkeypatch.setattr(choose, "core_for", lambda *tensors: None)


def make(batch, slots, table_rows, width, dtype):
    table = torch.randn(table_rows, width, dtype=dtype, requires_grad=True)
    return table, torch.randint(0, table_rows, (batch, slots), dtype=torch.int32)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("k", "mode"),
    [(None, "example"), (5, "example"), (1, "unified"), (5, "unified"), (5, "random")],
)
@pytest.mark.parametrize(
    ("batch", "slots", "table_rows", "width", "outs"),
    [
        (50, 48, 30, 50, 100),
        (300, 6, 20, 70, 150),
        (7, 3, 5, 4, 17),
        (33, 5, 200, 7, 65),
        (1, 1, 1, 1, 9),
        (0, 3, 4, 5, 6),
    ],
)
@each_dtype
def test_layer_over_slots_is_the_layer_on_the_rows_side_by_side(
    core, kernels, batch, slots, table_rows, width, outs, k, mode, bias, dtype
):
    table, rows = make(batch, slots, table_rows, width, dtype)
    layer = MePropLinear(slots * width, outs, bias, k=k, topk_mode=mode, dtype=dtype)
    expected_layer = MePropLinear.from_dense(layer.to_dense(), k=k, topk_mode=mode)
    for each in (layer, expected_layer):
        each.counting = True
        each.generator = torch.Generator().manual_seed(3)
    expected = expected_layer(table[rows.long()].flatten(1))
    actual = slot_linear(layer, table, rows)
    assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    # whole numbers that differ, so that a rounding of the output cannot change what is kept
    dy = torch.stack([torch.randperm(outs) for _ in range(batch)] or [torch.empty(0, outs)])
    dy = dy.view(batch, outs).to(dtype)
    grads = torch.autograd.grad(actual, [table, *layer.parameters()], dy)
    expected_grads = torch.autograd.grad(expected, [table, *expected_layer.parameters()], dy)
    assert_close(grads, expected_grads, rtol=1e-4, atol=1e-3 * outs)
    assert layer.hits.tolist() == expected_layer.hits.tolist()
    assert layer.examples.item() == expected_layer.examples.item() == batch


def test_few_distinct_pairs_are_multiplied_once_each(core, monkeypatch):
    calls = []
    real = F.linear
    monkeypatch.setattr(F, "linear", lambda *args: calls.append(args) or real(*args))
    table = torch.randn(5, 4)
    layer = MePropLinear(12, 9)
    slot_linear(layer, table, torch.zeros(6, 3, dtype=torch.int32))
    assert not calls  # three pairs of eighteen
    slot_linear(layer, table, torch.zeros(1, 3, dtype=torch.int32))
    assert len(calls) == 1


def number_pairs(rows, n_table_rows):
    return choose.rows(torch.empty(0)).number_pairs(rows, n_table_rows)


def test_pairs_are_numbered_by_slot_then_by_row(core, kernels):
    rows = torch.tensor([[4, 1], [2, 1], [4, 0]], dtype=torch.int32)
    expected = ([[1, 3], [0, 3], [1, 2]], [2, 4, 0, 1], [0, 2, 4])
    assert [part.tolist() for part in number_pairs(rows, 5)] == list(expected)


def whole_numbers(*shape, dtype):
    return torch.randint(-3, 4, shape).to(dtype)


def slot_backward(dy, vectors, pair, first, weight, k, mode="example", hits=None):
    """dvectors, dw and db."""
    bias = torch.zeros(len(weight), dtype=weight.dtype)
    tensors = [tensor.clone().requires_grad_() for tensor in (vectors, weight, bias)]
    vectors, weight, bias = tensors
    y = SlotFunction.apply(vectors, pair, first, weight, bias, Selection(k, mode), hits, None)
    return torch.autograd.grad(y, tensors, dy)


def backward(batch, slots, table_rows, width, outs, k, dtype, mode="example", scale=1):
    """The gradients of whole numbers, whose sums are exact, and the hits."""
    rows = torch.randint(0, table_rows, (batch, slots), dtype=torch.int32)
    pair, row_of, first = number_pairs(rows, table_rows)
    vectors = whole_numbers(len(row_of), width, dtype=dtype)
    weight = whole_numbers(outs, slots * width, dtype=dtype)
    dy = whole_numbers(batch, outs, dtype=dtype) * scale
    hits = torch.zeros(outs, dtype=torch.int64)
    arguments = dy, vectors, pair, first, weight, k, mode
    return arguments, (*slot_backward(*arguments, hits=hits), hits)


def side_by_side(dy, vectors, pair, first, weight, k, mode):
    """The same by the plain formulas."""
    kept = dy
    if k is not None:
        selected = reference_topk.select_topk(dy, k, mode)
        kept = reference_topk.mask_selected(dy, selected.expand(len(dy), k))
    x = vectors[pair.long()].flatten(1)
    dx = kept.mm(weight).view(*pair.shape, vectors.shape[1])
    dvectors = torch.zeros_like(vectors).index_add_(0, pair.long().flatten(), dx.flatten(0, 1))
    hits = (kept != 0).sum(dim=0)
    return dvectors, kept.t().mm(x), dy.sum(dim=0), hits


@needs_core
@given(
    batch=st.integers(0, 70),
    slots=st.integers(1, 5),
    table_rows=st.integers(1, 9),
    width=st.integers(1, 140),
    outs=st.integers(1, 40),
    data=st.data(),
)
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_gradients_are_exactly_those_of_the_formulas(
    core, batch, slots, table_rows, width, outs, data
):
    k = data.draw(st.none() | st.integers(1, outs))
    mode = data.draw(st.sampled_from(["example", "unified"]))
    dtype = data.draw(st.sampled_from([torch.float32, torch.float64]))
    arguments, actual = backward(batch, slots, table_rows, width, outs, k, dtype, mode)
    assert_close(actual, side_by_side(*arguments), rtol=0, atol=0)


@needs_core
def test_examples_that_cancel_and_zeros_of_both_signs_send_nothing(core):
    _, (dvectors, dw, _, hits) = backward(40, 3, 2, 9, 20, 4, torch.float32, scale=-0.0)
    assert not dvectors.any()
    assert not dw.any()
    assert not hits.any()
    pair, first = torch.zeros(4, 1, dtype=torch.int32), torch.tensor([0, 1], dtype=torch.int32)
    dy = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [3.0, 0.0], [-3.0, -2.5]])
    for k in (1, None):
        dvectors, dw, _ = slot_backward(dy, torch.ones(1, 2), pair, first, torch.eye(2), k)
        expected = {1: [[-1.0, 2.0]], None: [[0.0, 0.0]]}[k]
        assert dvectors.tolist() == expected
        assert dw.t().tolist() == expected * 2


@needs_core
@pytest.mark.parametrize("broken", [torch.nan, torch.inf])
@pytest.mark.parametrize("k", [3, None])
def test_a_broken_gradient_reaches_the_vectors_and_weights_of_its_example_only(core, k, broken):
    dy = torch.randn(30, 8)
    dy[11, 5] = broken
    rows = torch.randint(0, 4, (30, 2), dtype=torch.int32)
    pair, row_of, first = number_pairs(rows, 4)
    vectors, weight = torch.randn(len(row_of), 6), torch.randn(8, 12)
    dvectors, dw, _ = slot_backward(dy, vectors, pair, first, weight, k)
    touched = set((~dvectors.isfinite().all(dim=1)).nonzero().flatten().tolist())
    assert touched == set(pair[11].tolist())
    assert (~dw.isfinite()).any(dim=1).nonzero().flatten().tolist() == [5]


@needs_core
def test_rows_side_by_side_are_made_only_where_few_pairs_are_shared(core, monkeypatch):
    calls = []
    real = choose.topk
    monkeypatch.setattr(choose, "topk", lambda *args: calls.append(args) or real(*args))
    backward(40, 3, 5, 4, 9, 2, torch.float32)
    assert not calls  # at most fifteen pairs of a hundred and twenty
    backward(2, 3, 500, 4, 9, 2, torch.float32)
    assert len(calls) == 1


@needs_core
def test_what_does_not_fit_is_an_exception(core):
    (dy, vectors, pair, first, weight, k, _), _ = backward(40, 3, 5, 4, 9, 2, torch.float32)
    good = {"vectors": vectors, "pair": pair, "first": first, "weight": weight}
    for name, value, message in [
        ("pair", pair.flip(1), "own slot"),
        ("pair", pair + len(vectors), "own slot"),
        ("first", first.flip(0), "rise"),
        ("first", first[1:], "one more entry"),
        ("weight", weight[:, 1:], "column per slot"),
        ("pair", pair[1:], "rows of pair"),
    ]:
        parts = {**good, name: value.contiguous()}
        index = torch.zeros(40, k, dtype=torch.int32)
        for chosen, kept in ((index, torch.zeros(40, k)), (None, dy)):
            with pytest.raises(ValueError, match=message):
                native.core().slot_backward(
                    *(chosen, kept, *parts.values()),
                    *(torch.empty_like(vectors), torch.empty(9, 12), 1),
                )
    for index, value, message in [
        (torch.full((40, k), 9, dtype=torch.int32), torch.zeros(40, k), "outside"),
        (torch.zeros(40, 1, dtype=torch.int32), torch.zeros(40, k), "shape of value"),
        (torch.zeros(40, 10, dtype=torch.int32), torch.zeros(40, 10), "at most O"),
        (None, torch.zeros(40, k), "where index is None"),
    ]:
        with pytest.raises(ValueError, match=message):
            native.core().slot_backward(
                *(index, value, *good.values()),
                *(torch.empty_like(vectors), torch.empty_like(weight), 1),
            )
    with pytest.raises(ValueError, match="dw must"):
        native.core().slot_backward(
            *(None, dy, *good.values(), torch.empty_like(vectors), torch.empty(9, 11), 1)
        )


def test_dropout_of_slots_draws_once_for_a_slot_and_a_row():
    table = torch.ones(3, 40)
    layer = MePropLinear(80, 80, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(80))
    rows = torch.tensor([[0, 0], [0, 0], [1, 0]], dtype=torch.int32)
    first, second, third = slot_linear(layer, table, rows, p=0.5)
    assert_close(first, second, rtol=0, atol=0)
    assert_close(first[40:], third[40:], rtol=0, atol=0)
    assert not torch.equal(first[:40], first[40:])
    assert not torch.equal(first[:40], third[:40])
    assert set(first.tolist()) == {0.0, 2.0}
    assert_close(slot_linear(layer, table, rows, p=0.5, training=False), torch.ones(3, 80))


def test_wrong_rows_are_an_exception(core):
    table = torch.randn(4, 3)
    for rows in (torch.tensor([[4]]), torch.tensor([[-1]])):
        with pytest.raises(ValueError, match="outside"):
            slot_linear(MePropLinear(3, 2), table, rows.int())
    with pytest.raises(ValueError, match="column per slot"):
        slot_linear(MePropLinear(5, 2), table, torch.zeros(9, 2, dtype=torch.int32))
