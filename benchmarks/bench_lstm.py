"""`MePropLSTM` against `nn.LSTM`: forward and backward pass, equal and unequal lengths.

    python benchmarks/bench_lstm.py [--threads 2] [--quick]

Batches are packed. Where all sequences are of one length `nn.LSTM` runs its fused kernel (oneDNN);
where they are not, as in any batch of sentences, it runs step by step. Which one ran is read from
autograd's graph and stands in the results. Timed are the call, and `output.backward(dy)` after a
fresh forward with no gradients there before. First ours is held against the reference formulas.
Writes benchmarks/results/lstm.json; nothing should run beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from conditions import arguments, compared, conditions, interleaved, refuse_without_core, save
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence
from torch.testing import assert_close

from meprop_nlp.commands.tables import table
from meprop_nlp.nn.backends import reference_lstm
from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMWeights
from meprop_nlp.nn.topk import Selection, active_k

WIDTH_IN, BATCH, STEPS = 190, 32, 30
WIDTHS = (500, 226, 200, 64)
KEPT = (5, 10, 50, 125)
FUSED, STEP_BY_STEP = "fused", "step by step"


def lengths(kind: str, n_sequences: int, n_steps: int) -> Tensor:
    """(B,) lengths, longest first: all T, or spread evenly from T down to a sixth of it."""
    if kind == "equal":
        return torch.full((n_sequences,), n_steps)
    return torch.linspace(n_steps, max(1, n_steps // 6), n_sequences).long()


def path_of(output: Tensor) -> str:
    """Name the path of `nn.LSTM` that made `output`, by the nodes of its graph."""
    found, waiting = set(), [output.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [before for before, _ in node.next_functions]
    return FUSED if any(node.name().startswith("MkldnnRnn") for node in found) else STEP_BY_STEP


def expected_gradients(layer: MePropLSTM, batch: PackedSequence, dy: Tensor) -> list[Tensor]:
    """dx, dw_ih, dw_hh and db of the reference, which multiplies masked gradients densely."""
    weights = [part.detach() for part in layer.parameters()]
    w_ih, w_hh, bias = weights[0], weights[1], weights[2] + weights[3]
    packed, x = Packed(batch.batch_sizes.tolist()), batch.data.detach()
    zero = x.new_zeros(packed.batch_sizes[0], layer.hidden_size)
    lstm_weights = LSTMWeights(w_ih, w_hh, bias)
    _, trace = reference_lstm.forward(x, packed, (zero, zero), lstm_weights)
    selection = Selection(active_k(layer.k, layer.hidden_size), layer.topk_mode)
    kept, _, _ = reference_lstm.backward_through_time(
        LSTMOutput(dy, zero, zero), packed, w_hh, trace, selection
    )
    assert kept.db is not None
    return [kept.dx(w_ih), kept.dw(x), kept.dw(trace.h_prev), kept.db]


def check(dense: nn.LSTM, layer: nn.LSTM, batch: PackedSequence, dy: Tensor) -> None:
    """Raise AssertionError unless output and gradients are those of the formulas.

    In float64 each number. In float32, which is what is timed, two entries of a gate may be so
    close that the last bit decides which is kept, so there each gradient is compared as a whole.
    """
    for dtype in (torch.float64, torch.float32):
        ours = MePropLSTM.from_dense(dense).to(dtype)
        if isinstance(layer, MePropLSTM):
            ours.k, ours.topk_mode = layer.k, layer.topk_mode
        wide = batch._replace(data=batch.data.detach().to(dtype).requires_grad_())
        output = ours(wide)[0].data
        inputs = [wide.data, ours.weight_ih_l0, ours.weight_hh_l0, ours.bias_ih_l0]
        actual = torch.autograd.grad(output, inputs, dy.to(dtype))
        assert_close(output, dense(batch)[0].data.to(dtype), rtol=1e-4, atol=1e-5)
        for mine, theirs in zip(actual, expected_gradients(ours, wide, dy.to(dtype)), strict=True):
            if dtype == torch.float64:
                assert_close(mine, theirs, rtol=1e-4, atol=1e-9)
            else:
                difference = (mine - theirs).norm() / theirs.norm()
                assert difference < 0.02, f"float32 gradient is off by {difference:.1%}"


def measure(kind: str, width: int, kept: Sequence[int], size: Sequence[int], repeats: int) -> Any:
    """Check and time `nn.LSTM` and ours at each k, in turn, at one width and kind of batch."""
    width_in, n_sequences, n_steps = size
    torch.manual_seed(1)
    dense = nn.LSTM(width_in, width)
    layers: dict[str, nn.LSTM] = {"dense": dense}
    for k in kept:
        if k < width:
            layers[str(k)] = MePropLSTM.from_dense(dense, k=k)
    if kind == "unequal":  # ours takes over there even when all is kept
        layers["all"] = MePropLSTM.from_dense(dense)
    if width == WIDTHS[0]:
        layers["10 unified"] = MePropLSTM.from_dense(dense, k=10, topk_mode="unified")
    padded = torch.randn(n_steps, n_sequences, width_in)
    batch = pack_padded_sequence(padded, lengths(kind, n_sequences, n_steps))
    batch = batch._replace(data=batch.data.requires_grad_())
    dy = torch.randn(len(batch.data), width)

    def forward(layer: nn.LSTM) -> Tensor:
        layer.zero_grad(set_to_none=True)
        batch.data.grad = None
        return layer(batch)[0].data  # type: ignore[no-any-return]

    for layer in layers.values():
        check(dense, layer, batch, dy)
    path = path_of(forward(dense))
    assert path == (FUSED if kind == "equal" else STEP_BY_STEP), f"nn.LSTM ran {path}"
    before = {name: partial(forward, layer) for name, layer in layers.items()}
    backward = {name: lambda y: y.backward(dy) for name in layers}
    return {
        **{"lengths": kind, "nn.LSTM": path, "in": width_in, "units": width},
        **{"batch": n_sequences, "steps": n_steps, "words": len(dy), "repeats": repeats},
        "forward": compared(interleaved(before, repeats)),
        "backward": compared(interleaved(backward, repeats, before=before)),
    }


def show(results: dict[str, Any]) -> None:
    """Print the median of nn.LSTM, and how many times as fast ours is at each k."""
    names = list(dict.fromkeys(n for row in results["rows"] for n in row["backward"]["speedup"]))
    rows = []
    for row in results["rows"]:
        for part in ("forward", "backward"):
            speedup = row[part]["speedup"]
            cells = [f"{speedup[name]:.2f}x" if name in speedup else "-" for name in names]
            shape = f"{row['lengths']} lengths ({row['nn.LSTM']}), {row['units']} units"
            rows.append([shape, part, f"{row[part]['ms']['dense'][1]:.2f}", *cells])
    print(table(["", "", "nn.LSTM ms", *(f"k {name}" for name in names)], rows))


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    refuse_without_core()
    options = arguments(__doc__.splitlines()[0], "lstm", words)
    kinds = ("equal", "unequal")
    if options.quick:
        rows = [measure(kind, 20, (2, 10), (9, 4, 5), 3) for kind in kinds]
    else:
        size = (WIDTH_IN, BATCH, STEPS)
        rows = [measure(kind, width, KEPT, size, 21) for width in WIDTHS for kind in kinds]
    results = {"conditions": conditions(), "rows": rows}
    show(results)
    save(results, options.output)


if __name__ == "__main__":
    main()
