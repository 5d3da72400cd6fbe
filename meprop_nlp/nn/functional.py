"""meProp as functions: the sparsified linear layer and LSTM, each derivative beside its forward.

`meprop_linear` and `meprop_lstm` compute what PyTorch's own functions compute; only the backward
pass differs. Neither can be differentiated twice.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from meprop_nlp.config import TopkMode
from meprop_nlp.nn.backends.choose import (
    backward_through_time,
    in_type_of,
    keep_all,
    lstm_forward,
    topk,
)
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMTrace, LSTMWeights, State
from meprop_nlp.nn.topk import Operands, Selection, active_k, check_topk_mode


def _once(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Apply `once_differentiable` only if needed: it adds a tenth to a small layer's pass."""
    guarded = once_differentiable(backward)

    def run(ctx: Any, *gradients: Tensor) -> Any:
        return (guarded if torch.is_grad_enabled() else backward)(ctx, *gradients)

    return run


class LinearFunction(torch.autograd.Function):
    """y = x W^T + b. Only sdy, the kept entries of dy, goes back (meProp, section 2.1):

    dx = sdy W        dx[b] = sum over the k kept o of dy[b, o] * weight[o]      (B, I)
    dw = sdy^T x      dw[o] = sum over the b that kept o of dy[b, o] * x[b]      (O, I)
    db = sum of dy    over the examples b: dense, as in the reference code       (O,)
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        selection: Selection,
        hits: Tensor | None,
        examples: Tensor | None,
        sparse_grad: bool,
    ) -> Tensor:
        y = functional.linear(x, weight, bias)
        ctx.save_for_backward(*in_type_of(y, x, weight))
        ctx.settings = selection, hits, examples, sparse_grad
        return y

    @staticmethod
    @_once
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        selection, hits, examples, sparse_grad = ctx.settings
        need_dx, need_dw, need_db = ctx.needs_input_grad[:3]
        rows, dy = _rows(x), _rows(dy)  # (B, I), (B, O)
        counting, row_sparse = hits is not None, sparse_grad and need_dw
        layer = Operands(rows, weight, need_dx, need_dw, need_db, counting, row_sparse)

        kept = topk(dy, selection, layer)  # which entries of dy survive
        dx = kept.dx(weight) if need_dx else None
        dw = kept.dw(rows) if need_dw else None
        db = kept.db
        if hits is not None:
            kept.count(hits)
        if examples is not None:
            examples += len(dy)
        return _shaped(dx, x), dw, db, None, None, None, None


def _rows(tensor: Tensor) -> Tensor:
    """(..., I) to (B, I): the leading dimensions are examples."""
    return tensor if tensor.dim() == 2 else tensor.reshape(-1, tensor.shape[-1])


def _shaped(rows: Tensor | None, tensor: Tensor) -> Tensor | None:
    """(B, I) in the shape of `tensor`, undoing `_rows`."""
    return rows if rows is None or tensor.dim() == 2 else rows.view(tensor.shape)


def _apply(function: type[torch.autograd.Function], *args: Any) -> Any:
    """Call `function.apply` outside the graphs of torch.compile.

    The backward passes call the native core and count into buffers, which no graph can contain.
    """
    if torch.compiler.is_compiling():
        return _apply_uncompiled(function, *args)
    return function.apply(*args)  # type: ignore[no-untyped-call]


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _apply_uncompiled(function: type[torch.autograd.Function], *args: Any) -> Any:
    return function.apply(*args)  # type: ignore[no-untyped-call]


def meprop_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    k: int | None,
    *,
    topk_mode: TopkMode = "example",
    hits: Tensor | None = None,
    examples: Tensor | None = None,
    generator: torch.Generator | None = None,
    sparse_grad: bool = False,
) -> Tensor:
    """Compute x W^T + b; the backward pass keeps k entries of the gradient (meProp, section 2.1).

    Args:
        x: (..., I) input; the product of its leading dimensions is the number of examples.
        weight: (O, I).
        bias: (O,) or None.
        k, topk_mode, sparse_grad: see `MePropLinear`; a k over O is plain backprop too.
        hits: (O,) int64; the backward pass adds to hits[j] the number of examples that kept neuron
            j, or with plain backprop of those that sent it any gradient.
        examples: () int64; the backward pass adds the number of examples.
        generator: source of the `random` mode.

    Returns:
        (..., O) output.

    Raises:
        ConfigError: unknown mode.
    """
    check_topk_mode(topk_mode)
    selection = Selection(active_k(k, weight.shape[0]), topk_mode, generator)
    if selection.k is not None:
        return _apply(  # type: ignore[no-any-return]
            LinearFunction, x, weight, bias, selection, hits, examples, sparse_grad
        )
    y = functional.linear(x, weight, bias)
    if (hits is not None or examples is not None) and y.requires_grad:

        def count(dy: Tensor) -> None:
            dy = _rows(dy)
            if hits is not None:
                keep_all(dy).count(hits)
            if examples is not None:
                examples.add_(len(dy))

        y.register_hook(count)  # type: ignore[no-untyped-call]
    return y


class LSTMFunction(torch.autograd.Function):
    """A whole LSTM layer over packed sequences.

    One step forwards, with a = x_t W_ih^T + h_(t-1) W_hh^T + b split into a_i, a_f, a_g, a_o:

        i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o);  g = tanh(a_g)
        c_t = f * c_(t-1) + i * g;  h_t = o * tanh(c_t)

    and backwards, where dh_t is the gradient from step t+1 plus that of the output:

        dc_t   += dh_t * o * (1 - tanh(c_t)^2)
        da_i, da_f, da_g = dc_t * (g i (1-i), c_(t-1) f (1-f), i (1-g^2))
        da_o   = dh_t * tanh(c_t) o (1-o)
        sda    = the k entries of largest magnitude of each gate and example; all others are zero
        dh_(t-1) = sda W_hh;  dc_(t-1) = dc_t * f

    The remaining products are computed for all steps at once: dx = sda W_ih, dW_ih = sda^T x,
    dW_hh = sda^T h_prev; db is the sum of all of da, dense.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h0: Tensor,
        c0: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias: Tensor | None,
        packed: Packed,
        selection: Selection,
        counts: tuple[Tensor | None, Tensor | None],
        dense: LSTMOutput | None = None,
    ) -> LSTMOutput:
        weights = LSTMWeights(weight_ih, weight_hh, bias)
        results, trace = lstm_forward(x, packed, (h0, c0), weights, dense)
        ctx.save_for_backward(x, weight_ih, weight_hh, *trace)
        ctx.settings = packed, selection, counts
        return results

    @staticmethod
    @_once
    def backward(
        ctx: Any, doutput: Tensor, dh_n: Tensor, dc_n: Tensor
    ) -> tuple[Tensor | None, ...]:
        x, weight_ih, weight_hh, *saved = ctx.saved_tensors
        packed, selection, (hits, examples) = ctx.settings
        need_dx, need_dh0, need_dc0, need_dw_ih, need_dw_hh, need_db = ctx.needs_input_grad[:6]
        upstream, trace = LSTMOutput(doutput, dh_n, dc_n), LSTMTrace(*saved)

        kept, dh0, dc0 = backward_through_time(upstream, packed, weight_hh, trace, selection)
        dx = kept.dx(weight_ih) if need_dx else None
        dw_ih = kept.dw(x) if need_dw_ih else None
        dw_hh = kept.dw(trace.h_prev) if need_dw_hh else None
        db = kept.db if need_db else None
        if hits is not None:
            kept.count(hits)
        if examples is not None:
            examples += x.shape[0]
        return (
            dx,
            dh0 if need_dh0 else None,
            dc0 if need_dc0 else None,
            dw_ih,
            dw_hh,
            db,
            None,
            None,
            None,
            None,
        )


