"""The physical cut: removes neurons from a layer, and everything that belongs to them.

That is their rows of the weights and biases, their columns in every layer that reads them, and
the same rows and columns of the optimiser's moments. meSimp's reference code masks neurons; we
remove them, so that the rest of the training costs less. `simplify/simplifier.py` decides when to
cut, and which neurons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.bilstm import BiLSTM


@dataclass(slots=True)
class Consumer:
    """A layer that reads the outputs of a layer to be cut, and where in its input they begin.

    Attributes:
        module: an `nn.Linear`, an `nn.LSTM` or another `nn.RNNBase`, or one of our layers.
        offset: its input columns [offset, offset + H) are the H outputs. A `Simplifier` updates it
            when it cuts other layers that the same module reads.
    """

    module: nn.Module
    offset: int = 0


class CutPlan:
    """Collects which neurons are removed from which layers; then removes all of them, or none.

    Nothing changes before `apply`, which first makes all new tensors and only then puts them in
    place. Indices and offsets refer to the network before `apply`.
    """

    def __init__(self) -> None:
        # By module and name of a parameter or buffer, then dimension: which entries stay.
        self._stay: dict[tuple[nn.Module, str], dict[int, Tensor]] = {}

    def keep_neurons(self, layer: nn.Module, keep: Tensor, consumers: Sequence[Consumer]) -> None:
        """Plan to remove all neurons of `layer` except `keep`.

        A linear layer loses rows. An LSTM loses whole units: row j of all four gates and column j
        of the recurrent matrix (our choice: the gates of a unit are tied).

        Args:
            layer: an `nn.Linear`, or an `nn.LSTM` of one layer and one direction.
            keep: (H',) int64 indices, increasing.
            consumers: every layer that reads the outputs of `layer`.

        Raises:
            ConfigError: a layer of another kind, indices that do not fit, or a consumer whose
                input is too narrow.
        """
        width = _width(layer)
        stay = _mask(keep, width)
        columns = [
            (owner, name, _columns(owner, name, consumer.offset, stay))
            for consumer in consumers
            for owner, name in _input_weights(consumer.module)
        ]
        if bool(stay.all()):
            return
        if isinstance(layer, nn.LSTM):
            rows = stay.repeat(4)
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
                self._mark(layer, name, 0, rows)
            self._mark(layer, "weight_hh_l0", 1, stay)
        else:
            self._mark(layer, "weight", 0, stay)
            self._mark(layer, "bias", 0, stay)
        self._mark(layer, "hits", 0, stay)
        for owner, name, mask in columns:
            self._mark(owner, name, 1, mask)

    def apply(self, *optimizers: Optimizer) -> None:
        """Cut: new `nn.Parameter`s replace the old ones, in the modules and the optimisers.

        Args:
            optimizers: every optimiser of a parameter of the network. Every tensor of their state
                that has the shape of its parameter is cut like the parameter.
        """
        modules: list[tuple[nn.Module, str, Tensor]] = []
        groups: list[tuple[list[Tensor], int, Tensor]] = []
        states: list[tuple[Optimizer, Tensor, Tensor, dict[str, object]]] = []
        for (module, name), dims in self._stay.items():
            old = getattr(module, name)
            if not isinstance(old, nn.Parameter):
                modules.append((module, name, _select(old, dims)))
                continue
            new = nn.Parameter(_select(old.detach(), dims), requires_grad=old.requires_grad)
            if old.grad is not None:
                new.grad = _select(old.grad, dims)
            modules.append((module, name, new))
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    groups += [
                        (group["params"], place, new)
                        for place, parameter in enumerate(group["params"])
                        if parameter is old
                    ]
                if old in optimizer.state:
                    state = {
                        key: _select(value, dims)
                        if isinstance(value, Tensor) and value.shape == old.shape
                        else value
                        for key, value in optimizer.state[old].items()
                    }
                    states.append((optimizer, old, new, state))
        # From here on nothing can fail.
        for module, name, tensor in modules:
            setattr(module, name, tensor)
        for parameters, place, parameter in groups:
            parameters[place] = parameter
        for optimizer, gone, parameter, state in states:
            del optimizer.state[gone]
            optimizer.state[parameter] = state
        for module in {module for module, _ in self._stay}:
            _refresh_sizes(module)

    def moved_offset(self, consumer: Consumer) -> int:
        """Return the offset of `consumer` after this plan is applied."""
        owner, name = next(_input_weights(consumer.module))
        stay = self._stay.get((owner, name), {}).get(1)
        return consumer.offset if stay is None else int(stay[: consumer.offset].sum())

    def _mark(self, module: nn.Module, name: str, dim: int, stay: Tensor) -> None:
        if getattr(module, name, None) is None:
            return  # a layer without bias, or without counts
        dims = self._stay.setdefault((module, name), {})
        dims[dim] = dims[dim] & stay if dim in dims else stay


def _width(layer: nn.Module) -> int:
    """Return H of a layer that can be cut."""
    if isinstance(layer, nn.Linear):
        return layer.weight.shape[0]
    if isinstance(layer, nn.LSTM):
        if layer.num_layers == 1 and not layer.bidirectional and not layer.proj_size:
            return layer.hidden_size
        raise ConfigError(
            f"{layer} cannot be cut: expected one layer, one direction and no projection"
        )
    raise ConfigError(f"a {type(layer).__name__} cannot be cut, expected a linear layer or an LSTM")


def _input_weights(module: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """The (module, parameter name) whose columns are the inputs of `module`."""
    if isinstance(module, nn.Linear):
        yield module, "weight"
    elif isinstance(module, BiLSTM):
        yield module.left_to_right, "weight_ih_l0"
        yield module.right_to_left, "weight_ih_l0"
    elif isinstance(module, nn.RNNBase):
        yield module, "weight_ih_l0"
        if module.bidirectional:
            yield module, "weight_ih_l0_reverse"
    else:
        raise ConfigError(
            f"a {type(module).__name__} cannot lose input columns, expected a linear layer, a "
            "recurrent layer or a BiLSTM"
        )


def _mask(keep: Tensor, width: int) -> Tensor:
    """(H,) True at the indices `keep`."""
    fits = keep.dim() == 1 and keep.dtype == torch.int64 and keep.numel() > 0
    if not fits or not bool((keep.diff() > 0).all()) or keep[0] < 0 or keep[-1] >= width:
        raise ConfigError(
            f"the neurons to keep are {keep.tolist()}, expected at least one int64 index, "
            f"increasing, from 0 to {width - 1}"
        )
    stay = torch.zeros(width, dtype=torch.bool, device=keep.device)
    stay[keep] = True
    return stay


def _columns(owner: nn.Module, name: str, offset: int, stay: Tensor) -> Tensor:
    """(I,) which input columns of `owner` stay; `stay` (H,) says which of those from `offset`."""
    weight: Tensor = getattr(owner, name)
    n_columns, width = weight.shape[1], stay.shape[0]
    if not 0 <= offset <= n_columns - width:
        raise ConfigError(
            f"a consumer of type {type(owner).__name__} has {n_columns} input columns; the layer's "
            f"{width} outputs do not fit at offset {offset}"
        )
    mask = torch.ones(n_columns, dtype=torch.bool, device=stay.device)
    mask[offset : offset + width] = stay
    return mask


def _select(tensor: Tensor, dims: dict[int, Tensor]) -> Tensor:
    """Return a contiguous copy with only the entries that stay in each dimension."""
    for dim, stay in dims.items():
        tensor = tensor.index_select(dim, stay.nonzero().squeeze(1).to(tensor.device))
    return tensor.contiguous()


def _refresh_sizes(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        module.out_features, module.in_features = module.weight.shape
    elif isinstance(module, nn.RNNBase):
        module.input_size = module.get_parameter("weight_ih_l0").shape[1]
        module.hidden_size = module.get_parameter("weight_hh_l0").shape[1]
        module.flatten_parameters()  # cuDNN needs one block of memory; no effect on a CPU
