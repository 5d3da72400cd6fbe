"""meProp as functions: the sparsified linear layer and LSTM, each derivative beside its forward.

`meprop_linear` and `meprop_lstm` compute what PyTorch's own functions compute; only the backward
pass differs. The kernels are in `nn/kernels.py`. Neither can be differentiated twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from meprop_nlp.nn import kernels
from meprop_nlp.nn.kernels import DenseForward, TopkMode


def _once(backward: Callable[..., Any]) -> Callable[..., Any]:
    """`once_differentiable`, which costs a small layer's pass a tenth, only where it is needed."""
    guarded = once_differentiable(backward)

    def run(ctx: Any, *gradients: Tensor) -> Any:
        return (guarded if torch.is_grad_enabled() else backward)(ctx, *gradients)

    return run


# A linear layer y = x W^T + b, with selected[b] the k entries of dy[b] that survive:
#
#   dx[b] = sum over the k kept o of dy[b, o] * weight[o]      (B, I)
#   dw[o] = sum over the b that kept o of dy[b, o] * x[b]      (O, I)
#   db    = sum over b of dy[b]: dense, as in the reference    (O,)


class LinearFunction(torch.autograd.Function):
    """y = x W^T + b for x (..., I), backward by the three formulas above (meProp, section 2.1)."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        k: int,
        topk_mode: TopkMode,
        hits: Tensor | None,
        examples: Tensor | None,
        generator: torch.Generator | None,
        sparse_grad: bool = False,
    ) -> Tensor:
        y = functional.linear(x, weight, bias)
        if x.dtype != y.dtype or weight.dtype != y.dtype:
            # Under autocast y is of its dtype, and so are the products of the backward pass.
            x, weight = x.to(y.dtype), weight.to(y.dtype)
        ctx.save_for_backward(x, weight)
        ctx.settings = k, topk_mode, hits, examples, generator, sparse_grad
        return y

    @staticmethod
    @_once
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        k, topk_mode, hits, examples, generator, sparse_grad = ctx.settings
        need_dx, need_dw, need_db = ctx.needs_input_grad[:3]
        is_matrix = x.dim() == 2
        rows = x if is_matrix else x.reshape(-1, x.shape[-1])  # (B, I)
        dy = dy if is_matrix else dy.reshape(len(rows), dy.shape[-1])  # (B, O)
        db = dy.new_empty(dy.shape[1]) if need_db else None
        dx, dw = kernels.linear_backward(
            *(dy, rows, weight, k, topk_mode),
            need_dx=need_dx,
            need_dw=need_dw,
            db=db,
            hits=hits,
            generator=generator,
            sparse_grad=sparse_grad,
        )
        if examples is not None:
            examples += len(dy)
        if dx is not None and not is_matrix:
            dx = dx.view(x.shape)
        return dx, dw, db, None, None, None, None, None, None


def _apply(function: type[torch.autograd.Function], *args: Any) -> Any:
    """`function.apply`, which torch.compile leaves alone: its graph ends before and goes on after.

    The backward passes call the native core and count into buffers, which no graph can hold.
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
    """x W^T + b, with a backward pass that keeps k entries of the gradient (meProp, section 2.1).

    Args:
        x: (..., I) input; the product of its leading dimensions is the number of examples.
        weight: (O, I).
        bias: (O,) or None.
        k: how many entries of each example's dy survive. None, k <= 0 and k >= O are plain
            backprop: PyTorch's own gradients exactly.
        topk_mode: `example`, `unified` or `random`; see `reference.select_topk`.
        hits: (O,) int64; the backward pass adds to hits[j] the examples that kept neuron j, or
            with plain backprop those that sent it any gradient.
        examples: () int64; the backward pass adds the number of examples.
        generator: source of the `random` mode.
        sparse_grad: give the gradient of `weight` as a sparse tensor of the rows that were kept,
            unless backprop is plain; see `MePropLinear`.

    Returns:
        (..., O) output.

    Raises:
        ConfigError: unknown mode.
    """
    kernels.check_topk_mode(topk_mode)
    active = kernels.active_k(k, weight.shape[0])
    if active is not None:
        return _apply(  # type: ignore[no-any-return]
            *(LinearFunction, x, weight, bias, active, topk_mode),
            *(hits, examples, generator, sparse_grad),
        )
    y = functional.linear(x, weight, bias)
    if (hits is not None or examples is not None) and y.requires_grad:

        def count(dy: Tensor) -> None:
            rows = dy.reshape(-1, dy.shape[-1])  # (B, O)
            if hits is not None:
                hits.add_((rows != 0).sum(dim=0))
            if examples is not None:
                examples.add_(rows.shape[0])

        y.register_hook(count)  # type: ignore[no-untyped-call]
    return y


