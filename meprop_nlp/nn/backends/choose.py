"""Which backend computes: the only file that asks for devices, types, threads and the core.

Each function serves one kind of kernel. Everything runs in plain PyTorch (`reference_*`). The
native core (`native_*`) takes float32 and float64 tensors on the CPU; on a GPU the kernels never
make the host wait (`cuda_*`), and are fused where Triton can compile them (`triton_*`). All give
the same selection and, up to the order of summation, the same results.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache, partial
from types import ModuleType

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from meprop_nlp.native import core as native_core
from meprop_nlp.native import why_missing
from meprop_nlp.nn.backends import (
    cuda_lstm,
    cuda_topk,
    native_lstm,
    native_topk,
    reference_lstm,
    reference_topk,
)
from meprop_nlp.nn.backends.core import Core
from meprop_nlp.nn.backends.native_optimizers import NativeUpdates
from meprop_nlp.nn.backends.native_rows import NativeRows
from meprop_nlp.nn.backends.native_slots import PAIR_SHARE, SharedPairs
from meprop_nlp.nn.backends.openmp import parallel_entry
from meprop_nlp.nn.backends.reference_optimizers import ReferenceUpdates
from meprop_nlp.nn.backends.reference_rows import ReferenceRows
from meprop_nlp.nn.backends.reference_topk import MaskedGradient
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMTrace, LSTMWeights, State
from meprop_nlp.nn.topk import Kept, Operands, Selection

__all__ = [
    "announce",
    "backward_through_time",
    "keep_all",
    "lstm_forward",
    "moved_to",
    "own_lstm_is_faster",
    "rows",
    "shared_pairs",
    "topk",
    "torch_reads_rows",
    "torch_updates",
    "traces_dense_forward",
    "updates",
]

# ---- the linear layer


def topk(dy: Tensor, selection: Selection, layer: Operands) -> Kept:
    """Select the entries of `dy` that survive.

    Args:
        dy: (B, O) gradient of the output of a linear layer.
        selection: how they are selected; `k` is from 1 to O, or None to keep all.
        layer: what they are multiplied with.
    """
    if dy.is_cuda:
        return cuda_topk.keep(dy, selection, layer, _triton_topk_for(dy, dy.shape[1]))
    core = core_for(dy, layer.x, layer.weight)
    if core is None:
        return reference_topk.keep(dy, selection, layer)
    return native_topk.keep(core, dy, selection, layer)


def keep_all(dy: Tensor) -> Kept:
    """Keep every entry of `dy` (B, O): plain backprop."""
    return MaskedGradient(dy)


# ---- the LSTM


def own_lstm_is_faster(input: Tensor | PackedSequence) -> bool:
    """Whether our LSTM is faster than PyTorch's for plain backprop too.

    Where the batch shrinks from step to step, PyTorch on the CPU leaves its fast kernel and adds up
    dense weight gradients step by step; one product at the end took 138 ms against 199.
    """
    if not isinstance(input, PackedSequence) or input.data.is_cuda:
        return False
    return bool(input.batch_sizes[0] > input.batch_sizes[-1])


def traces_dense_forward(x: Tensor) -> bool:
    """Whether `lstm_forward` can make its trace from the results of PyTorch's own LSTM."""
    return _triton_lstm_takes(x)


def lstm_forward(
    x: Tensor,
    packed: Packed,
    state: State,
    weights: LSTMWeights,
    dense: LSTMOutput | None = None,
) -> tuple[LSTMOutput, LSTMTrace]:
    """Run one LSTM layer over packed sequences.

    Args:
        x: (N, I) packed input.
        packed: its steps.
        state: h0 and c0, (B, H) each.
        weights: of the layer.
        dense: results of PyTorch's own LSTM for the same input, where `traces_dense_forward(x)`.
    """
    if dense is not None:
        sizes = moved_to(torch.tensor(packed.batch_sizes), x)
        trace = cuda_lstm.trace(x, sizes, state, weights, dense.output, reverse=packed.reverse)
        return dense, trace
    given = (x, *state, weights.ih, weights.hh)
    core = core_for(*given) if weights.bias is None else core_for(*given, weights.bias)
    if core is None:
        return reference_lstm.forward(x, packed, state, weights)
    return native_lstm.forward(core, x, packed, state, weights)


def backward_through_time(
    upstream: LSTMOutput,
    packed: Packed,
    weight_hh: Tensor,
    trace: LSTMTrace,
    selection: Selection,
) -> tuple[Kept, Tensor, Tensor]:
    """Make the gates' gradients of an LSTM layer, and select entries of them at each step.

    Args:
        upstream: gradients of the layer's results.
        packed: its steps.
        weight_hh: (4H, H).
        trace: of the forward pass.
        selection: how entries are selected; `k` is from 1 to H, or None to keep all.

    Returns:
        the entries of the gates' gradients (N, 4H) that survive, k in each gate; the gradients of
        the first state, dh0 and dc0 (B, H).
    """
    k, mode, _ = selection
    width = weight_hh.shape[1]
    is_one_kernel = k is not None and mode == "example" and width <= cuda_lstm.WIDEST
    if k is not None and is_one_kernel and _triton_lstm_takes(upstream.output):
        sizes = moved_to(torch.tensor(packed.batch_sizes), upstream.output)
        return cuda_lstm.backward_through_time(
            upstream, sizes, weight_hh, trace, k, reverse=packed.reverse
        )
    core = core_for(*upstream, weight_hh)
    if core is not None and (k is None or mode != "random"):
        return native_lstm.backward_through_time(
            core, upstream, packed, weight_hh, trace, selection
        )
    select: Callable[..., Tensor] = reference_topk.select_topk
    if upstream.output.is_cuda:
        fused = _triton_topk_for(upstream.output, width)
        select = partial(cuda_topk.select_topk, fused=fused)
    return reference_lstm.backward_through_time(
        upstream, packed, weight_hh, trace, selection, select
    )


