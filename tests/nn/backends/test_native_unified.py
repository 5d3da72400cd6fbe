"""`unified` on the core: its one call gives what the plain PyTorch reference gives."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from meprop_nlp import native
from meprop_nlp.nn.backends import choose, reference_topk

pytestmark = pytest.mark.skipif(native.core() is None, reason=native.why_missing())

each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
# B, O, I, k: no rows, odd ends of blocks and tiles, all kept, rows written past the caches
SHAPES = [
    (0, 5, 3, 2),
    (1, 1, 1, 1),
    (1, 40, 33, 7),
    (7, 33, 64, 33),
    (127, 20, 65, 1),
    (129, 20, 15, 6),
    (300, 70, 9, 20),
    (1030, 17, 2400, 5),
]


def whole_numbers(*shape, dtype):
    return torch.randint(-3, 4, shape).to(dtype)


@pytest.fixture
def backward(linear_backward):
    """dx, dw, db and hits."""

    def run(dy, x, weight, k, **options):
        hits = torch.full((dy.shape[1],), 5)
        gradients = linear_backward(dy, x, weight, k, "unified", hits=hits, **options)
        return *gradients, hits

    return run


@pytest.fixture
def expected_backward(reference_products, reference_hits):
    """The same by the reference."""

    def run(dy, x, weight, k):
        selected = reference_topk.select_topk(dy, k, "unified")
        hits = reference_hits(dy, selected, 5)
        return *reference_products(dy, x, weight, selected), dy.sum(dim=0), hits

    return run


@each_dtype
@pytest.mark.parametrize(("rows", "outs", "ins", "k"), SHAPES)
def test_gradients_and_hits_are_exactly_the_references(
    called, backward, expected_backward, rows, outs, ins, k, dtype
):
    shapes = (rows, outs), (rows, ins), (outs, ins)
    dy, x, weight = (whole_numbers(*shape, dtype=dtype) for shape in shapes)
    actual = backward(dy, x, weight, k)
    assert_close(actual, expected_backward(dy, x, weight, k), rtol=0, atol=0)
    assert called == ["unified_backward"]


def test_each_bit_of_a_result_is_right_where_its_pages_are_asked_for_beforehand(called, backward):
    # of more than 32 MB; one entry a row or a neuron, so nothing is rounded but the product
    dy, weight = torch.randn(4300, 2), torch.randn(2, 2050)
    dx, _, _, _ = backward(dy, torch.zeros(4300, 2050), weight, 1)
    kept = reference_topk.select_topk(dy, 1, "unified")
    assert_close(dx, dy[:, kept] * weight[kept], rtol=0, atol=0)
    dy, x = torch.randn(1, 4300), torch.randn(1, 2050)
    _, dw, _, _ = backward(dy, x, torch.zeros(4300, 2050), 4000)
    kept = reference_topk.select_topk(dy, 4000, "unified").unsqueeze(0)
    kept_dy = reference_topk.mask_selected(dy, kept)
    assert_close(dw, kept_dy.t() * x, rtol=0, atol=0)


@each_dtype
def test_layout_of_tensors_changes_nothing(called, backward, dtype):
    shapes = (30, 12), (30, 9), (12, 9)
    whole = [whole_numbers(*shape, dtype=dtype) for shape in shapes]
    turned = [part.t().contiguous().t() for part in whole]
    assert_close(backward(*turned, 4), backward(*whole, 4), rtol=0, atol=0)


@each_dtype
@pytest.mark.parametrize("broken", [torch.nan, torch.inf, -torch.inf])
def test_a_broken_gradient_is_kept_and_reaches_both_products(
    called, backward, expected_backward, broken, dtype
):
    dy, x, weight = (torch.randn(s, dtype=dtype) for s in ((9, 40), (9, 17), (40, 17)))
    dy[3, 31] = broken
    actual, expected = backward(dy, x, weight, 2), expected_backward(dy, x, weight, 2)
    assert_close(actual, expected, equal_nan=True)
    assert not actual[0][3].isfinite().any()
    assert not actual[1][31].isfinite().any()


@pytest.mark.parametrize("need_dx", [False, True])
@pytest.mark.parametrize("need_dw", [False, True])
@pytest.mark.parametrize("row_sparse", [False, True])
def test_only_what_is_needed_is_made(
    called, backward, expected_backward, need_dx, need_dw, row_sparse
):
    dy, x, weight = (torch.randn(s) for s in ((9, 40), (9, 17), (40, 17)))
    options = {"need_dx": need_dx, "need_dw": need_dw, "row_sparse": need_dw and row_sparse}
    dx, dw, db, hits = backward(dy, x, weight, 3, **options)
    expected = expected_backward(dy, x, weight, 3)
    assert (dx is not None, dw is not None) == (need_dx, need_dw)
    if need_dx:
        assert_close(dx, expected[0])
    if need_dw:
        assert dw.is_sparse == row_sparse
        assert_close(dw.to_dense(), expected[1])
    assert_close((db, hits), expected[2:])


def test_results_do_not_depend_on_the_number_of_threads(called, backward, threads):
    dy, x, weight = (torch.randn(s) for s in ((700, 90), (700, 333), (90, 333)))
    results = []
    for n in (1, 2, 5):
        threads(n)
        results.append(backward(dy, x, weight, 20))
    for other in results[1:]:
        assert_close(other, results[0], rtol=0, atol=0)


def test_the_reference_takes_the_same_arguments(called, backward, monkeypatch):
    dy, x, weight = (whole_numbers(*s, dtype=torch.float32) for s in ((9, 40), (9, 17), (40, 17)))
    actual = backward(dy, x, weight, 3)
    monkeypatch.setattr(choose, "_core", lambda: None)
    assert_close(backward(dy, x, weight, 3), actual, rtol=0, atol=0)
