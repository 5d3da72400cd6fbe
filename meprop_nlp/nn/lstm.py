"""`MePropLSTM`: a one-layer, one-direction `nn.LSTM` with a sparsified backward pass.

`BiLSTM` in `nn/bilstm.py` wraps two of them.
"""

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from meprop_nlp.config import TopkMode
from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.backends import choose
from meprop_nlp.nn.functional import meprop_lstm
from meprop_nlp.nn.layer import MePropLayer
from meprop_nlp.nn.packed import Packed, turned_rows
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMWeights, State
from meprop_nlp.nn.topk import active_k


def settings_of(lstm: nn.LSTM) -> dict[str, Any]:
    """Return the settings by which a layer like `lstm` is made, whatever its kind."""
    return {
        "input_size": lstm.input_size,
        "hidden_size": lstm.hidden_size,
        "bias": lstm.bias,
        "batch_first": lstm.batch_first,
        "device": lstm.weight_ih_l0.device,
        "dtype": lstm.weight_ih_l0.dtype,
    }


class MePropLSTM(MePropLayer, nn.LSTM):
    """Drop-in for a one-layer `nn.LSTM`: same shapes, parameter names, initialisation and forward.

    The backward pass keeps k of the H gradients of each gate, per example and time step, for both
    the input and the recurrent product: our reading of "5/500" (meProp, section 3, POS tagging),
    which does not say where its LSTM selects. As with `nn.LSTM`, a padded tensor is read to its
    end: pack sequences of different lengths.

    Args:
        input_size: I.
        hidden_size: H.
        bias: whether to add the two learnt biases.
        batch_first: tensors are (B, T, ...) instead of (T, B, ...); has no effect on packed input.
        k: how many entries of each gate survive, at most H; may be changed at any time. None, 0 and
            H are plain backprop: PyTorch's own LSTM, except for packed sequences of unequal lengths
            on the CPU, where ours computes the same faster.
        topk_mode: `example`, `unified` (one set per gate and time step) or `random`.
        reverse: read each sequence from its last word to its first; outputs stay in word order.
        device, dtype: of the weights.

    Attributes:
        k, topk_mode, generator, hits, examples, counting: see `MePropLayer`; a word is an example,
            and unit j is hit when any of its four gates is kept. Counting with plain backprop runs
            our own backward pass.

    Raises:
        ConfigError: unknown `topk_mode`, or `k` outside 0 to H.
    """

    weight_ih_l0: nn.Parameter
    weight_hh_l0: nn.Parameter
    bias_ih_l0: nn.Parameter
    bias_hh_l0: nn.Parameter

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        batch_first: bool = False,
        k: int | None = None,
        topk_mode: TopkMode = "example",
        reverse: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, bias=bias, batch_first=batch_first, device=device, dtype=dtype
        )
        self._start(hidden_size, k, topk_mode, device)
        self.reverse = reverse

    @classmethod
    def from_dense(
        cls,
        dense: nn.LSTM,
        *,
        k: int | None = None,
        topk_mode: TopkMode = "example",
        reverse: bool = False,
    ) -> Self:
        """Make a meProp layer with a copy of the weights of `dense`, on its device.

        Raises:
            ConfigError: `dense` has several layers, two directions or a projection.
        """
        if dense.num_layers != 1 or dense.bidirectional or dense.proj_size:
            raise ConfigError(
                f"{dense} cannot become a MePropLSTM: expected one layer, one direction and no "
                "projection (for two directions use BiLSTM.from_dense)"
            )
        layer = cls(**settings_of(dense), k=k, topk_mode=topk_mode, reverse=reverse)
        layer.load_state_dict(dense.state_dict())
        return layer.train(dense.training)

    def to_dense(self) -> nn.LSTM:
        """Make a plain `nn.LSTM` with a copy of this layer's weights; the counts are dropped.

        Raises:
            ConfigError: this layer reads backwards, which `nn.LSTM` alone cannot do.
        """
        if self.reverse:
            raise ConfigError(
                "a MePropLSTM with reverse=True has no nn.LSTM of one direction; "
                "convert the BiLSTM around it"
            )
        dense = nn.LSTM(**settings_of(self))
        dense.load_state_dict(dict(self.named_parameters()))
        return dense.train(self.training)

    def forward(  # type: ignore[override]  # nn.LSTM's overloads: one per type of input
        self, input: Tensor | PackedSequence, hx: State | None = None
    ) -> tuple[Tensor | PackedSequence, State]:
        """Run over one batch; shapes and names are `nn.LSTM`'s.

        Args:
            input: (T, B, I), or (B, T, I) with `batch_first`, or (T, I) for one sequence, or
                packed.
            hx: h_0 and c_0, (1, B, H) each, or (1, H) for one sequence; None is zeros.

        Returns:
            output, in the form of `input` with H columns, and (h_n, c_n) in the shape of `hx`.
        """
        sparse = active_k(self.k, self.hidden_size) is not None or self.counting
        own = torch.is_grad_enabled() and (sparse or choose.own_lstm_is_faster(input))
        if not own:
            return self._forward_dense(input, hx)
        if isinstance(input, PackedSequence):
            if hx is not None:
                hx = self.permute_hidden(hx, input.sorted_indices)
            output, state = self._run(input.data, input.batch_sizes.tolist(), hx)
            return input._replace(data=output), self.permute_hidden(state, input.unsorted_indices)
        if input.dim() not in (2, 3) or input.shape[-1] != self.input_size or not len(input):
            raise ConfigError(
                f"MePropLSTM input has shape {tuple(input.shape)}, expected 2 or 3 dimensions, at "
                f"least one time step, and {self.input_size} columns"
            )
        if input.dim() == 2:  # one sequence without a batch dimension
            hx = None if hx is None else (hx[0].unsqueeze(1), hx[1].unsqueeze(1))
            output, (h_n, c_n) = self._run(input, [1] * len(input), hx)
            return output, (h_n.squeeze(1), c_n.squeeze(1))
        time_major = input.transpose(0, 1) if self.batch_first else input  # (T, B, I)
        steps, batch = time_major.shape[:2]
        rows = time_major.reshape(steps * batch, self.input_size)  # (N, I)
        output, state = self._run(rows, [batch] * steps, hx)
        output = output.view(steps, batch, self.hidden_size)
        return output.transpose(0, 1) if self.batch_first else output, state

    def _run(self, x: Tensor, batch_sizes: list[int], hx: State | None) -> tuple[Tensor, State]:
        """Run our own forward and backward pass over packed rows (N, I) and a state (1, B, H)."""
        wanted = (1, batch_sizes[0], self.hidden_size)
        if hx is None:
            hx = (x.new_zeros(wanted), x.new_zeros(wanted))
        elif not hx[0].shape == hx[1].shape == wanted:
            raise ConfigError(
                f"MePropLSTM state has shapes {tuple(hx[0].shape)} and {tuple(hx[1].shape)}, "
                f"expected {wanted} twice"
            )
        bias = self.bias_ih_l0 + self.bias_hh_l0 if self.bias else None
        output, h_n, c_n = meprop_lstm(
            x,
            Packed(batch_sizes, self.reverse),
            (hx[0][0], hx[1][0]),
            LSTMWeights(self.weight_ih_l0, self.weight_hh_l0, bias),
            self.k,
            topk_mode=self.topk_mode,
            hits=self.hits if self.counting else None,
            examples=self.examples if self.counting else None,
            generator=self.generator,
            dense=self._dense_results(x, batch_sizes, hx),
        )
        return output, (h_n.unsqueeze(0), c_n.unsqueeze(0))

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    @torch.no_grad()
    def _dense_results(self, x: Tensor, batch_sizes: list[int], hx: State) -> LSTMOutput | None:
        """Run PyTorch's own forward pass over packed rows, if our backward pass can use it."""
        if not choose.traces_dense_forward(x):
            return None
        packed, (h_n, c_n) = self._forward_dense(PackedSequence(x, torch.tensor(batch_sizes)), hx)
        return LSTMOutput(packed.data, h_n[0], c_n[0])

    def _forward_dense(
        self, input: Tensor | PackedSequence, hx: State | None
    ) -> tuple[Tensor | PackedSequence, State]:
        """Run PyTorch's own LSTM; to read backwards, reverse each sequence before and after."""
        if not self.reverse:
            return nn.LSTM.forward(self, input, hx)
        if isinstance(input, PackedSequence):
            order = choose.moved_to(turned_rows(input.batch_sizes), input.data)
            turned = input._replace(data=input.data.index_select(0, order))
            packed, state = nn.LSTM.forward(self, turned, hx)
            return packed._replace(data=packed.data.index_select(0, order)), state
        time = 1 if self.batch_first and input.dim() == 3 else 0
        output, state = nn.LSTM.forward(self, input.flip(time), hx)
        return output.flip(time), state

    def extra_repr(self) -> str:
        reverse = ", reverse=True" if self.reverse else ""
        return f"{super().extra_repr()}, k={self.k}, topk_mode={self.topk_mode}{reverse}"