def moved_to(table: Tensor, tensor: Tensor) -> Tensor:
    """`table`, which is on the CPU, on the device of `tensor`; the host does not wait for a GPU."""
    if not tensor.is_cuda:
        return table.to(tensor.device)
    return table.pin_memory().to(tensor.device, non_blocking=True)


# ---- rows of tables: embeddings, dropout, slots


def torch_reads_rows(tensor: Tensor) -> bool:
    """Whether PyTorch's own embedding and dropout serve best: on every device but the CPU."""
    return not tensor.is_cpu


def rows(tensor: Tensor) -> NativeRows | ReferenceRows:
    """The kernels for rows of tables of the type of `tensor`, on the CPU."""
    core = core_for(tensor)
    return ReferenceRows() if core is None else NativeRows(core)


def shared_pairs(
    vectors: Tensor, pair: Tensor, first: Tensor, weight: Tensor
) -> SharedPairs | None:
    """The products that examples share in a layer over slots; None where they do not pay.

    Args:
        vectors, pair, first, weight: see `SharedPairs`.
    """
    core = core_for(vectors, weight)
    if core is None or len(vectors) > PAIR_SHARE * pair.numel():
        return None
    return SharedPairs(core, vectors, pair, first, weight)


# ---- the optimisers


def torch_updates(parameter: Tensor, gradient: Tensor) -> bool:
    """Whether PyTorch's own step is as good: a dense gradient on another device, odd strides."""
    elsewhere = not parameter.is_cpu or not parameter.is_contiguous()
    return elsewhere and not gradient.is_sparse


def updates(
    parameter: Tensor, gradient: Tensor, *moments: Tensor
) -> NativeUpdates | ReferenceUpdates:
    """The kernels that update `parameter`."""
    core = core_for(parameter, *moments)
    if core is None or gradient.dtype != parameter.dtype:
        return ReferenceUpdates()
    return NativeUpdates(core)


# ---- what there is


def core_for(*tensors: Tensor) -> Core | None:
    """The native core, on PyTorch's number of threads, where it can take these tensors."""
    dtype = tensors[0].dtype
    if dtype not in (torch.float32, torch.float64):
        return None
    for tensor in tensors:  # in a loop: a small layer's whole backward pass takes 30 us
        if not tensor.is_cpu or tensor.dtype is not dtype or tensor.is_neg():
            return None
    kernels = _core()
    return None if kernels is None else Core(kernels, torch.get_num_threads())


@cache
def _core() -> ModuleType | None:
    core = native_core()
    if core is None:
        announce(lambda text: warnings.warn(text, RuntimeWarning, stacklevel=5))
    else:
        core.use_openmp_runtime(parallel_entry())
    return core


_announced = False


def announce(say: Callable[[str], None]) -> None:
    """Say, once in a process, that the native core is missing.

    Nothing is said where the core is present, or where the user asked for the reference kernels.
    """
    global _announced
    if native_core() is None and not _announced and "asks for" not in why_missing():
        say(f"computing with PyTorch alone, slower: {why_missing()}")
    _announced = True


def _triton_topk_for(tensor: Tensor, width: int) -> ModuleType | None:
    """The fused selection, where it can take rows of `width` on the GPU of `tensor`."""
    return triton_topk(tensor.get_device()) if width <= cuda_topk.WIDEST else None


def _triton_lstm_takes(tensor: Tensor) -> bool:
    """Whether the fused LSTM kernels work on the device of `tensor`.

    Not under autocast, where outputs are of two types, nor while a CUDA graph is captured, which
    would hold the copy of `batch_sizes` from memory that is freed before the graph is replayed.
    """
    if not tensor.is_cuda or torch.is_autocast_enabled("cuda"):
        return False
    if triton_topk(tensor.get_device()) is None:
        return False
    return not torch.cuda.is_current_stream_capturing()


@cache
def triton_topk(device: int) -> ModuleType | None:
    """`triton_topk.py`; None where Triton is not installed or cannot compile for GPU `device`."""
    try:
        from meprop_nlp.nn.backends import triton_topk
    except ImportError:
        return None
    try:
        triton_topk.select_rows(torch.zeros(1, 2, device=torch.device("cuda", device)), 1)
    except Exception as error:  # of Triton, of its C compiler or of the driver
        reason = str(error).strip().partition("\n")[0]
        warnings.warn(
            f"selecting with PyTorch alone, slower: the Triton kernel cannot run ({reason})",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return triton_topk
