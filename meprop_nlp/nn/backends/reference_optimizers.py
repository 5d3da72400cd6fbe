"""One step of an optimiser for one parameter, in plain PyTorch, in place.

A gradient may store only some rows of its parameter; see `nn/row_gradient.py`.
"""

from typing import NamedTuple

from torch import Tensor

from meprop_nlp.nn.row_gradient import rows_and_values


class AdamSettings(NamedTuple):
    """Settings of Adam, named as in `torch.optim.Adam` except for the learning rate."""

    rate: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    lazy: bool
    """Whether rows without a gradient are not updated."""


class AdagradSettings(NamedTuple):
    """Settings of AdaGrad."""

    rate: float
    eps: float
    weight_decay: float
    lazy: bool


class ReferenceUpdates:
    """The formulas of `torch.optim.Adam` and `torch.optim.Adagrad`."""

    def adam(
        self,
        parameter: Tensor,
        gradient: Tensor,
        mean: Tensor,
        square: Tensor,
        step: float,
        settings: AdamSettings,
    ) -> None:
        """Make one step of Adam.

        In rows without a gradient the moments still decay, and so the parameter moves, unless the
        settings are `lazy`.

        Args:
            parameter, mean, square: of one shape.
            gradient: dense, or sparse in its first dimension.
            step: counts from 1.
            settings: of the optimiser.
        """
        rate, betas, eps, weight_decay, lazy = settings
        rows, values = rows_and_values(gradient)
        p, m, v, g = parameter, mean, square, gradient
        if rows is not None and lazy:
            p, m, v, g = parameter[rows], mean[rows], square[rows], values
        elif rows is not None:
            g = gradient.to_dense()
        if weight_decay:
            g = g.add(p, alpha=weight_decay)
        m.lerp_(g, 1 - betas[0])
        v.mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])
        root = (1 - betas[1] ** step) ** 0.5
        p.addcdiv_(m, (v.sqrt() / root).add_(eps), value=-rate / (1 - betas[0] ** step))
        if rows is not None and lazy:
            parameter[rows], mean[rows], square[rows] = p, m, v

    def adagrad(
        self, parameter: Tensor, gradient: Tensor, square_sum: Tensor, settings: AdagradSettings
    ) -> None:
        """Make one step of AdaGrad; rows without a gradient move only by weight decay.

        Arguments are as in `adam`.
        """
        rate, eps, weight_decay, lazy = settings
        rows, values = rows_and_values(gradient)
        p, s, g = parameter, square_sum, gradient
        if rows is not None and lazy:
            p, s, g = parameter[rows], square_sum[rows], values
        elif rows is not None:
            g = gradient.to_dense()
        if weight_decay:
            g = g.add(p, alpha=weight_decay)
        s.addcmul_(g, g)
        p.addcdiv_(g, s.sqrt().add_(eps), value=-rate)
        if rows is not None and lazy:
            parameter[rows], square_sum[rows] = p, s
