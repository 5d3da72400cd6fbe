"""The choice of a backend: the only file that asks for devices, dtypes, threads and the core.

Plain PyTorch (`reference_*`) can compute everything. The native core (`native_*`) takes float32 and
float64 tensors on the CPU. The kernels for a GPU never make the host wait (`cuda_*`); some are
fused, where Triton can compile them (`triton_*`). All backends select the same entries and, up to
the order of summation, compute the same results.
"""

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

# ---- the linear layer


def topk(dy: Tensor, selection: Selection, layer: Operands) -> Kept:
    """Select the entries of `dy` that survive.

    Args:
        dy: (B, O) gradient of the output of a linear layer.
        selection: how they are selected; `k` is from 1 to O, or None to keep all.
        layer: the operands of the products to come.
    """
    if dy.is_cuda:
        return cuda_topk.keep(dy, selection, layer, _triton_topk_for(dy, dy.shape[1]))
    core = core_for(dy, layer.x, layer.weight)
    if core is None:
        return reference_topk.keep(dy, selection, layer)
    return native_topk.keep(core, dy, selection, layer)


def in_type_of(y: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Cast `x` and `weight` to the dtype of `y`, which autocast may have changed."""
    if x.dtype != y.dtype or weight.dtype != y.dtype:
        return x.to(y.dtype), weight.to(y.dtype)
    return x, weight


def keep_all(dy: Tensor) -> Kept:
    """Keep every entry of `dy` (B, O): plain backprop."""
    return MaskedGradient(dy)


# ---- the LSTM


def own_lstm_is_faster(input: Tensor | PackedSequence) -> bool:
    """Whether our LSTM is faster than PyTorch's even for plain backprop.

    If the batch shrinks from step to step, PyTorch on the CPU does not use its fast kernel and adds
    up dense weight gradients step by step. One product at the end took 138 ms instead of 199.
    """
    if not isinstance(input, PackedSequence) or input.data.is_cuda:
        return False
    return bool(input.batch_sizes[0] > input.batch_sizes[-1])


def traces_dense_forward(x: Tensor) -> bool:
    """Whether `lstm_forward` can compute its trace from the results of PyTorch's own LSTM."""
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
        packed: its time steps.
        state: h0 and c0, (B, H) each.
        weights: of the layer.
        dense: the results of PyTorch's own LSTM for the same input, if `traces_dense_forward(x)`.
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
    """Compute the gradients of an LSTM's gates, of which k entries of each gate survive at a step.

    Args:
        upstream: gradients of the layer's results.
        packed: its time steps.
        weight_hh: (4H, H).
        trace: of the forward pass.
        selection: how entries are selected; `k` is from 1 to H, or None to keep all.

    Returns:
        the surviving entries of the gates' gradients (N, 4H), and the gradients of the first state,
        dh0 and dc0 (B, H).
    """
    k, mode, _ = selection
    width = weight_hh.shape[1]
    if (
        k is not None
        and mode == "example"
        and width <= cuda_lstm.WIDEST
        and _triton_lstm_takes(upstream.output)
    ):
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
    """Copy `table` from the CPU to the device of `tensor`, without making the host wait."""
    if not tensor.is_cuda:
        return table.to(tensor.device)
    return table.pin_memory().to(tensor.device, non_blocking=True)


# ---- rows of tables: embeddings, dropout, slots


def torch_reads_rows(tensor: Tensor) -> bool:
    """Whether PyTorch's own embedding and dropout are used: on every device except the CPU."""
    return not tensor.is_cpu


def rows(tensor: Tensor) -> NativeRows | ReferenceRows:
    """Return the kernels for rows of tables like `tensor`, which is on the CPU."""
    core = core_for(tensor)
    return ReferenceRows() if core is None else NativeRows(core)


def shared_pairs(
    vectors: Tensor, pair: Tensor, first: Tensor, weight: Tensor
) -> SharedPairs | None:
    """Return the products that examples share in a layer over slots; None if they do not pay.

    Args:
        vectors, pair, first, weight: see `SharedPairs`.
    """
    core = core_for(vectors, weight)
    if core is None or len(vectors) > PAIR_SHARE * pair.numel():
        return None
    return SharedPairs(core, vectors, pair, first, weight)


# ---- the optimisers


def torch_updates(parameter: Tensor, gradient: Tensor) -> bool:
    """Whether PyTorch makes the step: for a dense gradient not on the CPU or not contiguous."""
    elsewhere = not parameter.is_cpu or not parameter.is_contiguous()
    return elsewhere and not gradient.is_sparse


def updates(
    parameter: Tensor, gradient: Tensor, *moments: Tensor
) -> NativeUpdates | ReferenceUpdates:
    """Return the kernels that update `parameter`."""
    core = core_for(parameter, *moments)
    if core is None or gradient.dtype != parameter.dtype:
        return ReferenceUpdates()
    return NativeUpdates(core)


# ---- what is available


def core_for(*tensors: Tensor) -> Core | None:
    """Return the native core, with PyTorch's number of threads, if it can take these tensors."""
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
    """Say that the native core is missing, once in a process.

    Nothing is said if the core is present, or if the user asked for the reference kernels.
    """
    global _announced
    if native_core() is None and not _announced and "asks for" not in why_missing():
        say(f"computing with PyTorch alone, slower: {why_missing()}")
    _announced = True


def _triton_topk_for(tensor: Tensor, width: int) -> ModuleType | None:
    """Return the fused selection, if it can take rows of `width` on the GPU of `tensor`."""
    return triton_topk(tensor.get_device()) if width <= cuda_topk.WIDEST else None


def _triton_lstm_takes(tensor: Tensor) -> bool:
    """Whether the fused LSTM kernels work on the device of `tensor`.

    They do not under autocast, where outputs have two dtypes, nor while a CUDA graph is captured:
    it would contain the copy of `batch_sizes` from memory that is freed before the replay.
    """
    if not tensor.is_cuda or torch.is_autocast_enabled("cuda"):
        return False
    if triton_topk(tensor.get_device()) is None:
        return False
    return not torch.cuda.is_current_stream_capturing()


@cache
def triton_topk(device: int) -> ModuleType | None:
    """Load `triton_topk.py`; None if Triton is missing or cannot compile for GPU `device`."""
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
