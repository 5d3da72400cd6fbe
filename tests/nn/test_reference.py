"""The reference kernels against sorting and multiplying in words."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn import reference

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
    actual = reference.select_topk(torch.tensor([row], device=device), k)
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
    assert reference.select_topk(dy, k).tolist() == naive_select(dy, k)
    assert_close(dy, before, rtol=0, atol=0, equal_nan=True)


def test_selection_of_wide_rows_is_that_of_sorting(naive_select, device):
    dy = torch.randint(-20, 20, (64, 500)).float()
    assert reference.select_topk(dy.to(device), 20).tolist() == naive_select(dy, 20)


def test_selection_of_a_transposed_tensor_is_that_of_its_copy(naive_select):
    dy = torch.randn(9, 4).t()
    assert reference.select_topk(dy, 3).tolist() == naive_select(dy, 3)


def test_unified_selects_by_the_sum_of_magnitudes_over_the_batch(device):
    dy = torch.tensor([[5.0, 3.0, 0.0, 3.0], [-5.0, 3.0, 4.0, -3.0]], device=device)
    # Sums of magnitudes 10, 6, 4, 6; a signed sum would give 0, 6, 4, 0.
    assert reference.select_topk(dy, 2, "unified").tolist() == [0, 1]


def test_random_selects_k_different_indices_and_follows_its_generator():
    dy = torch.zeros(200, 10)
    first = reference.select_topk(dy, 3, "random", generator=torch.Generator().manual_seed(7))
    again = reference.select_topk(dy, 3, "random", generator=torch.Generator().manual_seed(7))
    other = reference.select_topk(dy, 3, "random", generator=torch.Generator().manual_seed(8))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
    assert all(len(set(row)) == 3 for row in first.tolist())


def test_random_selects_every_index_about_equally_often():
    selected = reference.select_topk(
        torch.zeros(5000, 10), 3, "random", generator=torch.Generator().manual_seed(7)
    )
    share = torch.bincount(selected.flatten(), minlength=10) / 5000
    # Standard deviation of each share: sqrt(.3 * .7 / 5000) = 0.0065; five of them.
    assert_close(share, torch.full((10,), 0.3), rtol=0, atol=0.033)


@pytest.mark.parametrize("k", [0, -1, 5])
def test_k_outside_the_width_is_an_error(k):
    with pytest.raises(ConfigError, match="expected 1 to 4"):
        reference.select_topk(torch.zeros(2, 4), k)


def test_unknown_mode_is_an_error_that_names_the_modes():
    with pytest.raises(ConfigError, match="'best', expected one of example, unified, random"):
        reference.select_topk(torch.zeros(2, 4), 1, "best")


@pytest.mark.parametrize(
    ("k", "expected"), [(None, None), (0, None), (-3, None), (4, None), (5, None), (3, 3), (1, 1)]
)
def test_k_is_active_only_from_one_to_below_the_width(k, expected):
    assert reference.active_k(k, 4) == expected


@pytest.mark.parametrize("mode", ["example", "unified", "random"])
@pytest.mark.parametrize("batch", [0, 1, 6])
def test_sparse_products_are_the_sums_over_the_kept_entries(mode, batch, device):
    dy = torch.randn(batch, 7, dtype=torch.float64, device=device)
    x = torch.randn(batch, 5, dtype=torch.float64, device=device)
    weight = torch.randn(7, 5, dtype=torch.float64, device=device)
    selected = reference.select_topk(dy, 3, mode)
    expected_dx, expected_dw = torch.zeros_like(x), torch.zeros_like(weight)
    for b in range(batch):
        for o in selected.tolist() if mode == "unified" else selected[b].tolist():
            expected_dx[b] += dy[b, o] * weight[o]
            expected_dw[o] += dy[b, o] * x[b]
    dx, dw = reference.sparse_backward_linear(dy, x, weight, selected)
    assert_close(dx, expected_dx)
    assert_close(dw, expected_dw)


@pytest.mark.parametrize("mode", ["example", "unified"])
def test_products_that_are_not_needed_are_not_made(mode):
    dy, x, weight = torch.randn(3, 7), torch.randn(3, 5), torch.randn(7, 5)
    selected = reference.select_topk(dy, 2, mode)
    dx, dw = reference.sparse_backward_linear(dy, x, weight, selected, need_dx=False)
    assert dx is None
    assert dw.shape == (7, 5)
    dx, dw = reference.sparse_backward_linear(dy, x, weight, selected, need_dw=False)
    assert dx.shape == (3, 5)
    assert dw is None


@pytest.mark.parametrize(("selected", "expected"), [
    ([[0, 1], [1, 2]], [11, 12, 10]),  # row 1 selected its zero at 2
    ([1, 2], [10, 12, 11]),
])  # fmt: skip
def test_hits_count_selected_entries_that_are_not_zero(selected, expected, device):
    dy = torch.tensor([[3.0, 2.0, 1.0], [0.0, 4.0, 0.0]], device=device)
    hits = torch.full((3,), 10, device=device)
    reference.count_hits(dy, torch.tensor(selected, device=device), hits)
    assert hits.tolist() == expected


def test_gates_are_selected_one_by_one(naive_select):
    dgates = torch.randn(3, 4, 6)
    sparse = reference.sparsify_gates(dgates, 2)
    for example in range(3):
        kept = [gate.nonzero().squeeze(1).tolist() for gate in sparse[example]]
        assert kept == naive_select(dgates[example], 2)
    assert_close(sparse, torch.where(sparse != 0, dgates, 0.0), rtol=0, atol=0)


def test_unified_gates_share_a_set_over_the_batch_but_not_over_gates(naive_select):
    dgates = torch.randn(3, 4, 6)
    sparse = reference.sparsify_gates(dgates, 2, "unified")
    expected = naive_select(dgates.abs().sum(dim=0), 2)
    for example in range(3):
        kept = [gate.nonzero().squeeze(1).tolist() for gate in sparse[example]]
        assert kept == expected
