"""`meprop_linear` and `MePropLinear`: identity case, then the formulas, then properties."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.functional import LinearFunction, meprop_linear
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.topk import Selection
from meprop_nlp.simplify.cut import CutPlan


def gradients(layer, x, dy):
    """dx and the gradients of the parameters of `layer`, after its output."""
    x = x.detach().requires_grad_()
    y = layer(x)
    return y, torch.autograd.grad(y, [x, *layer.parameters()], dy)


@pytest.mark.parametrize("k", [None, 0, 7])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("counting", [True, False])
def test_plain_k_gives_exactly_the_gradients_of_nn_linear(k, bias, counting, device):
    dense = nn.Linear(5, 7, bias, device=device)
    layer = MePropLinear.from_dense(dense, k=k)
    layer.counting = counting
    x, dy = torch.randn(2, 3, 5, device=device), torch.randn(2, 3, 7, device=device)
    actual, actual_grads = gradients(layer, x, dy)
    expected, expected_grads = gradients(dense, x, dy)
    assert_close(actual, expected, rtol=0, atol=0)
    assert_close(actual_grads, expected_grads, rtol=0, atol=0)


def test_same_seed_gives_the_weights_of_nn_linear():
    torch.manual_seed(3)
    dense = nn.Linear(5, 7)
    torch.manual_seed(3)
    assert_close(dict(MePropLinear(5, 7, k=2).named_parameters()), dict(dense.named_parameters()))


@pytest.mark.parametrize("mode", ["example", "unified", "random"])
def test_k_of_full_width_passes_gradcheck_through_the_sparse_path(mode):
    x, weight, bias = (
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in [(3, 5), (7, 5), 7]
    )

    def layer(x, weight, bias):
        return LinearFunction.apply(x, weight, bias, Selection(7, mode), None, None, False)

    assert torch.autograd.gradcheck(layer, (x, weight, bias))


@given(batch=st.integers(0, 4), width_in=st.integers(1, 5), width=st.integers(2, 8), data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_gradients_are_the_naive_sums_over_the_k_largest(
    naive_select, batch, width_in, width, data
):
    k = data.draw(st.integers(1, width - 1))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 1000)))
    x = torch.randn(batch, width_in, dtype=torch.float64, generator=generator)
    # Small integers: many ties and zeros.
    dy = torch.randint(-2, 3, (batch, width), generator=generator).double()
    layer = MePropLinear(width_in, width, k=k, dtype=torch.float64)
    layer.counting = True
    dx, dw = torch.zeros_like(x), torch.zeros(width, width_in, dtype=torch.float64)
    db = torch.zeros(width, dtype=torch.float64)
    hits = [0] * width
    for b, kept in enumerate(naive_select(dy, k)):
        db += dy[b]
        for o in kept:
            dx[b] += dy[b, o] * layer.weight[o].detach()
            dw[o] += dy[b, o] * x[b]
            hits[o] += dy[b, o].item() != 0
    _, actual = gradients(layer, x, dy)
    assert_close(actual, (dx, dw, db))
    assert layer.hits.tolist() == hits
    assert layer.examples.item() == batch


@pytest.mark.parametrize("mode", ["unified", "random"])
def test_other_modes_equal_the_dense_formulas_fed_the_masked_gradient(mode, device):
    layer = MePropLinear(5, 7, k=3, topk_mode=mode, device=device, dtype=torch.float64)
    layer.generator = torch.Generator().manual_seed(5)
    x = torch.randn(4, 5, dtype=torch.float64, device=device)
    dy = torch.randn(4, 7, dtype=torch.float64, device=device)
    if mode == "unified":
        kept = dy.abs().sum(dim=0).topk(3).indices.expand(4, 3)
    else:
        scores = torch.rand(4, 7, generator=torch.Generator().manual_seed(5))
        kept = scores.topk(3, dim=1).indices.to(device)
    sdy = dy * torch.zeros_like(dy).scatter(1, kept, 1.0)
    _, actual = gradients(layer, x, dy)
    assert_close(actual, (sdy @ layer.weight, sdy.t() @ x, dy.sum(dim=0)))


@pytest.mark.parametrize("shape", [(5,), (1, 5), (2, 3, 5), (2, 1, 3, 5)])
def test_leading_dimensions_are_examples(shape, device):
    layer = MePropLinear(5, 7, k=3, device=device)
    layer.counting = True
    x, dy = torch.randn(shape, device=device), torch.randn(*shape[:-1], 7, device=device)
    actual_y, (actual_dx, *actual) = gradients(layer, x, dy)
    y, (dx, *expected) = gradients(layer, x.reshape(-1, 5), dy.reshape(-1, 7))
    assert_close(actual_y, y.reshape(*shape[:-1], 7))
    assert_close(actual_dx, dx.reshape(shape))
    assert_close(actual, expected)
    assert layer.examples.item() == 2 * x.numel() // 5


def test_non_contiguous_input_and_gradient_change_nothing():
    layer = MePropLinear(5, 7, k=3)
    x, dy = torch.randn(5, 4).t(), torch.randn(7, 4).t()
    _, actual = gradients(layer, x, dy)
    _, expected = gradients(layer, x.contiguous(), dy.contiguous())
    assert_close(actual, expected)


def test_expanded_gradient_of_a_sum_is_accepted():
    layer = MePropLinear(5, 7, k=3)
    layer(torch.randn(4, 5)).sum().backward()
    # All entries tie: the first three are kept.
    assert layer.weight.grad.abs().sum(dim=1).bool().tolist() == [True] * 3 + [False] * 4


def test_nan_in_the_gradient_reaches_the_weights():
    layer = MePropLinear(5, 7, k=1)
    dy = torch.randn(2, 7)
    dy[1, 4] = float("nan")
    _, (_, dw, _) = gradients(layer, torch.randn(2, 5), dy)
    assert dw[4].isnan().all()


def test_frozen_weights_get_no_gradient_but_the_input_does():
    layer = MePropLinear(5, 7, k=3).requires_grad_(False)
    x = torch.randn(2, 5, requires_grad=True)
    layer(x).sum().backward()
    assert layer.weight.grad is None
    assert_close(x.grad, layer.weight[:3].sum(dim=0).expand(2, 5))


def test_input_without_gradient_still_trains_the_layer():
    layer = MePropLinear(5, 7, k=3)
    layer(torch.randn(2, 5)).sum().backward()
    assert layer.weight.grad.count_nonzero() == 15
    assert_close(layer.bias.grad, torch.full((7,), 2.0))


def test_plain_backprop_counts_every_neuron_with_a_gradient():
    layer = MePropLinear(5, 3)
    layer.counting = True
    gradients(layer, torch.randn(2, 5), torch.tensor([[1.0, 0.0, 2.0], [1.0, 0.0, 0.0]]))
    assert layer.hits.tolist() == [2, 0, 1]
    assert_close(layer.activeness(), torch.tensor([1.0, 0.0, 0.5], dtype=torch.float64))


def test_layer_counts_only_while_counting():
    layer = MePropLinear(5, 7, k=3)
    layer(torch.randn(2, 5)).sum().backward()
    assert layer.hits.sum().item() == layer.examples.item() == 0
    assert layer.activeness().tolist() == [0.0] * 7
    layer.counting = True
    layer(torch.randn(2, 5)).sum().backward()
    assert layer.hits.tolist() == [2, 2, 2, 0, 0, 0, 0]
    layer.reset_counts()
    assert layer.hits.sum().item() == layer.examples.item() == 0


def test_k_may_change_between_batches():
    layer = MePropLinear(5, 7, k=3)
    layer.k = 1
    layer(torch.randn(2, 5)).sum().backward()
    assert layer.weight.grad.count_nonzero() == 5


@pytest.mark.parametrize(
    ("k", "message"),
    [
        (8, "`k` is 8, expected at most the layer's width, 7"),
        (-1, "`k` is -1, expected a whole number of at least 0"),
        (2.0, "`k` is 2.0, expected a whole number of at least 0"),
        (True, "`k` is True, expected a whole number of at least 0"),
    ],
)
def test_k_that_the_layer_cannot_keep_is_refused(k, message):
    layer = MePropLinear(5, 7, k=3)
    for refused in (
        lambda: MePropLinear(5, 7, k=k),
        lambda: MePropLinear.from_dense(nn.Linear(5, 7), k=k),
        lambda: setattr(layer, "k", k),
    ):
        with pytest.raises(ConfigError) as raised:
            refused()
        assert str(raised.value) == message
    assert layer.k == 3


@pytest.mark.parametrize("mode", ["example", "unified", "random"])
def test_layer_cut_below_k_keeps_all_its_entries(mode):
    layer = MePropLinear(5, 7, k=4, topk_mode=mode)
    plan = CutPlan()
    plan.keep_neurons(layer, torch.tensor([0, 2, 5]), [])
    plan.apply()
    assert (layer.k, layer.out_features) == (4, 3)
    dense = layer.to_dense()
    x, dy = torch.randn(2, 5), torch.randn(2, 3)
    assert_close(gradients(layer, x, dy), gradients(dense, x, dy), rtol=0, atol=0)


def test_to_dense_undoes_from_dense():
    dense = nn.Linear(5, 7, bias=False, dtype=torch.float64).eval()
    back = MePropLinear.from_dense(dense, k=3).to_dense()
    assert type(back) is nn.Linear
    assert not back.training
    assert_close(back.state_dict(), dense.state_dict(), rtol=0, atol=0)
    assert back.weight.data_ptr() != dense.weight.data_ptr()


def test_state_dict_carries_the_counts():
    layer, other = MePropLinear(5, 7, k=3), MePropLinear(5, 7, k=3)
    layer.counting = True
    layer(torch.randn(2, 5)).sum().backward()
    other.load_state_dict(layer.state_dict())
    assert_close(other.state_dict(), layer.state_dict(), rtol=0, atol=0)
    assert other.hits.tolist() == [2, 2, 2, 0, 0, 0, 0]


def test_weights_of_nn_linear_load_into_a_nested_layer():
    dense, network = nn.Sequential(nn.Linear(5, 7)), nn.Sequential(MePropLinear(5, 7))
    assert not network.load_state_dict(dense.state_dict()).missing_keys
    assert_close(network[0].weight, dense[0].weight)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_layer_can_be_copied_and_pickled(clone):
    layer = MePropLinear(5, 7, k=3, topk_mode="unified")
    other = clone(layer)
    x, dy = torch.randn(2, 5), torch.randn(2, 7)
    assert_close(gradients(other, x, dy), gradients(layer, x, dy), rtol=0, atol=0)
    assert repr(other) == repr(layer)
    assert "k=3, topk_mode=unified" in repr(layer)


def test_unknown_mode_is_an_error_at_both_doors():
    with pytest.raises(ConfigError, match="`topk_mode` is 'best'"):
        MePropLinear(5, 7, topk_mode="best")
    with pytest.raises(ConfigError, match="`topk_mode` is 'best'"):
        meprop_linear(torch.zeros(2, 5), torch.zeros(7, 5), None, None, topk_mode="best")
