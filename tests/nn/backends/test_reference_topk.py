"""The reference kernels against naive sorting and multiplying."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from meprop_nlp.nn.backends import reference_lstm, reference_topk
from meprop_nlp.nn.topk import Operands, Selection

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("row", "k", "expected"),
    [
        ([3.0, -4.0, 1.0, 2.0], 2, [0, 1]),
        ([1.0, 1.0, 1.0, 1.0], 2, [0, 1]),
        ([0.0, 0.0, 0.0, 5.0], 2, [0, 3]),
        ([1.0, -2.0, 2.0, -2.0], 2, [1, 2]),
        ([2.0, 1.0, -2.0, 2.0], 1, [0]),
        ([0.0, 0.0, 0.0, 0.0], 3, [0, 1, 2]),
        ([1.0, NAN, 5.0, 2.0], 1, [1]),
        ([INF, 1.0, NAN, -INF], 2, [0, 2]),
        ([1.0, 2.0], 2, [0, 1]),
    ],
)
def test_selection_is_the_hand_computed_one(row, k, expected, device):
    actual = reference_topk.select_topk(torch.tensor([row], device=device), k)
    assert actual.tolist() == [expected]
    assert actual.dtype == torch.int64


@given(data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_selection_is_that_of_sorting_with_ties_lowest_index_first(naive_select, data):
    n_rows = data.draw(st.integers(0, 5))
    width = data.draw(st.integers(1, 12))
    k = data.draw(st.integers(1, width))
    # Few distinct values, so that most rows tie at the cut.
    values = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, INF, NAN])
    rows = data.draw(st.lists(st.lists(values, min_size=width, max_size=width), min_size=n_rows,
                              max_size=n_rows))  # fmt: skip
    dy = torch.tensor(rows).reshape(n_rows, width)
    before = dy.clone()
    assert reference_topk.select_topk(dy, k).tolist() == naive_select(dy, k)
    assert_close(dy, before, rtol=0, atol=0, equal_nan=True)


def test_selection_of_wide_rows_is_that_of_sorting(naive_select, device):
    dy = torch.randint(-20, 20, (64, 500)).float()
    assert reference_topk.select_topk(dy.to(device), 20).tolist() == naive_select(dy, 20)


def test_selection_of_a_transposed_tensor_is_that_of_its_copy(naive_select):
    dy = torch.randn(9, 4).t()
    assert reference_topk.select_topk(dy, 3).tolist() == naive_select(dy, 3)


def test_unified_selects_by_the_sum_of_magnitudes_over_the_batch(device):
    dy = torch.tensor([[5.0, 3.0, 0.0, 3.0], [-5.0, 3.0, 4.0, -3.0]], device=device)
    # Sums of magnitudes 10, 6, 4, 6; a signed sum would give 0, 6, 4, 0.
    assert reference_topk.select_topk(dy, 2, "unified").tolist() == [0, 1]


def test_random_selects_k_different_indices_and_follows_its_generator():
    dy = torch.zeros(200, 10)
    first = reference_topk.select_topk(dy, 3, "random", generator=torch.Generator().manual_seed(7))
    again = reference_topk.select_topk(dy, 3, "random", generator=torch.Generator().manual_seed(7))
    other = reference_topk.select_topk(dy, 3, "random", generator=torch.Generator().manual_seed(8))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
    assert all(len(set(row)) == 3 for row in first.tolist())


def test_random_selects_every_index_about_equally_often():
    selected = reference_topk.select_topk(
        torch.zeros(5000, 10), 3, "random", generator=torch.Generator().manual_seed(7)
    )
    share = torch.bincount(selected.flatten(), minlength=10) / 5000
    # Standard deviation of each share: sqrt(.3 * .7 / 5000) = 0.0065; five of them.
    assert_close(share, torch.full((10,), 0.3), rtol=0, atol=0.033)


@pytest.mark.parametrize("mode", ["example", "unified", "random"])
@pytest.mark.parametrize("batch", [0, 1, 6])
def test_sparse_products_are_the_sums_over_the_kept_entries(mode, batch, device):
    dy = torch.randn(batch, 7, dtype=torch.float64, device=device)
    x = torch.randn(batch, 5, dtype=torch.float64, device=device)
    weight = torch.randn(7, 5, dtype=torch.float64, device=device)
    selected = reference_topk.select_topk(dy, 3, mode)
    expected_dx, expected_dw = torch.zeros_like(x), torch.zeros_like(weight)
    for b in range(batch):
        for o in selected.tolist() if mode == "unified" else selected[b].tolist():
            expected_dx[b] += dy[b, o] * weight[o]
            expected_dw[o] += dy[b, o] * x[b]
    kept = reference_topk.keep_selected(dy, selected)
    assert_close(kept.dx(weight), expected_dx)
    assert_close(kept.dw(x), expected_dw)


@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize("mode", ["example", "unified"])
def test_db_is_the_sum_of_all_of_dy_where_it_is_needed(k, mode):
    dy, x, weight = torch.randn(3, 7), torch.randn(3, 5), torch.randn(7, 5)
    selection = Selection(k, mode)
    kept = reference_topk.keep(dy, selection, Operands(x, weight))
    assert_close(kept.db, dy.sum(dim=0), rtol=0, atol=0)
    assert reference_topk.keep(dy, selection, Operands(x, weight, need_db=False)).db is None


@pytest.mark.parametrize(("selected", "expected"), [
    ([[0, 1], [1, 2]], [11, 12, 10]),  # row 1 selected its zero at 2
    ([1, 2], [10, 12, 11]),
])  # fmt: skip
def test_hits_count_selected_entries_that_are_not_zero(selected, expected, device):
    dy = torch.tensor([[3.0, 2.0, 1.0], [0.0, 4.0, 0.0]], device=device)
    hits = torch.full((3,), 10, device=device)
    reference_topk.keep_selected(dy, torch.tensor(selected, device=device)).count(hits)
    assert hits.tolist() == expected


def test_a_unit_is_hit_once_however_many_of_its_gates_are_kept():
    # two gates of three units: unit 0 is kept in both gates, unit 1 in one, unit 2 in none
    hits = torch.tensor([10, 10, 10])
    reference_topk.MaskedGradient(torch.tensor([[1.0, 0, 0, 2, 3, 0]])).count(hits)
    assert hits.tolist() == [11, 11, 10]


def test_gates_are_selected_one_by_one(naive_select):
    dgates = torch.randn(3, 4, 6)
    sparse = reference_lstm.keep_gates(dgates, Selection(2))
    for example in range(3):
        kept = [gate.nonzero().squeeze(1).tolist() for gate in sparse[example]]
        assert kept == naive_select(dgates[example], 2)
    assert_close(sparse, torch.where(sparse != 0, dgates, 0.0), rtol=0, atol=0)


def test_unified_gates_share_a_set_over_the_batch_but_not_over_gates(naive_select):
    dgates = torch.randn(3, 4, 6)
    sparse = reference_lstm.keep_gates(dgates, Selection(2, "unified"))
    expected = naive_select(dgates.abs().sum(dim=0), 2)
    for example in range(3):
        kept = [gate.nonzero().squeeze(1).tolist() for gate in sparse[example]]
        assert kept == expected
