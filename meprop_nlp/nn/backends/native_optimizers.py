"""One step of an optimiser for one parameter, on the native core, in place."""

from torch import Tensor

from meprop_nlp.nn.backends.core import Core, readable
from meprop_nlp.nn.backends.reference_optimizers import AdagradSettings, AdamSettings
from meprop_nlp.nn.row_gradient import rows_and_values


class NativeUpdates:
    """The same functions as `ReferenceUpdates`, for contiguous parameters."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def adam(
        self,
        parameter: Tensor,
        gradient: Tensor,
        mean: Tensor,
        square: Tensor,
        step: float,
        settings: AdamSettings,
    ) -> None:
        rate, betas, eps, weight_decay, lazy = settings
        rows, values = rows_and_values(gradient)
        self.core.kernels.adam(
            _as_matrix(parameter),
            rows,
            _as_matrix(readable(values)),
            _as_matrix(mean),
            _as_matrix(square),
            rate,
            *betas,
            eps,
            weight_decay,
            step,
            lazy,
            self.core.threads,
        )

    def adagrad(
        self, parameter: Tensor, gradient: Tensor, square_sum: Tensor, settings: AdagradSettings
    ) -> None:
        rate, eps, weight_decay, lazy = settings
        rows, values = rows_and_values(gradient)
        self.core.kernels.adagrad(
            _as_matrix(parameter),
            rows,
            _as_matrix(readable(values)),
            _as_matrix(square_sum),
            rate,
            eps,
            weight_decay,
            lazy,
            self.core.threads,
        )


def _as_matrix(tensor: Tensor) -> Tensor:
    """A view with two dimensions, the first being the rows of a table."""
    return tensor.flatten(1) if tensor.dim() > 1 else tensor.view(-1, 1)
