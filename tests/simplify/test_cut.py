"""The cut: a cut network is the network whose neurons are masked, now and while it trains on."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_sequence
from torch.testing import assert_close

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.bilstm import BiLSTM
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.nn.optimizers import make_optimizer
from meprop_nlp.simplify.cut import Consumer, CutPlan

F64 = {"dtype": torch.float64}
OPTIMIZERS = [("adam", {}), ("adagrad", {}), ("sgd", {"momentum": 0.9})]


class Mask(nn.Module):
    """Zeroes the outputs of the neurons that went, of their values and so of their gradients."""

    def __init__(self, width, keep):
        super().__init__()
        self.register_buffer("stay", torch.zeros(width, **F64))
        self.stay[keep] = 1

    def forward(self, x):
        return x * self.stay


def mlp(mask1=None, mask2=None, k=None):
    return nn.Sequential(
        MePropLinear(4, 6, k=k, **F64), mask1 or nn.Identity(), nn.Tanh(),
        MePropLinear(6, 5, k=k, **F64), mask2 or nn.Identity(), nn.Tanh(),
        MePropLinear(5, 3, k=k, **F64),
    )  # fmt: skip


def cut_neurons(layer, keep, consumers, *optimizers):
    """Cut one layer, and update the offsets of its consumers."""
    plan = CutPlan()
    plan.keep_neurons(layer, keep, consumers)
    plan.apply(*optimizers)
    for consumer in consumers:
        consumer.offset = plan.moved_offset(consumer)


def train_step(network, optimizer, x):
    optimizer.zero_grad()
    network(x).sin().sum().backward()
    optimizer.step()


@given(keep1=st.sets(st.integers(0, 5), min_size=1), keep2=st.sets(st.integers(0, 4), min_size=1))
@settings(deadline=None, max_examples=15)
def test_cut_linear_stack_gives_the_output_of_the_masked_one(keep1, keep2):
    keep1, keep2 = torch.tensor(sorted(keep1)), torch.tensor(sorted(keep2))
    network, masked = mlp(), mlp(Mask(6, keep1), Mask(5, keep2))
    masked.load_state_dict(network.state_dict(), strict=False)
    cut_neurons(network[0], keep1, [Consumer(network[3])])
    cut_neurons(network[3], keep2, [Consumer(network[6])])
    x = torch.randn(7, 4, **F64)
    assert_close(network(x), masked(x))
    assert (network[3].in_features, network[3].out_features) == (len(keep1), len(keep2))
    assert network[3].weight.shape == (len(keep2), len(keep1))
    assert network[3].hits.shape == (len(keep2),)


@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_cut_network_trains_on_like_the_masked_one(name, options, k):
    keep1, keep2 = torch.tensor([0, 2, 5]), torch.tensor([1, 2])
    network = mlp(k=k)
    optimizer = make_optimizer(name, network.parameters(), lr=0.1, **options)
    x = torch.randn(7, 4, **F64)
    for _ in range(3):
        train_step(network, optimizer, x)
    # The twin goes on at full size with masks, its optimiser with the same moments.
    masked = mlp(Mask(6, keep1), Mask(5, keep2), k)
    masked.load_state_dict(network.state_dict(), strict=False)
    twin = make_optimizer(name, masked.parameters(), lr=0.1, **options)
    twin.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    plan = CutPlan()
    plan.keep_neurons(network[0], keep1, [Consumer(network[3])])
    plan.keep_neurons(network[3], keep2, [Consumer(network[6])])
    plan.apply(optimizer)
    assert [p.shape for p in optimizer.param_groups[0]["params"]] == [
        p.shape for p in network.parameters()
    ]
    for _ in range(3):
        train_step(network, optimizer, x)
        train_step(masked, twin, x)
        assert_close(network(x), masked(x))
        assert_close(network[3].weight, masked[3].weight[keep2][:, keep1])
        assert_close(network[3].bias, masked[3].bias[keep2])


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_moments_are_cut_like_their_parameters(name, options):
    layer, out = MePropLinear(4, 6), nn.Linear(6, 3)
    optimizer = make_optimizer(name, [*layer.parameters(), *out.parameters()], **options)
    train_step(nn.Sequential(layer, out), optimizer, torch.randn(2, 4))
    before = {
        parameter: {key: value for key, value in state.items() if value.dim() > 0}
        for parameter, state in optimizer.state.items()
    }
    old = [layer.weight, layer.bias, out.weight, out.bias]
    grads = [p.grad for p in old]
    keep = torch.tensor([1, 4])
    cut_neurons(layer, keep, [Consumer(out)], optimizer)
    new = [layer.weight, layer.bias, out.weight, out.bias]
    assert set(optimizer.state) == set(new)
    for was, grad, now, where in zip(
        old, grads, new, [keep, keep, (slice(None), keep), slice(None)], strict=True
    ):
        assert_close(now.grad, grad[where], rtol=0, atol=0)
        for key, value in before[was].items():
            assert_close(optimizer.state[now][key], value[where], rtol=0, atol=0)


def test_parameter_groups_keep_their_order_and_settings():
    layer, out = MePropLinear(4, 6), nn.Linear(6, 3)
    groups = [{"params": [out.weight, layer.bias], "lr": 0.5}, {"params": [layer.weight, out.bias]}]
    optimizer = make_optimizer("adam", groups)
    cut_neurons(layer, torch.tensor([1, 4]), [Consumer(out)], optimizer)
    first, second = optimizer.param_groups
    assert first["lr"] == 0.5
    assert [id(p) for p in first["params"]] == [id(out.weight), id(layer.bias)]
    assert [id(p) for p in second["params"]] == [id(layer.weight), id(out.bias)]


def lstm_words():
    return pack_sequence([torch.randn(n, 3, **F64) for n in (2, 4, 1)], enforce_sorted=False)


def masked_lstm(layer, keep):
    """A copy of full size whose other units stay zero: no cell input, so c = h = 0 for ever."""
    masked = copy.deepcopy(layer)
    gone = torch.ones(layer.hidden_size, dtype=torch.bool)
    gone[keep] = False
    with torch.no_grad():
        for parameter in masked.parameters():
            parameter.view(4, layer.hidden_size, -1)[:, gone] = 0
    return masked


@pytest.mark.parametrize("reverse", [True, False])
@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_cut_lstm_gives_the_output_of_the_masked_one(reverse, k, bias):
    layer = MePropLSTM(3, 6, bias=bias, k=k, reverse=reverse, **F64)
    out = nn.Linear(6, 2, **F64)
    keep = torch.tensor([0, 3, 4])
    masked, masked_out, words = masked_lstm(layer, keep), copy.deepcopy(out), lstm_words()
    cut_neurons(layer, keep, [Consumer(out)])
    actual, (h_n, c_n) = layer(words)
    expected, (h, c) = masked(words)
    assert_close(actual.data, expected.data[:, keep])
    assert_close((h_n, c_n), (h[..., keep], c[..., keep]))
    assert_close(out(actual.data), masked_out(expected.data))
    assert layer.hidden_size == out.in_features == 3
    assert layer.to_dense().hidden_size == 3 if not reverse else layer.hits.shape == (3,)


@pytest.mark.parametrize("keep", [[0], [1, 2, 5], [0, 1, 2, 3, 4, 5]])
def test_cut_lstm_trains_on_like_the_masked_one(keep):
    keep = torch.tensor(keep)
    layer, words = MePropLSTM(3, 6, **F64), lstm_words()
    masked = masked_lstm(layer, keep)
    optimizer = make_optimizer("adam", layer.parameters(), lr=0.1)
    twin = make_optimizer("adam", masked.parameters(), lr=0.1)
    out = nn.Linear(6, 2, **F64)
    cut_neurons(layer, keep, [Consumer(out)], optimizer)
    for network, adam, columns in ((layer, optimizer, slice(None)), (masked, twin, keep)):
        network(words)[0].data[:, columns].sin().sum().backward()
        adam.step()
    for actual, expected in zip(layer.parameters(), masked.parameters(), strict=True):
        rows = expected.view(4, 6, -1)[:, keep]
        rows = rows[..., keep] if rows.shape[-1] == 6 else rows
        assert_close(actual.view(rows.shape), rows)


def test_directions_of_a_bilstm_are_cut_in_turn_with_offsets_that_stay_right():
    lstm, above, out = BiLSTM(3, 6, **F64), BiLSTM(14, 4, **F64), nn.Linear(12, 2, **F64)
    ahead, back, words = lstm.left_to_right, lstm.right_to_left, lstm_words()
    keep_ahead, keep_back = torch.tensor([1, 2, 4, 5]), torch.tensor([0, 5])
    kept = torch.cat((keep_ahead, 6 + keep_back))
    masked = copy.deepcopy(lstm)
    masked.left_to_right = masked_lstm(ahead, keep_ahead)
    masked.right_to_left = masked_lstm(back, keep_back)
    masked_above, masked_out = copy.deepcopy(above), copy.deepcopy(out)
    extra = torch.randn(7, 1, **F64)  # `above` reads [extra, ahead, back, extra]
    to_ahead = [Consumer(out), Consumer(above, offset=1)]
    to_back = [Consumer(out, offset=6), Consumer(above, offset=7)]
    plan = CutPlan()
    plan.keep_neurons(ahead, keep_ahead, to_ahead)
    plan.apply()
    for consumer in to_back:
        consumer.offset = plan.moved_offset(consumer)
    assert [consumer.offset for consumer in to_back] == [4, 5]
    cut_neurons(back, keep_back, to_back)
    actual, expected = lstm(words)[0].data, masked(words)[0].data
    assert_close(actual, expected[:, kept])
    assert_close(out(actual), masked_out(expected))

    def read(layer, rows):
        return layer(words._replace(data=torch.cat((extra, rows, extra), dim=1)))[0].data

    assert_close(read(above, actual), read(masked_above, expected))
    assert (above.input_size, above.right_to_left.input_size, out.in_features) == (8, 8, 6)


def test_dense_bidirectional_lstm_can_consume():
    layer, above = MePropLinear(4, 6, **F64), nn.LSTM(6, 3, bidirectional=True, **F64)
    keep, x = torch.tensor([2, 3]), torch.randn(5, 1, 4, **F64)
    expected, _ = copy.deepcopy(above)(Mask(6, keep)(layer(x)))
    cut_neurons(layer, keep, [Consumer(above)])
    assert_close(above(layer(x))[0], expected)


def test_a_layer_read_twice_by_one_consumer_loses_both_blocks_of_columns():
    layer, out = MePropLinear(4, 3, **F64), nn.Linear(6, 2, **F64)
    keep, x = torch.tensor([0, 2]), torch.randn(5, 4, **F64)
    expected = out(Mask(3, keep)(layer(x)).repeat(1, 2))
    consumers = [Consumer(out), Consumer(out, offset=3)]
    cut_neurons(layer, keep, consumers)
    assert_close(out(layer(x).repeat(1, 2)), expected)
    assert [consumer.offset for consumer in consumers] == [0, 2]


def test_backward_works_after_a_cut_while_the_old_loss_is_still_held():
    layer, out = MePropLinear(4, 6, k=2), nn.Linear(6, 3)
    old_loss = out(layer(torch.randn(2, 4))).sum()
    old_loss.backward()
    cut_neurons(layer, torch.tensor([1, 2, 3]), [Consumer(out)])
    out(layer(torch.randn(2, 4))).sum().backward()
    assert layer.weight.grad.shape == (3, 4)
    assert old_loss.requires_grad


def test_frozen_parameters_stay_frozen():
    layer, out = MePropLinear(4, 6).requires_grad_(False), nn.Linear(6, 3)
    cut_neurons(layer, torch.tensor([1]), [Consumer(out)])
    assert not layer.weight.requires_grad
    assert out.weight.requires_grad


def test_keeping_everything_leaves_the_parameters_in_place():
    layer, out = MePropLinear(4, 6), nn.Linear(6, 3)
    before = [*layer.parameters(), *out.parameters()]
    cut_neurons(layer, torch.arange(6), [Consumer(out)])
    assert all(
        p is q for p, q in zip(before, [*layer.parameters(), *out.parameters()], strict=True)
    )


@pytest.mark.parametrize("keep", [[], [3, 1], [1, 1], [-1, 2], [6], [[1]], [1.0]])
def test_indices_that_do_not_fit_are_an_error(keep):
    with pytest.raises(ConfigError, match="from 0 to 5"):
        cut_neurons(MePropLinear(4, 6), torch.tensor(keep), [])


@pytest.mark.parametrize(
    ("layer", "consumer", "message"),
    [
        (nn.Linear(4, 6), Consumer(nn.Linear(8, 2), offset=3), "do not fit at offset 3"),
        (nn.Linear(4, 6), Consumer(nn.Linear(8, 2), offset=-1), "do not fit at offset -1"),
        (nn.Linear(4, 6), Consumer(nn.LayerNorm(6)), "LayerNorm cannot lose input columns"),
        (nn.LayerNorm(6), Consumer(nn.Linear(6, 2)), "LayerNorm cannot be cut"),
        (nn.LSTM(4, 6, bidirectional=True), Consumer(nn.Linear(6, 2)), "one direction"),
    ],
)
def test_layers_that_do_not_fit_are_an_error(layer, consumer, message):
    with pytest.raises(ConfigError, match=message):
        cut_neurons(layer, torch.tensor([0, 2]), [consumer])
