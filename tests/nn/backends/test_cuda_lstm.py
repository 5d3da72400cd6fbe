"""The LSTM on a GPU gives the gradients of the CPU: PyTorch's forward pass, our trace and kernel.

Without a GPU `test_triton.py` holds the kernels against the reference.
"""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence
from torch.testing import assert_close

from meprop_nlp.nn.backends import cuda_lstm
from meprop_nlp.nn.bilstm import BiLSTM
from meprop_nlp.nn.lstm import MePropLSTM

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

LENGTHS = {"equal": [4, 4, 4], "unequal": [2, 5, 1], "one": [1]}
MODES = ["example", "unified", "random"]


@pytest.fixture(autouse=True)
def exact():
    """No TF32, which cuDNN may use for float32 unless told."""
    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, False
    yield
    torch.backends.cudnn.allow_tf32 = before


def sequences(lengths, width):
    return [torch.randn(n, width, dtype=torch.float64) for n in lengths]


def gradients(layer, words, hx=None):
    """Outputs, last state, and gradients by input, first state and weights, on the CPU."""
    weight = next(layer.parameters())
    batch = pack_sequence([word.to(weight) for word in words], enforce_sorted=False)
    x = batch.data.detach().requires_grad_()
    hx = None if hx is None else tuple(part.to(weight).requires_grad_() for part in hx)
    output, state = layer(batch._replace(data=x), hx)
    loss = output.data.square().sum() + state[0].sin().sum() + 2 * state[1].sin().sum()
    grads = torch.autograd.grad(loss, [x, *(hx or ()), *layer.parameters()])
    return [tensor.cpu() for tensor in (output.data, *state, *grads)]


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("units", "k"), [(50, 7), (500, 10), (500, 499), (7, None)])
@pytest.mark.parametrize("with_state", [False, True])
def test_gradients_are_those_of_the_cpu(lengths, reverse, mode, units, k, with_state):
    on_cpu = MePropLSTM(19, units, k=k, topk_mode=mode, reverse=reverse, dtype=torch.float64)
    on_cpu.counting = True
    on_gpu = copy.deepcopy(on_cpu).cuda()
    for layer in (on_cpu, on_gpu):
        layer.generator = torch.Generator().manual_seed(4)
    words = sequences(lengths, 19)
    hx = None
    if with_state:
        hx = [torch.randn(1, len(lengths), units, dtype=torch.float64) for _ in "hc"]
    assert_close(gradients(on_gpu, words, hx), gradients(on_cpu, words, hx))
    assert on_gpu.hits.tolist() == on_cpu.hits.tolist()
    assert on_gpu.examples == sum(lengths)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float16, 2e-2), (torch.bfloat16, 2e-1)]
)
# PyTorch does not lay bfloat16 weights out as cuDNN wants them, and says so: of nn.LSTM too
@pytest.mark.filterwarnings("ignore:RNN module weights are not part of single contiguous chunk")
def test_smaller_floats_are_near_the_gradients_of_the_cpu(dtype, tolerance):
    on_cpu = MePropLSTM(19, 50, k=49, dtype=torch.float64)  # 49 of 50: one more or less is little
    on_gpu = copy.deepcopy(on_cpu).to("cuda", dtype)
    words = sequences([2, 5, 1], 19)
    for actual, expected in zip(gradients(on_gpu, words), gradients(on_cpu, words), strict=True):
        assert (actual.double() - expected).abs().max() <= tolerance * expected.abs().max()


def test_both_directions_are_those_of_the_cpu():
    on_cpu = BiLSTM(19, (50, 20), k=7, dtype=torch.float64)
    words = sequences([2, 5, 1], 19)
    assert_close(gradients(copy.deepcopy(on_cpu).cuda(), words), gradients(on_cpu, words))


@pytest.mark.parametrize("units", [cuda_lstm.WIDEST, cuda_lstm.WIDEST + 1])
def test_the_widest_layers_are_those_of_the_cpu(units):
    on_cpu = MePropLSTM(3, units, k=7, dtype=torch.float64)
    words = sequences([2, 1], 3)
    assert_close(gradients(copy.deepcopy(on_cpu).cuda(), words), gradients(on_cpu, words))


def test_what_is_broken_stays_broken():
    layer = MePropLSTM(3, 50, k=7, device="cuda")
    dy = torch.zeros(2, 1, 50, device="cuda")
    dy[1, 0, 30] = torch.nan
    layer(torch.randn(2, 1, 3, device="cuda"))[0].backward(dy)
    assert layer.weight_hh_l0.grad[30].isnan().all()
    assert layer.weight_hh_l0.grad.isnan().any(dim=1).sum() >= 4


def test_the_same_twice_gives_the_same_bits():
    layer = MePropLSTM(19, 50, k=7, device="cuda")
    words = sequences([2, 5, 1], 19)
    assert_close(gradients(layer, words), gradients(layer, words), rtol=0, atol=0)


def test_pytorch_runs_the_forward_pass():
    layer, dense = MePropLSTM(19, 50, k=7, device="cuda"), nn.LSTM(19, 50, device="cuda")
    dense.load_state_dict(dict(layer.named_parameters()))
    batch = pack_sequence([torch.randn(n, 19, device="cuda") for n in (5, 3, 1)])
    (output, state), (expected, expected_state) = layer(batch), dense(batch)
    assert_close((output.data, state), (expected.data, expected_state), rtol=0, atol=0)


def test_many_sequences_and_steps_give_the_gradients_of_the_cpu():
    on_cpu = MePropLSTM(3, 100, k=7, dtype=torch.float64)
    words = sequences([*range(1, 40), *[3] * 200], 3)
    assert_close(gradients(copy.deepcopy(on_cpu).cuda(), words), gradients(on_cpu, words))