# One step of the LSTM, with a = x_t W_ih^T + h_(t-1) W_hh^T + b cut into a_i, a_f, a_g, a_o:
#
#   i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o);  g = tanh(a_g)
#   c_t = f * c_(t-1) + i * g;  h_t = o * tanh(c_t)
#
# and backwards, dh_t being what step t+1 and the output send:
#
#   dc_t   += dh_t * o * (1 - tanh(c_t)^2)
#   da_i, da_f, da_g = dc_t * (g i (1-i), c_(t-1) f (1-f), i (1-g^2))
#   da_o   = dh_t * tanh(c_t) o (1-o)
#   sda    = in each of the four, the k entries of largest magnitude per example; the rest zero
#   dx_t   = sda W_ih;  dh_(t-1) = sda W_hh;  dc_(t-1) = dc_t * f
#   dW_ih += sda^T x_t;  dW_hh += sda^T h_(t-1);  db += sum over b of da: dense


class LSTMFunction(torch.autograd.Function):
    """A whole LSTM layer over packed sequences, backward by the formulas above."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h0: Tensor,
        c0: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias: Tensor | None,
        batch_sizes: Sequence[int],
        k: int | None,
        topk_mode: TopkMode,
        reverse: bool,
        hits: Tensor | None,
        examples: Tensor | None,
        generator: torch.Generator | None,
        known: DenseForward | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n, trace = kernels.lstm_forward(
            x, batch_sizes, h0, c0, weight_ih, weight_hh, bias, reverse=reverse, known=known
        )
        ctx.save_for_backward(x, weight_ih, weight_hh, *trace)
        ctx.settings = batch_sizes, k, topk_mode, reverse, generator
        ctx.counts = hits, examples
        return output, h_n, c_n

    @staticmethod
    @_once
    def backward(
        ctx: Any, doutput: Tensor, dh_n: Tensor, dc_n: Tensor
    ) -> tuple[Tensor | None, ...]:
        x, weight_ih, weight_hh, *saved = ctx.saved_tensors
        trace = kernels.LSTMTrace(*saved)
        batch_sizes, k, topk_mode, reverse, generator = ctx.settings
        hits, examples = ctx.counts

        need_dx, need_dh0, need_dc0, need_dw_ih, need_dw_hh, need_db = ctx.needs_input_grad[:6]
        grads = kernels.lstm_backward(
            *(doutput, dh_n, dc_n, x, batch_sizes, weight_ih, weight_hh, trace, k, topk_mode),
            reverse=reverse,
            need_dx=need_dx,
            need_dw=need_dw_ih or need_dw_hh,
            hits=hits,
            generator=generator,
        )
        if examples is not None:
            examples += x.shape[0]
        return (
            grads.dx,
            grads.dh0 if need_dh0 else None,
            grads.dc0 if need_dc0 else None,
            grads.dw_ih if need_dw_ih else None,
            grads.dw_hh if need_dw_hh else None,
            grads.db if need_db else None,
            *(None,) * 8,
        )


def meprop_lstm(
    x: Tensor,
    batch_sizes: Sequence[int],
    h0: Tensor,
    c0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    k: int | None,
    *,
    topk_mode: TopkMode = "example",
    reverse: bool = False,
    hits: Tensor | None = None,
    examples: Tensor | None = None,
    generator: torch.Generator | None = None,
    known: DenseForward | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """One LSTM layer whose backward pass keeps k entries of each gate's gradient, per time step.

    The paper (meProp, section 3, POS tagging) does not say where its LSTM selects; we select in
    each of the four gates, per example and time step, for the input and the recurrent product.

    Args:
        x: (N, I) packed input, N words in all.
        batch_sizes: rows of each time step, never growing; they sum to N.
        h0, c0: (B, H) first state; B is the first batch size.
        weight_ih: (4H, I), gates in PyTorch's order i, f, g, o.
        weight_hh: (4H, H).
        bias: (4H,) or None; the sum of PyTorch's two.
        k: how many of each gate's H gradients survive. None, k <= 0 and k >= H: plain backprop.
        topk_mode: `example`, `unified` (one set per gate and time step) or `random`.
        reverse: read each sequence from its last word to its first.
        hits: (H,) int64; the backward pass adds to hits[j] the words that kept any gate of unit j.
        examples: () int64; the backward pass adds N.
        generator: source of the `random` mode.
        known: what PyTorch's own LSTM gave for the same input, where `kernels.can_trace(x)`: then
            it is not computed again.

    Returns:
        output (N, H) packed, h_n (B, H) and c_n (B, H).

    Raises:
        ConfigError: unknown mode.
    """
    kernels.check_topk_mode(topk_mode)
    active = kernels.active_k(k, weight_hh.shape[1])
    return _apply(  # type: ignore[no-any-return]
        LSTMFunction, x, h0, c0, weight_ih, weight_hh, bias, batch_sizes, active, topk_mode,
        reverse, hits, examples, generator, known,
    )  # fmt: skip
