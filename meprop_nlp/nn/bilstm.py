"""`BiLSTM`: two `MePropLSTM`s, one reading each way, their outputs side by side."""

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from meprop_nlp.config import TopkMode
from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.lstm import MePropLSTM, settings_of
from meprop_nlp.nn.recurrence import State
from meprop_nlp.nn.topk import check_k

_PARTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


class BiLSTM(nn.Module):
    """Like a one-layer bidirectional `nn.LSTM`: same output, weights and initialisation.

    The directions may have different widths, since simplification cuts each by its own hits; so the
    state is concatenated, (1, B, H_left_to_right + H_right_to_left), where `nn.LSTM` stacks it.

    Args:
        input_size: I.
        hidden_size: H of both directions, or a pair (left to right, right to left).
        bias, batch_first, k, topk_mode, device, dtype: as in `MePropLSTM`.

    Attributes:
        left_to_right, right_to_left: the two layers.

    Raises:
        ConfigError: unknown `topk_mode`, or `k` outside 0 to the width of a direction.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int | tuple[int, int],
        *,
        bias: bool = True,
        batch_first: bool = False,
        k: int | None = None,
        topk_mode: TopkMode = "example",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        widths = (hidden_size, hidden_size) if isinstance(hidden_size, int) else hidden_size
        self.left_to_right, self.right_to_left = (
            MePropLSTM(
                input_size,
                width,
                bias=bias,
                batch_first=batch_first,
                k=k,
                topk_mode=topk_mode,
                reverse=reverse,
                device=device,
                dtype=dtype,
            )
            for width, reverse in zip(widths, (False, True), strict=True)
        )

    @property
    def input_size(self) -> int:
        """I."""
        return self.left_to_right.input_size

    @property
    def hidden_sizes(self) -> tuple[int, int]:
        """H of the two directions; the output has their sum."""
        return self.left_to_right.hidden_size, self.right_to_left.hidden_size

    @property
    def k(self) -> int | None:
        """`k` of both directions; set it to change both."""
        return self.left_to_right.k

    @k.setter
    def k(self, k: int | None) -> None:
        check_k(k, min(self.hidden_sizes))
        self.left_to_right.k = k
        self.right_to_left.k = k

    @classmethod
    def from_dense(
        cls, dense: nn.LSTM, *, k: int | None = None, topk_mode: TopkMode = "example"
    ) -> Self:
        """Make a BiLSTM with a copy of the weights of a bidirectional `nn.LSTM`.

        Raises:
            ConfigError: `dense` has several layers, one direction or a projection.
        """
        if dense.num_layers != 1 or not dense.bidirectional or dense.proj_size:
            raise ConfigError(
                f"{dense} cannot become a BiLSTM: expected one layer, two directions and no "
                "projection (for one direction use MePropLSTM.from_dense)"
            )
        layer = cls(**settings_of(dense), k=k, topk_mode=topk_mode)
        weights = dense.state_dict()
        names = [name for name in _PARTS if name in weights]
        layer.left_to_right.load_state_dict({name: weights[name] for name in names})
        layer.right_to_left.load_state_dict({name: weights[f"{name}_reverse"] for name in names})
        return layer.train(dense.training)

    def to_dense(self) -> nn.LSTM:
        """Make a bidirectional `nn.LSTM` with a copy of the weights; the counts are dropped.

        Raises:
            ConfigError: the directions have different widths.
        """
        width, other = self.hidden_sizes
        if width != other:
            raise ConfigError(
                f"the directions have {width} and {other} units; nn.LSTM needs the same number"
            )
        dense = nn.LSTM(**settings_of(self.left_to_right), bidirectional=True)
        weights = dict(self.left_to_right.named_parameters())
        for name, parameter in self.right_to_left.named_parameters():
            weights[f"{name}_reverse"] = parameter
        dense.load_state_dict(weights)
        return dense.train(self.training)

    def forward(
        self, input: Tensor | PackedSequence, hx: State | None = None
    ) -> tuple[Tensor | PackedSequence, State]:
        """Run both directions over one batch.

        Args:
            input: as in `MePropLSTM.forward`.
            hx: h_0 and c_0, (1, B, H + H') each, or (1, H + H') for one sequence; None is zeros.

        Returns:
            output, in the form of `input` with H + H' columns, and (h_n, c_n) in the shape of `hx`.
        """
        ahead: State | None = None
        back: State | None = None
        if hx is not None:
            width = self.left_to_right.hidden_size
            ahead = hx[0][..., :width], hx[1][..., :width]
            back = hx[0][..., width:], hx[1][..., width:]
        output, (h, c) = self.left_to_right(input, ahead)
        output_back, (h_back, c_back) = self.right_to_left(input, back)
        state = torch.cat((h, h_back), dim=-1), torch.cat((c, c_back), dim=-1)
        if isinstance(output, PackedSequence):
            both = torch.cat((output.data, output_back.data), dim=-1)
            return output._replace(data=both), state
        return torch.cat((output, output_back), dim=-1), state
