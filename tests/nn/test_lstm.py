"""`MePropLSTM` and `BiLSTM` against `nn.LSTM` and against a step-by-step loop in words."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence
from torch.testing import assert_close

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.bilstm import BiLSTM
from meprop_nlp.nn.functional import LSTMFunction
from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.topk import Selection

I, H = 3, 5  # noqa: E741  # the dimension names of the package
LENGTHS = (3, 5, 1, 4)


def sentences(lengths=LENGTHS, dtype=torch.float64, device="cpu"):
    return [torch.randn(n, I, dtype=dtype, device=device) for n in lengths]


def run(layer, batch, hx=None):
    """Outputs, and gradients of a loss that uses every output, by input, state and weights."""
    packed = isinstance(batch, PackedSequence)
    x = (batch.data if packed else batch).detach().requires_grad_()
    hx = None if hx is None else tuple(part.detach().requires_grad_() for part in hx)
    output, (h_n, c_n) = layer(batch._replace(data=x) if packed else x, hx)
    rows = output.data if packed else output
    loss = rows.square().sum() + h_n.sin().sum() + 2 * c_n.sin().sum()
    grads = torch.autograd.grad(loss, [x, *(hx or ()), *layer.parameters()])
    return (rows, h_n, c_n), grads


@pytest.fixture(params=["packed", "padded", "batch_first", "one"])
def form(request):
    return request.param


def make_batch(form, device="cpu"):
    """An input in one of the forms `nn.LSTM` takes, and a first state for it."""
    if form == "packed":
        batch = pack_sequence(sentences(device=device), enforce_sorted=False)
    elif form == "one":
        batch = torch.randn(4, I, dtype=torch.float64, device=device)
    else:
        shape = (2, 4, I) if form == "batch_first" else (4, 2, I)
        batch = torch.randn(shape, dtype=torch.float64, device=device)
    shape = {"packed": (1, 4, H), "one": (1, H)}.get(form, (1, 2, H))
    hx = tuple(torch.randn(shape, dtype=torch.float64, device=device) for _ in "hc")
    return batch, hx


@pytest.mark.parametrize("with_state", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("counting", [True, False])
def test_plain_k_equals_nn_lstm(form, with_state, bias, counting, device):
    first = form == "batch_first"
    dense = nn.LSTM(I, H, bias=bias, batch_first=first, dtype=torch.float64, device=device)
    layer = MePropLSTM.from_dense(dense, k=H)
    layer.counting = counting  # True takes our own forward and backward
    batch, hx = make_batch(form, device)
    actual = run(layer, batch, hx if with_state else None)
    expected = run(dense, batch, hx if with_state else None)
    assert_close(actual, expected)


@pytest.mark.parametrize("k", [None, 2])
def test_forward_with_k_is_the_dense_forward(form, k):
    dense = nn.LSTM(I, H, batch_first=form == "batch_first", dtype=torch.float64)
    batch, hx = make_batch(form)
    actual, _ = run(MePropLSTM.from_dense(dense, k=k), batch, hx)
    expected, _ = run(dense, batch, hx)
    assert_close(actual, expected)


@pytest.mark.parametrize("k", [None, 2])
def test_reverse_layer_is_the_layer_over_turned_sentences(k):
    layer = MePropLSTM(I, H, k=k, dtype=torch.float64)
    turned = MePropLSTM(I, H, k=k, reverse=True, dtype=torch.float64)
    turned.load_state_dict(layer.state_dict())
    words = sentences()
    (_, h_n, c_n), (dx, *grads) = run(turned, pack_sequence(words, enforce_sorted=False))
    batch = pack_sequence([s.flip(0) for s in words], enforce_sorted=False)
    (_, h, c), (dx_turned, *expected) = run(layer, batch)
    assert_close((h_n, c_n, grads), (h, c, expected))
    dxs = nn.utils.rnn.unpack_sequence(batch._replace(data=dx))
    expected_dxs = nn.utils.rnn.unpack_sequence(batch._replace(data=dx_turned))
    assert_close(dxs, [part.flip(0) for part in expected_dxs])


@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize("first", [True, False])
def test_reverse_layer_turns_a_padded_tensor_over_its_time(k, first):
    layer = MePropLSTM(I, H, k=k, batch_first=first, dtype=torch.float64)
    turned = MePropLSTM(I, H, k=k, batch_first=first, reverse=True, dtype=torch.float64)
    turned.load_state_dict(layer.state_dict())
    batch, time = torch.randn(4, 4, I, dtype=torch.float64), 1 if first else 0
    (output, *state), (dx, *grads) = run(turned, batch)
    (expected, *expected_state), (expected_dx, *expected_grads) = run(layer, batch.flip(time))
    assert_close(output, expected.flip(time))
    assert_close(dx, expected_dx.flip(time))
    assert_close((state, grads), (expected_state, expected_grads))


@pytest.mark.parametrize("reverse", [True, False])
@pytest.mark.parametrize("mode", ["example", "unified", "random"])
def test_k_of_full_width_passes_gradcheck_through_the_sparse_path(reverse, mode):
    tensors = [
        torch.randn(shape, dtype=torch.float64, requires_grad=True)
        for shape in [(6, I), (3, H), (3, H), (4 * H, I), (4 * H, H), (4 * H,)]
    ]

    def layer(*tensors):
        packed, selection = Packed([3, 2, 1], reverse), Selection(H, mode)
        return LSTMFunction.apply(*tensors, packed, selection, (None, None))

    assert torch.autograd.gradcheck(layer, tensors)


def naive_gradients(layer, words, k, naive_select):
    """dx of each sentence, the weights' gradients and the hits, one word at a time.

    The products of each step pass through a hook that drops all but k entries a gate of their
    gradient; the biases are added behind it, so that their gradient stays whole.
    """
    hits = torch.zeros(H, dtype=torch.int64)

    def sparsify(da):
        mask = torch.zeros(4, H)
        for gate, kept in enumerate(naive_select(da.view(4, H), k)):
            mask[gate, kept] = 1
        hits.add_((mask * (da.view(4, H) != 0)).any(dim=0))
        return da * mask.view(-1)

    words = [s.clone().requires_grad_() for s in words]
    loss = 0
    for sentence in words:
        h = c = torch.zeros(H, dtype=torch.float64)
        for x in reversed(sentence.unbind()) if layer.reverse else sentence.unbind():
            products = layer.weight_ih_l0 @ x + layer.weight_hh_l0 @ h
            products.register_hook(sparsify)
            i, f, g, o = (products + layer.bias_ih_l0 + layer.bias_hh_l0).view(4, H)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            loss = loss + h.square().sum()
        loss = loss + h.sin().sum() + 2 * c.sin().sum()
    grads = torch.autograd.grad(loss, [*words, *layer.parameters()])
    return grads[: len(words)], grads[len(words) :], hits


@given(
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    k=st.integers(1, H - 1),
    reverse=st.booleans(),
)
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_gradients_are_those_of_a_loop_over_words_that_keeps_k_a_gate(
    naive_select, lengths, k, reverse
):
    layer = MePropLSTM(I, H, k=k, reverse=reverse, dtype=torch.float64)
    layer.counting = True
    words = sentences(lengths)
    batch = pack_sequence(words, enforce_sorted=False)
    _, (dx, *grads) = run(layer, batch)
    expected_dx, expected, hits = naive_gradients(layer, words, k, naive_select)
    assert_close(nn.utils.rnn.unpack_sequence(batch._replace(data=dx)), list(expected_dx))
    assert_close(grads, list(expected))
    assert layer.hits.tolist() == hits.tolist()
    assert layer.examples.item() == sum(lengths)


def test_one_sentence_in_unified_mode_is_the_example_mode():
    layer = MePropLSTM(I, H, k=2, dtype=torch.float64)
    batch = torch.randn(6, 1, I, dtype=torch.float64)
    expected = run(layer, batch)
    layer.topk_mode = "unified"
    assert_close(run(layer, batch), expected)


def test_unified_mode_keeps_one_set_a_gate_and_step_for_the_batch(device):
    layer = MePropLSTM(I, H, k=2, topk_mode="unified", dtype=torch.float64, device=device)
    layer(torch.randn(1, 6, I, dtype=torch.float64, device=device))[0].sin().sum().backward()
    kept = layer.weight_ih_l0.grad.view(4, H, I).abs().sum(dim=2).count_nonzero(dim=1)
    assert kept.tolist() == [2, 0, 2, 2]  # the forget gate has nothing to forget at step one


def test_random_mode_follows_its_generator():
    layer = MePropLSTM(I, H, k=2, topk_mode="random", dtype=torch.float64)
    batch = torch.randn(3, 6, I, dtype=torch.float64)

    def grads(seed):
        layer.generator = torch.Generator().manual_seed(seed)
        return run(layer, batch)[1]

    assert_close(grads(1), grads(1), rtol=0, atol=0)
    assert not torch.equal(grads(1)[0], grads(2)[0])


def test_unused_state_and_frozen_weights_are_honoured():
    layer = MePropLSTM(I, H, k=2).requires_grad_(False)
    x = torch.randn(3, 2, I, requires_grad=True)
    layer(x)[0].sum().backward()
    assert x.grad.shape == (3, 2, I)
    assert layer.weight_hh_l0.grad is None


def test_non_contiguous_input_changes_nothing():
    layer = MePropLSTM(I, H, k=2, dtype=torch.float64)
    batch = torch.randn(I, 2, 4, dtype=torch.float64).permute(2, 1, 0)
    assert_close(run(layer, batch), run(layer, batch.contiguous()))


@pytest.mark.parametrize("mode", ["example", "unified", "random"])
def test_empty_batch_gives_empty_output_and_no_gradient(mode):
    layer = MePropLSTM(I, H, k=2, topk_mode=mode)
    layer.counting = True
    output, (h_n, _) = layer(torch.zeros(4, 0, I))
    output.sum().backward()
    assert (output.shape, h_n.shape) == ((4, 0, H), (1, 0, H))
    assert layer.weight_hh_l0.grad.count_nonzero() == layer.examples.item() == 0


def test_without_gradient_the_layer_counts_nothing():
    layer = MePropLSTM(I, H, k=2)
    layer.counting = True
    with torch.no_grad():
        output, _ = layer(torch.randn(3, 2, I))
    assert output.shape == (3, 2, H)
    assert layer.examples.item() == 0


@pytest.mark.parametrize("shape", [(3, 2, I + 1), (0, 2, I), (3, 2, 2, I), (I,)])
def test_input_of_wrong_shape_is_an_error(shape):
    with pytest.raises(ConfigError, match=r"MePropLSTM input has shape \("):
        MePropLSTM(I, H, k=2)(torch.zeros(shape))


def test_state_of_wrong_shape_is_an_error():
    state = torch.zeros(1, 1, H)
    with pytest.raises(ConfigError, match=r"\(1, 1, 5\) and \(1, 1, 5\), expected \(1, 2, 5\)"):
        MePropLSTM(I, H, k=2)(torch.zeros(3, 2, I), (state, state))


@pytest.mark.parametrize("option", [{"num_layers": 2}, {"bidirectional": True}, {"proj_size": 2}])
def test_other_lstms_do_not_become_a_meprop_lstm(option):
    with pytest.raises(ConfigError, match="expected one layer, one direction"):
        MePropLSTM.from_dense(nn.LSTM(I, H, **option))


def test_to_dense_undoes_from_dense():
    dense = nn.LSTM(I, H, bias=False, batch_first=True).eval()
    back = MePropLSTM.from_dense(dense, k=2).to_dense()
    assert type(back) is nn.LSTM
    assert repr(back) == repr(dense)
    assert not back.training
    assert_close(back.state_dict(), dense.state_dict(), rtol=0, atol=0)


def test_reverse_layer_alone_has_no_dense_form():
    with pytest.raises(ConfigError, match="reverse=True"):
        MePropLSTM(I, H, reverse=True).to_dense()


@pytest.mark.parametrize("make", [MePropLSTM, BiLSTM])
def test_same_seed_gives_the_weights_of_nn_lstm(make):
    torch.manual_seed(3)
    dense = nn.LSTM(I, H, bidirectional=make is BiLSTM)
    torch.manual_seed(3)
    layer = make(I, H, k=2)
    assert_close(list(layer.parameters()), list(dense.parameters()), rtol=0, atol=0)


@pytest.mark.parametrize("make", [MePropLSTM, BiLSTM])
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_layer_can_be_copied_and_pickled(make, clone):
    layer = make(I, H, k=2, dtype=torch.float64)
    other = clone(layer)
    batch = torch.randn(3, 2, I, dtype=torch.float64)
    assert_close(run(other, batch), run(layer, batch), rtol=0, atol=0)
    assert repr(other) == repr(layer)
    other.k = None
    assert_close(run(other, batch)[0], run(layer, batch)[0])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("counting", [True, False])
def test_plain_bilstm_equals_bidirectional_nn_lstm(form, bias, counting):
    first = form == "batch_first"
    dense = nn.LSTM(I, H, bias=bias, batch_first=first, bidirectional=True, dtype=torch.float64)
    layer = BiLSTM.from_dense(dense)
    layer.left_to_right.counting = layer.right_to_left.counting = counting
    batch, state = make_batch(form)
    stacked = [torch.randn_like(part.expand(2, *part.shape[1:])) for part in state]
    beside = [torch.cat((part[:1], part[1:]), dim=-1) for part in stacked]
    (output, h_n, c_n), (dx, dh, dc, *grads) = run(layer, batch, beside)
    (expected, h, c), (expected_dx, expected_dh, expected_dc, *expected_grads) = run(
        dense, batch, stacked
    )
    assert_close((output, dx, grads), (expected, expected_dx, expected_grads))
    for ours, theirs in ((h_n, h), (c_n, c), (dh, expected_dh), (dc, expected_dc)):
        assert_close(ours, torch.cat((theirs[:1], theirs[1:]), dim=-1))


def test_bilstm_to_dense_undoes_from_dense():
    dense = nn.LSTM(I, H, batch_first=True, bidirectional=True)
    back = BiLSTM.from_dense(dense, k=2).to_dense()
    assert repr(back) == repr(dense)
    assert_close(back.state_dict(), dense.state_dict(), rtol=0, atol=0)


def test_bilstm_may_have_two_widths_but_then_no_dense_form():
    layer = BiLSTM(I, (5, 2), k=1)
    output, (h_n, c_n) = layer(torch.zeros(4, 2, I))
    assert (output.shape, h_n.shape, c_n.shape) == ((4, 2, 7), (1, 2, 7), (1, 2, 7))
    with pytest.raises(ConfigError, match="5 and 2 units"):
        layer.to_dense()


def test_bilstm_sets_k_of_both_directions():
    layer = BiLSTM(I, H)
    layer.k = 2
    assert layer.k == layer.left_to_right.k == layer.right_to_left.k == 2


@pytest.mark.parametrize("k", [6, -1])
def test_k_that_the_layer_cannot_keep_is_refused(k):
    lstm, bilstm = MePropLSTM(I, H, k=2), BiLSTM(I, (7, H), k=2)
    for refused in (
        lambda: MePropLSTM(I, H, k=k),
        lambda: MePropLSTM.from_dense(nn.LSTM(I, H), k=k),
        lambda: BiLSTM(I, (7, H), k=k),
        lambda: BiLSTM.from_dense(nn.LSTM(I, H, bidirectional=True), k=k),
        lambda: setattr(lstm, "k", k),
        lambda: setattr(bilstm, "k", k),
    ):
        with pytest.raises(ConfigError, match=f"`k` is {k}, expected"):
            refused()
    assert lstm.k == bilstm.left_to_right.k == bilstm.right_to_left.k == 2


def test_nn_lstm_of_one_direction_does_not_become_a_bilstm():
    with pytest.raises(ConfigError, match="expected one layer, two directions"):
        BiLSTM.from_dense(nn.LSTM(I, H))
