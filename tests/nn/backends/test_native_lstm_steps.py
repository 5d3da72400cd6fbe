"""The LSTM's backward pass step by step on the core: `unified`, and where much or all is kept."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from meprop_nlp import native
from meprop_nlp.nn.backends import choose, native_lstm, reference_lstm
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMWeights
from meprop_nlp.nn.topk import Selection

pytestmark = pytest.mark.skipif(native.core() is None, reason=native.why_missing())

each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
each_direction = pytest.mark.parametrize("reverse", [False, True], ids=["ahead", "reverse"])
UNITS = 33
# mode, k, the share from which products are dense, what the core is called for besides the step
CASES = [
    ("unified", 5, 1, {"sparse_dx", "sparse_dw"}),
    ("unified", 5, 0, set()),
    ("unified", UNITS, 1, set()),
    ("example", 20, 0, set()),
    ("example", UNITS, 0, set()),
    ("example", None, 0, set()),
]
each_case = pytest.mark.parametrize(("mode", "k", "share", "products"), CASES)


def arguments(batch_sizes, dtype, *, reverse):
    """Upstream gradients, steps, trace, weights and input of a layer; nothing is contiguous."""
    n_words, n_sequences = sum(batch_sizes), batch_sizes[0] if batch_sizes else 2
    shapes = [(n_words, 9), (n_sequences, UNITS), (n_sequences, UNITS), (4 * UNITS, 9)]
    shapes += [(4 * UNITS, UNITS), (n_words, UNITS), (n_sequences, UNITS), (n_sequences, UNITS)]
    tensors = [torch.randn(shape, dtype=dtype).t().contiguous().t() * 0.5 for shape in shapes]
    x, h0, c0, weight_ih, weight_hh, *upstream = tensors
    packed, weights = Packed(batch_sizes, reverse), LSTMWeights(weight_ih, weight_hh, None)
    _, trace = reference_lstm.forward(x, packed, (h0, c0), weights)
    return LSTMOutput(*upstream), packed, trace, weights, x


def backward(upstream, packed, trace, weights, x, k, mode="example", hits=None):
    kept, dh0, dc0 = choose.backward_through_time(
        upstream, packed, weights.hh, trace, Selection(k, mode)
    )
    if hits is not None:
        kept.count(hits)
    return kept.dx(weights.ih), dh0, dc0, kept.dw(x), kept.dw(trace.h_prev), kept.db


def both(given, monkeypatch, **options):
    """Gradients and hits by the core, and by the reference."""
    results = []
    for access in (choose._core, lambda: None):
        monkeypatch.setattr(choose, "_core", access)
        hits = torch.full((UNITS,), 5)
        results.append((*backward(*given, **options, hits=hits), hits))
    return results


@each_case
@each_direction
@each_dtype
@pytest.mark.parametrize("batch_sizes", [[7, 5, 1], [40, 40], [1, 1], [0, 0], []], ids=str)
def test_gradients_and_hits_are_the_references(
    called, monkeypatch, mode, k, share, products, reverse, dtype, batch_sizes
):
    monkeypatch.setattr(native_lstm, "DENSE_SHARE", share)
    given = arguments(batch_sizes, dtype, reverse=reverse)
    if dtype == torch.float32 and k not in (None, UNITS):
        # rounding may choose another entry where two are close; one step hardly rounds
        given = arguments(batch_sizes[:1], dtype, reverse=reverse)
    actual, expected = both(given, monkeypatch, k=k, mode=mode)
    bound = {"rtol": 1e-4, "atol": 1e-4} if dtype == torch.float32 else {"rtol": 0, "atol": 1e-10}
    assert_close(actual, expected, **bound)
    assert set(called) == ({"lstm_step_backward"} if batch_sizes else set()) | products


@each_case
def test_nan_is_kept_and_reaches_the_steps_before(called, monkeypatch, mode, k, share, products):
    monkeypatch.setattr(native_lstm, "DENSE_SHARE", share)
    given = arguments([4, 3], torch.float64, reverse=False)
    given[0].output[5, 7] = torch.nan  # the second step of sequence 1
    actual, expected = both(given, monkeypatch, k=k, mode=mode)
    assert_close(actual, expected, equal_nan=True, rtol=0, atol=1e-10)
    assert actual[0][1].isnan().all()


@pytest.mark.parametrize(("mode", "share"), [("unified", 1), ("unified", 0), ("example", 0)])
def test_results_do_not_depend_on_the_number_of_threads(called, threads, monkeypatch, mode, share):
    given = arguments([60, 50], torch.float32, reverse=False)
    monkeypatch.setattr(native_lstm, "DENSE_SHARE", share)
    results = []
    for n in (1, 2, 5):
        threads(n)
        results.append(backward(*given, k=7, mode=mode))
    # where products are PyTorch's, they may add in another order
    bound = {"rtol": 0, "atol": 0} if share else {}
    for other in results[1:]:
        assert_close(other, results[0], **bound)
