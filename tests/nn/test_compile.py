"""meProp's layers inside `torch.compile`: the gradients and counts of the layers outside it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence
from torch.testing import assert_close

from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM

pytestmark = [
    # torch.compile's own, where a graph ends at a tensor that has a history
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
    # PyTorch 2.11's, where a compiled layer counts
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    # inductor's own import of torch.jit
    pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated"),
]


@pytest.fixture(params=["eager", "aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def backend(request):
    torch._dynamo.reset()
    yield request.param
    torch._dynamo.reset()


def assert_compiled_equals_uncompiled(network, inputs, backend):
    """Outputs, gradients of input and parameters, and hit counts, over two steps."""
    twin = copy.deepcopy(network)
    compiled = torch.compile(network, backend=backend)
    for step in inputs:
        x, twin_x = (step.detach().clone().requires_grad_() for _ in range(2))
        actual, expected = compiled(x), twin(twin_x)
        assert_close(actual, expected)
        dy = torch.randn_like(expected)
        actual.backward(dy)
        expected.backward(dy)
        assert_close(x.grad, twin_x.grad)
    for actual, expected in zip(network.parameters(), twin.parameters(), strict=True):
        assert actual.grad.is_sparse == expected.grad.is_sparse
        assert_close(actual.grad, expected.grad)
    assert_close(dict(network.named_buffers()), dict(twin.named_buffers()))


@pytest.mark.parametrize("mode", ["example", "unified"])
@pytest.mark.parametrize("sparse_grad", [False, True])
def test_compiled_linear_layers_give_the_uncompiled_gradients_and_hits(mode, sparse_grad, backend):
    hidden = MePropLinear(5, 9, k=3, topk_mode=mode, sparse_grad=sparse_grad)
    hidden.counting = True
    network = nn.Sequential(hidden, nn.ReLU(), MePropLinear(9, 4, k=2, topk_mode=mode))
    assert_compiled_equals_uncompiled(network, torch.randn(2, 6, 5), backend)
    assert hidden.examples.item() == 12


def test_a_compiled_layer_of_plain_backprop_counts(backend):
    layer = MePropLinear(5, 9, k=None)
    layer.counting = True
    assert_compiled_equals_uncompiled(layer, torch.randn(2, 6, 5), backend)
    assert layer.hits.tolist() == [12] * 9


def test_k_may_change_between_compiled_steps(backend):
    layer = MePropLinear(5, 9, k=3)
    compiled = torch.compile(layer, backend=backend)
    for k in [3, None, 5]:
        layer.k = k
        layer.zero_grad()
        compiled(torch.randn(1, 5)).sum().backward()
        assert (layer.weight.grad != 0).any(dim=1).sum().item() == (k or 9)


class Reader(nn.Module):
    """A MePropLSTM's output and last state as one tensor."""

    def __init__(self, lstm, lengths=None):
        super().__init__()
        self.lstm, self.lengths = lstm, lengths

    def forward(self, x):  # (T, B, I)
        if self.lengths is not None:
            x = pack_sequence([x[:length, b] for b, length in enumerate(self.lengths)])
        output, (h_n, c_n) = self.lstm(x)
        output = output.data.reshape(-1, h_n.shape[-1])
        return torch.cat([output, h_n[0], c_n[0]])


@pytest.mark.parametrize("mode", ["example", "unified"])
@pytest.mark.parametrize("lengths", [None, [4, 2, 1]], ids=["padded", "packed"])
def test_a_compiled_lstm_gives_the_uncompiled_gradients_and_hits(mode, lengths, backend):
    lstm = MePropLSTM(5, 8, k=2, topk_mode=mode)
    lstm.counting = True
    assert_compiled_equals_uncompiled(Reader(lstm, lengths), torch.randn(2, 4, 3, 5), backend)
    assert lstm.examples.item() == 2 * (12 if lengths is None else 7)