def meprop_lstm(
    x: Tensor,
    packed: Packed,
    state: State,
    weights: LSTMWeights,
    k: int | None,
    *,
    topk_mode: TopkMode = "example",
    hits: Tensor | None = None,
    examples: Tensor | None = None,
    generator: torch.Generator | None = None,
    dense: LSTMOutput | None = None,
) -> LSTMOutput:
    """Run an LSTM layer whose backward pass keeps k entries of each gate's gradient per time step.

    Args:
        x: (N, I) packed input, N words in all.
        packed: the time steps of `x`, and the direction in which they are read.
        state: h0 and c0, (B, H) each, before the first step; B is the first batch size.
        weights: (4H, I), (4H, H) and (4H,) or None, gates in PyTorch's order i, f, g, o.
        k, topk_mode: see `MePropLSTM`; a k over H is plain backprop too.
        hits: (H,) int64; the backward pass adds to hits[j] the number of words that kept any gate
            of unit j.
        examples: () int64; the backward pass adds N.
        generator: source of the `random` mode.
        dense: the results of PyTorch's own LSTM for the same input, which are then not computed
            again; only if `choose.traces_dense_forward(x)`.

    Returns:
        output (N, H) packed, h_n (B, H) and c_n (B, H).

    Raises:
        ConfigError: unknown mode.
    """
    check_topk_mode(topk_mode)
    selection = Selection(active_k(k, weights.hh.shape[1]), topk_mode, generator)
    results = _apply(LSTMFunction, x, *state, *weights, packed, selection, (hits, examples), dense)
    return LSTMOutput(*results)
